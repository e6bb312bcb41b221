"""Whatever is killed on a hypervisor, and whoever does not answer: each case ends in the right state without help, and guests live on."""
import os
import socket
import time

import pytest

from lab.procs import wait_until
from lab.vnet_agent import VnetAgent
from support import expect_verify_clean
from vms import end_of_agents, wait_instance

LAB = {"hosts": 1}
VnetAgent.unwinds_whole = True                   # a connection that libvirtd leaves behind when it is killed is libvirt's to forget
TIMEOUT_S = 5                                    # the hook's own default
START_S = 20                                     # of virsh start on a loaded machine, without any hook


@pytest.fixture(scope="module")
def libvirt(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "a", "10.0.1.0/24")
    made = lab.add_libvirt()[0]
    yield made
    made.close()
    end_of_agents(lab)


@pytest.fixture
def vm(lab, libvirt):
    """A guest that runs at the test's begin, the same for all; its port as it was at first."""
    made = lab.__dict__.get("crash_vm")
    if not made:
        made = lab.crash_vm = libvirt.define("vm", declare={"subnet": "a"})
    if libvirt.domains()["vm"] != "running":
        count = len(made.leases())
        made.start()
        made.wait_lease(count + 1)
    wait_instance(lab, "vm", state="running", host="hv1")
    return made


def host_run(lab, *argv):
    return lab["hv1"].run(*argv)


def answers(vm):
    return vm.run("ping -c 1 -W 2 10.0.1.1")[0] == 0


def boot_again(lab, vm):
    """It starts again, has its old address, and is shown so."""
    ip, count = lab.port("vm")["ip"], len(vm.leases())
    vm.start()
    assert vm.wait_lease(count + 1) == ip
    wait_instance(lab, "vm", state="running", reason="booted")


def test_qemu_killed(lab, vm):
    host_run(lab, "kill", "-9", str(vm.pid()))
    wait_instance(lab, "vm", state="crashed")
    wait_until(lambda: lab.port("vm")["state"] == "unbound", 10, "the port unbound")
    boot_again(lab, vm)


def test_a_reboot_keeps_everything(lab, vm):
    ip, count = lab.port("vm")["ip"], len(vm.leases())
    vm.virsh("reset")
    assert vm.wait_lease(count + 1) == ip
    assert wait_instance(lab, "vm", state="running")["last_event"] == "rebooted"


def test_a_guest_that_powers_itself_off(lab, vm):
    vm.run("poweroff -f & true")
    wait_instance(lab, "vm", state="off", reason="shutdown")
    boot_again(lab, vm)


def test_suspend_and_resume(lab, vm):
    vm.virsh("suspend")
    wait_instance(lab, "vm", state="paused")
    vm.virsh("resume")
    wait_instance(lab, "vm", state="running")
    assert answers(vm)


def test_managed_save_and_restore(lab, vm):
    ip = lab.port("vm")["ip"]
    vm.virsh("managedsave")
    wait_instance(lab, "vm", state="off", reason="saved")
    vm.start()
    wait_instance(lab, "vm", state="running")
    wait_until(lambda: lab.port("vm")["state"] == "active", 10, "the port active")
    wait_until(lambda: answers(vm), 20, "the restored guest reaches its gateway")
    assert lab.port("vm")["ip"] == ip


def test_libvirtd_killed_and_back_with_a_running_guest(lab, libvirt, vm):
    pid, port = vm.pid(), lab.port("vm")
    sent = lab.host_row("hv1")["sent"]
    for how in ("KILL", "TERM"):
        libvirt.kill(how)
        assert answers(vm)
        libvirt.start()
        wait_instance(lab, "vm", state="running", host="hv1")
        assert vm.pid() == pid and answers(vm)
        vm.virsh("suspend")                                # the agent hears again
        wait_instance(lab, "vm", state="paused")
        vm.virsh("resume")
        wait_instance(lab, "vm", state="running")
    assert {k: v for k, v in lab.port("vm").items() if k != "drops"} == {k: v for k, v in port.items() if k != "drops"}
    assert lab.host_row("hv1")["sent"] == sent
    expect_verify_clean(lab)


def test_a_guest_that_dies_while_libvirtd_is_away(lab, libvirt, vm):
    pid = vm.pid()
    libvirt.kill()
    host_run(lab, "kill", "-9", str(pid))
    libvirt.start()
    wait_instance(lab, "vm", state="crashed")
    wait_until(lambda: lab.port("vm")["state"] == "unbound", 20, "the port unbound")
    boot_again(lab, vm)


def test_a_libvirtd_that_hangs_does_not_hang_the_agent(lab, libvirt, vm):
    libvirt.signal("STOP")
    agent = lab["hv1"].vnet_agent
    with open(vm.libvirt.path("vm.xml")) as f:
        xml = f.read()
    begin = time.monotonic()
    host_run(lab, "sh", "-c", f"{' '.join(agent.hook())} vm started begin - <<'END'\n{xml}\nEND")
    assert time.monotonic() - begin < TIMEOUT_S
    libvirt.signal("CONT")
    vm.virsh("suspend")
    wait_instance(lab, "vm", state="paused")
    vm.virsh("resume")
    wait_instance(lab, "vm", state="running")


def test_the_agent_killed_and_what_it_missed_made_up_for(lab, libvirt, vm):
    agent = lab["hv1"].vnet_agent
    agent.kill()
    wait_until(lambda: not lab.host_row("hv1")["agent"], 10, "vnetd notices")
    other = libvirt.define("missed", declare={"subnet": "a"})
    begin = time.monotonic()
    other.start()                                          # its declaration finds nobody
    assert time.monotonic() - begin < START_S + 2 * TIMEOUT_S
    assert lab.port("missed") is None
    vm.virsh("destroy")
    agent.start()
    wait_instance(lab, "vm", state="off")
    wait_instance(lab, "missed", state="running")
    assert other.wait_lease() == lab.port("missed")["ip"]
    agent.kill()
    other.virsh("destroy")
    other.virsh("undefine")
    agent.start()
    wait_until(lambda: lab.instance("missed") is None and lab.port("missed") is None, 20, "instance and port gone")


def test_a_hook_against_a_dead_vnetd_lets_the_guest_start(lab, vm):
    vm.virsh("destroy")
    wait_instance(lab, "vm", state="off")
    lab.vnetd.kill()
    begin = time.monotonic()
    vm.start()
    assert time.monotonic() - begin < START_S
    lab.vnetd.start()
    lab.ready()
    lab.wait_agents()
    wait_instance(lab, "vm", state="running")
    wait_until(lambda: lab.port("vm")["state"] == "active", 20, "the port active")
    wait_until(lambda: answers(vm), 30, "the guest reaches its gateway")
    expect_verify_clean(lab)


def test_a_hook_against_an_agent_that_does_not_read_returns_within_its_bound(lab, libvirt, vm):
    agent = lab["hv1"].vnet_agent
    agent.signal("STOP")
    try:
        hook = " ".join(agent.hook("--timeout=1.5"))
        path = lab["hv1"].path("run", "vnet-agent.sock")
        crowd = []
        for _ in range(2000):                              # until its queue is full
            s = socket.socket(socket.AF_UNIX)
            s.setblocking(False)
            try:
                s.connect(path)
                crowd.append(s)
            except BlockingIOError:
                break
        else:
            pytest.fail("the socket's queue has no end")
        begin = time.monotonic()
        status, _, errors = lab["hv1"].run("sh", "-c", f"{hook} vm prepare begin - </dev/null", check=False)
        took = time.monotonic() - begin
        assert status == 0 and "in time" in errors and 1.4 < took < 3, (status, errors, took)
        for s in crowd:
            s.close()
        vm.virsh("destroy")
        begin = time.monotonic()
        count = len(vm.leases())
        vm.start()
        assert time.monotonic() - begin < START_S + 3 * TIMEOUT_S
    finally:
        agent.signal("CONT")
    vm.wait_lease(count + 1)
    wait_instance(lab, "vm", state="running")


def test_a_nic_plugged_while_it_runs_is_seen(lab, vm):
    lab.ctl("port-add", "a", "second", "id=33333333-0000-4000-8000-000000000003", "mac=52:54:00:00:03:03")
    path = vm.libvirt.path("nic.xml")
    with open(path, "w") as f:
        f.write(vm.interface_xml("52:54:00:00:03:03", "33333333-0000-4000-8000-000000000003"))
    vm.virsh("attach-device", path)
    wait_until(lambda: lab.port("second")["state"] == "active", 10, "the second port is active")
    wait_until(lambda: sorted(lab.instance("vm")["ports"]) == ["second", "vm"], 10, "the instance has both")
    vm.virsh("detach-device", path)
    wait_until(lambda: lab.port("second")["state"] == "unbound", 30, "the second port is unbound")
    wait_until(lambda: lab.instance("vm")["ports"] == ["vm"], 10, "the instance has one")


def test_the_hook_tells_whether_libvirt_would_run_it(lab, libvirt):
    hook = lab["hv1"].vnet_agent.hook()
    status, output, _ = lab["hv1"].run(*hook, "--selftest", check=False)
    assert status == 0 and "FAIL" not in output, output
    late = libvirt.path("etc", "hooks", "qemu.d", "vnet")
    os.rename(late, libvirt.path("etc", "vnet.away"))
    status, output, _ = lab["hv1"].run(*hook, "--selftest", check=False)
    assert status == 1 and "no file in /etc/libvirt/hooks/qemu.d" in output
    os.rename(libvirt.path("etc", "vnet.away"), late)
    os.rename(late, libvirt.path("etc", "hooks", "qemu.d", "vnet2"))   # the folder is newer than libvirtd now
    status, output, _ = lab["hv1"].run(*hook, "--selftest", check=False)
    assert "restart it" in output and status == 1, output
    os.rename(libvirt.path("etc", "hooks", "qemu.d", "vnet2"), late)
