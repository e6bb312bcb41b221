#!/usr/bin/python3
"""How Open vSwitch's select groups balance connections: what tools/bench/run calls "select". The ground for how a load balancer chooses.

One host, a client with many addresses and a server that has all targets' addresses; a bridge whose flows do what vnet's do: a packet for the
balancer's address is looked up in the client's zone; a new connection meets the group, whose bucket names the target, whose row commits and
translates without another table and sends. Nothing of vnet runs. Methods: "hash" over the 5-tuple, over a part of it (the source and 8
bits of its port) or over the source alone, each target as many equal buckets as it has weight; "dp_hash" with weights. The reference has a flow
to one target in the group's place.
Prints rows like bench's. Usage: select_method.py [--header]; VNET_BUILD says where the programs are.
"""
import collections
import os
import re
import statistics
import sys

sys.dont_write_bytecode = True

from public import AT_A_TIME, TOP, Table, on_cpu, parse, program   # noqa: E402

sys.path[:0] = [os.path.join(TOP, "tools")]

from lab import Lab, wait_until         # noqa: E402

BRIDGE, ZONE, GROUP, VIP, PORT = "br-int", 1, 1, "10.9.2.1", 7000
CLIENT_MAC, SERVER_MAC, ROUTER_MAC = "02:00:00:00:09:05", "02:00:00:00:09:06", "02:00:00:00:09:01"
BUCKET_ID_MAX = 0xffffff00                      # FLOW_BUCKET_ID_MAX
CROWD, CLIENTS = "198.19.0.0/22", 1000          # the client has all of these addresses
TARGETS = {number: 1 for number in range(121, 131)}    # numbers as objects that were added in a row have them
WEIGHTED = {121: 1, 122: 2, 123: 3}
SHARED = 30000                                  # connections whose shares are counted: of the lightest target's chance alone makes 1.3 %
ROUNDS, SECONDS, SUSTAINED_S = 9, 1.0, 8
COUNTED = 2000                                  # connections whose datapath flows are counted
DIRECT, BY_TUPLE, BY_PART = "one target", "hash of the 5-tuple", "hash of a part"
BY_SOURCE, BY_DATAPATH, BY_WEIGHT = "hash of the source", "dp_hash", "hash, with weights"
METHODS = (DIRECT, BY_TUPLE, BY_PART, BY_SOURCE, BY_DATAPATH)
FIELDS = {BY_TUPLE: "ip_src,ip_dst,nw_proto,tcp_src,tcp_dst,udp_src,udp_dst", BY_PART: "ip_src,tcp_src=0xff,udp_src=0xff", BY_SOURCE: "ip_src"}
FIELDS[BY_WEIGHT] = FIELDS[BY_TUPLE]
SHARING = (BY_TUPLE, BY_DATAPATH, BY_WEIGHT)

# Datagrams from (address, port) pairs, a few at a time: "first address, number of addresses, first port, number of ports".
SEND = """
import ipaddress, socket, sys
first, n, port, n_ports, vip = ipaddress.ip_address(sys.argv[1]), *map(int, sys.argv[2:5]), sys.argv[5]
for i in range(n):
    for p in range(port, port + n_ports):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((str(first + i), p))
        s.sendto(b"x", (vip, 9))
        s.close()
"""


# ---- flows ----

def target_ip(number):
    return f"10.9.1.{number}"


def bucket_id(number, share):
    """As vnet's (vnet/feature/lb/lb_listener.c): of the target's number, so that it stays the same whoever else is there."""
    return (number << 8 | share) % BUCKET_ID_MAX


def buckets(method, targets):
    for number, weight in targets.items():
        shares, weight = (1, weight) if method in (BY_DATAPATH, BY_WEIGHT) else (weight, 1)
        for share in range(shares):
            yield f"bucket=bucket_id:{bucket_id(number, share)},weight:{weight},actions=set_field:{number}->reg1,resubmit(,2)"


def group(method, targets):
    selection = f"hash,fields({FIELDS[method]})" if method in FIELDS else "dp_hash"
    return f"group_id={GROUP},type=select,selection_method={selection}," + ",".join(buckets(method, targets))


def flows(client, server):
    new = "\n".join(f"table=2,priority=10,ip,reg1={n} actions=set_field:{SERVER_MAC}->eth_dst,"
                    f"ct(commit,zone={ZONE},nat(dst={target_ip(n)})),output:{server}" for n in TARGETS)
    return f"""
table=0,priority=10,in_port={client},ip,nw_dst={VIP} actions=ct(zone={ZONE},nat,table=1)
table=0,priority=10,in_port={server},ip actions=ct(zone={ZONE},nat,table=3)
table=1,priority=10,ct_state=+trk+est-rpl,ip actions=set_field:{SERVER_MAC}->eth_dst,output:{server}
table=3,priority=10,ct_state=+trk+rpl,ip actions=set_field:{CLIENT_MAC}->eth_dst,output:{client}
{new}
"""


class Network:
    def __init__(self, lab):
        self.hv = hv = lab["hv1"]
        hv.vsctl("add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=netdev", "fail_mode=secure", "protocols=OpenFlow15")
        self.client, self.server = hv.add_guests([("client", CLIENT_MAC, None), ("server", SERVER_MAC, None)])
        hv.vsctl("add-port", BRIDGE, self.client.tap, "--", "add-port", BRIDGE, self.server.tap)
        for guest, ip, local in ((self.client, "10.9.0.5", CROWD), (self.server, "10.9.3.5", "10.9.1.0/24")):
            guest.static(ip, 24)
            router = ip[:-1] + "1"
            guest.run("ip", "-batch", "-", stdin=f"neigh add {router} lladdr {ROUTER_MAC} dev eth0\n"
                      f"route add default via {router}\nroute add local {local} dev lo\n")
        hv.ofctl("add-flows", BRIDGE, "-", stdin=flows(hv.ofport(self.client.tap), hv.ofport(self.server.tap)))
        self.switch = hv.run("cat", "/run/openvswitch/ovs-vswitchd.pid").strip()
        if os.cpu_count() > 1:
            hv.run("taskset", "-c", "-p", "0", self.switch)
        self.server.agent.call("spawn", argv=on_cpu(1, program("tcp_load"), "serve", str(PORT)),
                               log=os.path.join(self.server.folder, "tcp_load.log"))
        self.choose(DIRECT)
        wait_until(lambda: self.client.tcp_connect(VIP, PORT) == "connected", 5, "the server serves")

    def choose(self, method, targets=None):
        """A new connection's way, with no memory of what was before."""
        self.change(method, targets)
        self.forget()

    def change(self, method, targets=None):
        if method != DIRECT:
            self.hv.ofctl("--may-create", "mod-group", BRIDGE, group(method, targets or TARGETS))
        way = f"set_field:{min(TARGETS)}->reg1,resubmit(,2)" if method == DIRECT else f"group:{GROUP}"
        self.hv.ofctl("add-flow", BRIDGE, f"table=1,priority=10,ct_state=+trk+new,ip actions={way}")

    def forget(self):
        self.hv.appctl("dpctl/del-flows", "netdev@ovs-netdev")
        self.hv.appctl("dpctl/flush-conntrack", "netdev@ovs-netdev")

    def connections(self, count, seconds):
        return parse(self.client.run(*on_cpu(1, program("tcp_load"), "connections", VIP, PORT, f"198.19.0.1/{CLIENTS}", AT_A_TIME, count, seconds)))

    def cpu_us(self):
        """Of all the switch's threads."""
        path = f"/proc/{self.switch}/task"
        return sum(int(line.split()[0]) for line in self.hv.run("sh", "-c", f"cat {path}/*/schedstat").splitlines()) / 1000

    def datapath_flows(self):
        text = self.hv.appctl("dpctl/dump-flows", "netdev@ovs-netdev")
        return sum(line.startswith("recirc_id(") for line in text.splitlines())

    def chosen(self):
        """{(client's address, port): target} of UDP."""
        text = self.hv.appctl("dpctl/dump-conntrack", "netdev@ovs-netdev", f"zone={ZONE}")
        found = re.findall(r"^udp,orig=\(src=([0-9.]+),dst=[0-9.]+,sport=(\d+),.*?reply=\(src=10\.9\.1\.(\d+),", text, re.M)
        return {(ip, int(port)): int(target) for ip, port, target in found}

    def send(self, n_ports):
        """A datagram from each of the crowd and so many ports; what was chosen for each. Sends again what got lost on the way."""
        def everything():
            self.client.run("python3", "-c", SEND, "198.19.0.1", CLIENTS, 20000, n_ports, VIP)
            seen = self.chosen()
            return seen if len(seen) == CLIENTS * n_ports else None
        return wait_until(everything, 30, "all datagrams are tracked")


# ---- figures ----

def measure_rates(network, table):
    rates, cpu, lost = collections.defaultdict(list), collections.defaultdict(list), 0
    for i in range(-1, ROUNDS):
        for method in METHODS if i % 2 else reversed(METHODS):
            network.choose(method)
            before = network.cpu_us()
            got = network.connections(1000000, SECONDS)
            if i < 0:
                continue
            rates[method].append(got["per_second"])
            cpu[method].append((network.cpu_us() - before) / got["connections"])
            lost += got["retransmissions"] + max(0, got["time_wait"])
    for figures, name, unit in (rates, "new TCP connections", "/s"), (cpu, "of one of them the switch's CPU", "us"):
        for method in METHODS[1:]:
            ours, reference = figures[method], figures[DIRECT]
            table.figure(f"   {name}, {method} | {DIRECT}", unit, statistics.median(ours), statistics.median(reference),
                         ratio=statistics.median(a / b for a, b in zip(ours, reference)))
    table.figure("   segments sent again and connections left in TIME_WAIT meanwhile", "", lost)


def measure_sustained(network, table):
    """Until datapath flows that nobody uses any more begin to end: what they cost is in it."""
    for method in METHODS:
        network.choose(method)
        before = network.cpu_us()
        got = network.connections(10000000, SUSTAINED_S)
        cpu = (network.cpu_us() - before) / got["connections"]
        table.figure(f"   new TCP connections for {SUSTAINED_S} s on end, {method}", "/s", got["per_second"],
                     peer=f"{cpu:.0f} us, {network.datapath_flows()} flows")


def measure_datapath_flows(network, table):
    for method in METHODS:
        network.choose(method)
        network.connections(COUNTED, 20)
        n = network.datapath_flows()
        table.figure(f"   datapath flows a connection, of {COUNTED:,}, {method}", "", n / COUNTED, peer=f"{n} in all")


def measure_shares(network, table):
    total = sum(WEIGHTED.values())
    for method in SHARING:
        network.choose(method, WEIGHTED)
        seen = network.send(SHARED // CLIENTS)
        counts = collections.Counter(seen.values())
        off = max(abs(counts[n] / len(seen) * total / weight - 1) for n, weight in WEIGHTED.items())
        table.figure(f"   weights 1:2:3, {len(seen):,} connections, worst share, {method}", "%", 100 * off,
                     peer=" / ".join(f"{100 * counts[n] / len(seen):.1f}" for n in WEIGHTED) + " %")


def measure_leaving(network, table):
    """Connections that had the target that leaves must change; all others need not."""
    gone = max(TARGETS)
    for method in METHODS[1:]:
        network.choose(method)
        before = network.send(1)
        network.choose(method, {n: w for n, w in TARGETS.items() if n != gone})
        after = network.send(1)
        changed = [client for client in before if before[client] != after[client]]
        had_to = sum(target == gone for target in before.values())
        table.figure(f"   1 of 10 targets leaves, clients that change, {method} | must", "%", 100 * len(changed) / len(before),
                     100 * had_to / len(before))


def main(arguments):
    table = Table()
    if "--header" in arguments:
        table.header()
    with Lab(hosts=1, daemon=False) as lab:
        network = Network(lab)
        measure_rates(network, table)
        measure_sustained(network, table)
        measure_datapath_flows(network, table)
        measure_shares(network, table)
        measure_leaving(network, table)
    return 1 if table.n_missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
