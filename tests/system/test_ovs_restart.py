"""Open vSwitch restarted, killed, cut off, whole hosts gone: flows return without anybody's help, others are not disturbed."""
import pytest

from lab import wait_until
from lab.lab import reach_matrix
from support import expect_verify_clean

LAB = {"hosts": 3}
BACK_S = 5


@pytest.fixture(scope="module")
def vms(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--", "subnet-add", "v", "t", "10.0.2.0/24")
    return lab.vms(["s:a@hv1", "t:b@hv1", "s:c@hv2", "t:d@hv3"])


def all_reach(lab, vms, seconds=BACK_S):
    for host in lab.hosts.values():
        host.learn_tunnel_neighbours(lab.hosts.values())       # a fresh vswitchd would lose one packet per peer to ARP
    wait_until(lambda: set(reach_matrix(vms, timeout=0.4, tries=2).values()) == {"reply"}, seconds, "all pairs reach each other")
    lab.ready()
    expect_verify_clean(lab)


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_flows_return_after_a_restart_of_vswitchd(lab, vms, signal):
    host = lab["hv1"]
    host.kill_vswitchd(signal)
    host.start_vswitchd()
    all_reach(lab, vms)


def test_nothing_leaks_between_the_return_of_vswitchd_and_its_flows(lab, vms):
    """Fail mode secure: with vnetd away a restarted switch forwards nothing at all rather than as a learning switch."""
    host = lab["hv1"]
    lab.vnetd.kill()
    host.kill_vswitchd()
    host.start_vswitchd()
    assert vms[0].ping(vms[1].ip, timeout=0.5) == "none"
    lab.vnetd.start()
    all_reach(lab, vms, seconds=BACK_S + 3)


def test_a_switch_that_stays_away_is_its_host_s_error_until_it_is_back(lab, vms):
    host = lab["hv1"]
    host.kill_vswitchd()
    wait_until(lambda: "switch does not connect" in (lab.ctl.list("host", "hv1")[0]["error"] or ""), 40, "the host says so")
    host.start_vswitchd()
    wait_until(lambda: not lab.ctl.list("host", "hv1")[0]["error"], 20, "the host has no error")
    all_reach(lab, vms)


def test_traffic_goes_on_while_ovsdb_server_restarts(lab, vms):
    host = lab["hv1"]
    with vms[0].doing("ping", ip=vms[2].ip, interval_ms=5) as stream:
        host.kill_ovsdb()
        host.start_ovsdb()
        lab.ready()
    assert stream.result["n_lost"] == 0, stream.result
    guest = host.add_guest("late", *make_port(lab, "late"))
    guest.dhcp()
    assert guest.ping(vms[2].ip) == "reply"
    expect_verify_clean(lab)


def make_port(lab, name):
    lab.ctl("port-add", "s", name)
    row = lab.ctl.list("port", name)[0]
    return row["mac"], row["id"]


def test_both_restarted_at_once(lab, vms):
    host = lab["hv2"]
    host.kill_vswitchd()
    host.kill_ovsdb()
    host.start_ovsdb()
    host.start_vswitchd()
    all_reach(lab, vms)


def test_a_bridge_taken_away_by_hand_is_made_again(lab, vms):
    host = lab["hv2"]
    host.vsctl("set-controller", "br-int", "tcp:127.0.0.1:1")
    lab.ready()
    all_reach(lab, vms)
    host.vsctl("--if-exists", "del-br", "br-int")
    wait_until(lambda: "br-int" in host.vsctl("list-br").split(), BACK_S, "br-int is back")
    host.plug([g for g in host.guests])
    all_reach(lab, vms)


def test_a_host_that_loses_power_delays_nobody_and_verify_says_so(lab, vms):
    lab.remove_host("hv3")
    others = vms[:3]
    with others[0].doing("ping", ip=others[2].ip, interval_ms=5) as stream:
        lab.ctl("--wait=hosts", "--timeout=10", "subnet-add", "v", "u", "10.0.3.0/24")
        for name in ("hv1", "hv2"):
            assert lab.ctl.verify(name)[0] == 0
    assert stream.result["n_lost"] == 0
    wait_until(lambda: not lab.host_row("hv3")["connected"], 60, "hv3 is noticed as gone")
    status, text = lab.ctl.verify()
    assert status == 65 and "hv3" in text
    status, output, errors = lab.ctl.run("--wait=hosts", "port-add", "s", "meanwhile")
    assert status == 0, errors


def run_d_on_hv3(lab, vms):
    row = lab.port("d")
    guest = lab["hv3"].add_guest("d", row["mac"], row["id"])
    guest.dhcp()
    assert guest.ping_all([g.ip for g in vms[:3]]) == ["reply"] * 3
    expect_verify_clean(lab)


def test_a_new_machine_with_the_old_name_is_filled_again(lab, vms):
    lab.add_host("hv3", number=3)
    lab.ready()
    run_d_on_hv3(lab, vms)
    lab.ctl("port-del", "meanwhile")


def test_a_rebooted_host_takes_its_place_before_its_end_was_noticed(lab, vms):
    lab.remove_host("hv3", keep_disk=True)
    assert lab.host_row("hv3")["connected"], "too late: this is about a session that still seems to live"
    host = lab.add_host("hv3", number=3)
    wait_until(lambda: host.vsctl("--bare", "--columns=is_connected", "list", "manager") == "true", 10, "the rebooted host is taken")
    host.vsctl(*[word for port in host.vsctl("list-ports", "br-int").split() if port.startswith("tap")
                 for word in ("--", "--if-exists", "del-port", port)][1:] or ["list-br"])
    lab.ready()
    assert not lab.host_row("hv3")["error"]
    run_d_on_hv3(lab, vms)
