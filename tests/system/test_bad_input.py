"""Bad input of every kind, from users, programs, switches and databases: one clear error, and nothing has changed."""
import json
import random
import re
import socket
import struct

import pytest

from lab import wait_until
from lab.underlay import NODE_IP
from support import everything, expect_verify_clean

LAB = {"hosts": 1}


@pytest.fixture(scope="module")
def net(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--", "port-add", "s", "a", "ip=10.0.1.10",
            "--", "vpc-add", "w", "10.0.0.0/16", "--", "rtb-add", "v", "t", "--", "tenant-add", "red")
    lab.ctl("sg-add", "v", "g", "--", "set", "port", "a", "sg=g", "--", "sg-add", "w", "far", "--", "tg-add", "v", "web", "tcp", "80",
            "--", "target-add", "web", "a", "--", "tg-add", "v", "names", "udp", "53", "--", "lb-add", "s", "front", "ip=10.0.1.20",
            "--", "listener-add", "front", "tcp:80", "web")
    a, b = lab.vms(["s:b@hv1", "s:c@hv1"])
    return a, b


@pytest.fixture(autouse=True)
def nothing_changes(lab, net):
    """Around each test: intent the same, the daemon the same process."""
    before, pid = everything(lab), lab.vnetd.pid()
    yield
    assert lab.vnetd.status() is None, lab.vnetd.last_words()
    assert lab.vnetd.pid() == pid
    assert everything(lab) == before


@pytest.fixture
def goes_on(lab, net):
    """After a test with hostile peers: the network works and is as intended."""
    yield
    assert net[0].ping(net[1].ip) == "reply"
    lab.ready()
    expect_verify_clean(lab)


# what is typed -> a word that the error must contain
COMMANDS = [
    (["vpc-add", "x", "10.0.0.1/16"], "10.0.0.0/16"), (["vpc-add", "x", "10.0.0.0/33"], "10.0.0.0/33"), (["vpc-add", "x", "10.0.0/16"], "10.0.0/16"),
    (["vpc-add", "x", "10.0.0.0"], "10.0.0.0"), (["vpc-add", "x", ""], "cidr"), (["vpc-add", "x"], ""), (["vpc-add", "x", "fd00::/64"], "fd00"),
    (["vpc-add", "none", "10.0.0.0/16"], "none"), (["vpc-add", "a" * 64, "10.0.0.0/16"], "63"), (["vpc-add", "a/b", "10.0.0.0/16"], "a/b"),
    (["vpc-add", "", "10.0.0.0/16"], "empty"), (["vpc-add", "ü", "10.0.0.0/16"], ""), (["vpc-add", "a b", "10.0.0.0/16"], "a b"),
    (["vpc-add", "01234567-89ab-4cde-8f01-23456789abcd", "10.0.0.0/16"], "UUID"), (["vpc-add", "v", "10.0.0.0/16"], "'v'"),
    (["--may-exist", "vpc-add", "v", "10.1.0.0/16"], "v"), (["vpc-add", "x", "10.0.0.0/16", "nosuch=1"], "nosuch"),
    (["subnet-add", "v", "x", "10.0.1.0/25"], "10.0.1.0/24"), (["subnet-add", "v", "x", "10.1.0.0/24"], "10.0.0.0/16"),
    (["subnet-add", "v", "x", "10.0.2.0/30"], "/29"), (["subnet-add", "nosuch", "x", "10.0.2.0/24"], "nosuch"),
    (["subnet-add", "v", "x", "10.0.2.0/24", "dns=10.0.0"], "dns"), (["subnet-add", "v", "x", "10.0.2.0/24", "lease=-1"], "lease"),
    (["subnet-add", "v", "x", "10.0.2.0/24", "lease=99999999999"], "lease"), (["subnet-add", "v", "x", "10.0.2.0/24", "rtb=w"], "w"),
    (["port-add", "s", "x", "ip=10.0.1.1"], "10.0.1.1"), (["port-add", "s", "x", "ip=fd00::10"], "'fd00::10' is no IPv4 address"),
    (["port-add", "s", "x", "ips=10.0.1.77,fd00::10"], "'fd00::10' is no IPv4 address"), (["set", "port", "a", "name=x"], "a name cannot be changed"), (["port-add", "s", "x", "ip=10.0.1.0"], "10.0.1.0"), (["port-add", "s", "x", "ip=10.0.1.255"], "10.0.1.255"),
    (["port-add", "s", "x", "ip=10.0.1.2"], "10.0.1.2"), (["port-add", "s", "x", "ip=10.0.1.10"], "10.0.1.10"), (["port-add", "s", "x", "ip=10.0.2.5"], "10.0.2.5"),
    (["port-add", "s", "x", "mac=01:00:00:00:00:01"], "mac"), (["port-add", "s", "x", "mac=00:00:00:00:00:00"], "mac"), (["port-add", "s", "x", "mac=zz"], "mac"),
    (["port-add", "s", "x", "id=123"], "id"), (["port-add", "s", "x", "source_dest_check=perhaps"], "source_dest_check"),
    (["port-add", "nosuch", "x"], "nosuch"), (["set", "port", "a", "vpc=w"], "vpc"), (["set", "port", "a", "state=active"], "state"),
    (["set", "port", "nosuch", "ip=10.0.1.50"], "nosuch"), (["get", "port", "a", "nosuch"], "nosuch"), (["list", "nosuch"], "nosuch"),
    (["find", "port", "nosuch=1"], "nosuch"), (["vpc-del", "nosuch"], "nosuch"), (["vpc-del", "v"], "s"), (["subnet-del", "s"], "a"),
    (["rtb-del", "v"], "main"), (["route-add", "v", "10.0.0.0/16", "blackhole"], "10.0.0.0/16"), (["route-add", "v", "10.5.0.1/16", "blackhole"], "10.5.0.0/16"),
    (["route-add", "v", "10.5.0.0/16", "port:nosuch"], "nosuch"), (["route-add", "v", "10.5.0.0/16", "nonsense"], "nonsense"),
    (["route-add", "nosuch", "10.5.0.0/16", "blackhole"], "nosuch"), (["route-del", "v", "10.5.0.0/16"], "10.5.0.0/16"),
    (["sg-del", "v"], "default group of vpc 'v'"), (["sg-del", "g"], "port 'a'"), (["sg-add", "nosuch", "x"], "nosuch"), (["sg-add", "v", "g"], "g"),
    (["sg-rule-add", "g", "in", "tcp", "80", "0.0.0.0/0"], "ingress"), (["sg-rule-add", "g", "ingress", "tcpp", "80", "0.0.0.0/0"], "tcpp"),
    (["sg-rule-add", "g", "ingress", "tcp", "90-80", "0.0.0.0/0"], "90-80"), (["sg-rule-add", "g", "ingress", "icmp", "8/256", "0.0.0.0/0"], "8/256"),
    (["sg-rule-add", "g", "ingress", "all", "80", "0.0.0.0/0"], "80"), (["sg-rule-add", "g", "ingress", "256", "-", "0.0.0.0/0"], "256"),
    (["sg-rule-add", "g", "ingress", "tcp", "80", "10.0.0.1/8"], "10.0.0.0/8"), (["sg-rule-add", "g", "ingress", "tcp", "80", "sg:far"], "vpc 'w'"),
    (["sg-rule-add", "g", "ingress", "tcp", "80", "g"], "sg:name"), (["sg-rule-add", "g", "egress", "all", "-", "0.0.0.0/0"], "the same"),
    (["sg-rule-add", "g", "ingress", "tcp", "80"], "peer is missing"), (["sg-rule-del", "g"], "g"), (["--unused", "--shadowed", "sg-rule-list", "g"], "one option"),
    (["set", "port", "a", "sg=far"], "vpc 'w'"), (["set", "port", "a", "sg=nosuch"], "nosuch"), (["set", "port", "a", "sg_set=1"], "sg_set"), (["list", "sg-set"], "sg-set"),
    (["tg-add", "v", "x", "icmp", "80"], "tcp or udp"), (["tg-add", "v", "x", "tcp", "0"], "65535"), (["tg-add", "v", "x", "tcp", "80", "interval=0"], "interval"),
    (["tg-add", "v", "x", "tcp", "80", "timeout=11"], "interval of 10"), (["tg-add", "v", "x", "tcp", "80", "check=http"], "icmp"), (["tg-del", "web"], "listener 'front/tcp:80'"),
    (["target-add", "web", "a"], "web/a"), (["target-add", "web", "nosuch"], "nosuch"), (["set", "target", "web/a", "weight=101"], "100"), (["port-del", "a"], "target 'web/a'"),
    (["target-del", "web", "b"], "web/b"), (["lb-add", "s", "x", "ip=10.0.1.10"], "port 'a'"), (["port-add", "s", "x", "ip=10.0.1.20"], "lb 'front'"),
    (["lb-add", "s", "x", "affinity=client"], "source"), (["listener-add", "front", "tcp:80", "web"], "front/tcp:80"), (["listener-add", "front", "80", "web"], "proto:port"),
    (["listener-add", "front", "udp:80", "web"], "web"), (["listener-add", "front", "tcp:81", "names"], "names"), (["route-add", "v", "10.5.0.0/16", "lb:front"], "lb:front"),
    (["tenant-del", "default"], "default"), (["tenant-add", "red"], "red"), (["-t", "nosuch", "vpc-list"], "nosuch"), (["nosuch-command"], "nosuch-command"),
    (["port-add", "s", "x", "--", "port-add", "s", "x"], "x"), (["port-add", "s", "x", "--", "nosuch"], "nosuch"),
    (["port-add", "s", "x1", "--", "port-add", "nosuch", "x2"], "nosuch"), (["--timeout=x", "vpc-list"], "timeout"), (["--format=xml", "vpc-list"], "xml"),
    (["--batch=/nonexistent"], "/nonexistent"), (["host-del", "hv1"], "hv1"), (["host-del", "nosuch"], "nosuch"), (["wait-until", "port", "a", "nosuch=1"], "nosuch"),
    (["--server=unix:/nonexistent", "vpc-list"], "/nonexistent"), (["quota-set", "red", "nosuch=1"], "nosuch"), (["quota-set", "red", "vpc=-1"], "vpc"),
]


@pytest.mark.parametrize("arguments,word", COMMANDS, ids=[" ".join(c)[:60] or "-" for c, _ in COMMANDS])
def test_a_wrong_command_is_one_clear_line(lab, arguments, word):
    status, output, errors = lab.ctl.run(*arguments)
    assert status == 1, (status, output)
    assert output == ""
    lines = errors.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("vnetctl"), errors
    assert word.lower() in lines[0].lower(), errors
    assert len(lines[0]) < 500


def test_a_batch_with_one_wrong_line_names_it_and_does_nothing(lab):
    lines = [f"port-add s z{i}" for i in range(50)]
    lines[37] = "port-add s z37 ip=10.9.9.9"
    status, _, errors = lab.ctl.run("--batch=-", stdin="\n".join(lines) + "\n")
    assert status == 1 and "10.9.9.9" in errors and len(errors.strip().splitlines()) == 1


def test_a_full_subnet_says_so(lab):
    lines = ["subnet-add v tiny 10.0.3.0/29"] + [f"port-add tiny q{i}" for i in range(6)]
    status, _, errors = lab.ctl.run("--batch=-", stdin="\n".join(lines) + "\n")
    assert status == 1 and "tiny" in errors, errors


# -- raw HTTP --

REQUESTS = [
    ("POST", "/v1/transactions", b"", {400}), ("POST", "/v1/transactions", b"{", {400}), ("POST", "/v1/transactions", b"[]", {400}),
    ("POST", "/v1/transactions", b'{"ops": 5}', {400}), ("POST", "/v1/transactions", b'{"ops": [5]}', {400}),
    ("POST", "/v1/transactions", b'{"ops": [{"op": "explode", "type": "vpc", "name": "x"}]}', {400}),
    ("POST", "/v1/transactions", b'{"ops": [{"op": "add", "type": "vpc", "name": "x", "values": {"cidr": 5}}]}', {400}),
    ("POST", "/v1/transactions", b'{"ops": [{"op": "add", "type": "vpc", "name": "x", "values": {"cidr": "10.0.0.0/16", "cidr": "10.1.0.0/16"}}]}', {400}),
    ("POST", "/v1/transactions", b'{"ops": [{"op": "add", "type": "nosuch", "name": "x", "values": {}}]}', {400, 404}),
    ("POST", "/v1/transactions", b'{"ops": [{"op": "add", "type": "vpc", "name": "x\\u0000y", "values": {"cidr": "10.0.0.0/16"}}]}', {400}),
    ("POST", "/v1/transactions", b'{"ops": [{"op": "add", "type": "vpc", "name": "\xff\xfe", "values": {"cidr": "10.0.0.0/16"}}]}', {400}),
    ("POST", "/v1/transactions", b"[" * 100000, {400, 413}), ("POST", "/v1/transactions", b'{"ops": ' + b"[" * 5000 + b"]" * 5000 + b"}", {400}),
    ("POST", "/v1/vpc", b'{"name": "x"}', {400}), ("POST", "/v1/vpc", b'{"name": 5, "cidr": "10.0.0.0/16"}', {400}), ("POST", "/v1/vpc", b"null", {400}),
    ("POST", "/v1/nosuch", b"{}", {404, 400}), ("GET", "/v1/vpc/nosuch", None, {404}), ("GET", "/v1/nosuch", None, {404, 400}),
    ("GET", "/nosuch", None, {404}), ("GET", "/v1/vpc?where=nosuch=1", None, {400}), ("GET", "/v1/vpc?columns=nosuch", None, {400}),
    ("GET", "/v1/vpc?limit=x", None, {400}), ("GET", "/v1/vpc?limit=-1", None, {400}), ("GET", "/v1/vpc?tenant=nosuch", None, {400, 404}),
    ("GET", "/v1/vpc/" + "a" * 20000, None, {400, 404, 413, 414, 431}), ("GET", "/v1/vpc/%zz", None, {400, 404}), ("GET", "/v1/../../etc/passwd", None, {400, 404}),
    ("PATCH", "/v1/port/a", b'{"state": "active"}', {400}), ("PATCH", "/v1/port/a", b'{"nosuch": 1}', {400}), ("PATCH", "/v1/port/nosuch", b"{}", {404}),
    ("DELETE", "/v1/vpc/v", None, {409}), ("DELETE", "/v1/vpc", None, {404, 405, 400}), ("PUT", "/v1/vpc/v", b"{}", {400, 404, 405, 501}),
    ("POST", "/v1/wait", b'{"type": "port", "name": "a", "where": {"nosuch": "1"}, "timeout": 1}', {400}),
    ("POST", "/v1/wait", b'{"type": "port", "name": "a", "where": {"state": "active"}, "timeout": -5}', {400}),
    ("POST", "/v1/trace", b'{"from": "a"}', {400}), ("POST", "/v1/trace", b'{"from": "a", "packet": {"proto": "carrier pigeon", "dst": "10.0.1.11"}}', {400}),
    ("POST", "/v1/sync", b'{"timeout": "long"}', {400}), ("GET", "/v1/verify?host=nosuch", None, {404}),
    ("POST", "/v1/port?dry_run=1", b'{"name": "x", "subnet": "s"}', {400}), ("DELETE", "/v1/port/a?dry_run=1", None, {400}),
    ("PATCH", "/v1/port/a", b'{"name": "other"}', {400}), ("GET", "/v1/show?all_tenants=yes", None, {400}),
]


@pytest.mark.parametrize("method,path,body,statuses", REQUESTS, ids=[f"{m} {p[:30]} {(b or b'')[:30]!r}" for m, p, b, _ in REQUESTS])
def test_a_wrong_request_is_one_json_error(lab, method, path, body, statuses):
    status, text = lab.vnetd.http(method, path, body)
    assert status in statuses, (status, text[:300])
    if path.startswith("/v1/") and len(path) < 8000 and status not in (414, 431, 501):
        error = json.loads(text)["error"]
        assert error["code"] and error["message"] and len(error["message"]) < 600, text[:300]


def raw(lab, *parts, read=True):
    """Bytes to the API's socket; what it answers until it closes or is silent."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(3)
    s.connect(lab.vnetd.socket)
    answer = b""
    try:
        for part in parts:
            s.sendall(part)
        while read and (data := s.recv(1 << 16)):
            answer += data
            if b"\r\n\r\n" in answer:
                break
    except OSError:
        pass
    return s, answer


def test_a_body_beyond_all_bounds_is_refused_before_it_is_read(lab):
    s, answer = raw(lab, b"POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n" + b" " * 1000)
    s.close()
    assert answer[:12] in (b"HTTP/1.1 413", b"HTTP/1.1 400"), answer[:200]
    s, answer = raw(lab, b"GET /v1/vpc HTTP/1.1\r\n" + b"X-Long: " + b"a" * 10_000_000 + b"\r\n\r\n")
    s.close()
    assert not answer.startswith(b"HTTP/1.1 200")


def test_half_requests_and_garbage_disturb_nobody(goes_on, lab, seed):
    rng = random.Random(seed)
    open_ones = []
    for part in (b"", b"G", b"GET /v1/vpc HTTP/1.1\r\n", b"POST /v1/transactions HTTP/1.1\r\nContent-Length: 100\r\n\r\n{", b"\x16\x03\x01\x02\x00",
                 b"\0" * 1000, b"GET " + b"/" * 3000):
        open_ones.append(raw(lab, part, read=False)[0])
    for _ in range(50):
        raw(lab, rng.randbytes(rng.randint(1, 2000)) + b"\r\n\r\n", read=False)[0].close()
    for number in range(200):
        open_ones.append(raw(lab, b"GET /healthz HT", read=False)[0])
    assert lab.vnetd.http("GET", "/healthz", timeout=5)[0] == 200
    for s in open_ones:
        s.close()


def test_clients_that_never_read_delay_nobody(goes_on, lab):
    held = []
    for _ in range(20):
        s, _ = raw(lab, b"GET /v1/events?after=0 HTTP/1.1\r\nHost: x\r\n\r\n", read=False)
        held.append(s)
        s, _ = raw(lab, b"GET /v1/port?all_tenants=1 HTTP/1.1\r\nHost: x\r\n\r\n" * 200, read=False)
        held.append(s)
    for i in range(100):
        assert lab.vnetd.http("PATCH", "/v1/port/a", {"source_dest_check": i % 2 == 1}, timeout=5)[0] == 200
    assert lab.vnetd.http("GET", "/healthz", timeout=5)[0] == 200
    for s in held:
        s.close()


# -- peers that pose as switch or database; they run in the wire's place on the management network --

FAKE = r"""
import json, os, random, socket, struct, sys, threading, time
mode, ip, port, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
rng = random.Random(seed)
held = []
def connect():
    s = socket.create_connection((ip, port), 5); s.settimeout(2); held.append(s); return s
def hear(s):
    try:
        return s.recv(65536)
    except OSError:
        return b""
def message(kind, body=b"", xid=1, version=6, length=None):
    return struct.pack("!BBHI", version, kind, 8 + len(body) if length is None else length, xid) + body
features = struct.pack("!QIBBHII", rng.getrandbits(64), 256, 254, 0, 0, 0x4f, 0)
deeds = {
  "of-silence": lambda s: None,
  "of-garbage": lambda s: s.sendall(rng.randbytes(5000)),
  "of-version": lambda s: s.sendall(message(0, version=1)),
  "of-short-length": lambda s: s.sendall(message(0) + message(2, length=3)),
  "of-long-length": lambda s: s.sendall(message(0) + message(2, length=65535)),
  "of-unknown-datapath": lambda s: (s.sendall(message(0)), hear(s), s.sendall(message(6, features)), hear(s)),
  "of-random-messages": lambda s: (s.sendall(message(0)), hear(s), [s.sendall(message(rng.randint(0, 40), rng.randbytes(rng.randint(0, 200)), rng.getrandbits(32))) for _ in range(300)]),
  "of-half": lambda s: s.sendall(message(0)[:5]),
  "of-never-reads": lambda s: [s.sendall(message(2, b"x" * 1000)) for _ in range(3000)],
  "db-silence": lambda s: None,
  "db-garbage": lambda s: s.sendall(rng.randbytes(5000)),
  "db-not-an-object": lambda s: s.sendall(b"[1,2,3]"),
  "db-deep": lambda s: s.sendall(b"[" * 200000),
  "db-endless-string": lambda s: [s.sendall(b'{"method": "' if i == 0 else b"a" * 100000) for i in range(600)],
  "db-wrong-answers": lambda s: [(hear(s), s.sendall(json.dumps({"id": n, "result": r, "error": None}).encode())) for n, r in enumerate([[], {}, 5, None, "x", [{}], {"Open_vSwitch": 5}])],
  "db-answers-all": lambda s: [answer_all(s, r) for r in ({"Open_vSwitch": {"not-a-uuid": {"new": {}}}}, {"Open_vSwitch": {"01234567-89ab-4cde-8f01-23456789abcd": {"new": {"external_ids": ["map", [["system-id"]]]}}}}, [])],
  "db-unasked-updates": lambda s: [s.sendall(json.dumps({"id": None, "method": m, "params": p}).encode()) for m, p in (("update", []), ("update2", [None, 5]), ("update3", [None, None, {"Bridge": 1}]), ("nosuch", {}), ("echo", "x"))],
  "db-never-reads": lambda s: [s.sendall(b'{"id": 1, "method": "echo", "params": ["' + b"x" * 1000 + b'"]}') for _ in range(3000)],
}
def answer_all(s, result):
    data = hear(s)
    decoder, text = json.JSONDecoder(), data.decode(errors="replace")
    while text:
        try:
            request, end = decoder.raw_decode(text)
        except ValueError:
            return
        text = text[end:].lstrip()
        if isinstance(request, dict) and request.get("id") is not None:
            s.sendall(json.dumps({"id": request["id"], "result": result, "error": None}).encode())
for _ in range(3):
    try:
        s = connect(); deeds[mode](s); hear(s)
    except OSError:
        pass
print("done")
"""
MODES = ["of-silence", "of-garbage", "of-version", "of-short-length", "of-long-length", "of-unknown-datapath", "of-random-messages", "of-half",
         "of-never-reads", "db-silence", "db-garbage", "db-not-an-object", "db-deep", "db-endless-string", "db-wrong-answers", "db-answers-all",
         "db-unasked-updates", "db-never-reads"]


@pytest.mark.parametrize("mode", MODES)
def test_a_hostile_peer_disturbs_nobody(goes_on, lab, net, seed, mode):
    port = 6653 if mode.startswith("of-") else 6640
    with net[0].doing("ping", ip=net[1].ip, interval_ms=5) as stream:
        lab.node.run("/usr/bin/python3", "-c", FAKE, mode, NODE_IP, str(port), str(seed), timeout=60)
        assert lab.vnetd.http("GET", "/healthz", timeout=5)[0] == 200
        assert lab.vnetd.http("POST", "/v1/sync", {"timeout": 5}, timeout=10)[0] == 200
    assert stream.result["n_lost"] == 0, stream.result
    assert {r["name"] for r in lab.vnetd.rows("host")} == {"hv1"}


def test_a_switch_of_no_host_is_refused_and_its_datapath_id_named(goes_on, lab, net, seed):
    dpid, before = random.Random(str(seed)).getrandbits(64), lab.vnetd.log_end()     # FAKE's
    refusal = f"closed: datapath id {dpid:016x} is no host's: only bridges that vnetd has made may connect"

    def is_refused():
        """The log names one in three seconds of those that others above have caused."""
        lab.node.run("/usr/bin/python3", "-c", FAKE, "of-unknown-datapath", NODE_IP, "6653", str(seed), timeout=60)
        return any("OpenFlow connection from" in line and line.endswith(refusal) for line in lab.vnetd.words_since(before).splitlines())

    wait_until(is_refused, 60, "it is refused by its number")


def test_a_second_host_with_the_same_name_or_address_is_refused_and_both_are_named(goes_on, lab, net):
    twin, hv1 = lab.add_host("twin", join=False), lab["hv1"]
    there, here, ip = re.escape(twin.management_ip) + r":\d+", re.escape(hv1.management_ip) + r":\d+", hv1.tunnel_ip

    def is_refused(since, error, reason):
        """hv1 says so, and so does the log of the one that is sent away."""
        return re.fullmatch(error, lab.host_row("hv1")["error"] or "") \
            and re.search(rf"OVSDB connection from {there} closed: {reason}$", lab.vnetd.words_since(since), re.M)

    before = lab.vnetd.log_end()
    twin.join(lab.manager(), name="hv1")
    wait_until(lambda: is_refused(before, rf"another host at {there} claims the same system-id 'hv1' and was refused \(this one is at {here}\)",
                                  rf"system-id 'hv1' is in use by the host at {here}"), 30, "the second hv1 is refused, and both are named")
    assert lab.host_row("hv1")["connected"]
    before = lab.vnetd.log_end()
    twin.vsctl("set", "open_vswitch", ".", "external_ids:system-id=other", f"external_ids:vnet-encap-ip={ip}")
    wait_until(lambda: is_refused(before, rf"host 'other' claims the same vnet-encap-ip {re.escape(ip)} and was refused",
                                  rf"vnet-encap-ip {re.escape(ip)} of host 'other' is in use by host 'hv1'"), 30, "hv1's address is refused, and both are named")
    assert lab.host_row("hv1")["connected"] and lab.host_row("other") is None
    assert net[0].ping(net[1].ip) == "reply"
    lab.remove_host("twin")
    for row in lab.vnetd.rows("host"):
        if row["name"] != "hv1":
            wait_until(lambda n=row["name"]: lab.ctl.run("host-del", n)[0] == 0, 60, f"host-del {row['name']}")


@pytest.mark.parametrize("key,value", [("vnet-encap-ip", "300.1.1.1"), ("vnet-encap-ip", "not an address"), ("vnet-encap-ip", "0.0.0.0"), ("vnet-encap-ip", "224.0.0.1"),
                                       ("vnet-encap-type", "carrier-pigeon"), ("vnet-mtu", "12"), ("vnet-mtu", "x"), ("vnet-bridge", "a/b"),
                                       ("vnet-bridge", "x" * 200), ("vnet-datapath-type", "magic"), ("vnet-uplinks", ":::"), ("vnet-gateway", "perhaps")])
def test_a_host_with_a_wrong_setting_is_in_error_and_recovers(goes_on, lab, net, key, value):
    host = lab["hv1"]
    before = host.vsctl("--if-exists", "get", "open_vswitch", ".", f"external_ids:{key}")
    host.vsctl("set", "open_vswitch", ".", f'external_ids:{key}="{value}"')
    try:
        wait_until(lambda: (lab.host_row("hv1") or {}).get("error") and key in lab.host_row("hv1")["error"], 10, f"hv1's error names {key}")
    finally:
        if before:
            host.vsctl("set", "open_vswitch", ".", f"external_ids:{key}={before}")
        else:
            host.vsctl("remove", "open_vswitch", ".", "external_ids", key)
    wait_until(lambda: not lab.host_row("hv1")["error"], 10, "hv1 is well again")
    lab.ready()
    host.plug([g for g in host.guests if g.tap not in host.vsctl("list-ports", "br-int").split()])
    net[0].reaches(net[1].ip, 5)


@pytest.mark.parametrize("iface_id", ["nosuch", "default/nosuch", "/", "a/b/c", "x" * 5000, "\\u0000", "01234567-89ab-4cde-8f01-23456789abcd", "none", "' or 1=1"])
def test_an_interface_that_names_nothing_is_nobodys(lab, net, iface_id):
    host = lab["hv1"]
    guest = host.add_guest("stranger", "02:00:00:00:00:77")
    guest.static("10.0.1.10", 24)
    host.run("ovs-vsctl", "--timeout=10", "add-port", "br-int", guest.tap, "--", "set", "interface", guest.tap, "external_ids:iface-id=" + json.dumps(iface_id))
    lab.ctl("--wait=hosts", "sync")
    assert guest.ping(net[0].ip, timeout=0.5) == "none"
    host.remove_guest(guest)


def test_random_garbage_as_dhcp_from_a_guest_is_survived(goes_on, lab, net, seed):
    import packets
    rng = random.Random(seed)
    a = net[0]
    frames = []
    for _ in range(300):
        good = struct.pack("!BBBBIHH", 1, 1, 6, 0, rng.getrandbits(32), 0, 0) + bytes(16) + packets.mac(a.mac) + bytes(10 + 192) + b"\x63\x82\x53\x63" + rng.randbytes(rng.randint(0, 300))
        payload = rng.choice([good, good[:rng.randint(0, len(good))], rng.randbytes(rng.randint(0, 1000))])
        frames.append(packets.udp_frame(a.mac, packets.BROADCAST, "0.0.0.0", "255.255.255.255", payload, source_port=68, port=67))
    a.send_frames(*frames)
    fresh = lab["hv1"].add_guest("a", *[lab.port("a")[k] for k in ("mac", "id")])
    assert fresh.dhcp(seconds=10)["ip"] == "10.0.1.10"
    lab["hv1"].remove_guest(fresh)
