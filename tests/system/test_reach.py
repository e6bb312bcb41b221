"""Who reaches whom on three hosts: by hand-written cases, and on random topologies against an independent model."""
import random

import pytest

from lab.lab import reach_matrix
from lab.procs import call_all
from model import Topology
from support import clear_network, expect_verify_clean

LAB = {"hosts": 3}
NAME_PORT = 7


def who_matrix(guests, ips):
    """{(guest, ip): name of who answers there}; UDP servers that say their name must run."""
    answers = call_all([(g.agent, "udp_ask", {"ips": ips, "port": NAME_PORT, "timeout": 1.2}) for g in guests])
    return {(g, ip): name for g, names in zip(guests, answers) for ip, name in zip(ips, names)}


def start_name_servers(guests):
    call_all([(g.agent, "start_udp_server", {"port": NAME_PORT, "name": g.name}) for g in guests])


@pytest.fixture(scope="module")
def small(lab):
    """Two tenants, the same VPC twice with equal addresses, two subnets each, a VM of each subnet on every host."""
    clear_network(lab)
    guests = {}
    for tenant in ("red", "blue"):
        lab.ctl("tenant-add", tenant)
        ctl = lab.ctl.as_tenant(tenant)
        ctl("vpc-add", "net", "10.0.0.0/16", "--", "subnet-add", "net", "a", "10.0.1.0/24", "--", "subnet-add", "net", "b", "10.0.2.0/24")
        ctl.batch([f"port-add {s} {s}{n} ip=10.0.{1 + (s == 'b')}.{10 + n}" for s in "ab" for n in (1, 2, 3)])
        guests[tenant] = lab.vms([f"{s}:{s}{n}@hv{n}" for s in "ab" for n in (1, 2, 3)], tenant=tenant, add=False)
        for g in guests[tenant]:
            g.agent.call("start_udp_server", port=NAME_PORT, name=f"{tenant}-{g.name}")
    return guests


def test_all_pairs_of_a_vpc_reach_each_other_on_three_hosts(small):
    for tenant, guests in small.items():
        silent = {k: w for k, w in reach_matrix(guests).items() if w != "reply"}
        assert not silent, f"{tenant}: {silent}"


def test_equal_addresses_in_two_vpcs_are_two_machines(small):
    ips = [g.ip for g in small["red"]]
    assert ips == [g.ip for g in small["blue"]]
    for tenant, guests in small.items():
        for (g, ip), name in who_matrix(guests, ips).items():
            expected = next(o.name for o in guests if o.ip == ip)
            assert name == f"{tenant}-{expected}", f"{tenant} {g} asked {ip}: {name}"


def test_dhcp_gave_each_guest_what_its_port_says(lab, small):
    for tenant, guests in small.items():
        rows = {r["name"]: r for r in lab.ctl.as_tenant(tenant).list("port")}
        for g in guests:
            lease = g.leases()[-1]
            assert (lease["ip"], lease["mask"]) == (rows[g.name]["ip"], "255.255.255.0")
            assert rows[g.name]["host"] == g.host.name


def test_the_gateway_answers_echo_and_arp(small):
    for g in small["red"]:
        gateway = ".".join(g.ip.split(".")[:3] + ["1"])
        assert g.ping(gateway) == "reply"


def test_no_route_is_answered_net_unreachable_and_an_empty_address_stays_silent(small):
    answers = reach_matrix(small["red"], ["8.8.8.8", "10.1.0.1", "10.0.2.99"], timeout=1.5)
    for (g, ip), word in answers.items():
        assert word == ("none" if ip == "10.0.2.99" else "net-unreachable"), (g, ip, word)


def test_tcp_and_udp_cross_subnets_and_hosts(small):
    server, client = small["red"][5], small["red"][0]
    with server.doing("tcp_server", port=80):
        assert client.tcp_connect(server.ip, 80, timeout=3) == "connected"
        assert client.tcp_send(server.ip, 80, 500_000)["ok"]
        assert client.tcp_connect(server.ip, 81, timeout=3) == "refused"


def test_time_to_live_runs_out_at_the_router(small):
    word, extra = small["red"][0].ping(small["red"][5].ip, ttl=1, detail=True)
    assert (word, extra.get("from")) == ("ttl-exceeded", "10.0.1.1")


def test_a_removed_port_is_not_reached_any_more(lab, small):
    red = lab.ctl.as_tenant("red")
    a, b = small["red"][0], small["red"][4]
    red("--wait=hosts", "port-del", b.name)
    assert a.ping(b.ip) == "none"
    red("port-add", "b", b.name, f"ip={b.ip}", f"mac={b.mac}", f"id={b.iface_id}")
    a.reaches(b.ip)


def build(lab, topology):
    """Ports and guests of a topology; the guests in the order of topology.ports()."""
    existing = {row["name"] for row in lab.ctl.list("tenant")}
    for tenant, lines in topology.commands().items():
        if tenant not in existing:
            lab.ctl("tenant-add", tenant)
        lab.ctl.as_tenant(tenant).batch(lines)
    guests = {}
    for tenant in {v.tenant for v in topology.vpcs}:
        mine = [p for p in topology.ports() if p.vpc.tenant == tenant]
        made = lab.vms([f"{p.subnet.name}:{p.name}@{p.host}" for p in mine], tenant=tenant, add=False)
        guests.update(zip(mine, made))
    for port, guest in guests.items():
        assert guest.ip == str(port.ip)
        for ip in port.extra:
            guest.run("ip", "addr", "add", f"{ip}/32", "dev", "lo")
    start_name_servers(guests.values())
    lab.ctl("--wait=hosts", "sync")
    return guests


def differences(topology, guests):
    ips = [str(ip) for ip in topology.targets()]
    pings = reach_matrix(list(guests.values()), ips, timeout=1.5)
    names = who_matrix(list(guests.values()), ips)
    wrong = []
    for port, guest in guests.items():
        for ip in topology.targets():
            if port.owns(ip):
                continue
            word, name = topology.answer(port, ip)
            seen = pings[guest, str(ip)], names[guest, str(ip)]
            if seen != (word, name):
                wrong.append(f"{port.name} ({port.ip} on {port.host}) -> {ip}: expected {word} {name}, saw {seen[0]} {seen[1]}")
    return wrong


@pytest.mark.parametrize("round_number", range(3))
def test_a_random_topology_behaves_as_the_model_says(lab, seed, soak, round_number):
    rng = random.Random(f"{seed}/{round_number}")
    for _ in range(10 if soak else 1):
        clear_network(lab)
        topology = Topology(rng, list(lab.hosts), n_vpcs=rng.randint(2, 4))
        wrong = differences(topology, build(lab, topology))
        assert not wrong, "\n".join(wrong[:20]) + "\n" + str(topology.commands())
        expect_verify_clean(lab)
