"""Who watches whom: BFD runs on tunnel ports between gateways and the hosts that they serve, and nowhere else."""
import json

import pytest

from gateways import holders
from lab import wait_until
from public import OUTSIDE, UPLINK, address, attach, expect_answers, make_pool, make_vpc

LAB = {"hosts": 5, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK, "hv2": UPLINK}, "gateways": ("hv1", "hv2")}
GATEWAYS = {"hv1": {"hv2"}, "hv2": {"hv1"}}
EIP, NAT = address(11), address(12)


def watched(lab):
    """{host: names of those to whom it has a tunnel port with BFD}, from each host's own database."""
    names = {h.tunnel_ip: h.name for h in lab.hosts.values()}
    found = {}
    for host in lab.hosts.values():
        table = json.loads(host.vsctl("--format=json", "--columns=name,bfd,options", "find", "interface", "bfd:enable=true"))
        found[host.name] = {names[dict(options[1])["remote_ip"]] for _, _, options in table["data"]}
    return found


def expect_watched(lab, *pairs):
    """Besides the gateways, which watch each other."""
    expected = {name: set(GATEWAYS.get(name, ())) for name in lab.hosts}
    for a, b in pairs:
        expected[a].add(b)
        expected[b].add(a)
    try:
        wait_until(lambda: watched(lab) == expected, 10, "they watch each other, and nobody else")
    except Exception as e:
        raise AssertionError(f"{e}: {watched(lab)}, expected {expected}") from e
    no_other_ports(lab, expected)


def no_other_ports(lab, expected):
    """Tunnel ports to single peers are there for BFD alone."""
    for name, peers in expected.items():
        rows = json.loads(lab[name].vsctl("--format=json", "--columns=options", "find", "interface", "external_ids:vnet=1"))["data"]
        single = [o[1] for (o,) in rows if dict(o[1]).get("remote_ip", "flow") != "flow"]
        assert len(single) == len(peers), (name, single)


@pytest.fixture(scope="module")
def vms(lab):
    make_pool(lab)
    make_vpc(lab.ctl, subnets=("s",))
    make_vpc(lab.ctl, "w", ("ws",))
    lab.ctl.batch(["rtb-add v private", "subnet-add v y 10.0.9.0/24 rtb=private", "natgw-add s n", "route-add private 0.0.0.0/0 natgw:n"])
    return {g.name: g for g in lab.vms(["s:e@hv3", "y:p@hv4", "ws:w@hv5"], port="sg=none")}


def test_gateways_watch_each_other_and_who_uses_none_watches_nobody(lab, vms):
    expect_watched(lab)


def test_the_host_of_an_elastic_ip_and_its_holder_watch_each_other(lab, vms):
    attach(lab.ctl, EIP, "e")
    expect_answers(lab, [EIP])
    expect_watched(lab, ("hv3", holders(lab)[EIP]))
    vms["e"].move(lab["hv5"])
    expect_answers(lab, [EIP])
    expect_watched(lab, ("hv5", holders(lab)[EIP]))
    vms["e"].move(lab["hv3"])
    lab.ctl("eip-detach", EIP)
    expect_watched(lab)


def test_all_hosts_of_a_vpc_and_its_nat_gateway_watch_each_other(lab, vms):
    attach(lab.ctl, NAT, "natgw:n")
    wait_until(lambda: holders(lab)[NAT], 10, "the NAT gateway has a holder")
    holder = holders(lab)[NAT]
    expect_watched(lab, ("hv3", holder), ("hv4", holder))
    vms["e"].host.unplug([vms["e"]])
    expect_watched(lab, ("hv4", holder))
    lab.ctl("eip-detach", NAT)
    expect_watched(lab)
