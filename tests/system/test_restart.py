"""vnetd killed, away and back: no packet is lost, and it sends exactly what differs."""
import random
import time

import pytest

from lab import wait_until
from lab.procs import call_all
from support import expect_verify_clean, tamper

LAB = {"hosts": 3}


@pytest.fixture(scope="module")
def vms(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--", "subnet-add", "v", "t", "10.0.2.0/24",
            "--", "route-add", "v", "10.9.0.0/16", "blackhole")
    return lab.vms(["s:a@hv1", "s:b@hv2", "t:c@hv3", "t:d@hv1"])


def sent(lab):
    return {row["name"]: row["sent"] for row in lab.vnetd.rows("host")}


def during_streams(vms, body):
    """a pings b (another host) and c (another host and subnet) every 5 ms while body runs; fails if one ping is lost."""
    a, b, c, _ = vms
    with a.doing("ping", ip=b.ip, interval_ms=5) as bridged, a.doing("ping", ip=c.ip, interval_ms=5) as routed:
        wait_until(lambda: bridged.look()["received"] > 10 and routed.look()["received"] > 10, 5, "pings begin")
        body()
    for what, stream in (("bridged", bridged), ("routed", routed)):
        assert stream.result["n_lost"] == 0, f"{what}: {stream.result}"
        assert stream.result["sent"] > 20


def test_no_packet_is_lost_while_vnetd_is_killed_away_and_back(lab, vms, soak):
    a, b, c, d = vms
    seconds = 600 if soak else 120

    def away():
        lab.vnetd.kill()
        end = time.monotonic() + seconds
        flushed = 0
        while time.monotonic() < end:
            mark = time.monotonic()
            call_all([(g.agent, "flush_neighbours", {}) for g in vms])
            flushed += 1
            assert d.tcp_connect(b.ip, 9, timeout=1) == "refused", "a new connection while vnetd is away"
            wait_until(lambda: time.monotonic() >= mark + 1, 3, "the next second")
        assert flushed >= seconds * 0.7
        lab.vnetd.start()
        lab.ready()

    during_streams(vms, away)
    expect_verify_clean(lab)
    assert set(sent(lab).values()) == {0}, sent(lab)


def test_a_clean_stop_and_start_sends_nothing_and_loses_nothing(lab, vms):
    def restart():
        lab.vnetd.restart()
        lab.ready()
    during_streams(vms, restart)
    assert set(sent(lab).values()) == {0}, sent(lab)
    expect_verify_clean(lab)


def test_exactly_the_flows_tampered_with_are_mended(lab, vms, seed):
    rng = random.Random(seed)
    lab.vnetd.kill()
    before = {h.name: sorted(h.flows()) for h in lab.hosts.values()}
    texts = tamper(lab["hv1"], rng)
    assert sorted(lab["hv1"].flows()) != before["hv1"]
    lab.vnetd.start()
    lab.ready()
    assert sent(lab) == {"hv1": 3, "hv2": 0, "hv3": 0}, texts
    assert {h.name: sorted(h.flows()) for h in lab.hosts.values()} == before
    expect_verify_clean(lab)


def test_what_changed_while_vnetd_was_away_is_noticed(lab, vms):
    """A guest unplugged and another plugged meanwhile: the databases say so when it returns."""
    a, b, c, d = vms
    lab.vnetd.kill()
    d.move(lab["hv2"])
    lab.vnetd.start()
    lab.ready()
    wait_until(lambda: lab.port("d")["host"] == "hv2", 5, "port d on hv2")
    for other in (a, b, c):
        other.reaches(d.ip, 3)
    expect_verify_clean(lab)


def test_killed_again_and_again_in_the_middle_of_changes_it_ends_right(lab, vms, seed, soak):
    rng = random.Random(seed)
    for i in range(30 if soak else 5):
        lab.ctl("port-add", "s", f"x{i}", "--", "route-add", "v", f"10.{20 + i}.0.0/16", "port:a")
        wait_until(lambda mark=time.monotonic(), pause=rng.random() * 0.05: time.monotonic() > mark + pause, 1, "a random moment")
        lab.vnetd.kill()
        lab.vnetd.start()
    lab.ready()
    expect_verify_clean(lab)
    assert {f"x{i}" for i in range(5)} <= {r["name"] for r in lab.ctl.list("port")}


def test_management_cable_pulled_traffic_and_new_neighbours_go_on(lab, vms):
    a, b, c, _ = vms

    def cut():
        lab.underlay.set_link("management", "hv1", False)
        try:
            a.flush_neighbours()
            assert a.ping(c.ip) == "reply"
            lab.ctl("subnet-add", "v", "late", "10.0.3.0/24")
        finally:
            lab.underlay.set_link("management", "hv1", True)
        lab.ready(seconds=40)
    during_streams(vms, cut)
    expect_verify_clean(lab)
