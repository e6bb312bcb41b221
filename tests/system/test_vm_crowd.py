"""Two hundred guests (containers of libvirt's LXC driver) started and stopped in bursts: what is shown equals what libvirt has, and the agent's memory
is back where it was."""
import concurrent.futures
import random
import uuid

import pytest

from lab.procs import LabError, wait_until
from vms import end_of_agents

LAB = {"hosts": 1}
N_GUESTS, BURST = 200, 25
GROWTH_KIB = 4096                                # with sanitizers, whose quarantine is bounded below


@pytest.fixture(scope="module")
def libvirt(lab):
    made = lab.add_libvirt(containers=True)[0]
    yield made
    made.close()
    end_of_agents(lab)


def shown(lab):
    return {r["name"]: r["state"] for r in lab.vnetd.rows("instance")}


def truth(libvirt):
    words = {"running": "running", "shut off": "off", "paused": "paused"}
    return {name: words[state] for name, state in libvirt.domains().items()}


def settled(lab, libvirt):
    wait_until(lambda: shown(lab) == truth(libvirt), 30, "what is shown equals what libvirt has")


def at_once(libvirt, commands):
    """virsh commands, in two processes."""
    parts = [commands[i::2] for i in range(2)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda part: libvirt.virsh("; ".join(part), check=False, timeout=120) if part else (0, "", ""), parts))
    for status, _, errors in results:
        if status != 0:
            raise LabError(errors)


def define(libvirt, names):
    for name in names:
        with open(libvirt.path(f"{name}.xml"), "w") as f:
            f.write(libvirt.container_xml(name, uuid.uuid4()))
    at_once(libvirt, [f"define {libvirt.path(n)}.xml" for n in names])


def test_two_hundred_guests_come_and_go(lab, libvirt, seed, soak, tell):
    rng = random.Random(seed)
    agent = lab["hv1"].vnet_agent
    tag = f"{rng.randrange(1 << 24):06x}"
    names = [f"c{tag}-{i}" for i in range(N_GUESTS)]

    def burst(part):
        define(libvirt, part)
        at_once(libvirt, [f"start {n}" for n in part])
        rng.shuffle(part)
        half = part[:len(part) // 2]
        at_once(libvirt, [f"destroy {n}" for n in half] + [f"undefine {n}" for n in half[::2]])
        return part

    burst(names[:BURST])                                   # what is allocated once is allocated
    settled(lab, libvirt)
    for begin in range(BURST, N_GUESTS, BURST):
        burst(names[begin:begin + BURST])
    settled(lab, libvirt)
    left = truth(libvirt)
    assert len(left) > N_GUESTS / 2 and set(left.values()) == {"running", "off"}
    at_once(libvirt, [f"destroy {n}" for n, state in left.items() if state == "running"])
    settled(lab, libvirt)
    at_once(libvirt, [f"undefine {n}" for n in left])
    settled(lab, libvirt)
    assert shown(lab) == {}

    before = agent.memory_kib()
    rounds = 20 if soak else 2
    for _ in range(rounds):
        part = burst(names[:BURST])
        running = [n for n, s in truth(libvirt).items() if s == "running"]
        at_once(libvirt, [f"destroy {n}" for n in running])
        at_once(libvirt, [f"undefine {n}" for n in truth(libvirt)])
        settled(lab, libvirt)
    after = agent.memory_kib()
    tell(f"agent's memory: {before} KiB after {N_GUESTS} guests, {after} KiB after {rounds * len(part)} more")
    assert after - before < GROWTH_KIB
