"""A port that is not filtered for a while, and then is again: its zone forgets what it had, and connections that went on meanwhile go on."""
import pytest

from lab import wait_until
from support import clear_network, expect_verify_clean

LAB = {"hosts": 2}
PORT, BALANCED = 7900, 8080
STEP = 30_000_000               # bytes: far more than any window


@pytest.fixture(scope="module")
def net(lab):
    """Client red, filtered by its group, and a server that nobody filters."""
    clear_network(lab)
    lab.ctl.batch(["vpc-add v 10.0.0.0/16", "subnet-add v s 10.0.1.0/24", "sg-add v red", "port-add s red sg=red", "port-add s server sg=none"])
    red, server = lab.vms(["s:red@hv1", "s:server@hv2"], dhcp=None, add=False)
    server.agent.call("start_tcp_echo", port=BALANCED)
    return red, server


def open_by_none(lab):
    lab.ctl("set", "port", "red", "sg=none")
    return lambda: lab.ctl("set", "port", "red", "sg=red")


def open_by_a_rule(lab):
    rule = lab.ctl("sg-rule-add", "red", "ingress", "all", "-", "0.0.0.0/0").strip()
    return lambda: lab.ctl("sg-rule-del", rule)


def open_and_vnetd_dies_as_it_filters_again(lab):
    close = open_by_none(lab)

    def close_and_die():
        close()
        lab.vnetd.kill()
        lab.vnetd.start()
        lab.ready()
    return close_and_die


def sent_by(guest):
    return int(guest.host.run("cat", f"/sys/class/net/{guest.tap}/statistics/rx_bytes"))



def goes_on(lab, net, change):
    """A transfer that is under way when the port is filtered, is not, and is again."""
    red, server = net
    with server.doing("tcp_server", port=PORT):
        transfer = red.agent.link()
        n = sent_by(red)
        transfer.start("tcp_send", ip=server.ip, port=PORT, n_bytes=4 * STEP)
        for step in (lambda: change(lab), None):
            wait_until(lambda m=n + STEP: sent_by(red) > m, 30, "it is under way")
            if step:
                close = step()
            else:
                close()
            lab.ctl("--wait=hosts", "sync")
            n = sent_by(red)
        result = transfer.collect()
    assert result["ok"], result


CHANGES = [open_by_none, open_by_a_rule, open_and_vnetd_dies_as_it_filters_again]


@pytest.mark.parametrize("change", CHANGES)
def test_a_transfer_goes_on_when_its_port_is_filtered_again(lab, net, change):
    goes_on(lab, net, change)
    expect_verify_clean(lab)


def test_what_a_balancer_has_translated_goes_on_too(lab, net):
    """In a VPC with balancers the port's zone also has their connections, which pass it all the time."""
    red, _ = net
    lab.ctl.batch(["lb-add s front ip=10.0.1.100", f"tg-add v echo tcp {BALANCED} check=icmp", "listener-add front tcp:80 echo", "target-add echo server"])
    wait_until(lambda: lab.vnetd.rows("target")[0]["health"] == "healthy", 10, "the target is healthy")
    lab.ctl("--wait=hosts", "sync")
    crew = red.agent.call("start_crew", ip="10.0.1.100", port=80, count=5, interval=0.1)
    goes_on(lab, net, open_by_none)
    n = red.agent.call("look", number=crew)["fewest_answers"]
    wait_until(lambda: red.agent.call("look", number=crew)["fewest_answers"] > n + 10, 10, "all are answered")
    assert red.agent.call("stop", number=crew)["lost"] == []
    expect_verify_clean(lab)
