"""Load balancers on real switches: every client reaches every target through them, whatever groups both have, wherever they are, and is seen by
its own address; a target reaches itself; the outside comes in by an elastic IP and is answered by it."""
import pytest

from lab import wait_until
from lab.outside import CLIENT_IP
from public import OUTSIDE, ROUTER, UPLINK, Watch, address, attach, make_pool, make_vpc
from support import expect_verify_clean

LAB = {"hosts": 3, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK, "hv2": UPLINK}, "gateways": ("hv2",)}
BALANCER, PUBLIC = "10.0.1.100", address(50)
# Name: subnet, host, groups, elastic IP. Subnet deep has no route out; hv3 has no uplink.
TARGETS = {"t1": ("s", "hv1", "web", address(11)), "t2": ("s", "hv2", "none", None), "t3": ("deep", "hv3", "web", None),
           "t4": ("deep", "hv1", "none", None), "t5": ("s", "hv3", "none", address(15))}
CLIENTS = {"c1": ("s", "hv1", "v"), "c2": ("other", "hv2", "none"), "c3": ("s", "hv3", "none"), "c4": ("other", "hv1", "tight"), "c5": ("other", "hv3", "v")}
ALL = [*CLIENTS, *TARGETS]


def tcp_port(target):
    """Each target alone in groups of its own, so that a listener's port says who answers."""
    return 8000 + int(target[1:])


def bulk_port(target):
    return 9000 + int(target[1:])


def udp_port(target):
    return 5300 + int(target[1:])


def make_groups(lab):
    """web lets TCP 8080, 8081 and UDP 53 in from everywhere; tight lets out only what is for the balancer."""
    lab.ctl.batch(["sg-add v web", "sg-rule-add web ingress tcp 8080-8081 0.0.0.0/0", "sg-rule-add web ingress udp 53 0.0.0.0/0", "sg-add v tight"])
    out = next(r for r in lab.vnetd.rows("sg-rule") if r["sg"] == "tight" and r["direction"] == "egress")
    lab.ctl("sg-rule-del", out["id"])
    lab.ctl.batch([f"sg-rule-add tight egress {p} - {BALANCER}/32" for p in ("tcp", "udp")])


def make_balancer(lab):
    lab.ctl("lb-add", "s", "lb", f"ip={BALANCER}")
    for t in TARGETS:
        lab.ctl.batch([f"tg-add v {t}-tcp tcp 8080 interval=0.2", f"tg-add v {t}-udp udp 53 interval=0.2", f"target-add {t}-tcp {t}",
                       f"tg-add v {t}-bulk tcp 8081 check=none", f"target-add {t}-bulk {t}", f"listener-add lb tcp:{bulk_port(t)} {t}-bulk",
                       f"target-add {t}-udp {t}", f"listener-add lb tcp:{tcp_port(t)} {t}-tcp", f"listener-add lb udp:{udp_port(t)} {t}-udp"])


@pytest.fixture(scope="module")
def watch(lab):
    with Watch(lab) as everything:
        yield everything


@pytest.fixture(scope="module")
def net(lab, watch):
    make_pool(lab)
    make_vpc(lab.ctl, "v", ("s",))
    lab.ctl.batch(["rtb-add v inner", "subnet-add v other 10.0.2.0/24", "subnet-add v deep 10.0.3.0/24 rtb=inner"])
    make_groups(lab)
    guests = {}
    for name, (subnet, host, sg, *_) in {**TARGETS, **CLIENTS}.items():
        guests[name] = lab.vms([f"{subnet}:{name}@{host}"], port=f"sg={sg}")[0]
    for name in TARGETS:
        guests[name].tcp = guests[name].agent.call("start_tcp_echo", port=8080)
        guests[name].agent.call("start_tcp_server", port=8081)
        guests[name].udp = guests[name].agent.call("start_echo", port=53)
        if TARGETS[name][3]:
            attach(lab.ctl, TARGETS[name][3], name)
    make_balancer(lab)
    attach(lab.ctl, PUBLIC, "lb:lb")
    lab.outside.reaches(address(15), 10)
    wait_until(lambda: {r["health"] for r in lab.vnetd.rows("target")} == {"healthy"}, 15, "targets are healthy")
    lab.ctl("--wait=hosts", "sync")
    return guests


def tcp_works(client, ip, port, count=3):
    with client.doing("crowd", ip=ip, port=port, count=count, name=client.name, timeout=3) as crowd:
        return crowd.look()["right"] == count


def seen_by_tcp(guest):
    return set(guest.agent.call("look", number=guest.tcp)["ips"])


def seen_by_udp(guest):
    return set(guest.agent.call("look", number=guest.udp))


@pytest.mark.parametrize("target", TARGETS)
def test_every_client_reaches_every_target(lab, net, target):
    broken = [c for c in ALL if not tcp_works(net[c], BALANCER, tcp_port(target))]
    broken += [f"{c}, UDP" for c in ALL if net[c].exchange(BALANCER, udp_port(target), timeout=1, tries=2) != "same"]
    assert broken == []


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_sees_its_clients_addresses_and_only_itself_by_the_balancer_s(lab, net, target):
    """Goes by what the test before has done."""
    inside = {net[c].ip for c in ALL if c != target} | {BALANCER}
    assert seen_by_tcp(net[target]) == inside
    assert seen_by_udp(net[target]) == inside


@pytest.mark.parametrize("client", ALL)
def test_datagrams_that_are_taken_apart(lab, net, client):
    broken = [t for t in TARGETS if net[client].exchange(BALANCER, udp_port(t), size=4000, timeout=1, tries=3) != "same"]
    assert broken == []


@pytest.mark.parametrize("client", ["c2", "c5", "t1", "t2", "outside"])
def test_bulk(lab, net, client):
    where = (lab.outside, PUBLIC) if client == "outside" else (net[client], BALANCER)
    broken = [t for t in TARGETS if not where[0].tcp_send(where[1], bulk_port(t), 300_000)["ok"]]
    assert broken == []


def test_what_the_balancer_does_not_listen_to_is_refused_or_silent(lab, net):
    for c in ("c1", "c2"):
        assert net[c].tcp_connect(BALANCER, 9999, timeout=0.5) != "connected"
        assert net[c].exchange(BALANCER, 9999, timeout=0.5, tries=1) == "none"
    assert lab.outside.tcp_connect(PUBLIC, 9999, timeout=0.5) != "connected"


def test_egress_is_judged_by_the_balancer_s_address(lab, net):
    """c4 may go to the balancer only: not to the target itself."""
    assert net["c4"].tcp_connect(net["t2"].ip, 8080, timeout=0.5) != "connected"
    assert net["c4"].tcp_connect(BALANCER, tcp_port("t2"), timeout=3) == "connected"


@pytest.mark.parametrize("target", TARGETS)
def test_the_outside_reaches_every_target(lab, net, target):
    assert tcp_works(lab.outside, PUBLIC, tcp_port(target))
    assert tcp_works(lab.outside.far, PUBLIC, tcp_port(target))
    for size in (100, 1400):
        assert lab.outside.exchange(PUBLIC, udp_port(target), size=size, timeout=2) == "same"
    assert CLIENT_IP in seen_by_tcp(net[target]) and CLIENT_IP in seen_by_udp(net[target])


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_still_reached_directly(lab, net, target):
    assert tcp_works(net["c2"], net[target].ip, 8080)
    if TARGETS[target][3]:
        assert tcp_works(lab.outside, TARGETS[target][3], 8080)
        assert lab.outside.exchange(TARGETS[target][3], 53, timeout=2) == "same"


@pytest.mark.parametrize("client", ["c2", "t1"])
def test_the_inside_reaches_the_balancer_by_its_elastic_ip(lab, net, client):
    """c2 has no elastic IP and no NAT gateway: it has no way there."""
    broken = [t for t in TARGETS if tcp_works(net[client], PUBLIC, tcp_port(t)) != (client == "t1")]
    assert broken == []


def test_the_trace_shows_the_target(lab, net):
    for client in ("c1", "c2", "t3"):
        for target in TARGETS:
            text = lab.ctl("trace", client, "tcp", BALANCER, str(tcp_port(target)))
            assert f"listener 'lb/tcp:{tcp_port(target)}' chooses a target" in text, text
            assert f"the load balancer chooses target '{target}-tcp/{target}'" in text, text
            assert text.splitlines()[-1] == f"VERDICT: delivered {target}", text
    for target in TARGETS:
        text = lab.ctl("trace", f"inet:{ROUTER}", "tcp", PUBLIC, str(tcp_port(target)))
        assert f"the load balancer chooses target '{target}-tcp/{target}'" in text, text
        assert text.splitlines()[-1] == f"VERDICT: delivered {target}", text


def counts(lab, kind, name):
    row = next(r for r in lab.vnetd.rows(kind) if r["name"] == name)
    return [row[c] for c in ("connections", "packets", "bytes")]


def counts_of_both(lab, target):
    return counts(lab, "target", f"{target}-tcp/{target}"), counts(lab, "listener", f"lb/tcp:{tcp_port(target)}")


def grown(after, before):
    return [a - b for a, b in zip(after, before)]


@pytest.mark.parametrize("target", TARGETS)
def test_connections_are_counted_with_all_their_packets(lab, net, target):
    """By target and by listener alike, wherever they come from; health checks and the target's other traffic are not among them."""
    before = counts_of_both(lab, target)
    for client, ip in ((net["c1"], BALANCER), (net["c2"], BALANCER), (lab.outside, PUBLIC)):
        assert tcp_works(client, ip, tcp_port(target), count=5)
    wait_until(lambda: grown(counts_of_both(lab, target)[0], before[0])[1] >= 15 * 6, 5, "all packets are counted")
    growths = [grown(a, b) for a, b in zip(counts_of_both(lab, target), before)]
    assert growths[0] == growths[1]
    connections, packets, n_bytes = growths[0]
    assert connections == 15
    assert 15 * 6 <= packets <= 15 * 12 and packets * 54 <= n_bytes <= packets * 100, growths


def test_counts_never_fall(lab, net):
    """Not by vnetd's restart, not when the rows that count go and come again."""
    before = counts_of_both(lab, "t1")
    lab.ctl("--wait=hosts", "eip-detach", PUBLIC)
    lab.ctl("--wait=hosts", "set", "target", "t1-tcp/t1", "weight=2")
    lab.vnetd.kill()
    lab.vnetd.restart()
    lab.ready()
    after = counts_of_both(lab, "t1")
    assert all(a >= b for x, y in zip(after, before) for a, b in zip(x, y)), (before, after)
    lab.ctl("--wait=hosts", "eip-attach", PUBLIC, "lb:lb")
    assert tcp_works(lab.outside, PUBLIC, tcp_port("t1"))
    wait_until(lambda: counts_of_both(lab, "t1")[0][0] >= after[0][0] + 3, 5, "and they go on")


def test_what_stands_is_as_desired_and_nothing_private_left(lab, net, watch):
    expect_verify_clean(lab)
    assert watch.private() == []
