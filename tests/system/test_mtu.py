"""Packet sizes: what guests are told, a TCP stream at it, and the answer to what does not fit."""
import pytest

import packets
from lab import Lab, wait_until
from lab.lab import capturing
from lab.outside import CLIENT_IP
from public import ECHO_PORT, OUTSIDE, UPLINK, address, attach, make_pool, make_vpc, start_servers
from support import expect_verify_clean

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


# -- a larger underlay --

JUMBO, LARGE, OUTWARDS = 4050, 4000, 1500


@pytest.fixture(scope="module")
def jumbo():
    """Guests may send 4000; the physical network takes 1500. a is on the host that holds all public addresses, b and n are not; n is behind a NAT gateway,
    t a balancer's target. c has security groups."""
    with Lab(hosts=2, mtu=JUMBO, outside=OUTSIDE, uplinks={"hv1": UPLINK}, gateways=("hv1",)) as lab:
        make_pool(lab)
        make_vpc(lab.ctl)
        lab.ctl.batch(["rtb-add v inner", "subnet-add v n 10.0.9.0/24 rtb=inner", "natgw-add s n", "route-add inner 0.0.0.0/0 natgw:n", "lb-add s lb",
                       "tg-add v t tcp 8080 check=none", "listener-add lb tcp:80 t"])
        guests = lab.vms(["s:a@hv1", "s:b@hv2", "n:n@hv2", "s:t@hv2"], port="sg=none") + lab.vms(["s:c@hv2"])
        for guest in guests:
            guest.host.ip([f"link set {guest.tap} mtu {JUMBO}"])
            guest.agent.call("configure", device="eth0", mtu=LARGE)
        for n, name in enumerate(("a", "b", "natgw:n", "lb:lb", "c"), 1):
            attach(lab.ctl, address(n + 10), name)
        lab.ctl("target-add", "t", "t")
        start_servers([lab.outside, *guests])
        guests[3].agent.call("start_tcp_giver", port=8080)
        for g in (*guests[:3], guests[4]):
            wait_until(lambda g=g: g.ping(CLIENT_IP, timeout=0.5) == "reply", 20, f"{g.name} reaches the outside")
        yield lab, {g.name: g for g in guests}
        assert not lab.vnetd.complaints()


def test_a_larger_underlay_gives_guests_larger_packets(jumbo):
    a, b = jumbo[1]["a"], jumbo[1]["b"]
    assert a.leases()[-1]["mtu"] == str(LARGE)
    assert a.ping(b.ip, size=LARGE - 28, df=True) == "reply"


@pytest.mark.parametrize("name", ["a", "b", "n", "c"])
def test_what_is_too_big_for_the_physical_network_is_answered_or_taken_apart(jumbo, name):
    guest = jumbo[1][name]
    guest.forget_mtus()
    word, extra = guest.ping(CLIENT_IP, size=LARGE - 28, df=True, detail=True, timeout=2)
    assert (word, extra.get("mtu")) == ("frag-needed", OUTWARDS)
    word, extra = guest.ping(CLIENT_IP, size=OUTWARDS + 1 - 28, df=True, detail=True, timeout=2)
    assert (word, extra.get("mtu")) == ("frag-needed", OUTWARDS)
    assert guest.ping(CLIENT_IP, size=OUTWARDS - 28, df=True, timeout=2) == "reply"
    guest.forget_mtus()
    for size in (OUTWARDS - 28, OUTWARDS - 27, LARGE - 28, 3 * LARGE):     # nobody is told: it arrives byte for byte, and so does the answer
        assert guest.exchange(CLIENT_IP, ECHO_PORT, size=size, timeout=3) == "same", size
    assert guest.known_mtu(CLIENT_IP) is None


@pytest.mark.parametrize("name", ["a", "b", "n", "c"])
def test_a_stream_to_the_outside_finds_its_size(jumbo, name):
    lab, guest = jumbo[0], jumbo[1][name]
    guest.forget_mtus()
    lab.outside.run("ip", "link", "set", "public", "mtu", str(LARGE))       # or its segments would be small because the outside says so
    try:
        assert guest.tcp_send(CLIENT_IP, 80, 300_000)["ok"]
        assert guest.known_mtu(CLIENT_IP) == OUTWARDS
    finally:
        lab.outside.run("ip", "link", "set", "public", "mtu", str(OUTWARDS))


def test_a_balancers_answers_find_their_size(jumbo):
    lab, target = jumbo[0], jumbo[1]["t"]
    target.forget_mtus()
    lab.outside.run("ip", "link", "set", "public", "mtu", str(LARGE))
    try:
        assert lab.outside.tcp_fetch(address(14), 80, 300_000)["ok"]
        assert target.known_mtu(CLIENT_IP) == OUTWARDS
    finally:
        lab.outside.run("ip", "link", "set", "public", "mtu", str(OUTWARDS))


def test_a_physical_network_that_takes_more_is_followed(jumbo):
    """Nothing is looked at any more where all fits."""
    lab, guest = jumbo[0], jumbo[1]["b"]
    def looks():
        return "check_pkt_larger" in lab["hv1"].ofctl("dump-flows", "br-int", "table=34")
    assert looks()
    lab["hv1"].ip([f"link set nic-public mtu {LARGE}"])
    wait_until(lambda: not looks(), 10, "no size is looked at")
    lab["hv1"].ip([f"link set nic-public mtu {OUTWARDS}"])
    wait_until(lambda: looks(), 10, "sizes are looked at again")
    guest.forget_mtus()
    assert guest.ping(CLIENT_IP, size=LARGE - 28, df=True, timeout=2) == "frag-needed"
    expect_verify_clean(lab)
