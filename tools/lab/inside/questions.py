"""Hundreds of questions at once, of every kind of packet: who answers, and as whom the answerer sees the one who asks."""
import os
import select
import selectors
import socket
import struct
import threading
import time

from lab.inside import probe

ASK, ANSWER = b"?", b"!"
TOKEN = 8
RESET = struct.pack("ii", 1, 0)
TIME_REQUEST, TIME_REPLY = 13, 14                  # ICMP's (RFC 792)


def _raw(protocol):
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)


class Answerer:
    """Answers on TCP and UDP ports and on IP protocols with "NAME ADDRESS": its own name and the address that it was asked from."""

    def __init__(self, name, ports, protocols=()):
        self._name, self._ended, self._selector = name, False, selectors.DefaultSelector()
        for port in ports:
            self._watch(socket.create_server(("", port), backlog=256), self._accept)
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind(("", port))
            self._watch(udp, lambda s: self._answer(s, *s.recvfrom(2048)))
        for protocol in protocols:
            self._watch(_raw(protocol), self._answer_raw)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _watch(self, s, act):
        s.setblocking(False)
        self._selector.register(s, selectors.EVENT_READ, act)

    def _serve(self):
        while not self._ended:
            for key, _ in self._selector.select(0.1):
                try:
                    key.data(key.fileobj)
                except OSError:                    # who asked is gone, or no way back
                    continue

    def _says(self, who):
        return f"{self._name} {who[0]}".encode()

    def _accept(self, listener):
        client, who = listener.accept()
        with client:
            client.sendall(self._says(who))

    def _answer(self, s, data, who):
        if data[:1] == ASK:
            s.sendto(ANSWER + data[1:1 + TOKEN] + self._says(who), who)

    def _answer_raw(self, s):
        data, who = s.recvfrom(2048)
        self._answer(s, data[(data[0] & 15) * 4:], (who[0], 0))

    def look(self):
        return None

    def stop(self):
        self._ended = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()


class _Question:
    def __init__(self, number, kind, ip, port, source=0):
        self.number, self.kind, self.ip, self.port, self.source = number, kind, ip, port, source
        self.answer, self.socket, self.token = None, None, os.urandom(TOKEN)

    def ask(self):
        """Once more, if it was asked before."""
        try:
            if self.kind == "tcp":
                self._connect()
            else:
                self._send()
        except OSError as e:
            self._failed(e)

    def _connect(self):
        if self.socket:
            self.socket.close()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("", self.source))
        self.socket.setblocking(False)
        self.socket.connect_ex((self.ip, self.port))

    def _send(self):
        if not self.socket:
            self.socket = {"udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "icmp": lambda: _raw(1), "timestamp": lambda: _raw(1)}.get(
                self.kind, lambda: _raw(int(self.kind)))()
            self.socket.setblocking(False)
            if self.kind == "udp":
                self.socket.bind(("", self.source))
            self.socket.connect((self.ip, self.port if self.kind == "udp" else 0))
        if self.kind == "icmp":
            self.socket.send(probe.echo_request(struct.unpack("!H", self.token[:2])[0], self.number, 16))
        elif self.kind == "timestamp":
            self.socket.send(self._time_message(TIME_REQUEST) + bytes(12))
        else:
            self.socket.send(ASK + self.token)

    def _time_message(self, kind):
        head = struct.pack("!BB2x", kind, 0) + self.token[:4]
        return head[:2] + struct.pack("!H", probe.checksum(head)) + head[4:]

    def hear(self):
        try:
            data = self.socket.recv(2048)
        except BlockingIOError:
            return
        except OSError as e:
            self._failed(e)
            return
        if self.kind == "tcp":
            self.answer = data.decode() or "closed"
        elif self.kind == "icmp":
            heard = probe.parse_icmp(data, struct.unpack("!H", self.token[:2])[0])
            self.answer = "reply" if heard and heard[:2] == (self.number, "reply") else None
        elif self.kind == "timestamp":
            body = data[(data[0] & 15) * 4:]
            self.answer = "reply" if body[:2] == bytes([TIME_REPLY, 0]) and body[4:8] == self.token[:4] else None
        else:
            body = data if self.kind == "udp" else data[(data[0] & 15) * 4:]
            self.answer = body[1 + TOKEN:].decode() if body[:1 + TOKEN] == ANSWER + self.token else None

    def _failed(self, error):
        if isinstance(error, ConnectionRefusedError):
            self.answer = "refused"


def ask(questions, wanted, patience=5.0, interval=0.4):
    """questions: [kind, ip, port] or with its own port after that; kind: tcp, udp, icmp (an echo), timestamp (ICMP's) or a protocol's number. Answers in
    their order: what the Answerer says, 'reply' to what ICMP asked, 'refused', None. Asks again every `interval` s, until all whose numbers are
    `wanted` have answered, but at least once and for `patience` s at most: what nobody wants an answer to has one interval for it."""
    asked = [_Question(i, *q) for i, q in enumerate(questions)]
    end, wanted = time.monotonic() + patience, set(wanted)
    try:
        while True:
            for q in asked:
                if q.answer is None:
                    q.ask()
            _hear(asked, time.monotonic() + interval)
            if time.monotonic() > end or all(asked[i].answer is not None for i in wanted):
                return [q.answer for q in asked]
    finally:
        for q in asked:
            if q.socket:
                q.socket.close()


def _hear(asked, until):
    silent = {q.socket.fileno(): q for q in asked if q.answer is None and q.socket}
    with select.epoll() as poll:
        for fd in silent:
            poll.register(fd, select.EPOLLIN)
        while silent and (left := until - time.monotonic()) > 0:
            for fd, _ in poll.poll(left):
                q = silent[fd]
                q.hear()
                if q.answer is not None:
                    poll.unregister(fd)
                    del silent[fd]
