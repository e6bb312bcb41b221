"""./dev demo and ./dev sandbox: three hypervisors over TLS, two tenants with the same 10.0.0.0/16, VMs addressed by DHCP.

The demo tells in short lines what it does and is itself a test: anything that is not as it should be ends it with status 1.
The sandbox builds the same and leaves a shell in it.
"""
import os
import stat
import subprocess
import sys
import time

from lab.lab import Lab, reach_matrix
from lab.procs import LabError

TENANTS = ("red", "blue")
PLACES = ("app:vm1@hv1", "app:vm2@hv2", "db:vm3@hv3")


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
    lab = Lab(hosts=3, tls=True)
    try:
        say(f"three hypervisors joined over TLS: {', '.join(h.name + ' ' + h.tunnel_ip for h in lab.hosts.values())}")
        return lab, build_tenants(lab, say)
    except BaseException:
        lab.close()
        raise


def demo():
    narrator = Narrator()
    lab, guests = make_sandbox(narrator.say)
    with lab:
        check_inside(guests, narrator.say)
        check_across(guests, narrator.say)
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
    for machine in [*lab.hosts.values(), lab.node, lab.wire]:
        program(machine.name, "[ $# -gt 0 ] || set -- bash\nexec " + " ".join(machine.enter_command()) + ' "$@"')
    for tenant, mine in guests.items():
        for g in mine:
            inner = f"nsenter -t {g.pid} -n --"
            program(f"{tenant}-{g.name}", "[ $# -gt 0 ] || set -- bash\nexec "
                    + " ".join(g.host.enter_command()) + f' {inner} "$@"')
    return folder


def sandbox():
    narrator = Narrator()
    lab, guests = make_sandbox(narrator.say)
    with lab:
        folder = write_commands(lab, guests)
        print(f"""
The lab stands in {lab.root}; leave the shell to end it.
  vnetctl show                   what vnetd thinks           vnetctl -t red list port
  hv1 ovs-vsctl show             a command on a host          hv1, node, wire: a shell there
  red-vm1 ping 10.0.2.12         a command in a VM            blue-vm2 tcpdump -ni eth0
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
