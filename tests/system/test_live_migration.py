"""Live migration between two hosts by virsh, under a 5 ms ping from inside and from outside and a TCP stream through the elastic IP: both survive, our
share on top of the guest's own pause is small, no packet comes twice; what fails leaves everything where it was."""
import contextlib
import json
import os
import re

import pytest

from lab.procs import LabError, wait_until
from migrating import ECHO_PORT, PUBLIC, Watched, expect_small_share, expect_unharmed, home, last_migration, migrate
from public import OUTSIDE, UPLINK, attach, eip_row, expect_right_neighbour, make_pool, make_vpc
from support import expect_verify_clean
from vms import end_of_agents, wait_instance

LAB = {"hosts": 3, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK, "hv2": UPLINK, "hv3": UPLINK}, "gateways": ("hv3",)}


@pytest.fixture(scope="module")
def net(lab):
    make_pool(lab)
    make_vpc(lab.ctl)
    one, two = lab.add_libvirt("hv1", "hv2")
    vm = one.define("vm", declare={"subnet": "s", "sg": "none"})
    vm.start()
    vm.wait_lease()
    attach(lab.ctl, PUBLIC, "vm")
    peer = lab.vms(["s:peer@hv3"], port="sg=none")[0]
    wait_until(lambda: lab.outside.ping(PUBLIC) == "reply", 20, "the elastic IP answers")
    yield vm, peer, one, two
    one.close()
    two.close()
    end_of_agents(lab)


def test_the_first_migration_and_back_is_noticed_by_nobody(lab, net, soak, tell):
    vm, peer, one, two = home(net)
    migrate(lab, vm, two, tell, peer, "first")
    migrate(lab, vm, one, tell, peer, "back")
    for _ in range(10 if soak else 0):
        migrate(lab, vm, two, tell, peer, "again")
        migrate(lab, vm, one, tell, peer, "back again")
    text = lab.ctl("instance-show", "vm")
    assert re.search(r"migration from hv1 to hv2: done", text) and "the guest has spoken" in text


def test_a_cancelled_migration_leaves_everything_at_the_source(lab, net):
    vm, peer, one, two = home(net)
    with Watched(lab, vm, peer, two) as seen:
        vm.virsh("migrate-setspeed", "1")                  # MiB/s: it would take a minute
        doing = one.start_virsh("migrate", "--live", "--p2p", "--persistent", "vm", two.uri, "--migrateuri", f"tcp:{two.host.management_ip}")
        wait_until(lambda: two.host.name in lab.port("vm")["claimed_by"], 20, "the destination's interface")
        wait_until(lambda: lab.instance("vm")["state"] == "migrating", 20, "the guest is being copied")
        vm.virsh("domjobabort")
        assert doing.wait(30) != 0
        vm.virsh("migrate-setspeed", "8796093022207")
        wait_until(lambda: lab.port("vm")["claimed_by"] == [], 20, "the destination lets go")
    expect_unharmed(seen)
    assert seen.inside["longest_gap_ms"] < 500
    wait_instance(lab, "vm", host=one.host.name, state="running")
    assert lab.port("vm")["host"] == one.host.name and eip_row(lab, PUBLIC)["host"] == one.host.name
    assert last_migration(lab)["state"] == "undone"
    expect_verify_clean(lab)


def test_a_destination_whose_hook_fails_leaves_everything_at_the_source(lab, net):
    vm, peer, one, two = home(net)
    bad = two.path("etc", "hooks", "qemu.d", "zz-bad")
    with open(bad, "w") as f:
        f.write("#!/bin/sh\n[ \"$2\" != start ]\n")
    os.chmod(bad, 0o755)
    with Watched(lab, vm, peer, two) as seen:
        with pytest.raises(LabError, match="[Hh]ook"):
            vm.migrate(two)
        vm.libvirt = one
        wait_until(lambda: lab.port("vm")["claimed_by"] == [], 20, "the destination lets go")
    os.unlink(bad)
    wait_until(lambda: last_migration(lab)["state"] == "undone", 20, "the migration is known to be undone")
    expect_unharmed(seen)
    assert seen.inside["longest_gap_ms"] < 500
    wait_instance(lab, "vm", host=one.host.name, state="running")
    assert lab.port("vm")["host"] == one.host.name
    expect_verify_clean(lab)


@contextlib.contextmanager
def held_migration(lab, vm, one, two):
    """The guest is being copied for as long as the block runs, then moves."""
    vm.virsh("migrate-setspeed", "1")                      # MiB/s
    doing = one.start_virsh("migrate", "--live", "--p2p", "--persistent", "--undefinesource", "vm", two.uri, "--migrateuri",
                            f"tcp:{two.host.management_ip}")
    expect_under_way(lab, one, two)
    yield
    vm.virsh("migrate-setspeed", "8796093022207", check=False)     # unless it is over already
    assert doing.wait(60) == 0, doing.stderr.read()
    vm.libvirt = two
    wait_instance(lab, "vm", host=two.host.name, state="running")


def expect_under_way(lab, one, two):
    """Shown where it still runs, and armed where it is about to come."""
    def armed():
        return any("priority=195" in f for f in two.host.flows())
    wait_instance(lab, "vm", host=one.host.name, state="migrating")
    wait_until(lambda: (lab.port("vm")["host"], lab.port("vm")["claimed_by"]) == (one.host.name, [two.host.name]), 20, "two places")
    wait_until(armed, 10, "the destination is armed")


def expect_moved(lab, seen, two, n):
    """As if nothing else had happened: it was the n-th migration that is known, and it went well."""
    wait_until(lambda: last_migration(lab)["state"] == "done", 20, "the migration is done")
    status, text = lab.vnetd.http("GET", "/v1/instance/vm")
    assert status == 200 and len(json.loads(text)["migrations"]) == n, text
    assert last_migration(lab)["to"] == two.host.name
    expect_unharmed(seen)
    expect_small_share(seen.share_ms, last_migration(lab))
    assert lab.port("vm")["host"] == two.host.name and lab.port("vm")["state"] == "active"
    expect_right_neighbour(lab, PUBLIC)
    expect_verify_clean(lab)


def test_agents_killed_in_mid_migration_find_it_as_it_is(lab, net):
    vm, peer, one, two = home(net)
    n = len(json.loads(lab.vnetd.http("GET", "/v1/instance/vm")[1])["migrations"])
    with Watched(lab, vm, peer, two) as seen:
        with held_migration(lab, vm, one, two):
            for libvirt in (one, two):
                libvirt.host.vnet_agent.kill()
            wait_until(lambda: not any(lab.host_row(l.host.name)["agent"] for l in (one, two)), 10, "vnetd notices")
            for libvirt in (one, two):
                libvirt.host.vnet_agent.start()
            lab.wait_agents(one.host.name, two.host.name)
            expect_under_way(lab, one, two)
    expect_moved(lab, seen, two, n + 1)


def test_vnetd_killed_in_mid_migration_finds_it_as_it_is(lab, net):
    vm, peer, one, two = home(net)
    with Watched(lab, vm, peer, two) as seen:
        with held_migration(lab, vm, one, two):
            lab.vnetd.kill()
            lab.vnetd.start()
            lab.ready()
            lab.wait_agents(one.host.name, two.host.name)
            expect_under_way(lab, one, two)
    expect_moved(lab, seen, two, 1)


def test_a_guest_that_moves_while_vnetd_is_away_is_reached_when_it_is_back(lab, net):
    vm, peer, one, two = home(net)
    with held_migration(lab, vm, one, two):
        lab.vnetd.kill()
        vm.virsh("migrate-setspeed", "8796093022207")
        wait_until(lambda: two.domains().get("vm") == "running" and "vm" not in one.domains(), 40, "it has moved")
        lab.vnetd.start()
        lab.ready()
        lab.wait_agents(one.host.name, two.host.name)
    wait_instance(lab, "vm", host=two.host.name, state="running")
    assert last_migration(lab) is None                     # nobody has told this vnetd of one
    wait_until(lambda: (lab.port("vm")["host"], lab.port("vm")["state"]) == (two.host.name, "active"), 20, "the port is bound to its new host")
    wait_until(lambda: peer.ping(lab.port("vm")["ip"]) == "reply" and lab.outside.ping(PUBLIC) == "reply", 20, "it is reached")
    expect_verify_clean(lab)


BALANCER, FRONT = "10.0.1.100", 80


def target_of(lab):
    return next(r for r in lab.vnetd.rows("target") if r["name"] == "echo/vm")


@pytest.fixture
def balanced(lab, net):
    """The VM is the only target of a balancer."""
    lab.ctl.batch([f"tg-add v echo tcp {ECHO_PORT} interval=0.2 timeout=0.1 rise=2 fall=10", "target-add echo vm", f"lb-add s front ip={BALANCER}",
                   f"listener-add front tcp:{FRONT} echo"])
    wait_until(lambda: target_of(lab)["health"] == "healthy", 15, "the VM is a healthy target")
    yield
    lab.ctl("lb-del", "front", "--", "tg-del", "echo")     # listeners and targets go with them


def test_a_balancers_target_moves_with_its_connections(lab, net, balanced, tell):
    vm, peer, one, two = home(net)
    chat = peer.agent.call("start_chat", ip=BALANCER, port=FRONT)
    requests = peer.agent.call("start_requests", ip=BALANCER, port=FRONT, workers=1, timeout=8.0, pause_ms=100)

    def done():
        return peer.agent.call("look", number=requests)["done"]
    wait_until(lambda: done() > 5, 20, "connections before")
    vm.migrate(two, "--persistent", "--undefinesource")
    wait_instance(lab, "vm", host=two.host.name, state="running")
    now = done()
    wait_until(lambda: done() > now + 10, 20, "connections after")
    assert target_of(lab)["health"] == "healthy"
    ended, stream = [peer.agent.call("stop", number=n) for n in (requests, chat)]
    assert not ended["failures"], ended["failures"]
    assert stream["error"] is None and stream["back"] == stream["sent"], stream
    tell(f"{ended['done']} connections through the balancer, the longest silence of one that was open all the time {stream['longest_gap_ms']} ms")
    vm.run("killall nc")                                   # it is asked at its new place
    wait_until(lambda: target_of(lab)["health"] == "unhealthy", 20, "the target without its server is unhealthy")
    vm.run(f"(nc -ll -p {ECHO_PORT} -e cat &)")
    wait_until(lambda: target_of(lab)["health"] == "healthy", 20, "and healthy with it")
    expect_verify_clean(lab)


def test_a_guest_that_moved_has_its_elastic_ip_after_any_kind_of_start(lab, net):
    vm, peer, one, two = home(net)
    ip = lab.port("vm")["ip"]
    for how in ("destroy", "reset", "managedsave"):
        count = len(vm.leases())
        vm.virsh(how)
        if how != "reset":
            wait_until(lambda: lab.outside.ping(PUBLIC) == "none", 10, "nobody answers for it")
            vm.start()
        if how != "managedsave":                           # which goes on where it was
            assert vm.wait_lease(count + 1) == ip
        wait_until(lambda: lab.outside.ping(PUBLIC) == "reply", 20, f"the elastic IP answers after {how}")
        expect_right_neighbour(lab, PUBLIC)
    expect_verify_clean(lab)


def test_a_guest_that_moves_to_where_no_agent_is_keeps_its_port(lab, net):
    """Nobody announces it, and nobody tells of it there; its former host says that it is gone, and nothing else refers to the port."""
    vm, peer, one, two = home(net)
    lab.ctl("eip-detach", PUBLIC)
    two.host.vnet_agent.kill()
    wait_until(lambda: not lab.host_row(two.host.name)["agent"], 10, "vnetd notices")
    vm.migrate(two, "--persistent", "--undefinesource")
    wait_until(lambda: lab.instance("vm") is None, 20, "its former host has it no more")
    wait_until(lambda: (lab.port("vm")["host"], lab.port("vm")["state"]) == (two.host.name, "active"), 20, "the port is bound to its new host")
    wait_until(lambda: peer.ping(lab.port("vm")["ip"]) == "reply", 20, "it is reached")
    two.host.vnet_agent.start()
    wait_instance(lab, "vm", host=two.host.name, state="running")
    lab.ctl("eip-attach", PUBLIC, "vm")
    wait_until(lambda: lab.outside.ping(PUBLIC) == "reply", 20, "the elastic IP answers")
    expect_verify_clean(lab)


def test_after_failures_it_migrates_as_ever(lab, net, tell):
    vm, peer, one, two = home(net)
    migrate(lab, vm, two, tell, peer, "after failures")
