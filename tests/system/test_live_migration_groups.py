"""Live migration of a VM with security groups. What the host that it leaves remembers of its connections does not move: those go on by the rules, in
the direction of the first packet that its new host sees."""
import pytest

from lab.procs import wait_until
from migrating import ECHO_PORT, PUBLIC, home, migrate
from public import OUTSIDE, ROUTER, UPLINK, attach, make_pool, make_vpc
from support import expect_verify_clean
from vms import end_of_agents

LAB = {"hosts": 3, "outside": OUTSIDE, "uplinks": {"hv1": UPLINK, "hv2": UPLINK, "hv3": UPLINK}, "gateways": ("hv3",)}
SINK_PORT, TALK_PORT = 9, 9000
BALANCER, FRONT = "10.0.1.100", 80


@pytest.fixture(scope="module")
def net(lab):
    """The VM and its neighbour are in the default group, which lets in the outside's echo requests and two ports."""
    make_pool(lab)
    make_vpc(lab.ctl)
    lab.ctl.batch(["sg-rule-add v ingress icmp - 0.0.0.0/0", f"sg-rule-add v ingress tcp {ECHO_PORT} 0.0.0.0/0",
                   f"sg-rule-add v ingress tcp {SINK_PORT} 0.0.0.0/0"])
    one, two = lab.add_libvirt("hv1", "hv2")
    vm = one.define("vm", declare={"subnet": "s"})
    vm.start()
    vm.wait_lease()
    attach(lab.ctl, PUBLIC, "vm")
    peer = lab.vms(["s:peer@hv3"])[0]
    wait_until(lambda: lab.outside.ping(PUBLIC) == "reply", 20, "the elastic IP answers")
    yield vm, peer, one, two
    one.close()
    two.close()
    end_of_agents(lab)


def in_guest(vm, command):
    status, text = vm.run(command)
    assert status == 0, f"{command}: {text}"
    return text


def size(vm, path):
    return int(in_guest(vm, f"wc -c < {path}").split()[-1])


def expect_growth(vm, path, what, least=200):
    before = size(vm, path)
    wait_until(lambda: size(vm, path) > before + least, 30, what)


def test_connections_that_rules_allow_go_on_there_and_back(lab, net, tell):
    """A ping and a TCP stream through the elastic IP, a neighbour's ping by the group itself; and a stream that the guest merely receives."""
    vm, peer, one, two = home(net)
    in_guest(vm, f"(nc -l -p {SINK_PORT} > /sunk &)")
    wait_until(lambda: f":{SINK_PORT:04X} " in in_guest(vm, "cat /proc/net/tcp /proc/net/tcp6"), 20, "the guest listens")
    pour = lab.outside.agent.call("start_pour", ip=PUBLIC, port=SINK_PORT)
    expect_growth(vm, "/sunk", "what is poured into the guest comes")
    for to, what in ((two, "with groups"), (one, "with groups, back")):
        migrate(lab, vm, to, tell, peer, what)
        expect_growth(vm, "/sunk", f"it comes after the move to {to.host.name}")
        assert lab.outside.agent.call("look", number=pour)["error"] is None
    ended = lab.outside.agent.call("stop", number=pour)
    assert ended["error"] is None
    wait_until(lambda: size(vm, "/sunk") == ended["sent"], 20, "nothing of it is lost")
    assert lab.outside.agent.call("tcp_connect", ip=PUBLIC, port=TALK_PORT, timeout=1) == "none"         # the groups judge as ever


def test_a_connection_of_the_guest_s_own_on_which_only_the_other_side_speaks_waits_for_its_word(lab, net):
    """No rule lets in what comes first: the new host takes it for a connection from outside. The guest's next word makes it its own again."""
    vm, peer, one, two = home(net)
    talker = lab.outside.agent.call("start_talker", port=TALK_PORT, interval_ms=5000)
    in_guest(vm, f"mkfifo /say; (nc {ROUTER} {TALK_PORT} < /say > /heard &); exec 3<> /say")
    expect_growth(vm, "/heard", "the guest hears", least=0)        # and has nothing to acknowledge for some seconds
    vm.migrate(two, "--persistent", "--undefinesource")
    wait_until(lambda: lab.port("vm")["host"] == two.host.name and lab.port("vm")["state"] == "active", 20, "it has moved")
    heard, dropped = size(vm, "/heard"), lab.port("vm")["drops"]["sg"]
    wait_until(lambda: lab.port("vm")["drops"]["sg"] > dropped, 30, "what nobody has asked for is dropped")
    assert size(vm, "/heard") == heard
    in_guest(vm, "echo word >&3")
    expect_growth(vm, "/heard", "the guest hears again once it has spoken", least=12)
    in_guest(vm, "exec 3>&-; killall nc; (nc -ll -p 7 -e cat &)")
    lines = in_guest(vm, "cat /heard").split()
    assert [int(line) for line in lines] == list(range(len(lines)))        # in order, and none is missing
    lab.outside.agent.call("stop", number=talker)
    expect_verify_clean(lab)


def target_of(lab):
    return next(r for r in lab.vnetd.rows("target") if r["name"] == "echo/vm")


def test_it_stays_a_balancer_s_target_and_keeps_its_connections(lab, net):
    vm, peer, one, two = home(net)
    lab.ctl.batch([f"tg-add v echo tcp {ECHO_PORT} interval=0.2 timeout=0.1 rise=2 fall=10", "target-add echo vm", f"lb-add s front ip={BALANCER}",
                   f"listener-add front tcp:{FRONT} echo"])
    wait_until(lambda: target_of(lab)["health"] == "healthy", 15, "the VM is a healthy target")
    chat = peer.agent.call("start_chat", ip=BALANCER, port=FRONT)
    for to in (two, one) if vm.libvirt is one else (one, two):
        before = peer.agent.call("look", number=chat)["back"]
        wait_until(lambda: peer.agent.call("look", number=chat)["back"] > before + 50, 20, "the connection is used")
        vm.migrate(to, "--persistent", "--undefinesource")
        before = peer.agent.call("look", number=chat)["back"]
        wait_until(lambda: peer.agent.call("look", number=chat)["back"] > before + 50, 20, "the connection goes on")
        assert target_of(lab)["health"] == "healthy"
        assert peer.agent.call("tcp_connect", ip=BALANCER, port=FRONT, timeout=5) == "connected"
    ended = peer.agent.call("stop", number=chat)
    assert ended["error"] is None and ended["back"] == ended["sent"], ended
    lab.ctl("lb-del", "front", "--", "tg-del", "echo")
    expect_verify_clean(lab)
