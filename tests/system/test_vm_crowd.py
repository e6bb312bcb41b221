"""Crowds of guests (containers of libvirt's LXC driver, some with a port that they declare, in a soak all) started and stopped in bursts: what
is shown equals what libvirt has, nothing is left of those that went, and the agent's heap and open files are back where they were after a few."""
import concurrent.futures
import random
import uuid

import pytest

from lab.procs import LabError, wait_until
from support import expect_verify_clean
from vms import end_of_agents, settled_heap

LAB = {"hosts": 1}
BURST = 50                                       # at once; several are one round, each measured against the one before
ONE_IN = 10                                      # has an interface: these take their time
ROUNDS_MAX = 3                                   # in which its growth must end
GROWTH = 4 << 10                                 # bytes of heap in use by a round: some 40 of each of its guests


@pytest.fixture(scope="module")
def libvirt(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "a", "10.0.0.0/23")
    made = lab.add_libvirt(containers=True)[0]
    hook = made.install_hook(*lab["hv1"].vnet_agent.hook())
    with open(hook) as f:
        text = f.read()
    with open(hook, "w") as f:                             # who has no interface asks for nothing; a sanitized program takes its time to start
        f.write(text.replace("\n", "\ncase $1 in plain*) exit 0 ;; esac\n", 1))
    yield made
    made.close()
    end_of_agents(lab)


def shown(lab):
    return {r["name"]: r["state"] for r in lab.vnetd.rows("instance")}


def truth(libvirt):
    words = {"running": "running", "shut off": "off", "paused": "paused"}
    return {name: words[state] for name, state in libvirt.domains().items()}


def ports(lab):
    """{name: does it run} of all ports; None while one is neither in place nor without a place."""
    states = {r["name"]: r["state"] for r in lab.vnetd.rows("port", columns="name,state")}
    return {n: s == "active" for n, s in states.items()} if set(states.values()) <= {"active", "unbound"} else None


def settled(lab, libvirt):
    """What is shown equals what libvirt has; each domain with an interface that has ever run has its port, which is in place while it runs."""
    wait_until(lambda: shown(lab) == truth(libvirt), 30, "what is shown equals what libvirt has")
    wait_until(lambda: ports(lab) == {n: s == "running" for n, s in truth(libvirt).items() if is_wired(n)}, 30, "ports are as their domains are")


def is_wired(name):
    return name.startswith("wired")


def at_once(libvirt, commands):
    """virsh commands, in two processes."""
    parts = [commands[i::2] for i in range(2)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda part: libvirt.virsh("; ".join(part), check=False, timeout=180) if part else (0, "", ""), parts))
    for status, _, errors in results:
        if status != 0:
            raise LabError(errors)


def define(libvirt, names):
    for name in names:
        with open(libvirt.path(f"{name}.xml"), "w") as f:
            f.write(libvirt.container_xml(name, str(uuid.uuid4()), "a" if is_wired(name) else None))
    at_once(libvirt, [f"define {libvirt.path(n)}.xml" for n in names])


def clear(lab, libvirt):
    """All stopped, and undefined."""
    at_once(libvirt, [f"destroy {n}" for n, state in truth(libvirt).items() if state == "running"])
    settled(lab, libvirt)
    at_once(libvirt, [f"undefine {n}" for n in truth(libvirt)])
    settled(lab, libvirt)
    assert shown(lab) == {} and lab.vnetd.rows("port") == []


def names_in_ovs(host):
    """Of all ports and of all interfaces in the host's database."""
    return [sorted(host.vsctl("--bare", "--columns=name", "list", table).split()) for table in ("port", "interface")]


def hooks_that_run(host):
    return [line for line in host.run("sh", "-c", "cat /proc/[0-9]*/comm 2>/dev/null").splitlines() if line == "vnet-hook"]


def test_guests_come_and_go(lab, libvirt, seed, soak, tell):
    rng = random.Random(seed)
    host, agent = lab["hv1"], lab["hv1"].vnet_agent
    n_bursts, one_in, numbers = (4, 1, iter(range(100_000))) if soak else (2, ONE_IN, iter(range(100_000)))
    empty = names_in_ovs(host)

    def burst(n):
        """So many come; of half of them, in another order, each goes again, and of half of these also the definition."""
        part = [f"{'wired' if i % one_in == 0 else 'plain'}{seed % 1000}-{next(numbers)}" for i in range(n)]
        define(libvirt, part)
        at_once(libvirt, [f"start {name}" for name in part])
        rng.shuffle(part)
        half = part[:n // 2]
        at_once(libvirt, [f"destroy {name}" for name in half] + [f"undefine {name}" for name in half[::2]])

    def come_and_go():
        """Heap in use and open files of the agent, while there are many and after that."""
        for _ in range(n_bursts):
            burst(BURST)
        settled(lab, libvirt)
        left = truth(libvirt)
        assert len(left) > n_bursts * BURST / 2 and set(left.values()) == {"running", "off"}
        one = next(name for name, state in left.items() if state == "running" and is_wired(name))
        assert [operation for operation, _ in libvirt.hook_calls(one)] == ["prepare", "start", "started"]
        expect_verify_clean(lab)
        n_files = agent.n_open_files()
        clear(lab, libvirt)
        assert names_in_ovs(host) == empty
        assert hooks_that_run(host) == []
        return settled_heap(lab, "hv1"), n_files

    heaps = [come_and_go()[0]]                             # what is allocated once is allocated
    files = agent.n_open_files()

    def grown():
        """In the last round. What is lost with each guest is so in each round; what has room for more than ever before is so once."""
        return heaps[-1] - heaps[-2]

    for _ in range(3 if soak else 1):
        for _ in range(ROUNDS_MAX):
            heap, most_files = come_and_go()
            heaps.append(heap)
            if grown() < GROWTH:
                break
        assert grown() < GROWTH, f"the agent's heap in use after rounds of {n_bursts * BURST} guests: {heaps} bytes"
        wait_until(lambda: agent.n_open_files() <= files, 30, f"the agent's open files ({files}) are back")
    tell(f"agent's heap in use after rounds of {n_bursts * BURST} guests: {heaps} bytes; open files {files}, with them {most_files}, {agent.n_open_files()}")
    expect_verify_clean(lab)
