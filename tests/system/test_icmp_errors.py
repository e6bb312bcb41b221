"""ICMP errors reach whom they are about, through whatever a connection passes: a load balancer, from inside, from outside and from behind a router; the
groups of a VM that is a route's next hop. So paths that are narrower than both ends find their size, and transfers go through; and who asks by UDP where
nobody listens is told."""
import pytest

from lab import wait_until
from lab.outside import FAR_MTU, Place
from public import OUTSIDE, UPLINK, address, attach, make_pool
from support import expect_verify_clean

LAB = {"hosts": 2, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK}, "gateways": ("hv1",)}
BALANCER, PUBLIC = "10.0.1.100", address(50)
TAKES, GIVES, CLOSED, DEAF = 8080, 8081, 8082, 8083
N_BYTES, WIDE, TUNNEL_MTU = 300_000, 1500, 1450
BEHIND, BEHIND_MTU, FIREWALL_MTU = "192.168.9.9", 1200, 1300
# Name: subnet, host, groups, what else the port says. Targets u and t; clients c and d; r is a router with a place behind it; a and b talk through fw.
GUESTS = {"t": ("s", "hv2", "web", ""), "u": ("s", "hv2", "none", ""), "c": ("s", "hv1", "v", ""), "d": ("s", "hv1", "none", ""),
          "r": ("s", "hv1", "hop", "source_dest_check=false"), "fw": ("mid", "hv1", "fw", "source_dest_check=false"),
          "a": ("left", "hv2", "v", ""), "b": ("right", "hv1", "web", "")}


@pytest.fixture(scope="module")
def net(lab):
    make_pool(lab)
    lab.ctl.batch(["vpc-add v 10.0.0.0/16", "igw-add v", "rtb-add v left", "rtb-add v right", "subnet-add v s 10.0.1.0/24", "subnet-add v mid 10.0.2.0/24",
                   "subnet-add v left 10.0.3.0/24 rtb=left", "subnet-add v right 10.0.4.0/24 rtb=right", "route-add v 0.0.0.0/0 igw",
                   "sg-add v web", f"sg-rule-add web ingress tcp {TAKES}-{CLOSED} 0.0.0.0/0",
                   f"sg-rule-add web ingress udp {DEAF} 0.0.0.0/0", "sg-add v hop", "sg-rule-add hop ingress all - sg:web",
                   "sg-add v fw", f"sg-rule-add fw ingress tcp {TAKES}-{GIVES} 10.0.3.0/24"])
    out = next(r["id"] for r in lab.vnetd.rows("sg-rule") if (r["sg"], r["direction"]) == ("fw", "egress"))
    lab.ctl.batch([f"sg-rule-del {out}", f"sg-rule-add fw egress tcp {TAKES}-{GIVES} 10.0.4.0/24"])
    guests = {}
    for name, (subnet, host, sg, more) in GUESTS.items():
        guests[name] = lab.vms([f"{subnet}:{name}@{host}"], dhcp=None, port=f"sg={sg} {more}")[0]
    lab.ctl.batch(["route-add left 10.0.4.0/24 port:fw", "route-add right 10.0.3.0/24 port:fw", "route-add v 192.168.9.0/24 port:r",
                   f"lb-add s lb ip={BALANCER}"])
    for name in ("t", "u", "b"):
        for port in (TAKES, CLOSED):
            guests[name].agent.call("start_tcp_server", port=port)
        guests[name].agent.call("start_tcp_giver", port=GIVES)
    for name in ("t", "u"):
        lab.ctl.batch([line for port in (TAKES, GIVES) for line in (
            f"tg-add v {name}{port} tcp {port} check=none", f"target-add {name}{port} {name}", f"listener-add lb tcp:{listener(name, port)} {name}{port}")])
        lab.ctl.batch([f"tg-add v {name}{DEAF} udp {DEAF} check=none", f"target-add {name}{DEAF} {name}",
                       f"listener-add lb udp:{listener(name, DEAF)} {name}{DEAF}"])
    attach(lab.ctl, PUBLIC, "lb:lb")
    guests["behind"] = make_behind(lab, guests["r"])
    make_firewall(guests["fw"], guests["b"])
    wait_until(lambda: lab.outside.far.tcp_connect(PUBLIC, listener("t", TAKES), timeout=0.5) == "connected", 10, "the outside reaches the balancer")
    lab.ctl("--wait=hosts", "sync")
    return guests


def listener(target, port):
    return port + {"t": 1000, "u": 2000}[target]


def make_behind(lab, router):
    """A machine of the customer's behind its router, by a link that is narrower than either's own."""
    host, folder = router.host, router.host.path("guest", "behind")
    pid = host.make("guest", "behind", folder)
    host.ip([f"link add near netns {router.pid} type veth peer name eth0 netns {pid}"])
    near = BEHIND.rpartition(".")[0] + ".1"
    router.agent.call("configure", device="near", ip=near, prefix_length=24, checksums=False)
    router.run("ip", "route", "replace", BEHIND, "dev", "near", "mtu", "lock", str(BEHIND_MTU))
    router.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
    place = Place("behind", folder, BEHIND)
    place.agent.call("configure", device="eth0", ip=BEHIND, gateway=near, checksums=False)
    return place


def make_firewall(fw, b):
    """It lets less through towards b than its link carries."""
    fw.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.eth0.send_redirects=0")
    gateway = fw.ip.rpartition(".")[0] + ".1"
    fw.run("ip", "route", "replace", b.ip, "via", gateway, "dev", "eth0", "mtu", "lock", str(FIREWALL_MTU))


@pytest.fixture
def wide(net):
    """Guests that believe in larger packets than the tunnel between them carries; afterwards none knows of any path."""
    guests = [net[n] for n in "tucd"]
    for g in guests:
        g.agent.call("configure", device="eth0", mtu=WIDE)
    yield net
    for g in guests:
        g.agent.call("configure", device="eth0", mtu=TUNNEL_MTU)
        g.forget_mtus()


@pytest.mark.parametrize("client", "cd")
@pytest.mark.parametrize("target", "tu")
def test_both_ends_of_a_balanced_connection_learn_what_the_tunnel_carries(wide, client, target):
    """The client is told of what it has sent to the balancer. Who knows of the path offers segments that fit: so each end forgets before the other's turn."""
    assert wide[client].tcp_send(BALANCER, listener(target, TAKES), N_BYTES, timeout=8)["ok"]
    assert wide[client].known_mtu(BALANCER) == TUNNEL_MTU
    wide[client].forget_mtus()
    result = wide[client].tcp_fetch(BALANCER, listener(target, GIVES), N_BYTES)
    assert result["ok"], result
    assert wide[target].known_mtu(wide[client].ip) == TUNNEL_MTU


@pytest.mark.parametrize("target", "tu")
def test_a_target_learns_of_a_narrow_path_outside(lab, net, target):
    net[target].forget_mtus()
    result = lab.outside.far.tcp_fetch(PUBLIC, listener(target, GIVES), N_BYTES)
    assert result["ok"], result
    assert net[target].known_mtu(lab.outside.far.ip) == FAR_MTU


@pytest.mark.parametrize("target", "tu")
def test_a_target_learns_of_a_narrow_path_behind_a_router_of_the_vpc(net, target):
    net[target].forget_mtus()
    result = net["behind"].tcp_fetch(BALANCER, listener(target, GIVES), N_BYTES)
    assert result["ok"], result
    assert net[target].known_mtu(BEHIND) == BEHIND_MTU


@pytest.mark.parametrize("client", "cdtu")
@pytest.mark.parametrize("target", "tu")
def test_who_asks_a_balancer_by_udp_where_nobody_listens_is_told(net, client, target):
    """A target that asks itself, too."""
    assert net[client].udp_connect(BALANCER, listener(target, DEAF)) == "refused"


@pytest.mark.parametrize("target", "tu")
def test_who_asks_from_outside_by_udp_where_nobody_listens_is_told(lab, net, target):
    assert lab.outside.udp_connect(PUBLIC, listener(target, DEAF)) == "refused"


def test_errors_of_a_firewall_pass_its_own_groups(net):
    """What it forwards it has twice, coming and going: its ingress is judged by who sends, its egress by where that goes."""
    a, b = net["a"], net["b"]
    a.forget_mtus()
    assert a.tcp_send(b.ip, TAKES, N_BYTES)["ok"]
    assert a.known_mtu(b.ip) == FIREWALL_MTU
    assert a.tcp_fetch(b.ip, GIVES, N_BYTES)["ok"]
    assert a.tcp_connect(b.ip, CLOSED, timeout=0.5) != "connected", "the firewall's own groups do not allow that port"


def test_a_firewall_s_rule_withdrawn_closes_the_way_through_it(lab, net):
    a, b = net["a"], net["b"]
    for direction in ("ingress", "egress"):
        row = next(r for r in lab.vnetd.rows("sg-rule") if (r["sg"], r["direction"]) == ("fw", direction))
        lab.ctl("--wait=hosts", "sg-rule-del", row["id"])
        wait_until(lambda: a.tcp_connect(b.ip, TAKES, timeout=0.5) != "connected", 5, f"without its {direction} rule")
        lab.ctl("--wait=hosts", "sg-rule-add", "fw", direction, "tcp", row["ports"], row["peer"])
        wait_until(lambda: a.tcp_connect(b.ip, TAKES, timeout=0.5) == "connected", 5, f"with its {direction} rule")
    expect_verify_clean(lab)
