#!/usr/bin/python3
"""What balancing costs, on real Open vSwitch: what tools/bench/run calls "lb".

A client and ten targets on three hosts, all in security groups. All have a second address, and so has the balancer: led by as few flows as make
the same passes through conntrack (a zone for each end, a connection committed in each) and choose in the same way (a group that hashes the
five-tuple, whose bucket names a target, whose row translates and sends). They stand in the same bridges above vnet's and lead by the same ports;
both are loaded in turn (see public.py). Prints rows like bench's.
Usage: balance.py [--header]; VNET_BUILD says where the programs are. Exit status 1: a bar was missed.
"""
import os
import statistics
import sys
import time

sys.dont_write_bytecode = True

from groups import ARRIVES, PORT, SENT, SOURCE_PORTS, both_states, datapath_flows, forget_flows, recirculations, row, tracked    # noqa: E402
from public import (AT_A_TIME, CLIENTS, CROWD, REFERENCE_VNI, SECONDS, TOP, Table, add_flows, by_tunnel, on_cpu, pairs, parse,           # noqa: E402
                    port_of_type, program)

sys.path[:0] = [os.path.join(TOP, "tools")]

from lab import Lab, wait_until         # noqa: E402

N_TARGETS, N_HOSTS = 10, 3
BALANCER, REFERENCE_BALANCER = "10.0.1.200", "10.9.0.200"
NEAR, FAR = 7001, 7002                  # listeners with one target each: on the client's host, on another
ROUTER_MAC = "02:00:00:00:09:01"
CHOSEN = 202                            # a table that vnet does not use
ZONE = 61001                            # the client's; its targets' follow
GROUP = 0x7fff0000
INTERVAL, TIMEOUT, FALL = 1, 0.5, 3
DETECTION = INTERVAL * FALL + TIMEOUT
DEATHS = 6
PAIRS, PAIRS_DIRECT = 19, 3
REQUESTS = {"workers": 24, "pause_ms": 20, "timeout": 0.5}


# ---- the reference ----

class Member:
    """The client, or a target: where it is, and its second address."""

    def __init__(self, guest, number):
        self.guest, self.zone, self.ip = guest, ZONE + number, f"10.9.0.{1 + number}"

    def way(self, host):
        """From a packet whose MAC and address are this one's on: to its zone, or to its host."""
        if self.guest.host is host:
            return tracked(self.zone, ARRIVES, "nat")
        return by_tunnel(port_of_type(host, "geneve"), self.guest.host.tunnel_ip)


def entrance_flows(host, member):
    """From its port to its zone; from a tunnel likewise; and what may be delivered."""
    ofport, zone = host.ofport(member.guest.tap), member.zone
    return [f"table=0,priority=60000,in_port={ofport},ip,nw_src={member.ip} actions={tracked(zone, SENT, 'nat')}",
            f"table=0,priority=60000,tun_id={REFERENCE_VNI},ip,nw_dst={member.ip} actions={tracked(zone, ARRIVES, 'nat')}",
            *both_states(ARRIVES, zone, f",nw_dst={member.ip}", f"output:{ofport}")]


def client_flows(host, client, targets):
    """A new connection is balanced; the rest is translated and has a target."""
    flows = [f"table={SENT},priority=2,ct_zone={client.zone},ct_state=+trk+new-inv,ip,nw_dst={REFERENCE_BALANCER} actions=group:{GROUP}"]
    for n, target in enumerate(targets, 1):
        onward = f"set_field:{target.guest.mac}->eth_dst,{target.way(host)}"
        flows += [f"table={CHOSEN},priority=1,ip,reg1={n} actions=ct(commit,zone={client.zone},nat(dst={target.ip}:{PORT})),{onward}",
                  f"table={SENT},priority=1,ct_zone={client.zone},ct_state=+trk-new-inv,ip,nw_dst={target.ip} actions={onward}"]
    return flows


def answer_flows(host, client, target):
    return [f"table={SENT},priority=1,ct_zone={target.zone},ct_state=+trk-new-inv,ip,nw_dst={client.ip} actions={client.way(host)}"]


def group(number, targets):
    """Of targets' numbers. A bucket can hold one action of those that send or track."""
    buckets = [f"bucket=bucket_id:{n << 8},weight:1,actions=set_field:{n}->reg1,resubmit(,{CHOSEN})" for n in targets]
    return f"group_id={number},type=select,selection_method=hash,fields(ip_src,ip_dst,nw_proto,tcp_src,tcp_dst)," + ",".join(buckets)


def add_reference(hosts, client, targets):
    for host in hosts:
        flows = [f for m in (client, *targets) if m.guest.host is host for f in entrance_flows(host, m)]
        flows += [f for t in targets if t.guest.host is host for f in answer_flows(host, client, t)]
        if client.guest.host is host:
            host.ofctl("add-group", "br-int", group(GROUP, range(1, len(targets) + 1)))
            flows += client_flows(host, client, targets)
        add_flows(host, flows)


def judged(table, zone, match, action):
    """As a group's rules do: by the connection's sender, who is a member (all the targets are) or one of the crowd."""
    senders = [f"ct_nw_src=10.9.0.{1 + n}" for n in range(N_TARGETS + 1)] + [f"ct_nw_src={CROWD},ct_nw_proto=6,ct_tp_dst={PORT}"]
    for sender in senders:
        yield f"table={table},priority=4,ct_zone={zone},ct_state=+trk+new-inv,ip,{match},{sender} actions=ct(commit,zone={zone}),{action}"
        yield f"table={table},priority=3,ct_zone={zone},ct_state=+trk-new-inv,ip,{match},{sender} actions={action}"


def add_crowd_reference(crowd, far):
    """The crowd is balanced to one target, which lets it in by a rule."""
    here, there, zone, chosen = crowd.host, far.guest.host, ZONE + N_TARGETS + 1, N_TARGETS + 1
    ofport, onward = here.ofport(crowd.tap), f"set_field:{far.guest.mac}->eth_dst,{far.way(here)}"
    here.ofctl("add-group", "br-int", group(GROUP + 1, [chosen]))
    add_flows(here, [
        f"table=0,priority=60000,in_port={ofport},ip,nw_dst={REFERENCE_BALANCER} actions={tracked(zone, SENT, 'nat')}",
        f"table={SENT},priority=2,ct_zone={zone},ct_state=+trk+new-inv,ip,nw_dst={REFERENCE_BALANCER} actions=group:{GROUP + 1}",
        f"table={CHOSEN},priority=1,ip,reg1={chosen} actions=ct(commit,zone={zone},nat(dst={far.ip}:{PORT})),{onward}",
        f"table={SENT},priority=1,ct_zone={zone},ct_state=+trk-new-inv,ip,nw_dst={far.ip} actions={onward}",
        f"table=0,priority=60000,tun_id={REFERENCE_VNI},ip,nw_dst={CROWD} actions={tracked(zone, ARRIVES, 'nat')}",
        f"table={ARRIVES},priority=1,ct_zone={zone},ct_state=+trk-new-inv,ip,nw_dst={CROWD} actions=output:{ofport}"])
    back = f"set_field:{crowd.mac}->eth_dst,{by_tunnel(port_of_type(there, 'geneve'), here.tunnel_ip)}"
    add_flows(there, [*judged(ARRIVES, far.zone, f"nw_dst={far.ip}", f"output:{there.ofport(far.guest.tap)}"),
                      *judged(SENT, far.zone, f"nw_dst={CROWD}", back)])


def add_address(member, others):
    """others: {address: MAC} that it speaks to from its second address."""
    run = member.guest.run
    run("ip", "addr", "add", f"{member.ip}/32", "dev", "eth0")
    for ip, mac in others.items():
        run("ip", "route", "add", f"{ip}/32", "dev", "eth0", "src", member.ip)
        run("ip", "neigh", "replace", ip, "lladdr", mac, "nud", "permanent", "dev", "eth0")


# ---- the network ----

class Network:
    """client on hv1, targets t1, t2, ... on all hosts in turn, all in the VPC's default group, which lets in its members only; crowd on hv1 has
    1,000 addresses."""

    def __init__(self, lab):
        self.lab, self.hosts = lab, list(lab.hosts.values())
        names = [f"t{n + 1}" for n in range(N_TARGETS)]
        lab.ctl.batch(["vpc-add v 10.0.0.0/16", "subnet-add v s 10.0.1.0/24", "sg-add v open", "sg-rule-add open ingress tcp 7000 198.18.0.0/15",
                       "port-add s client", "port-add s crowd source_dest_check=false", f"route-add v {CROWD} port:crowd",
                       *(f"port-add s {n} sg=v,open" for n in names)])
        made = lab.vms(["s:client@hv1", "s:crowd@hv1", *(f"s:{n}@hv{1 + i % N_HOSTS}" for i, n in enumerate(names))], dhcp=None, add=False)
        self.client, self.crowd, self.targets = made[0], made[1], made[2:]
        self.near, self.far = self.targets[:2]
        self.crowd.run("ip", "route", "add", "local", CROWD, "dev", "lo")
        self._balance(names)
        self._add_reference()
        for host in self.hosts if os.cpu_count() > 1 else ():
            host.run("taskset", "-c", "-p", "0", switch(host))
        self._serve()

    def _balance(self, names):
        check = f"interval={INTERVAL} timeout={TIMEOUT} fall={FALL} rise=1"
        lines = [f"lb-add s lb ip={BALANCER}"]
        for tg, port, members in (("all", PORT, names), ("near", NEAR, names[:1]), ("far", FAR, names[1:2])):
            lines += [f"tg-add v {tg} tcp {PORT} {check}", f"listener-add lb tcp:{port} {tg}", *(f"target-add {tg} {n}" for n in members)]
        self.lab.ctl.batch(lines)

    def _add_reference(self):
        client = Member(self.client, 0)
        targets = [Member(t, n + 1) for n, t in enumerate(self.targets)]
        add_reference(self.hosts, client, targets)
        add_address(client, {REFERENCE_BALANCER: ROUTER_MAC})
        for target in targets:
            add_address(target, {client.ip: self.client.mac})
        self.source, self.far_reference = {REFERENCE_BALANCER: client.ip}, targets[1]

    def _serve(self):
        for target in self.targets:
            target.agent.call("spawn", argv=on_cpu(1, program("tcp_load"), "serve", str(PORT)), log=os.path.join(target.folder, "tcp_load.log"))
        self.all_healthy()
        for ip in (BALANCER, REFERENCE_BALANCER, *(t.ip for t in self.targets)):
            wait_until(lambda: self.client.tcp_connect(ip, PORT) == "connected", 10, f"{ip} serves")

    def all_healthy(self):
        wait_until(lambda: {r["health"] for r in self.lab.vnetd.rows("target")} == {"healthy"}, 15, "all targets are healthy")
        self.lab.ctl("--wait=hosts", "sync")

    def revive(self, target):
        target.static(target.ip, gateway="10.0.1.1", mtu=self.lab.mtu - 50)
        self.all_healthy()

    def load(self, client, what, ip, port, *arguments):
        return parse(client.run(*on_cpu(1, program("tcp_load"), what, ip, port, *arguments), timeout=120))

    def forget(self):
        """What is remembered of connections' ports would spare the next ones from the same ports their way through the tables."""
        for host in self.hosts:
            forget_flows(host)
            host.appctl("dpctl/flush-conntrack", "netdev@ovs-netdev")

    def cpu_us(self):
        """Of all switches' threads."""
        return sum(int(line.split()[0]) for host in self.hosts
                   for line in host.run("sh", "-c", f"cat /proc/{switch(host)}/task/*/schedstat").splitlines()) / 1000


def switch(host):
    return host.run("cat", "/run/openvswitch/ovs-vswitchd.pid").strip()


# ---- what is measured ----

def depth(network, ip, port):
    """Recirculations of a packet at all hosts together."""
    network.forget()
    network.load(network.client, "round-trips", ip, port, 0.3, "at-once", ip)
    return sum(recirculations(datapath_flows(host)) for host in network.hosts)


def measure_datapath(network, table):
    for target, port, words in (network.near, NEAR, "same host"), (network.far, FAR, "across hosts"):
        seen = [depth(network, *endpoint) for endpoint in ((BALANCER, port), (target.ip, PORT))]
        table.count(f"   balanced, groups, {words}, recirculations at all hosts | not balanced", "", *seen, 0)


def measure_rates(network, table):
    cpu, disturbed = {BALANCER: [], REFERENCE_BALANCER: []}, []

    def connections(ip):
        network.forget()
        before = network.cpu_us()
        got = network.load(network.client, "connections", ip, PORT, f"{network.source.get(ip, network.client.ip)}/1", AT_A_TIME, 1000000,
                           SECONDS["connections"])
        cpu.setdefault(ip, []).append((network.cpu_us() - before) / got["connections"])
        disturbed.append(got["retransmissions"] + max(0, got["time_wait"]))
        return got["per_second"]

    row(table, f"   new TCP connections, {N_TARGETS} targets on {N_HOSTS} hosts | hand-written", "/s",
        pairs(connections, (BALANCER, REFERENCE_BALANCER), PAIRS), at_least=0.9)
    table.figure("   of one of them the switches' CPU | hand-written", "us", *[statistics.median(c) for c in cpu.values()])
    for target, words in (network.near, "same host"), (network.far, "another host"):
        row(table, f"   new TCP connections | to one of those targets, {words}", "/s", pairs(connections, (BALANCER, target.ip), PAIRS_DIRECT))
    table.figure("   segments sent again and connections left in TIME_WAIT meanwhile", "", sum(disturbed))


def megaflows(network, ip, count):
    """Of so many connections by 1,000 clients to one target: those that are not a choice, and how many of a connection's are one."""
    network.forget()
    network.load(network.crowd, "connections", ip, FAR, f"198.19.0.1/{CLIENTS}", AT_A_TIME, count, 90)
    flows = [match for host in network.hosts for _, match, _ in datapath_flows(host)]
    choices = sum("ct_state(+new" in match and "tcp(src=" in match for match in flows)
    return len(flows) - choices, choices / count


def measure_megaflows(network, table):
    """Each client connects from one port, and then from 100. A choice is a new connection's own; the rest must not ask for its port."""
    few, choices = megaflows(network, BALANCER, CLIENTS)
    many, _ = megaflows(network, BALANCER, CLIENTS * SOURCE_PORTS)
    add_crowd_reference(network.crowd, network.far_reference)
    reference, _ = megaflows(network, REFERENCE_BALANCER, CLIENTS * SOURCE_PORTS)
    table.figure("   balanced, megaflows for 1,000 clients x 100 source ports, less choices | x 1", "flows", many, few, at_most=1.1)
    table.figure("   the same | hand-written", "flows", many, reference, at_most=1.1)
    table.figure("   megaflows that are a choice, for a new connection", "flows", choices)


def measure_death(network, table):
    """Targets fall silent one after the other: how long after that requests are still given to them, and get no answer. (A refused one was not: its
    port is that of one before, to the dead target, whose end it learns so.)"""
    late = []
    for target in network.targets[:DEATHS]:
        with network.client.doing("requests", ip=BALANCER, port=PORT, **REQUESTS) as requests:
            wait_until(lambda: requests.look()["done"] > 200, 10, "requests are answered")
            died = time.monotonic()
            target.run("ip", "address", "flush", "dev", "eth0")         # it answers nothing any more; its link stays
            wait_until(lambda: health(network, target) == "unhealthy", 2 * DETECTION, f"{target.name} is noticed")
            mark = requests.look()["done"]
            wait_until(lambda: requests.look()["done"] > mark + 200, 10, "requests go on")
        late.append(max(at for at, why in requests.result["failures"] if "timed out" in why) - died)
        network.revive(target)
    table.figure(f"   a target dies: its last new connection, worst of {DEATHS} | by its checks", "s", max(late), DETECTION, at_most=1.1)


def health(network, target):
    return next(r["health"] for r in network.lab.vnetd.rows("target") if r["name"] == f"all/{target.name}")


def main(arguments):
    table = Table()
    if "--header" in arguments:
        table.header()
    with Lab(hosts=N_HOSTS) as lab:
        network = Network(lab)
        measure_datapath(network, table)
        measure_rates(network, table)
        measure_megaflows(network, table)
        measure_death(network, table)
    return 1 if table.n_missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
