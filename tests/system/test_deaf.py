"""vnetd that heard nothing for a while, since it was stopped or cut off, takes no target for dead on its return."""
import contextlib
import time

import pytest

from lab import wait_until

LAB = {"hosts": 2}
INTERVAL, FALL = 0.2, 2
DEAF_S = 12                     # longer than switches and vnetd wait for each other, so all connections end


@pytest.fixture(scope="module")
def net(lab):
    lab.ctl.batch(["vpc-add v 10.0.0.0/16", "subnet-add v s 10.0.1.0/24", "lb-add s front ip=10.0.1.100",
                   f"tg-add v echo tcp 8080 interval={INTERVAL} timeout=0.1 fall={FALL} rise=2", "listener-add front tcp:80 echo"])
    client, t1, t2 = lab.vms(["s:c@hv1", "s:t1@hv1", "s:t2@hv2"], dhcp=None, port="sg=none")
    for guest in (t1, t2):
        guest.agent.call("start_tcp_echo", port=8080)
    lab.ctl.batch(["target-add echo t1", "target-add echo t2"])
    wait_until(lambda: {r["health"] for r in targets(lab)} == {"healthy"}, 10, "all targets are healthy")
    lab.ctl("--wait=hosts", "sync")
    return client


def targets(lab):
    return lab.vnetd.rows("target")


def states(lab):
    return {r["name"]: (r["health"], r["changes"]) for r in targets(lab)}


@contextlib.contextmanager
def stopped(lab):
    lab.vnetd.signal("STOP")
    try:
        yield lambda: None
    finally:
        lab.vnetd.signal("CONT")


@contextlib.contextmanager
def cut_off(lab):
    """It can be asked all the time."""
    lab.underlay.set_link("management", "node", False)
    try:
        yield lambda: states(lab)
    finally:
        lab.underlay.set_link("management", "node", True)


@pytest.mark.parametrize("deaf", [stopped, cut_off])
def test_while_vnetd_is_deaf_no_target_is_taken_for_dead(lab, net, deaf):
    before = states(lab)
    crew = net.agent.call("start_crew", ip="10.0.1.100", port=80, count=10, interval=0.1)
    wait_until(lambda: net.agent.call("look", number=crew)["fewest_answers"] > 2, 10, "connections are there")
    with deaf(lab) as ask:
        end = time.monotonic() + DEAF_S
        wait_until(lambda: ask() not in (None, before) or time.monotonic() > end, DEAF_S + 2, "it is deaf for so long")
        assert ask() in (None, before)
    lab.ready(seconds=40)
    asked = time.monotonic() + 10 * INTERVAL
    while time.monotonic() < asked:      # several rounds of probes
        assert states(lab) == before
    n = net.agent.call("look", number=crew)["fewest_answers"]
    wait_until(lambda: net.agent.call("look", number=crew)["fewest_answers"] > n + 10, 10, "all are answered")
    assert net.agent.call("stop", number=crew)["lost"] == []


def test_afterwards_a_host_that_is_gone_is_unreachable_as_before(lab, net):
    host = lab["hv2"]
    host.kill_vswitchd()
    wait_until(lambda: {r["name"]: (r["health"], r["reason"]) for r in targets(lab)}["echo/t2"] == ("unhealthy", "unreachable"), 30,
               "its target is unreachable")
    assert states(lab)["echo/t1"][0] == "healthy"
    host.start_vswitchd()
    wait_until(lambda: {r["health"] for r in targets(lab)} == {"healthy"}, 15, "all targets are healthy")
