"""What tests of load balancers under load share: a balancer with targets of weights 1, 2 and 3 on three hosts, and clients inside and outside."""
import contextlib

from lab import wait_until
from public import OUTSIDE, UPLINK, address, attach, make_pool, make_vpc

LAB = {"hosts": 3, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK}, "gateways": ("hv1",)}
BALANCER, PUBLIC = "10.0.1.100", address(50)
TCP, UDP = 80, 53
INTERVAL, TIMEOUT, FALL = 0.2, 0.1, 3
CHECKS = f"check=icmp interval={INTERVAL} timeout={TIMEOUT} fall={FALL} rise=2"


def make_guests(lab, wanted, **options):
    """wanted: {name: (host, groups)}; every one gets the servers that targets need."""
    guests = {}
    for name, (host, sg) in wanted.items():
        guests[name] = serve(lab.vms([f"s:{name}@{host}"], port=f"sg={sg}", **options)[0])
    return guests


def serve(guest):
    guest.tcp = guest.agent.call("start_tcp_echo", port=8080)
    guest.agent.call("start_udp_server", port=5353, name=guest.name)
    return guest


def make_network(lab, weights, drain):
    """Targets w1, w2, ... with weights; clients c (no groups) and d (groups). All on three hosts in turn; every second target has groups."""
    make_pool(lab)
    make_vpc(lab.ctl, "v", ("s",))
    lab.ctl.batch(["sg-add v web", "sg-rule-add web ingress tcp 8080 0.0.0.0/0", "sg-rule-add web ingress udp 5353 0.0.0.0/0",
                   "sg-rule-add web ingress icmp 8 10.0.1.1/32"])
    hosts = [f"hv{1 + i % 3}" for i in range(len(weights))]
    wanted = {f"w{i + 1}": (h, "none" if i % 2 else "web") for i, h in enumerate(hosts)}
    guests = make_guests(lab, {**wanted, "c": ("hv1", "none"), "d": ("hv2", "v"), "e": ("hv3", "none"), "f": ("hv3", "v")})
    lab.ctl.batch([f"lb-add s lb ip={BALANCER}", f"tg-add v tcp tcp 8080 drain={drain} {CHECKS}", f"tg-add v udp udp 5353 drain={drain} {CHECKS}",
                   f"listener-add lb tcp:{TCP} tcp", f"listener-add lb udp:{UDP} udp"])
    for i, weight in enumerate(weights, 1):
        lab.ctl.batch([f"target-add {tg} w{i} weight={weight}" for tg in ("tcp", "udp")])
    attach(lab.ctl, PUBLIC, "lb:lb")
    all_healthy(lab)
    wait_until(lambda: lab.outside.tcp_connect(PUBLIC, TCP, timeout=0.5) == "connected", 10, "the outside reaches the balancer")
    return guests


def health(lab, target):
    return next((r["health"] for r in lab.vnetd.rows("target") if r["name"] == target), None)


def all_healthy(lab):
    wait_until(lambda: {r["health"] for r in lab.vnetd.rows("target")} == {"healthy"}, 15, "all targets are healthy")
    lab.ctl("--wait=hosts", "sync")


def accepted(guest):
    """Connections that a target has ever had."""
    return guest.agent.call("look", number=guest.tcp)["connections"]


def is_open(guest):
    """Connections that a target has now."""
    return guest.agent.call("look", number=guest.tcp)["open"]


def places(lab, net):
    return [(net["c"], BALANCER), (net["d"], BALANCER), (lab.outside, PUBLIC)]


@contextlib.contextmanager
def in_each_place(lab, net, what, **arguments):
    """One activity in each place while others do something; each one's result afterwards."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(client.doing(what, ip=ip, port=TCP, **arguments)) for client, ip in places(lab, net)]


def look_at(activities):
    return [a.look() for a in activities]


def wait_for_more(requests, n=60):
    """Each place gets n more answers."""
    before = [r["done"] for r in look_at(requests)]
    wait_until(lambda: all(r["done"] > b + n for r, b in zip(look_at(requests), before)), 60, "requests go on")


def wait_for_the_end(crews, seconds=60):
    """Of connections that nobody answers any more: some are lost, and what is left has been answered what was asked after now."""
    before = [r["most_questions"] for r in look_at(crews)]
    wait_until(lambda: all(r["lost"] and (not r["alive"] or r["fewest_answers"] > n) for r, n in zip(look_at(crews), before)), seconds,
               "the dead one's connections have ended, and all others are answered")
