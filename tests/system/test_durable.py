"""vnetd killed at random moments: acknowledged transactions are there, the one in progress is whole or absent."""
import itertools
import random
import threading
import time

from lab import wait_until

LAB = {"hosts": 0}
PORTS_PER_TRANSACTION = 6


class Writer(threading.Thread):
    """Transactions one after the other until the daemon goes: each adds some ports and a subnet, every third removes an older one's."""

    def __init__(self, vnetd, numbers):
        super().__init__(daemon=True)
        self.vnetd, self.numbers = vnetd, numbers
        self.acknowledged, self.in_progress = [], None

    def run(self):
        for number in self.numbers:
            removes = number - 5 if number % 3 == 0 and number >= 8 else None
            self.in_progress = (number, removes)
            try:
                status, text = self.vnetd.http("POST", "/v1/transactions", {"ops": operations(number, removes)}, timeout=20)
            except OSError:
                return
            assert status == 200, text
            self.acknowledged.append(self.in_progress)
            self.in_progress = None


def operations(number, removes):
    ops = [{"op": "add", "type": "subnet", "name": f"s{number}",
            "values": {"vpc": "v", "cidr": f"10.{number >> 8}.{number & 255}.0/24"}}]
    ops += [{"op": "add", "type": "port", "name": f"p{number}-{i}", "values": {"subnet": f"s{number}"}} for i in range(PORTS_PER_TRANSACTION)]
    if removes is not None:
        ops += [{"op": "del", "type": "port", "name": f"p{removes}-{i}", "if_exists": True} for i in range(PORTS_PER_TRANSACTION)]
        ops += [{"op": "del", "type": "subnet", "name": f"s{removes}", "if_exists": True}]
    return ops


def apply(state, transaction):
    number, removes = transaction
    return (state | {number}) - {removes}


def names(state):
    return ({f"s{n}" for n in state}, {f"p{n}-{i}" for n in state for i in range(PORTS_PER_TRANSACTION)})


def stored(lab):
    return tuple({r["name"] for r in lab.vnetd.rows(kind, columns="name")} for kind in ("subnet", "port"))


def test_acknowledged_transactions_survive_kills_at_random_moments(lab, seed, soak):
    rng = random.Random(seed)
    lab.ctl("vpc-add", "v", "10.0.0.0/8")
    numbers, state, cut_in_progress = itertools.count(1), set(), 0
    for _ in range(1000 if soak else 100):
        writer = Writer(lab.vnetd, numbers)
        writer.start()
        pause = rng.random() * 0.15
        wait_until(lambda mark=time.monotonic(): time.monotonic() > mark + pause, 2, "a random moment")
        lab.vnetd.kill()
        writer.join(30)
        for transaction in writer.acknowledged:
            state = apply(state, transaction)
        lab.vnetd.start()
        seen = stored(lab)
        if seen != names(state) and writer.in_progress:
            cut_in_progress += 1
            state = apply(state, writer.in_progress)
        assert seen == names(state), f"acknowledged {writer.acknowledged[-3:]}, in progress {writer.in_progress}"
    assert len(state) > 15, "hardly anything was written: this would prove nothing"
    print(f"{len(state)} transactions; {cut_in_progress} were whole though not acknowledged")


def test_a_repeated_request_with_its_key_is_done_once_also_after_a_kill(lab):
    body = {"ops": [{"op": "add", "type": "vpc", "name": "once", "values": {"cidr": "10.1.0.0/16"}}]}
    first = lab.vnetd.http("POST", "/v1/transactions", body, {"Idempotency-Key": "key-1"})
    assert first[0] == 200, first
    lab.vnetd.kill()
    lab.vnetd.start()
    assert lab.vnetd.http("POST", "/v1/transactions", body, {"Idempotency-Key": "key-1"}) == first
    other = {"ops": [{"op": "add", "type": "vpc", "name": "twice", "values": {"cidr": "10.1.0.0/16"}}]}
    assert lab.vnetd.http("POST", "/v1/transactions", other, {"Idempotency-Key": "key-1"})[0] == 409


def test_numbers_and_vnis_stay_the_same_over_kills(lab):
    lab.ctl("vpc-add", "n1", "10.2.0.0/16", "--", "vpc-add", "n2", "10.2.0.0/16")
    before = {r["name"]: (r["id"], r["vni"], r["created"]) for r in lab.ctl.list("vpc")}
    tenant = lab.ctl.list("tenant", "default")
    assert tenant[0]["created"]
    lab.vnetd.kill()
    lab.vnetd.start()
    assert {r["name"]: (r["id"], r["vni"], r["created"]) for r in lab.ctl.list("vpc")} == before
    assert lab.ctl.list("tenant", "default") == tenant
    assert len({vni for _, vni, _ in before.values()}) == len(before)
