"""Streams in one direction, to see when they stop: a TCP server that never stops talking and who listens to it, datagrams nobody answers."""
import select
import socket
import threading
import time

LINE = 12


class Talker:
    """A TCP server that sends a numbered line every `interval_ms` on each connection, whatever comes or does not."""

    def __init__(self, port, interval_ms=5):
        self._interval, self._ended = interval_ms / 1000, threading.Event()
        self._server = socket.create_server(("", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self._ended.is_set():
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = 0
        with client:
            try:
                while not self._ended.wait(self._interval):
                    client.sendall(b"%011d\n" % number)
                    number += 1
            except OSError:
                return

    def look(self):
        return None

    def stop(self):
        self._ended.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


class _Heard:
    """What has come so far, and since when nothing has."""

    def __init__(self):
        self._n, self._gap, self._error, self._last, self._ended = 0, 0.0, None, time.monotonic(), False
        self._thread = threading.Thread(target=self._hear_all, daemon=True)
        self._thread.start()

    def _hear_all(self):
        try:
            while not self._ended:
                if select.select([self._socket], [], [], 0.05)[0]:
                    self._hear()
        except (OSError, ValueError) as e:
            self._error = str(e)

    def _note(self, n):
        now = time.monotonic()
        self._n, self._gap, self._last = self._n + n, max(self._gap, now - self._last), now

    def look(self):
        """longest_gap_ms: between what came, so a silence that lasts is in silent_ms only."""
        return {"received": self._n, "silent_ms": round(1000 * (time.monotonic() - self._last)), "longest_gap_ms": round(1000 * self._gap),
                "error": self._error}

    def stop(self):
        self._ended = True
        self._thread.join()
        self._socket.close()
        return self.look()


class Hearer(_Heard):
    """Connects to a Talker and hears; says nothing itself, but for a byte every `word_ms` if that is given."""

    def __init__(self, ip, port, timeout=5.0, word_ms=0):
        self._socket, self._rest, self._word, self._due = socket.create_connection((ip, port), timeout), b"", word_ms / 1000, 0.0
        self._socket.setblocking(False)
        super().__init__()
        if word_ms:
            threading.Thread(target=self._speak, daemon=True).start()

    def _speak(self):
        while not self._ended:
            try:
                self._socket.send(b".")
            except BlockingIOError:
                pass
            except OSError:
                return
            time.sleep(self._word)

    def _hear(self):
        data = self._socket.recv(1 << 16)
        if not data:
            raise ValueError("closed by the other side")
        *lines, self._rest = (self._rest + data).split(b"\n")
        for number, line in enumerate(lines, self._n):
            if int(line) != number:
                raise ValueError(f"line {line!r} came instead of {number}")
        self._note(len(lines))


class Sink(_Heard):
    """A UDP port that never answers."""

    def __init__(self, port):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("", port))
        super().__init__()

    def _hear(self):
        self._socket.recv(2048)
        self._note(1)


class Pour:
    """A TCP connection into which a line goes every `interval_ms`, and from which nothing is read."""

    def __init__(self, ip, port, interval_ms=5, timeout=5.0):
        self._socket, self._interval = socket.create_connection((ip, port), timeout), interval_ms / 1000
        self._socket.settimeout(30)
        self._n, self._error, self._ended = 0, None, threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self):
        while not self._ended.wait(self._interval):
            try:
                self._socket.sendall(b"%011d\n" % (self._n // LINE))
            except OSError as e:
                self._error = str(e)
                return
            self._n += LINE

    def look(self):
        """sent: bytes."""
        return {"sent": self._n, "error": self._error}

    def stop(self):
        self._ended.set()
        self._thread.join()
        self._socket.close()
        return self.look()


class Source:
    """A datagram every `interval_ms`, from one source port."""

    def __init__(self, ip, port, interval_ms=5):
        self._socket, self._where = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), (ip, port)
        self._interval, self._n, self._ended = interval_ms / 1000, 0, threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self):
        while not self._ended.wait(self._interval):
            try:
                self._socket.sendto(b"one way", self._where)
                self._n += 1
            except OSError:
                continue

    def look(self):
        return {"sent": self._n}

    def stop(self):
        self._ended.set()
        self._thread.join()
        self._socket.close()
        return self.look()
