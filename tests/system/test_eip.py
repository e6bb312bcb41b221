"""Elastic IPs from outside and inside: every protocol, both ways, where the VM's host has an uplink, where it has none, in VLANs and on other
physical networks. The outside is a plain router that knows nothing of us."""
import socket
import struct
import time

import pytest

import packets
from lab import wait_until
from lab.lab import capturing
from lab.outside import CLIENT_IP, FAR_IP, FAR_MTU
from lab.procs import call_all
from public import (ECHO_PORT, NAME_PORT, POOL, UPLINK, address, attach, eip_row, expect_answers, expect_right_neighbour, is_private,
                    make_pool, make_vpc, start_servers)
from support import expect_verify_clean

LAB = {"hosts": 3, "outside": {"public": {0: "203.0.113.1/24", 30: "192.88.99.1/24"}, "other": {0: "198.19.0.1/24"}},
       "uplinks": {"hv1": UPLINK, "hv2": {"public": "br-ex", "other": "br-other"}}, "gateways": ("hv2",)}
# name: subnet, host, elastic IP, pool. Two VPCs with equal addresses; hv3 has no uplink, hv2 serves it.
VMS = {"direct": ("s", "hv1", address(11), "inet"), "near": ("s2", "hv1", address(12), "inet"), "gateway": ("s", "hv2", address(13), "inet"),
       "through": ("s", "hv3", address(14), "inet"), "through2": ("s2", "hv3", address(15), "inet"), "vlan": ("s", "hv1", "192.88.99.16", "tagged"),
       "other": ("s2", "hv3", "198.19.0.17", "third"), "w-direct": ("ws", "hv1", address(21), "inet"), "w-through": ("ws", "hv3", address(22), "inet")}
# Places of an address that differ in the way packets take.
PLACES = ["direct", "through", "vlan", "other"]
BARE = {"bare": ("s", "hv1"), "bare-far": ("s", "hv3"), "inside": ("in", "hv1")}


@pytest.fixture(scope="module")
def vms(lab):
    make_pool(lab)
    make_pool(lab, "tagged", "192.88.99.0/24", vlan=30)
    make_pool(lab, "third", "198.19.0.0/24", uplink="other")
    make_vpc(lab.ctl, "v", ("s", "s2"))
    make_vpc(lab.ctl, "w", ("ws",))
    lab.ctl("vpc-add", "x", "10.0.0.0/16", "--", "subnet-add", "x", "in", "10.0.1.0/24")
    wanted = [f"{s}:{n}@{h}" for n, (s, h, *_) in {**VMS, **BARE}.items()]
    guests = {g.name: g for g in lab.vms(wanted, port="sg=none")}
    for name, (_, _, ip, pool) in VMS.items():
        attach(lab.ctl, ip, name, pool)
    start_servers(guests.values())
    start_servers([lab.outside], {lab.outside: "outside"})
    start_servers([lab.outside.far])
    expect_answers(lab, [ip for _, _, ip, _ in VMS.values()])
    return guests


def eip(name):
    return VMS[name][2]


# -- from outside to the VM, and from the VM to the outside --

@pytest.mark.parametrize("name", PLACES)
def test_echo_of_small_and_large_packets(lab, vms, name):
    assert lab.outside.ping(eip(name)) == "reply"
    assert lab.outside.far.ping(eip(name)) == "reply"
    assert lab.outside.ping(eip(name), size=3000, timeout=3) == "reply"
    assert vms[name].ping(CLIENT_IP) == "reply"
    assert vms[name].ping(lab.outside.router_ip("public")) == "reply"
    assert vms[name].ping(FAR_IP, size=3000, timeout=3) == "reply"


@pytest.mark.parametrize("name", PLACES)
def test_tcp_both_ways(lab, vms, name):
    result = lab.outside.tcp_send(eip(name), 80, 1_000_000)
    assert result["ok"], result
    result = vms[name].tcp_send(CLIENT_IP, 80, 1_000_000)
    assert result["ok"], result
    assert lab.outside.tcp_connect(eip(name), 81, timeout=3) == "refused"


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("size", [64, 1460, 3000, 20_000])
def test_datagrams_both_ways_byte_for_byte(lab, vms, name, size):
    """The first one arrives, though its sender knows nothing of the path and sends packets that are too big for the VM."""
    lab.outside.forget_mtus()
    assert lab.outside.exchange(eip(name), ECHO_PORT, size=size, timeout=3, tries=1) == "same"
    assert lab.outside.known_mtu(eip(name)) is None, "who does not ask is not told"
    assert vms[name].exchange(CLIENT_IP, ECHO_PORT, size=size, timeout=3, tries=1) == "same"
    assert vms[name].exchange(FAR_IP, ECHO_PORT, size=size, timeout=3, tries=1) == "same"


def frame_outside(lab, ip, packet):
    """From the router to an elastic IP."""
    lab.outside.ping(ip)
    return packets.ethernet(lab.outside.router_mac("public"), lab.outside.neighbours("public")[ip], 0x0800, packet)


def send_outside(lab, ip, ipv4_packets):
    lab.outside.send_frames(*[frame_outside(lab, ip, p) for p in ipv4_packets], device="public")


def frame_inside(vm, packet):
    """From a VM to its router."""
    vm.ping(CLIENT_IP)
    return packets.ethernet(vm.mac, vm.neighbours()[vm.ip.rsplit(".", 1)[0] + ".1"], 0x0800, packet)


def send_inside(vm, ipv4_packets):
    vm.send_frames(*[frame_inside(vm, p) for p in ipv4_packets])


def transact(lab, *ops):
    status, text = lab.vnetd.http("POST", "/v1/transactions", {"ops": ops})
    assert status == 200, text


@pytest.mark.parametrize("name", PLACES[:2])
def test_large_datagrams_reach_a_vm_with_security_groups(lab, vms, name):
    """Its sender is told what fits, and the next one arrives: conntrack takes no small pieces of a fragment."""
    transact(lab, {"op": "add", "type": "sg", "name": "echo", "values": {"vpc": "v"}},
             {"op": "add", "type": "sg-rule", "values": {"sg": "echo", "direction": "ingress", "proto": "udp", "ports": str(ECHO_PORT), "peer": "0.0.0.0/0"}})
    lab.ctl("--wait=hosts", "set", "port", name, "sg=echo")
    try:
        lab.outside.forget_mtus()
        assert lab.outside.exchange(eip(name), ECHO_PORT, size=3000, timeout=3, tries=2) == "same"
        assert lab.outside.known_mtu(eip(name)) == 1450
        assert lab.outside.exchange(eip(name), ECHO_PORT, size=3000, timeout=3, tries=1) == "same"
        assert lab.outside.exchange(eip(name), NAME_PORT, timeout=0.5) == "none", "the group lets nothing else in"
    finally:
        lab.ctl("--wait=hosts", "set", "port", name, "sg=none")
        transact(lab, {"op": "del", "type": "sg", "name": "echo"})


@pytest.mark.parametrize("name", PLACES)
def test_any_other_protocol_both_ways(lab, vms, name):
    assert lab.outside.exchange(eip(name), protocol=253, size=200) == "same"
    assert vms[name].exchange(CLIENT_IP, protocol=253, size=200) == "same"
    # Its fragments may be refused, never be harmed.
    assert lab.outside.exchange(eip(name), protocol=253, size=3000, timeout=0.5, tries=1) in ("same", "none")


@pytest.mark.parametrize("name", PLACES[:2])
def test_fragments_that_cannot_be_put_together_are_counted(lab, vms, name):
    vm, ip, n = vms[name], eip(name), 5
    before = {r["ip"]: r["drops"] for r in lab.vnetd.rows("eip")}
    send_outside(lab, ip, packets.small_fragments(CLIENT_IP, ip, n))
    wait_until(lambda: eip_row(lab, ip)["drops"]["fragment"] == before[ip]["fragment"] + n, 8, "those from outside are counted")
    send_inside(vm, packets.small_fragments(vm.ip, CLIENT_IP, n))
    wait_until(lambda: eip_row(lab, ip)["drops"]["fragment"] == before[ip]["fragment"] + 2 * n, 8, "the VM's, too")
    now = {r["ip"]: r["drops"] for r in lab.vnetd.rows("eip")}
    assert {k: v for k, v in now.items() if k != ip} == {k: v for k, v in before.items() if k != ip}
    assert lab.ctl.find("eip", **{"ip": ip, "drops:fragment": now[ip]["fragment"]}), "it can be asked for"


@pytest.mark.parametrize("name", PLACES)
def test_the_outside_sees_only_the_elastic_ip(lab, vms, name):
    server = lab.outside.agent.call("start_tcp_echo", port=1080)
    try:
        with vms[name].doing("crowd", ip=CLIENT_IP, port=1080, count=5, name=name) as crowd:
            assert crowd.look()["right"] == 5, crowd.look()
            assert lab.outside.agent.call("look", number=server)["ips"] == [eip(name)]
    finally:
        lab.outside.agent.call("stop", number=server)


# -- ICMP errors --

@pytest.mark.parametrize("name", PLACES)
def test_traceroute_from_outside(lab, vms, name):
    hops = lab.outside.far.trace_route(eip(name))
    assert hops[-1] == (eip(name), "port-unreachable"), hops
    assert {word for _, word in hops[:-1]} <= {"ttl-exceeded"}, hops
    assert not [ip for ip, _ in hops if is_private(ip)], hops


@pytest.mark.parametrize("name", PLACES)
def test_traceroute_from_the_vm(lab, vms, name):
    hops = vms[name].trace_route(FAR_IP)
    gateway = vms[name].ip.rsplit(".", 1)[0] + ".1"
    assert hops == [(gateway, "ttl-exceeded"), (CLIENT_IP, "ttl-exceeded"), (FAR_IP, "port-unreachable")]


@pytest.mark.parametrize("name", PLACES)
def test_a_vm_finds_the_mtu_of_the_path(lab, vms, name):
    vm = vms[name]
    vm.forget_mtus()
    word, extra = vm.ping(FAR_IP, size=1400, df=True, timeout=2, detail=True)
    assert (word, extra.get("mtu")) == ("frag-needed", FAR_MTU)
    vm.forget_mtus()
    assert vm.tcp_send(FAR_IP, 80, 300_000)["ok"]
    assert vm.known_mtu(FAR_IP) == FAR_MTU, "TCP believed the router, for it quoted the VM's own segment"


@pytest.mark.parametrize("name", PLACES)
def test_the_outside_finds_the_mtu_of_the_vm(lab, vms, name):
    outside = lab.outside
    outside.forget_mtus()
    word, extra = outside.ping(eip(name), size=1472, df=True, timeout=2, detail=True)
    assert (word, extra.get("mtu"), extra.get("from")) == ("frag-needed", 1450, eip(name))
    outside.forget_mtus()
    assert outside.ping(eip(name), size=1422, df=True, timeout=2) == "reply"
    assert outside.tcp_send(eip(name), 80, 300_000)["ok"]


def icmp_in(frames, kind, code):
    """The first ICMP error of this kind: (its IP packet, the packet it quotes)."""
    for f in frames:
        if f[12:14] == b"\x08\x00" and f[23] == 1 and f[34:36] == bytes([kind, code]):
            packet = f[14:14 + int.from_bytes(f[16:18], "big")]
            return packet, packet[28:]
    raise AssertionError(f"no ICMP {kind}/{code} among {len(frames)} frames")


def test_what_is_too_big_for_the_tunnel_to_the_gateway_is_answered_by_the_vms_own_router(vms):
    vm = vms["through"]
    vm.agent.call("configure", device="eth0", mtu=1500)
    try:
        with capturing([vm]) as seen:
            word, extra = vm.ping(CLIENT_IP, size=1472, df=True, timeout=2, tries=1, detail=True)
        assert (word, extra.get("mtu"), extra.get("from")) == ("frag-needed", 1450, vm.ip.rsplit(".", 1)[0] + ".1")
    finally:
        vm.forget_mtus()
        vm.agent.call("configure", device="eth0", mtu=1450)
    _, inner = icmp_in(seen[vm], 3, 4)
    ttl = int(vm.run("cat", "/proc/sys/net/ipv4/ip_default_ttl"))
    assert (socket.inet_ntoa(inner[12:16]), socket.inet_ntoa(inner[16:20]), inner[8]) == (vm.ip, CLIENT_IP, ttl), "as the VM has sent it"
    assert packets.checksum(inner[:20]) == 0


@pytest.mark.parametrize("name", PLACES[:2])
def test_the_quoted_packet_is_the_one_that_was_sent(lab, vms, name):
    """Addresses and all checksums, as strict receivers look at them."""
    with capturing([lab.outside], "public") as seen:
        # A kernel sends few of them a second to one address, and the tests before have asked for some.
        wait_until(lambda: lab.outside.trace_route(eip(name), port=5000, max_hops=3)[-1][1] == "port-unreachable", 10, "the VM says that nobody listens")
    packet, inner = icmp_in(seen[lab.outside], 3, 3)
    assert packets.checksum(packet[:20]) == 0 and packets.checksum(packet[20:]) == 0
    assert socket.inet_ntoa(packet[12:16]) == eip(name)
    assert (socket.inet_ntoa(inner[12:16]), socket.inet_ntoa(inner[16:20])) == (CLIENT_IP, eip(name))
    assert packets.checksum(inner[:20]) == 0
    udp = inner[20:]
    pseudo = inner[12:20] + struct.pack("!BBH", 0, 17, len(udp))
    assert udp[6:8] == b"\0\0" or packets.checksum(pseudo + udp) == 0


def errors_that_arrive(lab, vm, ip, packet):
    """The ICMP errors that the VM gets when the outside sends this to its elastic IP."""
    outside = lab.outside
    with capturing([vm]) as seen:
        send_outside(lab, ip, [packet])
        assert outside.exchange(ip, ECHO_PORT) == "same", "what is sent later arrives"
        wait_until(lambda: outside.exchange(ip, ECHO_PORT) == "same", 2, "and what is sent still later")
    return [f for f in seen[vm] if f[12:14] == b"\x08\x00" and f[23] == 1 and f[34] == 3]


@pytest.mark.parametrize("name", PLACES[:2])
def test_an_error_about_somebody_elses_packet_is_dropped(lab, vms, name):
    vm, ip = vms[name], eip(name)
    honest = packets.icmp_error(CLIENT_IP, ip, packets.udp(ip, CLIENT_IP, b"x" * 8, port=4001))
    arrived = wait_until(lambda: errors_that_arrive(lab, vm, ip, honest), 5, "an honest error arrives")
    inner = arrived[0][14 + 28:]
    assert socket.inet_ntoa(inner[12:16]) == vm.ip, "quoting the VM's own packet"
    for quoted in (packets.udp(address(99), CLIENT_IP, b"x" * 8), packets.udp(vm.ip, CLIENT_IP, b"x" * 8),
                   packets.udp(CLIENT_IP, ip, b"x" * 8), b"\x45" + bytes(7), packets.udp(ip, CLIENT_IP, b"x" * 8)[:15]):
        assert errors_that_arrive(lab, vm, ip, packets.icmp_error(CLIENT_IP, ip, quoted)) == [], quoted


@pytest.mark.parametrize("name", PLACES[:2])
def test_a_vms_error_about_somebody_elses_packet_does_not_leave(lab, vms, name):
    vm = vms[name]
    forged = packets.icmp_error(vm.ip, CLIENT_IP, packets.udp(CLIENT_IP, address(99), b"x" * 8))
    honest = packets.icmp_error(vm.ip, CLIENT_IP, packets.udp(CLIENT_IP, vm.ip, b"x" * 8), code=2)
    with capturing([lab.outside], "public") as seen:
        send_inside(vm, [forged, honest])
        wait_until(lambda: vm.exchange(CLIENT_IP, ECHO_PORT) == "same", 5, "what is sent later arrives")
        vm.exchange(CLIENT_IP, ECHO_PORT)
    packet, inner = icmp_in(seen[lab.outside], 3, 2)
    assert socket.inet_ntoa(inner[16:20]) == eip(name)
    with pytest.raises(AssertionError):
        icmp_in(seen[lab.outside], 3, 3)


REDIRECT, SOURCE_QUENCH = 5, 4


@pytest.mark.parametrize("name", PLACES[:2])
def test_redirects_and_source_quenches_pass_no_way_and_are_counted(lab, vms, name):
    vm, ip, kinds = vms[name], eip(name), (REDIRECT, SOURCE_QUENCH)
    quoted = {CLIENT_IP: packets.udp(ip, CLIENT_IP, b"x" * 8, port=4001), vm.ip: packets.udp(CLIENT_IP, vm.ip, b"x" * 8)}
    before = eip_row(lab, ip)["drops"]["icmp"]
    with capturing([vm]) as inside, capturing([lab.outside], "public") as outside:
        send_outside(lab, ip, [packets.icmp_error(CLIENT_IP, ip, quoted[CLIENT_IP], kind, 0) for kind in kinds])
        send_inside(vm, [packets.icmp_error(vm.ip, CLIENT_IP, quoted[vm.ip], kind, 0) for kind in kinds])
        wait_until(lambda: eip_row(lab, ip)["drops"]["icmp"] == before + 4, 8, "all are counted")
        assert vm.exchange(CLIENT_IP, ECHO_PORT) == "same", "what is sent later arrives"
    for frames, source in ((inside[vm], CLIENT_IP), (outside[lab.outside], ip)):
        heard = [f for f in frames if f[12:14] == b"\x08\x00" and socket.inet_ntoa(f[26:30]) == source]
        assert heard and not [f for f in heard if f[23] == 1 and f[34] in kinds]


METER_PPS, METER_BURST = 100, 100


def errors_among(frames, destination):
    return sum(f[12:14] == b"\x08\x00" and f[23] == 1 and f[34] == 3 and socket.inet_ntoa(f[30:34]) == destination for f in frames)


def flood_and_trickle(flood, trickle, drained):
    """Many errors of one address, a few of another, in turn: how long it took, in seconds, and how many of either were sent."""
    begin, rounds = time.monotonic(), 10
    for _ in range(rounds):
        flood(300)
        wait_until(drained, 5, "the switch has come to the end of it")
        trickle(4)
        wait_until(drained, 5, "and of these")
    return time.monotonic() - begin, 300 * rounds, 4 * rounds


def expect_metered(took, flooded, flood_arrived, trickled, trickle_arrived):
    assert 0 < flood_arrived <= METER_BURST + METER_PPS * took < flooded, (took, flood_arrived)
    assert trickle_arrived > trickled * 0.8, (took, trickle_arrived)


def test_a_flood_of_errors_from_outside_is_metered_and_harms_no_other_address(lab, vms):
    flooded, quiet = "direct", "near"
    frame = {n: frame_outside(lab, eip(n), packets.icmp_error(CLIENT_IP, eip(n), packets.udp(eip(n), CLIENT_IP, b"x" * 8, port=4001))) for n in (flooded, quiet)}
    with capturing([vms[flooded], vms[quiet]]) as seen:
        took, n_flood, n_trickle = flood_and_trickle(lambda n: lab.outside.send_frames(*[frame[flooded]] * n, device="public"),
                                                     lambda n: lab.outside.send_frames(*[frame[quiet]] * n, device="public"),
                                                     lambda: lab.outside.exchange(eip(quiet), ECHO_PORT, timeout=0.1, tries=1) == "same")
    expect_metered(took, n_flood, errors_among(seen[vms[flooded]], vms[flooded].ip), n_trickle, errors_among(seen[vms[quiet]], vms[quiet].ip))


def test_a_flood_of_a_vms_errors_is_metered_and_harms_no_other_address(lab, vms):
    flooded, quiet = "direct", "near"
    frame = {n: frame_inside(vms[n], packets.icmp_error(vms[n].ip, CLIENT_IP, packets.udp(CLIENT_IP, vms[n].ip, b"x" * 8))) for n in (flooded, quiet)}
    with capturing([lab.outside], "public") as seen:
        took, n_flood, n_trickle = flood_and_trickle(lambda n: vms[flooded].send_frames(*[frame[flooded]] * n),
                                                     lambda n: vms[quiet].send_frames(*[frame[quiet]] * n),
                                                     lambda: vms[flooded].exchange(CLIENT_IP, ECHO_PORT, timeout=0.1, tries=1) == "same")
    by_source = {n: [f for f in seen[lab.outside] if socket.inet_ntoa(f[26:30]) == eip(n)] for n in (flooded, quiet)}
    expect_metered(took, n_flood, errors_among(by_source[flooded], CLIENT_IP), n_trickle, errors_among(by_source[quiet], CLIENT_IP))


@pytest.mark.parametrize("name", PLACES[:2])
def test_datagrams_that_the_meter_drops_are_counted(lab, vms, name):
    """Too big for the VM and not to be refused: they would have to be taken apart, more of them than there are answers for."""
    ip, n = eip(name), 500
    lab[eip_row(lab, ip)["host"]].widen_queues()
    before = {r["ip"]: r["drops"] for r in lab.vnetd.rows("eip")}
    frame = frame_outside(lab, ip, packets.udp(CLIENT_IP, ip, bytes(1460), port=4001))
    begin = time.monotonic()
    lab.outside.send_frames(*[frame] * n, device="public")
    wait_until(lambda: lab.outside.exchange(ip, ECHO_PORT, timeout=0.1, tries=1) == "same", 5, "the switch has come to the end of it")
    passed_at_most = METER_BURST + METER_PPS * (time.monotonic() - begin)
    wait_until(lambda: eip_row(lab, ip)["drops"]["meter"] - before[ip]["meter"] >= n - passed_at_most, 8, "those that did not pass are counted")
    now = {r["ip"]: r["drops"] for r in lab.vnetd.rows("eip")}
    assert now[ip]["meter"] - before[ip]["meter"] <= n and now[ip]["fragment"] == before[ip]["fragment"], (before[ip], now[ip])
    assert {k: v for k, v in now.items() if k != ip} == {k: v for k, v in before.items() if k != ip}
    assert lab.ctl.find("eip", **{"ip": ip, "drops:meter": now[ip]["meter"]}), "one alone is asked for"


# -- inside --

def test_vms_reach_their_own_and_each_others_elastic_ips(lab, vms):
    """Same and other VPC, host, physical network; each is answered by the right one, who sees the asker's elastic IP."""
    ips = {n: eip(n) for n in VMS}
    askers = list(VMS)
    answers = call_all([(vms[n].agent, "udp_ask", {"ips": list(ips.values()), "port": NAME_PORT, "timeout": 3}) for n in askers])
    wrong = {f"{n} -> {o}": a for n, names in zip(askers, answers) for o, a in zip(ips, names) if a != o}
    assert not wrong, wrong


@pytest.mark.parametrize("name", ["direct", "through"])
def test_tcp_and_fragments_between_elastic_ips(vms, name):
    for other in ("direct", "near", "through2", "w-direct", "w-through", "vlan"):
        assert vms[name].tcp_send(eip(other), 80, 200_000)["ok"], other
        assert vms[name].exchange(eip(other), ECHO_PORT, size=3000, timeout=3) == "same", other


def test_within_the_vpc_private_addresses_stay_private(vms):
    with capturing([vms["through"]]) as seen:
        assert vms["direct"].exchange(vms["through"].ip, ECHO_PORT) == "same"
    sources = {socket.inet_ntoa(f[26:30]) for f in seen[vms["through"]] if f[12:14] == b"\x08\x00"}
    assert vms["direct"].ip in sources and eip("direct") not in sources


@pytest.mark.parametrize("name", list(BARE))
def test_a_vm_without_a_way_out_is_told_so(vms, name):
    for ip in (CLIENT_IP, eip("direct"), eip("w-through")):
        assert vms[name].ping(ip, timeout=2) == "net-unreachable", ip
    assert vms[name].tcp_connect(CLIENT_IP, 80) == "net-unreachable"


# -- what the segment hears --

def test_only_attached_addresses_answer_arp_and_each_once(lab, vms):
    lab.ctl("eip-add", "inet", address(50))
    answers = lab.outside.arp_ask([address(n) for n in range(2, 255)], "public", timeout=1)
    mine = [ip for _, _, ip, pool in VMS.values() if pool == "inet"]
    assert sorted(answers) == sorted(mine)
    assert all(len(macs) == 1 for macs in answers.values()), answers
    assert list(lab.outside.arp_ask([f"192.88.99.{n}" for n in range(2, 255)], "public", 30)) == [eip("vlan")]
    for ip in mine:
        expect_right_neighbour(lab, ip)
    lab.ctl("eip-del", address(50))


def test_an_address_is_silent_once_detached_and_back_once_attached(lab, vms):
    ip = eip("near")
    lab.ctl("--wait=hosts", "eip-detach", ip)
    assert lab.outside.arp_ask([ip], "public") == {}
    assert lab.outside.ping(ip, timeout=0.4) == "none"
    assert vms["near"].ping(CLIENT_IP, timeout=2) == "net-unreachable"
    assert vms["direct"].ping(ip, timeout=0.4) == "none"
    lab.ctl("--wait=hosts", "eip-attach", ip, "near")
    expect_answers(lab, [ip], 5)
    assert eip_row(lab, ip)["attached"] == "port:near"


def test_it_works_while_the_subnet_has_a_route_to_the_internet_gateway(lab, vms):
    ip = eip("w-direct")
    lab.ctl("--wait=hosts", "route-del", "w", "0.0.0.0/0")
    wait_until(lambda: lab.outside.ping(ip, timeout=0.3) == "none", 5, "silence without the route")
    assert vms["w-direct"].ping(CLIENT_IP, timeout=2) == "net-unreachable"
    assert lab.outside.arp_ask([ip], "public") == {}
    lab.ctl("--wait=hosts", "route-add", "w", "0.0.0.0/0", "igw")
    expect_answers(lab, [ip, eip("w-through")], 5)


def test_listings_say_where_an_address_is_and_since_when(lab, vms):
    for name, host in (("direct", "hv1"), ("through", "hv2"), ("other", "hv2")):
        row = eip_row(lab, eip(name))
        assert row["host"] == host and row["attached"] == f"port:{name}"
        assert row["announced_at"].endswith("Z"), row
    pools = {r["name"]: r for r in lab.vnetd.rows("pool")}
    assert pools["inet"]["gateway"] == "203.0.113.1" and pools["inet"]["cidr"] == POOL
    assert pools["inet"]["gateway_mac"] == lab.outside.router_mac("public")
    assert pools["third"]["gateway_mac"] == lab.outside.router_mac("other")


def test_nothing_is_left_to_mend(lab, vms):
    expect_verify_clean(lab)
