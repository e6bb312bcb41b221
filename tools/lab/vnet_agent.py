"""vnet-agent on a hypervisor of a lab, and the hook that libvirtd there runs."""
import os
import socket

from lab.daemon import SANITIZER_WORDS, build_folder
from lab.procs import LabError, wait_until


class VnetAgent:
    """The agent as a process of the hypervisor. kill() and start() may follow each other."""
    unwinds_whole = False       # whose a leak is shows only then, through libraries without frame pointers; makes it half as fast

    def __init__(self, host, server, certificates=None, options=(), connect=None):
        """server: as --server. certificates: (key, certificate, CA). connect: as --connect, unless the host has a libvirtd of its own."""
        self.host, self.server, self.certificates, self.options = host, server, certificates, list(options)
        self.program = os.path.join(build_folder(), "bin", "vnet-agent")
        self.socket, self.log, self.out = "/run/vnet-agent.sock", host.path("vnet-agent.log"), host.path("vnet-agent.out")
        self.connect = connect
        self._number = None

    def hook(self, *options):
        """What Libvirt.install_hook() takes."""
        return (os.path.join(build_folder(), "bin", "vnet-hook"), f"--socket={self.socket}", *options)

    def arguments(self):
        listed = [f"--connect={self.connect or self.host.libvirt.agent_uri}", f"--server={self.server}", f"--socket={self.socket}",
                  f"--log-file={self.log}", f"--state-dir={self.host.path('vnet-agent-state')}", "--config=/dev/null"]
        if self.certificates:
            listed += ["-p", self.certificates[0], "-c", self.certificates[1], "-C", self.certificates[2]]
        return listed + self.options

    def start(self):
        """Until it listens for hooks. Whether libvirt and vnetd answer is another matter: see wait_connected()."""
        suppressions = os.path.join(os.path.dirname(os.path.abspath(__file__)), "leaks-of-others")
        unwind = f"fast_unwind_on_malloc={0 if self.unwinds_whole else 1}"
        env = {**self.host.programs.env, "ASAN_OPTIONS": f"detect_leaks=1:abort_on_error=0:quarantine_size_mb=1:{unwind}", "UBSAN_OPTIONS": "print_stacktrace=1",
               "LSAN_OPTIONS": f"suppressions={suppressions}:print_suppressions=0"}
        self._number = self.host.agent.call("spawn", argv=[self.program, *self.arguments()], log=self.out, env=env)
        wait_until(self._listens, 20, f"{self.host.name}: vnet-agent listens (log: {self.log})")

    def _listens(self):
        if self.status() is not None:
            raise LabError(f"vnet-agent ended with status {self.status()}: {self.last_words()}")
        with socket.socket(socket.AF_UNIX) as s:               # one that was killed leaves its file behind
            return s.connect_ex(self.host.path("run", "vnet-agent.sock")) == 0

    def status(self):
        return self.host.agent.call("poll", number=self._number)

    def pid(self):
        return self.host.agent.call("process_id", number=self._number)

    def n_open_files(self):
        return len(self.host.run("ls", f"/proc/{self.pid()}/fd").split())

    def signal(self, name):
        self.host.agent.call("kill", number=self._number, name=name)

    def kill(self, name="KILL"):
        self.signal(name)
        status = self.host.agent.call("wait", number=self._number, timeout=20)
        if status is None:
            raise LabError(f"vnet-agent did not end within 20 s of SIG{name}: {self.last_words()}")
        return status

    def last_words(self, n_lines=30):
        text = ""
        for path in (self.log, self.out):
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    text += "\n".join(f.read().splitlines()[-n_lines:]) + "\n"
        return text.strip()

    def complaints(self):
        if not os.path.exists(self.out):
            return []
        with open(self.out, errors="replace") as f:
            return [line.strip() for line in f if SANITIZER_WORDS.search(line)]
