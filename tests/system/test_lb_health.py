"""Health checks of a load balancer's targets: from the target's own host, by TCP and ICMP, whatever its security groups say. What is wrong is
told by a word; a removed target drains."""
import re
import time

import pytest

from lab import wait_until
from support import expect_verify_clean

LAB = {"hosts": 2}
INTERVAL, TIMEOUT, FALL, RISE = 0.2, 0.1, 3, 2
FAST = f"interval={INTERVAL} timeout={TIMEOUT} rise={RISE} fall={FALL}"


class Server:
    """What listens in a guest; can be stopped and started."""

    def __init__(self, guest, port=80):
        self.guest, self.port, self.number = guest, port, None
        self.start()

    def start(self):
        self.number = self.guest.agent.call("start_tcp_server", port=self.port)

    def stop(self):
        self.guest.agent.call("stop", number=self.number)


@pytest.fixture(scope="module")
def net(lab):
    """Targets web1 (filtered by its group) and web2 (not) on hv1, web3 on hv2; group pages by TCP, names by ICMP."""
    lab.ctl.batch(["vpc-add v 10.0.0.0/16", "subnet-add v web 10.0.1.0/24", "subnet-add v far 10.0.2.0/24",
                   f"tg-add v pages tcp 80 drain=1.5 {FAST}", f"tg-add v names udp 53 {FAST}", "lb-add web front", "listener-add front tcp:80 pages",
                   "listener-add front udp:53 names"])
    client, web1 = lab.vms(["web:c1@hv2", "web:web1@hv1"], dhcp=None)
    guests = [web1] + lab.vms(["web:web2@hv1", "far:web3@hv2"], dhcp=None, port="sg=none")
    servers = {g.name: Server(g) for g in guests}
    for g in guests:
        g.agent.call("start_udp_server", port=53, name=g.name)
    lab.ctl.batch([f"target-add {group} {g.name}" for group in ("pages", "names") for g in guests])
    return {"guests": {g.name: g for g in guests}, "servers": servers, "client": client}


def row(lab, target):
    """Without what switches would be asked for."""
    return next(r for r in lab.vnetd.rows("target", columns="name,weight,health,reason,changes") if r["name"] == target)


def expect(lab, target, health, reason=None, seconds=5):
    wait_until(lambda: (row(lab, target)["health"], row(lab, target)["reason"]) == (health, reason), seconds,
               f"{target}: {health} {reason}, not {row(lab, target)}")


def unplugged(guest, is_down):
    """Its link is down, as seen from inside; up again it has to be given its routes anew."""
    guest.run("ip", "link", "set", "eth0", "down" if is_down else "up")
    if not is_down:
        guest.static(guest.ip, gateway=guest.ip.rsplit(".", 1)[0] + ".1")


def all_healthy(lab, seconds=10):
    wait_until(lambda: {r["health"] for r in lab.vnetd.rows("target")} == {"healthy"}, seconds, "all targets healthy")


def listener(lab, name="front/tcp:80"):
    return next(r for r in lab.vnetd.rows("listener") if r["name"] == name)


def log_of(lab):
    return lab.vnetd.last_words(100000)


def test_new_targets_are_healthy_by_tcp_and_by_icmp_without_rules_for_checks(lab, net):
    all_healthy(lab)
    assert re.search(r"target 'pages/web1': INITIAL -> HEALTHY", log_of(lab))
    for r in lab.vnetd.rows("target"):
        assert len(r["changes"]) == 1 and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z healthy", r["changes"][0]), r
    assert listener(lab)["fail_open"] is False
    expect_verify_clean(lab)


def test_a_stopped_process_is_refused_and_is_healthy_again_after_rise(lab, net, tell):
    server = net["servers"]["web1"]
    server.stop()
    began = time.monotonic()
    expect(lab, "pages/web1", "unhealthy", "refused")
    taken = time.monotonic() - began
    tell(f"a stopped process was noticed after {taken:.2f} s; {FALL} intervals and a timeout are {INTERVAL * FALL + TIMEOUT:.2f} s")
    assert row(lab, "names/web1")["health"] == "healthy"       # the machine still answers echo
    assert re.search(r"target 'pages/web1': HEALTHY -> UNHEALTHY \(refused\)", log_of(lab))
    assert row(lab, "pages/web1")["changes"][0].endswith("Z unhealthy (refused)")
    server.start()
    expect(lab, "pages/web1", "healthy")
    assert row(lab, "pages/web1")["changes"][0].endswith("Z healthy")


def test_checks_leave_no_connection_behind(lab, net):
    """Each handshake is ended by a reset: nothing of it is left in the guest, and nothing was accepted."""
    guest = net["guests"]["web2"]
    wait_until(lambda: "SYN-RECV" not in guest.run("ss", "-tan"), 5, "no half-open connection")
    assert "ESTAB" not in guest.run("ss", "-tan")


@pytest.mark.parametrize("name", ["web2", "web3"])
def test_a_silent_machine_gives_no_answer(lab, net, name):
    guest = net["guests"][name]
    unplugged(guest, True)
    expect(lab, f"pages/{name}", "unhealthy", "no answer")
    expect(lab, f"names/{name}", "unhealthy", "no answer")
    unplugged(guest, False)
    all_healthy(lab)


def test_a_port_that_its_groups_close_gives_no_answer(lab, net):
    """The default group lets in what comes from itself: web1's port is open until that rule goes, and again with another rule."""
    rule = next(r for r in lab.vnetd.rows("sg-rule") if r["direction"] == "ingress")
    lab.ctl("sg-rule-del", rule["id"])
    expect(lab, "pages/web1", "unhealthy", "no answer")
    expect(lab, "names/web1", "unhealthy", "no answer")
    assert row(lab, "pages/web2")["health"] == "healthy"
    lab.ctl("sg-rule-add", "v", "ingress", "tcp", "79-81", "198.51.100.0/24")
    expect(lab, "pages/web1", "healthy")
    assert row(lab, "names/web1")["health"] == "unhealthy"
    lab.ctl("sg-rule-add", "v", "ingress", "all", "-", "sg:v")
    all_healthy(lab)


def test_udp_goes_to_another_target_as_soon_as_its_own_is_dead_or_removed(lab, net, tell):
    """From one source port all the time: to the switch it is one connection."""
    ip = lab.ctl.get("lb", "front", "ip")

    def ask():
        return net["client"].who_answers([ip], 53, timeout=0.5, tries=1, source_port=4000)[0]

    first = wait_until(ask, 5, "a target answers")
    assert {ask() for _ in range(5)} == {first}
    unplugged(net["guests"][first], True)
    began = time.monotonic()
    expect(lab, f"names/{first}", "unhealthy", "no answer")
    known = time.monotonic()
    wait_until(ask, 3, "another target answers")
    tell(f"dead after {known - began:.2f} s, another answers {time.monotonic() - known:.2f} s later")
    second = ask()
    assert second != first
    unplugged(net["guests"][first], False)
    all_healthy(lab)
    assert ask() == second
    for _ in range(2):
        lab.ctl("--wait=hosts", "target-del", "names", second)
    wait_until(ask, 3, "another target answers")
    assert ask() != second
    lab.ctl("target-add", "names", second)
    all_healthy(lab)


def test_an_interface_that_is_gone_is_unreachable(lab, net):
    guest = net["guests"]["web1"]
    guest.host.unplug([guest])
    expect(lab, "pages/web1", "unhealthy", "unreachable")
    guest.host.plug([guest])
    all_healthy(lab)


def test_a_host_that_is_gone_is_unreachable(lab, net):
    host = lab["hv2"]
    host.kill_vswitchd()
    host.kill_ovsdb()
    expect(lab, "pages/web3", "unhealthy", "unreachable")
    expect(lab, "names/web3", "unhealthy", "unreachable")
    assert {row(lab, t)["health"] for t in ("pages/web1", "pages/web2", "names/web1")} == {"healthy"}
    host.start_ovsdb()
    host.start_vswitchd()
    all_healthy(lab, 15)


def test_a_host_that_falls_silent_gives_no_answer_and_is_unreachable_when_it_is_given_up(lab, net, tell):
    """No session of its Open vSwitch ends; they only say nothing more. Two of three targets are there."""
    host, front = lab["hv1"], lab.ctl.get("lb", "front", "ip")
    silent = [f"{group}/{name}" for group in ("pages", "names") for name in ("web1", "web2")]
    host.freeze()
    began = time.monotonic()
    try:
        for target in silent:
            expect(lab, target, "unhealthy", "no answer")
        noticed = time.monotonic() - began
        wait_until(lambda: [net["client"].tcp_connect(front, 80, timeout=0.5) for _ in range(12)] == ["connected"] * 12, 3, "connections go to the other")
        assert set(net["client"].who_answers([front] * 12, 53, timeout=2)) == {"web3"}
        assert {row(lab, t)["health"] for t in ("pages/web3", "names/web3")} == {"healthy"}
        for target in silent:
            expect(lab, target, "unhealthy", "unreachable", 20)
        tell(f"no answer after {noticed:.2f} s, unreachable after {time.monotonic() - began:.2f} s")
    finally:
        host.thaw()
    all_healthy(lab, 15)
    lab.ready()
    expect_verify_clean(lab)


def test_when_all_are_unhealthy_the_listener_says_so(lab, net):
    for server in net["servers"].values():
        server.stop()
    wait_until(lambda: listener(lab)["fail_open"] is True, 5, "the listener fails open")
    assert listener(lab, "front/udp:53")["fail_open"] is False
    assert "target group 'pages': no target is healthy, so connections go to all" in log_of(lab)
    net["servers"]["web2"].start()
    wait_until(lambda: listener(lab)["fail_open"] is False, 5, "the listener no longer fails open")
    for name in ("web1", "web3"):
        net["servers"][name].start()
    all_healthy(lab)


def test_what_fails_open_reaches_targets_and_a_new_one_does_not_end_that(lab, net):
    """All serve, but checks ask a port where nobody listens. Of a new target nothing is known for two seconds; then it is unhealthy, too."""
    client, front = net["client"], lab.ctl.get("lb", "front", "ip")
    (late,) = lab.vms(["far:web4@hv2"], dhcp=None, port="sg=none")
    echo = {g.name: g.agent.call("start_tcp_echo", port=8080) for g in (*net["guests"].values(), late)}
    lab.ctl.batch(["tg-add v misjudged tcp 8080 check_port=81 drain=0 interval=1 timeout=0.1 rise=1 fall=3", "listener-add front tcp:8080 misjudged",
                   *(f"target-add misjudged {name}" for name in net["guests"])])
    for name in net["guests"]:
        expect(lab, f"misjudged/{name}", "unhealthy", "refused", 10)
    lab.ctl("--wait=hosts", "sync")
    assert listener(lab, "front/tcp:8080")["fail_open"] is True
    crew = client.agent.call("start_crew", ip=front, port=8080, count=6, interval=0.1)
    load = client.agent.call("start_requests", ip=front, port=8080, workers=2, timeout=5)

    def more():
        before = client.agent.call("look", number=load)["done"]
        wait_until(lambda: client.agent.call("look", number=load)["done"] > before + 30, 20, "requests go on")

    more()
    lab.ctl("--wait=hosts", "target-add", "misjudged", "web4")
    assert row(lab, "misjudged/web4")["health"] == "initial"
    assert listener(lab, "front/tcp:8080")["fail_open"] is True
    more()
    expect(lab, "misjudged/web4", "unhealthy", "refused")
    more()
    assert client.agent.call("look", number=crew)["lost"] == []
    assert client.agent.call("stop", number=load)["failures"] == []
    came = {g.name: g.agent.call("look", number=echo[g.name])["connections"] for g in (*net["guests"].values(), late)}
    assert all(came.values()), f"connections go to all: {came}"
    client.agent.call("stop", number=crew)
    lab.ctl.batch(["listener-del front tcp:8080", *(f"target-del misjudged {name}" for name in echo), "tg-del misjudged"])
    expect_verify_clean(lab)


def test_a_new_target_gets_nothing_before_its_first_success_and_then_its_share(lab, net):
    """Beside one that is healthy, and while its checks fail already, but not often enough for it to be unhealthy."""
    client, front = net["client"], lab.ctl.get("lb", "front", "ip")
    (late,) = lab.vms(["far:web5@hv2"], dhcp=None, port="sg=none")
    old = net["guests"]["web2"]
    echo = {g: g.agent.call("start_tcp_echo", port=8081) for g in (old, late)}
    lab.ctl.batch(["tg-add v fresh tcp 8081 check_port=80 drain=0 interval=0.2 timeout=0.1 fall=10", "listener-add front tcp:8081 fresh", "target-add fresh web2"])
    expect(lab, "fresh/web2", "healthy")
    lab.ctl("--wait=hosts", "set", "tg", "fresh", "interval=60")            # ten failures take longer than this test
    lab.ctl("--wait=hosts", "target-add", "fresh", "web5")
    expect(lab, "fresh/web5", "initial", "refused")

    def shares(count, first_port):
        before = [g.agent.call("look", number=n)["connections"] for g, n in echo.items()]
        with client.doing("crowd", ip=front, port=8081, count=count, name="c1", first_port=first_port) as crowd:
            assert crowd.look()["right"] == count, crowd.look()
        return [g.agent.call("look", number=n)["connections"] - b for (g, n), b in zip(echo.items(), before)]

    assert shares(100, 20000) == [100, 0]
    assert row(lab, "fresh/web5")["health"] == "initial"
    server = Server(late)
    lab.ctl("set", "tg", "fresh", "interval=0.2")
    expect(lab, "fresh/web5", "healthy")
    assert [c.split(" ", 1)[1] for c in row(lab, "fresh/web5")["changes"]] == ["healthy"], "nothing came between"
    lab.ctl("--wait=hosts", "sync")
    old_share, new_share = shares(400, 21000)
    assert old_share + new_share == 400 and 140 < new_share < 260, (old_share, new_share)
    lab.ctl.batch(["listener-del front tcp:8081", "target-del fresh web2", "target-del fresh web5", "tg-del fresh"])
    server.stop()
    for g, n in echo.items():
        g.agent.call("stop", number=n)
    expect_verify_clean(lab)


def test_a_restart_of_vnetd_changes_nothing(lab, net):
    net["servers"]["web3"].stop()
    expect(lab, "pages/web3", "unhealthy", "refused")
    lab.ctl("set", "vpc", "v", "tags:what=this")       # is durable, and so is what was written before it
    before = {r["name"]: (r["health"], r["reason"], r["changes"]) for r in lab.vnetd.rows("target")}
    lab.vnetd.kill()
    lab.vnetd.restart()
    lab.ready()
    for _ in range(20):                 # states of targets whose hosts are not back yet do not waver either
        assert {r["name"]: (r["health"], r["reason"], r["changes"]) for r in lab.vnetd.rows("target")} == before
    assert {name: lab.host_row(name)["sent"] for name in lab.hosts} == {name: 0 for name in lab.hosts}
    net["servers"]["web3"].start()
    all_healthy(lab)


def test_a_changed_group_is_felt_at_once(lab, net):
    lab.ctl("set", "tg", "pages", "check_port=81")
    for name in ("web1", "web2", "web3"):
        expect(lab, f"pages/{name}", "unhealthy", "refused")
    lab.ctl("set", "tg", "pages", "check=icmp")
    all_healthy(lab)
    lab.ctl("set", "tg", "pages", "check=none")
    net["servers"]["web1"].stop()
    lab.ctl("set", "tg", "pages", "check=tcp", "check_port=80", "interval=60")
    assert row(lab, "pages/web1")["health"] == "healthy"
    lab.ctl("set", "tg", "pages", f"interval={INTERVAL}", f"timeout={TIMEOUT}")
    expect(lab, "pages/web1", "unhealthy", "refused")
    net["servers"]["web1"].start()
    all_healthy(lab)


def test_a_removed_target_drains_and_goes(lab, net):
    lab.ctl("target-del", "pages", "web1")
    assert row(lab, "pages/web1")["health"] == "draining"
    wait_until(lambda: "pages/web1" not in {r["name"] for r in lab.vnetd.rows("target")}, 5, "it has drained")
    lab.ctl("target-add", "pages", "web1")
    all_healthy(lab)
    lab.ctl("target-del", "pages", "web1")
    lab.ctl("target-add", "pages", "web1", "weight=3")
    assert (row(lab, "pages/web1")["health"], row(lab, "pages/web1")["weight"]) == ("healthy", 3)
    lab.ctl("target-del", "pages", "web1")
    lab.vnetd.kill()                    # its time comes after a restart too
    lab.vnetd.restart()
    wait_until(lambda: "pages/web1" not in {r["name"] for r in lab.vnetd.rows("target")}, 10, "it has drained")
    lab.ctl("target-add", "pages", "web1")
    all_healthy(lab)
    lab.ctl("target-del", "pages", "web1")
    lab.ctl("target-del", "pages", "web1")
    assert "pages/web1" not in {r["name"] for r in lab.vnetd.rows("target")}
    lab.ready()
    expect_verify_clean(lab)
