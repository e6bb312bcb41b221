"""The pool's upstream gateway falls silent, and comes back under another MAC: what leaves goes to whom it was last known to be, and follows."""
import pytest

from lab import wait_until
from lab.outside import CLIENT_IP
from public import OUTSIDE, ROUTER, UPLINK, address, attach, expect_answers, make_pool, make_vpc

LAB = {"hosts": 2, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK}, "gateways": ("hv1",)}
IP = address(11)
ASKED_S = 10        # vnetd asks so often; then each second, three times
OTHER_MAC = "02:00:00:0a:0b:0c"


@pytest.fixture(scope="module")
def vm(lab):
    """Its address is on hv1, by a tunnel from hv2."""
    make_pool(lab)
    make_vpc(lab.ctl)
    guest = lab.vms(["s:a@hv2"], port="sg=none")[0]
    attach(lab.ctl, IP, "a")
    expect_answers(lab, [IP])
    wait_until(lambda: pool(lab)["gateway_mac"] == lab.outside.router_mac("public"), 10, "the gateway's MAC is learnt")
    return guest


def pool(lab):
    return lab.vnetd.rows("pool")[0]


def answer_arp(lab, does):
    """arp_ignore=8: it answers for none of its addresses, and forwards all the same."""
    lab.outside.run("sysctl", "-q", "-w", f"net.ipv4.conf.public.arp_ignore={0 if does else 8}")


def test_one_that_only_ignores_arp_is_reported_and_its_mac_kept(lab, vm):
    mac = pool(lab)["gateway_mac"]
    assert pool(lab)["error"] is None
    answer_arp(lab, False)
    assert lab.outside.far.ping(IP) == "reply"
    with vm.doing("ping", ip=CLIENT_IP, interval_ms=20) as outward:
        wait_until(lambda: pool(lab)["error"], ASKED_S + 20, "its silence is told")
        mark = outward.look()["received"]
        wait_until(lambda: outward.look()["received"] > mark + 50, 10, "traffic goes on")
    assert outward.result["n_lost"] == 0, outward.result
    assert pool(lab)["error"] == f"its gateway {ROUTER} does not answer ARP; its last MAC address is kept"
    assert pool(lab)["gateway_mac"] == mac
    assert lab.ctl("get", "pool", "inet", "error").startswith(f"its gateway {ROUTER}")


def test_its_next_answer_is_followed_to_another_mac(lab, vm, tell):
    """Still silent when it changes: nobody is told, and what leaves is lost until it is asked again."""
    with vm.doing("ping", ip=CLIENT_IP, interval_ms=20) as outward:
        wait_until(lambda: outward.look()["received"] > 10, 5, "it gets out")
        lab.outside.ip([f"link set public address {OTHER_MAC}"])
        answer_arp(lab, True)
        wait_until(lambda: pool(lab)["gateway_mac"] == OTHER_MAC, ASKED_S + 20, "the new MAC is learnt")
        mark = outward.look()["received"]
        wait_until(lambda: outward.look()["received"] > mark + 20, 10, "what leaves follows")
    tell(f"upstream gateway with another MAC, unannounced: outward traffic stood for {outward.result['longest_gap_ms']} ms, asked every {ASKED_S} s")
    wait_until(lambda: pool(lab)["error"] is None, 5, "it answers again")
