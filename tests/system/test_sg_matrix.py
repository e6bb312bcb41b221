"""Random rules against every kind of packet on every kind of way: what passes is what a model says that shares nothing with vnetd, and the
server sees the client as it should. The model is in sg_model.py."""
import collections
import concurrent.futures
import itertools
import random
import time

import pytest

from lab import wait_until
from lab.outside import CLIENT_IP
from lab.procs import call_all
from public import OUTSIDE, UPLINK, address, attach, expect_answers, make_pool
from sg_model import ICMP_TYPES, NUMBERS, Network, Rule, Way, random_rules
from support import SwitchControl, expect_verify_clean

LAB = {"hosts": 2, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK}, "gateways": ("hv1",)}
# name: subnet, host, elastic IP. Those of subnet t reach the outside through a NAT gateway, b not at all.
VMS = {"a": ("s", "hv1", address(11)), "b": ("s", "hv1", None), "c": ("s", "hv2", address(12)), "d": ("t", "hv2", None), "e": ("t", "hv1", None)}
NAT = address(13)
# Name: its address, its elastic IP, {what is dialled: {target: its port}}. In "many" a client's source says which one of the targets is its own.
BALANCERS = {"one": ("10.0.1.200", address(14), {("tcp", 80): {"d": 443}, ("udp", 53): {"c": 81}}),
             "many": ("10.0.1.201", address(15), {("tcp", 443): {"a": 53, "c": 80, "e": 443}, ("udp", 80): {"a": 80, "c": 443, "e": 53}})}
PORTS, CLOSED = [53, 80, 81, 443], 82
GROUPS = ["v", "g1", "g2", "g3"]
FIRST_PROTOCOL, N_PROTOCOLS = 150, 80
ROUNDS = 25


class Scene:
    def __init__(self, lab):
        self.lab = lab
        make_pool(lab)
        lab.ctl.batch(["vpc-add v 10.0.0.0/16", "igw-add v", "rtb-add v out", "route-add out 0.0.0.0/0 igw", "subnet-add v s 10.0.1.0/24 rtb=out",
                       "subnet-add v t 10.0.2.0/24", "natgw-add s n", "route-add v 0.0.0.0/0 natgw:n"]
                      + [f"sg-add v {g}" for g in GROUPS[1:]])
        self.guests = {g.name: g for g in lab.vms([f"{s}:{n}@{h}" for n, (s, h, _) in VMS.items()], dhcp=None, port="sg=none")}
        for name, (ip, _, listeners) in BALANCERS.items():
            lab.ctl.batch([f"lb-add s {name} ip={ip} affinity={'source' if name == 'many' else 'none'}"])
            for (proto, port), targets in listeners.items():
                lab.ctl.batch([f"tg-add v {name}-{proto} {proto} 1 check=none", f"listener-add {name} {proto}:{port} {name}-{proto}"]
                              + [f"target-add {name}-{proto} {target} target_port={target_port}" for target, target_port in targets.items()])
        for name, (_, _, eip) in VMS.items():
            if eip:
                attach(lab.ctl, eip, name)
        attach(lab.ctl, NAT, "natgw:n")
        for name, (_, public, _) in BALANCERS.items():
            attach(lab.ctl, public, f"lb:{name}")
        self.agents = {**{n: g.agent for n, g in self.guests.items()}, "outside": lab.outside.agent}
        self.ip = {n: g.ip for n, g in self.guests.items()}
        protocols = list(range(FIRST_PROTOCOL, FIRST_PROTOCOL + N_PROTOCOLS))
        for name, agent in self.agents.items():
            agent.run("sysctl", "-q", "-w", "net.ipv4.icmp_ratelimit=0", "net.ipv4.icmp_msgs_per_sec=100000", "net.ipv4.icmp_msgs_burst=10000",
                      check=False)
            agent.call("start_answerer", name=name, ports=PORTS, protocols=protocols)
        expect_answers(lab, [eip for _, _, eip in VMS.values() if eip])
        self.members = {}
        self.chosen = {}                # {(client, dialled, proto, port): target}
        self.balanced_ports = itertools.cycle(range(10000, 30000))
        self.pool = concurrent.futures.ThreadPoolExecutor()
        self.switches = [SwitchControl(h) for h in lab.hosts.values()]
        self._learn()

    def _learn(self):
        """Who is chosen for each client where there are several, as long as everything passes."""
        for name, client, dialled, _ in self.balanced_pairs():
            for (proto, port), targets in BALANCERS[name][2].items():
                if len(targets) > 1:
                    (answer,) = self.agents[client].call("ask", questions=[[proto, dialled, port, next(self.balanced_ports)]], wanted=[0])
                    assert answer and answer.split()[0] in targets, f"{client} -> {dialled} {proto}:{port}: {answer}"
                    self.chosen[client, dialled, proto, port] = answer.split()[0]

    # -- all ways there are --

    def public_source(self, name):
        if name == "outside":
            return CLIENT_IP
        subnet, _, eip = VMS[name]
        return NAT if subnet == "t" else eip

    def pairs(self):
        """(client, dialled, server, seen as, place)"""
        for client in self.agents:
            public = self.public_source(client)
            for server, (subnet, host, eip) in VMS.items():
                if server == client:
                    continue
                if client != "outside":
                    near = "same host" if VMS[client][1] == host else "other host"
                    yield client, self.ip[server], server, self.ip[client], f"{near}, subnet {VMS[client][0]} to {subnet}"
                if eip and public:
                    yield client, eip, server, public, "elastic IP"
            if client != "outside" and public:
                yield client, CLIENT_IP, "outside", public, "out"

    def ways(self, protocols):
        """An IP protocol without ports is asked for in one direction only: it has one connection for both. Not through a NAT gateway,
        which has nothing to tell clients apart by."""
        order = list(self.agents)
        for client, dialled, server, seen, place in self.pairs():
            for port in (*PORTS, CLOSED):
                yield Way(client, dialled, "tcp", port, server, seen, place=place)
                yield Way(client, dialled, "udp", port, server, seen, place=place)
            for question in ICMP_TYPES:
                yield Way(client, dialled, question, 0, server, seen, place=place)
            if seen != NAT:
                yield Way(client, dialled, protocols[order.index(client) < order.index(server)], 0, server, seen, place=place)
        yield from self.balanced_ways()

    def balanced_ways(self):
        for name, client, dialled, seen in self.balanced_pairs():
            for (proto, port), targets in BALANCERS[name][2].items():
                target = next(iter(targets)) if len(targets) == 1 else self.chosen[client, dialled, proto, port]
                itself = client == target and seen == self.ip[client]
                place = "balancer" if seen != self.public_source(client) else "balancer's elastic IP"
                yield Way(client, dialled, proto, port, target, dialled if itself else seen, targets[target], f"{place}, to itself" if itself else place)

    def balanced_pairs(self):
        """(balancer, client, dialled, from where)"""
        for name, (ip, public_ip, _) in BALANCERS.items():
            for client in self.agents:
                if client != "outside":
                    yield name, client, ip, self.ip[client]
                if public := self.public_source(client):
                    yield name, client, public_ip, public

    # -- rules --

    def apply(self, members, rules):
        """All in one transaction; what was before goes, also from the switches' caches."""
        old = [f"sg-rule-del {r['id']}" for r in self.lab.vnetd.rows("sg-rule")]
        groups = [f"set port {n} sg={','.join(g) if g is not None else 'none'}" for n, (_, g) in members.items()
                  if members[n] != self.members.get(n)]
        self.lab.ctl.batch(old + [r.command() for r in rules] + groups)
        self.lab.ctl("--wait=hosts", "sync")
        list(self.pool.map(lambda switch: switch.ask("revalidator/wait"), self.switches))
        self.members = members

    def source_port(self, way):
        """Balanced connections have ports of their own: a target could not tell a client that comes by the balancer's elastic IP from the
        same one that comes, from the same port, by the target's own."""
        return next(self.balanced_ports) if way.place.startswith("balancer") else 0

    def ask(self, ways, network):
        """{way: answer}, all clients at once."""
        by_client = {c: [w for w in ways if w.client == c] for c in self.agents}
        requests = [(self.agents[c], "ask", {"questions": [[str(w.proto), w.dialled, w.port, self.source_port(w)] for w in mine],
                                             "wanted": [i for i, w in enumerate(mine) if network.passes(w)]}) for c, mine in by_client.items()]
        answers = call_all(requests)
        return {w: a for mine, words in zip(by_client.values(), answers) for w, a in zip(mine, words)}

    def check(self, rules, protocols):
        network = Network(self.members, rules)
        ways = list(self.ways(protocols))
        answers = self.ask(ways, network)
        wrong = [(w, expected(w, network), answers[w]) for w in ways if answers[w] != expected(w, network)]
        assert not wrong, "\n".join([f"{len(wrong)} of {len(ways)} ways are wrong", *(f"{w}: expected {e!r}, got {g!r}" for w, e, g in wrong[:12]),
                                     f"groups: { {n: g for n, (_, g) in self.members.items()} }", *map(str, rules)])
        return collections.Counter((kind, network.passes(w)) for w in ways for kind in (w.place, f"by {w.proto if w.proto in NUMBERS else 'number'}"))


def expected(way, network):
    if not network.passes(way):
        return None
    if way.proto in ICMP_TYPES:
        return "reply"
    return "refused" if way.server_port == CLOSED else f"{way.server} {way.seen_as}"


@pytest.fixture(scope="module")
def scene(lab):
    return Scene(lab)


def test_without_groups_everything_passes(scene):
    scene.apply({n: (ip, None) for n, ip in scene.ip.items()}, [])
    assert set(scene.chosen.values()) == {"a", "c", "e"}, f"each target is somebody's: {scene.chosen}"
    assert all(passes for _, passes in scene.check([], (FIRST_PROTOCOL, FIRST_PROTOCOL + 1)))


def test_the_default_group_lets_its_members_in_and_nobody_else(scene):
    rules = [Rule("v", "ingress", "all", "-", "sg:v"), Rule("v", "egress", "all", "-", "0.0.0.0/0")]
    scene.apply({n: (ip, ("v",) if n in "acd" else None) for n, ip in scene.ip.items()}, rules)
    scene.check(rules, (FIRST_PROTOCOL + 2, FIRST_PROTOCOL + 3))


def random_members(rng, scene):
    return {n: (ip, None if rng.random() < 0.15 else tuple(rng.sample(GROUPS, rng.choice([1, 1, 2, 3])))) for n, ip in scene.ip.items()}


def test_random_rules_let_pass_what_the_model_says(lab, scene, seed, soak, tell):
    rng = random.Random(seed)
    addresses = [*scene.ip.values(), *(e for _, _, e in VMS.values() if e), NAT, *(ip for balancer in BALANCERS.values() for ip in balancer[:2]),
                 CLIENT_IP, CLIENT_IP]
    seen = collections.Counter()
    begun = time.monotonic()
    for number in range(ROUNDS * 10 if soak else ROUNDS):
        base = FIRST_PROTOCOL + 4 + number * 2 % (N_PROTOCOLS - 4)
        rules = random_rules(rng, GROUPS, [base, base + 1], PORTS, addresses)
        scene.apply(random_members(rng, scene), rules)
        seen += scene.check(rules, (base, base + 1))
    lab.ready()
    expect_verify_clean(lab)
    total, passing = seen.total() // 2, sum(n for (_, passes), n in seen.items() if passes) // 2      # by place, and by protocol
    tell(f"{total} ways in {time.monotonic() - begun:.0f} s, {passing} let pass")
    assert 0.05 < passing / total < 0.95, "rules that allow all, or nothing, show nothing"
    assert [kind for kind, _ in seen if not (seen[kind, True] and seen[kind, False])] == [], "on each kind of way, by each protocol, some pass and some do not"
