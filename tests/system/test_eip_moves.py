"""An elastic IP stays its owner's: through a VM's interface going and coming, moves between hosts, restarts of vnetd and of Open vSwitch,
and being given to another VM. The outside is never told by hand where it is now."""
import time

import pytest

from lab import wait_until
from lab.outside import CLIENT_IP
from lab.procs import call_all
from public import (ECHO_PORT, NAME_PORT, OUTSIDE, UPLINK, address, attach, eip_row, expect_answers, expect_right_neighbour, make_pool,
                    make_vpc, start_servers)
from support import expect_verify_clean

LAB = {"hosts": 4, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK, "hv2": UPLINK, "hv4": UPLINK}, "gateways": ("hv4",)}
MOVER, OTHER = address(11), address(12)
HOLDER = {"hv1": "hv1", "hv2": "hv2", "hv3": "hv4", "hv4": "hv4"}


@pytest.fixture(scope="module")
def vms(lab):
    make_pool(lab)
    make_vpc(lab.ctl)
    guests = lab.vms(["s:m@hv1", "s:o@hv2"], port="sg=none")
    for g in guests:
        # A move takes the carrier away, so the guest asks for its gateway before its new place is ready; a migrated VM would not.
        g.run("sysctl", "-q", "-w", "net.ipv4.neigh.eth0.retrans_time_ms=20")
    attach(lab.ctl, MOVER, "m")
    attach(lab.ctl, OTHER, "o")
    start_servers(guests)
    start_servers([lab.outside])
    expect_answers(lab, [MOVER, OTHER])
    return guests


class Talking:
    """The outside talks to the address all the while, so that switches and caches hold on to what they believe."""

    def __init__(self, lab, tell, what, ip=MOVER):
        self._lab, self._tell, self._what, self._ip = lab, tell, what, ip

    def __enter__(self):
        self._doing = self._lab.outside.doing("ping", ip=self._ip, interval_ms=10)
        self._stream = self._doing.__enter__()
        wait_until(lambda: self._stream.look()["received"] > 5, 5, "the outside talks to the address")
        return self

    def go_on(self, seconds=10):
        """Until it answers again (or still)."""
        mark = self._stream.look()["received"]
        wait_until(lambda: self._stream.look()["received"] > mark + 20, seconds, f"{self._ip} answers after: {self._what}")

    def __exit__(self, kind, *rest):
        self._doing.__exit__(kind, *rest)
        if kind is None:
            self._tell(f"{self._what}: silent for {self._stream.result['longest_gap_ms']} ms")
            expect_right_neighbour(self._lab, self._ip)


def settled(lab, vms, host):
    """Both ways, to the right one, from the right place; and nothing left to mend."""
    holder = HOLDER[host]
    wait_until(lambda: eip_row(lab, MOVER)["host"] == holder, 10, f"{MOVER} is held by {holder}")
    assert lab.outside.who_answers([MOVER, OTHER], NAME_PORT, timeout=2) == ["m", "o"]
    assert vms[0].ping(CLIENT_IP, timeout=2) == "reply"
    lab.ready()
    expect_verify_clean(lab)


def test_while_vnetd_is_away_and_back_nothing_is_lost(lab, vms):
    """Before anything has moved: what a host that was left sends on for a while ends with a restart."""
    with lab.outside.doing("ping", ip=MOVER, interval_ms=5) as near, lab.outside.doing("ping", ip=OTHER, interval_ms=5) as far:
        wait_until(lambda: near.look()["received"] > 10, 5, "pings begin")
        assert lab.outside.ping(MOVER, size=1472, df=True, timeout=2) == "frag-needed", "knows the path's MTU from now on"
        lab.vnetd.kill()
        lab.outside.flush_neighbours("public")
        words = lab.outside.tcp_connect(MOVER, 80, timeout=2), lab.outside.exchange(MOVER, ECHO_PORT, size=3000, tries=1)
        lab.vnetd.start()
        assert words == ("connected", "same")
        lab.ready()
    assert (near.result["n_lost"], far.result["n_lost"]) == (0, 0), (near.result, far.result)
    expect_right_neighbour(lab, MOVER)
    assert sum(r["sent"] for r in lab.vnetd.rows("host")) == 0, "a restart changes no flow"
    settled(lab, vms, vms[0].host.name)


def test_the_interface_goes_and_comes_on_the_same_host(lab, tell, vms):
    mover = vms[0]
    with Talking(lab, tell, "removed and added again") as talk:
        mover.host.unplug([mover])
        wait_until(lambda: lab.port("m")["host"] is None, 5, "the port is unbound")
        assert lab.outside.ping(MOVER, timeout=0.3) == "none"
        assert lab.outside.arp_ask([MOVER], "public") == {}, "nobody holds the address of a VM that is not there"
        mover.host.plug([mover])
        talk.go_on()
    settled(lab, vms, "hv1")


@pytest.mark.parametrize("there", ["hv2", "hv3", "hv4", "hv3", "hv1"])
def test_the_interface_moves_to_another_host(lab, tell, vms, there):
    """hv3 has no uplink: there its address is on a gateway."""
    with Talking(lab, tell, f"moved from {vms[0].host.name} to {there}") as talk:
        vms[0].move(lab[there])
        talk.go_on()
    settled(lab, vms, there)


@pytest.mark.parametrize("there", ["hv2", "hv3", "hv1"])
def test_tcp_connections_survive_a_move(lab, tell, vms, there):
    """One from outside, one to the outside; the gap is what their users would have noticed."""
    mover = vms[0]
    with lab.outside.doing("chat", ip=MOVER, port=ECHO_PORT) as inward, mover.doing("chat", ip=CLIENT_IP, port=ECHO_PORT) as outward:
        wait_until(lambda: min(inward.look()["back"], outward.look()["back"]) > 20, 5, "both talk")
        mover.move(lab[there])
        marks = [c.look()["back"] for c in (inward, outward)]
        wait_until(lambda: all(c.look()["back"] > m + 20 for c, m in zip((inward, outward), marks)), 15, "both go on talking")
    for what, chat in (("from outside", inward), ("to the outside", outward)):
        tell(f"TCP {what} over the move to {there}: {chat.result['longest_gap_ms']} ms")
        assert chat.result["error"] is None and chat.result["back"] == chat.result["sent"], chat.result
    settled(lab, vms, there)


@pytest.mark.parametrize("there", ["hv1", "hv3", "hv1"])
def test_vnetd_is_restarted_while_the_interface_is_away(lab, tell, vms, there):
    """Switches try once a second to reach vnetd again (OVS takes no shorter back-off); what is ours to be quick at begins then."""
    mover = vms[0]
    with Talking(lab, tell, f"vnetd restarted while moving from {mover.host.name} to {there}") as talk:
        lab.vnetd.kill()
        if there == mover.host.name:
            mover.host.unplug([mover])
            mover.host.plug([mover])
        else:
            mover.move(lab[there])
        lab.vnetd.start()
        concerned = {mover.host.name, HOLDER[there]}
        wait_until(lambda: all(r["connected"] for r in lab.vnetd.rows("host") if r["name"] in concerned), 10, "the hosts concerned are connected")
        back = time.monotonic()
        talk.go_on(20)
        caught_up_ms = (time.monotonic() - back) * 1000
    tell(f"of which at most {caught_up_ms:.0f} ms after {' and '.join(sorted(concerned))} had connected again, 20 answers at 10 ms included")
    assert caught_up_ms < 1000
    settled(lab, vms, there)


@pytest.mark.parametrize("where", ["hv1", "hv3"])
def test_open_vswitch_is_restarted_where_the_vm_is(lab, tell, vms, where):
    mover = vms[0]
    if mover.host.name != where:
        mover.move(lab[where])
        expect_answers(lab, [MOVER])
    with Talking(lab, tell, f"Open vSwitch restarted on {where}") as talk:
        mover.host.kill_vswitchd()
        mover.host.start_vswitchd()
        mover.host.learn_tunnel_neighbours(lab.hosts.values())
        talk.go_on()
    settled(lab, vms, where)


@pytest.mark.parametrize("where", ["hv1", "hv3"])
def test_it_is_given_to_another_vm_and_back(lab, tell, vms, where):
    """The new one's host first: for a moment either may answer, then the new one alone."""
    mover, other = vms
    if mover.host.name != where:
        mover.move(lab[where])
        expect_answers(lab, [MOVER])
    status, _, errors = lab.ctl.run("eip-attach", MOVER, "o")
    assert status == 1 and "--move" in errors, errors
    lab.ctl("eip-detach", OTHER)
    with Talking(lab, tell, f"given from a VM on {where} to one on hv2") as talk:
        lab.ctl("--wait=hosts", "--move", "eip-attach", MOVER, "o")
        wait_until(lambda: lab.outside.who_answers([MOVER], NAME_PORT, timeout=0.5) == ["o"], 5, "the other VM answers")
        talk.go_on()
        lab.ctl("--wait=hosts", "--move", "eip-attach", MOVER, "m")
        wait_until(lambda: lab.outside.who_answers([MOVER], NAME_PORT, timeout=0.5) == ["m"], 5, "the first VM answers")
        talk.go_on()
    lab.ctl("--wait=hosts", "eip-attach", OTHER, "o")
    expect_answers(lab, [MOVER, OTHER])
    settled(lab, vms, where)


def test_what_is_still_sent_to_the_old_host_goes_on_for_a_while(lab, vms):
    """By a network to which the announcements do not get through."""
    mover, other = vms
    if mover.host.name != "hv1":
        mover.move(lab["hv1"])
        expect_answers(lab, [MOVER])
    lab.ctl("--wait=hosts", "eip-detach", OTHER)
    lab.outside.keep_ignorant("public", "hv1", "hv2", True)
    try:
        lab.ctl("--wait=hosts", "--move", "eip-attach", MOVER, "o")
        wait_until(lambda: lab.outside.who_answers([MOVER], NAME_PORT, timeout=0.2) == ["o"], 5, "the other VM is reached by the old host")
        assert eip_row(lab, MOVER)["host"] == "hv2"
        assert len(lab.outside.arp_ask([MOVER], "public")[MOVER]) == 1, "asked for, only one answers"
        wait_until(lambda: lab.outside.ping(MOVER, timeout=0.2) == "none", 20, "the old host sends nothing on any more")
    finally:
        lab.outside.keep_ignorant("public", "hv1", "hv2", False)
    assert other.ping(CLIENT_IP, timeout=2) == "reply", "by which the switch learns"
    expect_answers(lab, [MOVER])
    lab.ctl("--wait=hosts", "--move", "eip-attach", MOVER, "m", "--", "eip-attach", OTHER, "o")
    expect_answers(lab, [MOVER, OTHER])
    settled(lab, vms, "hv1")


def test_addresses_of_two_vms_change_places_in_one_transaction(lab, vms):
    lab.ctl("--wait=hosts", "eip-detach", MOVER, "--", "eip-detach", OTHER, "--", "eip-attach", MOVER, "o", "--", "eip-attach", OTHER, "m")
    wait_until(lambda: lab.outside.who_answers([MOVER, OTHER], NAME_PORT, timeout=1) == ["o", "m"], 5, "they have changed places")
    answers = call_all([(g.agent, "udp_ask", {"ips": [MOVER, OTHER], "port": NAME_PORT, "timeout": 2}) for g in vms])
    assert answers == [["o", "m"], ["o", "m"]]
    for ip in (MOVER, OTHER):
        expect_right_neighbour(lab, ip)
    expect_verify_clean(lab)
