"""Whatever is killed on a hypervisor, and whoever does not answer: each case ends in the right state without help, with the elastic IP at its guest,
and guests live on."""
import contextlib
import json
import os
import socket
import time
from datetime import datetime

import pytest

from lab.procs import wait_until
from lab.vnet_agent import VnetAgent
from public import OUTSIDE, UPLINK, address, attach, eip_row, expect_right_neighbour, make_pool, make_vpc
from support import expect_verify_clean
from vms import end_of_agents, is_heard, wait_instance

LAB = {"hosts": 1, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK}}
VnetAgent.unwinds_whole = True                   # a connection that libvirtd leaves behind when it is killed is libvirt's to forget
PUBLIC = address(11)
TIMEOUT_S = 2                                    # for the hook where it has to wait for it; its default is 5
LONG_S = 20                                      # for the hook where it must not wait
TOLERANCE_S = 2                                  # of a moment, by the way of the reports that tell of it
SLACK_S = 2                                      # of a loaded machine, for a process to start and end


@pytest.fixture(scope="module")
def libvirt(lab):
    make_pool(lab)
    make_vpc(lab.ctl, subnets=("a",))
    lab.ctl("sg-rule-add", "v", "ingress", "icmp", "-", "0.0.0.0/0")
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
        if not eip_row(lab, PUBLIC):
            attach(lab.ctl, PUBLIC, "vm")
    wait_instance(lab, "vm", state="running", host="hv1")
    expect_reached(lab)
    return made


def host_run(lab, *argv):
    return lab["hv1"].run(*argv)


def answers(vm):
    return vm.run("ping -c 1 -W 2 10.0.1.1")[0] == 0


def expect_reached(lab):
    """From outside by its elastic IP, which nobody else claims."""
    wait_until(lambda: lab.outside.ping(PUBLIC, timeout=0.5) == "reply", 20, "the elastic IP answers")
    expect_right_neighbour(lab, PUBLIC)
    assert eip_row(lab, PUBLIC)["host"] == "hv1"


def boot_again(lab, vm):
    """It starts again, has its old addresses, and is shown so."""
    ip, count = lab.port("vm")["ip"], len(vm.leases())
    vm.start()
    assert vm.wait_lease(count + 1) == ip
    wait_instance(lab, "vm", state="running", reason="booted")
    expect_reached(lab)
    expect_verify_clean(lab)


def shown(lab):
    """Of the guest and its port, all that must not change while it just runs; but for what libvirt has told last."""
    port, instance = lab.port("vm"), lab.instance("vm")
    del port["drops"], instance["last_event"]
    return port, instance


def n_sent(lab):
    """Flow mods."""
    return lab.host_row("hv1")["sent"]


def test_qemu_killed(lab, vm):
    host_run(lab, "kill", "-9", str(vm.pid()))
    wait_instance(lab, "vm", state="crashed")
    wait_until(lambda: lab.port("vm")["state"] == "unbound", 10, "the port unbound")
    wait_until(lambda: not lab.outside.arp_ask([PUBLIC], "public").get(PUBLIC), 10, "nobody claims the elastic IP")
    boot_again(lab, vm)


def test_a_guest_that_powers_itself_off(lab, vm):
    vm.run("poweroff -f & true")
    wait_instance(lab, "vm", state="off", reason="shutdown")
    boot_again(lab, vm)


def suspend_and_resume(lab, vm):
    vm.virsh("suspend")
    wait_instance(lab, "vm", state="paused", reason="user")
    vm.virsh("resume")
    wait_instance(lab, "vm", state="running", reason="unpaused", last_event="resumed unpaused")


def test_suspend_and_resume(lab, vm):
    pid, sent, (port, _) = vm.pid(), n_sent(lab), shown(lab)
    suspend_and_resume(lab, vm)
    assert answers(vm)
    expect_reached(lab)
    assert (vm.pid(), n_sent(lab), shown(lab)[0]) == (pid, sent, port)


def test_managed_save_and_restore(lab, vm):
    ip = lab.port("vm")["ip"]
    vm.virsh("managedsave")
    wait_instance(lab, "vm", state="off", reason="saved")
    count = len(vm.leases())
    vm.start()
    wait_instance(lab, "vm", state="running", reason="restored")
    wait_until(lambda: lab.port("vm")["state"] == "active", 10, "the port active")
    wait_until(lambda: answers(vm), 20, "the restored guest reaches its gateway")
    expect_reached(lab)
    assert lab.port("vm")["ip"] == ip and len(vm.leases()) == count
    expect_verify_clean(lab)


def test_libvirtd_killed_and_back_with_a_running_guest(lab, libvirt, vm):
    pid = vm.pid()
    for how in ("KILL", "TERM"):
        suspend_and_resume(lab, vm)
        sent, before = n_sent(lab), shown(lab)
        libvirt.kill(how)
        assert answers(vm)
        libvirt.start()
        wait_until(lambda: is_heard(lab, vm), 20, "the agent is connected again")
        assert vm.pid() == pid and answers(vm)
        expect_reached(lab)
        assert shown(lab) == before and n_sent(lab) == sent
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
    assert time.monotonic() - begin < 5                    # the hook's default
    libvirt.signal("CONT")
    suspend_and_resume(lab, vm)


def test_the_agent_killed_with_a_running_guest(lab, vm):
    pid, sent, (port, instance) = vm.pid(), n_sent(lab), shown(lab)
    agent = lab["hv1"].vnet_agent
    agent.kill()
    wait_until(lambda: not lab.host_row("hv1")["agent"], 10, "vnetd notices")
    expect_reached(lab)
    agent.start()
    lab.wait_agents()
    suspend_and_resume(lab, vm)                            # it has seen all that it missed
    assert answers(vm)
    expect_reached(lab)
    assert (vm.pid(), n_sent(lab), shown(lab)[0]) == (pid, sent, port)
    assert lab.instance("vm")["ports"] == instance["ports"]
    expect_verify_clean(lab)


def test_the_agent_killed_and_what_it_missed_made_up_for(lab, libvirt, vm):
    agent = lab["hv1"].vnet_agent
    agent.kill()
    wait_until(lambda: not lab.host_row("hv1")["agent"], 10, "vnetd notices")
    other = libvirt.define("missed", declare={"subnet": "a"})
    other.start()                                          # its declaration finds nobody
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
    boot_again(lab, vm)


def test_since_when_a_guest_runs_outlives_the_agent_and_vnetd_and_both(lab, vm):
    agent, kept = lab["hv1"].vnet_agent, lab["hv1"].path("vnet-agent-state", "since.json")

    def since():
        return datetime.fromisoformat(wait_instance(lab, "vm", state="running")["since"].replace("Z", "+00:00")).timestamp()

    def kept_as(word):
        with open(kept) as f:
            return json.load(f).get("domains", {}).get(vm.id, {}).get("state") == word
    before = since()
    wait_until(lambda: kept_as("running"), 10, "the agent has written it down")
    wait_until(lambda: time.time() > before + 3 * TOLERANCE_S, 30, "a restart is long after that")

    def restart_agent():
        agent.kill()
        wait_until(lambda: not lab.host_row("hv1")["agent"], 10, "vnetd notices")
        agent.start()

    def restart_both():
        agent.kill()
        lab.vnetd.restart()
        agent.start()
    for restart in (restart_agent, lab.vnetd.restart, restart_both):
        restart()
        lab.ready()
        lab.wait_agents()
        wait_until(lambda: is_heard(lab, vm), 20, "the agent tells of the guest again")
        assert abs(since() - before) < TOLERANCE_S, restart
    agent.kill("TERM")
    with open(kept, "w") as f:
        f.write('{"boot": 5}')
    agent.start()
    lab.wait_agents()
    wait_until(lambda: is_heard(lab, vm), 20, "the agent tells of the guest again")
    assert f"{kept}: it must be" in agent.last_words(1000)
    assert since() > before + TOLERANCE_S
    wait_until(lambda: kept_as("running"), 10, "the agent has written it anew")


def test_an_agent_that_hangs_is_taken_for_away_its_guests_are_answered_and_it_comes_back(lab, vm):
    agent = lab["hv1"].vnet_agent
    before = lab.vnetd.log_end()
    agent.signal("STOP")
    try:
        wait_until(lambda: not lab.host_row("hv1")["agent"], 40, "vnetd takes the agent for away")
        assert "host 'hv1': its agent is silent" in lab.vnetd.words_since(before)
        status, output = vm.run("udhcpc -f -n -q -t 10 -T 1 -i eth0 -s /dhcp")
        assert status == 0, output
    finally:
        agent.signal("CONT")
    lab.wait_agents()
    suspend_and_resume(lab, vm)
    expect_reached(lab)
    expect_verify_clean(lab)


def test_a_guest_whose_qemu_hangs_keeps_no_other_from_vnetd(lab, libvirt, vm, soak):
    """What reads it waits half a minute in libvirt for the call that holds it."""
    if not soak:
        pytest.skip("in a soak: it takes that half minute")
    agent = lab["hv1"].vnet_agent
    agent.kill()
    wait_until(lambda: not lab.host_row("hv1")["agent"], 10, "vnetd notices")
    other = libvirt.define("other")
    host_run(lab, "kill", "-STOP", str(vm.pid()))
    holder = libvirt.start_virsh("qemu-monitor-command", "vm", "--hmp", "info status")
    try:
        agent.start()
        wait_instance(lab, "other", seconds=80, state="off")
        other.virsh("undefine")
        wait_until(lambda: lab.instance("other") is None, 80, "and it goes")
        assert "has not returned in time" not in agent.last_words(1000)
    finally:
        host_run(lab, "kill", "-CONT", str(vm.pid()))
    assert holder.wait(30) == 0
    suspend_and_resume(lab, vm)
    expect_reached(lab)


# -- the hook, at a real start, against whoever does not answer --

@contextlib.contextmanager
def dead_agent(lab):
    agent = lab["hv1"].vnet_agent
    agent.kill()
    wait_until(lambda: not lab.host_row("hv1")["agent"], 10, "vnetd notices")
    yield
    agent.start()


@contextlib.contextmanager
def dead_vnetd(lab):
    lab.vnetd.kill()
    yield
    lab.vnetd.start()


@contextlib.contextmanager
def vnetd_that_hangs(lab):
    lab.vnetd.signal("STOP")
    try:
        yield
    finally:
        lab.vnetd.signal("CONT")


@contextlib.contextmanager
def full_socket(lab):
    """The agent does not read, and its queue takes no more."""
    agent = lab["hv1"].vnet_agent
    agent.signal("STOP")
    with contextlib.ExitStack() as crowd:
        crowd.callback(agent.signal, "CONT")
        for _ in range(2000):
            s = crowd.enter_context(socket.socket(socket.AF_UNIX))
            s.setblocking(False)
            try:
                s.connect(lab["hv1"].path("run", "vnet-agent.sock"))
            except BlockingIOError:
                break
        else:
            pytest.fail("the socket's queue has no end")
        yield


@pytest.fixture
def hook_with(lab, libvirt):
    """Gives it another bound."""
    yield lambda seconds: libvirt.install_hook(*lab["hv1"].vnet_agent.hook(f"--timeout={seconds}"))
    libvirt.install_hook(*lab["hv1"].vnet_agent.hook())


def expect_bound(trouble, calls):
    """Who is not there is not waited for; who does not answer, no longer than the bound."""
    seconds = [s for _, s in calls]
    if trouble in (dead_agent, dead_vnetd):
        assert max(seconds) < LONG_S / 2, calls
    else:
        assert max(seconds) < TIMEOUT_S + SLACK_S, calls
    assert trouble is not full_socket or min(seconds) > TIMEOUT_S - 0.1, calls


@pytest.mark.parametrize("trouble,bound", [(dead_agent, LONG_S), (dead_vnetd, LONG_S), (vnetd_that_hangs, TIMEOUT_S), (full_socket, TIMEOUT_S)])
def test_the_hook_is_back_in_time_and_the_guest_starts(lab, libvirt, vm, hook_with, tell, trouble, bound):
    hook_with(bound)
    ip, count = lab.port("vm")["ip"], len(vm.leases())
    vm.virsh("destroy")
    wait_instance(lab, "vm", state="off")
    n_calls = len(libvirt.hook_calls("vm"))
    with trouble(lab):
        vm.start()
        calls = libvirt.hook_calls("vm")[n_calls:]
        assert [operation for operation, _ in calls] == ["prepare", "start", "started"]
        tell(f"{trouble.__name__}, bound {bound} s: {calls}")
        expect_bound(trouble, calls)
        assert libvirt.domains()["vm"] == "running"
    lab.ready()
    lab.wait_agents()
    wait_instance(lab, "vm", state="running", reason="booted", host="hv1")
    wait_until(lambda: lab.port("vm")["state"] == "active", 20, "the port active")
    assert vm.wait_lease(count + 1) == ip
    expect_reached(lab)
    expect_verify_clean(lab)


def test_the_hook_tells_whether_libvirt_would_run_it(lab, libvirt):
    hook = lab["hv1"].vnet_agent.hook()
    libvirt.restart()                                      # the hook was written anew since
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
