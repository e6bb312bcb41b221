"""A permission withdrawn ends within a second what it allowed, by whatever way that came: by a port's elastic IP, by a NAT gateway, by a load balancer
from inside and from outside. Everything else goes on. And the trace names the group that does not let a packet pass on these ways."""
import pytest

from lab import wait_until
from lab.outside import CLIENT_IP, FAR_IP
from oneway import TALK_MS, Streams
from public import OUTSIDE, UPLINK, address, attach, make_pool
from support import expect_verify_clean

LAB = {"hosts": 2, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK}, "gateways": ("hv1",)}
DIRECT, NAT, BALANCER, PUBLIC = address(11), address(12), "10.0.1.100", address(14)
DIALLED = 100                   # what a listener's port has less than its target's
# The server's rules: whose, the peer, TCP port, UDP port. It talks on each TCP port; each UDP port is one client's.
INGRESS = {"outside": (CLIENT_IP + "/32", 7000, 7001), "far": (FAR_IP + "/32", 7000, 7002), "red": ("sg:red", 7300, 7301),
           "blue": ("sg:blue", 7300, 7302), "outside by balancer": (CLIENT_IP + "/32", 7400, 7401), "far by balancer": (FAR_IP + "/32", 7400, 7402)}
EGRESS = {"n": 7501, "m": 7502}          # of those behind the NAT gateway: UDP ports outside
CLOSED = 7900                   # a listener leads there, and no rule


class Net(Streams):
    """Server on hv2: new groups let everything out. Clients red (hv1) and blue (hv2) beside it; n and m (hv2) reach the outside through the NAT gateway,
    each with rules of its own; outside and far have none."""

    def __init__(self, lab):
        super().__init__()
        self.lab, self.rules = lab, {}
        make_pool(lab)
        lab.ctl.batch(["vpc-add v 10.0.0.0/16", "igw-add v", "rtb-add v out", "route-add out 0.0.0.0/0 igw", "subnet-add v front 10.0.1.0/24 rtb=out",
                       "subnet-add v back 10.0.2.0/24", "natgw-add front nat", "route-add v 0.0.0.0/0 natgw:nat",
                       *(f"sg-add v {g}" for g in ("srv", "red", "blue", "n", "m")),
                       *(f"port-add {s} {p} sg={g}" for s, p, g in (("front", "server", "srv"), ("front", "red", "red"), ("front", "blue", "blue"),
                                                                    ("back", "n", "n"), ("back", "m", "m")))])
        for rule in lab.vnetd.rows("sg-rule"):
            if rule["sg"] in EGRESS and rule["direction"] == "egress":
                lab.ctl("sg-rule-del", rule["id"])
        made = lab.vms(["front:server@hv2", "front:red@hv1", "front:blue@hv2", "back:n@hv2", "back:m@hv2"], dhcp=None, add=False)
        self.at = {**{g.name: g for g in made}, "outside": lab.outside, "far": lab.outside.far}
        for name, (peer, tcp, udp) in INGRESS.items():
            self.allow(name, "srv", "ingress", {"tcp": tcp, "udp": udp}, peer)
        for name, udp in EGRESS.items():
            self.allow(name, name, "egress", {"tcp": 7000, "udp": udp}, CLIENT_IP + "/32")
        for port in (7000, 7300, 7400):
            self.at["server"].agent.call("start_talker", port=port, interval_ms=TALK_MS)
        lab.outside.agent.call("start_talker", port=7000, interval_ms=TALK_MS)
        self.make_balancer()
        attach(lab.ctl, DIRECT, "server")
        attach(lab.ctl, NAT, "natgw:nat")
        self.begin()

    def make_balancer(self):
        ctl = self.lab.ctl
        ctl("lb-add", "front", "lb", f"ip={BALANCER}")
        behind = {("tcp", 7300), ("tcp", 7400), ("tcp", CLOSED)} | {("udp", udp) for name, (*_, udp) in INGRESS.items() if name not in ("outside", "far")}
        for proto, port in sorted(behind):
            ctl.batch([f"tg-add v t{port} {proto} {port} check=none", f"target-add t{port} server", f"listener-add lb {proto}:{port - DIALLED} t{port}"])
        attach(ctl, PUBLIC, "lb:lb")

    def allow(self, name, group, direction, ports, peer):
        self.rules[name] = [self.lab.ctl("sg-rule-add", group, direction, proto, port, peer).strip() for proto, port in ports.items()]

    def forbid(self, *names):
        self.lab.ctl.batch([f"sg-rule-del {rule}" for name in names for rule in self.rules.pop(name)])

    def begin(self):
        for name, (_, tcp, udp) in INGRESS.items():
            less, ip = (0, DIRECT) if name in ("outside", "far") else (DIALLED, PUBLIC if "by" in name else BALANCER)
            client = self.at[name.split()[0]]
            self.hear((name, "tcp"), client, ip, tcp - less)
            self.send((name, "udp"), client, ip, udp - less, self.at["server"], udp)
        for name, udp in EGRESS.items():
            self.hear((name, "tcp"), self.at[name], CLIENT_IP, 7000)
            self.send((name, "udp"), self.at[name], CLIENT_IP, udp, self.lab.outside)
        self.expect_heard(self.both(*INGRESS, *EGRESS))

    @staticmethod
    def both(*names):
        return [(name, proto) for name in names for proto in ("tcp", "udp")]


@pytest.fixture(scope="module")
def net(lab):
    made = Net(lab)
    yield made
    made.end()


WAYS = ["outside", "red", "outside by balancer", "n"]


@pytest.mark.parametrize("name", WAYS)
def test_a_rule_withdrawn_ends_what_came_by_it_and_nothing_else(net, name):
    net.expect_cut(net.both(name), lambda: net.forbid(name))
    net.expect_undisturbed(net.both(*net.rules))


def test_a_client_that_may_no_longer_send_to_the_balancer_is_cut(lab, net):
    """Its egress is judged by what it dialled; here it goes with its group."""
    lab.ctl("sg-rule-add", "srv", "ingress", "all", "-", "10.0.0.0/16")
    out = next(r["id"] for r in lab.vnetd.rows("sg-rule") if (r["sg"], r["direction"]) == ("blue", "egress"))
    net.expect_undisturbed(net.both("blue"))
    net.rules.pop("blue")
    net.expect_cut(net.both("blue"), lambda: lab.ctl("sg-rule-del", out))
    net.expect_undisturbed(net.both(*net.rules))
    expect_verify_clean(lab)


# -- the trace --

def last(text):
    return text.splitlines()[-1]


@pytest.mark.parametrize("source, ip, port, target", [
    (f"inet:{FAR_IP}", DIRECT, 7000, None), (f"inet:{FAR_IP}", PUBLIC, 7400 - DIALLED, 7400), ("red", BALANCER, 7300 - DIALLED, 7300)])
def test_the_trace_tells_what_is_let_in_and_by_which_target(lab, net, source, ip, port, target):
    text = lab.ctl("trace", source, "tcp", ip, port)
    assert last(text) == "VERDICT: delivered server", text
    assert (f"the load balancer chooses target 't{target}/server'" in text) == (target is not None), text


@pytest.mark.parametrize("source, ip, port, target", [
    (f"inet:{CLIENT_IP}", DIRECT, CLOSED, None), (f"inet:{CLIENT_IP}", PUBLIC, CLOSED - DIALLED, CLOSED), ("m", CLIENT_IP, CLOSED, None),
    (f"inet:{CLIENT_IP}", PUBLIC, 7400 - DIALLED, 7400)])
def test_the_trace_names_the_group_that_lets_nothing_in_or_out(lab, net, source, ip, port, target):
    text = lab.ctl("trace", source, "tcp", ip, port)
    port, group = ("m", "m") if source == "m" else ("server", "srv")
    assert f"'{port}' has no security group that allows it: it is in group '{group}'" in text, text
    assert last(text).startswith(f"VERDICT: dropped sg {port}"), text
    assert target is None or f"the load balancer chooses target 't{target}/server'" in text, text
