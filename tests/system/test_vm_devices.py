"""A guest that runs on: it reboots by all ways there are, interfaces are plugged and pulled, and what is told of its traffic is right."""
import contextlib
import json
import os
import re

import pytest

from lab.procs import LabError, wait_until
from support import expect_verify_clean
from vms import DISCOVER, dhcp_watch, end_of_agents, is_heard, tap_of, wait_instance

LAB = {"hosts": 1}
MAC, PORT_ID = "52:54:00:00:03:03", "33333333-0000-4000-8000-000000000003"


@pytest.fixture(scope="module")
def vm(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "a", "10.0.1.0/24", "--", "subnet-add", "v", "b", "10.0.2.0/24")
    libvirt = lab.add_libvirt()[0]
    made = libvirt.define("vm", declare={"subnet": "a"})
    made.start()
    made.wait_lease()
    wait_instance(lab, "vm", state="running", reason="booted")
    yield made
    libvirt.close()
    end_of_agents(lab)


# -- reboots --

# How, and which events libvirt may tell last: it resets and resumes a guest whose button it has pressed.
WAYS = {
    "reboot in the guest": (lambda vm: vm.run("reboot -f & true"), ["rebooted"]),
    "virsh reboot": (lambda vm: vm.virsh("reboot", "--mode", "acpi"), ["rebooted", "resumed unpaused"]),
    "virsh reset": (lambda vm: vm.virsh("reset"), ["rebooted"]),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_a_reboot_is_no_end(lab, vm, way):
    how, events = WAYS[way]
    wait_until(lambda: is_heard(lab, vm), 10, "another event than that of a reboot before")
    before, port, sent = lab.instance("vm"), lab.port("vm"), lab.host_row("hv1")["sent"]
    pid, count = vm.pid(), len(vm.leases())
    with dhcp_watch(vm) as kinds:
        how(vm)
        assert vm.wait_lease(count + 1) == port["ip"]
    assert kinds.count(DISCOVER) == 1
    wait_until(lambda: lab.instance("vm")["last_event"] != before["last_event"], 10, "an event")
    after = lab.instance("vm")
    assert after.pop("last_event") in events and before.pop("last_event")
    assert after == before                                 # 'since' too: the machine has not stopped
    assert vm.pid() == pid and len(vm.leases()) == count + 1
    assert lab.port("vm") == port and lab.host_row("hv1")["sent"] == sent
    assert vm.run("ping -c 1 -W 2 10.0.1.1")[0] == 0


# -- interfaces --

def declare_live(vm, *elements):
    """What the running domain declares from now on: attributes of <vnet:interface>, besides those of its first one."""
    words = [f"mac='{vm.mac}' subnet='a'", *elements]
    vm.virsh("metadata", "--uri", "urn:vnet:1", "--key", "vnet", "--live", "--set",
             "<instance xmlns='urn:vnet:1'>" + "".join(f"<interface {w}/>" for w in words) + "</instance>")


def nic_file(vm):
    path = vm.libvirt.path("nic.xml")
    with open(path, "w") as f:
        f.write(vm.interface_xml(MAC, PORT_ID))
    return path


def wait_second_lease(vm, count):
    """The guest's own client has got one on its second interface; its address."""
    wait_until(lambda: re.findall(r"vnet-guest: bound (eth[1-9]\d*) ([\d.]+)/", vm.log())[count:], 30, "a lease on the second interface")
    return re.findall(r"vnet-guest: bound eth[1-9]\d* ([\d.]+)/", vm.log())[-1]


@pytest.mark.parametrize("first", ["declared", "plugged"])
def test_an_interface_that_is_declared_and_plugged_while_the_guest_runs(lab, vm, first):
    leases = len(re.findall(r"vnet-guest: bound eth[1-9]", vm.log()))
    path, before = nic_file(vm), lab.instance("vm")
    steps = [lambda: declare_live(vm, f"mac='{MAC}' subnet='b' ip='10.0.2.7'"), lambda: vm.virsh("attach-device", path, "--live")]
    for step in steps if first == "declared" else reversed(steps):
        assert lab.port("vm-1") is None
        step()
    wait_until(lambda: (lab.port("vm-1") or {}).get("state") == "active", 10, "the port is made, and in place")
    port = lab.port("vm-1")
    assert (port["id"], port["mac"], port["ip"], port["subnet"], port["declared_by"]) == (PORT_ID, MAC, "10.0.2.7", "b", vm.id)
    assert wait_second_lease(vm, leases) == "10.0.2.7"
    assert sorted(wait_instance(lab, "vm", state="running")["ports"]) == ["vm", "vm-1"]
    assert vm.run("ping -c 1 -W 2 10.0.2.1")[0] == 0

    vm.virsh("detach-device", path, "--live")
    wait_until(lambda: lab.port("vm-1")["state"] == "unbound", 30, "the port is out of its place")
    wait_instance(lab, "vm", state="running", ports=["vm"])
    assert PORT_ID not in lab["hv1"].vsctl("--columns=external_ids", "list", "interface")
    vm.virsh("attach-device", path, "--live")              # as long as it is declared the port is the interface's
    wait_until(lambda: lab.port("vm-1")["state"] == "active", 10, "the port is in place again")
    assert lab.port("vm-1")["ip"] == "10.0.2.7"
    vm.virsh("detach-device", path, "--live")
    wait_until(lambda: lab.port("vm-1")["state"] == "unbound", 30, "the port is out of its place")
    declare_live(vm)
    wait_until(lambda: lab.port("vm-1") is None, 10, "what is neither declared nor plugged has no port")
    assert {k: wait_instance(lab, "vm", state="running")[k] for k in ("since", "reason", "ports")} == {k: before[k] for k in ("since", "reason", "ports")}
    assert lab.port("vm")["state"] == "active" and vm.run("ping -c 1 -W 2 10.0.1.1")[0] == 0
    expect_verify_clean(lab)


def test_an_interface_of_a_port_made_beforehand(lab, vm):
    lab.ctl("port-add", "a", "second", f"id={PORT_ID}", f"mac={MAC}")
    path = nic_file(vm)
    vm.virsh("attach-device", path, "--live")
    wait_until(lambda: lab.port("second")["state"] == "active", 10, "the second port is active")
    wait_until(lambda: sorted(lab.instance("vm")["ports"]) == ["second", "vm"], 10, "the instance has both")
    vm.virsh("detach-device", path, "--live")
    wait_until(lambda: lab.port("second")["state"] == "unbound", 30, "the second port is unbound")
    wait_until(lambda: lab.instance("vm")["ports"] == ["vm"], 10, "the instance has one")
    lab.ctl("port-del", "second")


# -- statistics --

def counters(lab, vm):
    """What is told of it, once something is."""
    status, text = lab.vnetd.http("GET", f"/v1/instance/{vm.id}")
    assert status == 200, text
    return json.loads(text)["counters"] or {}


def switch_counters(lab, vm):
    """Of its interface, as the switch tells it; what that has received the guest has sent."""
    text = lab["hv1"].ofctl("dump-ports", "br-int", str(lab["hv1"].ofport(tap_of(vm))))
    (tx_packets, tx_bytes), (rx_packets, rx_bytes) = (map(int, re.search(rf"{way} pkts=(\d+), bytes=(\d+)", text).groups()) for way in ("rx", "tx"))
    return {"tx_packets": tx_packets, "tx_bytes": tx_bytes, "rx_packets": rx_packets, "rx_bytes": rx_bytes}


def cpu_ms(lab, vm):
    """Of its QEMU, as the kernel counts it."""
    user, system = lab["hv1"].run("cat", f"/proc/{vm.pid()}/stat").rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) * 1000 // os.sysconf("SC_CLK_TCK")


def test_what_is_told_of_a_guest_is_what_its_host_has_counted(lab, vm, soak):
    device, agent = tap_of(vm), lab["hv1"].vnet_agent
    assert vm.run("ip route replace 10.0.2.0/24 via 10.0.1.1")[0] == 0
    for round_number in range(2 if soak else 1):
        before, cpu_before = switch_counters(lab, vm), cpu_ms(lab, vm)
        assert vm.run("ping -q -A -c 40 -s 1000 10.0.1.1", 30)[0] == 0
        assert "0 packets received" in vm.run("ping -q -c 2 -w 3 -s 20000 10.0.2.99", 30)[1]     # there is nobody; 14 fragments each
        if round_number == 0:
            agent.kill("TERM")                             # it reads soon after it starts, later every half minute
            agent.start()
        with contextlib.suppress(LabError):
            wait_until(lambda: counters(lab, vm).get(device) == switch_counters(lab, vm), 45, "what is told equals what the switch has counted")
        now = counters(lab, vm)
        assert now[device] == switch_counters(lab, vm)
        grown = {k: now[device][k] - before[k] for k in now[device]}
        assert grown["tx_packets"] >= 40 + 28 and grown["tx_bytes"] >= 40 * 1042 + 40000, grown
        assert 40 <= grown["rx_packets"] < 60 and 40 * 1042 <= grown["rx_bytes"] < 60 * 1042, grown
        assert cpu_before < now["cpu_ms"] <= cpu_ms(lab, vm)
        assert now["memory_kib"] == vm.memory_mib << 10
        text = lab.ctl("instance-show", "vm")
        assert re.search(rf"^{device} .*{now[device]['tx_bytes']}", text, re.M) and re.search(rf"^memory_kib +{now['memory_kib']}$", text, re.M), text
    lab.wait_agents()
