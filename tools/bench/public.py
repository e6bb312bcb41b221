#!/usr/bin/python3
"""Elastic IPs as the outside meets them, on a host of the lab with real Open vSwitch: what tools/bench/run calls "public".

vnet's guest has a second address of another network, and that a public one, rewritten by as few flows as do the same. They stand in the same
bridge, above vnet's, and lead by the same ports: Open vSwitch's thread asks its ports in an order that is chance, and two equal elastic IPs
of two guests differ by it more than by anything that flows could do. Both are loaded in turn, so that what else the machine does meets both.
So also for a guest whose host has no uplink, by a gateway host and a tunnel. Prints rows like bench's.
Usage: public.py [--header]; VNET_BUILD says where the programs are. Exit status 1: a bar was missed.
"""
import os
import re
import statistics
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tools")]
sys.dont_write_bytecode = True

from lab import Lab, wait_until        # noqa: E402
from lab.daemon import build_folder    # noqa: E402
from lab.outside import CLIENT_IP      # noqa: E402

OURS, REFERENCE, CHANGING = "203.0.113.11", "203.0.113.12", "203.0.113.13"
FAR_OURS, FAR_REFERENCE = "203.0.113.14", "203.0.113.15"       # by a gateway host
ROUTER = "203.0.113.1"
CROWD = "198.19.0.0/22"                # the outside has all of these addresses
CLIENTS = 1000
REFERENCE_IP, FAR_REFERENCE_IP = "10.9.0.5", "10.9.0.6"
PUBLIC_MAC, GATEWAY_MAC = "02:00:00:00:09:0c", "02:00:00:00:09:01"
REFERENCE_VNI = 0xfffff0
PORT, CHAT_PORT = 7000, 9
AT_A_TIME = 16
PAIRS, ATTACHED, MOVES = 9, 50, 4
SECONDS = {"connections": 1.0, "round-trips": 0.5, "stream": 2.0}


# ---- the table ----

class Table:
    def __init__(self):
        self.n_missed = 0

    @staticmethod
    def _row(*cells):
        print("{:<72}  {:>16}  {:>24}  {:>6}  {:>7}  {}".format(*cells), flush=True)

    def header(self):
        self._row("figure", "measured", "reference", "ratio", "bar", "")
        self._row("------", "--------", "---------", "-----", "---", "")

    def figure(self, name, unit, value, reference=None, ratio=None, at_least=None, at_most=None, peer=None):
        """at_least, at_most: bars of the ratio, which is value / reference unless given; peer: the reference in words."""
        if ratio is None and reference:
            ratio = value / reference
        bar = verdict = ""
        if at_least is not None or at_most is not None:
            fits = ratio >= at_least if at_least is not None else ratio <= at_most
            bar, verdict = (f">= {at_least:.4g}" if at_least is not None else f"<= {at_most:.4g}"), "ok" if fits else "MISSED"
            self.n_missed += not fits
        self._row(name, amount(value, unit), peer or ("" if reference is None else amount(reference, unit)),
                  "" if ratio is None else f"{ratio:.2f}", bar, verdict)

    def count(self, name, unit, value, reference, more):
        """A number of things: at most so many more than the reference has."""
        fits = value <= reference + more
        self.n_missed += not fits
        self._row(name, f"{value} {unit}", f"{reference} {unit}", "", f"<= +{more}", "ok" if fits else "MISSED")


def amount(value, unit):
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"


def quantile(values, q):
    """Linear between the two nearest."""
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    i = int(at)
    return ordered[i] + (ordered[min(i + 1, len(ordered) - 1)] - ordered[i]) * (at - i)


# ---- the network ----

def program(name):
    return os.path.join(build_folder(), "tools", "bench", name)


def on_cpu(number, *argv):
    """Where a process runs decides a round trip's time more than any flow: the switch has the first CPU, what loads it the second."""
    return ["taskset", "-c", str(number), *argv] if os.cpu_count() > 1 else list(argv)


def steady(host):
    """A switch that runs on the first CPU and loses nothing of one stream. By itself it loses a quarter of an unbounded one in the queues by which
    it reads its devices, and two equal streams differ by up to a half, either way."""
    if os.cpu_count() > 1:
        host.run("taskset", "-c", "-p", "0", host.vswitchd_pid())
    host.widen_queues()


def arp_answer(patch, ip):
    return (f"priority=60000,in_port={patch},arp,arp_tpa={ip},arp_op=1 actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:{PUBLIC_MAC}->eth_src,"
            f"set_field:2->arp_op,move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],set_field:{PUBLIC_MAC}->arp_sha,push:NXM_OF_ARP_TPA[],push:NXM_OF_ARP_SPA[],"
            "pop:NXM_OF_ARP_TPA[],pop:NXM_OF_ARP_SPA[],in_port")


def near_flows(patch, tap, vm_mac, router_mac):
    """One to one, both ways, a hop less to live on the way out (as vnet), and ARP answered outside."""
    return [
        f"priority=60000,in_port={patch},ip,nw_dst={REFERENCE} actions=set_field:{GATEWAY_MAC}->eth_src,set_field:{vm_mac}->eth_dst,"
        f"set_field:{REFERENCE_IP}->ip_dst,output:{tap}",
        f"priority=60000,in_port={tap},ip,nw_src={REFERENCE_IP} actions=set_field:{PUBLIC_MAC}->eth_src,set_field:{router_mac}->eth_dst,"
        f"set_field:{REFERENCE}->ip_src,dec_ttl,output:{patch}",
        arp_answer(patch, REFERENCE)]


def by_tunnel(port, ip):
    return f"set_field:{REFERENCE_VNI}->tun_id,set_field:{ip}->tun_dst,output:{port}"


def gateway_flows(patch, tunnel, vm_host, vm_mac, router_mac):
    """The same at a gateway host, for a guest behind a tunnel."""
    return [
        f"priority=60000,in_port={patch},ip,nw_dst={FAR_REFERENCE} actions=set_field:{GATEWAY_MAC}->eth_src,set_field:{vm_mac}->eth_dst,"
        f"set_field:{FAR_REFERENCE_IP}->ip_dst,{by_tunnel(tunnel, vm_host)}",
        f"priority=60000,tun_id={REFERENCE_VNI},ip,nw_src={FAR_REFERENCE_IP} actions=set_field:{PUBLIC_MAC}->eth_src,set_field:{router_mac}->eth_dst,"
        f"set_field:{FAR_REFERENCE}->ip_src,dec_ttl,output:{patch}",
        arp_answer(patch, FAR_REFERENCE)]


def tunnel_flows(tap, tunnel, gateway_host):
    """And at that guest's own host, where nothing is rewritten."""
    return [f"priority=60000,tun_id={REFERENCE_VNI},ip,nw_dst={FAR_REFERENCE_IP} actions=output:{tap}",
            f"priority=60000,in_port={tap},ip,nw_src={FAR_REFERENCE_IP} actions={by_tunnel(tunnel, gateway_host)}"]


def port_of_type(host, kind):
    names = host.vsctl("list-ports", "br-int").split()
    name = next(n for n in names if host.vsctl("get", "interface", n, "type").strip().strip('"') == kind
                and host.vsctl("--if-exists", "get", "interface", n, "options:remote_ip").strip().strip('"') in ("", "flow"))
    return host.ofport(name)


def add_flows(host, lines):
    host.ofctl("add-flows", "br-int", "-", stdin="\n".join(lines) + "\n")


class Network:
    """hv1, a gateway, with the guest of the comparison and 'changing', whose address comes and goes; hv2 is where the guest moves to;
    hv3 has no uplink and the guest 'far'."""

    def __init__(self, lab):
        self.lab, self.hv = lab, lab["hv1"]
        lab.ctl("pool-add", "inet", "203.0.113.0/24", "uplink=public")
        lab.ctl.batch(["vpc-add v 10.0.0.0/16", "igw-add v", "route-add v 0.0.0.0/0 igw", "subnet-add v s 10.0.1.0/24"])
        self.guest, self.changing, self.far = lab.vms(["s:ours@hv1", "s:changing@hv1", "s:far@hv3"], dhcp=None, port="sg=none")
        lab.ctl("eip-add", "inet", OURS, "--", "eip-attach", OURS, "ours", "--", "eip-add", "inet", CHANGING, "--",
                "eip-add", "inet", FAR_OURS, "--", "eip-attach", FAR_OURS, "far")
        self._add_reference()
        self.switch = self.hv.vswitchd_pid()
        for host in (self.hv, lab["hv3"]):
            steady(host)
        lab.outside.ip([f"route add local {CROWD} dev lo"])
        for server, log in ((self.guest, self.guest.folder), (self.far, self.far.folder), (lab.outside, lab.outside.path())):
            server.agent.call("spawn", argv=on_cpu(1, program("tcp_load"), "serve", str(PORT)), log=os.path.join(log, "tcp_load.log"))
        for ip in (OURS, REFERENCE, FAR_OURS, FAR_REFERENCE):
            lab.outside.reaches(ip)
            wait_until(lambda: lab.outside.tcp_connect(ip, PORT) == "connected", 5, f"{ip} serves")

    def _add_reference(self):
        hv, there, router_mac = self.hv, self.lab["hv3"], self.lab.outside.router_mac("public")
        patch = port_of_type(hv, "patch")
        self.guest.run("ip", "addr", "add", f"{REFERENCE_IP}/32", "dev", "eth0")
        self.far.run("ip", "addr", "add", f"{FAR_REFERENCE_IP}/32", "dev", "eth0")
        add_flows(hv, near_flows(patch, hv.ofport(self.guest.tap), self.guest.mac, router_mac)
                  + gateway_flows(patch, port_of_type(hv, "geneve"), there.tunnel_ip, self.far.mac, router_mac))
        add_flows(there, tunnel_flows(there.ofport(self.far.tap), port_of_type(there, "geneve"), hv.tunnel_ip))

    def load(self, what, ip, *arguments):
        """What tcp_load prints, of the outside loading that address."""
        return parse(self.lab.outside.run(*on_cpu(1, program("tcp_load"), what, ip, PORT, *arguments)))

    def stream_out(self, first, second, seconds):
        """The same of a guest that sends to the outside, from two of its addresses."""
        guest = self.guest if first in (self.guest.ip, REFERENCE_IP) else self.far
        return parse(guest.run(*on_cpu(1, program("tcp_load"), "stream", CLIENT_IP, PORT, seconds, CLIENT_IP, first, second)))

    def lost_in_queues(self):
        return sum(host.lost_in_queues() for host in self.lab.hosts.values())

    def switch_cpu_us(self):
        """Of the thread that forwards."""
        return int(self.hv.run("cat", f"/proc/{self.switch}/task/{self.switch}/schedstat").split()[0]) / 1000


def parse(text):
    return {word: float(number) for word, number in (line.split() for line in text.splitlines())}


# ---- the switch's own view ----

def split_actions(text):
    """At commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return parts + [text[start:]]


def executed(actions):
    """How many actions an ordinary packet meets: of a length check the branch of those that fit, and the check itself."""
    total = 0
    for action in split_actions(actions):
        total += 1
        fits = re.search(r",le\((.*)\)\)$", action) if action.startswith("check_pkt_len(") else None
        if fits:
            total += executed(fits[1])
    return total


class Megaflows:
    """A host's datapath's flows for IPv4. ways: by what it came in, as the flow says it: a port, or a tunnel."""

    def __init__(self, host, **ways):
        text = host.appctl("dpctl/dump-flows", "--names", "netdev@ovs-netdev")
        lines = [line for line in text.splitlines() if line.startswith("recirc_id(")]
        self.lines = {way: [x for x in lines if by in x and "eth_type(0x0800)" in x] for way, by in ways.items()}
        self.all = [x for way in self.lines.values() for x in way] + [x for x in lines if "recirc_id(0)" not in x]

    def actions(self, way):
        """Of the flow that took the most packets."""
        busiest = max(self.lines[way], key=lambda line: int(re.search(r"packets:(\d+)", line)[1]))
        return executed(busiest.partition("actions:")[2])

    def recirculations(self):
        return sum("recirc(" in line for line in self.all)


UPLINK, TUNNEL = "in_port(nic-public)", "tunnel(tun_id="


def forget_megaflows(*hosts):
    for host in hosts:
        host.appctl("dpctl/del-flows", "netdev@ovs-netdev")


def measure_datapath(network, table):
    seen = {}
    tap = f"in_port({network.guest.tap})"
    for ip in (OURS, REFERENCE):
        forget_megaflows(network.hv)
        network.load("round-trips", ip, 0.2, "at-once", ip)
        established = Megaflows(network.hv, **{"in": UPLINK, "out": tap})
        forget_megaflows(network.hv)
        network.load("connections", ip, f"198.19.0.1/{CLIENTS}", AT_A_TIME, CLIENTS, 10)
        crowd = Megaflows(network.hv, **{"in": UPLINK, "out": tap})
        seen[ip] = (established.actions("in"), established.actions("out"), len(crowd.all), crowd.recirculations())
    ours, reference = seen[OURS], seen[REFERENCE]
    table.count("   elastic IP, datapath actions of a packet inwards | fewest flows", "actions", ours[0], reference[0], 1)
    table.count("   the same, outwards", "actions", ours[1], reference[1], 1)
    table.figure("   elastic IP, megaflows for 1,000 client addresses | fewest flows", "flows", ours[2], reference[2], at_most=1.1)
    table.count("   elastic IP, recirculations | none", "", ours[3], 0, 0)
    measure_far_datapath(network, table)


def measure_far_datapath(network, table):
    """Of both hosts, a packet's way through each."""
    seen, there = {}, network.lab["hv3"]
    for ip in (FAR_OURS, FAR_REFERENCE):
        forget_megaflows(network.hv, there)
        network.load("round-trips", ip, 0.2, "at-once", ip)
        gateway = Megaflows(network.hv, **{"in": UPLINK, "out": TUNNEL})
        far = Megaflows(there, **{"in": TUNNEL, "out": f"in_port({network.far.tap})"})
        seen[ip] = {way: gateway.actions(way) + far.actions(way) for way in ("in", "out")}
    ours, reference = seen[FAR_OURS], seen[FAR_REFERENCE]
    table.count("   elastic IP by a gateway, datapath actions on both hosts inwards | fewest flows", "actions", ours["in"], reference["in"], 1)
    table.count("   the same, outwards", "actions", ours["out"], reference["out"], 1)


# ---- load ----

def pairs(measure, ips, n=PAIRS):
    """measure(ip) of both in turn, each first as often as the other: ([ours], [reference])."""
    both = {ip: [] for ip in ips}
    for i in range(-1, n):
        for ip in ips if i % 2 else reversed(ips):
            value = measure(ip)
            if i >= 0:
                both[ip].append(value)
    return [both[ip] for ip in ips]


class Loads:
    """What can be measured of an address, and what disturbed it meanwhile."""

    def __init__(self, network, ips):
        self._network, self._ips = network, ips
        self.disturbances, self.sent_again, self.lost, self.cpu = 0, 0, 0, {ip: [] for ip in ips}

    def connections(self, ip):
        before = self._network.switch_cpu_us()
        got = self._network.load("connections", ip, f"198.19.0.1/{CLIENTS}", AT_A_TIME, 1000000, SECONDS["connections"])
        self.cpu[ip].append((self._network.switch_cpu_us() - before) / got["connections"])
        self.disturbances += got["retransmissions"] + max(0, got["time_wait"])
        return got["per_second"]

    def _in_turn(self, what, word, *options):
        """[ours], [reference]: each round loads both, a round trip or a block of one, then of the other."""
        both = {ip: [] for ip in self._ips}
        for i in range(PAIRS):
            first, second = self._ips if i % 2 else reversed(self._ips)
            got = self._network.load(what, first, SECONDS[what], *options, second)
            both[first].append(got[word])
            both[second].append(got["other"])
            self.sent_again += got.get("retransmissions", 0)
        return [both[ip] for ip in self._ips]

    def round_trips(self, when):
        return self._in_turn("round-trips", "microseconds", when)

    def streams(self):
        self._network.lost_in_queues()
        both = self._in_turn("stream", "mbit_per_second")
        self.lost += self._network.lost_in_queues()
        return both

    def streams_out(self, guest_ips):
        self._network.lost_in_queues()
        both = {ip: [] for ip in guest_ips}
        for i in range(PAIRS):
            first, second = guest_ips if i % 2 else reversed(guest_ips)
            got = self._network.stream_out(first, second, SECONDS["stream"])
            both[first].append(got["mbit_per_second"])
            both[second].append(got["other"])
            self.sent_again += got["retransmissions"]
        self.lost += self._network.lost_in_queues()
        return [both[ip] for ip in guest_ips]

    def row(self, table, name, unit, measured, **bar):
        ours, reference = measured
        table.figure(name, unit, statistics.median(ours), statistics.median(reference),
                     ratio=statistics.median(a / b for a, b in zip(ours, reference)), **bar)


def measure_load(network, table, what, ips, guest_ips):
    loads = Loads(network, ips)
    loads.row(table, f"   {what}, short TCP connections | fewest flows", "/s", pairs(loads.connections, ips), at_least=0.9)
    table.figure("   of one of them the gateway's or host's CPU | fewest flows", "us", *[statistics.median(loads.cpu[ip]) for ip in ips])
    loads.row(table, f"   {what}, TCP round trip, p50 | fewest flows", "us", loads.round_trips("at-once"), at_most=1 / 0.9)
    loads.row(table, "   the same through a switch at rest, p50 | fewest flows", "us", loads.round_trips("at-rest"), at_most=1 / 0.9)
    loads.row(table, f"   {what}, one TCP stream inwards | fewest flows", "Mbit/s", loads.streams(), at_least=0.95)
    loads.row(table, "   the same, outwards", "Mbit/s", loads.streams_out(guest_ips), at_least=0.95)
    table.figure("   segments sent again by the streams", "", loads.sent_again)
    table.figure("   frames lost in the switches' queues meanwhile", "", loads.lost)
    table.figure("   segments sent again by the short connections, and those left in TIME_WAIT", "", loads.disturbances)


# ---- changes ----

def measure_attach(network, table):
    """Nobody outside knows the address: its MAC is asked for, or told by the announcement, before the first packet is."""
    lab, cold, warm = network.lab, [], []
    attach = lab.ctl.command(["eip-attach", CHANGING, "changing"])
    ask = lab.ctl.command(["eip-list"])
    for _ in range(ATTACHED):
        lab.outside.flush_neighbours("public")
        cold.append(parse(lab.outside.run(program("first_answer"), "cold", CHANGING, *attach)))
        warm.append(parse(lab.outside.run(program("first_answer"), "warm", CHANGING, *ask)))
        lab.ctl("--wait=hosts", "eip-detach", CHANGING)
    took, reference = [c["whole"] for c in cold], [w["whole"] for w in warm]
    table.figure("   eip-attach until the outside's first answered ping, p50 | eip-list and a ping", "ms", statistics.median(took),
                 statistics.median(reference), at_most=2)
    table.figure("   the same, p99", "ms", quantile(took, 0.99), quantile(reference, 0.99))
    table.figure("   of which since vnetctl eip-attach has ended, p50", "ms", statistics.median(c["ping"] for c in cold))


def measure_move(network, table):
    """No bar: what a connection from outside notices when its VM's interface goes to another host."""
    lab, mover, gaps, away = network.lab, network.guest, [], []
    mover.run("sysctl", "-q", "-w", "net.ipv4.neigh.eth0.retrans_time_ms=20")
    mover.agent.call("start_tcp_echo", port=CHAT_PORT)
    for i in range(MOVES):
        with lab.outside.doing("chat", ip=OURS, port=CHAT_PORT) as chat:
            wait_until(lambda: chat.look()["back"] > 20, 5, "the outside talks")
            begin = time.monotonic()
            mover.move(lab["hv2" if i % 2 == 0 else "hv1"])
            away.append((time.monotonic() - begin) * 1000)
            mark = chat.look()["back"]
            wait_until(lambda: chat.look()["back"] > mark + 20, 15, "it goes on")
        if chat.result["error"] or chat.result["back"] != chat.result["sent"]:
            sys.exit(f"the connection did not survive the move: {chat.result}")
        gaps.append(chat.result["longest_gap_ms"])
    table.figure("   gap of a TCP connection when its VM moves to another host | the move", "ms", statistics.median(gaps),
                 statistics.median(away))


def main(arguments):
    table = Table()
    if "--header" in arguments:
        table.header()
    with Lab(hosts=3, outside={"public": {0: f"{ROUTER}/24"}}, uplinks={h: {"public": "br-ex"} for h in ("hv1", "hv2")}, gateways=("hv1",)) as lab:
        network = Network(lab)
        measure_datapath(network, table)
        measure_load(network, table, "elastic IP", (OURS, REFERENCE), (network.guest.ip, REFERENCE_IP))
        measure_load(network, table, "elastic IP by a gateway", (FAR_OURS, FAR_REFERENCE), (network.far.ip, FAR_REFERENCE_IP))
        measure_attach(network, table)
        measure_move(network, table)
    return 1 if table.n_missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
