"""What a guest or a stranger may not send: nothing of it arrives anywhere, and the counter of its reason says how often."""
import socket

import pytest

import packets
from lab import wait_until
from lab.lab import capturing
from lab.underlay import NODE_IP, STRANGER_IP

LAB = {"hosts": 2}
COUNT = 3
MARK = b"forged-by-the-test-forged-by-the-test"
FOREIGN_MAC = "02:aa:aa:aa:aa:aa"


@pytest.fixture(scope="module")
def net(lab):
    """a, b of one subnet on two hosts, c beside a, d in another VPC with a's host; one host wants VXLAN, so both kinds are in use."""
    lab.add_host("hv3", vnet_encap_type="vxlan")
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--", "subnet-add", "v", "t", "10.0.2.0/24",
            "--", "vpc-add", "w", "10.0.0.0/16", "--", "subnet-add", "w", "ws", "10.0.1.0/24",
            "--", "route-add", "v", "10.0.9.0/24", "blackhole")
    a, b, c, d, e = lab.vms(["s:a@hv1", "s:b@hv2", "s:c@hv1", "ws:d@hv1", "t:e@hv3"])
    assert a.ping_all([b.ip, c.ip, e.ip]) == ["reply"] * 3
    return {"a": a, "b": b, "c": c, "d": d, "e": e, "router": router_mac(a)}


def router_mac(guest):
    words = guest.run("ip", "neigh", "show", guest.ip.rsplit(".", 1)[0] + ".1").split()
    return words[words.index("lladdr") + 1]


def drops(lab, port="a"):
    return lab.port(port)["drops"] or {}


def frames_of(net):
    """reason -> {what: frame from a}. Each is aimed where it would arrive, were it let through."""
    a, b, c = net["a"], net["b"], net["c"]
    plain = packets.udp_frame(a.mac, b.mac, a.ip, b.ip, MARK)
    return {
        "mac": {"foreign source MAC": packets.udp_frame(FOREIGN_MAC, b.mac, a.ip, b.ip, MARK),
                "the neighbour's MAC": packets.udp_frame(c.mac, b.mac, a.ip, b.ip, MARK)},
        "ip": {"foreign source address": packets.udp_frame(a.mac, b.mac, "10.0.1.200", b.ip, MARK),
               "the neighbour's address": packets.udp_frame(a.mac, b.mac, c.ip, b.ip, MARK),
               "foreign address, routed": packets.udp_frame(a.mac, net["router"], "10.0.1.200", net["e"].ip, MARK)},
        "arp": {"ARP for a foreign address": packets.arp(a.mac, a.mac, "10.0.1.200", b.ip),
                "gratuitous ARP for the gateway": packets.arp(a.mac, a.mac, "10.0.1.1", "10.0.1.1"),
                "ARP with a foreign sender MAC": packets.arp(a.mac, c.mac, a.ip, b.ip),
                "forged ARP answer": packets.arp(a.mac, a.mac, c.ip, b.ip, request=False, target_mac=b.mac, destination=b.mac)},
        "vlan": {"VLAN tag": packets.tagged(plain), "priority tag": packets.tagged(plain, 0), "double tag": packets.tagged(packets.tagged(plain))},
        "ethertype": {"LLDP": packets.lldp(a.mac), "STP": packets.stp(a.mac), "IPv6": packets.ipv6_neighbour_solicitation(a.mac),
                      "unknown ethertype": packets.ethernet(a.mac, b.mac, 0x88B5, MARK)},
        "no-port": {"nobody's address": packets.udp_frame(a.mac, net["router"], a.ip, "10.0.2.99", MARK),
                    "nobody's MAC": packets.udp_frame(a.mac, FOREIGN_MAC, a.ip, "10.0.1.99", MARK)},
        "blackhole": {"blackhole": packets.udp_frame(a.mac, net["router"], a.ip, "10.0.9.9", MARK)},
        "no-route": {"no route": packets.udp_frame(a.mac, net["router"], a.ip, "8.8.8.8", MARK)},
    }


def suspicious(frame, sender):
    """A frame a guest gets only if something forged was let through. Guests never see each other's ARP: the switch answers it."""
    if MARK in frame or frame[12:14] in (b"\x81\x00", b"\x88\xcc", b"\x86\xdd", b"\x88\xb5") or frame.startswith(b"\x01\x80\xc2"):
        return True
    if frame[12:14] != b"\x08\x06":
        return False
    is_request, sender_mac, sender_ip = frame[20:22] == b"\x00\x01", frame[22:28], socket.inet_ntoa(frame[28:32])
    return is_request or sender_ip == "10.0.1.200" or (sender_mac == packets.mac(sender.mac) and sender_ip != sender.ip)


def test_a_proper_frame_built_by_hand_arrives(net):
    """Else the frames below might be refused for being malformed."""
    a, b, e = net["a"], net["b"], net["e"]
    with capturing([b, e]) as seen:
        a.send_frames(packets.udp_frame(a.mac, b.mac, a.ip, b.ip, MARK), packets.udp_frame(a.mac, net["router"], a.ip, e.ip, MARK))
        a.ping_all([b.ip, e.ip])
    assert any(MARK in f for f in seen[b]) and any(MARK in f for f in seen[e])


@pytest.mark.parametrize("reason", ["mac", "ip", "arp", "vlan", "ethertype", "no-port", "blackhole", "no-route"])
def test_a_forged_frame_goes_nowhere_and_is_counted(lab, net, reason):
    others = [net[n] for n in "bcde"]
    for what, frame in frames_of(net)[reason].items():
        before = drops(lab).get(reason, 0)
        with capturing(others) as seen:
            net["a"].send_frames(*[frame] * COUNT)
            net["a"].ping_all([o.ip for o in others[:2]])          # anything let through has arrived by now
        leaked = {g.name: f.hex() for g, frames in seen.items() for f in frames if suspicious(f, net["a"])}
        assert not leaked, f"{what}: {leaked}"
        wait_until(lambda: drops(lab).get(reason, 0) >= before + COUNT, 8, f"{what}: {COUNT} more drops of '{reason}'")
        assert drops(lab)[reason] == before + COUNT, what


def test_pages_of_any_size_show_the_same_counters(lab, net):
    """Each asks the switches only for what is on it."""
    whole = {r["name"]: r["drops"] for r in lab.vnetd.rows("port")}
    assert whole["a"]["mac"] and whole["e"]["mac"] == 0 and len(whole) == 5
    for limit in 1, 2, 3:
        assert {r["name"]: r["drops"] for r in lab.vnetd.rows("port", limit=limit)} == whole


def test_a_forged_frame_does_not_mislead_neighbours(net):
    a, b, c = net["a"], net["b"], net["c"]
    c.flush_neighbours()
    b.flush_neighbours()
    assert b.ping(c.ip) == "reply"
    a.send_frames(*[packets.arp(a.mac, a.mac, c.ip, b.ip, request=False, target_mac=b.mac, destination=b.mac)] * COUNT)
    assert c.mac in b.run("ip", "neigh", "show", c.ip)
    assert b.ping(c.ip) == "reply"


def tunnel_frame(lab, net, host, source_ip, vni, victim, encapsulation):
    """From the wire to host's tunnel address, with an inner frame that looks as if e had sent it to victim. One that claims to be a known
    host's has that host's MAC: Open vSwitch learns a tunnel neighbour's MAC from any tunnel packet, and would send there from then on."""
    mac = next((h.phy_mac for h in lab.hosts.values() if h.tunnel_ip == source_ip), "02:00:00:00:fe:99")
    inner = packets.udp_frame(net["router"], victim.mac, net["e"].ip, victim.ip, MARK)
    wrap, port = {"geneve": (packets.geneve, packets.GENEVE_PORT), "vxlan": (packets.vxlan, packets.VXLAN_PORT)}[encapsulation]
    return packets.udp_frame(mac, host.phy_mac, source_ip, host.tunnel_ip, wrap(vni, inner), source_port=50000, port=port)


def tunnel_drops(lab, host):
    return (lab.host_row(host.name)["drops"] or {}).get("tunnel", 0)


def send_on_wire(lab, *frames):
    lab.wire.agent.call("send_frames", device="under", frames=[f.hex() for f in frames])


@pytest.mark.parametrize("encapsulation", ["geneve", "vxlan"])
def test_a_tunnel_packet_of_an_unknown_source_or_network_is_dropped(lab, net, encapsulation):
    """hv2 takes Geneve, hv3 VXLAN; the same frame from a known source with the right VNI does arrive."""
    victim, host = (net["b"], lab["hv2"]) if encapsulation == "geneve" else (net["e"], lab["hv3"])
    vni = int(next(r for r in lab.ctl.list("vpc") if r["name"] == "v")["vni"])
    other_vni = int(next(r for r in lab.ctl.list("vpc") if r["name"] == "w")["vni"])
    known = lab["hv1"].tunnel_ip
    with capturing([victim]) as seen:
        send_on_wire(lab, tunnel_frame(lab, net, host, known, vni, victim, encapsulation))
        victim.ping(net["a"].ip)
    assert any(MARK in f for f in seen[victim]), "the control packet did not arrive: this test would prove nothing"

    for what, source, number in (("unknown source", STRANGER_IP, vni), ("unknown source 2", "192.0.2.77", vni),
                                 ("a VNI that is nobody's", known, 0xABCDEF), ("another VPC's VNI", known, other_vni)):
        before = tunnel_drops(lab, host)
        with capturing([victim]) as seen:
            send_on_wire(lab, *[tunnel_frame(lab, net, host, source, number, victim, encapsulation)] * COUNT)
            victim.ping(net["a"].ip)
        assert not any(MARK in f for f in seen[victim]), what
        wait_until(lambda: tunnel_drops(lab, host) >= before + COUNT, 8, f"{what}: {COUNT} more drops of 'tunnel' on {host.name}")


def test_a_stranger_speaking_plain_udp_to_the_tunnel_ports_changes_nothing(lab, net):
    for port in (packets.GENEVE_PORT, packets.VXLAN_PORT):
        for payload in ("", "00", "ff" * 8, "00" * 7, "0b" * 64, "3f006558" + "00" * 4, "08" * 1400):
            lab.wire.agent.call("udp_send", ip=lab["hv2"].tunnel_ip, port=port, payload=payload, count=20)
    assert net["a"].ping(net["b"].ip) == "reply"


def test_a_guest_does_not_reach_daemon_or_hosts(lab, net):
    for ip, port in ((NODE_IP, 6640), (NODE_IP, 6653), (lab["hv1"].management_ip, 22), (lab["hv1"].tunnel_ip, packets.GENEVE_PORT)):
        assert net["a"].tcp_connect(ip, port, timeout=1) in ("none", "net-unreachable"), (ip, port)
        assert net["a"].ping(ip) in ("none", "net-unreachable")
    # Nor when it pretends that the daemon's address is a neighbour of its own, which in-band control would let pass.
    a = net["a"]
    with capturing([lab.node], device="mgmt0") as seen:
        a.send_frames(packets.arp(a.mac, a.mac, a.ip, NODE_IP), packets.udp_frame(a.mac, net["router"], a.ip, NODE_IP, MARK),
                      packets.udp_frame(a.mac, packets.BROADCAST, a.ip, NODE_IP, MARK))
        a.ping(net["b"].ip)
    assert not [f for frames in seen.values() for f in frames if f[6:12] == packets.mac(a.mac)]    # inside OpenFlow they may come
