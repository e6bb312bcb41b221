"""Random sequences of all that may happen to elastic IPs and a NAT gateway. After each step the addresses that answer the outside are exactly those attached
to a VM that is there and can be served, and the private VMs that reach the outside those that the NAT gateway can serve; on hosts that are there nothing is left to
mend, and a fresh compilation gives the same (both by `verify`)."""
import random

import pytest

from gateways import die, rise
from lab import wait_until
from lab.outside import CLIENT_IP
from lab.procs import call_all
from public import NAME_PORT, OUTSIDE, UPLINK, address, attach, make_pool, make_vpc

LAB = {"hosts": 4, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK, "hv2": UPLINK, "hv3": UPLINK}, "gateways": ("hv2", "hv3")}
ADDRESSES = [address(n) for n in range(11, 19)]
NAT = address(31)
PRIVATE = ["y:q0@hv1", "y:q1@hv3", "y:q2@hv4"]
STEPS = 30


class World:
    """What is, in a user's words, and all that may happen to it. `say` collects what was done, for whoever has to repeat it."""

    def __init__(self, lab, rng):
        self.lab, self.rng = lab, rng
        everybody = {g.name: g for g in lab.vms([f"s:p{n}@hv{1 + n % 4}" for n in range(6)] + PRIVATE, port="sg=none")}
        self.private = {name: g for name, g in everybody.items() if name.startswith("q")}
        self.guests = {name: g for name, g in everybody.items() if name not in self.private}
        for g in self.guests.values():
            g.agent.call("start_udp_server", port=NAME_PORT, name=g.name)
        self.everybody, self.plugged = everybody, set(everybody)
        attach(lab.ctl, NAT, "natgw:n")
        self.has_nat = True
        self.attached, self.free = {}, set()       # address -> port or None; never allocated or released
        self.free = set(ADDRESSES)
        self.dead, self.how, self.said = None, None, []     # a host that is lost, and how

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

    def switch_nat(self):
        self.lab.ctl(*(["eip-detach", NAT] if self.has_nat else ["eip-attach", NAT, "natgw:n"]))
        self.has_nat = not self.has_nat
        return f"{'attached' if self.has_nat else 'detached'} the NAT gateway's address"

    def move_vm(self):
        name = self.rng.choice(sorted(self.everybody))
        guest = self.everybody[name]
        there = self.rng.choice([h for n, h in self.lab.hosts.items() if h is not guest.host and n != self.dead])
        if guest.host.name == self.dead or name not in self.plugged:
            return False
        guest.move(there)
        return f"moved {name} to {there.name}"

    def unplug_vm(self):
        name = self.rng.choice(sorted(self.everybody))
        guest = self.everybody[name]
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
            rise(self.lab, host, self.how)
            self.dead = None
            return f"{host.name} is back"
        self.dead, self.how = self.rng.choice(["hv1", "hv2", "hv3", "hv4"]), self.rng.choice(["vswitchd", "underlay"])
        die(self.lab, self.lab[self.dead], self.how)
        return f"lost {self.dead} ({self.how})"

    def restart_vnetd(self):
        self.lab.vnetd.kill(self.rng.choice(["TERM", "KILL"]))
        self.lab.vnetd.start()
        return "restarted vnetd"

    def step(self):
        kinds = [self.allocate, self.attach, self.attach, self.detach, self.give, self.release, self.move_vm, self.move_vm, self.unplug_vm,
                 self.lose_host, self.lose_host, self.switch_nat]
        if self.rng.random() < 0.05:
            kinds = [self.restart_vnetd]
        while not (text := self.rng.choice(kinds)()):
            pass
        self.say(text)

    # -- what should be --

    def can_be_served(self, port):
        """With one gateway dead the other serves. A host that has lost only its underlay serves its own VMs, if it has an uplink."""
        host = self.guests[port].host
        return host.name != self.dead or (self.how == "underlay" and "public" in host.uplinks)

    def expected(self):
        """{address: name of the VM that answers}."""
        return {ip: port for ip, port in self.attached.items() if port in self.plugged and self.can_be_served(port)}

    def expected_out(self):
        """{private VM: does it reach the outside}. Its NAT gateway is never on a host that is lost, so from there it is out of reach."""
        return {name: self.has_nat and name in self.plugged and g.host.name != self.dead for name, g in self.private.items()}

    def look(self):
        """All ask at once: what expected() and expected_out() are about, as it is."""
        names, *words = call_all([(self.lab.outside.agent, "udp_ask", {"ips": ADDRESSES, "port": NAME_PORT, "timeout": 0.25, "tries": 2})]
                                 + [(g.agent, "ping", {"targets": [CLIENT_IP], "timeout": 0.3}) for g in self.private.values()])
        return {ip: name for ip, name in zip(ADDRESSES, names) if name}, {name: word == ["reply"] for name, word in zip(self.private, words)}

    def check(self):
        expected, seen = (self.expected(), self.expected_out()), []

        def as_expected():
            seen[:] = self.look()
            return tuple(seen) == expected
        try:
            wait_until(as_expected, 30, "exactly the attached addresses answer, and exactly the private VMs that can be served reach the outside")
            self.check_arp()
            self.check_hosts()
        except Exception as e:
            raise AssertionError(f"{e}; expected {expected}, seen {seen}, dead: {self.dead} ({self.how})\n" + "\n".join(self.said)) from e

    def check_hosts(self):
        """65: of those that could be looked at nothing differs."""
        away = [self.dead] if self.dead and self.how == "vswitchd" else []
        self.lab.ready(*[name for name in self.lab.hosts if name not in away])
        status, text, errors = self.lab.ctl.run("verify")
        assert status == (65 if away else 0), f"verify: {status}: {text} {errors}"
        assert not [line for line in errors.splitlines() if away and away[0] not in line], errors

    def check_arp(self):
        """A dead host's VM may still have its address held by a gateway that waits for it; nobody else's, and never two."""
        answers = self.lab.outside.arp_ask([*ADDRESSES, NAT], "public", timeout=0.15)
        claimed = {ip for ip, port in self.attached.items() if port}
        assert (NAT in answers) == self.has_nat
        assert set(self.expected()) <= set(answers) - {NAT} <= claimed, answers
        assert all(len(macs) == 1 for macs in answers.values()), answers


@pytest.fixture(scope="module")
def network(lab):
    make_pool(lab)
    make_vpc(lab.ctl)
    lab.ctl.batch(["rtb-add v private", "subnet-add v y 10.0.9.0/24 rtb=private", "natgw-add s n", "route-add private 0.0.0.0/0 natgw:n"])


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
