"""Traceroute: UDP to a closed port with a rising time to live. The kernel hands an ICMP error to the socket it is about only if the
packet quoted in it is that socket's own, to the port; so an answer here proves the quoted header too."""
import select
import socket
import struct
import time

from lab.inside import probe

IP_RECVERR = 11
MSG_ERRQUEUE = 0x2000


def trace_route(ip, port=33434, max_hops=6, size=32, timeout=2.0):
    """[[address, word], ...], one per hop, up to the one that says 'port-unreachable'; [None, 'none'] for a silent one."""
    sockets = [_probe(ip, port + hop, hop, size) for hop in range(1, max_hops + 1)]
    answers = [[None, "none"]] * max_hops
    try:
        _collect(sockets, answers, time.monotonic() + timeout)
    finally:
        for s in sockets:
            s.close()
    last = next((i for i, (_, word) in enumerate(answers) if word == "port-unreachable"), max_hops - 1)
    return answers[:last + 1]


def _probe(ip, port, ttl, size):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    s.setsockopt(socket.IPPROTO_IP, probe.IP_MTU_DISCOVER, probe.IP_PMTUDISC_DONT)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    s.connect((ip, port))
    s.send(bytes(size))
    return s


def _collect(sockets, answers, until):
    poll = select.poll()
    left = {s.fileno(): i for i, s in enumerate(sockets)}
    for s in sockets:
        poll.register(s, select.POLLERR)
    while left and (rest := until - time.monotonic()) > 0:
        for fd, _ in poll.poll(rest * 1000):
            index = left.pop(fd)
            poll.unregister(fd)
            answers[index] = _read_error(sockets[index])
        done = [i for i, (_, word) in enumerate(answers) if word == "port-unreachable"]
        if done and all(answers[i][1] != "none" for i in range(done[0])):
            return


def _read_error(s):
    _, extra, _, _ = s.recvmsg(512, 512, MSG_ERRQUEUE)
    data = next(d for level, kind, d in extra if kind == IP_RECVERR)
    _, origin, kind, code = struct.unpack("=IBBB", data[:7])
    if origin != 2:                                # not from the network: our own kernel has no route, or ARP failed
        return [None, f"local-{kind}-{code}"]
    word = "ttl-exceeded" if kind == 11 else probe.UNREACHABLE_WORDS.get(code, f"unreachable-{code}")
    return [socket.inet_ntoa(data[20:24]), word]
