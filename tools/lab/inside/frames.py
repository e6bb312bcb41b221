"""Raw Ethernet frames: sending any, and recording what arrives."""
import socket
import threading
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4


def send(device, frames):
    """frames: hexadecimal strings, whole frames without checksum."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((device, 0))
        for frame in frames:
            s.send(bytes.fromhex(frame))


class Listener:
    """Hears the frames that arrive on a device (not those it sends), whoever they are for; heard() is a subclass's.
    device "": all there are and will be."""

    def __init__(self, device):
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        if device:
            self._socket.bind((device, ETH_P_ALL))
        self._socket.settimeout(0.05)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while not self._ended.is_set():
            try:
                data, address = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            except OSError:
                return
            if address[2] != PACKET_OUTGOING:
                self.heard(data)
            else:
                self.sent(data)

    def sent(self, data):
        """What leaves by the device is of interest to few."""

    def stop(self):
        self._ended.set()
        self._thread.join()
        self._socket.close()
        return self.look()


class Capture(Listener):
    """Keeps the frames, at most `limit` of them, as hexadecimal strings; `both`: also those that leave by the device."""

    def __init__(self, device, limit=10000, both=False):
        self._frames, self._limit, self._both = [], limit, both
        super().__init__(device)

    def heard(self, data):
        if len(self._frames) < self._limit:
            self._frames.append(data.hex())

    def sent(self, data):
        if self._both:
            self.heard(data)

    def look(self):
        return list(self._frames)


class Presence(Listener):
    """When a guest was first and last heard here (time.monotonic()): its first sign, which may be a RARP that its hypervisor sends in its name; what it
    said itself, first and last; and the first frame that was delivered to it."""

    def __init__(self, device, mac):
        self._mac, self._seen = bytes.fromhex(mac.replace(":", "")), dict.fromkeys(("sign", "first", "last", "delivered"))
        super().__init__(device)

    def _note(self, key):
        self._seen[key] = self._seen[key] or time.monotonic()

    def heard(self, data):
        if data[6:12] != self._mac:
            return
        self._note("sign")
        if data[12:14] != b"\x80\x35":
            self._note("first")
            self._seen["last"] = time.monotonic()

    def sent(self, data):
        if data[:6] == self._mac:
            self._note("delivered")

    def look(self):
        return dict(self._seen)


class Census(Listener):
    """Counts who speaks, so that it may run for any time: IPv4 sources, ARP senders, Ethernet types; and keeps the gratuitous ARPs, with
    when they came (time.monotonic())."""

    def __init__(self, device):
        self._ip, self._arp, self._types, self._gratuitous = {}, {}, {}, []
        super().__init__(device)

    def heard(self, data):
        ethertype = data[12:14].hex()
        self._types[ethertype] = self._types.get(ethertype, 0) + 1
        if ethertype == "0800":
            source = socket.inet_ntoa(data[26:30])
            self._ip[source] = self._ip.get(source, 0) + 1
        elif ethertype == "0806":
            sender, target = socket.inet_ntoa(data[28:32]), socket.inet_ntoa(data[38:42])
            self._arp[sender] = self._arp.get(sender, 0) + 1
            if sender == target:
                self._gratuitous.append([time.monotonic(), sender, data[22:28].hex(":")])

    def look(self):
        return {"ip": dict(self._ip), "arp": dict(self._arp), "types": dict(self._types), "gratuitous": list(self._gratuitous)}
