"""A NAT gateway: many VMs of two hosts behind one address. Nothing private is ever heard outside; when its ports run out it says so."""
import re
import socket
import time

import pytest

import packets
from lab import wait_until
from lab.lab import capturing
from lab.outside import CLIENT_IP, FAR_IP, FAR_MTU
from lab.procs import call_all
from public import ECHO_PORT, NAME_PORT, OUTSIDE, UPLINK, Watch, address, attach, eip_row, expect_answers, make_pool, start_servers
from support import expect_verify_clean

LAB = {"hosts": 2, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK}, "gateways": ("hv1",)}
NAT, TIGHT, DIRECT = address(11), address(12), address(13)
PORTS = (20000, 20007)


@pytest.fixture(scope="module")
def watch(lab):
    """All that is said outside, from before the first packet; the last test looks at it."""
    with Watch(lab) as everything:
        yield everything


@pytest.fixture(scope="module")
def vms(lab, watch):
    make_pool(lab)
    lab.ctl.batch(["vpc-add v 10.0.0.0/16", "igw-add v", "rtb-add v out", "rtb-add v tight-out", "route-add out 0.0.0.0/0 igw",
                   "subnet-add v front 10.0.0.0/24 rtb=out", "subnet-add v back 10.0.1.0/24", "subnet-add v tight 10.0.2.0/24 rtb=tight-out",
                   "natgw-add front n", f"natgw-add front few ports={PORTS[0]}-{PORTS[1]}",
                   "route-add v 0.0.0.0/0 natgw:n", "route-add tight-out 0.0.0.0/0 natgw:few"])
    guests = lab.vms(["back:a@hv1", "back:b@hv1", "back:c@hv2", "back:d@hv2", "tight:t@hv2", "front:f@hv2"], port="sg=none")
    attach(lab.ctl, NAT, "natgw:n")
    attach(lab.ctl, TIGHT, "natgw:few")
    attach(lab.ctl, DIRECT, "f")
    start_servers(guests)
    start_servers([lab.outside, lab.outside.far])
    expect_answers(lab, [DIRECT])
    for g in guests:
        g.reaches(CLIENT_IP, 10)
    return {g.name: g for g in guests}


def row(lab, name):
    return next(r for r in lab.vnetd.rows("natgw") if r["name"] == name)


def four(vms):
    return [vms[n] for n in "abcd"]


def test_two_thousand_connections_at_once_through_one_address(lab, vms):
    with lab.outside.doing("tcp_echo", port=1080) as server:
        numbers = call_all([(g.agent, "start_crowd", {"ip": CLIENT_IP, "port": 1080, "count": 500, "name": g.name, "timeout": 20}) for g in four(vms)])
        results = call_all([(g.agent, "stop", {"number": n}) for g, n in zip(four(vms), numbers)])
        seen = server.look()
    assert [r["right"] for r in results] == [500] * 4, results
    assert seen["ips"] == [NAT] and seen["connections"] == 2000
    assert min(seen["ports"]) >= 1024


@pytest.mark.parametrize("name", ["a", "c"])
def test_everything_finds_its_way_back(lab, vms, name):
    vm = vms[name]
    assert vm.ping_all([CLIENT_IP, FAR_IP, "203.0.113.1", DIRECT], timeout=3) == ["reply"] * 4
    lab.outside.forget_mtus()
    for size in (1460, 3000):       # the outside answers with packets that are too big for the VM
        assert vm.exchange(CLIENT_IP, ECHO_PORT, size=size, timeout=3, tries=1) == "same", size
    assert vm.who_answers([DIRECT], NAME_PORT, timeout=2) == ["f"]
    assert vm.tcp_send(CLIENT_IP, 80, 1_000_000)["ok"]
    assert vm.tcp_connect(CLIENT_IP, 81, timeout=3) == "refused"


@pytest.mark.parametrize("name", ["a", "c"])
def test_traceroute_and_the_mtu_of_the_path(lab, vms, name):
    vm = vms[name]
    hops = vm.trace_route(FAR_IP)
    assert hops[0] == (vm.ip.rsplit(".", 1)[0] + ".1", "ttl-exceeded") and hops[-2:] == [(CLIENT_IP, "ttl-exceeded"), (FAR_IP, "port-unreachable")]
    vm.forget_mtus()
    assert vm.tcp_send(FAR_IP, 80, 300_000)["ok"]
    assert vm.known_mtu(FAR_IP) == FAR_MTU
    word, extra = lab.outside.ping(DIRECT, size=1472, df=True, timeout=2, detail=True)
    assert (word, extra.get("mtu")) == ("frag-needed", 1450)


def test_equal_source_ports_of_two_vms_are_told_apart(lab, vms):
    """All four ask from one port of theirs at once; each answer finds its asker."""
    payload = {"ip": CLIENT_IP, "port": ECHO_PORT, "size": 100}
    for _ in range(3):
        assert call_all([(g.agent, "exchange", {**payload, "source_port": 5000}) for g in four(vms)]) == ["same"] * 4


def test_equal_identifiers_of_pings_are_told_apart(lab, vms):
    """Of all four VMs, to one place, at once and again; for those of another host and of the gateway's own."""
    for identity in (7, 7, 4711):
        assert call_all([(g.agent, "ping", {"targets": [CLIENT_IP, FAR_IP], "identity": identity}) for g in four(vms)]) == [["reply"] * 2] * 4
    assert row(lab, "n")["exhausted"] == 0


@pytest.mark.parametrize("name", ["a", "c"])
def test_fragments_that_cannot_be_put_together_are_counted(lab, vms, name):
    """And not as a want of ports."""
    vm, n = vms[name], 5
    before = row(lab, "n")["drops"]["fragment"]
    router_mac = vm.neighbours()[vm.ip.rsplit(".", 1)[0] + ".1"]
    vm.send_frames(*[packets.ethernet(vm.mac, router_mac, 0x0800, p) for p in packets.small_fragments(vm.ip, CLIENT_IP, n)])
    wait_until(lambda: row(lab, "n")["drops"]["fragment"] == before + n, 8, "the VM's are counted")
    mac = lab.outside.neighbours("public")[NAT]
    lab.outside.send_frames(*[packets.ethernet(lab.outside.router_mac("public"), mac, 0x0800, p) for p in packets.small_fragments(CLIENT_IP, NAT, n)],
                            device="public")
    wait_until(lambda: row(lab, "n")["drops"]["fragment"] == before + 2 * n, 8, "those from outside, too")
    assert row(lab, "n")["exhausted"] == 0 and row(lab, "few")["drops"]["fragment"] == 0


@pytest.mark.parametrize("name", ["n", "few"])
def test_answers_that_the_meter_drops_are_counted(lab, vms, name):
    """Whether asked for or not: what is too big for a VM goes to who takes it apart before any connection is looked for."""
    n = 500
    lab["hv1"].widen_queues()
    before = {r["name"]: r["drops"]["meter"] for r in lab.vnetd.rows("natgw")}
    ip = row(lab, name)["ip"]
    lab.outside.ping(ip)
    frame = packets.ethernet(lab.outside.router_mac("public"), lab.outside.neighbours("public")[ip], 0x0800, packets.udp(CLIENT_IP, ip, bytes(1460)))
    begin = time.monotonic()
    lab.outside.send_frames(*[frame] * n, device="public")
    assert lab.outside.ping(DIRECT) == "reply", "what is sent later arrives"
    at_least = n - 100 - 100 * (time.monotonic() - begin)
    wait_until(lambda: row(lab, name)["drops"]["meter"] - before[name] >= at_least, 8, "those that did not pass are counted")
    now = {r["name"]: r["drops"]["meter"] for r in lab.vnetd.rows("natgw")}
    assert now[name] <= before[name] + n and {**now, name: 0} == {**before, name: 0}, (before, now)
    assert int(lab.ctl("get", "natgw", name, "drops:meter")) == now[name], "one alone is asked for"


def ip_packets(frames, source, protocol):
    """Of that protocol from that address."""
    found = [f[14:] for f in frames if f[12:14] == b"\x08\x00" and f[23] == protocol]
    return [p for p in found if socket.inet_ntoa(p[12:16]) == source]


@pytest.mark.parametrize("name", ["a", "c"])
def test_errors_about_its_connections_pass_both_ways_and_redirects_do_not(lab, vms, name):
    """What is quoted is as the receiver knows it. A redirect (5) and a source quench (4) quote as errors do."""
    vm, own_port = vms[name], 5100
    router_mac = vm.neighbours()[vm.ip.rsplit(".", 1)[0] + ".1"]
    with capturing([lab.outside], "public") as seen:
        assert vm.exchange(CLIENT_IP, ECHO_PORT, size=100, source_port=own_port) == "same"
    asked = next(p for p in ip_packets(seen[lab.outside], NAT, 17) if p[22:24] == ECHO_PORT.to_bytes(2, "big"))
    port = int.from_bytes(asked[20:22], "big")
    before = row(lab, "n")["drops"]["icmp"]
    out = [packets.icmp_error(vm.ip, CLIENT_IP, packets.udp(CLIENT_IP, vm.ip, bytes(8), ECHO_PORT, own_port), *kind) for kind in ((5, 1), (4, 0), (3, 2))]
    into = [packets.icmp_error(CLIENT_IP, NAT, packets.udp(NAT, CLIENT_IP, bytes(8), port, ECHO_PORT), *kind) for kind in ((5, 1), (4, 0), (3, 2))]
    mac = lab.outside.neighbours("public")[NAT]
    with capturing([vm]) as inside, capturing([lab.outside], "public") as outside:
        vm.send_frames(*[packets.ethernet(vm.mac, router_mac, 0x0800, p) for p in out])
        lab.outside.send_frames(*[packets.ethernet(lab.outside.router_mac("public"), mac, 0x0800, p) for p in into], device="public")
        wait_until(lambda: row(lab, "n")["drops"]["icmp"] == before + 4, 8, "redirects and source quenches are counted")
        assert vm.exchange(CLIENT_IP, ECHO_PORT) == "same", "what is sent later arrives"
    for frames, source, quoted in ((inside[vm], CLIENT_IP, (vm.ip, CLIENT_IP)), (outside[lab.outside], NAT, (CLIENT_IP, NAT))):
        errors = [p for p in ip_packets(frames, source, 1) if p[20] in (3, 4, 5)]
        assert [p[20] for p in errors] == [3], "only the error arrives"
        inner = errors[0][28:]
        assert (socket.inet_ntoa(inner[12:16]), socket.inet_ntoa(inner[16:20])) == quoted
        assert packets.checksum(errors[0][20:]) == 0
    assert row(lab, "n")["exhausted"] == 0


def begins(frame):
    """Not a segment of a connection that was asked for: those of the test before are still being closed."""
    return frame[23] != 6 or frame[47] & 0x12 == 0x02


def test_nobody_gets_in_unasked(lab, vms):
    before = {g.name: g.agent.call("start_capture", device="eth0") for g in four(vms)}
    assert lab.outside.tcp_connect(NAT, 80, timeout=0.6) != "connected"
    assert lab.outside.exchange(NAT, ECHO_PORT, timeout=0.6) == "none"
    assert lab.outside.exchange(NAT, protocol=253, timeout=0.3) == "none"
    for name, number in before.items():
        frames = [bytes.fromhex(f) for f in vms[name].agent.call("stop", number=number)]
        assert not [f for f in frames if f[12:14] == b"\x08\x00" and f[26:30] == bytes(map(int, CLIENT_IP.split("."))) and begins(f)], name


def test_when_the_ports_run_out_it_is_counted_and_logged(lab, vms):
    few = row(lab, "few")
    assert (few["ip"], few["host"], few["ports"]) == (TIGHT, "hv1", "20000-20007")
    with lab.outside.doing("tcp_echo", port=1081) as server:
        with vms["t"].doing("crowd", ip=CLIENT_IP, port=1081, count=12, name="t", timeout=2.5) as crowd:
            got = crowd.look()
            seen = server.look()
    assert (got["right"], got["silent"]) == (8, 4), got
    assert seen["ips"] == [TIGHT] and seen["ports"] == list(range(PORTS[0], PORTS[1] + 1))

    def is_shown_and_found():            # the switch counts on for a while
        exhausted = row(lab, "few")["exhausted"]
        return exhausted >= 4 and [[r["name"] for r in lab.ctl.find("natgw", exhausted=n)] for n in ("0", exhausted, "none")] == [["n"], ["few"], []]
    wait_until(is_shown_and_found, 15, "the counter shows it")
    wait_until(lambda: any(re.search(r"natgw.*few|few.*natgw|NAT gateway.*few", line) and "port" in line for line in open(lab.vnetd.log)), 15,
               "a line of the log names the gateway that ran out of ports")


def test_a_vm_whose_gateway_has_no_address_is_told_so(lab, vms):
    lab.ctl("--wait=hosts", "eip-detach", TIGHT)
    wait_until(lambda: vms["t"].ping(CLIENT_IP, timeout=1) == "net-unreachable", 5, "unreachable without the gateway's address")
    assert lab.outside.arp_ask([TIGHT], "public") == {}
    lab.ctl("--wait=hosts", "eip-attach", TIGHT, "natgw:few")
    vms["t"].reaches(CLIENT_IP)
    assert eip_row(lab, TIGHT)["attached"] == "natgw:few"


def test_restarting_vnetd_breaks_no_connection(lab, vms):
    """The zone is the same afterwards, so what is tracked is still known."""
    with vms["c"].doing("chat", ip=CLIENT_IP, port=ECHO_PORT) as chat, vms["d"].doing("ping", ip=CLIENT_IP, interval_ms=10) as stream:
        wait_until(lambda: chat.look()["back"] > 10 and stream.look()["received"] > 10, 5, "they talk")
        lab.vnetd.kill()
        assert vms["a"].tcp_connect(CLIENT_IP, 80, timeout=2) == "connected", "a new one while vnetd is away"
        lab.vnetd.start()
        lab.ready()
        mark = chat.look()["back"]
        wait_until(lambda: chat.look()["back"] > mark + 10, 5, "they go on")
    assert chat.result["error"] is None and chat.result["back"] == chat.result["sent"], chat.result
    assert stream.result["n_lost"] == 0, stream.result
    expect_verify_clean(lab)


def test_nothing_private_was_ever_heard_outside(vms, watch):
    seen = watch.look()
    assert sum(sum(census["ip"].values()) for census in seen.values()) > 4000, "the watch was awake"
    watch.seen = seen
    assert {NAT, TIGHT, DIRECT} <= watch.sources()
    assert watch.private() == []
