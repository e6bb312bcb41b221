"""A VLAN's leg of an interface, as a tap device of its own: not every kernel that can run a lab has VLANs. The tap has the parent's MAC."""
import fcntl
import os
import socket
import struct
import threading

from lab.inside import neighbours

TUNSETIFF, IFF_TAP, IFF_NO_PI, SIOCSIFHWADDR = 0x400454CA, 2, 0x1000, 0x8924
SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING, ETH_P_ALL = 263, 8, 4, 3
TAG_IS_VALID = 0x10


class VlanLeg:
    """Lives as long as its namespace."""

    def __init__(self, parent, device, vlan):
        self._vlan = vlan
        self._tap = _open_tap(device, neighbours.mac_of(parent))
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((parent, ETH_P_ALL))
        for body in (self._in, self._out):
            threading.Thread(target=body, daemon=True).start()

    def _in(self):
        while True:
            data, extra, _, address = self._socket.recvmsg(65535, 128)
            if address[2] != PACKET_OUTGOING and self._is_ours(extra):
                self._pass(data)

    def _is_ours(self, extra):
        """The kernel takes the tag out of the frame and tells it beside (struct tpacket_auxdata)."""
        for level, kind, data in extra:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, tci = struct.unpack("=I", data[:4])[0], struct.unpack("=H", data[16:18])[0]
                return bool(status & TAG_IS_VALID) and tci & 0xFFF == self._vlan
        return False

    def _pass(self, data):
        try:
            os.write(self._tap, data)
        except OSError:
            pass                                   # the leg is down

    def _out(self):
        while True:
            frame = os.read(self._tap, 65535)
            try:
                self._socket.send(frame[:12] + struct.pack("!HH", 0x8100, self._vlan) + frame[12:])
            except OSError:
                pass                               # the parent is down


def _open_tap(device, mac):
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFHWADDR, struct.pack("16sH6s", device.encode(), 1, mac) + bytes(8))
    return tap
