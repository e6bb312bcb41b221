"""Answers by the host's own agent: guests boot while vnetd is away, errors are told them, and exactly one answers at any time."""
import contextlib
import json
import re
import struct

import pytest

from lab.outside import CLIENT_IP, FAR_IP, FAR_MTU
from lab.procs import wait_until
from public import OUTSIDE, UPLINK, address, attach, make_pool
from support import expect_verify_clean
from vms import DISCOVER, dhcp_watch, end_of_agents, tap_of, wait_instance

LAB = {"hosts": 2, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK}}
PUBLIC, GATEWAY, MTU = address(11), "10.0.1.1", 1450


@pytest.fixture(scope="module")
def vm(lab):
    """With an elastic IP; of what is beyond its VPC there is a route only to where the outside's own addresses are."""
    make_pool(lab)
    lab.ctl.batch(["vpc-add v 10.0.0.0/16", "igw-add v", "route-add v 198.18.0.0/15 igw", "subnet-add v a 10.0.1.0/24",
                   "sg-rule-add v ingress icmp - 0.0.0.0/0"])
    libvirt = lab.add_libvirt("hv1")[0]
    made = libvirt.define("vm", declare={"subnet": "a"})
    made.start()
    made.wait_lease()
    attach(lab.ctl, PUBLIC, "vm")
    yield made
    libvirt.close()
    end_of_agents(lab)


@contextlib.contextmanager
def without_vnetd(lab):
    """vnetd is away; when it comes back nothing has to be sent, to either host."""
    lab.vnetd.kill()
    try:
        yield
    finally:
        lab.vnetd.start()
        lab.ready()
        lab.wait_agents("hv1")
    assert [row["sent"] for row in lab.vnetd.rows("host")] == [0, 0]
    expect_verify_clean(lab)


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
    with without_vnetd(lab):
        for round_number in (2, 3):
            with dhcp_watch(vm) as kinds:
                vm.virsh("reset")
                assert vm.wait_lease(round_number) == ip
            assert kinds.count(DISCOVER) == 1
    assert wait_instance(lab, "vm", state="running", host="hv1")["last_event"] == "rebooted"


def test_one_question_has_one_answer(lab, vm):
    lab.wait_agents("hv1")
    questions, answers = questions_and_answers(lab, vm)
    assert answers == questions >= 1


def hops(vm, ip, *options, size=60):
    """What the guest's traceroute says: [(address, mark)]; mark: '' for 'it goes on', '!N' no route, '!F-MTU' too big."""
    status, text = vm.run(f"traceroute -n -q 1 -w 3 -m 4 {' '.join(options)} {ip} {size} 2>&1", 40)
    assert status == 0, text
    return re.findall(r"^ *\d+  (?:([\d.]+)  [\d.]+ ms ?(\S*)|\*)", text, re.M)


def test_errors_are_told_while_vnetd_is_away(lab, vm):
    """By the agent, and with the packet that they are about as the guest knows it."""
    peer = lab.vms(["a:peer@hv2"])[0]
    assert vm.run(f"ping -c 1 -W 2 {peer.ip}")[0] == 0
    wait_until(lambda: lab.outside.ping(PUBLIC) == "reply", 20, "the elastic IP answers")
    with without_vnetd(lab):
        assert hops(vm, FAR_IP) == [(GATEWAY, ""), (CLIENT_IP, ""), (FAR_IP, "")]
        assert hops(vm, "192.0.2.1")[-1] == (GATEWAY, "!N")
        assert hops(vm, FAR_IP, "-F", size=1400)[-1] == (CLIENT_IP, f"!F-{FAR_MTU}")
        vm.run("ip link set eth0 mtu 1500")
        assert hops(vm, peer.ip, "-F", size=1500)[-1][1] == f"!F-{MTU}"
        vm.run(f"ip link set eth0 mtu {MTU}")
        word, extra = lab.outside.ping(PUBLIC, size=1472, df=True, timeout=3, detail=True)
        assert (word, extra.get("mtu"), extra.get("from")) == ("frag-needed", MTU, PUBLIC)
        lab.outside.forget_mtus()                          # the port has groups: who sends its first fragments is told
        assert [lab.outside.ping(PUBLIC, size=size, timeout=3) for size in (3000, 3000, 20_000)] == ["frag-needed", "reply", "reply"]
        assert vm.run(f"ping -c 4 -W 2 -s 3000 {FAR_IP}", 30)[0] == 0     # so is who answers it


def test_without_an_agent_vnetd_answers_and_with_it_again_the_agent(lab, vm):
    agent = lab["hv1"].vnet_agent
    agent.kill()
    wait_until(lambda: not lab.host_row("hv1")["agent"], 10, "vnetd notices that the agent is gone")
    count = len(vm.leases())
    vm.virsh("destroy")
    vm.start()                                             # the hook finds nobody: the guest starts all the same
    assert vm.wait_lease(count + 1) == lab.port("vm")["ip"]
    agent.start()
    lab.wait_agents("hv1")
    with without_vnetd(lab):
        vm.virsh("reset")
        assert vm.wait_lease(count + 2)
    assert json.loads(lab.ctl("-f", "json", "instance-list"))[0]["state"] == "running"
