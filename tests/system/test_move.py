"""A VM moved to another host: reachable from all again within a second, also when both hosts show its port for a while."""
import pytest

from lab import wait_until
from lab.procs import call_all

LAB = {"hosts": 3}
BOUND_MS = 1000


@pytest.fixture(scope="module")
def vms(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--", "subnet-add", "v", "t", "10.0.2.0/24")
    guests = lab.vms(["s:m@hv1", "s:near@hv1", "s:same@hv2", "t:routed@hv2", "s:far@hv3"])
    assert guests[0].ping_all([g.ip for g in guests[1:]]) == ["reply"] * 4
    return guests


def watch(mover, others, action):
    """Everyone pings the mover every 5 ms while action runs; the results by name."""
    numbers = [(g, g.agent.call("start_ping", ip=mover.ip, interval_ms=5)) for g in others]
    try:
        wait_until(lambda: all(g.agent.call("look", number=n)["received"] > 20 for g, n in numbers), 5, "pings before the move")
        action()
        marks = {g: g.agent.call("look", number=n)["received"] for g, n in numbers}
        wait_until(lambda: all(g.agent.call("look", number=n)["received"] > marks[g] + 50 for g, n in numbers), 5, "pings after the move")
    finally:
        answers = call_all([(g.agent, "stop", {"number": n}) for g, n in numbers])
    return {g.name: answer for (g, _), answer in zip(numbers, answers)}


@pytest.mark.parametrize("destination", ["hv2", "hv3", "hv1"])
def test_a_moved_vm_is_reachable_from_all_within_a_second(lab, vms, destination):
    mover, others = vms[0], vms[1:]
    results = watch(mover, others, lambda: mover.move(lab[destination]))
    late = {name: r for name, r in results.items() if r["longest_gap_ms"] > BOUND_MS}
    assert not late, late
    wait_until(lambda: lab.port("m")["host"] == destination, 5, f"port m on {destination}")
    assert mover.ping_all([g.ip for g in others]) == ["reply"] * len(others)
    assert lab.ctl.verify()[0] == 0


def test_the_first_of_two_hosts_that_show_a_port_keeps_it(lab, vms):
    mover = vms[0]
    here = mover.host
    there = next(h for h in lab.hosts.values() if h is not here)
    twin = there.add_guest("twin", mover.mac, mover.iface_id)
    wait_until(lambda: lab.port("m")["claimed_by"] == [there.name], 5, "claimed_by names the second host")
    assert lab.port("m")["host"] == here.name
    assert vms[4].ping(mover.ip) == "reply"
    twin.static(mover.ip, 24)
    assert twin.ping(vms[4].ip) == "none"
    here.unplug([mover])
    wait_until(lambda: lab.port("m")["host"] == there.name, 5, "the second host has it once the first has let go")
    twin.reaches(vms[4].ip)
    there.remove_guest(twin)
    here.plug([mover])
    vms[4].reaches(mover.ip)


def test_guests_that_come_and_go_quickly_end_where_they_are(lab, vms):
    mover = vms[0]
    for name in ("hv2", "hv1", "hv3", "hv2", "hv1", "hv3"):
        if mover.host.name != name:
            mover.move(lab[name])
    vms[1].reaches(mover.ip, 3)
    assert vms[3].ping(mover.ip) == "reply"
    assert lab.ctl.verify()[0] == 0
