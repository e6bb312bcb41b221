"""A target is taken out of a balancer under load: nothing fails, what it has goes on until it has drained."""
import time

import pytest

from balancing import LAB as LAB_OF_THREE, accepted, all_healthy, health, in_each_place, look_at, make_network, wait_for_more, wait_for_the_end
from lab import wait_until
from support import expect_verify_clean

LAB = LAB_OF_THREE
DRAIN = 5


@pytest.fixture(scope="module")
def net(lab):
    return make_network(lab, (1, 2, 3), DRAIN)


def test_a_target_drained_under_load_fails_nothing(lab, net):
    with in_each_place(lab, net, "crew", count=10, interval=0.3) as crews, in_each_place(lab, net, "requests", workers=2, timeout=5) as load:
        wait_for_more(load)
        began = time.monotonic()
        lab.ctl("--wait=hosts", "target-del", "tcp", "w3")
        at_its_end = accepted(net["w3"])
        wait_for_more(load)
        assert accepted(net["w3"]) == at_its_end, "it gets no new connections"
        talked = [r["fewest_answers"] for r in look_at(crews)]
        wait_until(lambda: all(r["fewest_answers"] > t + 2 for r, t in zip(look_at(crews), talked)), 5, "long connections go on")
        assert [r["lost"] for r in look_at(crews)] == [[]] * 3
        assert time.monotonic() - began < DRAIN, "this machine was too slow to see it drain"
        wait_until(lambda: health(lab, "tcp/w3") is None, DRAIN + 3, "it has drained")
        wait_for_the_end(crews)
        wait_for_more(load)
        failures = [[[round(at - began, 2), why] for at, why in a.stop()["failures"]] for a in load]
        assert failures == [[]] * 3, f"{failures}, seconds after its removal"
        assert all(why.endswith("Connection reset by peer") for a in crews for why in a.stop()["lost"])
    lab.ctl.batch(["target-add tcp w3 weight=3"])
    all_healthy(lab)
    expect_verify_clean(lab)
