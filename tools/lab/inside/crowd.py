"""TCP by the thousand, and one conversation watched closely: a server that echoes, many connections held open at once, a chat."""
import resource
import select
import selectors
import socket
import struct
import threading
import time


def _allow_many_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class TcpEcho:
    """Echoes on any number of connections, in one thread. Remembers who came; 'open' is how many of them are here."""

    def __init__(self, port, ip="0.0.0.0"):
        _allow_many_files()
        self._socket = socket.create_server((ip, port), backlog=4096)
        self._socket.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._peers, self._ended = set(), False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._ended:
            for key, _ in self._selector.select(0.1):
                if key.fileobj is self._socket:
                    self._accept()
                else:
                    self._answer(key.fileobj)

    def _accept(self):
        try:
            while True:
                client, peer = self._socket.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.setblocking(False)
                self._peers.add(peer)
                self._selector.register(client, selectors.EVENT_READ)
        except BlockingIOError:
            pass

    def _answer(self, client):
        try:
            data = client.recv(1 << 16)
            if data:
                client.sendall(data)               # small: the buffer takes it
                return
        except OSError:
            pass
        self._selector.unregister(client)
        client.close()

    def look(self):
        peers = self._peers.copy()
        return {"connections": len(peers), "open": len(self._selector.get_map()) - 1, "ips": sorted({ip for ip, _ in peers}),
                "ports": sorted(p for _, p in peers)}

    def stop(self):
        self._ended = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        return self.look()


class Crowd:
    """`count` connections to a TcpEcho, each asking with words of its own; all are held until stop(). Being made takes until all are
    answered, or `timeout`. first_port: the first connection's own port, the next one's is the next."""

    def __init__(self, ip, port, count, name, timeout=10.0, first_port=0):
        _allow_many_files()
        self._name, self._n_right, self._wrong, self._errors = name, 0, [], {}
        self._sockets, self._selector = [], selectors.DefaultSelector()
        for number in range(count):
            self._begin(ip, port, number, first_port and first_port + number)
        end = time.monotonic() + timeout
        while self._selector.get_map() and (left := end - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                self._go_on(key)
        self._n_silent = len(self._selector.get_map())

    def _begin(self, ip, port, number, own_port):
        s = socket.socket()
        if own_port:
            s.bind(("", own_port))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))     # ends with a reset: no TIME_WAIT
        s.setblocking(False)
        s.connect_ex((ip, port))
        self._sockets.append(s)
        self._selector.register(s, selectors.EVENT_WRITE, f"{self._name}/{number}".encode())

    def _go_on(self, key):
        try:
            if key.events == selectors.EVENT_WRITE:
                key.fileobj.send(key.data)
                self._selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
                return
            answer = key.fileobj.recv(4096)
            if answer == key.data:
                self._n_right += 1
            else:
                self._wrong.append([key.data.decode(), answer.decode(errors="replace")])
        except OSError as e:
            self._errors[e.strerror] = self._errors.get(e.strerror, 0) + 1
        self._selector.unregister(key.fileobj)

    def look(self):
        return {"right": self._n_right, "wrong": self._wrong[:5], "silent": self._n_silent, "errors": self._errors}

    def stop(self):
        for s in self._sockets:
            s.close()
        return self.look()


class Chat:
    """One connection to a TcpEcho: a numbered line every `interval_ms`. Afterwards: whether all came back in order, and the longest
    silence, which is what a user of the connection would have noticed."""

    def __init__(self, ip, port, interval_ms=5, timeout=5):
        self._socket = socket.create_connection((ip, port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._interval, self._ended = interval_ms / 1000, False
        self._n_sent, self._n_back, self._gap, self._error = 0, 0, 0.0, None
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self):
        due = last_at = time.monotonic()
        rest, unsent = b"", b""
        try:
            while not self._is_over():
                now = time.monotonic()
                if now >= due and not self._ended:
                    unsent += b"%011d\n" % self._n_sent
                    self._n_sent += 1
                    due += self._interval
                readable, writable, _ = select.select([self._socket], [self._socket] if unsent else [], [],
                                                      0.05 if self._ended else min(0.05, max(0, due - now)))
                if writable:
                    unsent = unsent[self._socket.send(unsent):]
                if readable:
                    rest = self._check(rest + self._read())
                    now = time.monotonic()
                    self._gap, last_at = max(self._gap, now - last_at), now
        except (OSError, ValueError) as e:
            self._error = str(e)

    def _read(self):
        data = self._socket.recv(1 << 16)
        if not data:
            raise ValueError("closed by the other side")
        return data

    def _check(self, data):
        *lines, rest = data.split(b"\n")
        for line in lines:
            if int(line) != self._n_back:
                raise ValueError(f"line {line!r} came instead of {self._n_back}")
            self._n_back += 1
        return rest

    def _is_over(self):
        return self._ended and (self._n_back == self._n_sent or time.monotonic() > self._give_up_at)

    def look(self):
        return {"sent": self._n_sent, "back": self._n_back, "longest_gap_ms": round(1000 * self._gap, 1), "error": self._error}

    def stop(self):
        self._give_up_at = time.monotonic() + 5
        self._ended = True
        self._thread.join()
        self._socket.close()
        return self.look()
