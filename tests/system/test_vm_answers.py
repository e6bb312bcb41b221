"""Answers by the host's own agent: guests boot while vnetd is away, and exactly one answers at any time."""
import json
import struct

import pytest

from lab.procs import wait_until
from vms import DISCOVER, dhcp_watch, end_of_agents, tap_of, wait_instance

LAB = {"hosts": 1}


@pytest.fixture(scope="module")
def vm(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "a", "10.0.1.0/24")
    libvirt = lab.add_libvirt()[0]
    made = libvirt.define("vm", declare={"subnet": "a"})
    made.start()
    made.wait_lease()
    yield made
    libvirt.close()
    end_of_agents(lab)


def questions_and_answers(lab, vm, seconds=30):
    """How many DHCP packets came from the guest's client and went to it, for one renewal. A slow answer makes the client ask again."""
    host = vm.libvirt.host
    count = len(vm.leases())
    number = host.agent.call("start_capture", device=tap_of(vm), both=True)
    assert vm.run("killall -USR1 udhcpc")[0] == 0
    vm.wait_lease(count + 1, seconds)
    frames = [bytes.fromhex(f) for f in host.agent.call("stop", number=number)]
    ports = [struct.unpack_from("!HH", f, 34) for f in frames if f[12:14] == b"\x08\x00" and f[23] == 17]
    return ports.count((68, 67)), ports.count((67, 68))


def test_a_guest_that_boots_while_vnetd_is_away_has_its_address_at_once(lab, vm):
    ip = lab.port("vm")["ip"]
    wait_instance(lab, "vm", state="running")
    lab.vnetd.kill()
    for round_number, how in ((2, "reset"), (3, "reset")):
        with dhcp_watch(vm) as kinds:
            vm.virsh(how)
            assert vm.wait_lease(round_number) == ip
        assert kinds.count(DISCOVER) == 1
    lab.vnetd.start()
    lab.ready()
    lab.wait_agents()
    assert lab.host_row("hv1")["sent"] == 0
    assert lab.ctl.verify() == (0, "")
    assert wait_instance(lab, "vm", state="running", host="hv1")["last_event"] == "rebooted"


def test_one_question_has_one_answer(lab, vm):
    lab.wait_agents()
    questions, answers = questions_and_answers(lab, vm)
    assert answers == questions >= 1


def test_vnetd_coming_back_sends_nothing_that_is_not_needed(lab, vm):
    lab.vnetd.kill()
    assert vm.run("ping -c 2 10.0.1.1")[0] == 0
    lab.vnetd.start()
    lab.ready()
    lab.wait_agents()
    assert lab.host_row("hv1")["sent"] == 0
    assert lab.ctl.verify() == (0, "")


def test_without_an_agent_vnetd_answers_and_with_it_again_the_agent(lab, vm):
    agent = lab["hv1"].vnet_agent
    agent.kill()
    wait_until(lambda: not lab.host_row("hv1")["agent"], 10, "vnetd notices that the agent is gone")
    count = len(vm.leases())
    vm.virsh("destroy")
    vm.start()                                             # the hook finds nobody: the guest starts all the same
    assert vm.wait_lease(count + 1) == lab.port("vm")["ip"]
    agent.start()
    lab.wait_agents()
    lab.vnetd.kill()
    vm.virsh("reset")
    assert vm.wait_lease(count + 2)
    lab.vnetd.start()
    lab.ready()
    lab.wait_agents()
    assert json.loads(lab.ctl("-f", "json", "instance-list"))[0]["state"] == "running"
