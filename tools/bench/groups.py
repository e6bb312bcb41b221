#!/usr/bin/python3
"""What security groups cost on the path between two VMs, on real Open vSwitch: a part of what tools/bench/run calls "sg".

Both guests have a second address, led by as few flows as make the same passes through conntrack: a zone for each end, a connection committed
in each. They stand in the same bridge above vnet's and lead by the same ports; both are loaded in turn (see public.py). Prints rows like bench's.
Usage: groups.py [--header]; VNET_BUILD says where the programs are. Exit status 1: a bar was missed.
"""
import os
import re
import statistics
import sys

sys.dont_write_bytecode = True

from public import (AT_A_TIME, CLIENTS, CROWD, REFERENCE_VNI, SECONDS, TOP, Table, add_flows, by_tunnel, on_cpu, pairs, parse,   # noqa: E402
                    port_of_type, program, steady)

sys.path[:0] = [os.path.join(TOP, "tools")]

from lab import Lab, wait_until         # noqa: E402

PORT = 7000
REFERENCE_IP = {"client": "10.9.0.1", "near": "10.9.0.2", "far": "10.9.0.3"}
ZONE = {"client": 61001, "near": 61002, "far": 61003}
SENT, ARRIVES = 200, 201                # tables that vnet does not use
ROUNDS = 9
SOURCE_PORTS = 100


# ---- the reference ----

def tracked(zone, table, *more):
    return f"ct({','.join((f'zone={zone},table={table}', *more))})"


def way_to(name, host, guests):
    """From a port's judged packet on: to the other's zone, or to its host."""
    guest = guests[name]
    if guest.host is host:
        return tracked(ZONE[name], ARRIVES)
    return by_tunnel(port_of_type(host, "geneve"), guest.host.tunnel_ip)


def both_states(table, zone, match, action):
    return [f"table={table},priority=2,ct_zone={zone},ct_state=+trk+new-inv,ip{match} actions=ct(commit,zone={zone}),{action}",
            f"table={table},priority=1,ct_zone={zone},ct_state=+trk-new-inv,ip{match} actions={action}"]


def reference_flows(host, guests):
    flows = []
    for name, guest in guests.items():
        if guest.host is not host:
            continue
        ofport, zone = host.ofport(guest.tap), ZONE[name]
        flows += [f"table=0,priority=60000,in_port={ofport},ip,nw_src={REFERENCE_IP[name]} actions={tracked(zone, SENT)}",
                  f"table=0,priority=60000,tun_id={REFERENCE_VNI},ip,nw_dst={REFERENCE_IP[name]} actions={tracked(zone, ARRIVES)}"]
        flows += both_states(ARRIVES, zone, f",nw_dst={REFERENCE_IP[name]}", f"output:{ofport}")
        for other in guests:
            if other != name:
                flows += both_states(SENT, zone, f",nw_dst={REFERENCE_IP[other]}", way_to(other, host, guests))
    return flows


# ---- the network ----

class Network:
    """client and near on hv1, far on hv2, all in the VPC's default group, which lets in its members only; crowd on hv1 has 1,000 addresses."""

    def __init__(self, lab):
        self.lab = lab
        lab.ctl.batch(["vpc-add v 10.0.0.0/16", "subnet-add v s 10.0.1.0/24", "sg-add v open", "sg-rule-add open ingress tcp 7000 198.18.0.0/15",
                       "port-add s client", "port-add s near", "port-add s far sg=v,open", "port-add s crowd sg=none source_dest_check=false",
                       f"route-add v {CROWD} port:crowd"])
        made = lab.vms(["s:client@hv1", "s:near@hv1", "s:far@hv2", "s:crowd@hv1"], dhcp=None, add=False)
        self.guests = {g.name: g for g in made[:3]}
        self.crowd = made[3]
        self.crowd.run("ip", "route", "add", "local", CROWD, "dev", "lo")
        self._add_reference()
        for host in lab.hosts.values():
            steady(host)
        for name in ("near", "far"):
            guest = self.guests[name]
            guest.agent.call("spawn", argv=on_cpu(1, program("tcp_load"), "serve", str(PORT)), log=os.path.join(guest.folder, "tcp_load.log"))
            for ip in (guest.ip, REFERENCE_IP[name]):
                wait_until(lambda: self.guests["client"].tcp_connect(ip, PORT) == "connected", 10, f"{ip} serves")

    def _add_reference(self):
        for host in self.lab.hosts.values():
            add_flows(host, reference_flows(host, self.guests))
        for name, guest in self.guests.items():
            guest.run("ip", "addr", "add", f"{REFERENCE_IP[name]}/32", "dev", "eth0")
            for other, its in self.guests.items():
                if other != name:
                    guest.run("ip", "route", "add", f"{REFERENCE_IP[other]}/32", "dev", "eth0", "src", REFERENCE_IP[name])
                    guest.run("ip", "neigh", "replace", REFERENCE_IP[other], "lladdr", its.mac, "nud", "permanent", "dev", "eth0")

    def load(self, what, ip, *arguments, client=None):
        return parse((client or self.guests["client"]).run(*on_cpu(1, program("tcp_load"), what, ip, PORT, *arguments), timeout=120))

    def lost_in_queues(self):
        return sum(host.lost_in_queues() for host in self.lab.hosts.values())

    def source(self, ip):
        return REFERENCE_IP["client"] if ip in REFERENCE_IP.values() else self.guests["client"].ip

    def forget_flows(self):
        for host in self.lab.hosts.values():
            forget_flows(host)


def forget_flows(host):
    """And what the revalidators know of them (dpctl/del-flows leaves that, and a flow that is known is not made anew for a while)."""
    host.appctl("revalidator/purge")


def datapath_flows(host):
    """[(recirculation's number, match, actions)] of IPv4."""
    text = host.appctl("dpctl/dump-flows", "netdev@ovs-netdev")
    return re.findall(r"^recirc_id\((\w+)\)(.*eth_type\(0x0800\).*)actions:(.*)$", text, re.M)


# ---- what is measured ----

def recirculations(flows, number="0"):
    """The most that one packet takes."""
    return max((1 + recirculations(flows, target) for n, _, actions in flows if n == number
                for target in re.findall(r"recirc\((\w+)\)", actions)), default=0)


def measure_datapath(network, table, name, words):
    seen = []
    for ip in (network.guests[name].ip, REFERENCE_IP[name]):
        network.forget_flows()
        network.load("round-trips", ip, 0.3, "at-once", ip)
        seen.append(max(recirculations(datapath_flows(h)) for h in {network.guests[name].host, network.lab["hv1"]}))
    table.count(f"   groups, {words}, recirculations at a host | hand-written", "", seen[0], seen[1], 0)


def row(table, name, unit, measured, **bar):
    ours, reference = measured
    table.figure(name, unit, statistics.median(ours), statistics.median(reference),
                 ratio=statistics.median(a / b for a, b in zip(ours, reference)), **bar)


def measure_load(network, table, name, words):
    ips = (network.guests[name].ip, REFERENCE_IP[name])
    disturbed, sent_again = [], []

    def connections(ip):
        got = network.load("connections", ip, f"{network.source(ip)}/1", AT_A_TIME, 1000000, SECONDS["connections"])
        disturbed.append(got["retransmissions"] + max(0, got["time_wait"]))
        return got["per_second"]

    def streams():
        both = {ip: [] for ip in ips}
        for i in range(ROUNDS):
            first, second = ips if i % 2 else reversed(ips)
            got = network.load("stream", first, SECONDS["stream"], second)
            sent_again.append(got["retransmissions"])
            both[first].append(got["mbit_per_second"])
            both[second].append(got["other"])
        return [both[ip] for ip in ips]

    row(table, f"   groups, {words}, short TCP connections | hand-written", "/s", pairs(connections, ips, ROUNDS), at_least=0.9)
    network.lost_in_queues()
    row(table, f"   groups, {words}, one TCP stream | hand-written", "Mbit/s", streams(), at_least=0.95)
    table.figure("   segments sent again by the streams", "", sum(sent_again))
    table.figure("   frames lost in the switches' queues meanwhile", "", network.lost_in_queues())
    table.figure("   segments sent again by the short connections, and those left in TIME_WAIT", "", sum(disturbed))


def measure_megaflows(network, table):
    """Each of 1,000 clients connects from one port, and then from 100."""
    seen = []
    for count in (CLIENTS, CLIENTS * SOURCE_PORTS):
        network.forget_flows()
        network.load("connections", network.guests["far"].ip, f"198.19.0.1/{CLIENTS}", AT_A_TIME, count, 90, client=network.crowd)
        seen.append(sum(len(datapath_flows(h)) for h in network.lab.hosts.values()))
    table.figure("   megaflows for 1,000 clients x 100 source ports to a port with groups | x 1", "flows", seen[1], seen[0], at_most=1.1)


def main(arguments):
    table = Table()
    if "--header" in arguments:
        table.header()
    with Lab(hosts=2) as lab:
        network = Network(lab)
        for name, words in (("near", "same host"), ("far", "across hosts")):
            measure_datapath(network, table, name, words)
            measure_load(network, table, name, words)
        measure_megaflows(network, table)
    return 1 if table.n_missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
