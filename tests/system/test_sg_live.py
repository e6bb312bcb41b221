"""Connections that live while security groups change: those still allowed go on, those that lost their permission end within a second, whoever
of the two is talking; what happens to those whose entry is gone; and what tracking costs where it is not needed."""
import re

import pytest

from lab import wait_until
from oneway import TALK_MS, Streams
from packets import checksum, ethernet, ipv4
from support import SwitchControl, clear_network, expect_verify_clean

LAB = {"hosts": 2}
TCP, UDP = 7000, {"red": 7001, "blue": 7002}


class Net(Streams):
    """Clients red (hv1) and blue (hv2), each in its group; server in group srv (hv2), whose rules let both in, one by one. Egress is open,
    as new groups have it. The server's TCP talks without end and its clients say nothing; UDP goes from the clients only."""

    def __init__(self, lab):
        super().__init__()
        self.lab = lab
        lab.ctl.batch(["vpc-add v 10.0.0.0/16", "subnet-add v s 10.0.1.0/24", "subnet-add v t 10.0.2.0/24"]
                      + [f"sg-add v {g}" for g in ("red", "blue", "srv", "other", "mute")]
                      + ["port-add s red sg=red", "port-add t blue sg=blue", "port-add s server sg=srv", "port-add s bare sg=none",
                         "port-add t bare2 sg=none"])
        self.rule = {}
        for client in ("red", "blue"):
            self.allow("tcp", TCP, client)
            self.allow("udp", UDP[client], client)
        for rule in [r for r in lab.vnetd.rows("sg-rule") if r["sg"] == "mute"]:
            lab.ctl("sg-rule-del", rule["id"])
        guests = lab.vms(["s:red@hv1", "t:blue@hv2", "s:server@hv2", "s:bare@hv1", "t:bare2@hv2"], dhcp=None, add=False)
        self.guests = {g.name: g for g in guests}
        self.server = self.guests["server"]
        self.server.agent.call("start_talker", port=TCP, interval_ms=TALK_MS)

    def allow(self, proto, port, client):
        self.rule[proto, client] = self.lab.ctl("sg-rule-add", "srv", "ingress", proto, str(port), f"sg:{client}").strip()

    def forbid(self, proto, client):
        self.lab.ctl("sg-rule-del", self.rule[proto, client])

    def groups(self, port, text):
        self.lab.ctl("set", "port", port, f"sg={text}")

    # -- streams --

    def begin(self, word_ms=0):
        """All four, alive."""
        for name in ("red", "blue"):
            client = self.guests[name]
            self.hear(("tcp", name), client, self.server.ip, TCP, word_ms=word_ms)
            self.send(("udp", name), client, self.server.ip, UDP[name], self.server)
        self.go_on("red", "blue")

    def go_on(self, *clients, protos=("tcp", "udp"), seconds=10):
        self.expect_heard([(p, c) for p in protos for c in clients], seconds)

    def undisturbed(self, *clients):
        self.expect_undisturbed([(p, c) for p in ("tcp", "udp") for c in clients])

    def die(self, clients, change, protos=("tcp", "udp")):
        """All of 'clients' (words) in the same second."""
        self.expect_cut([(p, c) for p in protos for c in clients.split()], change)


@pytest.fixture(scope="module")
def net(lab):
    clear_network(lab)
    return Net(lab)


@pytest.fixture
def streams(net):
    net.begin()
    yield net
    net.end()


# -- what is still allowed --

def test_rules_that_come_and_go_disturb_nobody_whom_another_still_allows(lab, streams):
    net = streams
    wide = [lab.ctl("sg-rule-add", "srv", "ingress", proto, "7000-7009", "10.0.0.0/16").strip() for proto in ("tcp", "udp")]
    for proto in ("tcp", "udp"):
        net.forbid(proto, "red")
    net.go_on("red", "blue")
    net.groups("server", "srv,other")
    net.go_on("red", "blue")
    net.groups("red", "other")
    net.go_on("red", "blue")
    net.groups("red", "blue,red")
    net.groups("server", "srv")
    for proto, port in (("tcp", TCP), ("udp", UDP["red"])):
        net.allow(proto, port, "red")
    for rule in wide:
        lab.ctl("sg-rule-del", rule)
    net.groups("red", "red")
    net.undisturbed("red", "blue")
    sent = {c: net.streams["source", ("udp", c)] for c in ("red", "blue")}
    for client, (agent, number) in sent.items():
        total, came = agent.call("look", number=number)["sent"], net.look(("udp", client))["received"]
        assert total - came <= 20, f"{client}: {total} datagrams sent, {came} came"       # some are on their way


def test_vnetd_killed_and_started_again_disturbs_nobody(lab, streams):
    net = streams
    for _ in range(2):
        lab.vnetd.kill("KILL")
        net.go_on("red", "blue")
        lab.vnetd.start()
        lab.ready()
    net.undisturbed("red", "blue")
    expect_verify_clean(lab)


# -- what is not --

def test_a_rule_withdrawn_ends_what_it_allowed_and_nothing_else(lab, streams):
    net = streams

    def both():
        net.forbid("tcp", "red")
        net.forbid("udp", "red")
    net.die("red", both)
    net.undisturbed("blue")
    net.allow("tcp", TCP, "red")
    net.allow("udp", UDP["red"], "red")
    net.go_on("red")                     # it was cut, not closed


def test_of_two_protocols_only_that_one_ends(lab, streams):
    net = streams
    net.die("red", lambda: net.forbid("tcp", "red"), protos=("tcp",))
    net.go_on("red", protos=("udp",))
    net.undisturbed("blue")
    net.allow("tcp", TCP, "red")


@pytest.mark.parametrize("groups", ["other", "blue,other"])
def test_a_client_that_leaves_its_group_is_cut(lab, streams, groups):
    net = streams
    protos = ("tcp", "udp") if groups == "other" else ("udp",)       # blue may connect by TCP too
    net.die("red", lambda: net.groups("red", groups), protos=protos)
    net.undisturbed("blue")
    if "tcp" not in protos:
        net.go_on("red", protos=("tcp",))
    net.groups("red", "red")
    net.go_on("red")


def test_a_server_that_leaves_its_group_is_cut_from_all(lab, streams):
    net = streams
    net.die("red blue", lambda: net.groups("server", "other"))
    net.groups("server", "srv")
    net.go_on("red", "blue", seconds=20)


def test_a_client_that_may_no_longer_send_is_cut(lab, streams):
    net = streams
    net.die("red", lambda: net.groups("red", "mute"))
    net.undisturbed("blue")
    net.groups("red", "red")
    net.go_on("red")


def test_vnetd_killed_right_after_a_rule_went_has_cut_it_when_it_is_back(lab, streams):
    net = streams

    def change():
        net.forbid("udp", "red")
        lab.vnetd.kill("KILL")
        lab.vnetd.start()
        lab.ready()
    net.die("red", change, protos=("udp",))
    net.undisturbed("blue")
    net.allow("udp", UDP["red"], "red")
    net.go_on("red")


def test_what_no_rule_allows_is_counted_as_a_drop_of_the_port(lab, net):
    def drops():
        return next(r for r in lab.vnetd.rows("port") if r["name"] == "red")["drops"]["sg"]

    before, bare = drops(), net.guests["bare"]
    for _ in range(3):
        assert bare.ping(net.guests["red"].ip, timeout=0.3) == "none"
    wait_until(lambda: drops() >= before + 3, 5, "drops")


# -- an entry that is gone --

def lose_by_a_move(lab, net):
    net.server.move(lab["hv1" if net.server.host.name == "hv2" else "hv2"])


def lose_by_a_restart(lab, net):
    host = net.server.host
    host.kill_vswitchd()
    host.start_vswitchd()
    for h in lab.hosts.values():
        h.learn_tunnel_neighbours(lab.hosts.values())
    lab.ready()


LOSSES = [lose_by_a_move, lose_by_a_restart]


@pytest.mark.parametrize("lose", LOSSES)
def test_connections_whose_entry_is_gone_go_on_if_the_rules_allow(lab, streams, lose):
    """The server's next segment makes a connection of the server's, which open egress allows, and the client's own entry knows it; datagrams
    make their own again. Blue may have lost its entry, too: then the server's segment is a connection to blue, which blue does not allow, and
    it is blue that has to say something."""
    net = streams
    if net.server.host.name != "hv2":
        net.server.move(lab["hv2"])
        net.go_on("red", "blue", seconds=20)
    blue = net.guests["blue"].agent
    net.streams["tcp", "speaker"] = (blue, blue.call("start_hearer", ip=net.server.ip, port=TCP, timeout=2, word_ms=200))
    lose(lab, net)
    net.go_on("red", "speaker", protos=("tcp",), seconds=20)
    net.go_on("red", "blue", protos=("udp",))
    if lose == lose_by_a_move:
        net.go_on("blue", protos=("tcp",), seconds=20)
    else:
        wait_until(lambda: net.look(("tcp", "blue"))["silent_ms"] > 500, 5, "its client has said nothing")
    lab.ready()
    expect_verify_clean(lab)


@pytest.mark.parametrize("lose", LOSSES)
def test_a_server_that_may_not_begin_waits_for_its_client(lab, net, lose):
    """Its egress is closed. A client that says nothing hears nothing; one that says a word is heard, and answered."""
    egress = [r for r in lab.vnetd.rows("sg-rule") if r["sg"] == "srv" and r["direction"] == "egress"]
    for rule in egress:
        lab.ctl("sg-rule-del", rule["id"])
    net.begin()
    speaker = net.guests["red"].agent.call("start_hearer", ip=net.server.ip, port=TCP, timeout=2, word_ms=200)
    net.streams["tcp", "speaker"] = (net.guests["red"].agent, speaker)
    net.go_on("speaker", protos=("tcp",))
    lose(lab, net)
    net.go_on("speaker", protos=("tcp",), seconds=20)
    net.go_on("red", "blue", protos=("udp",), seconds=20)
    wait_until(lambda: net.look(("tcp", "blue"))["silent_ms"] > 500, 5, "nothing has been said that could begin it again")
    net.die("speaker", lambda: net.forbid("tcp", "red"), protos=("tcp",))
    net.allow("tcp", TCP, "red")
    lab.ctl("sg-rule-add", "srv", "egress", "all", "-", "0.0.0.0/0")
    net.go_on("speaker", protos=("tcp",), seconds=20)
    net.end()


def sent_by(guest):
    """Its agent may be busy: seen from its host, where the counter begins anew with each stay."""
    return int(guest.host.run("cat", f"/sys/class/net/{guest.tap}/statistics/rx_bytes"))


def test_a_transfer_goes_on_when_its_guest_comes_back_to_a_host_that_it_left(lab, net):
    """What that host knew of the connection is long past: to conntrack all that has come since is out of its window."""
    red, bare = net.guests["red"], net.guests["bare"]
    home, away = red.host, lab["hv2" if red.host.name == "hv1" else "hv1"]
    with bare.doing("tcp_server", port=7900):
        transfer = red.agent.link()
        n = sent_by(red)
        transfer.start("tcp_send", ip=bare.ip, port=7900, n_bytes=200_000_000)
        for host in (away, home):
            wait_until(lambda m=n + 30_000_000: sent_by(red) > m, 20, "it is under way")
            red.move(host)
            n = sent_by(red)
        result = transfer.collect()
    assert result["ok"], result


def tcp_segment(source, destination, flags):
    """From TCP to a port that no other test has."""
    head = TCP.to_bytes(2, "big") + (20000 + flags).to_bytes(2, "big") + bytes([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0])
    pseudo = bytes(map(int, f"{source}.{destination}".split("."))) + bytes([0, 6, 0, 20])
    return ipv4(source, destination, 6, head[:16] + checksum(pseudo + head).to_bytes(2, "big") + head[18:])


@pytest.mark.parametrize("name, flags, passes", [("SYN", 0x02, True), ("SYN and ACK", 0x12, False), ("ACK", 0x10, True)])
def test_what_may_begin_a_connection(lab, net, name, flags, passes):
    """From a port that may send anything, to one that takes anything."""
    server, bare = net.server, net.guests["bare"]
    capture = bare.agent.call("start_capture", device="eth0")
    server.send_frames(ethernet(server.mac, bare.mac, 0x0800, tcp_segment(server.ip, bare.ip, flags)),
                       ethernet(server.mac, bare.mac, 0x0800, ipv4(server.ip, bare.ip, 253, b"the last")))
    wait_until(lambda: any(b"the last" in bytes.fromhex(f) for f in bare.agent.call("look", number=capture)), 5, "the last one came")
    frames = [bytes.fromhex(f) for f in bare.agent.call("stop", number=capture)]
    assert any(f[12:14] == b"\x08\x00" and f[23] == 6 and f[34:36] == TCP.to_bytes(2, "big") and f[47] == flags for f in frames) == passes, name


# -- what it costs --

def datapath_depth(host, guests):
    """The most conntrack passes and recirculations that a packet to one of these takes through a host, by the flows that its datapath has."""
    by_id = {}
    control = SwitchControl(host)
    for number, match, actions in re.findall(r"^recirc_id\((\w+)\)(.*)actions:(.*)$", control.ask("dpctl/dump-flows"), re.M):
        if number != "0" or any(f"dst={g.mac}" in match for g in guests):
            by_id.setdefault(number, []).append(actions)
    control.close()
    assert by_id.get("0"), "no flow of theirs"

    def deepest(number):
        most = (0, 0)
        for actions in by_id.get(number, []):
            below = [deepest(target) for target in re.findall(r"recirc\((\w+)\)", actions)]
            n_ct, n_recirc = max(below, default=(0, -1))
            most = max(most, (n_ct + len(re.findall(r"\bct\((?!commit)", actions)), n_recirc + 1))
        return most
    return deepest("0")


def depth_of_ping(client, server):
    """{host: depth} while one pings the other in its subnet, and nobody else sends to either."""
    client.reaches(server.ip)
    hosts = {client.host, server.host}
    for host in hosts:
        host.appctl("revalidator/purge")
    with client.doing("ping", ip=server.ip, interval_ms=5) as stream:
        wait_until(lambda: stream.look()["received"] > 20, 5, "pings")
        return {h.name: datapath_depth(h, (client, server)) for h in hosts}


def test_one_pass_for_each_side_that_filters_and_none_for_others(lab, net):
    for r in [r for r in lab.vnetd.rows("sg-rule") if r["sg"] == "other"]:
        lab.ctl("sg-rule-del", r["id"])
    lab.ctl.batch([*(f"sg-rule-add other {way} all - 0.0.0.0/0" for way in ("ingress", "egress")), "sg-rule-add srv ingress icmp - 0.0.0.0/0",
                   "port-add s none1 sg=none", "port-add s open2 sg=other", "port-add s red1 sg=red", "port-add s red2 sg=red", "port-add s srv2 sg=srv"])
    made = lab.vms(["s:none1@hv1", "s:open2@hv2", "s:red1@hv1", "s:red2@hv2", "s:srv2@hv2"], dhcp=None, add=False)
    g = {x.name: x for x in made}
    assert depth_of_ping(g["none1"], g["open2"]) == {"hv1": (0, 0), "hv2": (0, 0)}, "without groups, and with open ones"
    assert depth_of_ping(g["none1"], g["srv2"]) == {"hv1": (0, 0), "hv2": (1, 1)}
    assert depth_of_ping(g["red1"], g["srv2"]) == {"hv1": (1, 1), "hv2": (1, 1)}
    assert depth_of_ping(g["red2"], g["srv2"]) == {"hv2": (2, 2)}, "both sides on one host"


def test_trace_names_the_groups_that_do_not_let_it_pass(lab, net):
    net.groups("server", "srv,other")
    text = lab.ctl("trace", "bare", "tcp", net.server.ip, "9")
    assert "VERDICT: delivered server" in text, "the group 'other' is open"
    net.groups("server", "srv,mute")
    text = lab.ctl("trace", "bare", "tcp", net.server.ip, "9")
    assert re.search("'server' has no security group that allows it: it is in groups ('mute', 'srv'|'srv', 'mute')", text), text
    assert text.splitlines()[-1].startswith("VERDICT: dropped sg"), text
    net.groups("red", "mute")
    text = lab.ctl("trace", "red", "tcp", net.server.ip, str(TCP))
    assert "it is in group 'mute'" in text and text.splitlines()[-1].startswith("VERDICT: dropped sg"), text
