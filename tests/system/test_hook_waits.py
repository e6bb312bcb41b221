"""libvirt's hook as a guest starts, with the real agent and vnetd: at 'prepare' the other hosts' flows are placed, before there is an interface; 'start'
waits until every port is active, and no longer. No guest is started: the test is libvirt."""
import os
import re
import subprocess

import pytest

from lab.daemon import build_folder
from lab.procs import wait_until
from vms import end_of_agents

LAB = {"hosts": 2}
BOUND_S = 60                # of the hook: what ends sooner has not ended by that
STILL_S = 2                 # what waits for ever still does after this


@pytest.fixture(scope="module")
def agents(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24")
    lab.vms(["s:other@hv2"])
    yield lab.add_agents()
    end_of_agents(lab)


class Domain:
    def __init__(self, lab, number):
        self.lab, self.host, self.name, self.mac = lab, lab["hv1"], f"vm{number}", f"52:54:00:00:00:{number:02x}"
        self.port = f"22222222-0000-4000-8000-{number:012x}"
        self.xml = f"""<domain type='kvm'><name>{self.name}</name><uuid>11111111-0000-4000-8000-{number:012x}</uuid>
            <metadata><vnet:instance xmlns:vnet='urn:vnet:1'><vnet:interface mac='{self.mac}' subnet='s'/></vnet:instance></metadata>
            <devices><interface type='bridge'><mac address='{self.mac}'/><source bridge='br-int'/>
            <virtualport type='openvswitch'><parameters interfaceid='{self.port}'/></virtualport></interface></devices></domain>"""

    def hook(self, operation):
        """The hook as libvirt calls it, under way."""
        process = subprocess.Popen([os.path.join(build_folder(), "bin", "vnet-hook"), f"--socket={self.host.path('run', 'vnet-agent.sock')}",
                                    f"--timeout={BOUND_S}", "--strict", self.name, operation, "begin", "-"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        process.stdin.write(self.xml)
        process.stdin.close()
        return process

    def prepare(self):
        ended(self.hook("prepare"))

    def plug(self):
        self.host.add_guest(self.name, self.mac, self.port)

    def state(self):
        """Without asking switches for counters: one may stand still."""
        rows = self.lab.vnetd.rows("port", columns="name,state")
        return next(r["state"] for r in rows if r["name"] == self.name)


def ended(process):
    try:
        assert process.wait(BOUND_S / 2) == 0, process.stdout.read()
        assert process.stdout.read() == ""
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def still_waits(process):
    try:
        process.wait(STILL_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def leads(host, mac, to):
    """Do flows of the host send to that MAC by the tunnel to the other host?"""
    flows = host.flows()
    numbers = [re.search(r"reg11=(0x[0-9a-f]+)", flow)[1] for flow in flows if f"set_field:{to.tunnel_ip}->tun_dst" in flow]
    return any(f"dl_dst={mac} " in flow and f"set_field:{n}->reg11" in flow for flow in flows for n in numbers)


def test_prepare_places_the_flows_of_other_hosts_before_there_is_an_interface(lab, agents):
    domain = Domain(lab, 1)
    domain.prepare()
    wait_until(lambda: leads(lab["hv2"], domain.mac, lab["hv1"]), 10, "hv2 sends to the port's host")
    assert domain.host.vsctl("--bare", "--columns=name", "find", "interface", f"external_ids:iface-id=\"{domain.port}\"") == ""
    assert lab.port("vm1")["host"] == "hv1" and domain.state() == "building"


def test_start_waits_for_an_interface_that_is_not_there_yet(lab, agents):
    domain = Domain(lab, 2)
    domain.prepare()
    start = domain.hook("start")
    assert still_waits(start) and domain.state() == "building"
    domain.plug()
    ended(start)
    assert domain.state() == "active"


def test_start_waits_for_a_switch_that_has_not_confirmed(lab, agents):
    domain = Domain(lab, 3)
    domain.plug()
    lab["hv1"].freeze()
    try:
        domain.prepare()
        start = domain.hook("start")
        assert still_waits(start) and domain.state() == "building"
    finally:
        lab["hv1"].thaw()
    ended(start)
    assert domain.state() == "active"


def test_start_does_not_wait_for_what_is_active(lab, agents):
    domain = Domain(lab, 4)
    domain.prepare()
    domain.plug()
    wait_until(lambda: domain.state() == "active", 20, "the port is active")
    ended(domain.hook("start"))
