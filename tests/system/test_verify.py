"""verify: clean after bursts of random changes on live switches, and it notices one flow, group or meter changed by hand."""
import csv
import io
import json
import random
import re

import pytest

from lab import CtlError, wait_until
from support import FLOW, add_alien_flow, change_flow, clear_network, delete_flow, expect_verify_clean

LAB = {"hosts": 3}


class RandomChanges:
    """Valid changes, one after the other, some several in a transaction; guests come, go and move meanwhile."""

    def __init__(self, lab, rng):
        self.lab, self.rng, self.count = lab, rng, 0
        self.vpcs, self.subnets, self.ports, self.routes = {}, {}, {}, set()

    def name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def line(self):
        rng = self.rng
        kind = rng.choice(["vpc", "subnet", "subnet", "port", "port", "port", "port", "route", "route", "unport", "unroute", "check"])
        if kind == "vpc" or not self.vpcs:
            self.vpcs[name := self.name("v")] = 0
            return f"vpc-add {name} 10.0.0.0/16"
        if kind == "subnet" or not self.subnets:
            vpc = rng.choice(list(self.vpcs))
            self.subnets[name := self.name("s")] = vpc
            self.vpcs[vpc] += 1
            return f"subnet-add {vpc} {name} 10.0.{self.vpcs[vpc]}.0/24"
        if kind == "port" or not self.ports:
            self.ports[name := self.name("p")] = rng.choice(list(self.subnets))
            return f"port-add {self.ports[name]} {name}"
        port = rng.choice(list(self.ports))
        if kind == "unport" and not any(target == port for _, _, target in self.routes):
            del self.ports[port]
            return f"port-del {port}"
        if kind == "unroute" and self.routes:
            route = rng.choice(sorted(self.routes))
            self.routes.discard(route)
            return f"route-del {route[0]} {route[1]}"
        if kind == "check":
            return f"set port {port} source_dest_check={rng.choice(['true', 'false'])}"
        return self.route(port)

    def route(self, port):
        vpc = self.subnets[self.ports[port]]
        prefix = f"10.{self.rng.randint(1, 200)}.0.0/16"
        if any(r[:2] == (vpc, prefix) for r in self.routes):
            return f"set vpc {vpc} tags:n={self.count}"
        blackhole = self.rng.random() < 0.5
        self.routes.add((vpc, prefix, "" if blackhole else port))
        return f"route-add {vpc} {prefix} {'blackhole' if blackhole else 'port:' + port}"

    def plug_some(self, n):
        rows = {r["name"]: r for r in self.lab.vnetd.rows("port")}
        free = [r for name, r in rows.items() if r["host"] is None]
        for row in self.rng.sample(free, min(n, len(free))):
            self.lab.hosts[self.rng.choice(list(self.lab.hosts))].add_guest(row["name"], row["mac"], row["id"])

    def disturb_guests(self):
        guests = [g for h in self.lab.hosts.values() for g in h.guests]
        for guest in self.rng.sample(guests, min(3, len(guests))):
            if self.rng.random() < 0.5:
                guest.host.remove_guest(guest)
            else:
                guest.move(self.lab.hosts[self.rng.choice([n for n in self.lab.hosts if n != guest.host.name])])


def test_clean_after_bursts_of_random_changes(lab, seed, soak):
    rng = random.Random(seed)
    changes = RandomChanges(lab, rng)
    for _ in range(60 if soak else 6):
        for _ in range(rng.randint(1, 8)):
            lab.ctl.batch([changes.line() for _ in range(rng.choice([1, 1, 1, 5, 30]))])
        changes.plug_some(4)
        changes.disturb_guests()
        lab.ctl("--wait=hosts", "sync")
        lab.ready()
        expect_verify_clean(lab)
    flows = {h.name: len(h.flows()) for h in lab.hosts.values()}
    assert sum(flows.values()) > 60, f"hardly any flows: {flows}"


@pytest.fixture
def simple(lab):
    clear_network(lab)
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24")
    lab.vms(["s:a@hv1", "s:b@hv2"])


def flow_of_port(host, rng):
    """A flow of the port that its guest is at, which does something."""
    ofport = host.ofport(host.guests[0].tap)
    return rng.choice([line for line in host.flows() if f"in_port={ofport}," in line and not line.endswith("actions=drop")])


ALIEN = {"table": 0, "match": "priority=7,ip,nw_src=203.0.113.0", "actions": "drop"}


def parts(flow):
    m = FLOW.match(flow)
    assert m, f"not a flow: {flow}"
    return {"table": int(m["table"] or 0), "match": m["match"], "actions": m["actions"]}


@pytest.mark.parametrize("deed", ["missing", "extra", "different"])
def test_one_flow_changed_by_hand_is_named_with_host_table_object_and_what_differs(lab, simple, seed, deed):
    host, rng = lab["hv1"], random.Random(seed)
    expect_verify_clean(lab)
    line = flow_of_port(host, rng)
    {"missing": lambda: delete_flow(host, line), "extra": lambda: add_alien_flow(host), "different": lambda: change_flow(host, line)}[deed]()
    flow, owner = (ALIEN, "nothing of vnet") if deed == "extra" else (parts(line), "port a")

    status, body = lab.vnetd.http("GET", "/v1/verify")
    by_host = {h["host"]: h for h in json.loads(body)["hosts"]}
    assert status == 200 and by_host["hv2"]["differences"] == [], body
    difference, = by_host["hv1"]["differences"]
    assert (difference["kind"], difference["table"], difference["object"]) == (deed, flow["table"], owner), difference
    assert parts(difference["flow"]) == flow, (difference, line)
    found = parts(difference["found"]) if "found" in difference else None
    assert found == ({**flow, "actions": "drop"} if deed == "different" else None), (difference, line)

    status, output, errors = lab.ctl.run("--format=csv", "--columns=host,kind,object,table,flow", "verify")
    assert status == 1 and not errors, (status, output, errors)
    heading, row = csv.reader(io.StringIO(output))
    assert heading == ["host", "kind", "object", "table", "flow"]
    assert row == ["hv1", deed, owner, str(flow["table"]), difference["flow"]]
    assert lab.ctl.verify("hv2")[0] == 0
    lab.vnetd.restart()                    # which reads back and mends
    lab.ready()
    expect_verify_clean(lab)


def test_of_very_many_differences_the_first_are_shown_and_the_rest_counted(lab, simple):
    host = lab["hv1"]
    expect_verify_clean(lab)
    with open(host.path("aliens"), "w") as f:
        f.writelines(f"table=0,cookie=0xa11e,{ALIEN['match']},nw_dst=198.51.{i // 250}.{i % 250},actions=drop\n" for i in range(1234))
    host.ofctl("add-flows", "br-int", host.path("aliens"))
    by_host = {h["host"]: h for h in json.loads(lab.vnetd.http("GET", "/v1/verify")[1])["hosts"]}
    assert len(by_host["hv1"]["differences"]) == 1000 and by_host["hv1"]["more"] == 234
    assert "more" not in by_host["hv2"]
    status, output, errors = lab.ctl.run("--no-headings", "verify")
    assert status == 1 and len(output.splitlines()) == 1000 and "host 'hv1' has 234 more differences" in errors
    host.ofctl("del-flows", "br-int", "cookie=0xa11e/-1")
    expect_verify_clean(lab)


def test_an_unknown_host_is_an_error(lab):
    with pytest.raises(CtlError, match="nosuch"):
        lab.ctl("verify", "nosuch")


@pytest.fixture
def balanced(lab, simple):
    lab.ctl("tg-add", "v", "web", "tcp", "80", "check=icmp", "interval=5", "timeout=1", "rise=2", "--", "target-add", "web", "a", "--", "lb-add", "s", "front",
            "--", "listener-add", "front", "tcp:80", "web")
    wait_until(lambda: [r["health"] for r in lab.vnetd.rows("target")] == ["healthy"], 30, "the target is healthy: its group stays as it is")
    lab.ready()
    yield
    lab.ctl("lb-del", "front", "--", "tg-del", "web")


def group_of_listener(host):
    number, = re.findall(r"group_id=(\d+),", host.ofctl("dump-groups", "br-int"))
    return int(number)


def meter_of_port(host):
    """Of the one that is there: its flow for DHCP bears its number twice."""
    rows = [re.search(r"reg8=(0x[0-9a-f]+) actions=meter:(\d+),controller", line) for line in host.flows()]
    number, = {int(m[2]) for m in rows if m and int(m[1], 16) == int(m[2])}
    return number


ALIEN_NUMBER = 60000
BY_HAND = {"group": ("groups", "group_id={},type=all,bucket=bucket_id:1,actions=drop"), "meter": ("meter", "meter={},pktps,burst,band=type=drop,rate=3,burst_size=3")}


@pytest.mark.parametrize("deed", ["missing", "extra", "different"])
@pytest.mark.parametrize("kind,number_of,owner", [("group", group_of_listener, "listener front/tcp:80"), ("meter", meter_of_port, "port a")])
def test_a_group_or_meter_changed_by_hand_is_named_with_host_and_object(lab, balanced, kind, number_of, owner, deed):
    host = lab["hv1"]
    expect_verify_clean(lab)
    number = ALIEN_NUMBER if deed == "extra" else number_of(host)
    plural, text = BY_HAND[kind]
    id_word = text.partition("=")[0]
    {"missing": lambda: host.ofctl(f"del-{plural}", "br-int", f"{id_word}={number}"),
     "extra": lambda: host.ofctl(f"add-{kind}", "br-int", text.format(number)),
     "different": lambda: host.ofctl(f"mod-{kind}", "br-int", text.format(number))}[deed]()

    by_host = {h["host"]: h for h in json.loads(lab.vnetd.http("GET", "/v1/verify")[1])["hosts"]}
    assert by_host["hv2"]["differences"] == by_host["hv3"]["differences"] == []
    differences = by_host["hv1"]["differences"]
    named, = [d for d in differences if re.match(rf"{id_word}={number}\b", d["flow"])]
    assert (named["kind"], named["object"]) == (deed, "nothing of vnet" if deed == "extra" else owner), named
    assert re.match(rf"{id_word}={number}\b", named["found"]) and named["found"] != named["flow"] if deed == "different" else "found" not in named, named
    others = [d for d in differences if d is not named]        # Open vSwitch has removed the flows that use it
    assert all(d["kind"] == "missing" and re.search(rf"\b{kind}:{number}\b", d["flow"]) for d in others) and bool(others) == (deed == "missing"), others
    status, output, _ = lab.ctl.run("--format=csv", "--columns=host,kind,object,flow", "verify")
    assert status == 1 and ["hv1", deed, named["object"], named["flow"]] in list(csv.reader(io.StringIO(output))), output
    lab.vnetd.restart()                    # which reads back and mends
    lab.ready()
    expect_verify_clean(lab)
