"""A VM as the network sees it: a network namespace with eth0, whose agent acts for it. It survives a move to another host."""
import contextlib
import os
import subprocess

from lab.probes import Prober
from lab.procs import HERE, Agent, LabError, wait_until

DHCLIENT_CONF = """option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
request subnet-mask, routers, interface-mtu, domain-name, domain-name-servers, rfc3442-classless-static-routes;
timeout 20; retry 2; initial-interval 1; backoff-cutoff 2;
"""


class Guest(Prober):
    def __init__(self, name, mac, iface_id, host, tap, folder, pid):
        self.name, self.mac, self.iface_id, self.host, self.tap, self.folder, self.pid = name, mac, iface_id, host, tap, folder, pid
        self.agent = Agent(os.path.join(folder, "agent.sock"))
        self.ip = None
        self._dhcp = None

    def __repr__(self):
        return f"<guest {self.name} {self.ip} on {self.host.name}>"

    # -- addresses --

    def static(self, ip, prefix_length=24, gateway=None, mtu=None):
        self.agent.call("configure", device="eth0", ip=ip, prefix_length=prefix_length, gateway=gateway, mtu=mtu)
        self.ip = ip

    def start_dhcp(self, client="udhcpc"):
        """Starts the client, which lives on and renews. Its events are in `leases`."""
        script, log = os.path.join(HERE, "dhcp-apply"), os.path.join(self.folder, client + ".log")
        leases = os.path.join(self.folder, "leases")
        if client == "udhcpc":
            argv = ["busybox", "udhcpc", "-f", "-i", "eth0", "-s", script, "-t", "20", "-T", "1", "-A", "1", "-O", "mtu",
                    "-O", "staticroutes", "-x", f"hostname:{self.name}"]
        else:
            conf = os.path.join(self.folder, "dhclient.conf")
            with open(conf, "w") as f:
                f.write(DHCLIENT_CONF)
            argv = ["dhclient", "-4", "-d", "-1", "-cf", conf, "-lf", os.path.join(self.folder, "dhclient.leases"),
                    "-pf", os.path.join(self.folder, "dhclient.pid"), "-sf", script,
                    "-e", f"VNET_LEASES={leases}", "eth0"]
        self._dhcp = self.agent.call("spawn", argv=argv, log=log, env={"VNET_LEASES": leases})

    def leases(self):
        """What the DHCP client reported so far, oldest first: [{"event": "bound", "ip": ..., "mtu": ...}]."""
        try:
            with open(os.path.join(self.folder, "leases")) as f:
                blocks = f.read().split("\n\n")[:-1]
        except FileNotFoundError:
            return []
        return [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks]

    def wait_lease(self, seconds=15, count=1):
        wait_until(lambda: len(self.leases()) >= count, seconds, f"lease {count} of guest '{self.name}'")
        lease = self.leases()[-1]
        self.ip = lease["ip"]
        return lease

    def dhcp(self, client="udhcpc", seconds=15):
        self.start_dhcp(client)
        return self.wait_lease(seconds)

    def signal_dhcp(self, name):
        self.agent.call("kill", number=self._dhcp, name=name)

    def stop_dhcp(self):
        self.signal_dhcp("KILL")
        self.agent.call("wait", number=self._dhcp, timeout=5)

    # -- its cable --

    def move(self, host, unplug_first=True):
        """Carries the running guest to another host: its tap changes namespaces, its state stays."""
        source = self.host
        if unplug_first:
            source.unplug([self])
        tap_pid = str(host.pid)
        done = subprocess.run(["nsenter", "-t", str(source.pid), "-n", "ip", "link", "set", self.tap, "netns", tap_pid],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise LabError(f"guest '{self.name}': moving {self.tap}: {done.stderr.strip()}")
        host.ip([f"link set {self.tap} up"])
        source.guests.remove(self)
        host.guests.append(self)
        self.host = host
        host.plug([self])
        if not unplug_first:
            source.unplug([self])

    def end(self):
        """Its namespace goes with its agent, and its cable with the namespace."""
        with contextlib.suppress(LabError):
            pid = self.agent.call("pid")
            self.agent.run("kill", "-9", str(pid), check=False)
        self.agent.close()
