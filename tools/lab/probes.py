"""What can be done from any namespace with an agent: a guest, the outside. See inside/ for what the words mean."""
import contextlib
import json

from lab.procs import wait_until


class Prober:
    """Mixed into what has a `name` and an `agent`."""

    def run(self, *argv, **options):
        return self.agent.run(*argv, **options)

    def ping_all(self, ips, **options):
        """Answers in the order of ips; see inside/probe.py."""
        return self.agent.call("ping", targets=list(ips), **options)

    def ping(self, ip, **options):
        return self.ping_all([ip], **options)[0]

    def reaches(self, ip, seconds=5):
        """Waits until ip answers; for what is to come, not for what should already be."""
        wait_until(lambda: self.ping(ip, timeout=0.3, tries=1) == "reply", seconds, f"{ip} answers {self.name}")

    def flush_neighbours(self, device="eth0"):
        self.agent.call("flush_neighbours", device=device)

    def tcp_connect(self, ip, port, timeout=1.0):
        return self.agent.call("tcp_connect", ip=ip, port=port, timeout=timeout)

    def udp_connect(self, ip, port, **options):
        """'answered', 'refused' by an ICMP error, or 'none'."""
        return self.agent.call("udp_connect", ip=ip, port=port, **options)

    def tcp_send(self, ip, port, n_bytes, timeout=20):
        return self.agent.call("tcp_send", ip=ip, port=port, n_bytes=n_bytes, timeout=timeout)

    def tcp_fetch(self, ip, port, n_bytes, timeout=20):
        return self.agent.call("tcp_fetch", ip=ip, port=port, n_bytes=n_bytes, timeout=timeout)

    def who_answers(self, ips, port, **options):
        """The names of the UDP servers at ips, None for silence."""
        return self.agent.call("udp_ask", ips=list(ips), port=port, **options)

    def exchange(self, ip, port=0, **options):
        """A datagram of random bytes to an 'echo' and back: 'same', 'different' or 'none'. protocol=N: not UDP; size=N."""
        return self.agent.call("exchange", ip=ip, port=port, **options)

    def trace_route(self, ip, **options):
        """[(address, word), ...]; the last word is 'port-unreachable' if it came to an end."""
        return [tuple(hop) for hop in self.agent.call("trace_route", ip=ip, **options)]

    def neighbours(self, device="eth0"):
        """Its ARP cache: {ip: MAC}, of entries that have one."""
        entries = json.loads(self.run("ip", "-j", "neigh", "show", "dev", device) or "[]")
        return {e["dst"]: e["lladdr"] for e in entries if "lladdr" in e}

    def known_mtu(self, ip):
        """What it has learnt of the path to ip; None: nothing."""
        routes = json.loads(self.run("ip", "-j", "route", "get", ip))
        return next((m["mtu"] for r in routes for m in r.get("metrics", []) if "mtu" in m), None)

    def forget_mtus(self):
        self.run("ip", "route", "flush", "cache")

    def send_frames(self, *frames, device="eth0"):
        """Whole Ethernet frames, as bytes."""
        self.agent.call("send_frames", device=device, frames=[f.hex() for f in frames])

    @contextlib.contextmanager
    def doing(self, start, **arguments):
        """Something that goes on meanwhile: with guest.doing('ping', ip=...) as stream: ... ; stream.result afterwards."""
        activity = Activity(self.agent, self.agent.call("start_" + start, **arguments))
        try:
            yield activity
        finally:
            activity.stop()


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
