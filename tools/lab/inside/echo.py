"""Datagrams that come back as they were: UDP and any other IP protocol, larger than a packet if wished; compared byte for byte."""
import os
import select
import socket
import struct
import threading
import time

from lab.inside import probe

IP_PKTINFO = 8
MARK = 12                                          # question or answer, which attempt, whose


def _socket_for(protocol):
    """protocol None: UDP."""
    if protocol is None:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.setsockopt(socket.IPPROTO_IP, probe.IP_MTU_DISCOVER, probe.IP_PMTUDISC_DONT)
    return s


def _body(data, protocol):
    """What the sender gave: raw sockets hand out the IP header too."""
    return data if protocol is None else data[(data[0] & 15) * 4:]


class EchoServer:
    """Sends every question back as an answer, from the address that was asked."""

    def __init__(self, port=0, protocol=None):
        self._socket, self._protocol = _socket_for(protocol), protocol
        self._socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self._socket.bind(("", port))
        self._socket.settimeout(0.1)
        self._ended, self._senders = False, {}
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._ended:
            try:
                data, extra, _, who = self._socket.recvmsg(70000, 256)
                body = _body(data, self._protocol)
                if body[:1] != b"?":
                    continue
                self._senders[who[0]] = self._senders.get(who[0], 0) + 1
                asked = next(d[8:12] for level, kind, d in extra if kind == IP_PKTINFO)
                source = struct.pack("=i", 0) + asked + bytes(4)
                self._socket.sendmsg([b"!" + body[1:]], [(socket.IPPROTO_IP, IP_PKTINFO, source)], 0, who)
            except OSError:                        # a time-out, or no way back
                continue

    def look(self):
        """{sender's address: questions}."""
        return dict(self._senders)

    def stop(self):
        self._ended = True
        self._thread.join()
        self._socket.close()
        return self.look()


def exchange(ip, port=0, protocol=None, size=64, timeout=2.0, tries=2, source_port=0):
    """Asks an EchoServer with `size` random bytes: 'same', 'different' or 'none' came back."""
    token, rest = os.urandom(MARK - 1), os.urandom(size - MARK)
    end = time.monotonic() + timeout
    word = "none"
    with _socket_for(protocol) as s:
        s.bind(("", source_port))
        for attempt in range(tries):
            try:
                s.sendto(b"?" + token + rest, (ip, port))
            except OSError:
                pass                               # an ICMP error of the attempt before
            word = _await_answer(s, protocol, token, rest, end - timeout + timeout * (attempt + 1) / tries)
            if word != "none":
                break
    return word


def _await_answer(s, protocol, token, rest, until):
    while (left := until - time.monotonic()) > 0:
        if not select.select([s], [], [], left)[0]:
            break
        try:
            body = _body(s.recv(70000), protocol)
        except OSError:
            continue
        if body[:MARK] == b"!" + token:
            return "same" if body[MARK:] == rest else "different"
    return "none"
