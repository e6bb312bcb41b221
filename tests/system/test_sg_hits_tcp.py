"""Hits of rules that let in real TCP: every packet of a connection, of both directions, is counted once, by the rule that let the connection in; of
several that do the narrowest. What has passed is what both ends have seen arrive."""
import pytest

from lab import wait_until
from lab.lab import capturing
from lab.procs import LabError

LAB = {"hosts": 2}
PORT, OTHER, BACK = 7000, 7001, 7100
N_BYTES = 100_000
IP_TCP = b"\x08\x00"


@pytest.fixture(scope="module")
def net(lab):
    """Client c on hv1 is in group 'client', which is open both ways, so that only server s on hv2 counts."""
    lab.ctl.batch(["vpc-add v 10.0.0.0/16", "subnet-add v s 10.0.1.0/24", "sg-add v client", "sg-add v server", "sg-add v more",
                   "sg-rule-add client ingress all - 0.0.0.0/0", "port-add s c ip=10.0.1.10 sg=client", "port-add s s ip=10.0.1.20 sg=server,more"])
    guests = {g.name: g for g in lab.vms(["s:c@hv1", "s:s@hv2"], dhcp=None, add=False)}
    for port in (PORT, OTHER):
        guests["s"].agent.call("start_tcp_server", port=port)
    guests["c"].agent.call("start_tcp_server", port=BACK)
    return guests


@pytest.fixture
def rules(lab, net):
    """From wide to narrow, as sg.md orders them: by peer (a longer prefix, then a group), by protocol, by ports. Each is in the other group than its
    neighbours."""
    words = ["tcp - 0.0.0.0/0", "tcp 7000-7009 0.0.0.0/0", f"tcp {PORT} 0.0.0.0/0", "all - 10.0.0.0/16", "all - 10.0.1.0/24", f"tcp {PORT} 10.0.1.10/32",
             "all - sg:client", f"tcp {PORT} sg:client"]
    made = [lab.ctl("sg-rule-add", ("server", "more")[i % 2], "ingress", *w.split()).strip() for i, w in enumerate(words)]
    settle(lab)
    yield made
    left = {r["id"] for r in lab.vnetd.rows("sg-rule")}
    lab.ctl.batch([f"sg-rule-del {rule}" for rule in made if rule in left])
    settle(lab)


def settle(lab):
    lab.ctl("--wait=hosts", "sync")
    for host in lab.hosts.values():
        host.appctl("revalidator/wait")


def counts(lab):
    return {r["id"]: (r["packets"], r["bytes"]) for r in lab.vnetd.rows("sg-rule", columns="id,packets,bytes")}


def of_connections(frames, port):
    """(packets, bytes) of TCP from or to that port of the server's."""
    mine = [f for f in frames if f[12:14] == IP_TCP and f[23] == 6 and port.to_bytes(2, "big") in (f[34:36], f[36:38])]
    return len(mine), sum(map(len, mine))


def send(lab, client, server, port, between=lambda: None):
    """A transfer to its end, resets and all: what has arrived at either end, in packets and bytes."""
    with capturing([client, server]) as seen:
        assert client.tcp_send(server.ip, port, N_BYTES)["ok"]
        between()
        assert client.tcp_send(server.ip, port, N_BYTES)["ok"]
        wait_until(lambda: all("ESTAB" not in g.run("ss", "-tnH", f"( sport = :{port} or dport = :{port} )") for g in (client, server)), 5, "all is closed")
        for g in (client, server):
            wait_until(lambda g=g: not g.run("ss", "-tnH", "state", "fin-wait-1", "state", "fin-wait-2", "state", "last-ack", "state", "closing"), 5, "closed")
    parts = [of_connections(frames, port) for frames in seen.values()]
    assert all(n > 20 for n, _ in parts), f"both directions: {parts}"
    return tuple(map(sum, zip(*parts)))


def expect_grown(lab, before, rule, by):
    """That rule's counts, and no other's."""
    def grown():
        now = counts(lab)
        return {r: tuple(a - b for a, b in zip(now[r], before.get(r, (0, 0)))) for r in now if now[r] != before.get(r, (0, 0))}
    try:
        wait_until(lambda: grown() == {rule: by}, 10, "counted")
    except LabError as e:
        raise AssertionError(f"{e}: {grown()}, not {by} of {rule}; rules {lab.ctl('sg-rule-list', 'server')}{lab.ctl('sg-rule-list', 'more')}") from e


def test_of_all_rules_that_allow_a_connection_the_narrowest_counts_it_whole(lab, net, rules):
    while rules:
        before = counts(lab)
        expect_grown(lab, before, rules[-1], send(lab, net["c"], net["s"], PORT))
        lab.ctl("sg-rule-del", rules.pop())
        settle(lab)
    assert net["c"].tcp_connect(net["s"].ip, PORT, timeout=0.5) != "connected"


def test_what_a_narrower_rule_does_not_allow_a_wider_one_counts(lab, net, rules):
    before = counts(lab)
    expect_grown(lab, before, rules[6], send(lab, net["c"], net["s"], OTHER))


def test_a_connection_of_the_server_s_own_is_counted_by_what_let_it_out(lab, net):
    out = next(r["id"] for r in lab.vnetd.rows("sg-rule") if (r["sg"], r["direction"]) == ("server", "egress"))      # not that of the younger group
    before = counts(lab)
    expect_grown(lab, before, out, send(lab, net["s"], net["c"], BACK))


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_vnetd_away_between_and_during_connections_takes_nothing_away(lab, net, rules, signal):
    before = counts(lab)

    def restart():
        lab.vnetd.kill(signal)
        assert net["c"].tcp_connect(net["s"].ip, PORT, timeout=2) == "connected", "and one while it is away"
        lab.vnetd.start()
        lab.ready()
    expect_grown(lab, before, rules[-1], send(lab, net["c"], net["s"], PORT, restart))
