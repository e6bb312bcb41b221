"""What tests of public addresses share: a network with a way out, elastic IPs on VMs, and how the outside finds them."""
import ipaddress

from lab import wait_until

OUTSIDE = {"public": {0: "203.0.113.1/24"}}
UPLINK = {"public": "br-ex"}
POOL = "203.0.113.0/24"
ROUTER = "203.0.113.1"
PRIVATE = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
NAME_PORT, ECHO_PORT = 7, 9


def is_private(ip):
    return any(ipaddress.ip_address(ip) in network for network in PRIVATE)


def address(n):
    return f"203.0.113.{n}"


def make_pool(lab, name="inet", cidr=POOL, uplink="public", **options):
    lab.ctl("pool-add", name, cidr, f"uplink={uplink}", *[f"{k}={v}" for k, v in options.items()])


def make_vpc(ctl, name="v", subnets=("s",), cidr="10.0.0.0/16"):
    """A VPC with an internet gateway and a route to it; subnets 10.0.1.0/24, 10.0.2.0/24, ..."""
    base = cidr.rsplit(".", 2)[0]
    ctl.batch([f"vpc-add {name} {cidr}", f"igw-add {name}", f"route-add {name} 0.0.0.0/0 igw"]
              + [f"subnet-add {name} {s} {base}.{i}.0/24" for i, s in enumerate(subnets, 1)])


def attach(ctl, ip, holder, pool="inet"):
    """A new elastic IP for a port's name or natgw:NAME."""
    ctl("eip-add", pool, ip, "--", "eip-attach", ip, holder)


def eip_row(lab, ip):
    return next((r for r in lab.vnetd.rows("eip") if r["ip"] == ip), None)


def start_servers(guests, names=None):
    """A UDP server that says who it is, and echoes of UDP, TCP and IP protocol 253."""
    for g in guests:
        g.agent.call("start_udp_server", port=NAME_PORT, name=(names or {}).get(g) or g.name)
        g.agent.call("start_echo", port=ECHO_PORT)
        g.agent.call("start_echo", protocol=253)
        g.agent.call("start_tcp_echo", port=ECHO_PORT)
        g.agent.call("start_tcp_server", port=80)


def expect_answers(lab, ips, seconds=10):
    """From outside, all of them, within the bound."""
    ips = list(ips)
    seen = {}

    def all_answer():
        seen.update(zip(ips, lab.outside.ping_all(ips, timeout=0.4, tries=2)))
        return set(seen.values()) == {"reply"}
    try:
        wait_until(all_answer, seconds, "elastic IPs answer the outside")
    except Exception as e:
        raise AssertionError(f"{e}: {seen}; {lab.vnetd.rows('eip')}") from e


def expect_right_neighbour(lab, ip, network="public", vlan=0):
    """The outside's ARP cache holds what the one holder of the address says, and nobody else says anything."""
    cached = lab.outside.neighbours(lab.outside.device(network, vlan)).get(ip)
    said = lab.outside.arp_ask([ip], network, vlan).get(ip)
    assert said is not None and len(said) == 1, f"{ip} is claimed by {said}"
    assert cached == said[0], f"the outside believes {ip} to be at {cached}, it is at {said[0]}"


class Watch:
    """All that hosts say on the outside's segment while the block runs; afterwards private() is what should never have been there."""

    def __init__(self, lab, network="public"):
        self._lab, self._network = lab, network
        self.seen = {}

    def __enter__(self):
        near = [self._lab.outside.near_device(self._network, h.name) for h in self._lab.hosts.values() if self._network in h.uplinks]
        self._numbers = {d: self._lab.wire.agent.call("start_census", device=d) for d in near}
        return self

    def look(self):
        return {d: self._lab.wire.agent.call("look", number=n) for d, n in self._numbers.items()}

    def __exit__(self, *exception):
        self.seen = {d: self._lab.wire.agent.call("stop", number=n) for d, n in self._numbers.items()}

    def sources(self, kinds=("ip", "arp")):
        return {ip for census in self.seen.values() for kind in kinds for ip in census[kind]}

    def private(self):
        return sorted(ip for ip in self.sources() if is_private(ip))
