"""What goes on for a while: a stream of pings whose gaps are measured, servers, a bulk transfer."""
import hashlib
import itertools
import select
import socket
import struct
import threading
import time

from lab.inside import probe

IP_PKTINFO = 8


class PingStream:
    """An echo request every `interval_ms`; afterwards who was lost, how many answers came more than once, and how
    long the longest silence was."""

    def __init__(self, ip, interval_ms=5, size=56):
        self._ip, self._interval, self._size = ip, interval_ms / 1000, size
        self._identity = probe.next_identity()
        self._socket = probe.icmp_socket(False, 64)
        self._sent_at, self._back_at, self._n_again, self._ended = {}, {}, 0, threading.Event()
        self._threads = [threading.Thread(target=t, daemon=True) for t in (self._send, self._receive)]
        for t in self._threads:
            t.start()

    def _send(self):
        begin = time.monotonic()
        for number in itertools.count():
            if self._ended.wait(max(0, begin + number * self._interval - time.monotonic())):
                return
            self._sent_at[number] = time.monotonic()
            try:
                self._socket.sendto(probe.echo_request(self._identity, number & 0xFFFF, self._size), (self._ip, 0))
            except OSError:
                pass                               # counts as sent and lost, which is what a guest's user sees

    def _receive(self):
        while not self._is_over():
            if not select.select([self._socket], [], [], 0.05)[0]:
                continue
            parsed = probe.parse_icmp(self._socket.recv(65535), self._identity)
            if parsed and parsed[1] == "reply":
                newest = len(self._sent_at) - 1
                number = newest - ((newest - parsed[0]) & 0xFFFF)
                self._n_again += number in self._back_at
                self._back_at.setdefault(number, time.monotonic())

    def _is_over(self):
        """The socket hears other streams' answers too, so silence says nothing."""
        if not self._ended.is_set():
            return False
        return len(self._back_at) == len(self._sent_at) or time.monotonic() > self._give_up_at

    def look(self):
        back = sorted(self._back_at.copy().values())
        gaps = [b - a for a, b in zip(back, back[1:])]
        sent = len(self._sent_at)
        lost = [n for n in range(sent) if n not in self._back_at]
        return {"sent": sent, "received": len(back), "lost": lost[:50], "n_lost": len(lost), "n_again": self._n_again,
                "longest_gap_ms": round(1000 * max(gaps, default=0), 1)}

    def stop(self):
        self._give_up_at = time.monotonic() + 1
        self._ended.set()
        for t in self._threads:
            t.join()
        self._socket.close()
        return self.look()


class TcpServer:
    """Accepts on a port; reads to the end of each connection and answers with count and digest of what came."""

    def __init__(self, port, ip="0.0.0.0"):
        self._socket = socket.create_server((ip, port), backlog=64)
        self._accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self._accepted += 1
            threading.Thread(target=self._read, args=(client,), daemon=True).start()

    @staticmethod
    def _read(client):
        digest, n = hashlib.sha256(), 0
        with client:
            try:
                while data := client.recv(1 << 16):
                    digest.update(data)
                    n += len(data)
                client.sendall(struct.pack("!Q", n) + digest.digest())
            except OSError:
                return

    def look(self):
        return self._accepted

    def stop(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        return self._accepted


def tcp_send(ip, port, n_bytes, timeout=20):
    """Sends n_bytes to a TcpServer and compares what it has read. {"ok", "seconds", "mss"}."""
    block = bytes(range(256)) * 256
    digest = hashlib.sha256()
    begin = time.monotonic()
    with socket.create_connection((ip, port), timeout) as s:
        mss = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        left = n_bytes
        while left:
            part = block[:left]
            s.sendall(part)
            digest.update(part)
            left -= len(part)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while len(answer) < 40 and (data := s.recv(40)):
            answer += data
    ok = answer == struct.pack("!Q", n_bytes) + digest.digest()
    return {"ok": ok, "seconds": round(time.monotonic() - begin, 3), "mss": mss}


class TcpGiver:
    """Sends to whoever connects as many bytes as the first eight say, and closes."""

    def __init__(self, port, ip="0.0.0.0"):
        self._socket = socket.create_server((ip, port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._give, args=(client,), daemon=True).start()

    @staticmethod
    def _give(client):
        with client:
            try:
                client.sendall(_pattern(struct.unpack("!Q", client.recv(8, socket.MSG_WAITALL))[0]))
            except (OSError, struct.error):        # who asked is gone
                return

    def look(self):
        return None

    def stop(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _pattern(n_bytes):
    return (bytes(range(251)) * (n_bytes // 251 + 1))[:n_bytes]


def tcp_fetch(ip, port, n_bytes, timeout=20):
    """n_bytes from a TcpGiver, compared. {"ok", "n_bytes", "seconds"}: what came within the time."""
    begin, data = time.monotonic(), bytearray()
    with socket.create_connection((ip, port), timeout) as s:
        s.sendall(struct.pack("!Q", n_bytes))
        try:
            while (left := begin + timeout - time.monotonic()) > 0:
                s.settimeout(left)
                part = s.recv(1 << 16)
                if not part:
                    break
                data += part
        except TimeoutError:
            pass
    return {"ok": data == _pattern(n_bytes), "n_bytes": len(data), "seconds": round(time.monotonic() - begin, 3)}


class UdpServer:
    """Answers each question of probe.udp_ask with its first 8 bytes and its own name; so one sees who answered. Counts them."""

    def __init__(self, port, name="", ip="0.0.0.0"):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        # The answer leaves from the address that was asked, which matters where a guest has several.
        self._socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self._socket.bind((ip, port))
        self._socket.settimeout(0.1)
        self._name, self._count, self._ended = name.encode(), 0, False
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self):
        while not self._ended:
            try:
                data, extra, _, who = self._socket.recvmsg(65535, 256)
                self._count += 1
                asked = next(d[8:12] for level, kind, d in extra if kind == IP_PKTINFO)
                source = struct.pack("=i", 0) + asked + bytes(4)
                self._socket.sendmsg([data[:8] + self._name], [(socket.IPPROTO_IP, IP_PKTINFO, source)], 0, who)
            except OSError:                        # a time-out, or no way back
                continue

    def look(self):
        return self._count

    def stop(self):
        self._ended = True
        self._thread.join()
        self._socket.close()
        return self._count
