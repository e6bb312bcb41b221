"""The wire between machines: two Linux bridges in the machine 'wire'.

  underlay    192.0.2.0/24     tunnels only. Host N is 192.0.2.(10+N), on its br-phy. 192.0.2.250 is the wire itself, a stranger
                               from where tests forge tunnel packets.
  management  198.51.100.0/24  OVSDB, OpenFlow and the API. vnetd's node is 198.51.100.100, host N is 198.51.100.(10+N).

Two networks, so that a tunnel's path can fail while control stays, and the reverse. Further bridges are the segments of the outside
(outside.py).
"""

STRANGER_IP = "192.0.2.250"
NODE_IP = "198.51.100.100"


def tunnel_ip(number):
    return f"192.0.2.{10 + number}"


def management_ip(number):
    return f"198.51.100.{10 + number}"


class Underlay:
    def __init__(self, wire, mtu=1500):
        self.wire, self.mtu = wire, mtu
        wire.ip(["link set lo up",
                 "link add under type bridge stp_state 0 mcast_snooping 0 forward_delay 0",
                 "link add manage type bridge stp_state 0 mcast_snooping 0 forward_delay 0",
                 f"addr add {STRANGER_IP}/24 dev under", f"link set under mtu {mtu} up", "link set manage up"])

    def attach_underlay(self, name, pid):
        """A cable whose other end, 'phy0', is in the namespace of process `pid` (as the wire's pid namespace numbers it)."""
        self.cable(f"u-{name}", "phy0", pid, "under", self.mtu)

    def attach_management(self, name, pid):
        self.cable(f"m-{name}", "mgmt0", pid, "manage")

    def add_segment(self, name):
        self.wire.ip([f"link add {name} type bridge stp_state 0 mcast_snooping 0 forward_delay 0", f"link set {name} up"])

    def cable(self, near, far, pid, bridge, mtu=1500):
        """From a bridge of the wire (port `near`) to device `far` of process `pid`."""
        self.wire.ip([f"link add {near} mtu {mtu} type veth peer name {far} mtu {mtu} netns {pid}",
                      f"link set {near} master {bridge} up"])

    def remove_cable(self, near):
        """The kernel may have done so already with the namespace at its other end."""
        self.wire.run("ip", "link", "del", near, check=False)

    def set_cable(self, near, up):
        self.wire.ip([f"link set {near} {'up' if up else 'down'}"])

    def part(self, hosts, apart):
        """Between these no path for tunnels, or one again. Their links stay up, and all others are reached."""
        self.wire.ip([f"link set dev u-{name} type bridge_slave isolated {'on' if apart else 'off'}" for name in hosts])

    def detach(self, name):
        for near in (f"u-{name}", f"m-{name}"):
            self.remove_cable(near)

    def set_link(self, kind, name, up):
        """Pulls or plugs a host's cable; kind: 'underlay' or 'management'."""
        self.set_cable(("u-" if kind == "underlay" else "m-") + name, up)
