"""Security groups on real switches: by hand-written cases."""
import pytest

from lab import wait_until
from support import clear_network, expect_verify_clean

LAB = {"hosts": 2}


@pytest.fixture(scope="module")
def net(lab):
    clear_network(lab)
    lab.ctl("vpc-add", "net", "10.0.0.0/16", "--", "subnet-add", "net", "s", "10.0.1.0/24", "--", "sg-add", "net", "web", "--", "sg-add", "net", "db")
    lab.ctl("port-add", "s", "w1", "sg=web", "--", "port-add", "s", "d1", "sg=db", "--", "port-add", "s", "x1", "--", "port-add", "s", "w2", "sg=web")
    lab.ctl("sg-rule-add", "web", "ingress", "tcp", "80-83", "0.0.0.0/0", "--", "sg-rule-add", "db", "ingress", "tcp", "5432", "sg:web")
    guests = lab.vms(["s:w1@hv1", "s:d1@hv2", "s:x1@hv1", "s:w2@hv2"], add=False)
    return {g.name: g for g in guests}


def test_a_rule_lets_pass_what_it_says_and_nothing_else(lab, net):
    with net["w1"].doing("tcp_server", port=80), net["w1"].doing("tcp_server", port=90), net["d1"].doing("tcp_server", port=5432):
        assert net["x1"].tcp_connect(net["w1"].ip, 80, timeout=3) == "connected"
        assert net["d1"].tcp_connect(net["w1"].ip, 80, timeout=3) == "connected"
        assert net["x1"].tcp_connect(net["w1"].ip, 90, timeout=1) != "connected"
        assert net["w1"].tcp_connect(net["d1"].ip, 5432, timeout=3) == "connected"
        assert net["w2"].tcp_connect(net["d1"].ip, 5432, timeout=3) == "connected"
        assert net["x1"].tcp_connect(net["d1"].ip, 5432, timeout=1) != "connected"
    assert net["x1"].ping(net["w1"].ip, timeout=1) == "none"
    drops = wait_until(lambda: next(r for r in lab.vnetd.rows("port") if r["name"] == "w1")["drops"], 5, "drops")
    assert drops["sg"] >= 2
    expect_verify_clean(lab)
