"""Who answers ARP on a segment: answers are counted, request by request, so that two who claim one address are seen although both say the same MAC."""
import collections
import fcntl
import itertools
import select
import socket
import struct
import time

ETH_P_ARP = 0x0806
SIOCGIFHWADDR = 0x8927


def mac_of(device):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return fcntl.ioctl(s, SIOCGIFHWADDR, struct.pack("16s16x", device.encode()))[18:24]


_names = itertools.count(1)


def _request(mac, name, sender_ip, target):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + name + socket.inet_aton(sender_ip) + bytes(6) + socket.inet_aton(target)
    return (b"\xff" * 6 + mac + struct.pack("!H", ETH_P_ARP) + body).ljust(60, b"\0")


def arp_ask(device, ips, sender_ip, timeout=0.5, tries=2, settle=3):
    """{ip: [MAC, ...]}, a MAC for each answer to one and the same request. A public address that moves is answered for by its old place and by its new
    one for up to a second: what two answer for is asked again until one does, for `settle` seconds at most."""
    end = time.monotonic() + settle
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.bind((device, ETH_P_ARP))
        answers = _ask(s, mac_of(device), ips, sender_ip, timeout, tries)
        while (doubled := [ip for ip, macs in answers.items() if len(macs) > 1]) and time.monotonic() < end:
            again = _ask(s, mac_of(device), doubled, sender_ip, timeout, tries)
            answers = {ip: again.get(ip, []) if ip in doubled else macs for ip, macs in answers.items()}
    return {ip: macs for ip, macs in answers.items() if macs}


def _ask(s, mac, ips, sender_ip, timeout, tries):
    """Each request has a sender of its own in its body, which an answer repeats as its target: so it is known which request it answers."""
    heard = {}                                             # by that name: {ip: [MAC, ...]}
    begin = time.monotonic()
    for attempt in range(tries):
        name = b"\x02\0" + next(_names).to_bytes(4, "big")
        heard[name] = collections.defaultdict(list)
        for ip in ips:
            s.send(_request(mac, name, sender_ip, ip))
        _collect(s, heard, begin + timeout * (attempt + 1) / tries)
    return {ip: sorted(_most(said[ip] for said in heard.values())) for ip in ips if any(ip in said for said in heard.values())}


def _most(lists):
    """Each MAC as often as it is in one of them."""
    most = collections.Counter()
    for macs in lists:
        most |= collections.Counter(macs)
    return most.elements()


def _collect(s, heard, until):
    while (left := until - time.monotonic()) > 0:
        if not select.select([s], [], [], left)[0]:
            return
        frame = s.recv(2048)
        if frame[20:22] == b"\0\x02" and frame[32:38] in heard:
            heard[frame[32:38]][socket.inet_ntoa(frame[28:32])].append(frame[22:28].hex(":"))
