"""Whose an elastic IP is: tenants with equal private addresses, and who may not take what."""
import socket

import pytest

from lab.lab import capturing
from lab.outside import CLIENT_IP
from public import (ECHO_PORT, NAME_PORT, OUTSIDE, UPLINK, Watch, address, attach, expect_answers, make_pool, make_vpc, start_servers)
from support import expect_verify_clean

LAB = {"hosts": 2, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK}, "gateways": ("hv1",)}
RED, BLUE = {"r1": address(11), "r2": address(12)}, {"r1": address(21), "r2": address(22)}
TENANTS = {"red": RED, "blue": BLUE}


@pytest.fixture(scope="module")
def vms(lab):
    """{tenant: [guest]}: two VPCs alike in all but the elastic IPs; r1 on a host with an uplink, r2 on one without."""
    make_pool(lab, range=f"{address(10)}-{address(100)}")
    guests = {}
    for tenant, ips in TENANTS.items():
        lab.ctl("tenant-add", tenant)
        ctl = lab.ctl.as_tenant(tenant)
        make_vpc(ctl)
        ctl("port-add", "s", "r1", "ip=10.0.1.10", "sg=none", "--", "port-add", "s", "r2", "ip=10.0.1.20", "sg=none")
        guests[tenant] = lab.vms(["s:r1@hv1", "s:r2@hv2"], tenant=tenant, add=False)
        for name, ip in ips.items():
            attach(ctl, ip, name)
        start_servers(guests[tenant], {g: f"{tenant}-{g.name}" for g in guests[tenant]})
    start_servers([lab.outside])
    expect_answers(lab, [*RED.values(), *BLUE.values()])
    return guests


def test_equal_private_addresses_are_told_apart(lab, vms):
    ips = [*RED.values(), *BLUE.values()]
    assert lab.outside.who_answers(ips, NAME_PORT, timeout=2) == ["red-r1", "red-r2", "blue-r1", "blue-r2"]
    for ip in ips:
        assert lab.outside.tcp_send(ip, 80, 100_000)["ok"]
        assert lab.outside.exchange(ip, ECHO_PORT, size=3000) == "same"


def test_each_is_seen_outside_by_its_own_address(lab, vms):
    for tenant, guests in vms.items():
        for guest in guests:
            with lab.outside.doing("tcp_echo", port=1080) as server:
                with guest.doing("crowd", ip=CLIENT_IP, port=1080, count=3, name=tenant) as crowd:
                    assert crowd.look()["right"] == 3, (tenant, guest, crowd.look())
                assert server.look()["ips"] == [TENANTS[tenant][guest.name]]


def test_they_reach_each_other_by_public_addresses_only(lab, vms):
    ips = [*RED.values(), *BLUE.values()]
    for guests in vms.values():
        for guest in guests:
            assert guest.who_answers(ips, NAME_PORT, timeout=2) == ["red-r1", "red-r2", "blue-r1", "blue-r2"], guest


def test_nobody_sees_the_others_traffic(lab, vms):
    everybody = [g for guests in vms.values() for g in guests]
    with Watch(lab) as watch, capturing(everybody) as seen:
        for ip in RED.values():
            assert lab.outside.exchange(ip, ECHO_PORT, size=3000) == "same"
        for guest in vms["red"]:
            assert guest.exchange(CLIENT_IP, ECHO_PORT, size=3000) == "same"
    for guest in vms["blue"]:
        foreign = [f for f in seen[guest] if f[12:14] == b"\x08\x00" and f[23] == socket.IPPROTO_UDP]
        assert not foreign, guest
    assert watch.private() == []
    assert not watch.sources(["ip"]) & set(BLUE.values()), "their addresses may be announced meanwhile, but nothing comes from them"


def refusal(ctl, *words):
    status, output, errors = ctl.run(*words)
    assert status == 1 and len(errors.strip().splitlines()) == 1, (words, status, output, errors)
    return errors


SECRETS = ["red", "r1", "r2"]


def names_nobody(text):
    words = text.replace("'", " ").replace("\"", " ").replace(":", " ").replace(",", " ").split()
    return not set(SECRETS) & set(words)


def names_kind(text):
    return "elastic IP" in text or "eip" in text.split()


def test_an_address_is_taken_once_and_by_whom_is_not_told(lab, vms):
    blue = lab.ctl.as_tenant("blue")
    text = refusal(blue, "eip-add", "inet", RED["r1"])
    assert names_kind(text) and names_nobody(text), text
    text = refusal(blue, "eip-add", "inet", BLUE["r1"])
    assert names_kind(text), text
    lab.ctl.as_tenant("red")("eip-add", "inet", address(40))
    text = refusal(blue, "eip-add", "inet", address(40))
    assert names_kind(text) and names_nobody(text), text
    lab.ctl.as_tenant("red")("eip-del", address(40))
    blue("eip-add", "inet", address(40), "--", "eip-del", address(40))


@pytest.mark.parametrize("ip", ["198.51.100.7", "203.0.114.11", address(9), address(101), address(0), address(255), address(1), "10.0.1.10", "0.0.0.0"])
def test_an_address_that_the_pool_does_not_hand_out_is_refused(lab, vms, ip):
    text = refusal(lab.ctl.as_tenant("blue"), "eip-add", "inet", ip)
    assert "inet" in text and names_nobody(text), text


def test_another_tenants_elastic_ip_cannot_be_used(lab, vms):
    blue = lab.ctl.as_tenant("blue")
    for words in (["eip-attach", RED["r1"], "r1"], ["--move", "eip-attach", RED["r1"], "r1"], ["eip-detach", RED["r1"]], ["eip-del", RED["r1"]],
                  ["get", "eip", RED["r1"], "attached"]):
        text = refusal(blue, *words)
        assert names_kind(text), text
        assert not {"red", "r2"} & set(text.replace("'", " ").split()), text
    assert not [r for r in blue.list("eip") if r["ip"] in RED.values()]
    assert lab.outside.who_answers([RED["r1"]], NAME_PORT, timeout=2) == ["red-r1"]


def test_an_elastic_ip_is_attached_to_one_thing_and_a_thing_has_one(lab, vms):
    blue = lab.ctl.as_tenant("blue")
    text = refusal(blue, "eip-attach", BLUE["r1"], "r2")
    assert BLUE["r1"] in text and "--move" in text, text
    blue("eip-add", "inet", address(41))
    text = refusal(blue, "eip-attach", address(41), "r1")
    assert "r1" in text, text
    refusal(blue, "eip-attach", address(41), "nobody")
    blue("eip-del", address(41))


def test_pools_are_the_admins_and_never_overlap(lab, vms):
    for words in (["pool-add", "p2", "203.0.113.128/25", "uplink=public"], ["pool-add", "p2", "203.0.112.0/20", "uplink=else"],
                  ["pool-add", "inet", "198.51.100.0/24", "uplink=public"], ["pool-add", "p2", "198.51.100.7/24", "uplink=public"],
                  ["pool-add", "p2", "198.51.100.0/24", "uplink=public", "gateway=203.0.113.1"],
                  ["pool-add", "p2", "198.51.100.0/24", "uplink=public", "range=198.51.100.9-198.51.100.3"],
                  ["pool-add", "p2", "198.51.100.0/24", "uplink=public", "vlan=4095"], ["pool-del", "inet"], ["igw-add", "v"]):
        refusal(lab.ctl.as_tenant("blue") if words[0] == "igw-add" else lab.ctl, *words)
    assert [r["name"] for r in lab.vnetd.rows("pool")] == ["inet"]


def test_what_an_address_stands_on_cannot_be_taken_away(lab, vms):
    red = lab.ctl.as_tenant("red")
    text = refusal(red, "igw-del", "v")
    assert "0.0.0.0/0" in text, text
    assert red.json("list", "eip", RED["r1"])[0]["attached"] == "port:r1"
    expect_answers(lab, RED.values())


def test_released_addresses_go_to_whoever_asks_next(lab, vms):
    red, blue = lab.ctl.as_tenant("red"), lab.ctl.as_tenant("blue")
    red("eip-detach", RED["r1"], "--", "eip-del", RED["r1"])
    blue("--wait=hosts", "eip-detach", BLUE["r1"], "--", "eip-add", "inet", RED["r1"], "--", "eip-attach", RED["r1"], "r1")
    expect_answers(lab, [RED["r1"]], 5)
    assert lab.outside.who_answers([RED["r1"]], NAME_PORT, timeout=2) == ["blue-r1"]
    assert lab.outside.ping(BLUE["r1"], timeout=0.4) == "none"
    expect_verify_clean(lab)
