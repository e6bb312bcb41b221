"""What rules of security groups have let through: every packet once, whatever happens to flows, vnetd, switches and the port."""
import datetime
import json
import re
import time

import pytest

from lab import wait_until
from lab.procs import LabError
from packets import udp_frame

LAB = {"hosts": 2}
PAYLOAD = bytes(100)
FRAME_BYTES = 14 + 20 + 8 + len(PAYLOAD)


class Scene:
    """Port a, unfiltered on hv1, sends datagrams to port b of group 'server' on hv2, whose guest is deaf: nothing comes back."""

    def __init__(self, lab):
        self.lab, self.sent = lab, {}
        lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24")
        for name in ("server", "other"):
            self.post("sg", name=name, vpc="v")
        self.wide = self.rule(proto="udp", ports="5000-5009")
        self.unused = self.rule(proto="tcp", ports="80")
        self.a, self.b = lab.vms(["s:a@hv1", "s:b@hv2"], dhcp=None, port="sg=none")
        self.b.run("ip", "address", "flush", "dev", "eth0")
        rows = {r["name"]: r for r in lab.vnetd.rows("port")}
        self.ends = (rows["a"]["mac"], rows["b"]["mac"], rows["a"]["ip"], rows["b"]["ip"])
        self.groups("server")

    def ask(self, method, path, body=None):
        status, text = self.lab.vnetd.http(method, path, body)
        if status >= 300:
            raise LabError(f"{method} {path}: {status} {text}")
        return json.loads(text) if text else None

    def post(self, kind, **values):
        return self.ask("POST", f"/v1/{kind}", values)

    def rule(self, sg="server", peer="0.0.0.0/0", **values):
        rule = self.post("sg-rule", sg=sg, direction="ingress", peer=peer, **values)["id"]
        self.sent[rule] = 0
        return rule

    def drop(self, rule):
        self.ask("DELETE", f"/v1/sg-rule/{rule}")
        del self.sent[rule]
        self.settle()

    def groups(self, text):
        self.ask("PATCH", "/v1/port/b", {"sg": text})
        self.settle()

    def settle(self):
        """All is confirmed, b has its zone where it is, and with it rows of stage sg; and the datapaths' caches have followed."""
        self.ask("POST", "/v1/sync", {"timeout": 10})
        wait_until(lambda: any("table=41," in flow and self.ends[1] in flow for flow in self.b.host.flows()), 10, "b is tracked")
        for host in self.lab.hosts.values():
            host.appctl("revalidator/wait")

    def send(self, rule, n, port=5001):
        """Which rule is to be credited for n datagrams to that port."""
        self.send_unread(rule, n, port)
        self.expect()

    def send_unread(self, rule, n, port=5001):
        self.a.send_frames(*[udp_frame(*self.ends, PAYLOAD, source_port=6000, port=port)] * n)
        self.sent[rule] += n

    def rows(self):
        return {r["id"]: r for r in self.lab.vnetd.rows("sg-rule", columns="id,packets,bytes,last_hit")}

    def expect(self):
        """A switch collects what its fast path has counted twice a second: until then it is fewer, never more."""
        def counted():
            found = {rule: row for rule, row in self.rows().items() if rule in self.sent}
            assert set(found) == set(self.sent)
            for rule, row in found.items():
                assert row["packets"] is None or row["packets"] <= self.sent[rule], f"{row}: sent {self.sent}"
            return all(row["packets"] == self.sent[rule] and row["bytes"] == self.sent[rule] * FRAME_BYTES for rule, row in found.items())
        try:
            wait_until(counted, 10, "all is counted")
        except LabError as e:
            raise AssertionError(f"{e}: sent {self.sent}, {self.rows()}") from e


@pytest.fixture(scope="module")
def scene(lab):
    return Scene(lab)


def test_each_packet_is_counted_once_and_the_hit_has_a_time(scene):
    begin = time.time()
    scene.send(scene.wide, 20)
    scene.send(scene.wide, 3, port=5009)
    rows = scene.rows()
    hit = datetime.datetime.fromisoformat(rows[scene.wide]["last_hit"].replace("Z", "+00:00")).timestamp()
    assert begin - 2 <= hit <= time.time() + 1, (begin, rows)
    assert rows[scene.unused]["last_hit"] is None


def test_rules_and_groups_that_come_and_go_take_nothing_away(scene):
    narrow = scene.rule(proto="udp", ports="5001")
    scene.settle()
    scene.send(narrow, 10)
    scene.send(scene.wide, 2, port=5002)
    scene.drop(narrow)
    scene.send(scene.wide, 5)
    scene.groups("server,other")         # another combination: other flows
    scene.send(scene.wide, 6)
    scene.groups("server")
    scene.send(scene.wide, 7)


def switch_count(host):
    """What a switch has counted in stage sg-rule, by its own word."""
    return sum(int(n) for n in re.findall(r"n_packets=(\d+)", host.ofctl("dump-flows", "br-int", "table=43")))


def test_what_no_reading_saw_is_told_when_its_flow_goes(scene):
    scene.send(scene.wide, 1)
    before = switch_count(scene.b.host)
    scene.send_unread(scene.wide, 13)
    wait_until(lambda: switch_count(scene.b.host) == before + 13, 10, "the switch has counted")
    scene.groups("server,other")
    scene.expect()
    scene.groups("server")


def test_a_rule_that_takes_over_a_flow_does_not_inherit_its_count(scene):
    scene.groups("server,other")
    same = scene.rule(sg="other", proto="udp", ports="5001-5004")
    narrower = scene.rule(sg="other", proto="udp", ports="5001-5003")        # has the flow of ports 5002 and 5003 then
    as_wide = scene.rule(sg="other", proto="udp", ports="5001-5010")         # the group that was made first is credited
    scene.settle()
    scene.send(narrower, 4, port=5002)
    scene.send(scene.wide, 3, port=5005)
    scene.send(as_wide, 2, port=5010)
    scene.drop(narrower)
    scene.send(same, 5, port=5002)
    scene.drop(same)
    scene.drop(as_wide)
    scene.groups("server")


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_the_sum_is_exact_after_vnetd_was_away(scene, lab, signal):
    scene.send(scene.wide, 4)
    mark = time.monotonic()              # of what a flow had that was removed, the last second may die with vnetd
    wait_until(lambda: signal != "KILL" or time.monotonic() > mark + 2, 5, "two seconds")
    lab.vnetd.kill(signal)
    scene.send_unread(scene.wide, 11)
    lab.vnetd.start()
    lab.ready()
    scene.expect()
    scene.send(scene.wide, 1)


def test_a_port_that_moves_and_a_switch_that_restarts_lose_nothing_that_was_read(scene, lab):
    scene.b.move(lab["hv1"])
    scene.settle()
    scene.send(scene.wide, 9)
    lab["hv1"].kill_vswitchd()
    lab["hv1"].start_vswitchd()
    lab.ready()
    scene.send(scene.wide, 2)
    assert lab.ctl.verify()[0] == 0


def test_rules_are_listed_with_their_hits_and_those_never_hit_alone(scene, lab):
    rows = {r["id"]: r for r in lab.ctl.json("sg-rule-list", "server")}
    assert rows[scene.wide]["packets"] == scene.sent[scene.wide] and rows[scene.wide]["last_hit"]
    assert (rows[scene.unused]["packets"], rows[scene.unused]["bytes"], rows[scene.unused]["last_hit"]) == (0, 0, None)
    never = {r["id"] for r in lab.ctl.json("--unused", "sg-rule-list", "server")}
    assert scene.unused in never and scene.wide not in never
    assert never == {rule for rule, row in rows.items() if not row["packets"]}
    counts = {rule: row["packets"] for rule, row in rows.items()}
    for limit in 1, 2, 3:                # each page asks the switches only for what is on it
        assert {r["id"]: r["packets"] for r in lab.vnetd.rows("sg-rule", limit=limit) if r["id"] in counts} == counts


def test_with_as_many_groups_as_ports_may_have_each_pair_is_compared(scene, lab):
    """All rules are as narrow as each other, so Open vSwitch makes as many look-ups for a packet as it ever does; one more than it grants, and it drops it."""
    groups = ["server", "other", *(f"g{i}" for i in range(14))]
    first = scene.rule(peer="sg:server", proto="udp", ports="6001-6003")
    pairs = [(own, other) for own in groups for other in groups][1:]
    lab.ctl.batch([f"sg-add v {g}" for g in groups[2:]] + [f"sg-rule-add {own} ingress udp 6001-6003 sg:{other}" for own, other in pairs]
                  + [f"set port {port} sg={','.join(groups)}" for port in "ab"])
    scene.settle()
    scene.send(first, 5, port=6001)
    lab.ctl.batch(["set port a sg=none", "set port b sg=server"])
    scene.settle()


def test_a_rule_that_goes_takes_its_count_with_it(scene, lab):
    scene.drop(scene.wide)
    scene.wide = scene.rule(proto="udp", ports="5000-5009")
    scene.settle()
    scene.send(scene.wide, 3)
    lab.vnetd.restart()
    lab.ready()
    scene.expect()
