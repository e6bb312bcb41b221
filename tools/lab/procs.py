"""Talking to what runs inside a lab, and waiting: the only place where the lab's side polls."""
import json
import os
import socket
import struct
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
POLL_S, LONGEST_POLL_S = 0.015, 0.25


class LabError(Exception):
    """The lab could not do what was asked; the text says what and where to look."""


def wait_until(condition, seconds, what):
    """Returns the first true value of condition(); after the bound raises LabError naming `what` and the last exception or value. A condition that
    takes long to ask is asked less often: half of the time at most, so that what is waited for gets the machine."""
    end = time.monotonic() + seconds
    while True:
        begin = time.monotonic()
        try:
            value, seen = condition(), None
            if value:
                return value
        except (LabError, OSError) as e:
            value, seen = None, e
        if time.monotonic() > end:
            raise LabError(f"not within {seconds} s: {what}" + (f" (last: {seen})" if seen else f" (last: {value!r})"))
        time.sleep(min(max(POLL_S, time.monotonic() - begin), LONGEST_POLL_S))


class Link:
    """One connection to an init or an agent. Requests may be started and collected apart, so that many agents work at once."""

    def __init__(self, path):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._stream = self._socket.makefile("rw")

    def peer_pid(self):
        """The server's process number as this process sees it (the kernel translates between pid namespaces)."""
        data = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return struct.unpack("3i", data)[0]

    def start(self, do, **arguments):
        self._stream.write(json.dumps({"do": do, **arguments}) + "\n")
        self._stream.flush()

    def collect(self):
        line = self._stream.readline()
        if not line:
            raise LabError(f"{self.path}: its process has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise LabError(f"{self.path}: {answer['error']}")
        return answer.get("ok", answer.get("pid"))

    def close(self):
        self._stream.close()
        self._socket.close()


class Agent:
    """An agent's client. Each thread has its own connection, so callers may share it."""

    def __init__(self, path):
        self.path = path
        self._local = threading.local()
        self._links = []

    def link(self):
        if not hasattr(self._local, "link"):
            self._local.link = wait_until(lambda: Link(self.path), 10, f"agent at {self.path}")
            self._links.append(self._local.link)
        return self._local.link

    def call(self, do, **arguments):
        link = self.link()
        link.start(do, **arguments)
        return link.collect()

    def run(self, *argv, stdin=None, timeout=30, env=None, check=True):
        """Output of a command run inside; LabError with its errors if it fails. check=False: [status, output, errors]."""
        result = self.call("run", argv=[str(a) for a in argv], stdin=stdin, timeout=timeout, env=env)
        if not check:
            return result
        if result[0] != 0:
            raise LabError(f"{' '.join(str(a) for a in argv)[:300]}: status {result[0]}: {result[2].strip() or result[1].strip()}")
        return result[1]

    def close(self):
        for link in self._links:
            link.close()


def call_all(agents_and_requests):
    """[(agent, do, arguments)] at once; answers in the same order. One request per agent."""
    pending = []
    for agent, do, arguments in agents_and_requests:
        agent.link().start(do, **arguments)
        pending.append(agent.link())
    return [link.collect() for link in pending]


class Machine:
    """A machine of a lab: net, mount, uts and pid namespaces; its /run is FOLDER/run; processes by its agent."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.init = Link(os.path.join(folder, "init.sock"))
        self.pid = self.init.peer_pid()            # seen from here: its end is one kill -9 of this
        self.agent = Agent(os.path.join(folder, "agent.sock"))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def run(self, *argv, **options):
        return self.agent.run(*argv, **options)

    def ip(self, commands):
        """Many `ip` commands in one process; commands: lines."""
        return self.run("ip", "-batch", "-", stdin="\n".join(commands) + "\n")

    def make(self, what, name, folder):
        self.init.start(what, name=name, folder=folder)
        return self.init.collect()

    def enter_command(self, *argv):
        """A command line, for people, that runs argv inside."""
        return ["nsenter", "-t", str(self.pid), "-m", "-u", "-n", "-p", "--", *argv]

    def kill(self):
        os.kill(self.pid, 9)
        wait_until(lambda: not os.path.exists(f"/proc/{self.pid}"), 10, f"end of machine '{self.name}'")

    def close(self):
        self.init.close()
        self.agent.close()


class Keeper:
    """The process that ends a lab with its owner (inside/keeper.py)."""

    def __init__(self, root):
        self.process = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, "inside", "keeper.py"), root],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        if self.process.stdout.readline() != b"ready\n":
            self.end(False)
            raise LabError("the lab's first namespaces could not be made (root needed); see " + os.path.join(root, "wire", "init.log"))

    def end(self, keep_folder):
        if self.process.poll() is None:
            if keep_folder:
                self.process.stdin.write(b"keep")
            self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
