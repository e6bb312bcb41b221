"""Streams in one direction, which show when a connection has stopped and whom that did not concern: a server that talks without end while its client
says nothing, datagrams that nobody answers. See tools/lab/inside/oneway.py."""
import time

from lab import wait_until
from lab.procs import LabError

DEAD_S, PAUSE_MS = 1.0, 1000
TALK_MS = 5
RETRY_MS = 1500                         # longer than a sender waits before it tries again


class Streams:
    """By keys of the caller's."""

    def __init__(self):
        self.streams = {}

    def hear(self, key, client, ip, port, **options):
        """Client hears the talker at ip and port."""
        self.streams[key] = (client.agent, wait_until(lambda: client.agent.call("start_hearer", ip=ip, port=port, timeout=1, **options), 10,
                                                      f"{key} connects"))

    def send(self, key, client, ip, port, server, server_port=None):
        """Client sends datagrams to ip and port; server hears them, on server_port, of which nobody else sends any."""
        self.streams[key] = (server.agent, server.agent.call("start_sink", port=server_port or port))
        self.streams["source", key] = (client.agent, client.agent.call("start_source", ip=ip, port=port, interval_ms=TALK_MS))

    def end(self):
        for agent, number in self.streams.values():
            agent.call("stop", number=number)
        self.streams = {}

    def look(self, key):
        agent, number = self.streams[key]
        return agent.call("look", number=number)

    def expect_heard(self, keys, seconds=10):
        """They are heard now, and not one has failed."""
        marks = {k: self.look(k)["received"] for k in keys}

        def heard():
            seen = {k: self.look(k) for k in marks}
            failed = {k: s for k, s in seen.items() if s["error"]}
            assert not failed, failed
            return all(seen[k]["received"] >= marks[k] + 20 for k in marks)
        try:
            wait_until(heard, seconds, "streams go on")
        except LabError as e:
            raise AssertionError(f"{e}: { {k: self.look(k) for k in marks} }") from e

    def expect_undisturbed(self, keys):
        """Nor have they ever been silent for as long as who uses them would notice."""
        self.expect_heard(keys)
        seen = {k: self.look(k) for k in keys}
        assert all(s["longest_gap_ms"] < PAUSE_MS for s in seen.values()), seen

    def expect_cut(self, keys, change):
        """Nothing is heard any more, from a second after the change was said at the latest."""
        change()
        end = time.monotonic() + DEAD_S
        wait_until(lambda: time.monotonic() > end, DEAD_S + 1, "a second")
        marks = {k: self.look(k)["received"] for k in keys}
        wait_until(lambda: all(self.look(k)["silent_ms"] > RETRY_MS for k in keys), 10, f"{keys} hear nothing")
        assert marks == {k: self.look(k)["received"] for k in keys}, f"{keys} were still heard after a second"
