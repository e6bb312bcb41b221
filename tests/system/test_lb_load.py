"""Load balancers under load: true shares, clients that stay with their target, targets that die while all go on."""
import re
import time

import pytest

from balancing import (BALANCER, FALL, INTERVAL, LAB as LAB_OF_THREE, PUBLIC, TCP, TIMEOUT, UDP, accepted, all_healthy, end_of, health, in_each_place, is_open,
                       look_at, make_network, places, serve, wait_for_more)
from lab import wait_until
from lab.outside import CLIENT_IP
from support import expect_verify_clean

LAB = LAB_OF_THREE
WEIGHTS = (1, 2, 3)
FLOOD, RESETS = 400, 100
SLOWER = "interval=1 timeout=0.5"        # than the others' checks, so that what a busy machine takes is little of it
WINDOW = 1 * FALL + 0.5


@pytest.fixture(scope="module")
def net(lab):
    return make_network(lab, WEIGHTS, drain=4)


def targets(net):
    return [net[f"w{i}"] for i in (1, 2, 3)]


def test_shares_are_as_the_weights(lab, net, tell):
    """3,000 connections from fixed ports: the same ones find the same targets each time."""
    before = [accepted(t) for t in targets(net)]
    for name in ("c", "d"):
        with net[name].doing("crowd", ip=BALANCER, port=TCP, count=1500, name=name, first_port=20000) as crowd:
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
        crowd.start("start_crowd", ip=ip, port=TCP, count=len(ports), name=name, first_port=min(ports))
        wait_until(lambda: remembered(host, ports) == len(ports), 5, "all have asked")
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
    lab.ctl("--wait=hosts", "set", "lb", "lb", "affinity=source")
    chosen = [chosen_by(net, client, ip) for client, ip in clients]
    assert [len(c) for c in chosen] == [1] * len(clients), chosen
    assert [chosen_by(net, client, ip) for client, ip in clients] == chosen
    lab.ctl("--wait=hosts", "set", "lb", "lb", "affinity=none")
    for client, ip in clients:          # the datapath's cache of what a source leads to goes a moment after the flows
        wait_until(lambda c=client, i=ip: len(chosen_by(net, c, i)) == 3, 3, f"{client.name} finds all targets again")


def die(guest):
    guest.run("ip", "link", "set", "eth0", "down")


def revive(guest):
    """With the link its route went."""
    guest.run("ip", "link", "set", "eth0", "up")
    guest.run("ip", "route", "replace", "default", "via", "10.0.1.1")


def test_a_target_killed_under_load_fails_only_until_it_is_noticed(lab, net, tell):
    """Within interval x fall + timeout, and a tenth of that for all else."""
    lab.ctl.batch([f"set tg tcp {SLOWER}"])
    load = in_each_place(lab, net, "requests", workers=6, pause_ms=100, timeout=2)
    wait_for_more(lab, net, load)
    killed_at = time.monotonic()
    die(net["w3"])
    wait_until(lambda: health(lab, "tcp/w3") == "unhealthy", 10, "it is noticed")
    wait_for_more(lab, net, load)
    results = end_of(lab, net, load)
    revive(net["w3"])
    lab.ctl.batch([f"set tg tcp interval={INTERVAL} timeout={TIMEOUT}"])
    late = [sorted(at - killed_at for at, _ in r["failures"]) for r in results]
    last = max(map(max, late))
    tell(f"a target that died failed {sum(map(len, late))} of {sum(r['done'] for r in results)} requests; the last began {last:.2f} s after its death, "
         f"{last / WINDOW:.2f} of the {WINDOW:.1f} s within which it is to be noticed")
    assert all(late), "each place has had its share of the dead one"
    assert min(map(min, late)) > -0.3 and last < 1.1 * WINDOW, late
    all_healthy(lab)


def test_a_dead_target_s_connections_are_reset_and_the_others_stay(lab, net):
    load = in_each_place(lab, net, "crew", count=15, interval=0.3)
    wait_until(lambda: all(r["fewest_answers"] > 1 for r in look_at(lab, net, load)), 10, "all have talked")
    die(net["w3"])
    wait_until(lambda: health(lab, "tcp/w3") == "unhealthy", 5, "it is noticed")
    noticed_at = time.monotonic()
    wait_until(lambda: all(r["lost"] and not r["waiting"] for r in look_at(lab, net, load)), 10, "the dead one's connections have ended")
    assert time.monotonic() - noticed_at < 5, "TCP itself would try for minutes"
    results = end_of(lab, net, load)
    revive(net["w3"])
    for r in results:
        assert {why.split(": ")[1] for why in r["lost"]} == {"Connection reset by peer"}, r
        assert r["alive"] + len(r["lost"]) == 15
    all_healthy(lab)


def test_resets_are_metered(lab, net, tell):
    """All connections are the dead one's, and none gets its reset before its turn: a client on one host is told of RESETS a second, after as many at once."""
    lab.ctl.batch(["set target tcp/w1 weight=0", "set target tcp/w2 weight=0"])
    lab.ctl("--wait=hosts", "sync")
    lab["hv1"].appctl("revalidator/wait")
    crew = net["c"].agent.call("start_crew", ip=BALANCER, port=TCP, count=FLOOD, interval=0.3)

    def look():
        return net["c"].agent.call("look", number=crew)

    wait_until(lambda: look()["fewest_answers"] > 1, 10, "all have talked")
    lab.ctl.batch(["set target tcp/w1 weight=1", "set target tcp/w2 weight=2"])
    lab.ctl("--wait=hosts", "sync")
    capture = net["c"].agent.call("start_capture", device="eth0")
    die(net["w3"])
    begin = time.monotonic()
    while health(lab, "tcp/w3") != "unhealthy":
        begin = time.monotonic()
    seen = []
    try:
        wait_until(lambda: seen.append((len(look()["lost"]), time.monotonic() - begin)) or seen[-1][0] == FLOOD, 20, "each is told in the end")
    finally:
        net["c"].agent.call("stop", number=crew)
        frames = net["c"].agent.call("stop", number=capture)
        revive(net["w3"])
    taken = seen[-1][1]
    n_resets = sum(is_reset(bytes.fromhex(f)) for f in frames)
    tell(f"{FLOOD} connections were told by {n_resets} resets in {taken:.1f} s")
    assert [(n, t) for n, t in seen if n > RESETS + RESETS * t] == []
    assert FLOOD <= n_resets <= RESETS + RESETS * taken
    all_healthy(lab)


def is_reset(frame):
    return frame[12:14] == b"\x08\x00" and frame[23] == 6 and frame[47] & 4 != 0


def wait_ended(guests, before):
    """No more connections than then, when a health check's may have been among them. A SYN may overtake a reset in a switch."""
    wait_until(lambda: all(is_open(g) <= n for g, n in zip(guests, before)), 5, "the others have ended")


@pytest.mark.parametrize("name", ["c", "d", "outside"])
def test_a_port_whose_connection_was_reset_is_free_again(lab, net, name):
    """Conntrack has learnt of the end, too: a connection from the same port is a new one."""
    client, ip = (lab.outside, PUBLIC) if name == "outside" else (net[name], BALANCER)
    again = {"ip": ip, "port": TCP, "count": 12, "first_port": {"c": 22000, "d": 23000, "outside": 24000}[name]}
    try:
        others = [net["w1"], net["w3"]]
        before = [is_open(g) for g in others]
        with client.doing("crew", interval=0.2, **again) as crew:
            die(net["w2"])
            wait_until(lambda: crew.look()["lost"] and not crew.look()["waiting"], 10, "the dead one's connections have ended")
        wait_ended(others, before)
        with client.doing("crowd", name=name, **again) as crowd:
            assert crowd.look()["right"] == 12, crowd.look()
    finally:
        revive(net["w2"])
        all_healthy(lab)


@pytest.mark.parametrize("name", ["c", "d", "outside"])
def test_a_target_that_started_anew_has_no_connections(lab, net, name):
    """Nor has its switch: a connection from a port that it knew is a new one. Its groups let in what is valid only."""
    client, ip = (lab.outside, PUBLIC) if name == "outside" else (net[name], BALANCER)
    again = {"ip": ip, "port": TCP, "count": 12, "first_port": {"c": 27000, "d": 28000, "outside": 29000}[name]}
    others, old = [net["w1"], net["w2"]], net["w3"]
    before = [is_open(g) for g in others]
    with client.doing("crew", interval=0.2, **again) as crew:
        old.host.remove_guest(old)
        wait_until(lambda: crew.look()["lost"] and not crew.look()["waiting"], 10, "the dead one's connections have ended")
    wait_ended(others, before)
    net["w3"] = serve(lab.vms([f"s:w3@{old.host.name}"], add=False)[0])
    all_healthy(lab)
    with client.doing("crowd", name=name, **again) as crowd:
        assert crowd.look()["right"] == 12, crowd.look()
    assert accepted(net["w3"])


def test_an_attempt_that_a_dying_target_left_unanswered_is_refused(lab, net):
    """When its first segment comes again, a second after the first; to conntrack that is a new connection still."""
    die(net["w3"])
    load = in_each_place(lab, net, "requests", workers=12, pause_ms=100, timeout=8)
    wait_until(lambda: health(lab, "tcp/w3") == "unhealthy", 5, "it is noticed")
    wait_until(lambda: all(r["failures"] for r in look_at(lab, net, load)), 10, "attempts end in each place")
    results = end_of(lab, net, load)
    revive(net["w3"])
    assert {why.split(" (")[0] for r in results for _, why in r["failures"]} == {"connect: Connection refused"}, results
    all_healthy(lab)


def test_datagrams_that_nobody_answers_stay_with_their_target(lab, net):
    """They too are new connections to conntrack, all of them. Another target comes, of five times the weight."""
    lab.ctl.batch(["sg-rule-add web ingress udp 5454 0.0.0.0/0", "tg-add v one-way udp 5454 check=none drain=0", "target-add one-way w1",
                   "listener-add lb udp:54 one-way"])
    lab.ctl("--wait=hosts", "sync")
    sinks = [(net[n], net[n].agent.call("start_sink", port=5454)) for n in ("w1", "w2")]
    sources = [(client, client.agent.call("start_source", ip=ip, port=54, interval_ms=10)) for client, ip in places(lab, net) for _ in range(4)]

    def heard():
        return [guest.agent.call("look", number=n)["received"] for guest, n in sinks]

    wait_until(lambda: heard()[0] > 200, 10, "they are heard")
    lab.ctl("--wait=hosts", "target-add", "one-way", "w2", "weight=5")
    mark = heard()[0]
    wait_until(lambda: heard()[0] > mark + 500, 10, "they go on")
    sent = sum(client.agent.call("stop", number=n)["sent"] for client, n in sources)
    wait_until(lambda: sent - heard()[0] < 10, 3, f"all {sent} are heard")
    assert heard()[1] == 0
    listener = next(r for r in lab.vnetd.rows("listener") if r["tg"] == "one-way")
    wait_until(lambda: lab.ctl.get("listener", listener["name"], "connections") == str(len(sources)), 5, "each is counted as one")
    for guest, n in sinks:
        guest.agent.call("stop", number=n)
    lab.ctl("listener-del", "lb", "udp:54")


def who(client, ip):
    """Who answers each of 12 sources."""
    return {port: client.who_answers([ip], UDP, source_port=port, timeout=1.5, tries=5)[0] for port in range(31000, 31012)}


def test_udp_of_a_dead_target_moves_and_no_other(lab, net):
    before = [who(client, ip) for client, ip in places(lab, net)]
    assert all(set(b.values()) == {"w1", "w2", "w3"} for b in before), before
    die(net["w2"])
    wait_until(lambda: health(lab, "udp/w2") == "unhealthy", 5, "it is noticed")
    lab.ctl("--wait=hosts", "sync")
    after = [wait_until(lambda c=client, i=ip: (lambda a: a if None not in a.values() else None)(who(c, i)), 2, "all are answered")
             for client, ip in places(lab, net)]
    revive(net["w2"])
    for b, a in zip(before, after):
        assert set(a.values()) <= {"w1", "w3"}, a
        assert [p for p in a if b[p] != "w2" and a[p] != b[p]] == []
    all_healthy(lab)
    expect_verify_clean(lab)
