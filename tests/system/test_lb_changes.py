"""Ten changes a second to a balancer's targets, for 20 seconds, under 200 long connections from inside and from outside: none is lost."""
import random
import time

import pytest

from balancing import BALANCER, LAB as LAB_OF_THREE, PUBLIC, TCP, all_healthy, make_network
from lab import wait_until
from support import expect_verify_clean

LAB = LAB_OF_THREE
RATE, SECONDS, CONNECTIONS = 10, 20, 200


@pytest.fixture(scope="module")
def net(lab):
    return make_network(lab, (1, 2, 3, 1, 1), drain=120)


def change(rng, absent):
    """One change of the set, as an operation of a transaction; w1 stays."""
    name = f"w{rng.randint(2, 5)}"
    if name in absent:
        absent.remove(name)
        return {"op": "add", "type": "target", "values": {"tg": "tcp", "port": name, "weight": rng.randint(0, 3)}}
    if rng.random() < 0.5:
        return {"op": "set", "type": "target", "name": f"tcp/{name}", "values": {"weight": rng.randint(0, 4)}}
    absent.add(name)
    return {"op": "del", "type": "target", "name": f"tcp/{name}"}


def make_changes(lab, rng, absent):
    """Each a transaction of its own, at its time; answers how long all took. By HTTP: that many processes are more than a busy machine starts."""
    begin = time.monotonic()
    for n in range(RATE * SECONDS):
        time.sleep(max(0, begin + n / RATE - time.monotonic()))
        status, text = lab.vnetd.http("POST", "/v1/transactions", {"ops": [change(rng, absent)]})
        assert status == 200, text
    return time.monotonic() - begin


def test_none_of_two_hundred_long_connections_is_lost(lab, net, seed, tell):
    clients = [(net[name], BALANCER) for name in "cdef"] + [(lab.outside, PUBLIC)]
    crews = [(client, client.agent.call("start_crew", ip=ip, port=TCP, count=CONNECTIONS // len(clients))) for client, ip in clients]
    absent = set()
    taken = make_changes(lab, random.Random(seed), absent)
    begin = time.monotonic()
    lab.ctl("--wait=hosts", "sync")
    tell(f"{RATE * SECONDS} changes in {taken:.1f} s; the last is in the switches {time.monotonic() - begin:.2f} s later")
    assert taken < SECONDS * 1.1, "that is no longer ten a second"
    seen = [g.agent.call("look", number=n)["fewest_answers"] for g, n in crews]
    wait_until(lambda: all(g.agent.call("look", number=n)["fewest_answers"] > s for (g, n), s in zip(crews, seen)), 5, "all still talk")
    results = [g.agent.call("stop", number=n) for g, n in crews]
    assert [r["lost"] for r in results] == [[]] * len(crews)
    assert [r["alive"] for r in results] == [CONNECTIONS // len(crews)] * len(crews)
    lab.ctl.batch([f"target-add tcp {name}" for name in sorted(absent)])
    all_healthy(lab)
    expect_verify_clean(lab)
