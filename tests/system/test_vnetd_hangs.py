"""A vnetd that hangs, its connections open: guests start as they do while it is away, and all is well when it goes on."""
import contextlib
import time

import pytest

from lab.procs import wait_until
from vms import DISCOVER, dhcp_watch, end_of_agents, tap_of, wait_instance

LAB = {"hosts": 2}
HOOK_S = 5                                       # for so long a hook waits that gets no answer; three of a start do
SILENT_S = 8                                     # for so long vnetd may be silent


@pytest.fixture(scope="module")
def vm(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "a", "10.0.1.0/24")
    libvirt = lab.add_libvirt("hv1")[0]
    made = libvirt.define("vm", declare={"subnet": "a"})
    made.start()
    made.wait_lease()
    wait_instance(lab, "vm", state="running")
    yield made
    libvirt.close()
    end_of_agents(lab)


@contextlib.contextmanager
def hanging(lab):
    """vnetd stands still while the block runs, and the agent has noticed when it begins."""
    agent = lab["hv1"].vnet_agent
    lab.vnetd.signal("STOP")
    try:
        wait_until(lambda: "vnetd is silent" in agent.last_words(), SILENT_S + 20, "the agent notices")
        yield
    finally:
        lab.vnetd.signal("CONT")


def test_a_start_does_not_wait_for_a_vnetd_that_hangs_and_joins_by_its_number(lab, vm, tell):
    peer = lab.vms(["a:peer@hv2"])[0]
    ip, number = lab.port("vm")["ip"], lab["hv1"].ofport(tap_of(vm))
    with hanging(lab):
        vm.virsh("destroy")
        begin = time.monotonic()
        with dhcp_watch(vm) as kinds:
            vm.start()
            took = time.monotonic() - begin
            assert vm.wait_lease(2) == ip
        assert kinds.count(DISCOVER) == 1
        assert lab["hv1"].ofport(tap_of(vm)) == number
        assert peer.ping(ip) == "reply" and vm.run(f"ping -c 1 -W 2 {peer.ip}")[0] == 0
        tell(f"virsh start took {took:.1f} s with vnetd hanging")
        assert "before its ports are in place" not in lab["hv1"].vnet_agent.last_words()
        assert took < 3 * HOOK_S
    lab.ready()
    lab.wait_agents("hv1")
    wait_instance(lab, "vm", host="hv1", state="running")
    assert lab.port("vm")["state"] == "active"
    wait_until(lambda: lab.ctl.verify()[0] == 0, 30, "verify is clean, also of switches that took vnetd for dead and came back")
