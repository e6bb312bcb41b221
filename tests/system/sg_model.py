"""What security groups should let pass, said once more and independently of vnetd: rules as a user words them, packets as a client sends
them. And random rules."""
import ipaddress

NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "timestamp": 1}
ICMP_TYPES = {"icmp": 8, "timestamp": 13}          # of what a client asks: echo, and the time


def is_inside(ip, prefix):
    return ipaddress.ip_address(ip) in ipaddress.ip_network(prefix)


class Rule:
    def __init__(self, group, direction, proto, ports, peer):
        self.group, self.direction, self.proto, self.ports, self.peer = group, direction, proto, ports, peer

    def command(self):
        return f"sg-rule-add {self.group} {self.direction} {self.proto} {self.ports} {self.peer}"

    def __repr__(self):
        return self.command()

    def matches_packet(self, proto, port):
        if self.proto == "all":
            return True
        if NUMBERS.get(self.proto, self.proto) != NUMBERS.get(proto, proto):
            return False
        if self.ports == "-":
            return True
        if self.proto == "icmp":
            kind, _, code = self.ports.partition("/")
            return int(kind) == ICMP_TYPES[proto] and code in ("", "0")
        low, _, high = self.ports.partition("-")
        return int(low) <= port <= int(high or low)


class Network:
    """members: {name: (its address in the VPC, its groups; None: unfiltered)}."""

    def __init__(self, members, rules):
        self.members, self.rules = members, rules

    def groups_of_address(self, ip):
        return next((groups or () for address, groups in self.members.values() if address == ip), ())

    def allows(self, name, direction, peer_ip, proto, port):
        groups = self.members[name][1]
        if groups is None:
            return True
        return any(r.group in groups and r.direction == direction and r.matches_packet(proto, port) and self._is_peer(r, peer_ip)
                   for r in self.rules)

    def _is_peer(self, rule, ip):
        if rule.peer.startswith("sg:"):
            return rule.peer[3:] in self.groups_of_address(ip)
        return is_inside(ip, rule.peer)

    def passes(self, way):
        """A way's first packet: by the client's groups to what it dials, by the server's from whom it sees. What a target sends to itself by a
        balancer comes from nobody else, so only the former are asked."""
        if way.client in self.members and not self.allows(way.client, "egress", way.dialled, way.proto, way.port):
            return False
        return way.server not in self.members or way.is_to_itself or self.allows(way.server, "ingress", way.seen_as, way.proto, way.server_port)


class Way:
    """client dials an address and port; server hears it, from seen_as, on server_port. It is a way to itself if client and server are one and
    see each other by what was dialled."""

    def __init__(self, client, dialled, proto, port, server, seen_as, server_port=None, place=""):
        self.client, self.dialled, self.proto, self.port = client, dialled, proto, port
        self.server, self.seen_as, self.place = server, seen_as, place
        self.server_port = port if server_port is None else server_port
        self.is_to_itself = client == server and seen_as == dialled

    def __repr__(self):
        return f"{self.client} -> {self.dialled} {self.proto}:{self.port} (at {self.server}:{self.server_port}, from {self.seen_as}, {self.place})"


# -- random rules --

def random_ports(rng, proto, ports):
    if proto == "icmp":
        return rng.choice(["-", "-", "8", "8/0", "0", "3", "8/1", "13", "13/0", "13/1"])
    if proto not in ("tcp", "udp") or rng.random() < 0.25:
        return "-"
    low, high = sorted((rng.choice(ports) + rng.choice([-1, 0, 0, 1]), rng.choice(ports) + rng.choice([-1, 0, 0, 1])))
    return rng.choice([str(rng.choice(ports)), f"{low}-{high}", f"1-{high}", f"{low}-65535"])


def random_peer(rng, groups, addresses):
    if rng.random() < 0.45:
        return "sg:" + rng.choice(groups)
    ip, length = rng.choice(addresses), rng.choice([0, 8, 16, 24, 28, 30, 31, 32, 32])
    return str(ipaddress.ip_network(f"{ip}/{length}", strict=False))


def random_rules(rng, groups, protocols, ports, addresses):
    """Each group has up to eight, often among them that its members may send anything; what is said twice is said once."""
    made = {}
    for group in groups:
        if rng.random() < 0.4:
            made[group] = Rule(group, "egress", "all", "-", "0.0.0.0/0")
        for _ in range(rng.randrange(9)):
            proto = rng.choice(["tcp", "udp", "icmp", "all", *protocols])
            rule = Rule(group, rng.choice(["ingress", "ingress", "egress"]), proto, random_ports(rng, proto, ports), random_peer(rng, groups, addresses))
            made[rule.command()] = rule
    return list({r.command(): r for r in made.values()}.values())
