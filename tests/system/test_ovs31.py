"""A reduced run on Debian 12's own Open vSwitch 3.1, taken out of its packages and never installed."""
import random

import pytest

from lab import wait_until
from lab.lab import reach_matrix
from support import expect_verify_clean, tamper

LAB = {"hosts": 2, "ovs_version": "3.1"}


@pytest.fixture(scope="module")
def vms(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--", "subnet-add", "v", "t", "10.0.2.0/24",
            "--", "vpc-add", "w", "10.0.0.0/16", "--", "subnet-add", "w", "ws", "10.0.1.0/24", "--", "route-add", "v", "10.9.0.0/16", "blackhole")
    return lab.vms(["s:a@hv1", "s:b@hv2", "t:c@hv2", "ws:d@hv1"])


def test_it_is_really_that_version(lab, vms):
    for host in lab.hosts.values():
        assert " 3.1." in host.appctl("version"), host.appctl("version")


def test_guests_get_addresses_and_reach_each_other(vms):
    mine = vms[:3]
    assert set(reach_matrix(mine).values()) == {"reply"}
    assert vms[0].ping_all(["8.8.8.8", "10.9.0.1", "10.0.2.99"], timeout=1.5) == ["net-unreachable", "none", "none"]


def test_a_stream_and_a_packet_too_big(vms):
    with vms[1].doing("tcp_server", port=80):
        assert vms[0].tcp_send(vms[1].ip, 80, 1_000_000)["ok"]
    vms[0].agent.call("configure", device="eth0", mtu=1500)
    word, extra = vms[0].ping(vms[1].ip, size=1472, df=True, detail=True, timeout=2)
    assert (word, extra.get("mtu")) == ("frag-needed", 1450)


def test_a_group_lets_in_what_its_rules_say_and_nothing_else(lab, vms):
    """Of b, which leaves the group that all are in: by TCP from one subnet; and a lets in b's echo requests by a rule that names b's group."""
    a, b, c, _ = vms
    lab.ctl.batch(["sg-add v web", "sg-rule-add web ingress tcp 8080 10.0.1.0/24", "sg-rule-add v ingress icmp 8 sg:web"])
    b.tcp, _ = [b.agent.call("start_tcp_echo", port=port) for port in (8080, 8081)]
    assert [a.tcp_connect(b.ip, port) for port in (8080, 8081)] == ["connected", "connected"]
    lab.ctl("--wait=hosts", "set", "port", "b", "sg=web")
    try:
        assert [a.tcp_connect(b.ip, port) for port in (8080, 8081)] == ["connected", "none"]
        assert c.tcp_connect(b.ip, 8080) == "none", "it is in another subnet"
        assert (a.ping(b.ip), b.ping(a.ip)) == ("none", "reply")
        expect_verify_clean(lab)
    finally:
        lab.ctl("--wait=hosts", "set", "port", "b", "sg=v,web")


def health(lab):
    return {r["name"]: r["health"] for r in lab.vnetd.rows("target")}


def test_a_balancer_shares_among_its_targets_and_leaves_out_a_dead_one(lab, vms):
    """c is a target and a client: it reaches itself, too."""
    a, b, c, _ = vms
    c.tcp = c.agent.call("start_tcp_echo", port=8080)
    lab.ctl.batch(["lb-add s front ip=10.0.1.100", "tg-add v pages tcp 8080 interval=0.5 timeout=0.4", "listener-add front tcp:80 pages",
                   "target-add pages b", "target-add pages c"])

    def healthy(*names):
        wait_until(lambda: {n for n, h in health(lab).items() if h == "healthy"} == {f"pages/{n}" for n in names}, 15, f"healthy are {names}")
        lab.ctl("--wait=hosts", "sync")

    def shares(client, first_port):
        before = [g.agent.call("look", number=g.tcp)["connections"] for g in (b, c)]
        with client.doing("crowd", ip="10.0.1.100", port=80, count=60, name=client.name, first_port=first_port) as crowd:
            assert crowd.look()["right"] == 60, crowd.look()
        return [g.agent.call("look", number=g.tcp)["connections"] - n for g, n in zip((b, c), before)]

    healthy("b", "c")
    for client in (a, c):
        assert min(shares(client, 20000)) > 10
    assert "10.0.1.100" in c.agent.call("look", number=c.tcp)["ips"], "by the balancer's address it sees itself"
    c.run("ip", "link", "set", "eth0", "down")
    healthy("b")
    assert shares(a, 21000) == [60, 0]
    c.run("ip", "link", "set", "eth0", "up")
    c.run("ip", "route", "replace", "default", "via", "10.0.2.1")
    healthy("b", "c")
    expect_verify_clean(lab)


def test_verify_and_restart_read_the_switch_back_rightly(lab, vms, seed):
    expect_verify_clean(lab)
    lab.vnetd.kill()
    tamper(lab["hv1"], random.Random(seed))
    lab.vnetd.start()
    lab.ready()
    assert {r["name"]: r["sent"] for r in lab.ctl.list("host")} == {"hv1": 3, "hv2": 0}
    expect_verify_clean(lab)


def test_flows_return_after_vswitchd_is_killed(lab, vms):
    lab["hv2"].kill_vswitchd()
    lab["hv2"].start_vswitchd()
    lab["hv2"].learn_tunnel_neighbours(lab.hosts.values())
    vms[0].reaches(vms[2].ip, 5)
    lab.ready()
    expect_verify_clean(lab)


def test_a_move_between_hosts_of_different_versions(lab, vms):
    lab.add_host("hv3", ovs_version="3.5")
    lab.ready()
    vms[0].move(lab["hv3"])
    vms[1].reaches(vms[0].ip, 3)
    assert set(reach_matrix(vms[:3]).values()) == {"reply"}
    expect_verify_clean(lab)
