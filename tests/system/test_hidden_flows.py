"""The bridge holds our flows and nothing else: no in-band control, no learning, no flow that ovs-ofctl does not show."""
import re

import pytest

LAB = {"hosts": 2}
INTERNAL_TABLE = 254                   # Open vSwitch's own, for what misses a table; no packet of ours gets there


@pytest.fixture(scope="module")
def vms(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24")
    return lab.vms(["s:a@hv1", "s:b@hv2"])


def all_rules(host):
    """[(table, priority)] of every rule of br-int, hidden ones included."""
    rules = []
    for line in host.appctl("bridge/dump-flows", "br-int").splitlines():
        priority = re.search(r"priority=(\d+)", line)
        table = re.search(r"table_id=(\d+)", line)
        if priority:
            rules.append((int(table[1]) if table else 0, int(priority[1])))
    return rules


def test_no_rule_is_hidden(lab, vms):
    for host in lab.hosts.values():
        rules = [r for r in all_rules(host) if r[0] != INTERNAL_TABLE]
        assert not [r for r in rules if r[1] > 65535], rules
        assert len(rules) == len(host.flows()) > 10
        internal = [line for line in host.appctl("bridge/dump-flows", "br-int").splitlines() if f"table_id={INTERNAL_TABLE}" in line]
        assert len(internal) <= 4, internal


def test_every_flow_has_an_owner_and_none_is_normal_or_flood(lab, vms):
    for host in lab.hosts.values():
        for line in host.flows():
            assert not re.search(r"NORMAL|FLOOD|\bALL\b|LOCAL|learn\(", line.split("actions=")[1]), line
            assert "idle_timeout" not in line and "hard_timeout" not in line, line


def test_the_bridge_is_set_up_as_promised(lab, vms):
    for host in lab.hosts.values():
        assert host.vsctl("get-fail-mode", "br-int") == "secure"
        assert host.vsctl("get", "bridge", "br-int", "other_config:disable-in-band") in ("true", '"true"')
        assert host.vsctl("get", "bridge", "br-int", "datapath_type") == "netdev"
        assert host.vsctl("--bare", "--columns=connection_mode", "list", "controller") == "out-of-band"
        assert 0 < int(host.vsctl("--bare", "--columns=max_backoff", "list", "controller")) <= 1000


def test_the_users_own_bridge_is_left_alone(lab, vms):
    for host in lab.hosts.values():
        assert host.vsctl("get-controller", "br-phy") == "" and host.vsctl("get-fail-mode", "br-phy") == "standalone"
        assert [f for f in host.flows("br-phy") if "NORMAL" not in f] == []
        assert set(host.vsctl("list-ports", "br-phy").split()) == {"phy0"}


def test_no_port_of_the_bridge_floods_or_is_unknown(lab, vms):
    host = lab["hv1"]
    guests = {g.tap for g in host.guests}
    others = set(host.vsctl("list-ports", "br-int").split()) - guests
    kinds = {host.vsctl("get", "interface", port, "type").strip('"') for port in others}
    assert kinds <= {"geneve", "vxlan"}, (others, kinds)
    for port in others:
        assert "flow" in host.vsctl("get", "interface", port, "options:remote_ip")
