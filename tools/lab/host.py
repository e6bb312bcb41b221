"""A hypervisor: a machine of its own with a private ovsdb-server and ovs-vswitchd (userspace datapath), joined to vnetd by the very
commands a user would type.

br-phy holds the tunnel address and the underlay cable, because userspace tunnels are routed through a bridge of OVS. A host that
reaches the outside has a bridge for each physical network, with a second NIC. br-int is vnetd's to make. mgmt0 carries OVSDB and
OpenFlow. libvirtd joins only where it is asked for (libvirt.py).
"""
import os

from lab import underlay
from lab.guest import Guest
from lab.libvirt import Libvirt
from lab.procs import LabError, Machine, wait_until
from lab.vnet_agent import VnetAgent

TLS_OPTIONS = ["--private-key=db:Open_vSwitch,SSL,private_key", "--certificate=db:Open_vSwitch,SSL,certificate",
               "--bootstrap-ca-cert=db:Open_vSwitch,SSL,ca_cert"]


class Hypervisor(Machine):
    def __init__(self, name, folder, number, programs):
        super().__init__(name, folder)
        self.number, self.programs = number, programs
        self.tunnel_ip, self.management_ip = underlay.tunnel_ip(number), underlay.management_ip(number)
        self.phy_mac = f"02:00:00:00:fe:{number:02x}"
        self.guests, self.uplinks = [], {}
        self.libvirt = self.vnet_agent = None
        self._taps = 0
        self._server = self._switch = None

    # -- Open vSwitch itself --

    def run(self, *argv, env=None, **options):
        return self.agent.run(*argv, env={**self.programs.env, **(env or {})}, **options)

    def start(self, underlay_mtu):
        self.agent.call("configure", device="mgmt0", ip=self.management_ip, checksums=False)
        self.agent.call("configure", device="phy0", mtu=underlay_mtu, checksums=False)
        if not os.path.exists(self.path("conf.db")):
            self.run("ovsdb-tool", "create", self.path("conf.db"), self.programs.schema)
        self.start_ovsdb()
        self.vsctl("--no-wait", "init")
        self.start_vswitchd()
        self.vsctl("--may-exist", "add-br", "br-phy", "--", "set", "bridge", "br-phy", "datapath_type=netdev", "fail_mode=standalone",
                   f'other_config:hwaddr="{self.phy_mac}"', "--", "--may-exist", "add-port", "br-phy", "phy0",
                   "--", "set", "interface", "br-phy", f"mtu_request={underlay_mtu}")
        wait_until(lambda: self.run("ip", "link", "show", "br-phy"), 10, f"{self.name}: br-phy")     # a kept database is there at once
        self.agent.call("configure", device="br-phy", ip=self.tunnel_ip)

    def add_uplink(self, network, bridge, device):
        """A bridge such as an operator makes for the outside: a learning switch with the NIC in it."""
        self.agent.call("configure", device=device, checksums=False)
        self.vsctl("--may-exist", "add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev", "fail_mode=standalone",
                   "--", "--may-exist", "add-port", bridge, device)
        self.uplinks[network] = bridge

    def start_ovsdb(self):
        self._server = self._spawn("ovsdb-server", [self.path("conf.db"), "--remote=punix:/run/openvswitch/db.sock",
                                   "--remote=db:Open_vSwitch,Open_vSwitch,manager_options", *TLS_OPTIONS])
        wait_until(lambda: self.run("ovs-appctl", "-t", "ovsdb-server", "version"), 10, f"{self.name}: ovsdb-server")

    def start_vswitchd(self):
        self._switch = self._spawn("ovs-vswitchd", ["unix:/run/openvswitch/db.sock", "--disable-system"])
        wait_until(lambda: self.appctl("version"), 10, f"{self.name}: ovs-vswitchd")

    def _spawn(self, program, arguments):
        log = self.path(program + ".log")
        return self.agent.call("spawn", argv=[program, *arguments, f"--pidfile=/run/openvswitch/{program}.pid", "-vconsole:off", "-vsyslog:off",
                               f"--log-file={log}"], log=log, env=self.programs.env)

    def kill_vswitchd(self, name="KILL"):
        self._end(self._switch, name)

    def kill_ovsdb(self, name="KILL"):
        self._end(self._server, name)

    def freeze(self):
        """Its Open vSwitch stands still: no session ends, and nobody answers."""
        for number in (self._switch, self._server):
            self.agent.call("kill", number=number, name="STOP")

    def thaw(self):
        for number in (self._server, self._switch):
            self.agent.call("kill", number=number, name="CONT")

    def _end(self, number, name):
        self.agent.call("kill", number=number, name=name)
        if self.agent.call("wait", number=number, timeout=10) is None:
            raise LabError(f"{self.name}: a process of Open vSwitch did not end on SIG{name}")

    # -- asking it --

    def vsctl(self, *arguments):
        return self.run("ovs-vsctl", "--timeout=20", "--retry", *arguments).strip()

    def appctl(self, *arguments, **options):
        return self.run("ovs-appctl", "--timeout=20", "-t", "ovs-vswitchd", *arguments, **options)

    def control_socket(self):
        """Where ovs-vswitchd takes commands, as a path from outside."""
        with open(self.path("run", "openvswitch", "ovs-vswitchd.pid")) as f:
            return self.path("run", "openvswitch", f"ovs-vswitchd.{f.read().strip()}.ctl")

    def vswitchd_pid(self):
        """As this host numbers it."""
        return int(self.run("cat", "/run/openvswitch/ovs-vswitchd.pid"))

    def widen_queues(self, n_bytes=16 << 20):
        """Those by which the switch reads its devices, as plugged now; else it loses what comes in a burst of more than ninety frames."""
        self.agent.call("widen_queues", pid=self.vswitchd_pid(), n_bytes=n_bytes)

    def lost_in_queues(self):
        """Frames, since this was last asked."""
        return self.agent.call("lost_in_queues", pid=self.vswitchd_pid())

    def ofctl(self, *arguments, **options):
        return self.run("ovs-ofctl", "-O", "OpenFlow15", "--timeout=20", *arguments, **options)

    def flows(self, bridge="br-int", names=False):
        """The bridge's flows as ovs-ofctl prints them, one a line, without what changes by itself."""
        text = self.ofctl("dump-flows", "--no-stats", "--names" if names else "--no-names", bridge)
        return [line.strip() for line in text.splitlines() if "actions=" in line]

    def ofport(self, interface):
        return int(self.vsctl("get", "interface", interface, "ofport"))

    # -- joining --

    def join(self, manager, certificates=None, name=None, **external_ids):
        """The commands a user types. certificates: (key, certificate, CA). external_ids: with '-' written '_', e.g. vnet_mtu=1400."""
        settings = {"system-id": name or self.name, "vnet-encap-ip": self.tunnel_ip, "vnet-datapath-type": "netdev",
                    **{k.replace("_", "-"): v for k, v in external_ids.items()}}
        self.vsctl("set", "open_vswitch", ".", *[f'external_ids:{k}="{v}"' for k, v in settings.items()])
        if certificates:
            self.vsctl("set-ssl", *certificates)
        self.vsctl("set-manager", manager)

    def learn_tunnel_neighbours(self, hosts):
        """Userspace tunnels drop the first packet to a peer whose MAC they do not know yet; what is measured here is not that."""
        for other in hosts:
            if other is not self:
                self.appctl("tnl/neigh/set", "br-phy", other.tunnel_ip, other.phy_mac)

    # -- libvirt --

    def add_libvirt(self, server=None, certificates=None, hook_options=(), agent_options=(), containers=False):
        """A libvirtd of its own. server: vnetd's API, for a vnet-agent and the hook; None: without."""
        self.libvirt = Libvirt(self, containers)
        if server:
            self.vnet_agent = VnetAgent(self, server, certificates, agent_options)
            self.libvirt.install_hook(*self.vnet_agent.hook(*hook_options))
        self.libvirt.start()
        if server:
            self.vnet_agent.start()
        return self.libvirt

    def add_agent(self, server, certificates=None):
        """A vnet-agent without libvirtd: libvirt's own test driver, inside the agent, has a node with no domains."""
        node = self.path("no-domains.xml")
        with open(node, "w") as f:
            f.write("<node/>\n")
        self.vnet_agent = VnetAgent(self, server, certificates, connect=f"test://{node}")
        self.vnet_agent.start()
        return self.vnet_agent

    # -- guests --

    def add_guest(self, name, mac, iface_id=None):
        return self.add_guests([(name, mac, iface_id)])[0]

    def add_guests(self, wanted):
        """[(name, mac, iface_id)]: namespaces with an eth0 each, plugged into br-int in one transaction; iface_id None: not plugged."""
        new = []
        for name, mac, iface_id in wanted:
            self._taps += 1
            folder = self.path("guest", f"{self._taps}-{name}")
            os.makedirs(os.path.dirname(folder), exist_ok=True)
            pid = self.make("guest", name, folder)
            new.append(Guest(name, mac, iface_id, self, f"tap{self.number}-{self._taps}", folder, pid))
        self.ip([f"link add {g.tap} up type veth peer name eth0 address {g.mac} netns {g.pid}" for g in new])
        for g in new:
            g.agent.call("configure", device="eth0", checksums=False)
        self.guests += new
        self.plug(new)
        return new

    def plug(self, guests):
        arguments = []
        for g in guests:
            if g.iface_id:
                arguments += ["--", "add-port", "br-int", g.tap, "--", "set", "interface", g.tap, f'external_ids:iface-id="{g.iface_id}"',
                              f'external_ids:attached-mac="{g.mac}"']
        if arguments:
            self.vsctl(*arguments[1:])

    def unplug(self, guests):
        arguments = []
        for g in guests:
            arguments += ["--", "--if-exists", "del-port", g.tap]
        self.vsctl(*arguments[1:])

    def remove_guest(self, guest):
        self.remove_guests([guest])

    def remove_guests(self, guests):
        """Unplugged in one transaction, then ended."""
        guests = list(guests)
        if guests:
            self.unplug(guests)
        for guest in guests:
            self.guests.remove(guest)
            guest.end()
