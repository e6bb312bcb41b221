"""A whole lab: wire, node with vnetd, hypervisors, guests; as a context manager.

    with Lab(hosts=3) as lab:
        lab.ctl("vpc-add", "v", "10.0.0.0/16")
        lab.ctl("subnet-add", "v", "a", "10.0.1.0/24")
        vm1, vm2 = lab.vms(["a:vm1@hv1", "a:vm2@hv2"])
        assert vm1.ping(vm2.ip) == "reply"

Everything lives under one folder and one pid namespace; both are gone after close(), and just as well when the owner is killed.
VNET_LAB_KEEP=1 leaves the folder with all logs.
"""
import contextlib
import os
import shutil
import subprocess
import tempfile

from lab import ovs
from lab.daemon import API_PORT, OVSDB_PORT, Ctl, Vnetd, build_folder
from lab.procs import Keeper, LabError, Machine, call_all, wait_until
from lab.host import Hypervisor
from lab.outside import Outside
from lab.underlay import NODE_IP, Underlay


class Lab:
    def __init__(self, hosts=2, tls=False, ovs_version="3.5", mtu=1500, daemon=True, daemon_options=(), outside=None, uplinks=None, gateways=()):
        """hosts: how many hypervisors, hv1, hv2, ..., joined and ready. daemon=False: no vnetd; bridges are the caller's.
        outside: physical networks, as for Outside. uplinks: {host: {network: bridge}}, as a host's vnet-uplinks. gateways: hosts."""
        self.root = tempfile.mkdtemp(prefix="vnet-lab-")
        os.chmod(self.root, 0o755)
        self.id = os.path.basename(self.root)
        self.hosts, self.tls, self.mtu = {}, tls, mtu
        self.programs = ovs.find(ovs_version)
        self.keep = bool(os.environ.get("VNET_LAB_KEEP"))
        self.vnetd = self.ctl = None
        self.keeper = Keeper(self.root)
        try:
            self.wire = Machine("wire", os.path.join(self.root, "wire"))
            self.underlay = Underlay(self.wire, mtu)
            self.node = self._machine("node", Machine)
            self.underlay.attach_management("node", self._wire_pid)
            self.node.agent.call("configure", device="mgmt0", ip=NODE_IP, checksums=False)
            if outside:
                self.outside = self._machine("outside", lambda *a: Outside(*a, outside, self.underlay, self._wire_pid))
            if daemon:
                self._start_daemon(daemon_options)
            for name in (f"hv{number}" for number in range(1, hosts + 1)):
                self.add_host(name, join=daemon, uplinks=(uplinks or {}).get(name), gateway=name in gateways)
            if daemon:
                self.ready()
        except BaseException:
            self.close()
            raise

    # -- life --

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        for machine in [*self.hosts.values(), *(getattr(self, n) for n in ("outside", "node", "wire") if hasattr(self, n))]:
            machine.close()
        self.keeper.end(self.keep)

    def port(self, name, tenant="default"):
        """A port's row as it is now, or None."""
        return next((r for r in self.vnetd.rows("port", tenant) if r["name"] == name), None)

    def _machine(self, name, make, *arguments):
        folder = os.path.join(self.root, name)
        self._wire_pid = self.wire.make("machine", name, folder)
        return make(name, folder, *arguments)

    def _start_daemon(self, options):
        self.pki_folder = os.path.join(self.root, "pki")
        if self.tls:
            self.pki("init")
        self.vnetd = Vnetd(self.node, self.tls, self.pki_folder, options)
        self.vnetd.start()
        self.ctl = Ctl("unix:" + self.vnetd.socket)

    # -- hosts --

    def add_host(self, name, join=True, number=None, ovs_version=None, learn=True, uplinks=None, gateway=False, **external_ids):
        """A new hypervisor. uplinks: {physical network: bridge}. external_ids: as for Hypervisor.join."""
        number = number or len(self.hosts) + 1
        programs = ovs.find(ovs_version) if ovs_version else self.programs
        host = self._machine(name, Hypervisor, number, programs)
        self.hosts[name] = host
        self.underlay.attach_management(name, self._wire_pid)
        self.underlay.attach_underlay(name, self._wire_pid)
        host.start(self.mtu)
        for network, bridge in (uplinks or {}).items():
            host.add_uplink(network, bridge, self.outside.attach(network, name, self._wire_pid))
        if learn:
            for other in self.hosts.values():
                other.learn_tunnel_neighbours(self.hosts.values())
        if gateway:
            external_ids["vnet_gateway"] = "true"
        if join:
            self.join(host, **external_ids)
        return host

    def join(self, host, **external_ids):
        certificates = None
        if self.tls:
            self.pki("host", host.name)
            certificates = self.certificates(host.name)
        if self.mtu != 1500:
            external_ids.setdefault("vnet_mtu", self.mtu)
        if host.uplinks:
            external_ids.setdefault("vnet_uplinks", ",".join(f"{network}:{bridge}" for network, bridge in host.uplinks.items()))
        host.join(self.manager(), certificates, **external_ids)

    def manager(self):
        return f"{'ssl' if self.tls else 'tcp'}:{NODE_IP}:{OVSDB_PORT}"

    def add_libvirt(self, *names, hook_options=(), agent_options=(), containers=False):
        """libvirtd and vnet-agent on hosts (default all), connected to vnetd: [Libvirt]."""
        made = []
        for name in names or self.hosts:
            made.append(self.hosts[name].add_libvirt(*self._api(name), hook_options, agent_options, containers))
        self.wait_agents(*names)
        return made

    def add_agents(self, *names):
        """vnet-agent, without libvirtd, on hosts (default all), connected to vnetd: [VnetAgent]."""
        made = []
        for name in names or self.hosts:
            made.append(self.hosts[name].add_agent(*self._api(name)))
        self.wait_agents(*names)
        return made

    def _api(self, name):
        """How a host's agent reaches vnetd: URL and certificates."""
        return (f"https://{NODE_IP}:{API_PORT}", self.certificates(name)) if self.tls else (f"unix:{self.vnetd.socket}", None)

    def wait_agents(self, *names, seconds=20):
        def check():
            rows = {r["name"]: r["agent"] for r in self.vnetd.rows("host", columns="name,agent")}
            return all(rows.get(n) for n in names or self.hosts)
        wait_until(check, seconds, "agents connected")

    def instance(self, name):
        """An instance's row as it is now, or None."""
        return next((r for r in self.vnetd.rows("instance") if r["name"] == name or r["id"] == name), None)

    def remove_host(self, name, keep_disk=False):
        """As a power cut: silent, and with its guests. keep_disk: a later add_host of that name boots from the same database."""
        host = self.hosts.pop(name)
        for kind in ("management", "underlay"):
            self.underlay.set_link(kind, name, False)          # else its kernel would still say goodbye for it
        for network in host.uplinks:
            self.outside.set_link(network, name, False)
        host.kill()
        host.close()
        self.underlay.detach(name)
        for network in host.uplinks:
            self.outside.detach(network, name)
        for entry in os.scandir(host.folder):
            if keep_disk and entry.name == "conf.db":
                continue
            shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)

    def host_row(self, name):
        """A host's row as it is now, or None."""
        return next((r for r in self.vnetd.rows("host") if r["name"] == name), None)

    def is_ready(self, *names):
        rows = {r["name"]: r for r in self.vnetd.rows("host", columns="name,connected,realised")}
        wanted = names or self.hosts
        return all(n in rows and rows[n]["connected"] and rows[n]["realised"] for n in wanted)

    def ready(self, *names, seconds=20):
        """Until the hosts (default all) are connected and have confirmed what they should hold."""
        try:
            wait_until(lambda: self.is_ready(*names), seconds, "hosts connected and realised")
        except LabError as e:
            raise LabError(f"{e}; hosts: {self.ctl('host-list')}; vnetd: {self.vnetd.last_words()}") from e

    # -- certificates --

    def pki(self, *arguments):
        program = os.path.join(build_folder(), "bin", "vnetctl")
        done = subprocess.run([program, f"--dir={self.pki_folder}", "pki", *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise LabError(f"vnetctl pki {' '.join(arguments)}: {done.stderr.strip()}")

    def certificates(self, name):
        """(key, certificate, CA) files."""
        return tuple(os.path.join(self.pki_folder, f) for f in (f"{name}-key.pem", f"{name}-cert.pem", "ca.pem"))

    # -- guests --

    def vms(self, wanted, dhcp="udhcpc", tenant=None, add=True, port=""):
        """['SUBNET:PORT@HOST', ...] -> guests with addresses by DHCP. add=True: the ports are made too, in one transaction; port: what
        else their port-add says.
        dhcp=None: addresses are set by hand, from what vnetctl says."""
        ctl = self.ctl.as_tenant(tenant) if tenant else self.ctl
        triples = [(subnet, port, host) for subnet, _, rest in (w.partition(":") for w in wanted)
                   for port, _, host in [rest.partition("@")]]
        if add:
            ctl.batch([f"port-add {subnet} {name} {port}" for subnet, name, _ in triples])
        rows = {r["name"]: r for r in self.vnetd.rows("port", tenant or "default", columns="id,name,mac,ip,subnet")}
        guests = {}
        for host in dict.fromkeys(h for _, _, h in triples):
            mine = [p for _, p, h in triples if h == host]
            for guest in self.hosts[host].add_guests([(p, rows[p]["mac"], rows[p]["id"]) for p in mine]):
                guests[guest.name] = guest
        self.wait_active([rows[p]["id"] for _, p, _ in triples])
        ordered = [guests[p] for _, p, _ in triples]
        self._address(ordered, rows, dhcp, tenant or "default")
        return ordered

    def _address(self, guests, rows, dhcp, tenant):
        if dhcp:
            for guest in guests:
                guest.start_dhcp(dhcp)
            for guest in guests:
                guest.wait_lease(30)
            return
        subnets = {r["name"]: r for r in self.vnetd.rows("subnet", tenant)}
        for guest in guests:
            subnet = subnets[rows[guest.name]["subnet"]]
            guest.static(rows[guest.name]["ip"], int(subnet["cidr"].split("/")[1]), subnet["gateway"], self.mtu - 50)

    def wait_active(self, ids, seconds=20):
        wanted = set(ids)

        def check():
            states = {r["id"]: r["state"] for r in self.vnetd.rows("port", columns="id,state") if r["id"] in wanted}
            return len(states) == len(wanted) and all(s == "active" for s in states.values())
        wait_until(check, seconds, f"{len(wanted)} ports active")

    def __getitem__(self, name):
        return self.hosts[name]


def reach_matrix(guests, targets=None, **options):
    """Every guest pings all targets (default: every guest's address), all at once: {(guest, ip): word}."""
    ips = list(dict.fromkeys(targets or [g.ip for g in guests]))
    answers = call_all([(g.agent, "ping", {"targets": ips, **options}) for g in guests])
    return {(g, ip): word for g, words in zip(guests, answers) for ip, word in zip(ips, words)}


@contextlib.contextmanager
def capturing(guests, device="eth0"):
    """Records what arrives at each guest (or machine) meanwhile: yields {guest: [frame]}, filled when the block ends."""
    seen = {}
    numbers = [(g, g.agent.call("start_capture", device=device)) for g in guests]
    try:
        yield seen
    finally:
        for g, number in numbers:
            seen[g] = [bytes.fromhex(f) for f in g.agent.call("stop", number=number)]
