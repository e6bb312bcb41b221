"""The outside: what lies beyond the hosts' uplinks and knows nothing of vnet, as the internet does not.

For each physical network a segment (a Linux bridge in the machine 'wire'), hosts' second cables plugged into it, and on it a router: the
machine 'outside', whose device has the network's name (VLANs: NAME.VLAN). Behind it a client address, on the same machine, and the
place 'far', to which the router lets pass no more than FAR_MTU although all links would carry more.
"""
import ipaddress
import os

from lab.probes import Prober
from lab.procs import Agent, Machine

CLIENT_IP = "198.18.0.1"
FAR_ROUTER_IP, FAR_IP, FAR_MTU = "198.18.1.1", "198.18.1.2", 1300


class Outside(Machine, Prober):
    """From CLIENT_IP, unless what is asked for is bound elsewhere. networks: {physical network: {vlan, 0 for none: router address/length}}."""

    def __init__(self, name, folder, networks, underlay, pid):
        super().__init__(name, folder)
        self.networks, self._underlay = networks, underlay
        self._furnish()
        for network, routers in networks.items():
            underlay.add_segment(network)
            underlay.cable(f"{network}-out", network, pid, network)
            for vlan, router in routers.items():
                self._settle(network, vlan, ipaddress.ip_interface(router))
        self.far = self._make_far()

    def _furnish(self):
        """arp_announce: it asks as the router, not as the client."""
        self.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.arp_announce=2", "net.ipv4.conf.all.send_redirects=0",
                 "net.ipv4.conf.default.send_redirects=0")
        self.ip([f"addr add {CLIENT_IP}/32 dev lo", "link set lo up"])

    def _settle(self, network, vlan, router):
        """A router's leg. Its kernel must fill in checksums before a frame leaves, for the same reason as a guest's (ethtool, tx off)."""
        device = self.device(network, vlan)
        self.agent.call("configure", device=network, checksums=False)
        if vlan:
            self.agent.call("make_vlan_leg", parent=network, device=device, vlan=vlan)
        self.agent.call("configure", device=device, ip=str(router.ip), prefix_length=router.network.prefixlen, checksums=False)
        self.ip([f"route replace {router.network} dev {device} src {CLIENT_IP}"])

    def _make_far(self):
        folder = self.path("guest", "far")
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        pid = self.make("guest", "far", folder)
        self.ip([f"link add far type veth peer name eth0 netns {pid}", f"addr add {FAR_ROUTER_IP}/24 dev far", "link set far up",
                          f"route add {FAR_IP}/32 dev far mtu lock {FAR_MTU} src {CLIENT_IP}"])
        far = Place("far", folder, FAR_IP)
        far.agent.call("configure", device="eth0", ip=FAR_IP, gateway=FAR_ROUTER_IP, checksums=False)
        self.agent.call("configure", device="far", checksums=False)
        return far

    @staticmethod
    def device(network, vlan=0):
        return f"{network}.{vlan}" if vlan else network

    def router_ip(self, network, vlan=0):
        return self.networks[network][vlan].partition("/")[0]

    def router_mac(self, network):
        return self.run("cat", f"/sys/class/net/{network}/address").strip()

    def arp_ask(self, ips, network, vlan=0, **options):
        """{ip: [MAC, ...]}: all who answer ARP for these addresses, one MAC for each of them, even the same."""
        return self.agent.call("arp_ask", device=self.device(network, vlan), ips=list(ips), sender_ip=self.router_ip(network, vlan), **options)

    # -- hosts' cables --

    def attach(self, network, host, pid):
        """A cable to a host (its process `pid`); answers the name of the device there."""
        self._underlay.cable(self.near_device(network, host), f"nic-{network}", pid, network)
        return f"nic-{network}"

    def detach(self, network, host):
        self._underlay.remove_cable(self.near_device(network, host))

    def set_link(self, network, host, up):
        """Pulls or plugs it."""
        self._underlay.set_cable(self.near_device(network, host), up)

    def keep_ignorant(self, network, old, new, does):
        """Of what goes from the one host to the other: the segment's switch follows no MAC address to the new one's cable, and lets the old one hear
        nothing from there."""
        wanted = {old: f"isolated {'on' if does else 'off'}", new: f"isolated {'on' if does else 'off'} learning {'off' if does else 'on'}"}
        self._underlay.wire.ip([f"link set dev {self.near_device(network, host)} type bridge_slave {options}" for host, options in wanted.items()])

    @staticmethod
    def near_device(network, host):
        """The cable's other end, in the machine 'wire': all that a host says on the segment arrives there."""
        return f"{network}-{host}"


class Place(Prober):
    """A namespace with an eth0 and an agent, no VM of vnet's."""

    def __init__(self, name, folder, ip):
        self.name, self.ip = name, ip
        self.agent = Agent(os.path.join(folder, "agent.sock"))
