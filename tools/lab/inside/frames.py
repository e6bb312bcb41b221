"""Raw Ethernet frames: sending any, and recording what arrives."""
import socket
import threading

ETH_P_ALL = 3
PACKET_OUTGOING = 4


def send(device, frames):
    """frames: hexadecimal strings, whole frames without checksum."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((device, 0))
        for frame in frames:
            s.send(bytes.fromhex(frame))


class Capture:
    """Keeps the frames that arrive on a device (not those it sends), at most `limit` of them, as hexadecimal strings."""

    def __init__(self, device, limit=10000):
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((device, ETH_P_ALL))
        self._socket.settimeout(0.05)
        self._frames, self._limit, self._ended = [], limit, threading.Event()
        self._thread = threading.Thread(target=self._record, daemon=True)
        self._thread.start()

    def _record(self):
        while not self._ended.is_set() and len(self._frames) < self._limit:
            try:
                data, address = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            except OSError:
                return
            if address[2] != PACKET_OUTGOING:
                self._frames.append(data.hex())

    def look(self):
        return list(self._frames)

    def stop(self):
        self._ended.set()
        self._thread.join()
        self._socket.close()
        return self._frames
