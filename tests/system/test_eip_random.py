"""Random sequences of all that may happen to elastic IPs. After each step the addresses that answer the outside are exactly those attached to
a VM that is there and can be served; nothing is left to mend, and a fresh compilation gives the same (both by `verify`)."""
import random

import pytest

from lab import wait_until
from public import NAME_PORT, OUTSIDE, UPLINK, address, make_pool, make_vpc
from support import expect_verify_clean

LAB = {"hosts": 4, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK, "hv2": UPLINK, "hv3": UPLINK}, "gateways": ("hv2", "hv3")}
ADDRESSES = [address(n) for n in range(11, 19)]
STEPS = 30


class World:
    """What is, in a user's words, and all that may happen to it. `say` collects what was done, for whoever has to repeat it."""

    def __init__(self, lab, rng):
        self.lab, self.rng = lab, rng
        self.guests = {g.name: g for g in lab.vms([f"s:p{n}@hv{1 + n % 4}" for n in range(6)], port="sg=none")}
        for g in self.guests.values():
            g.agent.call("start_udp_server", port=NAME_PORT, name=g.name)
        self.plugged = set(self.guests)
        self.attached, self.free = {}, set()       # address -> port or None; never allocated or released
        self.free = set(ADDRESSES)
        self.dead, self.said = None, []

    def say(self, text):
        self.said.append(text)

    # -- what may happen: each answers False if it cannot just now --

    def allocate(self):
        if not self.free:
            return False
        ip = self.rng.choice(sorted(self.free))
        self.lab.ctl("eip-add", "inet", ip)
        self.free.remove(ip)
        self.attached[ip] = None
        return f"allocated {ip}"

    def release(self):
        idle = sorted(ip for ip, port in self.attached.items() if port is None)
        if not idle:
            return False
        ip = self.rng.choice(idle)
        self.lab.ctl("eip-del", ip)
        del self.attached[ip]
        self.free.add(ip)
        return f"released {ip}"

    def attach(self):
        idle = sorted(ip for ip, port in self.attached.items() if port is None)
        bare = sorted(set(self.guests) - set(self.attached.values()))
        if not idle or not bare:
            return False
        ip, port = self.rng.choice(idle), self.rng.choice(bare)
        self.lab.ctl("eip-attach", ip, port)
        self.attached[ip] = port
        return f"attached {ip} to {port}"

    def detach(self):
        busy = sorted(ip for ip, port in self.attached.items() if port)
        if not busy:
            return False
        ip = self.rng.choice(busy)
        self.lab.ctl("eip-detach", ip)
        self.attached[ip] = None
        return f"detached {ip}"

    def give(self):
        busy = sorted(ip for ip, port in self.attached.items() if port)
        bare = sorted(set(self.guests) - set(self.attached.values()))
        if not busy or not bare:
            return False
        ip, port = self.rng.choice(busy), self.rng.choice(bare)
        self.lab.ctl("--move", "eip-attach", ip, port)
        self.attached[ip] = port
        return f"gave {ip} to {port}"

    def move_vm(self):
        name = self.rng.choice(sorted(self.guests))
        guest = self.guests[name]
        there = self.rng.choice([h for n, h in self.lab.hosts.items() if h is not guest.host and n != self.dead])
        if guest.host.name == self.dead or name not in self.plugged:
            return False
        guest.move(there)
        return f"moved {name} to {there.name}"

    def unplug_vm(self):
        name = self.rng.choice(sorted(self.guests))
        guest = self.guests[name]
        if guest.host.name == self.dead:
            return False
        if name in self.plugged:
            guest.host.unplug([guest])
            self.plugged.remove(name)
            return f"unplugged {name}"
        guest.host.plug([guest])
        self.plugged.add(name)
        return f"plugged {name}"

    def lose_host(self):
        if self.dead:
            host = self.lab[self.dead]
            host.start_vswitchd()
            host.learn_tunnel_neighbours(self.lab.hosts.values())
            self.dead = None
            return f"{host.name} is back"
        self.dead = self.rng.choice(["hv1", "hv2", "hv3", "hv4"])
        self.lab[self.dead].kill_vswitchd()
        return f"lost {self.dead}"

    def restart_vnetd(self):
        self.lab.vnetd.kill(self.rng.choice(["TERM", "KILL"]))
        self.lab.vnetd.start()
        return "restarted vnetd"

    def step(self):
        kinds = [self.allocate, self.attach, self.attach, self.detach, self.give, self.release, self.move_vm, self.move_vm, self.unplug_vm,
                 self.lose_host]
        if self.rng.random() < 0.05:
            kinds = [self.restart_vnetd]
        while not (text := self.rng.choice(kinds)()):
            pass
        self.say(text)

    # -- what should be --

    def expected(self):
        """{address: name of the VM that answers}. With one gateway dead the other serves."""
        return {ip: port for ip, port in self.attached.items()
                if port in self.plugged and self.guests[port].host.name != self.dead}

    def answering(self):
        names = self.lab.outside.who_answers(ADDRESSES, NAME_PORT, timeout=0.25, tries=2)
        return {ip: name for ip, name in zip(ADDRESSES, names) if name}

    def check(self):
        expected, seen = self.expected(), {}

        def as_expected():
            seen.clear()
            seen.update(self.answering())
            return seen == expected
        try:
            wait_until(as_expected, 15, "exactly the attached addresses answer")
            self.check_arp()
            if not self.dead:
                self.lab.ready()
                expect_verify_clean(self.lab)
        except Exception as e:
            raise AssertionError(f"{e}; expected {expected}, seen {seen}, dead: {self.dead}\n" + "\n".join(self.said)) from e

    def check_arp(self):
        """A dead host's VM may still have its address held by a gateway that waits for it; nobody else's, and never two."""
        answers = self.lab.outside.arp_ask(ADDRESSES, "public", timeout=0.15)
        claimed = {ip for ip, port in self.attached.items() if port}
        assert set(self.expected()) <= set(answers) <= claimed, answers
        assert all(len(macs) == 1 for macs in answers.values()), answers


@pytest.fixture(scope="module")
def network(lab):
    make_pool(lab)
    make_vpc(lab.ctl)


def test_random_sequences_end_as_if_they_had_been_said_at_once(lab, network, seed, soak):
    world = World(lab, random.Random(seed))
    for ip in ADDRESSES[:4]:
        lab.ctl("eip-add", "inet", ip)
        world.free.remove(ip)
        world.attached[ip] = None
    for _ in range(STEPS * 20 if soak else STEPS):
        world.step()
        world.check()
    if world.dead:
        world.say(world.lose_host())
    print("\n".join(world.said[-5:]))


def test_bursts_without_a_wait_end_the_same(lab, network, seed, soak):
    """Many changes before anybody looks: what counts is where they end."""
    for name in [r["name"] for r in lab.vnetd.rows("eip")]:
        row = next(r for r in lab.vnetd.rows("eip") if r["name"] == name)
        lab.ctl(*(["eip-detach", name, "--"] if row["attached"] else []), "eip-del", name)
    for host in lab.hosts.values():
        host.remove_guests(host.guests)
    lab.ctl.batch([f"port-del {r['name']}" for r in lab.vnetd.rows("port")])
    world = World(lab, random.Random(f"{seed}/burst"))
    for _ in range(60 if soak else 5):
        for _ in range(12):
            world.step()
        if world.dead:
            world.say(world.lose_host())
        world.check()
