"""Frames built by hand, for what no well-behaved guest sends. Addresses are text, results bytes; checksums are right unless said."""
import socket
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
GENEVE_PORT, VXLAN_PORT = 6081, 4789


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(source, destination, ethertype, payload):
    return (mac(destination) + mac(source) + struct.pack("!H", ethertype) + payload).ljust(60, b"\0")


def ipv4(source, destination, protocol, payload, ttl=64, identification=1, has_more=False):
    """has_more: the first fragment of a packet."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification, has_more << 13, ttl, protocol, 0, socket.inet_aton(source),
                       socket.inet_aton(destination))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(source, destination, payload, source_port=4000, port=7):
    length = 8 + len(payload)
    head = struct.pack("!HHHH", source_port, port, length, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!BBH", 0, 17, length)
    total = checksum(pseudo + head + payload) or 0xFFFF
    return ipv4(source, destination, 17, head[:6] + struct.pack("!H", total) + payload)


def icmp_error(source, destination, quoted, kind=3, code=3):
    """Or whatever else quotes a packet: a redirect (5), a source quench (4)."""
    body = struct.pack("!BBHI", kind, code, 0, 0) + quoted
    return ipv4(source, destination, 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:])


def small_fragments(source, destination, n):
    """Of n packets the first: Open vSwitch's conntrack takes none that is smaller than 1,200 bytes, but for the last."""
    return [ipv4(source, destination, 17, bytes(400), identification=1000 + i, has_more=True) for i in range(n)]


def udp_frame(source_mac, destination_mac, source, destination, payload, **ports):
    return ethernet(source_mac, destination_mac, 0x0800, udp(source, destination, payload, **ports))


def arp(source_mac, sender_mac, sender_ip, target_ip, request=True, target_mac="00:00:00:00:00:00", destination=BROADCAST):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1 if request else 2) + mac(sender_mac) + socket.inet_aton(sender_ip)
    return ethernet(source_mac, destination, 0x0806, body + mac(target_mac) + socket.inet_aton(target_ip))


def tagged(frame, vlan=7):
    return frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:]


def lldp(source_mac):
    return ethernet(source_mac, "01:80:c2:00:00:0e", 0x88CC, bytes.fromhex("0207040000000000010403616263060200780000"))


def stp(source_mac):
    bpdu = bytes.fromhex("424203" + "0000000000" + "8000020000000001" + "00000000" + "8000020000000001" + "8001" + "0000140002000f00")
    return (mac("01:80:c2:00:00:00") + mac(source_mac) + struct.pack("!H", len(bpdu)) + bpdu).ljust(60, b"\0")


def ipv6_neighbour_solicitation(source_mac):
    source, target = bytes.fromhex("fe80" + "00" * 13 + "01"), bytes.fromhex("fe80" + "00" * 13 + "02")
    group = bytes.fromhex("ff02" + "00" * 9 + "01ff000002")
    body = struct.pack("!BBHI", 135, 0, 0, 0) + target
    pseudo = source + group + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    head = struct.pack("!IHBB", 6 << 28, len(body), 58, 255)
    return ethernet(source_mac, "33:33:ff:00:00:02", 0x86DD, head + source + group + body)


def geneve(vni, frame):
    return struct.pack("!BBHI", 0, 0, 0x6558, vni << 8) + frame


def vxlan(vni, frame):
    return struct.pack("!II", 0x08000000, vni << 8) + frame
