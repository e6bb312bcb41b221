"""Virtual machines by plain virsh on real libvirt: the first DHCPDISCOVER is answered, and whatever happens to the machine ends in the right
state without help."""
import concurrent.futures

import pytest

from lab.libvirt import Vm
from lab.procs import LabError, wait_until
from support import expect_verify_clean
from vms import DISCOVER, dhcp_watch, end_of_agents, tap_of, wait_instance

LAB = {"hosts": 2}


@pytest.fixture(scope="module")
def libvirts(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "a", "10.0.1.0/24")
    yield lab.add_libvirt(hook_options=["--strict"])
    for host in lab.hosts.values():
        host.libvirt.close()
    end_of_agents(lab)


@pytest.fixture
def vm(libvirts, request):
    made = libvirts[0].define(f"vm{abs(hash(request.node.name)) % 1000}", declare={"subnet": "a"})
    yield made
    made.virsh("destroy", check=False)
    made.virsh("undefine", "--managed-save", check=False)


def test_the_first_discover_of_each_start_is_answered(lab, vm, soak):
    for round_number in range(1, 9 if soak else 3):        # more of them follow, with vnetd away
        with dhcp_watch(vm) as kinds:
            vm.start()
            assert vm.wait_lease(round_number) == lab.port(vm.name)["ip"]
        assert kinds.count(DISCOVER) == 1, f"start {round_number}: {kinds}"
        wait_instance(lab, vm.name, state="running", host="hv1", ports=[vm.name])
        vm.virsh("destroy")
        wait_instance(lab, vm.name, state="off", reason="destroyed")


def test_a_declared_port_is_there_with_the_domain_and_goes_with_it(lab, vm):
    assert lab.port(vm.name) is None
    vm.start()
    port = lab.port(vm.name)
    assert (port["id"], port["mac"], port["declared_by"], port["state"]) == (vm.port_id, vm.mac, vm.id, "active")
    vm.virsh("destroy")
    wait_until(lambda: lab.port(vm.name)["state"] == "unbound", 10, "the port unbound")
    assert lab.port(vm.name)["ip"] == port["ip"]
    vm.virsh("undefine")
    wait_until(lambda: lab.port(vm.name) is None, 10, "the port gone with its domain")
    assert lab.instance(vm.name) is None


@pytest.fixture(scope="module")
def old_one(libvirts):
    """One guest for all that happens while vnetd is away."""
    made = libvirts[0].define("old", declare={"subnet": "a"})
    yield made
    made.virsh("destroy", check=False)
    made.virsh("undefine", check=False)


@pytest.fixture
def known(lab, libvirts, old_one):
    """(a VM that runs, a neighbour on the other host, its OpenFlow port), with vnetd away now."""
    vm, peer = old_one, next((g for g in lab["hv2"].guests), None) or lab.vms(["a:peer@hv2"])[0]
    if libvirts[0].domains()["old"] != "running":
        vm.start()
    ip = vm.wait_lease()
    peer.flush_neighbours()                                # the VM before may have had the same address
    wait_until(lambda: peer.ping(ip) == "reply", 10, "the VM has joined")
    wait_instance(lab, vm.name, state="running")
    lab.vnetd.kill()
    yield vm, peer, lab["hv1"].ofport(tap_of(vm))
    if lab.vnetd.status() is not None:
        lab.vnetd.start()
    lab.ready()
    lab.wait_agents()


def back(lab):
    lab.vnetd.start()
    lab.ready()
    lab.wait_agents()


def test_a_cold_start_while_vnetd_is_away_joins_by_the_number_it_had(lab, known):
    vm, peer, number = known
    ip, agent, count = vm.leases()[0][1], lab["hv1"].vnet_agent, len(vm.leases())
    vm.virsh("destroy")
    agent.kill()
    agent.start()                                          # it has seen nothing of all that: what it knows is on its disk
    for round_number in (1, 2):
        with dhcp_watch(vm) as kinds:
            vm.start()
            assert vm.wait_lease(count + round_number) == ip
        assert kinds.count(DISCOVER) == 1
        assert lab["hv1"].ofport(tap_of(vm)) == number
        assert peer.ping(ip) == "reply" and vm.run(f"ping -c 1 -W 2 {peer.ip}")[0] == 0
        if round_number == 1:
            vm.virsh("destroy")
    back(lab)
    assert lab.port(vm.name)["state"] == "active"
    assert {row["name"]: row["sent"] for row in lab.vnetd.rows("host")} == {"hv1": 0, "hv2": 0}
    expect_verify_clean(lab)


def test_a_number_that_somebody_else_has_meanwhile_stays_with_them(lab, known):
    vm, peer, number = known
    host, count = lab["hv1"], len(vm.leases())
    vm.virsh("destroy")
    host.vsctl("add-port", "br-int", "squatter", "--", "set", "interface", "squatter", "type=internal", f"ofport_request={number}")
    vm.start()
    assert host.ofport("squatter") == number and host.ofport(tap_of(vm)) != number
    assert "another interface has" in host.vnet_agent.last_words()
    back(lab)
    assert vm.wait_lease(count + 1) == lab.port(vm.name)["ip"]
    wait_until(lambda: peer.ping(lab.port(vm.name)["ip"]) == "reply", 10, "the VM reaches its neighbour once vnetd is back")
    host.vsctl("del-port", "squatter")
    expect_verify_clean(lab)


def test_one_can_wait_for_what_becomes_of_an_instance(lab, vm):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = pool.submit(lab.ctl.run, "--timeout=30", "wait-until", "instance", vm.name, "state=running", "host=hv1")
        vm.start()
        assert runs.result() == (0, "", "")
        ends = pool.submit(lab.ctl.run, "--timeout=30", "wait-until", "instance", vm.id, "state=off", "reason=destroyed")
        vm.virsh("destroy")
        assert ends.result() == (0, "", "")
    status, _, errors = lab.ctl.run("--timeout=1", "wait-until", "instance", vm.name, "state=paused")
    assert status == 65 and f"instance '{vm.name}': state did not become 'paused' in time; it is \"off\"" in errors
    status, _, errors = lab.ctl.run("--timeout=1", "wait-until", "instance", "nobody", "state=running")
    assert status == 65 and "instance 'nobody' did not appear in time" in errors
    status, _, errors = lab.ctl.run("wait-until", "instance", vm.name, "size=big")
    assert status == 1 and "column 'size' is unknown" in errors


def test_a_port_made_beforehand_is_kept(lab, libvirts):
    machine = libvirts[0].define("before")
    lab.ctl("port-add", "a", "mine", f"id={machine.port_id}", f"mac={machine.mac}", "ip=10.0.1.77")
    machine.start()
    assert machine.wait_lease() == "10.0.1.77"
    assert wait_instance(lab, "before", state="running")["ports"] == ["mine"]
    machine.virsh("destroy")
    machine.virsh("undefine")
    wait_until(lambda: lab.instance("before") is None, 10, "the instance gone")
    assert lab.port("mine")["ip"] == "10.0.1.77" and lab.port("mine")["declared_by"] is None


def test_a_wrong_declaration_stops_the_start_and_says_why(lab, libvirts):
    machine = libvirts[0].define("wrong", declare={"subnet": "nowhere"})
    with pytest.raises(LabError, match=f"<vnet:interface mac='{machine.mac}'>: .*subnet 'nowhere' does not exist"):
        machine.start()
    assert lab.port("wrong") is None and libvirts[0].domains()["wrong"] == "shut off"
    machine.declare = {"subnet": "a", "size": "big"}
    machine.define()
    with pytest.raises(LabError, match="attribute 'size' is unknown"):
        machine.start()
    machine.declare = {"subnet": "a"}
    machine.define()
    machine.start()
    assert lab.port("wrong")["state"] == "active"
    machine.virsh("destroy")
    machine.virsh("undefine")


def test_a_host_may_declare_only_for_tenants_it_is_allowed(lab, libvirts):
    lab.ctl("tenant-add", "acme")
    acme = lab.ctl.as_tenant("acme")
    acme("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "a", "10.0.1.0/24")
    lab.ctl("host-allow", "hv1", "default")
    machine = libvirts[0].define("theirs", declare={"subnet": "a"}, tenant="acme")
    with pytest.raises(LabError, match="host 'hv1' may not declare ports of tenant 'acme'"):
        machine.start()
    lab.ctl("host-allow", "hv1", "all")
    machine.start()
    assert machine.wait_lease() == lab.port("theirs", "acme")["ip"]
    machine.virsh("destroy")
    machine.virsh("undefine")
    wait_until(lambda: lab.port("theirs", "acme") is None, 10, "the port gone")


def test_a_transient_domain_leaves_nothing_when_it_stops(lab, libvirts):
    machine = Vm("fleeting", libvirts[1], declare={"subnet": "a"})
    machine.create()
    assert machine.wait_lease() == lab.port("fleeting")["ip"]
    wait_instance(lab, "fleeting", host="hv2", state="running")
    machine.virsh("destroy")
    wait_until(lambda: lab.port("fleeting") is None and lab.instance("fleeting") is None, 10, "port and instance gone")
