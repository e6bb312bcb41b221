"""vnetctl as users see it, on a live network: every form of a command, what it prints, its exit status."""
import csv
import io
import json
import re

import pytest

from lab import wait_until
from lab.daemon import Ctl

LAB = {"hosts": 2}
Ctl.is_under_test = True
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
COLUMNS = {
    "vpc": {"cidr", "vni"}, "subnet": {"vpc", "cidr", "gateway", "rtb", "dns", "domain", "lease"},
    "port": {"subnet", "ip", "ips", "mac", "sg", "source_dest_check", "host", "state", "reason", "claimed_by", "drops"},
    "rtb": {"vpc"}, "route": {"rtb", "prefix", "target"}, "tenant": {"quotas"},
    "host": {"encap_ip", "connected", "flows", "realised", "sent", "drops", "error"},
}


@pytest.fixture(scope="module")
def acme(lab):
    """vnetctl of a tenant with a network: a VPC, two subnets, two route tables, a VM on each host."""
    lab.ctl("tenant-add", "acme")
    ctl = lab.ctl.as_tenant("acme")
    ctl("vpc-add", "net", "10.0.0.0/16", "--", "rtb-add", "net", "alt", "--",
        "subnet-add", "net", "web", "10.0.1.0/24", "dns=10.0.1.53,10.0.1.54", "domain=example.org", "lease=600", "rtb=alt", "--",
        "subnet-add", "net", "db", "10.0.2.0/24", "--", "port-add", "web", "w1", "tags:env=prod", "--",
        "port-add", "db", "d1", "ip=10.0.2.9", "mac=02:00:00:00:00:09", "sg=none", "source_dest_check=false", "--",
        "route-add", "alt", "10.9.0.0/16", "port:d1", "--", "route-add", "alt", "0.0.0.0/0", "blackhole")
    lab.vms(["web:w1@hv1", "db:d1@hv2"], tenant="acme", add=False)
    return ctl


def refused(ctl, *arguments, stdin=None):
    status, output, errors = ctl.run(*arguments, stdin=stdin)
    assert (status, output, len(errors.strip().splitlines())) == (1, "", 1), (status, output, errors)
    return errors


@pytest.fixture
def stuck(lab, acme):
    """hv2's switch does not move, but is connected."""
    pid = lab["hv2"].run("cat", "/run/openvswitch/ovs-vswitchd.pid").strip()
    lab["hv2"].run("kill", "-STOP", pid)
    yield
    lab["hv2"].run("kill", "-CONT", pid)
    lab.ready()


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_listing_in_json_has_every_column(acme, kind):
    rows = acme.list(kind)
    assert rows
    for row in rows:
        assert {"id", "name", "tenant", "tags", "created"} | COLUMNS[kind] <= set(row), row
        assert isinstance(row["tags"], dict) and RFC3339.fullmatch(row["created"])


def test_values_are_native_in_json_and_references_names(acme):
    port, = acme.find("port", name="d1")
    assert (port["ip"], port["ips"], port["mac"], port["sg"], port["source_dest_check"]) == ("10.0.2.9", ["10.0.2.9"], "02:00:00:00:00:09", [], False)
    assert (port["subnet"], port["host"], port["state"], port["reason"], port["claimed_by"]) == ("db", "hv2", "active", None, [])
    assert set(port["drops"]) >= {"mac", "ip", "arp", "vlan", "ethertype", "no-port", "no-route", "blackhole", "sg"}
    subnet, = acme.find("subnet", name="web")
    assert subnet["dns"] == ["10.0.1.53", "10.0.1.54"] and (subnet["lease"], subnet["domain"], subnet["rtb"]) == (600, "example.org", "alt")
    assert acme.find("subnet", name="db")[0]["lease"] == 3600 and acme.find("subnet", name="db")[0]["rtb"] == "net"


def test_who_has_no_address_gets_the_first_that_is_free(acme):
    w1, = acme.find("port", name="w1")
    assert w1["ip"] == "10.0.1.3"                  # network, gateway and the one kept for DNS are not handed out
    assert int(w1["mac"][:2], 16) & 3 == 2         # local and unicast


def test_find_compares_looks_into_lists_and_at_tags(acme):
    for where in (["ip=10.0.2.9"], ["ips=10.0.2.9"], ["host=hv2"], ["source_dest_check=false"], ["subnet=db", "state=active"]):
        assert [r["name"] for r in acme.json("find", "port", *where)] == ["d1"], where
    assert [r["name"] for r in acme.json("find", "port", "tags:env=prod")] == ["w1"]
    assert [r["name"] for r in acme.json("find", "subnet", "dns=10.0.1.54")] == ["web"]


@pytest.mark.parametrize("options", [[], ["-f", "json"], ["-f", "list"]])
def test_find_without_a_match_prints_an_empty_array_and_succeeds(acme, options):
    status, output, errors = acme.run(*options, "find", "port", "ip=10.0.2.99")
    assert (status, output.strip(), errors) == (0, "[]", "")


def test_get_prints_the_bare_value(acme):
    assert acme.get("port", "d1", "ip") == "10.0.2.9"
    assert acme.get("port", "d1", "source_dest_check") == "false"
    assert acme.get("subnet", "web", "dns") == "10.0.1.53,10.0.1.54"
    assert acme.get("port", "w1", "tags:env") == "prod"
    assert acme.get("port", "w1", "reason") == ""
    assert acme.get("route", "alt/10.9.0.0/16", "target") == "port:d1"
    identity = acme.get("port", "d1", "id")
    assert acme.get("port", identity, "name") == "d1"


def test_set_changes_and_an_empty_value_unsets(acme):
    acme("set", "subnet", "web", "lease=700", "dns=", "tags:a=1", "--", "set", "route", "alt/0.0.0.0/0", "target=port:d1")
    web, = acme.list("subnet", "web")
    assert (web["lease"], web["dns"], web["tags"]) == (700, [], {"a": "1"})
    assert acme.get("route", "alt/0.0.0.0/0", "target") == "port:d1"
    acme("set", "subnet", "web", "lease=600", "dns=10.0.1.53,10.0.1.54", "tags:a=", "--", "set", "route", "alt/0.0.0.0/0", "target=blackhole")
    assert acme.list("subnet", "web")[0]["tags"] == {}


def test_csv_list_table_columns_and_headings(acme):
    rows = list(csv.DictReader(io.StringIO(acme("-f", "csv", "list", "subnet", "web", "db"))))
    assert [(r["name"], r["dns"]) for r in rows] == [("web", "10.0.1.53,10.0.1.54"), ("db", "")]
    assert acme("--no-headings", "-f", "csv", "--columns=name,cidr", "list", "subnet", "db") == "db,10.0.2.0/24"
    lines = acme("--columns=name,lease", "list", "subnet", "web").splitlines()
    assert lines[0].split() == ["name", "lease"] and lines[-1].split() == ["web", "600"]
    assert re.search(r"^cidr +: 10.0.2.0/24$", acme("-f", "list", "list", "subnet", "db"), re.M)
    refused(acme, "--columns=nosuch", "list", "subnet")


def test_changes_print_nothing_and_a_change_twice_needs_may_exist(acme):
    assert acme("--may-exist", "vpc-add", "net", "10.0.0.0/16") == ""
    assert acme("--may-exist", "vpc-add", "twice", "10.0.0.0/16", "--", "--if-exists", "port-del", "nosuch") == ""
    assert "twice" in refused(acme, "vpc-add", "twice", "10.0.0.0/16")
    assert acme("vpc-del", "twice", "--", "--if-exists", "vpc-del", "twice") == ""
    refused(acme, "vpc-del", "twice")


def test_later_commands_see_earlier_ones_and_all_or_none_take_effect(acme):
    acme("vpc-add", "x", "10.0.0.0/16", "--", "subnet-add", "x", "xs", "10.0.5.0/24", "--", "port-add", "xs", "xp", "--", "port-list", "xs")
    error = refused(acme, "port-del", "xp", "--", "subnet-del", "xs", "--", "subnet-del", "nosuch")
    assert "nosuch" in error
    assert acme.find("port", name="xp")
    acme("port-del", "xp", "--", "subnet-del", "xs", "--", "vpc-del", "x")
    assert not acme.find("rtb", name="x"), "the main table goes with its VPC"


def test_what_is_referred_to_is_named_up_to_five_times(acme):
    acme.batch([f"subnet-add net n{i} 10.0.{100 + i}.0/24" for i in range(8)])
    error = refused(acme, "vpc-del", "net")
    assert 1 <= len(re.findall(r"subnet '|rtb '", error)) <= 5, error
    acme.batch([f"subnet-del n{i}" for i in range(8)])


def test_a_dry_run_says_what_would_change_and_changes_nothing(acme):
    before = acme("-f", "json", "list", "subnet"), acme("-f", "json", "list", "vpc")
    text = acme("--dry-run", "vpc-add", "dry", "10.0.0.0/8", "--", "set", "subnet", "db", "lease=99", "--", "route-del", "alt", "10.9.0.0/16")
    assert re.search(r"^add vpc dry .*cidr=10.0.0.0/8", text, re.M) and re.search(r"^set subnet db .*lease", text, re.M)
    assert re.search(r"^del route alt/10.9.0.0/16", text, re.M), text
    changes = acme.json("--dry-run", "set", "subnet", "db", "lease=99")
    assert [(c["change"], c["type"], c["before"]["lease"], c["after"]["lease"]) for c in changes] == [("set", "subnet", 3600, 99)]
    assert (acme("-f", "json", "list", "subnet"), acme("-f", "json", "list", "vpc")) == before
    refused(acme, "--dry-run", "vpc-add", "net", "10.0.0.0/16")


def test_a_batch_is_one_transaction_with_comments_quotes_and_options(acme, tmp_path):
    file = tmp_path / "batch"
    file.write_text("# a comment\n\nvpc-add b 10.0.0.0/16 # another\n--may-exist vpc-add b 10.0.0.0/16\n"
                    "set vpc b tags:what='two words'\n\tsubnet-add b bs 10.0.0.0/24\n")
    acme(f"--batch={file}")
    assert acme.get("vpc", "b", "tags:what") == "two words"
    assert "line 2" in refused(acme, "--batch=-", stdin="subnet-del bs\nsubnet-del nosuch\n")
    acme("--batch=-", stdin="subnet-del bs\nvpc-del b\n")


def test_quotas_hold_and_are_shown(lab, acme):
    lab.ctl("tenant-add", "small", "--", "quota-set", "small", "vpc=1", "port=0")
    small = lab.ctl.as_tenant("small")
    small("vpc-add", "one", "10.0.0.0/16", "--", "subnet-add", "one", "s", "10.0.0.0/24")
    assert all(word in refused(small, "vpc-add", "two", "10.0.0.0/16") for word in ("quota", "vpc", "small"))
    assert "port" in refused(small, "port-add", "s", "p")
    assert {tuple(line.split()) for line in lab.ctl("--no-headings", "quota-show", "small").splitlines()} == {("vpc", "1"), ("port", "0")}
    lab.ctl("quota-set", "small", "vpc=none", "port=1")
    small("vpc-add", "two", "10.0.0.0/16", "--", "port-add", "s", "p")
    small("port-del", "p", "--", "subnet-del", "s", "--", "vpc-del", "one", "--", "vpc-del", "two")
    lab.ctl("tenant-del", "small")


def test_names_are_a_tenants_own_and_a_listing_over_all_shows_whose(lab, acme):
    lab.ctl("vpc-add", "net", "10.0.0.0/16")
    assert {(r["tenant"], r["name"]) for r in lab.ctl.json("-A", "list", "vpc")} >= {("default", "net"), ("acme", "net")}
    assert [r["tenant"] for r in lab.ctl.list("vpc")] == ["default"]
    assert "tenant" in lab.ctl("-A", "vpc-list").splitlines()[0].split()
    lab.ctl("vpc-del", "net")


def test_show_is_a_tree_of_vpcs_and_hosts(acme):
    text = acme("show")
    places = [text.index(word) for word in ("vpc net: 10.0.0.0/16", "subnet web: 10.0.1.0/24", "port w1: 10.0.1.3", "host hv1: ")]
    assert places == sorted(places) and "route 10.9.0.0/16: port:d1" in text and "internet gateway" not in text
    assert "subnet db" in acme("show", "net")
    refused(acme, "show", "nosuch")


def test_show_tells_the_way_out(lab, acme):
    lab.ctl("pool-add", "shown", "198.51.100.0/28", "uplink=nowhere")
    acme("vpc-add", "out", "10.0.0.0/16", "--", "subnet-add", "out", "s", "10.0.0.0/24", "--", "igw-add", "out", "--",
         "route-add", "out", "0.0.0.0/0", "igw", "--", "port-add", "s", "p", "--", "natgw-add", "s", "n", "--", "lb-add", "s", "l")
    addresses = {holder: acme("eip-add", "shown").strip() for holder in ("p", "natgw:n", "lb:l")}
    for holder, address in addresses.items():
        acme("eip-attach", address, holder)
    lines = acme("show", "out").splitlines()
    assert "    internet gateway" in lines and f"        NAT gateway n, elastic IP {addresses['natgw:n']}" in lines
    assert any(line.startswith("        port p: ") and line.endswith(f", elastic IP {addresses['p']}") for line in lines)
    assert any(line.startswith("        load balancer l: ") and line.endswith(f", elastic IP {addresses['lb:l']}") for line in lines)
    for address in addresses.values():
        acme("eip-detach", address, "--", "eip-del", address)
    acme("lb-del", "l", "--", "natgw-del", "n", "--", "port-del", "p", "--", "route-del", "out", "0.0.0.0/0", "--", "igw-del", "out",
         "--", "subnet-del", "s", "--", "vpc-del", "out")
    lab.ctl("pool-del", "shown")


def test_wait_until_waits_and_fails_with_65_when_time_is_up(acme):
    assert acme("wait-until", "port", "w1", "state=active", "host=hv1") == ""
    status, output, errors = acme.run("--timeout=1", "wait-until", "port", "w1", "state=error")
    assert (status, output) == (65, "") and "port 'w1': state did not become 'error' in time; it is \"active\"" in errors


def test_a_host_that_does_not_confirm_is_named_with_65_and_the_change_stands(lab, acme, stuck):
    status, output, errors = acme.run("--wait=hosts", "--timeout=1", "route-add", "net", "10.77.0.0/16", "blackhole")
    assert (status, output) == (65, "") and "hv2" in errors and "hv1" not in errors
    assert acme.find("route", prefix="10.77.0.0/16")
    status, output, errors = acme.run("--wait=hosts", "--timeout=1", "sync")
    assert (status, output) == (65, "") and "hv2" in errors
    assert lab.vnetd.rows("host", columns="name,realised") == [{"name": "hv1", "realised": True}, {"name": "hv2", "realised": False}]


def test_verify_of_a_host_that_does_not_answer_ends_in_time_with_65(lab, acme, stuck):
    status, output, errors = acme.run("--timeout=2", "verify")
    assert (status, output) == (65, "") and "hv2" in errors and "hv1" not in errors, errors
    assert acme.run("--timeout=2", "verify", "hv1")[0] == 0


def test_what_concerns_a_host_that_is_away_is_a_warning_and_reaches_it_later(lab, acme):
    lab["hv2"].kill_vswitchd()
    wait_until(lambda: not lab.host_row("hv2")["connected"], 20, "hv2 is known to be away")
    status, output, errors = acme.run("--wait=hosts", "route-add", "net", "10.78.0.0/16", "blackhole")
    assert (status, output) == (0, "") and "warning" in errors and "hv2" in errors
    lab["hv2"].start_vswitchd()
    lab.ready()
    assert acme.verify()[0] == 0


def test_a_host_is_forgotten_only_when_it_is_away(lab, acme):
    assert "connected" in refused(acme, "host-del", "hv1")
    lab.add_host("hv9")
    lab.ready()
    lab.remove_host("hv9")
    wait_until(lambda: lab.ctl.run("host-del", "hv9")[0] == 0, 30, "hv9 can be forgotten")
    assert {r["name"] for r in lab.ctl.list("host")} == {"hv1", "hv2"}


def test_every_command_is_known_to_completion_and_help(acme):
    text = acme("--commands")
    for word in ("tenant-add", "quota-set", "vpc-add", "subnet-add", "port-add", "rtb-add", "route-add", "host-list", "pki", "sync", "show", "list",
                 "find", "get", "set", "wait-until", "verify", "trace"):
        assert re.search(rf"\b{word}\b", text), word
    for option in ("--server", "--tenant", "--wait", "--timeout", "--format", "--columns", "--no-headings", "--dry-run", "--batch"):
        assert option in acme("--options")


def test_a_batch_of_a_hundred_thousand_lines_is_one_transaction(lab, acme):
    lines = ["vpc-add huge 10.0.0.0/8"] + [f"subnet-add huge h{i} 10.{i}.0.0/16" for i in range(20)]
    lines += [f"port-add h{i % 20} huge{i}" for i in range(100_000 - len(lines))]
    revision = json.loads(lab.vnetd.http("POST", "/v1/transactions", {"ops": []})[1])["revision"]
    acme("--timeout=90", "--batch=-", stdin="\n".join(lines) + "\n", timeout=120)
    assert json.loads(lab.vnetd.http("POST", "/v1/transactions", {"ops": []})[1])["revision"] == revision + 1
    assert acme.get("port", "huge99978", "subnet") == "h18"
    assert len(acme("--columns=name", "--no-headings", "list", "port").splitlines()) >= 99_979
