"""/metrics: every line is Prometheus' text format, and the figures are those of what there is."""
import json
import re
import time

import pytest

from plain import Daemon

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")


def parse(text):
    """(samples: {(name, labels): value}, types: {name: type}); whatever is not as the format says fails. Text format 0.0.4."""
    assert text.endswith("\n") and "\n\n" not in text and "\r" not in text
    samples, types, helps, family = {}, {}, set(), None
    for line in text[:-1].split("\n"):
        help_of, type_of = re.fullmatch(rf"# HELP ({NAME}) \S.*", line), re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge)", line)
        if help_of:
            family = help_of[1]
            assert family not in helps, f"twice: {line}"
            helps.add(family)
        elif type_of:
            assert type_of[1] == family and family not in types, f"not after its HELP: {line}"
            types[family] = type_of[2]
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, f"no sample: {line!r}"
            assert sample[1] == family and family in types, f"not with its HELP and TYPE: {line}"
            labels = tuple(sorted(re.findall(LABEL, sample[2] or "")))
            assert (family, labels) not in samples, f"twice: {line}"
            assert len({label.split("=")[0] for label in labels}) == len(labels), line
            samples[family, labels] = float(sample[3])
    assert set(types) == helps
    return samples, types


def metrics(daemon):
    status, text, headers = daemon.http("GET", "/metrics")
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4"
    return parse(text)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("vnetd")) as running:
        running.ctl("vpc-add", "v", "10.0.0.0/16", "--", "vpc-add", "w", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--",
                    "port-add", "s", "a", "--", "port-add", "s", "b")
        assert running.http("POST", "/v1/transactions", {"ops": [{"op": "add", "type": "host", "name": h} for h in ("hv1", "hv-2.example")]})[0] == 200
        yield running


def test_it_is_prometheus_text_and_each_figure_is_one(daemon):
    samples, types = metrics(daemon)
    assert len(types) >= 14 and all(name.startswith("vnet_") for name in types)
    for (name, _), value in samples.items():
        assert 0 <= value < float("inf"), name
        assert not name.endswith("_total") or types[name] == "counter", name


def test_objects_and_hosts_are_those_that_are_listed(daemon):
    samples, _ = metrics(daemon)
    kinds = [labels[0].split('"')[1] for name, labels in samples if name == "vnet_objects"]
    assert {"vpc", "port", "host", "sg-rule", "eip"} <= set(kinds)
    for kind in kinds:
        assert samples["vnet_objects", (f'type="{kind}"',)] == len(json.loads(daemon.http("GET", f"/v1/{kind}?all_tenants=1")[1])), kind
    assert samples["vnet_objects", ('type="port"',)] == 2
    for name in ("connected", "realised", "flows", "mods_sent_total", "packet_ins_total"):
        hosts = {labels for metric, labels in samples if metric == f"vnet_host_{name}"}
        assert hosts == {('host="hv1"',), ('host="hv-2.example"',)}, name
    assert samples["vnet_host_connected", ('host="hv1"',)] == 0
    assert 0 < time.time() - samples["vnet_start_time_seconds", ()] < 3600


def test_transactions_are_counted_and_so_are_those_refused(daemon):
    before, _ = metrics(daemon)
    daemon.ctl("set", "vpc", "v", "tags:n=1")
    assert daemon.ctl.run("vpc-add", "v", "10.0.0.0/16")[0] == 1
    after, _ = metrics(daemon)
    grown = {name: value - before[name, labels] for (name, labels), value in after.items() if not labels}
    assert grown["vnet_revision"] == grown["vnet_transactions_total"] == grown["vnet_transactions_refused_total"] == 1
    assert grown["vnet_store_commits_total"] >= 1 and grown["vnet_store_commit_seconds_total"] > 0 and grown["vnet_store_failures_total"] == 0
