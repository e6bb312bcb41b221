"""Load on a server that echoes (TcpEcho): requests one after another, each on a connection of its own, whose failures are dated; and long
connections that all talk now and then."""
import selectors
import socket
import struct
import threading
import time

ENDS_BY_RESET = struct.pack("ii", 1, 0)             # no TIME_WAIT


class Requests:
    """`workers` threads that each connect, ask, compare the answer and close, without a pause but `pause_ms`. Times are time.monotonic(), which all of
    a machine share."""

    def __init__(self, ip, port, workers=4, timeout=1.0, pause_ms=5):
        self._address, self._timeout, self._pause, self._ended = (ip, port), timeout, pause_ms / 1000, False
        self._n_done, self._failures, self._lock = 0, [], threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(i,), daemon=True) for i in range(workers)]
        for t in self._threads:
            t.start()

    def _work(self, worker):
        number = 0
        while not self._ended:
            number += 1
            begin = time.monotonic()
            error = self._request(f"{worker}/{number}".encode())
            with self._lock:
                self._n_done += not error
                if error:
                    self._failures.append([begin, error])
            time.sleep(self._pause)

    def _request(self, words):
        """None, or what went wrong, at which step and from which port."""
        with socket.socket() as s:
            s.settimeout(self._timeout)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ENDS_BY_RESET)
            step = "connect"
            try:
                s.connect(self._address)
                step = "answer"
                s.sendall(words)
                answer = s.recv(100)
                return None if answer == words else f"answered {answer!r}"
            except OSError as e:
                return f"{step}: {e.strerror or e} (from port {s.getsockname()[1]})"

    def look(self):
        with self._lock:
            return {"done": self._n_done, "failures": list(self._failures)}

    def stop(self):
        self._ended = True
        for t in self._threads:
            t.join()
        return self.look()


class Crew:
    """`count` long connections, each with a question every `interval` seconds, whether the last one is answered or not: who only waits never learns
    that the other end is gone if that took the question before it died. Being made takes until all are connected. first_port: the first connection's
    own port, the next one's is the next."""

    def __init__(self, ip, port, count, interval=0.5, timeout=10.0, first_port=0):
        self._interval, self._ended, self._lost = interval, False, []
        self._selector = selectors.DefaultSelector()
        for i in range(count):
            s = socket.create_connection((ip, port), timeout, ("", first_port and first_port + i))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ENDS_BY_RESET)
            s.setblocking(False)
            self._selector.register(s, selectors.EVENT_READ, {"number": i, "asked": 0, "answered": 0, "rest": b""})
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self):
        while not self._ended:
            due = time.monotonic() + self._interval
            for key in list(self._selector.get_map().values()):
                self._ask(key)
            while (left := due - time.monotonic()) > 0 and not self._ended:
                for key, _ in self._selector.select(min(left, 0.1)):
                    self._hear(key)

    def _lose(self, key, why):
        self._lost.append(f"{key.data['number']}: {why}")
        self._selector.unregister(key.fileobj)
        key.fileobj.close()

    @staticmethod
    def _line(number):
        return b"%07d\n" % number

    def _ask(self, key):
        try:
            key.data["asked"] += 1
            key.fileobj.send(self._line(key.data["asked"]))
        except OSError as e:
            self._lose(key, e.strerror)

    def _hear(self, key):
        try:
            data = key.fileobj.recv(4096)
        except OSError as e:
            self._lose(key, e.strerror)
            return
        talk, heard = key.data, key.data["rest"] + data
        while talk["answered"] < talk["asked"] and heard.startswith(due := self._line(talk["answered"] + 1)):
            talk["answered"] += 1
            heard = heard[len(due):]
        talk["rest"] = heard
        if not data or not self._line(talk["answered"] + 1).startswith(heard):
            self._lose(key, f"answered {data!r}")

    def look(self):
        data = [key.data for key in list(self._selector.get_map().values())]
        return {"alive": len(data), "lost": self._lost, "fewest_answers": min((d["answered"] for d in data), default=0),
                "most_questions": max((d["asked"] for d in data), default=0)}

    def stop(self):
        self._ended = True
        self._thread.join()
        result = self.look()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        return result
