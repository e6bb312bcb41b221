"""Two hosts, both gateways, and nobody else: when one is cut off each says that the other is gone. The word of the one whose link is down, or that vnetd has
lost too, does not count, and what it held answers from the other. If only the path between them breaks nothing moves."""
import pytest

from gateways import die, gateway_words, holders, rise, watch_each_other_closely
from lab import wait_until
from lab.outside import CLIENT_IP
from public import OUTSIDE, UPLINK, address, attach, expect_answers, make_pool, make_vpc, start_servers
from support import expect_verify_clean

LAB = {"hosts": 2, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK, "hv2": UPLINK}, "gateways": ("hv1", "hv2")}
BAR_MS = 1000
OWN = {"hv1": address(11), "hv2": address(12)}
OTHER = {"hv1": "hv2", "hv2": "hv1"}


@pytest.fixture(scope="module")
def vms(lab):
    """On each host a VM with an elastic IP, which its own host holds, and one behind each of the NAT gateways."""
    make_pool(lab)
    make_vpc(lab.ctl)
    for n in (1, 2):
        lab.ctl.batch([f"rtb-add v t{n}", f"subnet-add v y{n} 10.0.{10 + n}.0/24 rtb=t{n}", f"natgw-add s n{n}", f"route-add t{n} 0.0.0.0/0 natgw:n{n}"])
    guests = lab.vms([f"{subnet}:{subnet}-{host}@{host}" for subnet in ("s", "y1", "y2") for host in OWN], port="sg=none")
    for host, ip in OWN.items():
        attach(lab.ctl, ip, f"s-{host}")
    start_servers(guests)
    expect_answers(lab, OWN.values())
    return {g.name: g for g in guests}


@pytest.fixture(scope="module")
def nats(lab, vms):
    """{host: (the NAT gateway's subnet, its address) that it holds}: which of both hosts does is in the address's number."""
    held = {}
    for n in range(21, 60):
        name = f"n{len(held) + 1}"
        attach(lab.ctl, address(n), f"natgw:{name}")
        host = wait_until(lambda ip=address(n): holders(lab)[ip], 10, f"{name} has a holder")
        if host not in held:
            held[host] = (f"y{len(held) + 1}", address(n))
        else:
            lab.ctl("eip-detach", address(n), "--", "eip-del", address(n))
        if len(held) == 2:
            return held
    raise AssertionError(f"of 39 addresses none is held by the other: {held}")


def all_serve(lab, vms):
    expect_answers(lab, OWN.values())
    for name, g in vms.items():
        g.reaches(CLIENT_IP, 10)


@pytest.mark.parametrize("how,victim", [("underlay", "hv1"), ("underlay", "hv2"), ("vswitchd", "hv1"), ("vswitchd", "hv2"), ("frozen", "hv2")])
def test_what_it_held_answers_from_the_other(lab, tell, vms, nats, victim, how):
    all_serve(lab, vms)
    watch_each_other_closely(lab)
    home, heir = holders(lab), OTHER[victim]
    lost = vms[f"{nats[victim][0]}-{heir}"]     # its NAT gateway is on the other side of what breaks
    kept = vms[f"{nats[heir][0]}-{heir}"]
    with lost.doing("ping", ip=CLIENT_IP, interval_ms=10) as torn, kept.doing("ping", ip=CLIENT_IP, interval_ms=10) as whole, \
            lab.outside.doing("ping", ip=OWN[heir], interval_ms=10) as inward:
        wait_until(lambda: min(s.look()["received"] for s in (torn, whole, inward)) > 20, 10, "all go")
        die(lab, lab[victim], how)
        wait_until(lambda: holders(lab)[nats[victim][1]] == heir, 10, f"{heir} holds all NAT gateways")
        mark = torn.look()["received"]
        wait_until(lambda: torn.look()["received"] > mark + 20, 10, "and serves them")
        words = gateway_words(lab)
    tell(f"{victim} of two gateways lost ({how}): its NAT gateway silent for {torn.result['longest_gap_ms']} ms")
    try:
        assert words == {victim: "dead", heir: "alive"}
        assert torn.result["longest_gap_ms"] <= BAR_MS
        assert (whole.result["n_lost"], inward.result["n_lost"]) == (0, 0), (whole.result, inward.result)
        assert holders(lab) == {**home, nats[victim][1]: heir}, "a VM's own host keeps its elastic IP"
        if how == "underlay":
            expect_answers(lab, OWN.values())
    finally:
        rise(lab, lab[victim], how)
        wait_until(lambda: holders(lab) == home, 20, "who is back has its addresses again")
        lab.ready()
    assert gateway_words(lab) == {"hv1": "alive", "hv2": "alive"}
    all_serve(lab, vms)
    expect_verify_clean(lab)


def test_a_path_that_breaks_between_live_links_moves_nothing(lab, vms, nats):
    """Whoever is the first to say that the other is gone: what each serves of its own side goes on."""
    all_serve(lab, vms)
    watch_each_other_closely(lab)
    home = holders(lab)
    own = [vms[f"{nats[host][0]}-{host}"] for host in OWN]
    with own[0].doing("ping", ip=CLIENT_IP, interval_ms=10) as first, own[1].doing("ping", ip=CLIENT_IP, interval_ms=10) as second:
        wait_until(lambda: min(s.look()["received"] for s in (first, second)) > 20, 10, "both go")
        lab.underlay.part(OWN, True)
        try:
            wait_until(lambda: not [h for h in lab.hosts.values() if "Session State: up" in h.appctl("bfd/show")], 10, "each has lost the other")
            marks = [s.look()["received"] for s in (first, second)]
            wait_until(lambda: all(s.look()["received"] > m + 100 for s, m in zip((first, second), marks)), 10, "both go on")
            words, during = gateway_words(lab), holders(lab)
        finally:
            lab.underlay.part(OWN, False)
    assert (first.result["n_lost"], second.result["n_lost"]) == (0, 0), (first.result, second.result)
    assert words == {"hv1": "alive", "hv2": "alive"}
    assert during == home
    all_serve(lab, vms)
    expect_verify_clean(lab)
