"""A hypervisor that has nothing yet joins with a one-time token over TLS; a token that was used, is wrong or has expired is refused, and so is a
daemon that did not make it. All that beside a crowd who have no certificate either, and only keep vnetd's connections."""
import os
import time

import pytest

from lab.daemon import API_PORT, build_folder
from lab.procs import LabError, wait_until
from lab.underlay import NODE_IP

LAB = {"hosts": 1, "tls": True}
URL = f"https://{NODE_IP}:{API_PORT}"


# Connections without a certificate that ask for nothing, and some that do not even finish their handshakes; it ends when vnetd has closed them all.
CROWD = """
import select, socket, ssl, sys
context = ssl._create_unverified_context()
crowd = [socket.create_connection((sys.argv[1], int(sys.argv[2]))) for _ in range(300)]
for i in range(0, len(crowd), 3):
    try:
        crowd[i] = context.wrap_socket(crowd[i])
    except OSError:
        crowd[i] = None
crowd = [s for s in crowd if s]
print("there", flush=True)
while crowd:
    for s in select.select(crowd, [], [])[0]:
        try:
            if s.recv(4096):
                continue
        except OSError:
            pass
        crowd.remove(s)
"""


@pytest.fixture(scope="module")
def crowd(lab):
    """On hv1: more than all that vnetd takes without a certificate. Its process."""
    host, log = lab["hv1"], lab["hv1"].path("crowd.log")
    number = host.agent.call("spawn", argv=["/usr/bin/python3", "-c", CROWD, NODE_IP, str(API_PORT)], log=log)

    def is_there():
        with open(log) as f:
            return "there" in f.read()
    wait_until(is_there, 30, "the crowd is there")
    return number


@pytest.fixture(scope="module")
def stranger(lab, crowd):
    return lab.add_host("hv2", join=False)


def join(host, token, *options, url=URL):
    """(status, output, errors)"""
    program = os.path.join(build_folder(), "bin", "vnet-agent")
    return host.run(program, "join", url, f"--token={token}", "--name=hv2", f"--encap-ip={host.tunnel_ip}", "--datapath-type=netdev",
                    f"--dir={host.path('pki')}", f"--config={host.path('agent.conf')}", *options, check=False)


def expect_refused(host, token, words, **more):
    before = host.vsctl("get-manager") + host.vsctl("get", "open_vswitch", ".", "external_ids")
    status, output, errors = join(host, token, **more)
    assert status == 1 and words in errors, (status, output, errors)
    assert len(errors.strip().splitlines()) == 1
    assert host.vsctl("get-manager") + host.vsctl("get", "open_vswitch", ".", "external_ids") == before
    assert not os.path.exists(host.path("agent.conf"))


def test_a_wrong_token_is_refused(lab, stranger):
    token = lab.ctl("host-token")
    version, identity, secret, fingerprint = token.split(".")
    expect_refused(stranger, f"{version}.{identity}.{'0' * 32}.{fingerprint}", "the token is wrong")
    expect_refused(stranger, f"{version}.{'0' * 12}.{secret}.{fingerprint}", "the token is wrong")
    expect_refused(stranger, "nonsense", "no token of 'vnetctl host-token'")
    expect_refused(stranger, f"{version}.{identity}.{secret}.{'0' * 64}", "not the vnetd that made the token")


def test_an_expired_token_and_that_of_another_host_are_refused(lab, stranger):
    short = lab.ctl("host-token", "ttl=1")
    expect_refused(stranger, lab.ctl("host-token", "hv9"), "the token is for host 'hv9'")
    # A connected host's name is refused before the token is looked at, and does not use it up.
    wait_until(lambda: join(stranger, short, "--name=hv1")[0] == 1 and lab.vnetd.http("GET", "/healthz")[0] == 200, 5, "hv1 is taken")
    begin = time.monotonic()
    wait_until(lambda: time.monotonic() > begin + 1.1, 5, "a second has passed")
    expect_refused(stranger, short, "wrong, was used, or has expired")
    assert lab.host_row("hv2") is None


def test_a_host_joins_once_with_a_token_and_its_agent_speaks_for_it(lab, stranger):
    token = lab.ctl("host-token", "hv2")
    added = f"# of the admin\nstate-dir = {stranger.path('state')}\n"
    with open(stranger.path("agent.conf"), "w") as f:         # of an earlier join
        f.write("# Written by 'vnet-agent join'.\nserver = https://192.0.2.9:6680\n" + added)
    status, output, errors = join(stranger, token)
    assert status == 0, errors
    assert "host 'hv2' joins" in output
    with open(stranger.path("agent.conf")) as f:
        text = f.read()
    assert text.endswith(added) and text.count("server = ") == 1 and f"server = {URL}\n" in text, text
    lab.ready("hv2")
    assert stranger.vsctl("get", "open_vswitch", ".", "external_ids:vnet-mtu") == '"1500"'
    assert oct(os.stat(stranger.path("pki", "hv2-key.pem")).st_mode & 0o777) == "0o600"

    program, log = os.path.join(build_folder(), "bin", "vnet-agent"), stranger.path("agent.log")
    number = stranger.agent.call("spawn", argv=[program, f"--config={stranger.path('agent.conf')}", f"--socket={stranger.path('hook.sock')}",
                                                "--connect=test:///default"], log=log)
    try:
        lab.wait_agents("hv2")
    except LabError as e:
        raise AssertionError(f"{e}: {open(log).read()[-2000:]}") from e
    wait_until(lambda: (lab.host_row("hv2")["underlay"] or {}).get("mtu") == 1500, 10, "the agent tells of the underlay")
    assert lab.host_row("hv2")["underlay"] == {"device": "br-phy", "mtu": 1500, "up": True}
    wait_until(lambda: lab.instance("test"), 10, "libvirt's test driver's domain is reported")
    stranger.agent.call("kill", number=number, name="TERM")
    assert stranger.agent.call("wait", number=number, timeout=20) == 0, open(log).read()[-2000:]

    status, _, errors = join(stranger, token)
    assert status == 1 and "is connected already" in errors
    guests = lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "a", "10.0.1.0/24")
    one, two = lab.vms(["a:one@hv1", "a:two@hv2"])
    assert one.ping(two.ip) == "reply" and guests == ""


def test_who_has_no_certificate_and_asks_for_nothing_is_sent_away(lab, stranger, crowd):
    assert lab["hv1"].agent.call("wait", number=crowd, timeout=30) == 0


def test_a_used_token_is_refused(lab, stranger):
    token = lab.ctl("host-token")
    third = lab.add_host("hv3", join=False)
    program = os.path.join(build_folder(), "bin", "vnet-agent")
    arguments = ["join", URL, f"--token={token}", f"--encap-ip={third.tunnel_ip}", "--datapath-type=netdev", f"--dir={third.path('pki')}",
                 f"--config={third.path('agent.conf')}"]
    assert third.run(program, *arguments, "--name=hv3", check=False)[0] == 0
    lab.ready("hv3")
    status, _, errors = third.run(program, *arguments, "--name=hv4", check=False)
    assert status == 1 and "was used" in errors
    lab.vnetd.restart()
    status, _, errors = third.run(program, *arguments, "--name=hv4", check=False)
    assert status == 1 and "was used" in errors


def test_a_token_outlives_a_restart_of_vnetd(lab, stranger):
    token = lab.ctl("host-token", "hv5")
    lab.vnetd.restart()
    fifth = lab.add_host("hv5", join=False)
    program = os.path.join(build_folder(), "bin", "vnet-agent")
    status, _, errors = fifth.run(program, "join", URL, f"--token={token}", "--name=hv5", f"--encap-ip={fifth.tunnel_ip}",
                                  "--datapath-type=netdev", f"--dir={fifth.path('pki')}", f"--config={fifth.path('agent.conf')}", check=False)
    assert status == 0, errors
    lab.ready("hv5")


def test_without_a_certificate_nothing_else_can_be_asked(lab, stranger):
    for path in ("/v1/port", "/v1/agent/instructions?host=hv1", "/healthz", "/v1/schema"):
        done = lab.node.run("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", URL + path)
        assert done == "403", path
