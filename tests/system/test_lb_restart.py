"""The switch of balanced connections' client is killed and comes back: who speaks learns at once whether his connection is still one, who only hears does
not, and new ones work."""
import pytest

from balancing import BALANCER, LAB as LAB_OF_THREE, TCP, make_network
from lab import wait_until
from support import expect_verify_clean

LAB = LAB_OF_THREE
COUNT = 12
TALK, TALK_PORT = 7000, 81
RESETS = ("Connection reset by peer", "Broken pipe")


@pytest.fixture(scope="module")
def net(lab):
    guests = make_network(lab, (1, 1, 1), drain=120)
    for name in ("w1", "w2", "w3"):
        guests[name].agent.call("start_talker", port=TALK)
    lab.ctl.batch([f"tg-add v talk tcp {TALK} check=none", f"listener-add lb tcp:{TALK_PORT} talk", f"sg-rule-add web ingress tcp {TALK} 0.0.0.0/0",
                   *(f"target-add talk {name}" for name in ("w1", "w2", "w3"))])
    lab.ctl("--wait=hosts", "sync")
    return guests


def all_decided(crew, asked):
    """Each has ended, or has been answered what was asked after the restart."""
    seen = crew.look()
    return seen["alive"] + len(seen["lost"]) == COUNT and (not seen["alive"] or seen["fewest_answers"] > asked)


@pytest.mark.parametrize("client", ["c", "d"])
def test_connections_that_speak_go_on_or_are_reset(lab, net, client):
    host = lab["hv1" if client == "c" else "hv2"]
    with net[client].doing("crew", ip=BALANCER, port=TCP, count=COUNT, interval=0.3) as crew, \
            net[client].doing("hearer", ip=BALANCER, port=TALK_PORT) as hearer:
        wait_until(lambda: crew.look()["fewest_answers"] > 1 and hearer.look()["received"] > 1, 30, "all have talked")
        host.kill_vswitchd("KILL")
        host.start_vswitchd()
        for h in lab.hosts.values():
            h.learn_tunnel_neighbours(lab.hosts.values())
        lab.ready()
        wait_until(lambda: net[client].tcp_connect(BALANCER, TCP, timeout=0.5) == "connected", 20, "new connections work")
        asked = crew.look()["most_questions"]
        wait_until(lambda: all_decided(crew, asked), 60, "each connection goes on or has ended")
        assert all(why.endswith(RESETS) for why in crew.stop()["lost"])
        heard = hearer.look()
        wait_until(lambda: hearer.look()["silent_ms"] > 500, 5, "who says nothing hears nothing")
        assert hearer.look()["received"] == heard["received"] and hearer.look()["error"] is None
    expect_verify_clean(lab)
