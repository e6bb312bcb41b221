"""Load balancers under load: true shares, clients that stay with their target, targets that die while all go on."""
import contextlib
import datetime
import re
import time

import pytest

from balancing import (BALANCER, FALL, INTERVAL, LAB as LAB_OF_THREE, PUBLIC, TCP, TIMEOUT, UDP, accepted, all_healthy, health, in_each_place, is_open,
                       look_at, make_network, places, serve, wait_for_more, wait_for_the_end)
from lab import wait_until
from lab.outside import CLIENT_IP
from support import expect_verify_clean

LAB = LAB_OF_THREE
WEIGHTS = (1, 2, 3)
FLOOD, RESETS = 400, 100
# Long connections have ports that no other test uses: a target that was only cut off knows them for longer than their clients (see lb.md).
SLOWER = "interval=1 timeout=0.5"        # than the others' checks, so that what a busy machine takes is little of it
WINDOW = 1 * FALL + 0.5


@pytest.fixture(scope="module")
def net(lab):
    return make_network(lab, WEIGHTS, drain=4)


@pytest.fixture(autouse=True)
def healthy(lab, net):
    """Whatever a test has changed it restores, also when it fails; the next one begins when all are healthy again."""
    all_healthy(lab)


@contextlib.contextmanager
def changed(lab, there, back):
    """Operations, and those that undo them."""
    lab.ctl.batch(there)
    lab.ctl("--wait=hosts", "sync")
    try:
        yield
    finally:
        lab.ctl.batch(back)
        lab.ctl("--wait=hosts", "sync")


@contextlib.contextmanager
def dead(guest):
    """Its link is down; up again, it has lost its route."""
    guest.run("ip", "link", "set", "eth0", "down")
    try:
        yield
    finally:
        guest.run("ip", "link", "set", "eth0", "up")
        guest.run("ip", "route", "replace", "default", "via", "10.0.1.1")


def wait_unhealthy(lab, target):
    wait_until(lambda: health(lab, target) == "unhealthy", 30, f"{target} is noticed")


def targets(net):
    return [net[f"w{i}"] for i in (1, 2, 3)]


def test_shares_are_as_the_weights(lab, net, tell):
    """3,000 connections from fixed ports: the same ones find the same targets each time."""
    before = [accepted(t) for t in targets(net)]
    for name in ("c", "d"):
        with net[name].doing("crowd", ip=BALANCER, port=TCP, count=1500, name=name, first_port=20000, timeout=60) as crowd:
            assert crowd.look()["right"] == 1500, crowd.look()
    counts = [accepted(t) - b for t, b in zip(targets(net), before)]
    tell(f"weights 1:2:3 gave {counts} connections")
    assert sum(counts) == 3000
    for weight, n in zip(WEIGHTS, counts):
        assert abs(n / (500 * weight) - 1) < 0.1, counts


def remembered(host, ports):
    """How many of these client ports a host's switch has connections to targets for."""
    sources = re.findall(r"^tcp,.*sport=(\d+),dport=80\),reply=", host.appctl("dpctl/dump-conntrack"), re.M)
    return len(ports & set(map(int, sources)))


@pytest.mark.parametrize("name", ["c", "d", "outside"])
def test_who_is_not_heard_at_once_asks_the_same_target_again(lab, net, name):
    """The second SYN is of a connection that is translated already, and that nobody has answered yet; so is the second datagram."""
    client, ip = (lab.outside, PUBLIC) if name == "outside" else (net[name], BALANCER)
    host, source = (lab["hv1"], CLIENT_IP) if name == "outside" else (client.host, client.ip)
    ports, udp = set(range(26000, 26030)), range(26100, 26112)
    for t in targets(net):
        t.run("ip", "route", "add", "blackhole", source + "/32")
    try:
        for port in udp:
            client.agent.call("udp_send", ip=ip, port=UDP, payload="00", source_port=port)
        crowd = client.agent.link()
        crowd.start("start_crowd", ip=ip, port=TCP, count=len(ports), name=name, first_port=min(ports), timeout=60)
        wait_until(lambda: remembered(host, ports) == len(ports), 20, "all have asked")
    finally:
        for t in targets(net):
            t.run("ip", "route", "del", "blackhole", source + "/32")
    result = client.agent.call("stop", number=crowd.collect())
    assert result["right"] == len(ports), result
    assert None not in [client.who_answers([ip], UDP, source_port=port)[0] for port in udp]


def chosen_by(net, client, ip):
    before = {t.name: accepted(t) for t in targets(net)}
    with client.doing("crowd", ip=ip, port=TCP, count=40, name=client.name) as crowd:
        assert crowd.look()["right"] == 40, crowd.look()
    return {t.name for t in targets(net) if accepted(t) > before[t.name]}


def test_affinity_keeps_a_client_on_its_target(lab, net):
    clients = [(net[n], BALANCER) for n in "cdef"] + [(lab.outside, PUBLIC), (lab.outside.far, PUBLIC)]
    with changed(lab, ["set lb lb affinity=source"], ["set lb lb affinity=none"]):
        chosen = [chosen_by(net, client, ip) for client, ip in clients]
        assert [len(c) for c in chosen] == [1] * len(clients), chosen
        assert [chosen_by(net, client, ip) for client, ip in clients] == chosen
    for client, ip in clients:          # the datapath's cache of what a source leads to goes a moment after the flows
        wait_until(lambda c=client, i=ip: len(chosen_by(net, c, i)) == 3, 20, f"{client.name} finds all targets again")


def noticed_at(lab, target):
    """When its health became what it is, by the clock that all of a machine share."""
    word = next(r["changes"] for r in lab.vnetd.rows("target", columns="name,changes") if r["name"] == target)[0].split()[0]
    return datetime.datetime.fromisoformat(word.replace("Z", "+00:00")).timestamp() - time.time() + time.monotonic()


def test_a_target_killed_under_load_fails_only_until_it_is_noticed(lab, net, tell):
    """That is within interval x fall + timeout, and a tenth of that for all else. Once the switches know, no connection begins at the dead one any more."""
    with (changed(lab, [f"set tg tcp {SLOWER}"], [f"set tg tcp interval={INTERVAL} timeout={TIMEOUT}"]),
          in_each_place(lab, net, "requests", workers=6, pause_ms=100, timeout=2) as load):
        wait_for_more(load)
        killed_at = time.monotonic()
        with dead(net["w3"]):
            wait_unhealthy(lab, "tcp/w3")
            noticed = noticed_at(lab, "tcp/w3") - killed_at
            lab.ctl("--wait=hosts", "sync")
            for host in lab.hosts.values():
                host.appctl("revalidator/wait")
            known = time.monotonic() - killed_at
            wait_for_more(load)
            results = [a.stop() for a in load]
    late = [[at - killed_at for at, _ in r["failures"]] for r in results]
    assert all(late), "each place has had its share of the dead one"
    first, last = min(map(min, late)), max(map(max, late))
    tell(f"a target that died failed {sum(map(len, late))} of {sum(r['done'] for r in results)} requests; it was noticed after {noticed:.2f} s, "
         f"{noticed / WINDOW:.2f} of the {WINDOW:.1f} s within which it is to be; the last of them began after {last:.2f} s")
    assert noticed < 1.1 * WINDOW
    assert -0.3 < first and last < min(known, 1.1 * WINDOW), (known, late)


def test_a_dead_target_s_connections_are_reset_and_the_others_stay(lab, net):
    """TCP itself would try for a quarter of an hour."""
    with in_each_place(lab, net, "crew", count=15, interval=0.3, first_port=30000) as crews:
        wait_until(lambda: all(r["fewest_answers"] > 1 for r in look_at(crews)), 60, "all have talked")
        with dead(net["w3"]):
            wait_unhealthy(lab, "tcp/w3")
            wait_for_the_end(crews)
            results = [a.stop() for a in crews]
    for r in results:
        assert {why.split(": ")[1] for why in r["lost"]} == {"Connection reset by peer"}, r
        assert r["alive"] + len(r["lost"]) == 15


def test_resets_are_metered(lab, net, tell):
    """All connections are the dead one's, and none gets its reset before its turn: a client on one host is told of RESETS a second, after as many at once."""
    client = net["c"]
    with contextlib.ExitStack() as stack:
        with changed(lab, ["set target tcp/w1 weight=0", "set target tcp/w2 weight=0"], ["set target tcp/w1 weight=1", "set target tcp/w2 weight=2"]):
            lab["hv1"].appctl("revalidator/wait")
            crew = stack.enter_context(client.doing("crew", ip=BALANCER, port=TCP, count=FLOOD, interval=0.3, first_port=32000))
            wait_until(lambda: crew.look()["fewest_answers"] > 1, 60, "all have talked")
        assert crew.look()["lost"] == []
        capture = stack.enter_context(client.doing("capture", device="eth0"))
        stack.enter_context(dead(net["w3"]))
        begin = time.monotonic()
        while health(lab, "tcp/w3") != "unhealthy":
            begin = time.monotonic()
        seen = []
        wait_until(lambda: seen.append((len(crew.look()["lost"]), time.monotonic() - begin)) or seen[-1][0] == FLOOD, 60, "each is told in the end")
        crew.stop()
        n_resets = sum(is_reset(bytes.fromhex(f)) for f in capture.stop())
    taken = seen[-1][1]
    tell(f"{FLOOD} connections were told by {n_resets} resets in {taken:.1f} s")
    assert [(n, t) for n, t in seen if n > RESETS + RESETS * t] == []
    assert FLOOD <= n_resets <= RESETS + RESETS * taken


def is_reset(frame):
    return frame[12:14] == b"\x08\x00" and frame[23] == 6 and frame[47] & 4 != 0


def wait_ended(guests, before):
    """No more connections than then, when a health check's may have been among them. A SYN may overtake a reset in a switch."""
    wait_until(lambda: all(is_open(g) <= n for g, n in zip(guests, before)), 20, "the others have ended")


def place(lab, net, name):
    return (lab.outside, PUBLIC) if name == "outside" else (net[name], BALANCER)


@pytest.mark.parametrize("name", ["c", "d", "outside"])
def test_a_port_whose_connection_was_reset_is_free_again(lab, net, name):
    """Conntrack has learnt of the end, too: a connection from the same port is a new one."""
    client, ip = place(lab, net, name)
    again = {"ip": ip, "port": TCP, "count": 12, "first_port": {"c": 22000, "d": 23000, "outside": 24000}[name]}
    others = [net["w1"], net["w3"]]
    before = [is_open(g) for g in others]
    with contextlib.ExitStack() as stack:
        with client.doing("crew", interval=0.2, **again) as crew:
            stack.enter_context(dead(net["w2"]))
            wait_for_the_end([crew])
        wait_ended(others, before)
        with client.doing("crowd", name=name, timeout=60, **again) as crowd:
            assert crowd.look()["right"] == 12, crowd.look()


@pytest.mark.parametrize("name", ["c", "d", "outside"])
def test_a_target_that_started_anew_has_no_connections(lab, net, name):
    """Nor has its switch: a connection from a port that it knew is a new one. Its groups let in what is valid only."""
    client, ip = place(lab, net, name)
    again = {"ip": ip, "port": TCP, "count": 12, "first_port": {"c": 27000, "d": 28000, "outside": 29000}[name]}
    others, old = [net["w1"], net["w2"]], net["w3"]
    before = [is_open(g) for g in others]
    try:
        with client.doing("crew", interval=0.2, **again) as crew:
            old.host.remove_guest(old)
            wait_for_the_end([crew])
        wait_ended(others, before)
    finally:
        net["w3"] = serve(lab.vms([f"s:w3@{old.host.name}"], add=False)[0])
    all_healthy(lab)
    with client.doing("crowd", name=name, timeout=60, **again) as crowd:
        assert crowd.look()["right"] == 12, crowd.look()
    assert accepted(net["w3"])


def test_an_attempt_that_a_dying_target_left_unanswered_is_refused(lab, net):
    """When its first segment comes again, a second after the first; to conntrack that is a new connection still."""
    with dead(net["w3"]), in_each_place(lab, net, "requests", workers=12, pause_ms=100, timeout=20) as load:
        wait_unhealthy(lab, "tcp/w3")
        wait_until(lambda: all(r["failures"] for r in look_at(load)), 60, "attempts end in each place")
        results = [a.stop() for a in load]
    assert {why.split(" (")[0] for r in results for _, why in r["failures"]} == {"connect: Connection refused"}, results


@contextlib.contextmanager
def one_way_group(lab):
    """Of datagrams to w1 that are not answered."""
    lab.ctl.batch(["sg-rule-add web ingress udp 5454 0.0.0.0/0", "tg-add v one-way udp 5454 check=none drain=0", "target-add one-way w1",
                   "listener-add lb udp:54 one-way"])
    lab.ctl("--wait=hosts", "sync")
    try:
        yield next(r["name"] for r in lab.vnetd.rows("listener") if r["tg"] == "one-way")
    finally:
        lab.ctl("listener-del", "lb", "udp:54")


def test_datagrams_that_nobody_answers_stay_with_their_target(lab, net):
    """They too are new connections to conntrack, all of them. Another target comes, of five times the weight."""
    with one_way_group(lab) as listener, contextlib.ExitStack() as stack:
        sinks = [stack.enter_context(net[n].doing("sink", port=5454)) for n in ("w1", "w2")]
        sources = [stack.enter_context(client.doing("source", ip=ip, port=54, interval_ms=10)) for client, ip in places(lab, net) for _ in range(4)]

        def heard():
            return [sink.look()["received"] for sink in sinks]

        wait_until(lambda: heard()[0] > 200, 30, "they are heard")
        lab.ctl("--wait=hosts", "target-add", "one-way", "w2", "weight=5")
        mark = heard()[0]
        wait_until(lambda: heard()[0] > mark + 500, 60, "they go on")
        sent = sum(source.stop()["sent"] for source in sources)
        wait_until(lambda: sent - heard()[0] < 10, 20, f"all {sent} are heard")
        assert heard()[1] == 0
        wait_until(lambda: lab.ctl.get("listener", listener, "connections") == str(len(sources)), 20, "each is counted as one")


def who(client, ip):
    """Who answers each of 12 sources."""
    return {port: client.who_answers([ip], UDP, source_port=port, timeout=1.5, tries=5)[0] for port in range(31000, 31012)}


def test_udp_of_a_dead_target_moves_and_no_other(lab, net):
    before = [who(client, ip) for client, ip in places(lab, net)]
    assert all(set(b.values()) == {"w1", "w2", "w3"} for b in before), before
    with dead(net["w2"]):
        wait_unhealthy(lab, "udp/w2")
        lab.ctl("--wait=hosts", "sync")
        after = [wait_until(lambda c=client, i=ip: (lambda a: a if None not in a.values() else None)(who(c, i)), 20, "all are answered")
                 for client, ip in places(lab, net)]
    for b, a in zip(before, after):
        assert set(a.values()) <= {"w1", "w3"}, a
        assert [p for p in a if b[p] != "w2" and a[p] != b[p]] == []
    all_healthy(lab)
    expect_verify_clean(lab)
