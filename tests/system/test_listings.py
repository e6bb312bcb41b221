"""What the listings of public addresses show: the columns that matter as a table, all that there are as CSV and JSON; and what is in them."""
import csv
import io

import pytest

from plain import Daemon

EXPECTED = {
    "pool-list": (["name", "cidr", "uplink", "vlan", "gateway", "gateway_mac", "range"],
                  [["p1", "203.0.113.0/24", "public", "", "203.0.113.1", "", "203.0.113.2-203.0.113.254"],
                   ["p2", "198.51.100.0/28", "lab", "7", "198.51.100.3", "", "198.51.100.8-198.51.100.9"]]),
    "igw-list": (["vpc"], [["v"]]),
    "eip-list": (["ip", "pool", "attached", "host", "announced_at"],
                 [["203.0.113.2", "p1", "natgw:n1", "", ""], ["203.0.113.3", "p1", "port:w1", "", ""], ["198.51.100.9", "p2", "", "", ""]]),
    "natgw-list": (["name", "subnet", "ip", "host", "ports", "exhausted"],
                   [["n1", "s", "203.0.113.2", "", "1024-65535", ""], ["n2", "s", "", "", "2000-2999", ""]]),
}
COMMON = ["id", "name", "tenant", "tags", "created"]
ALL = {
    "pool-list": ["cidr", "uplink", "gateway", "gateway_mac", "range", "vlan", "error"],
    "igw-list": ["vpc"],
    "eip-list": ["ip", "pool", "attached", "host", "announced_at", "drops", "error"],
    "natgw-list": ["subnet", "ip", "host", "ports", "exhausted", "drops", "error"],
}


@pytest.fixture(scope="module")
def ctl(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("vnetd")) as daemon:
        daemon.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--", "port-add", "s", "w1", "--",
                   "igw-add", "v", "--", "route-add", "v", "0.0.0.0/0", "igw", "--",
                   "natgw-add", "s", "n1", "--", "natgw-add", "s", "n2", "ports=2000-2999", "--",
                   "pool-add", "p1", "203.0.113.0/24", "uplink=public", "--",
                   "pool-add", "p2", "198.51.100.0/28", "uplink=lab", "vlan=7", "gateway=198.51.100.3", "range=198.51.100.8-198.51.100.9")
        assert daemon.ctl("eip-add", "p1", "--", "eip-add", "p1", "--", "eip-add", "p2", "198.51.100.9").split() == [
            "203.0.113.2", "203.0.113.3", "198.51.100.9"]
        daemon.ctl("eip-attach", "203.0.113.2", "natgw:n1", "--", "eip-attach", "203.0.113.3", "w1")
        yield daemon.ctl


@pytest.mark.parametrize("command", EXPECTED)
def test_as_csv(ctl, command):
    columns, rows = EXPECTED[command]
    heading, *found = csv.reader(io.StringIO(ctl("-f", "csv", command)))
    assert heading == COMMON + ALL[command]
    assert sorted([line[heading.index(c)] for c in columns] for line in found) == sorted(rows)
    chosen = ctl("-f", "csv", f"--columns={','.join(columns)}", "--no-headings", command)
    assert sorted(csv.reader(io.StringIO(chosen))) == sorted(rows)


@pytest.mark.parametrize("command", EXPECTED)
def test_as_a_table_with_columns_under_their_headings(ctl, command):
    columns, rows = EXPECTED[command]
    heading, *lines = ctl(command).splitlines()
    assert heading.split() == columns
    at = [heading.index(f" {c}") + 1 if i else 0 for i, c in enumerate(columns)]
    lines = [line for line in lines if not set(line) <= set("- ")]
    cells = [[line[a:b].strip() for a, b in zip(at, at[1:] + [None])] for line in lines]
    assert sorted(cells) == sorted(rows)


@pytest.mark.parametrize("command", EXPECTED)
def test_what_it_shows_in_json_is_every_column(ctl, command):
    found = ctl.json(command)
    assert len(found) == len(EXPECTED[command][1])
    assert all(list(row) == COMMON + ALL[command] for row in found)


@pytest.mark.parametrize("command,owner", [("subnet-list", "vpc"), ("port-list", "subnet"), ("route-list", "rtb"), ("sg-rule-list", "sg"),
                                           ("target-list", "tg"), ("listener-list", "lb")])
def test_an_owner_that_does_not_exist_is_refused(ctl, command, owner):
    for options, where in ((), "tenant 'default'"), (("-A",), "any tenant"), (("-f", "json"), "tenant 'default'"):
        status, output, errors = ctl.run(*options, command, "nope")
        assert (status, output) == (1, "") and f"{owner} 'nope' does not exist in {where}" in errors, (output, errors)
    assert ctl("find", "subnet", "vpc=nope") == "[]"


def test_an_owner_without_anything_has_an_empty_listing(ctl):
    ctl("vpc-add", "bare", "10.9.0.0/16")
    vpc = ctl.get("vpc", "bare", "id")
    for options in (), ("-A",):
        assert ctl("--columns=name", *options, "subnet-list", "bare").splitlines()[0] == "name"
        assert ctl("--columns=name", *options, "subnet-list", vpc).splitlines()[0] == "name"
    ctl("vpc-del", "bare")


def test_any_number_of_names_is_listed(ctl):
    names = [f"many{i}" for i in range(300)]
    ctl.batch([f"tenant-add {name}" for name in names])
    assert [row["name"] for row in ctl.json("--columns=name", "list", "tenant", *names)] == names
    status, _, errors = ctl.run("list", "tenant", *names, "nope")
    assert status == 1 and "'nope' does not exist" in errors
    ctl.batch([f"tenant-del {name}" for name in names])
