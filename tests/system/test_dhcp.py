"""DHCP with two clients people use, busybox udhcpc and ISC dhclient: first lease, renewal, options, refusals."""
import struct
import time

import pytest

import packets
from lab import wait_until
from lab.lab import capturing

LAB = {"hosts": 2}
COOKIE = b"\x63\x82\x53\x63"


@pytest.fixture(scope="module")
def net(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16",
            "--", "subnet-add", "v", "full", "10.0.1.0/24", "dns=10.0.1.2,192.0.2.53", "domain=example.net", "lease=20",
            "--", "subnet-add", "v", "bare", "10.0.2.0/26")
    lab.ctl.batch(["port-add full u ip=10.0.1.20", "port-add full i ip=10.0.1.21", "port-add bare bu ip=10.0.2.20", "port-add bare bi ip=10.0.2.21",
                   "port-add full raw ip=10.0.1.30", "port-add bare nobody ip=10.0.2.30"])
    rows = {r["name"]: r for r in lab.ctl.list("port")}
    guests = {}
    for host, names in (("hv1", ["u", "bi", "raw"]), ("hv2", ["i", "bu"])):
        for guest in lab[host].add_guests([(n, rows[n]["mac"], rows[n]["id"]) for n in names]):
            guests[guest.name] = guest
    lab.wait_active([rows[n]["id"] for n in guests])
    return guests


@pytest.mark.parametrize("name,client", [("u", "udhcpc"), ("i", "dhclient")])
def test_a_client_gets_all_options_and_renews(net, name, client):
    guest = net[name]
    lease = guest.dhcp(client)
    assert lease["event"] == "bound"
    assert (lease["ip"], lease["mask"], lease["lease"], lease["mtu"]) == (f"10.0.1.{20 + (name == 'i')}", "255.255.255.0", "20", "1450")
    assert lease["dns"].split() == ["10.0.1.2", "192.0.2.53"] and lease["domain"] == "example.net"
    assert lease["routes"].rstrip(",") == "0.0.0.0/0 10.0.1.1"
    assert "default via 10.0.1.1" in guest.run("ip", "route")
    renewed = guest.wait_lease(18, count=2)        # half of 20 seconds, by unicast to the server
    assert renewed["event"] in ("renew", "rebind") and renewed["ip"] == lease["ip"] and renewed["lease"] == "20"
    guest.stop_dhcp()


@pytest.mark.parametrize("name,client", [("bu", "udhcpc"), ("bi", "dhclient")])
def test_without_dns_no_dns_is_given_and_the_lease_is_an_hour(net, name, client):
    lease = net[name].dhcp(client)
    assert (lease["mask"], lease["lease"], lease["dns"], lease["domain"]) == ("255.255.255.192", "3600", "", "")
    assert lease["routes"].rstrip(",") == "0.0.0.0/0 10.0.2.1"
    net[name].stop_dhcp()


def test_both_clients_reach_each_other_across_subnets(net):
    assert net["u"].ping_all([net["bi"].ip, net["bu"].ip, net["i"].ip]) == ["reply"] * 3


def test_udhcpc_renews_at_once_when_told_and_hears_of_changes(lab, net):
    guest = net["bu"]
    guest.start_dhcp()
    first = len(guest.leases())
    guest.wait_lease(10, count=first + 1)
    lab.ctl("--wait=hosts", "set", "subnet", "bare", "dns=10.0.2.2", "lease=1800")
    guest.signal_dhcp("USR1")
    lease = guest.wait_lease(10, count=first + 2)
    assert (lease["event"], lease["dns"], lease["lease"]) == ("renew", "10.0.2.2", "1800")
    guest.stop_dhcp()


def test_a_lease_outlives_vnetd_and_is_renewed_once_it_is_back(lab, net):
    guest = net["u"]
    guest.start_dhcp()
    count = len(guest.leases()) + 1
    guest.wait_lease(10, count=count)
    lab.vnetd.kill()
    assert guest.ping(net["i"].ip) == "reply"
    lab.vnetd.start()
    lab.ready()
    guest.signal_dhcp("USR1")
    assert guest.wait_lease(15, count=count + 1)["ip"] == "10.0.1.20"
    guest.stop_dhcp()


# -- the wire format, by hand --

def dhcp(mac, kind, options=(), xid=0x1234, ciaddr=b"\0\0\0\0", broadcast=True, hops=0):
    body = struct.pack("!BBBBIHH", 1, 1, 6, hops, xid, 0, 0x8000 if broadcast else 0) + ciaddr + bytes(12) + packets.mac(mac).ljust(16, b"\0") + bytes(192)
    body += COOKIE + bytes([53, 1, kind])
    for code, value in options:
        body += bytes([code, len(value)]) + value
    return body + b"\xff"


def parse(frame):
    """(message type, yiaddr, options) of a DHCP answer in a frame, else None."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17 or frame[34:38] != struct.pack("!HH", 67, 68):
        return None
    body = frame[42:]
    options, at = {}, 240
    while at < len(body) and body[at] != 255:
        if body[at] == 0:
            at += 1
            continue
        options[body[at]] = body[at + 2:at + 2 + body[at + 1]]
        at += 2 + body[at + 1]
    return options[53][0], ".".join(map(str, body[16:20])), options


def exchange(guest, *bodies, expected=0):
    """Sends each body as a DHCP client's broadcast; the answers, `expected` many, or whatever comes within a second."""
    frames = [packets.udp_frame(guest.mac, packets.BROADCAST, "0.0.0.0", "255.255.255.255", b, source_port=68, port=67) for b in bodies]
    with guest.doing("capture", device="eth0") as capture:
        def answers():
            return [p for p in (parse(bytes.fromhex(f)) for f in capture.look()) if p]
        guest.send_frames(*frames)
        mark = time.monotonic()
        wait_until(lambda: expected and len(answers()) >= expected or time.monotonic() > mark + (3 if expected else 1), 5, "answers")
        return answers()


def address(text):
    return bytes(map(int, text.split(".")))


def test_discover_is_offered_and_request_acknowledged(net):
    raw = net["raw"]
    answers = exchange(raw, dhcp(raw.mac, 1), dhcp(raw.mac, 3, [(50, address("10.0.1.30")), (54, address("10.0.1.1"))]), expected=2)
    assert [(kind, ip) for kind, ip, _ in answers] == [(2, "10.0.1.30"), (5, "10.0.1.30")]
    options = answers[1][2]
    assert options[1] == address("255.255.255.0") and options[3] == address("10.0.1.1") and options[54] == address("10.0.1.1")
    assert options[26] == struct.pack("!H", 1450) and options[51] == struct.pack("!I", 20) and options[121] == b"\0" + address("10.0.1.1")


def test_a_request_for_a_foreign_address_is_refused(net):
    raw = net["raw"]
    for options in ([(50, address("10.0.1.99"))], [(50, address("192.168.1.5"))]):
        assert [kind for kind, _, _ in exchange(raw, dhcp(raw.mac, 3, options), expected=1)] == [6]


def test_a_request_to_another_server_is_not_answered(net):
    raw = net["raw"]
    assert exchange(raw, dhcp(raw.mac, 3, [(50, address("10.0.1.30")), (54, address("10.0.1.77"))])) == []


def test_an_inform_is_answered_without_an_address(net):
    raw = net["raw"]
    answers = exchange(raw, dhcp(raw.mac, 8, ciaddr=address("10.0.1.30")), expected=1)
    assert [(kind, ip) for kind, ip, _ in answers] == [(5, "0.0.0.0")] and 51 not in answers[0][2]


@pytest.mark.parametrize("body", [b"", b"\x01", bytes(240), dhcp("02:00:00:00:00:01", 1)[:200], dhcp("02:00:00:00:00:01", 99), dhcp("02:00:00:00:00:01", 1)[:-1] + bytes([55, 200, 1])])
def test_a_malformed_or_foreign_question_gets_no_offer(net, body):
    """Also one whose client hardware address is not the port's: it would take another's lease."""
    assert exchange(net["raw"], body) == []


METER_PPS, METER_BURST = 50, 50        # of what one port sends to a responder (admit.md)


def test_who_floods_is_answered_at_the_meters_rate_and_another_gets_its_lease(lab, net):
    raw, other = net["raw"], net["bi"]
    flood, last = ([packets.udp_frame(raw.mac, packets.BROADCAST, "0.0.0.0", "255.255.255.255", body, source_port=68, port=67)] * n
                   for body, n in ((dhcp(raw.mac, 1), 500), (dhcp(raw.mac, 3, [(50, address("10.0.1.30"))]), 1)))
    count, n_sent = len(other.leases()), 0
    with raw.doing("capture", device="eth0") as capture:
        began = time.monotonic()

        def kinds():
            return [answer[0] for answer in (parse(bytes.fromhex(f)) for f in capture.look()) if answer]

        other.start_dhcp("udhcpc")
        while n_sent < 5000 or len(other.leases()) <= count and time.monotonic() < began + 20:
            raw.send_frames(*flood)
            n_sent += len(flood)
        other.wait_lease(1, count=count + 1)
        other.stop_dhcp()
        wait_until(lambda: raw.send_frames(*last) or 5 in kinds(), 10, "the flood has passed: what was asked after it is answered")
        n_answered, most = len(kinds()), METER_BURST + METER_PPS * (time.monotonic() - began + 1)
    assert METER_BURST / 2 < n_answered <= most < n_sent / 2, (n_answered, most, n_sent)
    wait_until(lambda: lab.ctl("--wait=hosts", "--timeout=5", "sync") == "", 6, "the control plane is awake")


def test_no_guest_sees_anothers_dhcp(net):
    raw, other = net["raw"], net["u"]
    with capturing([other]) as seen:
        assert exchange(raw, dhcp(raw.mac, 1), expected=1)
    assert not [f for f in seen[other] if parse(f) or f[34:38] == struct.pack("!HH", 68, 67)]
