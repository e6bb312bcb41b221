"""Packet sizes: what guests are told, a TCP stream at it, and the answer to what does not fit."""
import pytest

import packets
from lab import Lab, wait_until
from lab.lab import capturing

LAB = {"hosts": 2}


@pytest.fixture(scope="module")
def vms(lab):
    """hv3 says its underlay carries 1400: tunnels to and from it carry 1350. hv4 wants VXLAN."""
    lab.add_host("hv3", vnet_mtu=1400)
    lab.add_host("hv4", vnet_encap_type="vxlan")
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--", "subnet-add", "v", "t", "10.0.2.0/24")
    a, b, c, d, r = lab.vms(["s:a@hv1", "s:b@hv2", "s:c@hv3", "s:d@hv4", "t:r@hv2"])
    return {"a": a, "b": b, "c": c, "d": d, "r": r}


def test_guests_learn_their_hosts_mtu_less_the_tunnel(vms):
    assert {n: g.leases()[-1]["mtu"] for n, g in vms.items()} == {"a": "1450", "b": "1450", "c": "1350", "d": "1450", "r": "1450"}
    assert "mtu 1450" in vms["a"].run("ip", "link", "show", "eth0")


@pytest.mark.parametrize("other", ["b", "r", "d"])
def test_the_largest_packet_of_the_mtu_crosses_the_tunnel(vms, other):
    assert vms["a"].ping(vms[other].ip, size=1450 - 28, df=True) == "reply"
    assert vms[other].ping(vms["a"].ip, size=1450 - 28, df=True) == "reply"


@pytest.mark.parametrize("other,mss", [("b", 1398), ("r", 1398), ("d", 1398), ("c", 1298)])
def test_a_tcp_stream_at_the_mtu_arrives_whole(vms, other, mss):
    with vms[other].doing("tcp_server", port=80):
        result = vms["a"].tcp_send(vms[other].ip, 80, 3_000_000)
    assert result["ok"], result
    assert result["mss"] == mss, "segments fill the MTU: 40 bytes of headers and 12 of time stamps less"


@pytest.mark.parametrize("other,mtu", [("c", 1350), ("b", 1450), ("r", 1450), ("d", 1450)])
def test_a_packet_too_big_for_the_tunnel_is_answered_with_its_mtu(vms, other, mtu):
    """a's own interface lets it send more than the path carries, as a careless guest's would."""
    a = vms["a"]
    a.agent.call("configure", device="eth0", mtu=1500)
    try:
        word, extra = a.ping(vms[other].ip, size=1500 - 28, df=True, detail=True, timeout=2)
        assert (word, extra.get("mtu")) == ("frag-needed", mtu)
        word, extra = a.ping(vms[other].ip, size=mtu + 1 - 28, df=True, detail=True, timeout=2)
        assert (word, extra.get("mtu")) == ("frag-needed", mtu)
        assert a.ping(vms[other].ip, size=mtu - 28, df=True, timeout=2) == "reply"
    finally:
        a.run("ip", "route", "flush", "cache")
        a.agent.call("configure", device="eth0", mtu=1450)


def test_the_answer_quotes_the_packet_it_is_about(vms):
    a, c = vms["a"], vms["c"]
    a.agent.call("configure", device="eth0", mtu=1500)
    try:
        with capturing([a]) as seen:
            a.ping(c.ip, size=1400, df=True, timeout=2, tries=1)
    finally:
        a.run("ip", "route", "flush", "cache")
        a.agent.call("configure", device="eth0", mtu=1450)
    answer = next(f[14:] for f in seen[a] if f[12:14] == b"\x08\x00" and f[23] == 1 and f[34] == 3 and f[35] == 4)
    total = int.from_bytes(answer[2:4], "big")
    assert packets.checksum(answer[:20]) == 0 and packets.checksum(answer[20:total]) == 0
    inner = answer[28:total]
    assert inner[12:20] == bytes(map(int, a.ip.split("."))) + bytes(map(int, c.ip.split("."))) and len(inner) >= 28


def test_a_stream_to_a_narrower_host_finds_the_path_by_itself(vms):
    """Both ends start with 1500 and no knowledge of the path: the answers alone bring the segments down."""
    a, c = vms["a"], vms["c"]
    for g in (a, c):
        g.agent.call("configure", device="eth0", mtu=1500)
    try:
        with c.doing("tcp_server", port=81):
            assert a.tcp_send(c.ip, 81, 500_000)["ok"]
    finally:
        a.agent.call("configure", device="eth0", mtu=1450)
        c.agent.call("configure", device="eth0", mtu=1350)


def test_a_host_that_changes_its_mtu_is_followed(lab, vms):
    lab["hv2"].vsctl("set", "open_vswitch", ".", "external_ids:vnet-mtu=1300")
    wait_until(lambda: vms["a"].ping(vms["b"].ip, size=1400, df=True, timeout=0.5) == "frag-needed", 5, "a hears of the smaller tunnel")
    lab["hv2"].vsctl("remove", "open_vswitch", ".", "external_ids", "vnet-mtu")
    vms["a"].run("ip", "route", "flush", "cache")
    wait_until(lambda: vms["a"].ping(vms["b"].ip, size=1400, df=True, timeout=0.5) == "reply", 5, "and of the larger one")


def test_an_underlay_that_changes_is_told_by_the_host_s_agent_and_what_is_to_be_set(lab, vms):
    a, b, host = vms["a"], vms["b"], lab["hv2"]
    agent = lab.add_agents("hv2")[0]

    def wait_underlay(**columns):
        wait_until(lambda: lab.host_row("hv2")["underlay"] == {"device": "br-phy", "mtu": 1500, "up": True, **columns}, 10, f"hv2's underlay with {columns}")

    def carry(mtu):
        host.vsctl("set", "interface", "br-phy", f"mtu_request={mtu}")
        wait_underlay(mtu=mtu)

    def wait_guests(mtu):
        """b is told at its next renewal, others when they send too much."""
        def is_told():
            count = len(b.leases())
            b.signal_dhcp("USR1")
            return b.wait_lease(count=count + 1)["mtu"] == str(mtu)
        wait_until(is_told, 20, f"b is told an MTU of {mtu}")
        a.run("ip", "route", "flush", "cache")
        a.agent.call("configure", device="eth0", mtu=1500)
        try:
            word, extra = a.ping(b.ip, size=1500 - 28, df=True, detail=True, timeout=2)
            assert (word, extra.get("mtu")) == ("frag-needed", mtu)
        finally:
            a.run("ip", "route", "flush", "cache")
            a.agent.call("configure", device="eth0", mtu=1450)
        assert a.ping(b.ip, size=mtu - 28, df=True, timeout=2) == "reply"

    wait_underlay()
    assert lab.host_row("hv2")["error"] is None
    carry(1400)                                            # packets that are thought to fit would vanish
    error = lab.host_row("hv2")["error"]
    assert "vnet-mtu is 1500" in error and "an MTU of 1400" in error, error
    host.vsctl("set", "open_vswitch", ".", "external_ids:vnet-mtu=1400")
    wait_until(lambda: lab.host_row("hv2")["error"] is None, 10, "nothing is wrong with hv2")
    wait_guests(1350)
    carry(1500)                                            # it carries more than is made use of
    assert lab.host_row("hv2")["error"] is None
    host.vsctl("remove", "open_vswitch", ".", "external_ids", "vnet-mtu")
    wait_guests(1450)

    host.ip(["link set br-phy down"])
    wait_underlay(up=False)
    assert a.ping(b.ip, timeout=1, tries=1) != "reply"
    host.ip(["link set br-phy up"])
    wait_underlay()
    wait_until(lambda: a.ping(b.ip, timeout=0.5) == "reply", 20, "a reaches b again")
    assert agent.kill("TERM") == 0 and not agent.complaints(), agent.last_words()


def test_a_larger_underlay_gives_guests_larger_packets():
    with Lab(hosts=2, mtu=1600) as lab:
        lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24")
        a, b = lab.vms(["s:a@hv1", "s:b@hv2"])
        assert a.leases()[-1]["mtu"] == "1550"
        for guest, host in ((a, "hv1"), (b, "hv2")):
            lab[host].ip([f"link set {guest.tap} mtu 1600"])
            guest.agent.call("configure", device="eth0", mtu=1550)
        assert a.ping(b.ip, size=1550 - 28, df=True) == "reply"
