"""Ten changes a second to a balancer's targets, for 20 seconds, under 200 long connections: none is lost."""
import random
import time

import pytest

from balancing import BALANCER, LAB as LAB_OF_THREE, TCP, all_healthy, make_network
from lab import wait_until
from support import expect_verify_clean

LAB = LAB_OF_THREE
RATE, SECONDS, CONNECTIONS = 10, 20, 200


@pytest.fixture(scope="module")
def net(lab):
    return make_network(lab, (1, 2, 3, 1, 1), drain=120)


def change(rng, absent):
    """One change of the set; w1 stays."""
    name = f"w{rng.randint(2, 5)}"
    if name in absent:
        absent.remove(name)
        return f"target-add tcp {name} weight={rng.randint(0, 3)}"
    if rng.random() < 0.5:
        return f"set target tcp/{name} weight={rng.randint(0, 4)}"
    absent.add(name)
    return f"target-del tcp {name}"


def test_none_of_two_hundred_long_connections_is_lost(lab, net, seed, tell):
    crews = [(net[name], net[name].agent.call("start_crew", ip=BALANCER, port=TCP, count=CONNECTIONS // 4)) for name in "cdef"]
    rng, absent, n_done, begin = random.Random(seed), set(), 0, time.monotonic()
    while n_done < RATE * SECONDS:
        time.sleep(max(0, begin + n_done / RATE - time.monotonic()))
        lab.ctl.batch([change(rng, absent)])
        n_done += 1
    taken = time.monotonic() - begin
    tell(f"{n_done} changes in {taken:.1f} s")
    assert taken < 2 * SECONDS, "this machine is too slow to change that often"
    lab.ctl("--wait=hosts", "sync")
    seen = [g.agent.call("look", number=n)["fewest_answers"] for g, n in crews]
    wait_until(lambda: all(g.agent.call("look", number=n)["fewest_answers"] > s for (g, n), s in zip(crews, seen)), 5, "all still talk")
    results = [g.agent.call("stop", number=n) for g, n in crews]
    assert [r["lost"] for r in results] == [[]] * 4
    assert [r["alive"] for r in results] == [CONNECTIONS // 4] * 4
    lab.ctl.batch([f"target-add tcp {name}" for name in sorted(absent)])
    all_healthy(lab)
    expect_verify_clean(lab)
