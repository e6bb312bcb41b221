"""Who answers ARP on a segment: all answers are kept, so that two who claim one address are seen."""
import fcntl
import select
import socket
import struct
import time

ETH_P_ARP = 0x0806
SIOCGIFHWADDR = 0x8927


def mac_of(device):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return fcntl.ioctl(s, SIOCGIFHWADDR, struct.pack("16s16x", device.encode()))[18:24]


def _request(mac, sender_ip, target):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + socket.inet_aton(sender_ip) + bytes(6) + socket.inet_aton(target)
    return (b"\xff" * 6 + mac + struct.pack("!H", ETH_P_ARP) + body).ljust(60, b"\0")


def arp_ask(device, ips, sender_ip, timeout=0.5, tries=2):
    """{ip: [MAC, ...]} of those who answered within the whole time."""
    own, found = mac_of(device), {}
    begin = time.monotonic()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.bind((device, ETH_P_ARP))
        for attempt in range(tries):
            for ip in ips:
                s.send(_request(own, sender_ip, ip))
            _collect(s, own, found, begin + timeout * (attempt + 1) / tries)
    return {ip: sorted(found[ip]) for ip in ips if ip in found}


def _collect(s, own, found, until):
    while (left := until - time.monotonic()) > 0:
        if not select.select([s], [], [], left)[0]:
            return
        frame = s.recv(2048)
        if frame[20:22] == b"\0\x02" and frame[32:38] == own:
            found.setdefault(socket.inet_ntoa(frame[28:32]), set()).add(frame[22:28].hex(":"))
