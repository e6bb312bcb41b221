"""What is left over on a host is listed, and removed on request: never what a running guest has, whatever vnetd has not heard of yet."""
import json

import pytest

from lab.procs import LabError, wait_until
from support import expect_verify_clean
from vms import end_of_agents, tap_of, wait_instance

LAB = {"hosts": 1}
LEFT = "44444444-0000-4000-8000-000000000004"


@pytest.fixture(scope="module")
def vm(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "a", "10.0.1.0/24")
    libvirt = lab.add_libvirt()[0]
    made = libvirt.define("vm", declare={"subnet": "a"})
    made.start()
    made.wait_lease()
    wait_instance(lab, "vm", state="running")
    yield made
    libvirt.close()
    end_of_agents(lab)


def orphans(lab):
    return {row["id"]: row["reason"] for row in json.loads(lab.ctl("-f", "json", "orphan-list"))}


def interfaces(lab):
    return lab["hv1"].vsctl("list-ports", "br-int").split()


def plug(lab, name, iface_id):
    lab["hv1"].vsctl("add-port", "br-int", name, "--", "set", "interface", name, "type=internal", f"external_ids:iface-id={iface_id}")


def test_interfaces_are_removed_by_id_and_all_at_once_and_those_of_guests_stay(lab, vm):
    lab.ctl("port-add", "a", "left", f"id={LEFT}")
    plug(lab, "stray", "nobody")
    plug(lab, "lefttap", LEFT.upper())
    wait_until(lambda: orphans(lab) == {"nobody": "no port has this id", LEFT: "no running domain has it"}, 10, "both are listed")
    assert LEFT in lab.ctl("--dry-run", "orphan-del", "left") and "nobody" in lab.ctl("--dry-run", "orphan-del", "all")
    for unknown in ("vm", lab.port("vm")["id"]):
        with pytest.raises(LabError, match=f"orphan '{unknown}' does not exist"):
            lab.ctl("orphan-del", "nobody", unknown)
    assert {"stray", "lefttap"} < set(interfaces(lab))
    assert lab.ctl("orphan-del", "left") == ""
    assert "lefttap" not in interfaces(lab) and "stray" in interfaces(lab)
    assert lab.port("left")["state"] == "unbound"          # the port is its user's
    lab.ctl("orphan-del", "all")
    assert "stray" not in interfaces(lab) and orphans(lab) == {}
    assert tap_of(vm) in interfaces(lab) and vm.run("ping -c 1 -W 2 10.0.1.1")[0] == 0
    expect_verify_clean(lab)


def test_a_vnetd_that_has_just_started_takes_no_guest_for_gone(lab, vm):
    for _ in range(3):
        lab.vnetd.kill()
        lab.vnetd.start()
        for _ in range(10):                                # before its agent has said anything, and after
            lab.ctl("orphan-del", "all")
        lab.ready()
        lab.wait_agents()
        lab.ctl("orphan-del", "all")
        assert tap_of(vm) in interfaces(lab)
        wait_instance(lab, "vm", state="running")
        assert lab.port("vm")["state"] == "active"
    assert vm.run("ping -c 1 -W 2 10.0.1.1")[0] == 0


def test_without_the_host_s_agent_nobody_says_what_runs_there(lab, vm):
    plug(lab, "old", LEFT)
    wait_until(lambda: LEFT in orphans(lab), 10, "it is listed")
    lab["hv1"].vnet_agent.kill()
    wait_until(lambda: not lab.host_row("hv1")["agent"], 10, "vnetd notices")
    assert orphans(lab) == {}
    lab["hv1"].vnet_agent.start()
    lab.wait_agents()
    wait_until(lambda: LEFT in orphans(lab), 10, "it is listed again")
    lab.ctl("orphan-del", LEFT)
    assert "old" not in interfaces(lab) and tap_of(vm) in interfaces(lab)
