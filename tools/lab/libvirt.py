"""libvirtd on a lab's hypervisor, and the virtual machines it runs: Debian's libvirtd and QEMU (TCG), as a host would have them.

The hypervisor's namespaces hold what libvirtd keeps at fixed places: private mounts over /etc/libvirt, /var/lib/libvirt, ...; /run is the
machine's own already. Nothing of this is made for a hypervisor without libvirt. Sockets are in HOST/libvirt/sock, so that a test may
connect from outside: `host.libvirt.uri`. A guest's console is HOST/run/libvirt/NAME.sock.

What a first start learns of QEMU (4 s) is kept in the cache folder and given to later ones.
"""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
import uuid

from lab import ovs
from lab.procs import LabError, wait_until

PRIVATE = {"etc": "/etc/libvirt", "lib": "/var/lib/libvirt", "log": "/var/log/libvirt", "cache": "/var/cache/libvirt"}
USER = "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin"    # libvirt-daemon-system would add it
CMDLINE = ("console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable no_timer_check apparmor=0 audit=0 cryptomgr.notests "
           "random.trust_cpu=on")
# QEMU before 9.0 without KVM loses writes of a guest that migrates, and the guest crashes: it takes the marks of dirty pages 64 pages at
# a time and leaves the translated code's TLB saying that they are set, so the next write marks nothing. Memory that is no multiple of
# 256 KiB is gone through page by page, which is done right. libvirt would round it to MiB, so QEMU is told past libvirt.
MEMORY_REST = 8 << 10
MOUNT_CGROUPS = """mount -t tmpfs cgroup /sys/fs/cgroup
for c in cpu cpuacct cpuset memory devices freezer blkio; do mkdir /sys/fs/cgroup/$c; mount -t cgroup -o $c cgroup /sys/fs/cgroup/$c; done
mkdir /sys/fs/cgroup/systemd; mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd"""
NO_OFFLOADS = ("<driver name='qemu'><host csum='off' gso='off' tso4='off' tso6='off' ecn='off' ufo='off' mrg_rxbuf='off'/>"
               "<guest csum='off' tso4='off' tso6='off' ecn='off' ufo='off'/></driver>")


def guest_image():
    """Folder with 'vmlinux' and 'initrd', made at the first call on this machine."""
    done = subprocess.run([os.path.join(ovs.TOP, "tools/setup/guest.sh")], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise LabError("tools/setup/guest.sh could not make the guests' image")
    return done.stdout.strip().splitlines()[-1]


class Libvirt:
    """One hypervisor's libvirtd. start(), kill() and stop() may follow each other; guests live on."""

    def __init__(self, host, containers=False):
        """containers: libvirt's LXC driver is what the agent and virsh speak to."""
        self.host, self.containers = host, containers
        self.folder = host.path("libvirt")
        driver = "lxc" if containers else "qemu"
        self.uri = f"{driver}+unix:///system?socket={self.folder}/sock/libvirt-sock"
        self.agent_uri = self.uri
        self.image = guest_image()
        self._number = None
        self._prepare()

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    # -- its files --

    def _prepare(self):
        for name in [*PRIVATE, "sock"]:
            os.makedirs(self.path(name), exist_ok=True)
        os.makedirs(self.path("etc", "hooks", "qemu.d"), exist_ok=True)
        self._write("etc/libvirtd.conf", f'unix_sock_dir = "{self.path("sock")}"\nauth_unix_rw = "none"\nauth_unix_ro = "none"\n'
                    f'host_uuid = "00000000-0000-4000-8000-0000000000{self.host.number:02x}"\n'
                    f'log_outputs = "2:file:{self.path("libvirtd.log")}"\n')
        self._write("etc/qemu.conf", 'user = "root"\ngroup = "root"\ndynamic_ownership = 0\nremember_owner = 0\nsecurity_driver = "none"\n'
                    'cgroup_controllers = [ ]\nnamespaces = [ ]\nstdio_handler = "file"\nmigration_address = "0.0.0.0"\n'
                    'migration_port_min = 49152\n')
        self._extend("/etc/passwd", "passwd", USER)
        self._extend("/etc/group", "group", "libvirt-qemu:x:64055:")
        self._write("hosts", f"127.0.0.1 localhost {self.host.name}\n")
        known = os.path.join(ovs.cache_folder(), "libvirt-capabilities")
        if os.path.isdir(known):
            shutil.copytree(known, self.path("cache"), dirs_exist_ok=True)
        commands = []
        for name, target in PRIVATE.items():
            os.makedirs(target, exist_ok=True)             # a mount point
            commands.append(f"mount --bind {self.path(name)} {target}")
        commands += [f"mount --bind {self.path(n)} /etc/{n}" for n in ("passwd", "group", "hosts")]
        if self.containers:
            commands.append(MOUNT_CGROUPS)
        self.host.run("sh", "-ec", "\n".join(commands))

    def _write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)

    def _extend(self, source, name, line):
        with open(source) as f:
            text = f.read()
        self._write(name, text if line in text else text + line + "\n")

    def install_hook(self, program, *options):
        """libvirt's qemu.d/vnet: a script, so that options can be given; it notes how long it took. Seen by libvirtd when it starts next; one
        that was there then may be written anew at any time."""
        path = self.path("etc", "hooks", "lxc.d" if self.containers else "qemu.d", "vnet")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # Looking for leaks takes a sanitized program longer than all it does: not of each of a crowd.
        before = "ASAN_OPTIONS=detect_leaks=0 " if self.containers else ""
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\nbegin=$(date +%s%N)\n{before}{program} {' '.join(options)} \"$@\"\nstatus=$?\n"
                    f"echo \"$1 $2 $(($(date +%s%N) - begin))\" >> {self.path('hook-calls')}\nexit $status\n")
        os.chmod(path, 0o755)
        return path

    def hook_calls(self, guest):
        """[(operation, seconds)] of the hook's calls for a guest that have ended, oldest first."""
        with open(self.path("hook-calls")) as f:
            calls = [line.split() for line in f]
        return [(operation, int(ns) / 1e9) for name, operation, ns in calls if name == guest]

    # -- its process --

    def start(self, seconds=30):
        self._number = self.host.agent.call("spawn", argv=["libvirtd", "-f", "/etc/libvirt/libvirtd.conf", "-p", "/run/libvirtd.pid"],
                                            log=self.path("libvirtd.out"), env=self.host.programs.env)
        wait_until(lambda: self.virsh("hostname"), seconds, f"{self.host.name}: libvirtd (log: {self.path('libvirtd.log')})")
        self._remember_capabilities()

    def _remember_capabilities(self):
        """Kept once it is whole: the folder appears by one rename."""
        known = os.path.join(ovs.cache_folder(), "libvirt-capabilities")
        made = self.path("cache", "qemu", "capabilities")
        if os.path.isdir(known) or not os.path.isdir(made) or not os.listdir(made):
            return
        partial = f"{known}.{os.getpid()}"
        shutil.copytree(self.path("cache"), partial)
        with contextlib.suppress(OSError):
            os.rename(partial, known)
        shutil.rmtree(partial, ignore_errors=True)

    def signal(self, name):
        self.host.agent.call("kill", number=self._number, name=name)

    def kill(self, name="KILL"):
        self.signal(name)
        if self.host.agent.call("wait", number=self._number, timeout=20) is None:
            raise LabError(f"{self.host.name}: libvirtd did not end on SIG{name}")

    def restart(self, name="TERM"):
        self.kill(name)
        self.start()

    def virsh(self, *arguments, check=True, timeout=60, stdin=None):
        """Output of virsh; check=False: (status, output, errors)."""
        done = subprocess.run(["virsh", "-q", "-c", self.uri, *[str(a) for a in arguments]], capture_output=True, text=True, timeout=timeout,
                              input=stdin)
        if not check:
            return done.returncode, done.stdout.strip(), done.stderr.strip()
        if done.returncode != 0:
            raise LabError(f"virsh {' '.join(str(a) for a in arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def start_virsh(self, *arguments):
        """virsh in the background: a subprocess.Popen."""
        return subprocess.Popen(["virsh", "-q", "-c", self.uri, *[str(a) for a in arguments]], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def domains(self):
        """{name: state} as virsh says."""
        rows = (line.split(None, 2)[1:] for line in self.virsh("list", "--all").splitlines() if line.strip())
        return {name: state for name, state in rows}

    # -- guests --

    def container_xml(self, name, domain_id, subnet=None):
        """A container whose one process sleeps: what a thousand of is cheap. In a subnet: with an interface that declares a port."""
        metadata, interface = self._container_interface(domain_id, subnet) if subnet else ("", "")
        return (f"<domain type='lxc'><name>{name}</name><uuid>{domain_id}</uuid>{metadata}<memory unit='MiB'>32</memory><vcpu>1</vcpu>"
                "<os><type>exe</type><init>/bin/sh</init><initarg>-c</initarg><initarg>trap exit TERM; sleep 1000000 &amp; wait</initarg></os><devices>"
                "<emulator>/usr/lib/libvirt/libvirt_lxc</emulator>"
                f"<filesystem type='mount'><source dir='{self.image}/root'/><target dir='/'/></filesystem>"
                f"{interface}<console type='pty'/></devices></domain>")

    @staticmethod
    def _container_interface(domain_id, subnet):
        """Its declaration, and itself."""
        mac = "52:54:00:%02x:%02x:%02x" % tuple(uuid.UUID(domain_id).bytes[:3])
        return (f"<metadata><vnet:instance xmlns:vnet='urn:vnet:1'><vnet:interface mac='{mac}' subnet='{subnet}'/></vnet:instance></metadata>",
                f"<interface type='bridge'><mac address='{mac}'/><source bridge='br-int'/><virtualport type='openvswitch'>"
                f"<parameters interfaceid='{uuid.uuid4()}'/></virtualport></interface>")

    def define(self, name, **options):
        vm = Vm(name, self, **options)
        vm.define()
        return vm

    def console(self, name):
        """All that a guest's serial line has said on this host, also before it went elsewhere."""
        try:
            with open(self.path("log", f"{name}.log"), errors="replace") as f:
                return f.read().replace("\r", "")
        except FileNotFoundError:
            return ""

    def close(self):
        for name, state in self.domains().items():
            if state != "shut off":
                self.virsh("destroy", name, check=False)


class Vm:
    """A virtual machine with one interface. Its name, UUID and addresses stay when it migrates."""

    def __init__(self, name, libvirt, mac=None, port_id=None, declare=None, tenant=None, memory_mib=80, domain_id=None):
        """declare: attributes of <vnet:interface> but for the MAC: {"subnet": "web", "port": "web1"}; None: nothing is declared."""
        self.name, self.libvirt = name, libvirt
        self.id = domain_id or str(uuid.uuid4())
        self.port_id = port_id or str(uuid.uuid4())
        self.mac = mac or "52:54:00:%02x:%02x:%02x" % tuple(uuid.uuid4().bytes[:3])
        self.declare, self.tenant, self.memory_mib = declare, tenant, memory_mib

    def __repr__(self):
        return f"<vm {self.name} on {self.libvirt.host.name}>"

    # -- its XML --

    def metadata(self):
        if self.declare is None:
            return ""
        tenant = f" tenant='{self.tenant}'" if self.tenant else ""
        words = " ".join(f"{k}='{v}'" for k, v in self.declare.items())
        return (f"<metadata><vnet:instance xmlns:vnet='urn:vnet:1'{tenant}><vnet:interface mac='{self.mac}' {words}/>"
                "</vnet:instance></metadata>")

    def interface_xml(self, mac=None, port_id=None):
        return (f"<interface type='bridge'><mac address='{mac or self.mac}'/><source bridge='br-int'/>"
                f"<virtualport type='openvswitch'><parameters interfaceid='{port_id or self.port_id}'/></virtualport>"
                f"<model type='virtio'/>{NO_OFFLOADS}</interface>")

    def memory_xml(self):
        """In place of the memory that libvirt gives QEMU; that one stays unused."""
        size = (self.memory_mib << 20) + MEMORY_REST
        words = ["-object", f"memory-backend-ram,id=odd.ram,size={size}", "-machine", "memory-backend=odd.ram", "-m", f"{size}B"]
        return "<qemu:commandline>" + "".join(f"<qemu:arg value='{w}'/>" for w in words) + "</qemu:commandline>"

    def xml(self):
        image = self.libvirt.image
        return f"""<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
<name>{self.name}</name><uuid>{self.id}</uuid>{self.metadata()}
<memory unit='MiB'>{self.memory_mib}</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type><kernel>{image}/vmlinux</kernel><initrd>{image}/initrd</initrd>
<cmdline>{CMDLINE} guest.name={self.name}</cmdline></os>
<features><acpi/></features><cpu mode='custom' match='exact'><model>qemu64</model></cpu>
<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' model='none'/><memballoon model='none'/>
<serial type='unix'><source mode='bind' path='/run/libvirt/{self.name}.sock'/>
<log file='/var/log/libvirt/{self.name}.log' append='on'/><target port='0'/></serial>
{self.interface_xml()}</devices>{self.memory_xml()}</domain>"""

    # -- its life --

    def virsh(self, command, *arguments, **options):
        return self.libvirt.virsh(command, self.name, *arguments, **options)

    def define(self):
        path = self.libvirt.path(f"{self.name}.xml")
        with open(path, "w") as f:
            f.write(self.xml())
        self.libvirt.virsh("define", path)

    def create(self):
        """A transient domain: gone when it stops."""
        path = self.libvirt.path(f"{self.name}.xml")
        with open(path, "w") as f:
            f.write(self.xml())
        self.libvirt.virsh("create", path)

    def start(self):
        self.virsh("start")

    def migrate(self, to, *options, **more):
        """Live, to another host's Libvirt; the machines talk over the management network."""
        result = self.virsh("migrate", to.uri, "--migrateuri", f"tcp:{to.host.management_ip}", "--live", "--p2p", *options, **more)
        self.libvirt = to
        return result

    def pid(self):
        """Of its QEMU, as its host numbers it."""
        with open(self.libvirt.host.path("run", "libvirt", "qemu", f"{self.name}.pid")) as f:
            return int(f.read())

    # -- inside --

    def log(self):
        """All that its serial line has said on this host."""
        return self.libvirt.console(self.name)

    def leases(self):
        """[(event, address)] as the guest's DHCP client said, oldest first."""
        return re.findall(r"^.*vnet-guest: (bound|renew) \S+ ([\d.]+)/", self.log(), re.M)

    def wait_lease(self, count=1, seconds=60):
        wait_until(lambda: len(self.leases()) >= count, seconds, f"lease {count} of {self}; its console: {self.log()[-300:]}")
        return self.leases()[-1][1]

    def run(self, command, seconds=20):
        """(status, output) of a shell command in the guest."""
        return console_run(self.libvirt.host.path("run", "libvirt", f"{self.name}.sock"), command, seconds)


def console_run(path, command, seconds=20):
    """Types a command into the shell at the other end of a serial line and collects what it says."""
    mark = f"T{time.monotonic_ns()}"
    end = re.compile(rf"^E{mark} (\d+)$", re.M)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(seconds)
        line.connect(path)
        line.sendall(f"echo B\"{mark}\"; {command}; echo E\"{mark}\" $?\n".encode())
        text = ""
        while not end.search(text):
            try:
                data = line.recv(4096)
            except TimeoutError:
                data = b""
            if not data:
                raise LabError(f"guest's console {path}: '{command}' did not end; it said: {text[-300:]}")
            text += data.decode(errors="replace").replace("\r", "")
    status = int(end.search(text)[1])
    begin = re.search(rf"^B{mark}\n", text, re.M)
    return status, text[begin.end():end.search(text).start()] if begin else text
