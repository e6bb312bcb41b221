"""A gateway dies, and what it held answers again from another within a second; what others held notices nothing."""
import pytest

from gateways import die, gateway_words, holders, rise, watch_each_other_closely
from lab import wait_until
from lab.outside import CLIENT_IP
from public import (ECHO_PORT, NAME_PORT, OUTSIDE, UPLINK, Watch, address, attach, eip_row, expect_answers, expect_right_neighbour, make_pool,
                    make_vpc, start_servers)
from support import expect_verify_clean

LAB = {"hosts": 4, "outside": OUTSIDE, "uplinks": {f"hv{n}": UPLINK for n in (1, 2, 3)}, "gateways": ("hv1", "hv2", "hv3")}
BAR_MS = 1000
EIPS = [address(n) for n in range(11, 17)]
ALIVE = {"hv1": "alive", "hv2": "alive", "hv3": "alive", "hv4": None}
NATS = [address(21), address(22)]


@pytest.fixture(scope="module")
def vms(lab):
    """All on hv4, which has no uplink: x1 to x6 with elastic IPs, y1 and y2 behind NAT gateways."""
    make_pool(lab)
    make_vpc(lab.ctl)
    lines = []
    for n in (1, 2):
        lines += [f"rtb-add v t{n}", f"subnet-add v y{n} 10.0.{10 + n}.0/24 rtb=t{n}", f"natgw-add s n{n}", f"route-add t{n} 0.0.0.0/0 natgw:n{n}"]
    lab.ctl.batch(lines)
    guests = lab.vms([f"s:x{n}@hv4" for n in range(1, 7)] + ["y1:b1@hv4", "y2:b2@hv4"], port="sg=none")
    for n, ip in enumerate(EIPS, 1):
        attach(lab.ctl, ip, f"x{n}")
    for n, ip in enumerate(NATS, 1):
        attach(lab.ctl, ip, f"natgw:n{n}")
    start_servers(guests)
    start_servers([lab.outside])
    all_serve(lab, guests)
    return guests


@pytest.fixture(scope="module")
def home(lab, vms):
    """Where each address is while all gateways live."""
    return holders(lab)


def all_are_home(lab, vms, home):
    wait_until(lambda: holders(lab) == home, 20, "the gateway that is back has its addresses again")
    lab.ready()
    all_serve(lab, vms)
    for ip in EIPS:
        expect_right_neighbour(lab, ip)
    expect_verify_clean(lab)


def all_serve(lab, vms):
    expect_answers(lab, EIPS)
    for g in vms[6:]:
        g.reaches(CLIENT_IP, 10)


class Streams:
    """Pings through every public address, by the address."""

    def __init__(self, lab, vms):
        self._all = {ip: (lab.outside, ip) for ip in EIPS} | {ip: (g, CLIENT_IP) for ip, g in zip(NATS, vms[6:])}

    def __enter__(self):
        self._doing = {ip: who.doing("ping", ip=target, interval_ms=10) for ip, (who, target) in self._all.items()}
        self._streams = {ip: d.__enter__() for ip, d in self._doing.items()}
        self.go_on()
        return self

    def go_on(self, seconds=10):
        marks = {ip: s.look()["received"] for ip, s in self._streams.items()}
        wait_until(lambda: all(s.look()["received"] > marks[ip] + 20 for ip, s in self._streams.items()), seconds, "all public addresses serve")

    def __exit__(self, *exception):
        for d in self._doing.values():
            d.__exit__(*exception)
        self.results = {ip: s.result for ip, s in self._streams.items()}


@pytest.mark.parametrize("how", ["vswitchd", "underlay"])
def test_a_dead_gateways_addresses_answer_again_within_a_second(lab, tell, vms, home, how):
    victim = lab[home[NATS[0]]]
    lost = [ip for ip, host in home.items() if host == victim.name]
    watch_each_other_closely(lab)
    with Watch(lab) as watch, Streams(lab, vms) as streams:
        die(lab, victim, how)
        wait_until(lambda: not [h for h in holders(lab).values() if h == victim.name], 10, f"{victim.name} holds nothing any more")
        streams.go_on()
        during = holders(lab)
        assert gateway_words(lab) == {**ALIVE, victim.name: "dead"}
    gaps = {ip: r["longest_gap_ms"] for ip, r in streams.results.items()}
    tell(f"{victim.name} dead ({how}): its {len(lost)} addresses were silent for {[gaps[ip] for ip in lost]} ms, "
         f"the others for {[g for ip, g in gaps.items() if ip not in lost]} ms")
    try:
        assert {ip: h for ip, h in during.items() if ip not in lost} == {ip: h for ip, h in home.items() if ip not in lost}
        disturbed = {ip: r for ip, r in streams.results.items() if ip not in lost and r["n_lost"]}
        assert not disturbed, disturbed
        assert not {ip: gap for ip, gap in gaps.items() if gap > BAR_MS}
        announced = {ip for census in watch.seen.values() for _, ip, _ in census["gratuitous"]}
        assert set(lost) <= announced
        for ip in lost:
            said = lab.outside.arp_ask([ip], "public").get(ip)
            assert said and len(said) == 1, f"{ip} is claimed by {said}"
    finally:
        with Streams(lab, vms) as streams:
            rise(lab, victim, how)
            all_are_home(lab, vms, home)
            assert gateway_words(lab) == ALIVE
    gaps = {ip: r["longest_gap_ms"] for ip, r in streams.results.items()}
    tell(f"{victim.name} back: silent for {[gaps[ip] for ip in lost]} ms, the others for {[g for ip, g in gaps.items() if ip not in lost]} ms")
    assert not {ip: gap for ip, gap in gaps.items() if gap > BAR_MS}


def test_a_tcp_connection_survives_the_death_of_its_gateway(lab, tell, vms, home):
    ip = EIPS[0]
    victim = lab[home[ip]]
    with lab.outside.doing("chat", ip=ip, port=ECHO_PORT) as chat:
        wait_until(lambda: chat.look()["back"] > 20, 5, "it talks")
        die(lab, victim, "vswitchd")
        wait_until(lambda: eip_row(lab, ip)["host"] != victim.name, 10, "another gateway has it")
        mark = chat.look()["back"]
        wait_until(lambda: chat.look()["back"] > mark + 20, 10, "it talks on")
        rise(lab, victim, "vswitchd")
        all_are_home(lab, vms, home)
        mark = chat.look()["back"]
        wait_until(lambda: chat.look()["back"] > mark + 20, 10, "and on, once the gateway is back")
    tell(f"TCP over the death of a gateway: {chat.result['longest_gap_ms']} ms")
    assert chat.result["error"] is None and chat.result["back"] == chat.result["sent"], chat.result


def test_a_gateway_that_dies_while_vnetd_is_away_is_noticed_on_its_return(lab, vms, home):
    victim = lab[home[EIPS[0]]]
    lab.vnetd.kill()
    die(lab, victim, "vswitchd")
    lab.vnetd.start()
    expect_answers(lab, EIPS, 20)
    for g in vms[6:]:
        g.reaches(CLIENT_IP, 10)
    during = holders(lab)
    assert victim.name not in during.values(), during
    rise(lab, victim, "vswitchd")
    all_are_home(lab, vms, home)
    assert lab.outside.who_answers(EIPS, NAME_PORT, timeout=2) == [f"x{n}" for n in range(1, 7)]


def test_a_gateway_that_loses_power_and_its_uplink_is_replaced(lab, tell, vms, home):
    """Nothing says goodbye: only the silence is heard."""
    victim = home[EIPS[1]]
    with Streams(lab, vms) as streams:
        lab.remove_host(victim)
        streams.go_on(20)
        during = holders(lab)
    lost = [ip for ip, host in home.items() if host == victim]
    tell(f"{victim} without power: silent for {[streams.results[ip]['longest_gap_ms'] for ip in lost]} ms")
    assert not {ip: r for ip, r in streams.results.items() if ip not in lost and r["n_lost"]}
    assert not {ip for ip in lost if streams.results[ip]["longest_gap_ms"] > BAR_MS}
    assert victim not in during.values()
    lab.add_host(victim, number=int(victim[2:]), uplinks=UPLINK, gateway=True)
    all_are_home(lab, vms, home)


def cut(lab, host, is_cut):
    lab.outside.set_link("public", host, not is_cut)


def pool_error(lab):
    return lab.vnetd.rows("pool")[0]["error"] or ""


def test_a_host_whose_cable_to_the_network_is_pulled_leaves_its_addresses_to_others(lab, tell, vms, home):
    """It lives, and its tunnels do: what it held answers by another gateway, the address of a VM of its own too, and all comes back with the cable."""
    victim, ip = home[NATS[0]], address(31)
    (own,) = lab.vms([f"s:own@{victim}"], port="sg=none")
    attach(lab.ctl, ip, "own")
    expect_answers(lab, [ip])
    assert holders(lab)[ip] == victim
    lost = [i for i, host in home.items() if host == victim]
    with Streams(lab, vms) as streams, lab.outside.doing("ping", ip=ip, interval_ms=10) as to_own:
        cut(lab, victim, True)
        wait_until(lambda: victim not in holders(lab).values(), 10, f"{victim} holds nothing any more")
        streams.go_on()
        expect_answers(lab, [ip])
        during = holders(lab)
        own.reaches(CLIENT_IP, 10)
        expect_right_neighbour(lab, ip)
        assert "'public' by bridge 'br-ex' (nic-public)" in lab.host_row(victim)["error"]
        assert gateway_words(lab) == ALIVE and not pool_error(lab)
    gaps = {i: r["longest_gap_ms"] for i, r in streams.results.items()}
    tell(f"{victim}'s cable pulled: its {len(lost)} addresses were silent for {[gaps[i] for i in lost]} ms, its own VM's for "
         f"{to_own.result['longest_gap_ms']} ms, the others for {[g for i, g in gaps.items() if i not in lost]} ms")
    try:
        assert {i: h for i, h in during.items() if i not in [*lost, ip]} == {i: h for i, h in home.items() if i not in lost}
        assert not {i: r for i, r in streams.results.items() if i not in lost and r["n_lost"]}
        assert max(*gaps.values(), to_own.result["longest_gap_ms"]) <= BAR_MS
        expect_verify_clean(lab)
        for host in ALIVE:      # nobody is better any more: what is where it was stays there, and the pool says so
            if host != "hv4":
                cut(lab, host, True)
        wait_until(lambda: "no host with network 'public' has a carrier" in pool_error(lab), 10, "the pool says so")
        assert holders(lab) == {**home, ip: victim}
    finally:
        for host in ALIVE:
            if host != "hv4":
                cut(lab, host, False)
    all_are_home(lab, vms, {**home, ip: victim})
    expect_answers(lab, [ip])
    wait_until(lambda: not pool_error(lab) and not lab.host_row(victim)["error"], 10, "all is well")
    with Streams(lab, vms) as streams, lab.outside.doing("ping", ip=ip, interval_ms=10) as to_own:
        cut(lab, victim, True)
        wait_until(lambda: victim not in holders(lab).values(), 10, f"{victim} holds nothing any more")
        streams.go_on()
        cut(lab, victim, False)
        wait_until(lambda: holders(lab) == {**home, ip: victim}, 10, "all is back")
        streams.go_on()
        expect_answers(lab, [ip])
    gaps = {i: r["longest_gap_ms"] for i, r in streams.results.items()}
    tell(f"pulled and plugged: silent for {[gaps[i] for i in lost]} ms, the VM's own for {to_own.result['longest_gap_ms']} ms, "
         f"the others for {[g for i, g in gaps.items() if i not in lost]} ms")
    assert max(*gaps.values(), to_own.result["longest_gap_ms"]) <= BAR_MS
    lab.ctl("eip-detach", ip, "--", "eip-del", ip)
    expect_verify_clean(lab)
