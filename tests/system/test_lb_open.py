"""How many connections of a load balancer are open: counted by agents in their switches' conntrack, null while one does not tell."""
import pytest

from balancing import BALANCER, LAB, PUBLIC
from lab import wait_until
from public import attach, make_pool, make_vpc
from vms import end_of_agents

ROUND = 60                      # seconds within which an agent counts again: ten, more on a busy machine (100 times what an answer took)
WEB, MAIL, DNS = 80, 25, 53
# Name: host, groups. The targets are t1 and t2; hv3 is there for the VPC only from time to time.
GUESTS = {"t1": ("hv1", "web"), "t2": ("hv2", "none"), "c1": ("hv1", "none"), "c2": ("hv2", "v")}


@pytest.fixture(scope="module")
def net(lab):
    make_pool(lab)
    make_vpc(lab.ctl, "v", ("s",))
    lab.ctl.batch(["sg-add v web", "sg-rule-add web ingress tcp 8080 0.0.0.0/0", "sg-rule-add web ingress udp 53 0.0.0.0/0"])
    guests = {name: lab.vms([f"s:{name}@{host}"], port=f"sg={sg}")[0] for name, (host, sg) in GUESTS.items()}
    for name in ("t1", "t2"):
        guests[name].tcp = guests[name].agent.call("start_tcp_echo", port=8080)
        guests[name].udp = guests[name].agent.call("start_echo", port=53)
    lab.ctl.batch([f"lb-add s lb ip={BALANCER}", "tg-add v tcp tcp 8080 check=none", "tg-add v udp udp 53 check=none", f"listener-add lb tcp:{WEB} tcp",
                   f"listener-add lb tcp:{MAIL} tcp", f"listener-add lb udp:{DNS} udp"])
    lab.ctl.batch([f"target-add {tg} {t}" for tg in ("tcp", "udp") for t in ("t1", "t2")])
    attach(lab.ctl, PUBLIC, "lb:lb")
    wait_until(lambda: lab.outside.tcp_connect(PUBLIC, WEB, timeout=0.5) == "connected", 10, "the outside reaches the balancer")
    return guests


@pytest.fixture(scope="module")
def agents(lab, net):
    assert set(opens(lab).values()) == {None}            # nobody counts yet
    yield dict(zip(("hv1", "hv2", "hv3"), lab.add_agents()))
    end_of_agents(lab)


def opens(lab):
    """{what a listener or target is called: its column}."""
    return {r["name"].removeprefix("lb/"): r["open"] for kind in ("listener", "target") for r in lab.vnetd.rows(kind)}


def of_listeners(lab):
    seen = opens(lab)
    return [seen[f"tcp:{WEB}"], seen[f"tcp:{MAIL}"], seen[f"udp:{DNS}"]]


def wait_for(lab, wanted, seconds=ROUND):
    """Until the listeners have that many, and the targets as many together."""
    def check():
        seen = opens(lab)
        sums = [sum(seen[f"{tg}/{t}"] or 0 for t in ("t1", "t2")) for tg in ("tcp", "udp")]
        return of_listeners(lab) == wanted and sums == [wanted[0] + wanted[1], wanted[2]]
    try:
        wait_until(check, seconds, "counts")
    except Exception as e:
        dumps = "\n".join(h.appctl("dpctl/dump-conntrack", "-m") for h in lab.hosts.values())
        raise AssertionError(f"{e}: wanted {wanted}, there are {opens(lab)}\n{dumps}") from e


def crew(client, count, port=WEB, ip=BALANCER):
    """A client's long connections: what ends them."""
    number = client.agent.call("start_crew", ip=ip, port=port, count=count)
    return lambda: client.agent.call("stop", number=number)


@pytest.fixture(scope="module")
def mail(net, agents):
    """Three connections from another host that stay."""
    end = crew(net["c2"], 3, MAIL)
    yield
    assert end()["lost"] == []


def test_what_is_open_is_counted_by_listener_and_target_wherever_it_comes_from(lab, net, agents, mail):
    crews = [crew(net["c1"], 7), crew(net["c2"], 5), crew(net["t1"], 4), crew(lab.outside, 6, ip=PUBLIC)]
    assert net["c1"].exchange(BALANCER, DNS, timeout=2) == "same"
    wait_for(lab, [22, 3, 1])
    assert [end()["lost"] for end in crews] == [[]] * 4
    wait_until(lambda: of_listeners(lab)[:2] == [0, 3], ROUND, "none is open but those that stay")


def test_it_is_not_known_while_an_agent_is_away(lab, net, agents, mail):
    agents["hv1"].kill("TERM")
    wait_until(lambda: set(opens(lab).values()) == {None}, 5, "nothing is known")
    agents["hv1"].start()
    wait_until(lambda: of_listeners(lab)[:2] == [0, 3], ROUND, "all is known again")


def counts(agent):
    """Has it been told to, when it was last told anything?"""
    with open(agent.log) as f:
        told = [line for line in f if "are counted" in line]
    return bool(told) and "from now on" in told[-1]


def test_agents_count_only_where_it_is_needed(lab, net, agents, mail):
    """A host with a port of the VPC does, and what that port leaves behind in conntrack is nobody's."""
    assert [h for h, a in agents.items() if counts(a)] == ["hv1", "hv2"]
    c3 = lab.vms(["s:c3@hv3"], port="sg=none")[0]
    wait_until(lambda: counts(agents["hv3"]) and of_listeners(lab)[1] == 3, ROUND, "hv3 counts too")
    crew(c3, 2)
    wait_until(lambda: of_listeners(lab)[:2] == [2, 3], ROUND, "its connections are counted")
    lab["hv3"].remove_guest(c3)
    wait_until(lambda: not counts(agents["hv3"]) and of_listeners(lab)[:2] == [0, 3], 5, "hv3 has nothing to count")
    lab.ctl.batch([f"eip-detach {PUBLIC}", "lb-del lb"])
    wait_until(lambda: not any(counts(a) for a in agents.values()), 5, "nobody has anything to count")
