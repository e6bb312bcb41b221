"""./dev demo and ./dev sandbox: three hypervisors over TLS, two tenants with the same 10.0.0.0/16, VMs addressed by DHCP, and an outside
that reaches them by elastic IPs.

The demo tells in short lines what it does and is itself a test: anything that is not as it should be ends it with status 1.
The sandbox builds the same and leaves a shell in it.
"""
import os
import stat
import subprocess
import sys
import time

from lab.lab import Lab, reach_matrix
from lab.outside import CLIENT_IP
from lab.procs import LabError, wait_until

TENANTS = ("red", "blue")
PLACES = ("app:vm1@hv1", "app:vm2@hv2", "db:vm3@hv3")
# hv1 and hv2 reach the outside, hv2 also for others; hv3 does not.
OUTSIDE = {"outside": {"public": {0: "203.0.113.1/24"}}, "uplinks": {h: {"public": "br-ex"} for h in ("hv1", "hv2")}, "gateways": ("hv2",)}


class Surprise(Exception):
    """The network did something else than it should."""


class Narrator:
    def __init__(self):
        self._begin = time.monotonic()

    def say(self, text):
        print(f"{time.monotonic() - self._begin:5.1f} s  {text}", flush=True)


def build_tenants(lab, say):
    guests = {}
    for tenant in TENANTS:
        ctl = lab.ctl.as_tenant(tenant)
        lab.ctl("tenant-add", tenant)
        ctl("vpc-add", "net", "10.0.0.0/16", "--", "subnet-add", "net", "app", "10.0.1.0/24", "--",
            "subnet-add", "net", "db", "10.0.2.0/24")
        places = [f"{p.split('@')[0]} ip=10.0.{1 + p.startswith('db')}.{10 + i}" for i, p in enumerate(PLACES)]
        ctl.batch([f"port-add {p.replace(':', ' ')}" for p in places])
        guests[tenant] = lab.vms(PLACES, tenant=tenant, add=False)
        say(f"tenant {tenant}: VPC 10.0.0.0/16, VMs by DHCP: "
            + ", ".join(f"{g.name} {g.ip} on {g.host.name}" for g in guests[tenant]))
    return guests


def check_inside(guests, say):
    for tenant, mine in guests.items():
        answers = {(g, ip): word for (g, ip), word in reach_matrix(mine).items() if ip != g.ip}
        silent = [f"{g.name} -> {ip}" for (g, ip), word in answers.items() if word != "reply"]
        if silent:
            raise Surprise(f"tenant {tenant}: no answer: {', '.join(silent)}")
        say(f"tenant {tenant}: all {len(answers)} pings between its VMs answered, two subnets, three hosts")


def check_across(guests, say):
    """Both tenants have 10.0.1.10: whoever answers must be one's own. Frames of one may not show up at the other's VMs."""
    red, blue = (guests[t] for t in TENANTS)
    with blue[1].doing("udp_server", port=7, name="blue") as server:
        if red[0].who_answers([blue[1].ip], 7) != [None] or server.look():
            raise Surprise("red's packet reached blue's VM")
        if blue[0].who_answers([blue[1].ip], 7) != ["blue"]:
            raise Surprise("blue's own VM was not answered")
    say("red asks 10.0.1.11: blue's server at that address hears nothing; blue's own VM is answered")


def check_verify(lab, say):
    status, text = lab.ctl.verify()
    if status != 0:
        raise Surprise(f"verify: status {status}: {text}")
    say("verify: every flow on every switch is as intended")


def build_way_out(lab, say):
    """Each tenant: a VM with an elastic IP on hv3, and a NAT gateway for the subnet 'db'."""
    fronts = {}
    lab.ctl("pool-add", "inet", "203.0.113.0/24", "uplink=public")
    for tenant in TENANTS:
        ctl = lab.ctl.as_tenant(tenant)
        ctl.batch(["igw-add net", "route-add net 0.0.0.0/0 igw", "natgw-add app out", "rtb-add net inner", "route-add inner 0.0.0.0/0 natgw:out",
                   "set subnet db rtb=inner"])
        fronts[tenant], = lab.vms(["app:web@hv3"], tenant=tenant, port="ip=10.0.1.80 sg=none")
        public, nat = (ctl("eip-add", "inet").strip() for _ in range(2))
        ctl("eip-attach", public, "web", "--", "eip-attach", nat, "natgw:out")
        fronts[tenant].public = public
        say(f"tenant {tenant}: web {fronts[tenant].ip} on hv3 has elastic IP {public}, subnet db leaves by NAT gateway {nat}")
    return fronts


def expect(what, check):
    try:
        wait_until(check, 10, what)
    except LabError as e:
        raise Surprise(str(e)) from None


def check_way_in(lab, fronts, say):
    publics = [g.public for g in fronts.values()]
    expect("the outside reaches both elastic IPs", lambda: lab.outside.ping_all(publics, timeout=0.5) == ["reply"] * 2)
    for tenant, g in fronts.items():
        g.agent.call("start_udp_server", port=7, name=tenant)
        g.agent.call("start_tcp_echo", port=80)
    if lab.outside.who_answers(publics, 7) != list(TENANTS):
        raise Surprise("the outside is not answered by the right VM")
    say(f"from outside: {publics[0]} is red's web, {publics[1]} is blue's, though both are {fronts['red'].ip}; by gateway host "
        + lab.ctl.as_tenant("red").list("eip", publics[0])[0]["host"])


def check_elastic_move(lab, fronts, say):
    web = fronts["red"]
    with lab.outside.doing("chat", ip=web.public, port=80) as chat:
        expect("a connection from outside", lambda: chat.look()["back"] > 10)
        web.move(lab["hv1"])
        mark = chat.look()["back"]
        expect("the connection goes on", lambda: chat.look()["back"] > mark + 10)
    if chat.result["error"] or chat.result["back"] != chat.result["sent"]:
        raise Surprise(f"TCP from outside over a move: {chat.result}")
    say(f"red's web moved from hv3 to hv1: {web.public} went along, its TCP connection lost nothing and paused {chat.result['longest_gap_ms']} ms")


def check_way_out(lab, guests, say):
    with lab.outside.doing("tcp_echo", port=1080) as server:
        for mine in guests.values():
            with mine[2].doing("crowd", ip=CLIENT_IP, port=1080, count=20, name=mine[2].name) as crowd:
                expect("20 connections through a NAT gateway", lambda c=crowd: c.look()["right"] == 20)
        seen = sorted(server.look()["ips"])
    known = sorted(r["ip"] for t in TENANTS for r in lab.ctl.as_tenant(t).list("natgw"))
    if seen != known:
        raise Surprise(f"the outside saw {seen}, the NAT gateways have {known}")
    say(f"vm3 of each tenant, both 10.0.2.12, opened 20 connections to {CLIENT_IP}: it saw only {' and '.join(seen)}")


def check_restart(lab, guests, say):
    a, b = guests["red"][0], guests["red"][2]
    with a.doing("ping", ip=b.ip, interval_ms=5) as stream:
        lab.vnetd.kill()
        a.flush_neighbours()
        b.flush_neighbours()
        lab.vnetd.start()
        lab.ready()
    if stream.result["n_lost"]:
        raise Surprise(f"vnetd killed and restarted: {stream.result}")
    say(f"vnetd killed and restarted under a 5 ms ping: {stream.result['sent']} sent, none lost")


def make_sandbox(say):
    lab = Lab(hosts=3, tls=True, **OUTSIDE)
    try:
        say(f"three hypervisors joined over TLS: {', '.join(h.name + ' ' + h.tunnel_ip for h in lab.hosts.values())}")
        guests = build_tenants(lab, say)
        return lab, guests, build_way_out(lab, say)
    except BaseException:
        lab.close()
        raise


def demo():
    narrator = Narrator()
    lab, guests, fronts = make_sandbox(narrator.say)
    with lab:
        check_inside(guests, narrator.say)
        check_across(guests, narrator.say)
        check_way_in(lab, fronts, narrator.say)
        check_elastic_move(lab, fronts, narrator.say)
        check_way_out(lab, guests, narrator.say)
        check_verify(lab, narrator.say)
        check_restart(lab, guests, narrator.say)
    narrator.say("all gone again")


def write_commands(lab, guests):
    """Small programs in LAB/bin: vnetctl against this vnetd, and one per machine and VM that runs a command there."""
    folder = os.path.join(lab.root, "bin")
    os.makedirs(folder)

    def program(name, command):
        path = os.path.join(folder, name)
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\nexport PATH={lab.programs.env['PATH']}\n{command}\n")
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR | stat.S_IXGRP)

    program("vnetctl", f'exec {lab.ctl.program} --server={lab.ctl.server} "$@"')
    for machine in [*lab.hosts.values(), lab.node, lab.wire, lab.outside]:
        program(machine.name, "[ $# -gt 0 ] || set -- bash\nexec " + " ".join(machine.enter_command()) + ' "$@"')
    for tenant, mine in guests.items():
        for g in mine:
            inner = f"nsenter -t {g.pid} -n --"
            program(f"{tenant}-{g.name}", "[ $# -gt 0 ] || set -- bash\nexec "
                    + " ".join(g.host.enter_command()) + f' {inner} "$@"')
    return folder


def sandbox():
    narrator = Narrator()
    lab, guests, fronts = make_sandbox(narrator.say)
    with lab:
        for tenant, web in fronts.items():
            guests[tenant].append(web)
        folder = write_commands(lab, guests)
        print(f"""
The lab stands in {lab.root}; leave the shell to end it.
  vnetctl show                   what vnetd thinks           vnetctl -t red list port
  hv1 ovs-vsctl show             a command on a host          hv1, node, wire: a shell there
  red-vm1 ping 10.0.2.12         a command in a VM            blue-vm2 tcpdump -ni eth0
  outside ping {fronts["red"].public}       red's VM 'web' by its elastic IP
""", flush=True)
        subprocess.run([os.environ.get("SHELL", "/bin/bash")], cwd=lab.root,
                       env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "VNET_SERVER": lab.ctl.server, "LAB": lab.root})


def main(arguments):
    commands = {"demo": demo, "sandbox": sandbox}
    if len(arguments) != 1 or arguments[0] not in commands:
        print("usage: vnet-lab demo|sandbox", file=sys.stderr)
        return 1
    try:
        commands[arguments[0]]()
    except (Surprise, LabError) as e:
        print(f"vnet-lab: {e}", file=sys.stderr)
        return 1
    return 0
