"""A VM as the network sees it: a network namespace with eth0, whose agent acts for it. It survives a move to another host."""
import contextlib
import os
import subprocess

from lab.procs import HERE, Agent, LabError, wait_until

DHCLIENT_CONF = """option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
request subnet-mask, routers, interface-mtu, domain-name, domain-name-servers, rfc3442-classless-static-routes;
timeout 20; retry 2; initial-interval 1; backoff-cutoff 2;
"""


class Guest:
    def __init__(self, name, mac, iface_id, host, tap, folder, pid):
        self.name, self.mac, self.iface_id, self.host, self.tap, self.folder, self.pid = name, mac, iface_id, host, tap, folder, pid
        self.agent = Agent(os.path.join(folder, "agent.sock"))
        self.ip = None
        self._dhcp = None

    def __repr__(self):
        return f"<guest {self.name} {self.ip} on {self.host.name}>"

    def run(self, *argv, **options):
        return self.agent.run(*argv, **options)

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

    # -- probes --

    def ping_all(self, ips, **options):
        """Answers in the order of ips; see inside/probe.py."""
        return self.agent.call("ping", targets=list(ips), **options)

    def ping(self, ip, **options):
        return self.ping_all([ip], **options)[0]

    def reaches(self, ip, seconds=5):
        """Waits until ip answers; for what is to come, not for what should already be."""
        wait_until(lambda: self.ping(ip, timeout=0.3, tries=1) == "reply", seconds, f"{ip} answers {self.name}")

    def flush_neighbours(self):
        self.agent.call("flush_neighbours")

    def tcp_connect(self, ip, port, timeout=1.0):
        return self.agent.call("tcp_connect", ip=ip, port=port, timeout=timeout)

    def tcp_send(self, ip, port, n_bytes, timeout=20):
        return self.agent.call("tcp_send", ip=ip, port=port, n_bytes=n_bytes, timeout=timeout)

    def who_answers(self, ips, port, **options):
        """The names of the UDP servers at ips, None for silence."""
        return self.agent.call("udp_ask", ips=list(ips), port=port, **options)

    def send_frames(self, *frames):
        """Whole Ethernet frames, as bytes."""
        self.agent.call("send_frames", device="eth0", frames=[f.hex() for f in frames])

    @contextlib.contextmanager
    def doing(self, start, **arguments):
        """Something that goes on meanwhile: with guest.doing('ping', ip=...) as stream: ... ; stream.result afterwards."""
        activity = Activity(self.agent, self.agent.call("start_" + start, **arguments))
        try:
            yield activity
        finally:
            activity.stop()

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


class Activity:
    def __init__(self, agent, number):
        self._agent, self._number, self.result, self._stopped = agent, number, None, False

    def look(self):
        return self._agent.call("look", number=self._number)

    def stop(self):
        if not self._stopped:
            self._stopped = True
            self.result = self._agent.call("stop", number=self._number)
        return self.result
