"""A host's vnet-uplinks and vnet-gateway change while all runs: what it held goes to another gateway, comes back, and nothing is on the wrong wire."""
import pytest

from gateways import gateway_words, holders
from lab import wait_until
from lab.procs import Link
from public import UPLINK, Watch, address, attach, expect_answers, expect_right_neighbour, make_pool, make_vpc, start_servers
from support import expect_verify_clean

OUTSIDE = {"public": {0: "203.0.113.1/24"}, "other": {0: "192.0.2.1/24"}}
BOTH = {**UPLINK, "other": "br-other"}
LAB = {"hosts": 3, "outside": OUTSIDE, "uplinks": {"hv1": BOTH, "hv2": BOTH}, "gateways": ("hv1", "hv2")}
EIPS = [address(n) for n in range(11, 17)]
BALANCED = address(20)
STEP = 10_000_000               # bytes: more than any window
PUBLIC, OTHER = "public:br-ex", "other:br-other"


def set_uplinks(lab, name, uplinks):
    lab[name].vsctl("set", "open_vswitch", ".", f"external_ids:vnet-uplinks=\"{uplinks}\"")


def set_gateway(lab, name, word):
    lab[name].vsctl("set", "open_vswitch", ".", f"external_ids:vnet-gateway={word}")


@pytest.fixture(scope="module")
def home(lab):
    """All VMs are on hv3, which has no uplink. Where each address is while both gateways have both networks."""
    make_pool(lab)
    make_vpc(lab.ctl)
    guests = lab.vms([f"s:x{n}@hv3" for n in range(1, 7)], port="sg=none")
    for n, ip in enumerate(EIPS, 1):
        attach(lab.ctl, ip, f"x{n}")
    start_servers(guests)
    expect_answers(lab, EIPS)
    held = holders(lab)
    assert {held[ip] for ip in EIPS} == {"hv1", "hv2"}, held
    return held


def are_at(lab, where):
    return {ip: holders(lab)[ip] for ip in EIPS} == where


def expect_all_at_hv2(lab):
    wait_until(lambda: are_at(lab, {ip: "hv2" for ip in EIPS}), 20, "hv2 holds all addresses")
    expect_answers(lab, EIPS)
    for ip in EIPS:
        expect_right_neighbour(lab, ip)


def expect_home(lab, home):
    wait_until(lambda: are_at(lab, {ip: home[ip] for ip in EIPS}), 20, "all addresses are where they were")
    lab.ready()
    expect_answers(lab, EIPS)
    for ip in EIPS:
        expect_right_neighbour(lab, ip)
    expect_verify_clean(lab)


def expect_nothing_of_ours(watch):
    """No word of public's addresses on the other network."""
    assert not watch.sources() & set(EIPS), watch.seen


def test_a_network_that_is_taken_away_and_comes_back(lab, home):
    with Watch(lab, "other") as watch:
        set_uplinks(lab, "hv1", OTHER)
        expect_all_at_hv2(lab)
        set_uplinks(lab, "hv1", f"{OTHER},{PUBLIC}")
        expect_home(lab, home)
    expect_nothing_of_ours(watch)


def test_a_network_in_place_of_another_does_not_get_its_port(lab, home):
    """Pools of both networks; hv1's only uplink is replaced, back and forth."""
    lab.ctl("pool-add", "otherpool", "192.0.2.0/24", "uplink=other")
    wait_until(lambda: lab.is_ready("hv1", "hv2", "hv3"), 20, "all is installed")
    with Watch(lab, "other") as watch:
        set_uplinks(lab, "hv1", PUBLIC)
        expect_home(lab, home)
        set_uplinks(lab, "hv1", OTHER)
        expect_all_at_hv2(lab)
        set_uplinks(lab, "hv1", PUBLIC)
        expect_home(lab, home)
        set_uplinks(lab, "hv1", f"{PUBLIC},{OTHER}")
        expect_home(lab, home)
    expect_nothing_of_ours(watch)
    lab.ctl("pool-del", "otherpool")


def test_a_bridge_that_is_mistyped_and_put_right(lab, home):
    set_uplinks(lab, "hv1", "public:br-typo")
    expect_all_at_hv2(lab)
    wait_until(lambda: "no such bridge" in (lab.host_row("hv1")["error"] or ""), 20, "vnetd says what is wrong")
    set_uplinks(lab, "hv1", f"{PUBLIC},{OTHER}")
    expect_home(lab, home)
    assert not lab.host_row("hv1")["error"]


def test_a_bridge_that_carries_another_network_than_it_is_said_to(lab, home):
    """The same network by another bridge that exists: what was at hv1 is said there, and nowhere else, once that has its port; and it comes back."""
    with Watch(lab, "public") as watch:
        set_uplinks(lab, "hv1", "public:br-other")
        wait_until(lambda: lab[("hv1")].vsctl("list-ports", "br-other").count("vq-") == 1, 20, "its port is there")
        set_uplinks(lab, "hv1", f"{PUBLIC},{OTHER}")
        expect_home(lab, home)
    assert not watch.private(), watch.private()


def test_a_gateway_that_is_none_any_more_and_is_again(lab, home):
    set_gateway(lab, "hv1", "false")
    wait_until(lambda: gateway_words(lab)["hv1"] is None, 10, "hv1 is no gateway")
    expect_all_at_hv2(lab)
    set_gateway(lab, "hv1", "true")
    expect_home(lab, home)


def carried(lab):
    """Bytes that have come from the outside, and gone there."""
    return [int(lab.outside.run("cat", f"/sys/class/net/public/statistics/{way}_bytes")) for way in ("tx", "rx")]


def expect_both_ways(lab, seconds=30):
    before = carried(lab)
    wait_until(lambda: all(n > b + STEP for n, b in zip(carried(lab), before)), seconds, "both transfers go on")


def test_a_balancer_s_transfers_go_on_while_another_gateway_holds_it_and_when_the_first_has_it_back(lab, home):
    """What that one remembers of them is past long since. One client sends and the other only hears: at a holder that knows nothing its server speaks
    first."""
    (target,) = lab.vms(["s:t@hv3"], port="sg=none")
    lab.ctl.batch(["lb-add s lb", *(line for port in (8081, 8082) for line in (
        f"tg-add v t{port} tcp {port} check=none", f"listener-add lb tcp:{port - 8000} t{port}", f"target-add t{port} t"))])
    attach(lab.ctl, BALANCED, "lb:lb")
    wait_until(lambda: holders(lab)[BALANCED], 10, "somebody holds it")
    first = holders(lab)[BALANCED]
    with target.doing("tcp_server", port=8081), target.doing("tcp_giver", port=8082):
        wait_until(lambda: lab.outside.tcp_connect(BALANCED, 81, timeout=0.5) == "connected", 10, "the outside reaches the balancer")
        links = [Link(lab.outside.agent.path) for _ in range(2)]
        links[0].start("tcp_send", ip=BALANCED, port=81, n_bytes=10 * STEP, timeout=60)
        links[1].start("tcp_fetch", ip=BALANCED, port=82, n_bytes=10 * STEP, timeout=60)
        expect_both_ways(lab)
        for word in ("false", "true"):
            set_gateway(lab, first, word)
            wait_until(lambda w=word: (holders(lab)[BALANCED] == first) == (w == "true"), 10, "it has moved")
            expect_both_ways(lab)
        results = [link.collect() for link in links]
        for link in links:
            link.close()
    assert [r["ok"] for r in results] == [True, True], results
    expect_home(lab, home)
