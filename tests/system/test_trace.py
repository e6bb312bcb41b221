"""`vnetctl trace` says what the switches themselves say (ovs-appctl ofproto/trace), for many random packets."""
import json
import random
import re

import pytest

from lab import wait_until
from lab.outside import CLIENT_IP, FAR_IP
from model import Topology
from public import OUTSIDE, UPLINK, address, attach, expect_answers, make_pool, make_vpc
from support import SwitchControl

LAB = {"hosts": 3, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK}, "gateways": ("hv1",)}
PACKETS, PUBLIC_PACKETS = 500, 100
TABLE = re.compile(r"^\s*(\d+)\. ")
TUNNEL = re.compile(r"tnl_push\(.*?dst=([\d.]+),.*?vni=0x([0-9a-f]+)", re.S)
SET = re.compile(r"set\((eth|ipv4)\(([^)]*)\)\)")
FIELDS = {("eth", "src"): "dl_src", ("eth", "dst"): "dl_dst", ("ipv4", "src"): "nw_src", ("ipv4", "dst"): "nw_dst", ("ipv4", "ttl"): "nw_ttl"}


def tables_visited(text):
    """Tables of br-int in the order of visits. Where the packet's size decides, the switch shows the way of a big packet first and
    then that of a small one; ours is small, so the first goes."""
    tables, bridge, checks = [], "", []
    for line in text.splitlines():
        if line.startswith("bridge("):
            bridge = line
        elif "check_pkt_larger" in line:
            checks.append(len(tables))
        elif bridge == 'bridge("br-int")' and (found := TABLE.match(line)):
            tables.append(int(found[1]))
    for checked_at in reversed([at for at in checks if tables[at:]]):
        first_after = tables[checked_at]
        again = len(tables) - 1 - tables[::-1].index(first_after)
        tables = tables[:checked_at] + tables[again:]
    return tables


def closing(text, at):
    """Where the parenthesis that opens at 'at' is closed."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if not depth:
            return i
    raise AssertionError(text)


def of_small_packets(actions):
    """The datapath's actions; where the packet's size decides, those for a small one."""
    while (at := actions.find("check_pkt_len(")) >= 0:
        big = actions.index("gt(", at) + 2
        small = actions.index("(", closing(actions, big))
        actions = actions[:at] + actions[small + 1:closing(actions, small)] + actions[closing(actions, at + len("check_pkt_len")) + 1:]
    return actions


class Switches:
    """All hosts' switches, asked over their control sockets; knows port numbers."""

    def __init__(self, lab):
        self.hosts = lab.hosts
        self.control = {name: SwitchControl(h) for name, h in lab.hosts.items()}
        self.texts = []                 # what the switches said, since it was last emptied
        self.by_tunnel_ip = {h.tunnel_ip: name for name, h in lab.hosts.items()}
        self.datapath_ports, self.ofports = {}, {}
        for name, control in self.control.items():
            listing = re.findall(r"^\s+(\S+) (\d+)/(\d+|none):", control.ask("dpif/show"), re.M)
            self.datapath_ports[name] = {int(dp): port for port, _, dp in listing if dp != "none"}
            self.ofports[name] = {port: int(of) for port, of, _ in listing}

    def tunnel_ofport(self, name):
        lines = re.findall(r"^\s+(\S+) (\d+)/\d+: \((?:geneve|vxlan)", self.control[name].ask("dpif/show"), re.M)
        assert lines, f"no tunnel port on {name}"
        return int(lines[0][1])

    def follow(self, name, flow):
        """[(host, tables, outcome)] of a packet; outcome: ('port', interface) | ('tunnel', host) | ('drop',) | ('controller',)."""
        text = self.control[name].ask("ofproto/trace", "br-int", flow)
        self.texts.append(text)
        actions = of_small_packets(re.search(r"^Datapath actions: (.*)$", text, re.M)[1])
        outcome = self.outcome(name, actions)
        steps = [(name, tables_visited(text), outcome)]
        if outcome[0] == "tunnel":
            steps += self.follow(outcome[1], self.as_received(name, outcome, flow, actions))
        return steps

    def as_received(self, name, outcome, flow, actions):
        """The flow as the other host's switch gets it: what the first one rewrote, and the tunnel's fields."""
        inner = re.sub(r"in_port=\d+", f"in_port={self.tunnel_ofport(outcome[1])}", flow.partition(",tun_src=")[0])
        for header, values in SET.findall(actions.partition("tnl_push(")[0]):
            for key, value in (pair.split("=") for pair in values.split(",")):
                inner = re.sub(rf"\b{FIELDS[header, key]}=[0-9a-f:.]+", f"{FIELDS[header, key]}={value}", inner)
        here, there = self.hosts[name].tunnel_ip, self.hosts[outcome[1]].tunnel_ip
        return f"{inner},tun_src={here},tun_dst={there},tun_id={outcome[2]}"

    def outcome(self, name, actions):
        tunnel = TUNNEL.search(actions)
        if tunnel:
            return "tunnel", self.by_tunnel_ip[tunnel[1]], int(tunnel[2], 16)
        if "userspace(" in actions or "controller" in actions:
            return ("controller",)
        out = re.findall(r"(?:^|,)(\d+)(?=$|,)", actions)
        if out:
            return "port", self.datapath_ports[name][int(out[-1])]
        return ("drop",)


@pytest.fixture(scope="module")
def scene(lab):
    """A random topology; guests plugged without DHCP, since only the switches are asked. Without security groups: ofproto/trace has no
    connection, so what looks at its original addresses never matches there (tests/unit/test_sg.c judges those)."""
    rng = random.Random(4711)
    topology = Topology(rng, list(lab.hosts), n_vpcs=4)
    for tenant in {v.tenant for v in topology.vpcs} - {"default"}:
        lab.ctl("tenant-add", tenant)
    guests = {}
    for tenant, lines in topology.commands(port="sg=none").items():
        ctl = lab.ctl.as_tenant(tenant)
        ctl.batch(lines)
        mine = [p for p in topology.ports() if p.vpc.tenant == tenant]
        made = lab.vms([f"{p.subnet.name}:{p.name}@{p.host}" for p in mine], dhcp=None, tenant=tenant, add=False)
        guests.update(zip(mine, made))
    lab.ctl("--wait=hosts", "sync")
    some = next(iter(guests.values()))
    gateway = str(next(iter(guests)).subnet.network.network_address + 1)
    wait_until(lambda: some.ping(gateway) == "reply", 5, "the gateway answers")
    words = some.run("ip", "neigh", "show", gateway).split()
    return topology, guests, words[words.index("lladdr") + 1]


def destination_mac(port, ip, guests, router):
    """As ARP would tell; None: its ARP is not answered, so there is no such packet."""
    if ip not in port.subnet.network:
        return router
    other = next((p for p in port.subnet.ports if p.ip == ip), None)
    return guests[other].mac if other else None


def l4_text(proto, number):
    return {"icmp": "icmp,icmp_type=8,icmp_code=0", "tcp": f"tcp,tcp_src=40000,tcp_dst={number}", "udp": f"udp,udp_src=40000,udp_dst={number}"}[proto]


def flow_text(port, guest, ip, mac, proto, number, ofport):
    return f"in_port={ofport},dl_src={guest.mac},dl_dst={mac},{l4_text(proto, number)},nw_src={port.ip},nw_dst={ip},nw_ttl=64"


def compare(hops, verdict, steps, ports_by_tap, own_tap, way_out=None):
    """'' or what differs. hops: vnetd's; steps: the switches'. way_out: the device that leads outside."""
    ours = {}
    for hop in hops:
        ours.setdefault(hop["host"], []).append(hop["table"])
    theirs = {host: tables for host, tables, _ in steps}
    if list(ours.items()) != list(theirs.items()):
        return f"tables {ours} against {theirs}"
    outcome = steps[-1][2]
    if outcome == ("port", own_tap) or outcome[0] == "controller":
        fits = verdict == "answered" or verdict.startswith("dropped")      # e.g. no route: refused with an answer
    elif way_out and outcome == ("port", way_out):
        fits = verdict == "left inet"
    elif outcome[0] == "port":
        fits = verdict == f"delivered {ports_by_tap.get(outcome[1])}"
    else:
        fits = verdict.startswith("dropped")
    return "" if fits else f"verdict '{verdict}', the switch says {outcome}"


def test_trace_agrees_with_the_switches_for_random_packets(lab, scene, seed, soak):
    topology, guests, router = scene
    rng = random.Random(seed)
    switches = Switches(lab)
    ports_by_tap = {g.tap: p.name for p, g in guests.items()}
    targets = topology.targets()
    wrong, kinds, asked = [], {}, 0
    while asked < PACKETS * (10 if soak else 1):
        port = rng.choice(list(guests))
        guest, ip = guests[port], rng.choice([t for t in targets if t != port.ip])
        if rng.random() < 0.5:
            ip = rng.choice([p for p in port.vpc.ports() if p is not port] or [port]).ip
        mac = destination_mac(port, ip, guests, router)
        if mac is None or ip == port.ip:
            continue
        asked += 1
        proto, number = rng.choice(["icmp", "tcp", "udp"]), rng.randint(1, 65535)
        packet = {"proto": proto, "dst": str(ip)} | ({} if proto == "icmp" else {"port": number})
        status, text = lab.vnetd.http("POST", f"/v1/trace?tenant={port.vpc.tenant}", {"from": port.name, "packet": packet})
        assert status == 200, text
        answer = json.loads(text)
        flow = flow_text(port, guest, ip, mac, proto, number, switches.ofports[guest.host.name][guest.tap])
        steps = switches.follow(guest.host.name, flow)
        kinds[answer["verdict"].split()[0]] = kinds.get(answer["verdict"].split()[0], 0) + 1
        difference = compare(answer["hops"], answer["verdict"], steps, ports_by_tap, guest.tap)
        if difference:
            wrong.append(f"{port.name} {packet}: {difference}\n  {flow}")
    assert not wrong, f"{len(wrong)} of {asked}:\n" + "\n".join(wrong[:10])
    assert kinds.get("delivered", 0) > 50 and kinds.get("dropped", 0) > 20, kinds


@pytest.fixture(scope="module")
def public(lab, scene):
    """Guests with elastic IPs, all held by hv1, and one without: {guest: its elastic IP or None}."""
    make_pool(lab)
    make_vpc(lab.ctl, "out", ("near", "far"))
    guests = lab.vms(["near:o1@hv1", "near:o2@hv2", "far:o3@hv3", "far:o4@hv1", "near:bare@hv2"], dhcp=None, port="sg=none")
    eips = {g: address(10 + i) for i, g in enumerate(guests[:4])}
    for guest, ip in eips.items():
        attach(lab.ctl, ip, guest.name)
    expect_answers(lab, eips.values())
    return eips | {guests[4]: None}


def from_guest(rng, public, guest, router, ofport, rest):
    """('from' of /v1/trace, destination, the switch's flow) of a packet to another guest or to outside."""
    ip = rng.choice([CLIENT_IP, FAR_IP, "8.8.8.8", address(77)] + [ip for g, ip in public.items() if ip and g is not guest])
    return guest.name, ip, f"in_port={ofport},dl_src={guest.mac},dl_dst={router},{rest},nw_src={guest.ip},nw_dst={ip},nw_ttl=64"


def from_outside(lab, rng, public, macs, ofport, rest):
    source, ip = rng.choice([CLIENT_IP, FAR_IP, "8.8.8.8", "10.0.1.3"]), rng.choice([ip for ip in public.values() if ip])
    return f"inet:{source}", ip, (f"in_port={ofport},dl_src={lab.outside.router_mac('public')},dl_dst={macs[ip]},{rest},"
                                  f"nw_src={source},nw_dst={ip},nw_ttl=64")


def test_trace_agrees_with_the_switches_for_packets_of_elastic_ips(lab, scene, public, seed, soak):
    """One to one, both ways, without connections: what ofproto/trace can follow whole."""
    rng, switches, holder = random.Random(seed), Switches(lab), lab["hv1"]
    patch, = [port for port in switches.ofports["hv1"] if port.startswith("vp-")]
    way_out, = [port for port in holder.vsctl("list-ports", "br-ex").split() if not port.startswith("vq-")]
    macs, ports_by_tap = lab.outside.neighbours("public"), {g.tap: g.name for g in public}
    wrong, kinds = [], {}
    for _ in range(PUBLIC_PACKETS * (10 if soak else 1)):
        guest, proto, number = rng.choice([None] * 3 + [*public]), rng.choice(["icmp", "tcp", "udp"]), rng.randint(1, 65535)
        if guest:
            host, tap = guest.host.name, guest.tap
            origin, ip, flow = from_guest(rng, public, guest, scene[2], switches.ofports[host][tap], l4_text(proto, number))
        else:
            host, tap = "hv1", None
            origin, ip, flow = from_outside(lab, rng, public, macs, switches.ofports[host][patch], l4_text(proto, number))
        packet = {"proto": proto, "dst": ip} | ({} if proto == "icmp" else {"port": number})
        status, text = lab.vnetd.http("POST", "/v1/trace", {"from": origin, "packet": packet})
        assert status == 200, text
        answer = json.loads(text)
        kind = f"{'out' if guest else 'in'} {answer['verdict'].split()[0]}"
        kinds[kind] = kinds.get(kind, 0) + 1
        difference = compare(answer["hops"], answer["verdict"], switches.follow(host, flow), ports_by_tap, tap, way_out)
        if difference:
            wrong.append(f"{origin} {packet}: {difference}\n  {flow}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:10])
    assert {"out left", "out delivered", "in delivered", "in dropped"} <= set(kinds), kinds


def test_what_leaves_by_a_gateway_is_changed_there_alone(lab, scene, public):
    """Each header once, and at the VM's own host only the size is looked at. Nothing else that has the router's MAC leaves at the gateway."""
    switches, router = Switches(lab), scene[2]
    guest, bare = [next(g for g in public if g.name == name) for name in ("o2", "bare")]

    def follow(ttl):
        return switches.follow("hv2", f"in_port={switches.ofports['hv2'][guest.tap]},dl_src={guest.mac},dl_dst={router},{l4_text('udp', 53)},"
                                      f"nw_src={guest.ip},nw_dst={FAR_IP},nw_ttl={ttl}")

    _, _, (_, holder, vni) = follow(64)[0]
    own, there = [re.search(r"^Datapath actions: (.*)$", text, re.M)[1] for text in switches.texts]
    assert own.startswith("check_pkt_len(") and of_small_packets(own).startswith("tnl_push("), own
    macs = f"src={lab.outside.neighbours('public')[public[guest]]},dst={lab.outside.router_mac('public')}"
    assert SET.findall(there) == [("eth", macs), ("ipv4", f"src={public[guest]},ttl=63")], there
    assert "recirc(" not in own + there
    assert [outcome for _, _, outcome in follow(1)] == [("controller",)], "who has used up its time to live is told by its own host"

    def enter(source, number):
        return switches.follow(holder, f"in_port={switches.tunnel_ofport(holder)},dl_src={guest.mac},dl_dst={router},{l4_text('udp', 53)},nw_src={source},"
                                       f"nw_dst={FAR_IP},nw_ttl=64,tun_src={guest.host.tunnel_ip},tun_dst={lab[holder].tunnel_ip},tun_id={number}")[0][2]

    assert enter(guest.ip, vni)[0] == "port"
    assert enter(bare.ip, vni) == ("drop",), "it has no elastic IP"
    assert enter(guest.ip, vni + 1000) == ("drop",), "no such VPC"


def test_a_routed_packet_takes_at_most_twelve_lookups_and_no_connection_tracking(lab, scene):
    """On both hosts together, with each encapsulation, between ports without security groups."""
    lab.add_host("hv4", vnet_encap_type="vxlan")
    lab.ready()
    lab.ctl("vpc-add", "few", "10.0.0.0/16", "--", "subnet-add", "few", "fa", "10.0.1.0/24", "--", "subnet-add", "few", "fb", "10.0.2.0/24", "--",
            *" -- ".join(f"port-add {s} {p} sg=none" for s, p in (("fa", "f1"), ("fb", "f2"), ("fb", "f3"), ("fb", "f4"))).split())
    guests = lab.vms(["fa:f1@hv1", "fb:f2@hv1", "fb:f3@hv2", "fb:f4@hv4"], dhcp=None, add=False)
    lab.ctl("--wait=hosts", "sync")
    rows = {r["name"]: r for r in lab.ctl.list("port")}
    switches, (sender, *receivers) = Switches(lab), guests
    for receiver in receivers:
        for proto in ("tcp,tcp_src=40000,tcp_dst=80", "udp,udp_src=40000,udp_dst=53", "icmp,icmp_type=8,icmp_code=0"):
            switches.texts.clear()
            steps = switches.follow("hv1", f"in_port={switches.ofports['hv1'][sender.tap]},dl_src={sender.mac},dl_dst={scene[2]},{proto},"
                                           f"nw_src={rows['f1']['ip']},nw_dst={rows[receiver.name]['ip']},nw_ttl=64")
            assert steps[-1][2] == ("port", receiver.tap), steps
            assert len(steps) == 1 + (receiver.host.name != "hv1")
            assert sum(len(tables) for _, tables, _ in steps) <= 12, steps
            assert not any(re.search(r"\bct\(|recirc\(", text) for text in switches.texts), switches.texts


def test_trace_agrees_with_the_model_and_with_what_really_happens(lab, scene, seed):
    topology, guests, _ = scene
    rng = random.Random(seed)
    for port in rng.sample(list(guests), 4):
        for ip in rng.sample(topology.targets(), 6):
            if port.owns(ip):
                continue
            there = topology.deliver(port, ip)
            verdict = lab.ctl.as_tenant(port.vpc.tenant)("trace", port.name, "icmp", str(ip)).splitlines()[-1]
            if there[0] == "to":
                assert verdict == f"VERDICT: delivered {there[1].name}", (port.name, ip)
            else:
                assert verdict.startswith(("VERDICT: dropped", "VERDICT: answered")), (port.name, ip, verdict)


def test_trace_of_nonsense_is_an_error(lab, scene):
    for arguments in (["nosuch", "icmp", "10.0.0.1"], [next(iter(scene[1])).name, "icmp", "10.0.0.300"],
                      [next(iter(scene[1])).name, "tcp", "10.0.0.1"], [next(iter(scene[1])).name, "tcp", "10.0.0.1", "70000"]):
        status, output, errors = lab.ctl.as_tenant(next(iter(scene[1])).vpc.tenant).run("trace", *arguments)
        assert status == 1 and len(errors.strip().splitlines()) == 1, (arguments, output, errors)
