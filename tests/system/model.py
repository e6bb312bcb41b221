"""An independent idea of who reaches whom, in the words a user of a VPC would use. Shares no code with vnet.

A topology is made from a random generator: VPCs whose ranges may coincide, subnets with route tables of their own, ports on random
hosts, blackholes, next hops that own a foreign address. `answer()` says what a ping is answered with, and by whom.
"""
import ipaddress


class Port:
    def __init__(self, name, vpc, subnet, ip, host):
        self.name, self.vpc, self.subnet, self.ip, self.host = name, vpc, subnet, ip, host
        self.extra = []                            # foreign addresses it answers for (source_dest_check=false)

    def owns(self, ip):
        return ip == self.ip or ip in self.extra


class Subnet:
    def __init__(self, name, vpc, network):
        self.name, self.vpc, self.network = name, vpc, network
        self.rtb = vpc.main_rtb
        self.ports = []


class Vpc:
    def __init__(self, name, tenant, network):
        self.name, self.tenant, self.network = name, tenant, network
        self.main_rtb = {}                         # prefix -> 'blackhole' or a Port
        self.rtbs = {name: self.main_rtb}
        self.subnets = []

    def ports(self):
        return [p for s in self.subnets for p in s.ports]

    def port_at(self, ip):
        return next((p for p in self.ports() if p.ip == ip), None)


class Topology:
    def __init__(self, rng, hosts, n_vpcs=3):
        self.rng, self.hosts = rng, hosts
        self.vpcs = [self._vpc(i) for i in range(n_vpcs)]

    def ports(self):
        return [p for v in self.vpcs for p in v.ports()]

    # -- making one --

    def _vpc(self, number):
        rng = self.rng
        base = rng.choice(["10.0.0.0/16", "10.0.0.0/16", "10.0.0.0/20", "172.16.0.0/16"])
        vpc = Vpc(f"v{number}", rng.choice(["default", "red", "blue"]), ipaddress.ip_network(base))
        for i, third in enumerate(rng.sample(range(8), rng.randint(2, 3))):
            length = rng.choice([24, 24, 26, 28])
            first = vpc.network.network_address + third * 256 + rng.choice([0, 64])
            subnet = Subnet(f"{vpc.name}s{i}", vpc, ipaddress.ip_network((first, length), strict=False))
            vpc.subnets.append(subnet)
            if rng.random() < 0.5:
                subnet.rtb = vpc.rtbs.setdefault(f"{vpc.name}t{rng.randint(0, 1)}", {})
            self._ports(subnet)
        for table in vpc.rtbs.values():
            self._routes(vpc, table)
        return vpc

    def _ports(self, subnet):
        free = [h for h in list(subnet.network.hosts())[2:12]]
        for ip in self.rng.sample(free, self.rng.randint(1, 3)):
            name = f"{subnet.name}p{len(subnet.ports)}"
            subnet.ports.append(Port(name, subnet.vpc, subnet, ip, self.rng.choice(self.hosts)))

    def _routes(self, vpc, table):
        rng = self.rng
        ports = vpc.ports()
        for i in range(rng.randint(0, 3)):
            kind = rng.choice(["blackhole-in", "blackhole-out", "hop-out", "hop-in"])
            if kind == "blackhole-in":             # more specific than the local route
                prefix, target = ipaddress.ip_network((rng.choice(ports).ip, rng.choice([32, 30, 27])), strict=False), "blackhole"
            elif kind == "blackhole-out":
                prefix, target = ipaddress.ip_network(f"192.168.{rng.randint(0, 3)}.0/24"), "blackhole"
            elif kind == "hop-in":
                prefix, target = ipaddress.ip_network((rng.choice(ports).ip, 32)), rng.choice(ports)
            else:
                prefix, target = ipaddress.ip_network(f"192.168.{rng.randint(0, 3)}.0/{rng.choice([24, 23, 22])}", strict=False), rng.choice(ports)
                if prefix.network_address + 9 not in target.extra:
                    target.extra.append(prefix.network_address + 9)
            table.setdefault(prefix, target)

    def commands(self, port=""):
        """vnetctl lines per tenant; 'port' is said of each port."""
        lines = {}
        for vpc in self.vpcs:
            out = lines.setdefault(vpc.tenant, [])
            out.append(f"vpc-add {vpc.name} {vpc.network}")
            out += [f"rtb-add {vpc.name} {rtb}" for rtb in vpc.rtbs if rtb != vpc.name]
            names = {id(table): name for name, table in vpc.rtbs.items()}
            for s in vpc.subnets:
                out.append(f"subnet-add {vpc.name} {s.name} {s.network} rtb={names[id(s.rtb)]}")
                out += [f"port-add {s.name} {p.name} ip={p.ip} {port}" + (" source_dest_check=false" if p.extra else "") for p in s.ports]
            for rtb, table in vpc.rtbs.items():
                out += [f"route-add {rtb} {prefix} {t if t == 'blackhole' else 'port:' + t.name}" for prefix, t in table.items()]
        return lines

    def targets(self):
        """Every address that means something somewhere, and some that mean nothing."""
        ips = {p.ip for p in self.ports()} | {ip for p in self.ports() for ip in p.extra}
        for vpc in self.vpcs:
            for table in vpc.rtbs.values():
                ips |= {prefix.network_address + 9 for prefix in table if prefix.prefixlen < 29}
        ips |= {ipaddress.ip_address(x) for x in ("10.0.7.77", "8.8.8.8", "172.16.7.77")}
        gateways = {s.network.network_address + 1 for v in self.vpcs for s in v.subnets}
        return sorted(ips - gateways)

    # -- who reaches whom --

    def deliver(self, port, ip):
        """What becomes of a packet from port to ip: ('to', Port) | ('lost',) | ('unreachable',)."""
        if ip in port.subnet.network:              # a guest asks by ARP for it, the router has no say
            other = next((p for p in port.subnet.ports if p.ip == ip), None)
            return ("to", other) if other else ("lost",)
        routes = {**port.subnet.rtb}
        routes.setdefault(port.vpc.network, "local")
        best = max((prefix for prefix in routes if ip in prefix), key=lambda prefix: prefix.prefixlen, default=None)
        if best is None:
            return ("unreachable",)
        target = routes[best]
        if target == "blackhole":
            return ("lost",)
        if target == "local":
            target = port.vpc.port_at(ip)
            return ("to", target) if target else ("lost",)
        return ("to", target) if target is not port else ("lost",)

    def answer(self, port, ip):
        """(word of a ping, name of who answers or None). Every echo goes back by the answerer's own route table."""
        if port.owns(ip):
            return "reply", port.name
        there = self.deliver(port, ip)
        if there[0] == "unreachable":
            return "net-unreachable", None
        if there[0] == "lost" or not there[1].owns(ip):
            return "none", None
        back = self.deliver(there[1], port.ip)
        return ("reply", there[1].name) if back == ("to", port) else ("none", None)
