"""libvirt's hook as a guest starts, with the real agent and vnetd: at 'prepare' the other hosts' flows are placed, before there is an interface; 'start'
waits until every port is active, and no longer, also of a domain whose 'prepare' found nobody. No guest is started: the test is libvirt."""
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


def test_start_declares_first_what_nobody_has_answered_at_prepare(lab, agents):
    """The agent, or vnetd, has come in between."""
    domain = Domain(lab, 5)
    start = domain.hook("start")
    assert still_waits(start) and domain.state() == "building"
    domain.plug()
    ended(start)
    assert domain.state() == "active"


N_DOMAINS = 1000


def domains_of_a_host(n):
    """libvirt's test driver's file: they all run, and declare a port each."""
    def one(i):
        mac = f"52:54:00:01:{i >> 8:02x}:{i & 255:02x}"
        return (f"<domain type='test'><name>many{i}</name><uuid>33333333-0000-4000-8000-{i:012x}</uuid><metadata><vnet:instance xmlns:vnet='urn:vnet:1'>"
                f"<vnet:interface mac='{mac}' subnet='wide'/></vnet:instance></metadata><memory>1024</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>"
                f"<interface type='bridge'><mac address='{mac}'/><source bridge='br-int'/><virtualport type='openvswitch'>"
                f"<parameters interfaceid='44444444-0000-4000-8000-{i:012x}'/></virtualport></interface></devices></domain>")
    return f"<node>{''.join(one(i) for i in range(n))}</node>"


def test_a_host_with_a_thousand_domains_is_shown_whole_and_again(lab, agents, soak):
    if not soak:
        pytest.skip("in a soak: each of them is declared")
    host, agent = lab["hv1"], lab["hv1"].vnet_agent
    with open(host.path("many.xml"), "w") as f:
        f.write(domains_of_a_host(N_DOMAINS))
    lab.ctl("subnet-add", "v", "wide", "10.0.64.0/20")
    agent.kill("TERM")
    agent.connect = f"test://{host.path('many.xml')}"
    agent.start()

    def names(kind):
        return {r["name"] for r in lab.vnetd.rows(kind, columns="name") if r["name"].startswith("many")}
    wanted = {f"many{i}" for i in range(N_DOMAINS)}
    wait_until(lambda: names("instance") == wanted, 60, "all are shown")
    wait_until(lambda: names("port") == wanted, 300, "all have their ports")
    lab.vnetd.restart()
    lab.wait_agents("hv1")
    wait_until(lambda: names("instance") == wanted, 60, "all are shown again")
    assert names("port") == wanted
    assert "was not taken" not in agent.last_words(1000)
