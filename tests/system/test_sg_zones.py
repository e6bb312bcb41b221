"""Conntrack zones on live switches: a port keeps its own, by the host's database, by the flows and by what conntrack holds, whoever is restarted; and who
gets a number that another had finds nothing in it."""
import re

import pytest

from lab import wait_until
from packets import udp_frame
from support import expect_verify_clean

LAB = {"hosts": 2}
PORT = 7000
OLD, NEW, PEER = "10.0.1.50", "10.0.1.51", "10.0.1.60"
ASKED, ASKING = 1000, 2000


@pytest.fixture(scope="module")
def net(lab):
    """Filtered a on hv1 talks to filtered b on hv2; peer on hv1 is not filtered."""
    lab.ctl.batch(["vpc-add v 10.0.0.0/16", "subnet-add v s 10.0.1.0/24", "sg-add v closed", f"port-add s peer ip={PEER} sg=none"])
    guests = lab.vms(["s:a@hv1", "s:b@hv2"], dhcp=None) + lab.vms(["s:peer@hv1"], dhcp=None, add=False)
    guests[1].agent.call("start_tcp_echo", port=PORT)
    return {g.name: g for g in guests}


def stored(lab):
    """{host: {owner's number: zone}}, as the hosts' databases have it."""
    texts = {name: host.vsctl("get", "bridge", "br-int", "external_ids") for name, host in lab.hosts.items()}
    return {name: {int(owner): int(zone) for owner, zone in re.findall(r'vnet-zone-(\d+)="?(\d+)', text)} for name, text in texts.items()}


def tracked(host):
    """Conntrack's entries, one a line."""
    return host.appctl("dpctl/dump-conntrack").splitlines()


def zones_of(lab, client, server, port):
    """{host: zones} that hold a connection from that port of the client's."""
    words = f"src={client.ip},dst={server.ip},sport={port},dport={PORT}"
    return {name: sorted(int(re.search(r"zone=(\d+)", line)[1]) for line in tracked(host) if words in line) for name, host in lab.hosts.items()}


def restart_vnetd(lab, signal):
    lab.vnetd.kill(signal)
    lab.vnetd.start()


def restart_switches(lab, signal):
    for host in lab.hosts.values():
        host.kill_vswitchd(signal)
        host.start_vswitchd()
    for host in lab.hosts.values():
        host.learn_tunnel_neighbours(lab.hosts.values())


@pytest.mark.parametrize("restart", [restart_vnetd, restart_switches])
@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_a_port_keeps_its_zone(lab, net, restart, signal):
    a, b, before = net["a"], net["b"], stored(lab)

    def talk(port):
        with a.doing("crowd", ip=b.ip, port=PORT, count=1, name="a", first_port=port, timeout=3) as crowd:
            return crowd.look()["right"] == 1 and zones_of(lab, a, b, port)

    first = talk(30001)
    assert [len(z) for z in first.values()] == [1, 1] and all(first[h][0] in before[h].values() for h in first), (first, before)
    with a.doing("chat", ip=b.ip, port=PORT) as chat:
        wait_until(lambda: chat.look()["back"] > 10, 5, "they talk")
        restart(lab, signal)
        lab.ready()
        mark = chat.look()["back"]
        wait_until(lambda: chat.look()["back"] > mark + 10, 15, "they go on")
    assert chat.result["error"] is None, chat.result
    assert stored(lab) == before
    assert talk(30002) == first
    expect_verify_clean(lab)


def plant(host, zone, mac, ip, peer):
    """A connection that the port at ip has begun: to a closed group, what peer sends is its answer."""
    frame = udp_frame(mac, peer.mac, ip, peer.ip, b"old", source_port=ASKED, port=ASKING)
    host.ofctl("packet-out", "br-int", f"in_port=controller packet={frame.hex()} actions=ct(commit,zone={zone})")
    assert any(f"src={ip},dst={peer.ip},sport={ASKED},dport={ASKING}" in line and f"zone={zone}" in line for line in tracked(host)), tracked(host)


def lets_in(peer, guest):
    """Does what looks like the answer of that connection reach the guest?"""
    sink = guest.agent.call("start_sink", port=ASKED)
    for _ in range(3):
        peer.send_frames(udp_frame(peer.mac, guest.mac, peer.ip, guest.ip, b"answer", source_port=ASKING, port=ASKED))
    peer.reaches(guest.ip)                 # a ping after them has come through: so have they, if at all
    return guest.agent.call("stop", number=sink)["received"] > 0


def test_who_gets_a_number_that_another_had_finds_it_empty(lab, net):
    host, peer, before = lab["hv1"], net["peer"], stored(lab)["hv1"]
    lab.ctl.batch(["sg-rule-add closed ingress icmp - 0.0.0.0/0", f"port-add s old ip={OLD} sg=closed"])
    (old,) = lab.vms(["s:old@hv1"], dhcp=None, add=False)
    (zone,) = set(stored(lab)["hv1"].values()) - set(before.values())
    host.remove_guest(old)
    lab.ctl("port-del", "old")
    wait_until(lambda: stored(lab)["hv1"] == before, 10, "the number is free")
    lab.ctl("port-add", "s", "new", f"ip={NEW}", "sg=closed")
    mac = lab.port("new")["mac"]
    plant(host, zone, mac, NEW, peer)
    (new,) = lab.vms(["s:new@hv1"], dhcp=None, add=False)
    owner = {z: number for number, z in stored(lab)["hv1"].items()}[zone]
    assert owner not in before, "the new port has the old one's number"
    assert not any(f"zone={zone}" in line and f"src={NEW}" in line for line in tracked(host))
    assert not lets_in(peer, new)
    plant(host, zone, mac, NEW, peer)
    assert lets_in(peer, new), "with such an entry it would have been let in"
    expect_verify_clean(lab)
