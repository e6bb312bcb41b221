"""Sets up an interface by ioctl, which is faster than a process per step when guests come by the hundred."""
import fcntl
import socket
import struct

SIOCSIFFLAGS, SIOCGIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFMTU = 0x8914, 0x8913, 0x8916, 0x891C, 0x8922
SIOCETHTOOL, SIOCADDRT = 0x8946, 0x890B
ETHTOOL_STXCSUM = 0x17
IFF_UP = 1
RTF_UP, RTF_GATEWAY = 1, 2


def configure(device, ip=None, prefix_length=24, gateway=None, mtu=None, checksums=True):
    """Link up, and whatever else is given. checksums=False: the kernel fills them in before a frame leaves (userspace OVS forwards
    partial ones, so TCP between guests would fail)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        _up(s, "lo")
        if not checksums:
            _transmit_checksums_off(s, device)
        if mtu:
            fcntl.ioctl(s, SIOCSIFMTU, struct.pack("16si12x", device.encode(), mtu))
        if ip:
            mask = (0xFFFFFFFF << (32 - prefix_length)) & 0xFFFFFFFF
            fcntl.ioctl(s, SIOCSIFADDR, _ifreq_address(device, socket.inet_aton(ip)))
            fcntl.ioctl(s, SIOCSIFNETMASK, _ifreq_address(device, struct.pack("!I", mask)))
        _up(s, device)
        if gateway:
            _default_route(s, gateway)


def _up(s, device):
    request = fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack("16sh22x", device.encode(), 0))
    flags = struct.unpack("16sh22x", request)[1]
    fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh22x", device.encode(), flags | IFF_UP))


def _transmit_checksums_off(s, device):
    import array
    value = array.array("B", struct.pack("II", ETHTOOL_STXCSUM, 0))
    address, _ = value.buffer_info()
    fcntl.ioctl(s, SIOCETHTOOL, struct.pack("16sP16x", device.encode(), address))


def _sockaddr(address):
    return struct.pack("H2s4s8x", socket.AF_INET, b"", address)


def _ifreq_address(device, address):
    return struct.pack("16s16s8x", device.encode(), _sockaddr(address))


def _default_route(s, gateway):
    """struct rtentry: pad, destination, gateway, mask, flags, the rest zero."""
    zero = _sockaddr(b"\0\0\0\0")
    fcntl.ioctl(s, SIOCADDRT, struct.pack("L", 0) + zero + _sockaddr(socket.inet_aton(gateway)) + zero
                + struct.pack("H", RTF_UP | RTF_GATEWAY) + bytes(62))
