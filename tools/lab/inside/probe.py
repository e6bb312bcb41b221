"""One question, one answer: ICMP echo to many addresses at once, a TCP connection, a UDP datagram.

Results are words, so that a test can compare a whole matrix: 'reply', 'none', 'net-unreachable', 'host-unreachable',
'port-unreachable', 'frag-needed', 'ttl-exceeded'.
"""
import errno
import itertools
import os
import select
import socket
import struct
import time

IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_PMTUDISC_PROBE = 10, 0, 3
UNREACHABLE_WORDS = {0: "net-unreachable", 1: "host-unreachable", 3: "port-unreachable", 4: "frag-needed", 13: "prohibited"}
_identities = itertools.count(1)


def next_identity():
    """Tells echo requests of one namespace apart; and, by the namespace's own number, those of several that meet behind one address."""
    return (os.stat("/proc/thread-self/ns/net").st_ino * 251 + next(_identities)) & 0xFFFF


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo_request(identity, sequence, size):
    payload = bytes(range(256)) * (size // 256 + 1)
    head = struct.pack("!BBHHH", 8, 0, 0, identity, sequence)
    total = checksum(head + payload[:size])
    return struct.pack("!BBHHH", 8, 0, total, identity, sequence) + payload[:size]


def parse_icmp(packet, identity):
    """(sequence, word, extra) of an answer to one of ours, else None. extra: sender, and the MTU of 'frag-needed'."""
    body = packet[(packet[0] & 15) * 4:]
    if len(body) < 8:
        return None
    kind, code, _, ident, sequence = struct.unpack("!BBHHH", body[:8])
    extra = {"from": socket.inet_ntoa(packet[12:16]), "ttl": packet[8]}
    if kind == 0 and ident == identity:
        return sequence, "reply", extra
    if kind not in (3, 11) or len(body) < 8 + 28:
        return None
    inner = body[8:]
    inner_icmp = inner[(inner[0] & 15) * 4:]
    if inner[9] != 1 or len(inner_icmp) < 8 or struct.unpack("!H", inner_icmp[4:6])[0] != identity:
        return None
    if kind == 3 and code == 4:
        extra["mtu"] = sequence                    # the last 16 bits of the header's second word
    word = "ttl-exceeded" if kind == 11 else UNREACHABLE_WORDS.get(code, f"unreachable-{code}")
    return struct.unpack("!H", inner_icmp[6:8])[0], word, extra


def icmp_socket(df, ttl):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE if df else IP_PMTUDISC_DONT)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    return s


class _Round:
    """The state of one ping of many: who has answered, and how."""

    def __init__(self, targets, size, df, ttl, identity=None):
        self.socket = icmp_socket(df, ttl)
        self.identity = next_identity() if identity is None else identity
        self.targets, self.size, self.answers = targets, size, {}

    def send(self, index):
        packet = echo_request(self.identity, index & 0xFFFF, self.size)
        try:
            self.socket.sendto(packet, (self.targets[index], 0))
        except OSError as e:
            word = {errno.EMSGSIZE: "too-big-locally", errno.ENETUNREACH: "no-route-locally"}.get(e.errno)
            if word:
                self.answers[index] = (word, {})

    def receive(self, until):
        own_errors_are_silence = ("host-unreachable",)
        while len(self.answers) < len(self.targets) and (left := until - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                return
            parsed = parse_icmp(self.socket.recv(65535), self.identity)
            if parsed and parsed[1] not in own_errors_are_silence and parsed[0] < len(self.targets):
                self.answers.setdefault(parsed[0], parsed[1:])


def ping(targets, timeout=1.0, tries=3, size=56, df=False, ttl=64, detail=False, identity=None):
    """Echo requests to all targets at once, again to the silent ones, `tries` times evenly within `timeout` seconds. Answers a list
    in the targets' order: a word each, or with `detail` [word, {...}]."""
    r = _Round(targets, size, df, ttl, identity)
    start = time.monotonic()
    with r.socket:
        for attempt in range(tries):
            for index in range(len(targets)):
                if index not in r.answers:
                    r.send(index)
                    if index % 32 == 31:
                        r.receive(time.monotonic() + 0.001)
            r.receive(start + timeout * (attempt + 1) / tries)
    answers = [r.answers.get(i, ("none", {})) for i in range(len(targets))]
    return answers if detail else [word for word, _ in answers]


def tcp_connect(ip, port, timeout=1.0):
    with socket.socket() as s:
        s.settimeout(timeout)
        try:
            s.connect((ip, port))
            return "connected"
        except TimeoutError:
            return "none"
        except OSError as e:
            return {errno.ECONNREFUSED: "refused", errno.ENETUNREACH: "net-unreachable",
                    errno.EHOSTUNREACH: "none"}.get(e.errno, errno.errorcode.get(e.errno, str(e)))


def udp_send(ip, port, payload, count=1, source_port=0):
    """payload: hexadecimal."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("", source_port))
        for _ in range(count):
            s.sendto(bytes.fromhex(payload), (ip, port))


def udp_connect(ip, port, timeout=3.0, tries=3):
    """What comes of datagrams to a port: 'answered', 'refused' (an ICMP error came to this socket), 'none'."""
    start = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect((ip, port))
            for attempt in range(tries):
                s.send(bytes(16))
                if select.select([s], [], [], max(0, start + timeout * (attempt + 1) / tries - time.monotonic()))[0]:
                    s.recv(65535)
                    return "answered"
        except ConnectionRefusedError:
            return "refused"
    return "none"


def udp_ask(ips, port, timeout=1.0, tries=3, size=32, source_port=0):
    """Asks the UdpServers at all ips at once: their names in the order of ips, None for the silent ones."""
    token = os.urandom(4)
    names = {}
    start = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.bind(("", source_port))
        for attempt in range(tries):
            for index, ip in enumerate(ips):
                if index not in names:
                    _send_question(s, token + struct.pack("!I", index) + bytes(size), ip, port)
            _collect_names(s, token, names, len(ips), start + timeout * (attempt + 1) / tries)
    return [names.get(i) for i in range(len(ips))]


def _send_question(s, question, ip, port):
    try:
        s.sendto(question, (ip, port))
    except OSError:
        pass                                       # no route, or a refusal of an earlier one: silence all the same


def _collect_names(s, token, names, wanted, until):
    while len(names) < wanted and (left := until - time.monotonic()) > 0:
        if not select.select([s], [], [], left)[0]:
            return
        try:
            answer = s.recv(65535)
        except OSError:
            continue
        if answer[:4] == token:
            names.setdefault(struct.unpack("!I", answer[4:8])[0], answer[8:].decode())
