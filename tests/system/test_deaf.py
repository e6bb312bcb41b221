"""vnetd that heard nothing for a while, since it was stopped, takes no target for dead on its return."""
import time

import pytest

from lab import wait_until

LAB = {"hosts": 2}
INTERVAL, FALL = 0.2, 2
STOPPED_S = 12                  # longer than switches wait for a controller that says nothing, so all connections end


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


def test_vnetd_stopped_for_a_while_takes_no_target_for_dead(lab, net):
    before = states(lab)
    crew = net.agent.call("start_crew", ip="10.0.1.100", port=80, count=10, interval=0.1)
    wait_until(lambda: net.agent.call("look", number=crew)["fewest_answers"] > 2, 10, "connections are there")
    lab.vnetd.signal("STOP")
    try:
        end = time.monotonic() + STOPPED_S
        wait_until(lambda: time.monotonic() > end, STOPPED_S + 2, "it is stopped for so long")
    finally:
        lab.vnetd.signal("CONT")
    lab.ready()
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
