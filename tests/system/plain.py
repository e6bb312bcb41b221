"""vnetd as a program, without a lab: run by hand, or in the background of a folder of its own."""
import json
import os
import subprocess

from lab import wait_until
from lab.daemon import Ctl, UnixConnection, build_folder

VNETD = os.path.join(build_folder(), "bin", "vnetd")
VNETCTL = os.path.join(build_folder(), "bin", "vnetctl")


def run(*arguments, folder=None):
    done = subprocess.run([VNETD, *arguments], cwd=folder, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def listeners(folder):
    """Ports are the kernel's choice, so that nothing else is met."""
    return [f"--store=sqlite:{folder}/db", "--openflow=ptcp:0:127.0.0.1", "--ovsdb=ptcp:0:127.0.0.1", f"--api=punix:{folder}/socket"]


def serves(socket):
    connection = UnixConnection(socket, 5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Background:
    """vnetd --detach of this folder; ended, however the test ends."""

    def __init__(self, folder, *options):
        self.pidfile = f"{folder}/pid"
        self.status, self.output, self.errors = run(*options, "--detach", f"--pidfile={self.pidfile}", folder=folder)
        self.pid = int(open(self.pidfile).read()) if self.status == 0 else None

    def signal(self, number):
        os.kill(self.pid, number)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.pid and is_alive(self.pid):
            self.signal(15)
            wait_until(lambda: not is_alive(self.pid), 20, "vnetd ends on SIGTERM")


class Daemon(Background):
    """One that serves, and vnetctl for it."""

    def __init__(self, folder):
        super().__init__(folder, *listeners(folder))
        assert self.status == 0, self.errors
        self.ctl = Ctl(f"unix:{folder}/socket")

    def http(self, method, path, body=None):
        """(status, text, headers)."""
        connection = UnixConnection(self.ctl.server.removeprefix("unix:"), 10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()
