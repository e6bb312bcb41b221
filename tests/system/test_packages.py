"""The Debian packages, as ./dev deb makes them, installed on a clean Debian tree: all their programs run there, and the agent's package and one
command are all that a host needs to join."""
import contextlib
import glob
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from lab import wait_until
from lab.daemon import API_PORT
from lab.underlay import NODE_IP

LAB = {"hosts": 0, "tls": True}
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
POLICY = "#!/bin/sh\nexit 101\n"                # nothing is started by an installation in a folder


def made_by(*argv, timeout=400):
    done = subprocess.run(argv, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)
    assert done.returncode == 0, f"{argv}: {done.stderr[-2000:]}"
    return done.stdout.strip().splitlines()


ROOM_BYTES = 4 << 30                             # the tree has a tenth of that; memory is for others, too


def folder_in_memory():
    """Thousands of files come and go three times as fast there, where there is room. One whose process was killed is removed by the next."""
    has_room = os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > ROOM_BYTES
    top = "/dev/shm" if has_room else tempfile.gettempdir()
    for old in glob.glob(os.path.join(top, "vnet-tree-*")):
        if not os.path.exists(f"/proc/{old.rsplit('-', 1)[1]}"):
            shutil.rmtree(old, ignore_errors=True)
    return os.path.join(top, f"vnet-tree-{os.getpid()}")


class Tree:
    """A Debian system in a folder."""

    def __init__(self, folder):
        self.folder = folder
        tar = made_by(os.path.join(TOP, "tools/setup/debian-tree.sh"))[-1]
        self.archives = os.path.join(os.path.dirname(tar), "debian-archives")
        os.makedirs(folder)
        subprocess.run(["tar", "-C", folder, "-xf", tar], check=True)
        self.write("usr/sbin/policy-rc.d", POLICY, 0o755)
        self.write("etc/apt/apt.conf.d/99test", f'Dir::Cache::archives "{self.archives}";\nAPT::Keep-Downloaded-Packages "true";\n'
                   'APT::Sandbox::User "root";\nAcquire::Check-Valid-Until "false";\n')
        self.write("etc/dpkg/dpkg.cfg.d/99test", "force-unsafe-io\n")        # nobody needs it after a power cut
        with open("/etc/resolv.conf") as f:
            self.write("etc/resolv.conf", f.read())

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def run(self, *argv, binds=(), timeout=300):
        """In a mount namespace of its own, so that nothing stays mounted."""
        mounts = "".join(f"mkdir -p {self.folder}{b} && mount --bind {b} {self.folder}{b} && " for b in [self.archives, *binds])
        command = (f"mount -t proc proc {self.folder}/proc && mount --bind /dev {self.folder}/dev && {mounts}"
                   f"exec chroot {self.folder} \"$@\"")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        done = subprocess.run(["unshare", "-m", "sh", "-ec", command, "sh", *argv], env=environment, capture_output=True, text=True, timeout=timeout)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def tree(lab):
    debs = [line for line in made_by("./dev", "deb") if line.endswith(".deb")]
    assert sorted(os.path.basename(d).split("_")[0] for d in debs) == ["vnet-agent", "vnet-controller", "vnet-tools"]
    made = Tree(folder_in_memory())
    try:
        os.makedirs(made.path("debs"))
        for deb in debs:
            shutil.copy(deb, made.path("debs"))
        status, _, errors = made.run("apt-get", "update")
        assert status == 0, errors
        names = [f"/debs/{os.path.basename(d)}" for d in debs]
        status, output, errors = made.run("apt-get", "install", "-y", "--no-install-recommends", "systemd", "dbus", *names)
        assert status == 0, output[-1000:] + errors[-2000:]
        yield made
    finally:
        shutil.rmtree(made.folder, ignore_errors=True)


def test_all_programs_run_on_a_clean_system(tree):
    for program in ("vnetd", "vnet-agent", "vnetctl", "vnet-hook"):
        status, output, errors = tree.run(program, "--version")
        assert status == 0 and "0.1.0" in output, (program, output, errors)
    for page, package in (("vnet.conf.5", "vnet-controller"), ("vnet-agent.conf.5", "vnet-agent")):
        assert tree.run("dpkg", "-S", f"/usr/share/man/man5/{page}.gz")[1].startswith(f"{package}:")
    status, output, _ = tree.run("dpkg", "--audit")
    assert (status, output) == (0, "")
    for unit in ("vnetd.service", "vnet-agent.service"):
        assert os.path.exists(tree.path("lib/systemd/system", unit))


class Machine:
    """A tree that systemd runs, in namespaces of its own which end with it."""
    BOOT = """
        mount --make-rprivate /
        mount --bind $0 $0
        if [ -n "$2" ]; then mkdir -p $0/.overlay; mount -t overlay -o lowerdir=$2,upperdir=$0$2,workdir=$0/.overlay overlay $0$2; fi
        mount -t proc proc $0/proc
        mount -t sysfs sysfs $0/sys
        for folder in run tmp dev sys/fs/cgroup; do mount -t tmpfs tmpfs $0/$folder; done
        mkdir -p $0/sys/fs/cgroup/systemd $0/dev/net $0/dev/pts $0/dev/shm
        mount -t cgroup -o none,name=systemd cgroup $0/sys/fs/cgroup/systemd
        for device in null zero full random urandom tty net/tun; do touch $0/dev/$device; mount --bind /dev/$device $0/dev/$device; done
        touch $0/dev/console; mount --bind /dev/null $0/dev/console
        ln -s /proc/self/fd $0/dev/fd
        ip link set lo up
        ip addr add 192.0.2.10/32 dev lo
        hostname $1
        cd $0
        pivot_root . mnt
        umount -l /mnt
        exec env -i container=lab PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --unit=multi-user.target
    """

    def __init__(self, tree, name, beneath=""):
        """beneath: a folder of this machine whose files are there too, where the tree has none."""
        tree.write("etc/hostname", name + "\n")
        self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "-pfmuinC", "--kill-child", "bash", "-ec", self.BOOT, tree.folder, name,
                                          beneath], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: self._first() and self.run("systemctl", "is-system-running", check=False) in ("running\n", "degraded\n"), 60, "it is up")
        except BaseException:
            self.stop()
            raise

    def _first(self):
        with open(f"/proc/{self._process.pid}/task/{self._process.pid}/children") as f:
            return f.read().strip()

    def run(self, *argv, check=True):
        done = subprocess.run(["nsenter", "-t", self._first(), "-a", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout

    def stop(self):
        self._process.kill()
        self._process.wait()


def forget_everything(tree):
    """As far as a test has come."""
    for made in ("etc/vnet/pki", "var/lib/vnet"):
        shutil.rmtree(tree.path(made), ignore_errors=True)
    for made in ("etc/vnet/agent.conf", "etc/openvswitch/system-id.conf", "etc/openvswitch/conf.db"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(tree.path(made))


@pytest.fixture
def machine(tree):
    it = Machine(tree, "hv1")
    try:
        yield it
    finally:
        it.stop()
        forget_everything(tree)


def become_controller_and_hypervisor(machine):
    """All that an administrator does: certificates, the daemon, a token, and one command to join."""
    machine.run("vnetctl", "pki", "init")
    machine.run("systemctl", "enable", "--now", "vnetd")
    token = machine.run("vnetctl", "host-token").strip()
    machine.run("vnet-agent", "join", "https://192.0.2.10:6680", f"--token={token}", "--datapath-type=netdev")
    for column in ("connected", "realised"):
        machine.run("vnetctl", "--timeout=30", "wait-until", "host", "hv1", f"{column}=true")


def main_pid(machine, unit):
    return int(machine.run("systemctl", "show", "--property=MainPID", "--value", unit))


def test_systemd_runs_both_daemons_and_a_host_keeps_its_name_over_a_restart(machine, tree):
    become_controller_and_hypervisor(machine)
    # Guests that libvirt starts with the host find the agent, which needs no libvirt to be ready.
    order = {side: machine.run("systemctl", "show", f"--property={side}", "--value", "vnet-agent").split() for side in ("Before", "After")}
    for unit in ("libvirtd.service", "virtqemud.service", "virtlxcd.service"):
        assert unit in order["Before"] and unit not in order["After"], order
    assert machine.run("systemctl", "is-active", "vnet-agent", check=False) == "active\n"
    machine.run("vnetctl", "vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--", "port-add", "s", "p")
    machine.run("ovs-vsctl", "add-port", "br-int", "p", "--", "set", "interface", "p", "type=internal", "external_ids:iface-id=p")
    machine.run("vnetctl", "--timeout=30", "wait-until", "port", "p", "state=active")

    for unit in ("vnetd", "vnet-agent"):
        before = main_pid(machine, unit)
        machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", unit)
        wait_until(lambda: main_pid(machine, unit) not in (0, before) and machine.run("systemctl", "is-active", unit, check=False) == "active\n",
                   30, f"systemd starts {unit} again")
    for wanted in ("disabled", "enabled"):                     # installing it again leaves that to the admin
        machine.run("systemctl", wanted.removesuffix("d"), "vnet-agent")
        machine.run("dpkg", "-i", agent_deb(tree))
        assert machine.run("systemctl", "is-enabled", "vnet-agent", check=False) == f"{wanted}\n"
    machine.run("systemctl", "restart", "openvswitch-switch")
    machine.run("vnetctl", "--timeout=30", "wait-until", "port", "p", "state=active")
    assert machine.run("ovs-vsctl", "get", "Open_vSwitch", ".", "external_ids:system-id").strip() == "hv1"
    assert machine.run("vnetctl", "-f", "csv", "--columns=name,connected", "--no-headings", "host-list").split() == ["hv1,true"]
    for unit in ("vnet-agent", "vnetd"):
        machine.run("systemctl", "stop", unit)
        assert machine.run("systemctl", "show", "--property=Result", "--value", unit) == "success\n"


def test_the_controller_s_package_makes_certificates_and_checks_its_options(tree):
    status, _, errors = tree.run("vnetctl", "pki", "init")
    assert status == 0, errors
    assert glob.glob(tree.path("etc/vnet/pki/*")) != []
    status, output, errors = tree.run("vnetd", "--config=/etc/vnet/vnetd.conf", "--version")
    assert status == 0 and "0.1.0" in output, errors


def test_the_agent_s_package_and_one_command_connect_a_host(lab, tree):
    host = lab.add_host("hv1", join=False)
    token = lab.ctl("host-token")
    command = f"mkdir -p {tree.folder}{lab.root} && mount --bind {lab.root} {tree.folder}{lab.root} && mount --bind /run {tree.folder}/run && " \
              f"mount -t proc proc {tree.folder}/proc && exec chroot {tree.folder} \"$@\""
    status, output, errors = host.run("unshare", "-m", "sh", "-ec", command, "sh", "/usr/sbin/vnet-agent", "join",
                                      f"https://{NODE_IP}:{API_PORT}", f"--token={token}", "--name=hv1", f"--encap-ip={host.tunnel_ip}",
                                      "--datapath-type=netdev", f"--dir={host.path('pki')}", check=False)
    assert status == 0, errors
    lab.ready("hv1")
    with open(tree.path("etc/vnet/agent.conf")) as f:
        assert f"server = https://{NODE_IP}:{API_PORT}" in f.read()
    number = host.agent.call("spawn", argv=["unshare", "-m", "sh", "-ec", command, "sh", "/usr/sbin/vnet-agent", "--connect=test:///default",
                                            "--socket=/run/vnet-agent.sock"], log=host.path("agent.log"))
    lab.wait_agents("hv1")
    host.agent.call("kill", number=number, name="TERM")
    assert host.agent.call("wait", number=number, timeout=20) == 0


HOOK = "etc/libvirt/hooks/qemu.d/vnet"


def run_hook(tree):
    """As libvirt does. (exit status, standard error)"""
    status, output, errors = tree.run("sh", "-c", f"/{HOOK} vm prepare begin - < /dev/null")
    assert output == ""
    return status, errors


def agent_deb(tree):
    return "/debs/" + next(name for name in os.listdir(tree.path("debs")) if name.startswith("vnet-agent"))


def test_the_hook_is_the_admin_s_to_change_and_harms_no_guest_when_its_package_is_gone(tree):
    status, errors = run_hook(tree)
    assert status == 0 and "vnet-agent does not answer" in errors
    with open(tree.path(HOOK)) as f:
        text = f.read()
    changed = text.replace("vnet-hook \"$@\"", "vnet-hook --strict \"$@\"")
    assert changed != text
    tree.write(HOOK, changed, 0o755)
    for command in (["remove"], ["install", "--reinstall", "--no-install-recommends"]):
        status, _, errors = tree.run("apt-get", *command, "-y", agent_deb(tree) if command[0] == "install" else "vnet-agent")
        assert status == 0, errors
        with open(tree.path(HOOK)) as f:
            assert f.read() == changed                     # kept
        status, errors = run_hook(tree)
        assert status == 0 and ("does not answer" in errors) == (command[0] == "install"), errors
    tree.write(HOOK, text, 0o755)


def test_a_link_made_by_hand_becomes_the_package_s_file_and_the_program_stays(tree):
    program = os.stat(tree.path("usr/sbin/vnet-hook")).st_size
    mine = ["etc/vnet/agent.conf", "etc/vnet/pki/hv9-key.pem", "etc/vnet/pki/hv9-cert.pem", "var/lib/vnet/agent/since.json", "var/log/vnet/agent.log"]
    others = ["etc/vnet/pki/vnetd-key.pem", "etc/vnet/pki/ca.pem", "var/lib/vnet/vnet.db", "var/log/vnet/vnetd.log"]
    for file in mine + others:
        tree.write(file, "private-key = /etc/vnet/pki/hv9-key.pem\ncertificate = /etc/vnet/pki/hv9-cert.pem\n")
    assert tree.run("apt-get", "purge", "-y", "vnet-agent")[0] == 0
    assert [file for file in mine if os.path.exists(tree.path(file))] == []
    assert [file for file in others if not os.path.exists(tree.path(file))] == []
    for file in others:
        os.unlink(tree.path(file))
    assert not os.path.lexists(tree.path(HOOK))
    os.makedirs(tree.path(os.path.dirname(HOOK)), exist_ok=True)
    os.symlink("/usr/sbin/vnet-hook", tree.path(HOOK))
    status, _, errors = tree.run("apt-get", "install", "-y", "--no-install-recommends", agent_deb(tree))
    assert status == 0, errors
    assert os.path.isfile(tree.path(HOOK)) and not os.path.islink(tree.path(HOOK))
    assert os.stat(tree.path("usr/sbin/vnet-hook")).st_size == program
    assert run_hook(tree)[0] == 0


LOOK = "etc/libvirt/hooks/qemu.d/zz-look"         # libvirt runs it after the package's
LOOK_TEXT = """#!/bin/sh
[ "$2" != start ] || vnetctl get port "$1" state > /run/at-start 2>&1
exit 0
"""
DOMAIN = """<domain type='qemu'><name>vm</name><uuid>dc2b9d00-dd64-4485-add1-0b9917418121</uuid>
<metadata><vnet:instance xmlns:vnet='urn:vnet:1'><vnet:interface mac='52:54:00:00:00:01' subnet='s' port='vm'/></vnet:instance></metadata>
<memory unit='MiB'>32</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator><interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br-int'/>
<virtualport type='openvswitch'/><model type='virtio'/></interface></devices></domain>
"""
# What libvirt-daemon-system would bring.
LIBVIRT_FILES = {
    "etc/libvirt/libvirtd.conf": 'auth_unix_rw = "none"\nauth_unix_ro = "none"\n',
    "etc/libvirt/qemu.conf": 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\ncgroup_controllers = [ ]\nnamespaces = [ ]\nstdio_handler = "file"\n',
}
LIBVIRT_USER = {"etc/passwd": "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n", "etc/group": "libvirt-qemu:x:64055:\n"}
LIBVIRT_PACKAGES = ["libvirt-daemon-system", "libvirt-daemon-driver-qemu", "libvirt-clients", "qemu-system-x86"]


@contextlib.contextmanager
def libvirt_of_this_machine(tree):
    """Debian's, which the other tests use, beneath the tree: to install it there takes minutes."""
    kept = {}
    for name in LIBVIRT_USER:
        with open(tree.path(name)) as f:
            kept[name] = f.read()
        tree.write(name, kept[name] + LIBVIRT_USER[name])
    for name, text in LIBVIRT_FILES.items():
        tree.write(name, text)
    it = Machine(tree, "hv1", beneath="/usr")
    try:
        yield it, ["systemd-run", "--quiet", "--unit=libvirtd", "/usr/sbin/libvirtd"]
    finally:
        it.stop()
        for name, text in kept.items():
            tree.write(name, text)
        for name in LIBVIRT_FILES:
            os.unlink(tree.path(name))


@contextlib.contextmanager
def libvirt_of_the_packages(tree):
    status, output, errors = tree.run("apt-get", "install", "-y", "--no-install-recommends", *LIBVIRT_PACKAGES, agent_deb(tree), timeout=1200)
    assert status == 0, output[-1000:] + errors[-2000:]
    with open(tree.path("etc/apparmor.d/usr.sbin.libvirtd")) as f:
        profile = f.read()                                 # a confined libvirtd may run the hook, and the hook the program
    assert re.search(r"^\s*/etc/libvirt/hooks/\*\* rmix,", profile, re.M) and re.search(r"^\s*/usr/sbin/\* PUx,", profile, re.M), profile
    it = Machine(tree, "hv1")
    try:
        yield it, ["systemctl", "start", "libvirtd"]
    finally:
        it.stop()


@pytest.mark.parametrize("libvirt", [libvirt_of_this_machine, libvirt_of_the_packages])
def test_a_domain_starts_with_its_port_by_nothing_but_the_packages_and_a_join(tree, soak, libvirt):
    """Debian's libvirtd and QEMU, the hook as its package has put it there. QEMU has nothing to boot: its interface is all that is asked of it."""
    if libvirt is libvirt_of_the_packages and not soak:
        pytest.skip("in a soak: libvirt's and QEMU's packages take minutes to install")
    forget_everything(tree)
    tree.write("root/vm.xml", DOMAIN)
    tree.write(LOOK, LOOK_TEXT, 0o755)
    try:
        with libvirt(tree) as (it, start):
            become_controller_and_hypervisor(it)
            it.run(*start)
            wait_until(lambda: it.run("virsh", "hostname", check=False).strip() == "hv1", 30, "libvirtd answers")
            it.run("vnet-hook", "--selftest")
            start_and_stop_a_domain(it)
    finally:
        os.unlink(tree.path(LOOK))
        forget_everything(tree)


def start_and_stop_a_domain(it):
    it.run("vnetctl", "vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24")
    it.run("virsh", "define", "/root/vm.xml")
    it.run("virsh", "start", "vm")
    assert it.run("cat", "/run/at-start") == "active\n"                       # the hook has made it and waited for it, before QEMU ran
    assert it.run("vnetctl", "get", "port", "vm", "declared_by") == "dc2b9d00-dd64-4485-add1-0b9917418121\n"
    wait_until(lambda: it.run("vnetctl", "-f", "csv", "--columns=name,host,state", "--no-headings", "instance-list") == "vm,hv1,running\n", 30,
               "the agent tells of it")
    it.run("virsh", "destroy", "vm")
    it.run("virsh", "undefine", "vm")
    wait_until(lambda: it.run("vnetctl", "-f", "csv", "--columns=name", "--no-headings", "port-list") == "", 30, "its port goes with it")


def test_a_libvirt_that_runs_already_finds_the_hook_and_is_restarted_only_for_that(tree, soak):
    """libvirt looks for hooks only when it starts."""
    if not soak:
        pytest.skip("in a soak: it takes its time, and changes only with the package's scripts")
    status, output, errors = tree.run("apt-get", "install", "-y", "--no-install-recommends", "libvirt-daemon-system")
    assert status == 0, output[-1000:] + errors[-2000:]
    assert tree.run("apt-get", "purge", "-y", "vnet-agent")[0] == 0
    it = Machine(tree, "hv1")
    try:
        it.run("systemctl", "start", "libvirtd")
        assert it.run("systemctl", "show", "--property=KillMode", "--value", "libvirtd") == "process\n"     # its guests live on

        def restarted(*command):
            before = main_pid(it, "libvirtd")
            it.run(*command)
            wait_until(lambda: it.run("systemctl", "is-active", "libvirtd", check=False) == "active\n", 30, "libvirtd runs")
            assert "libvirt was started after the hook was there" in it.run("vnet-hook", "--selftest", check=False)
            return main_pid(it, "libvirtd") != before
        assert restarted("dpkg", "-i", agent_deb(tree))
        assert not restarted("dpkg", "-i", agent_deb(tree))
        assert not restarted("sh", "-c", f"dpkg -r vnet-agent && dpkg -i {agent_deb(tree)}")
        it.run("dpkg", "-r", "vnet-agent")
        it.run("systemctl", "restart", "libvirtd")         # it finds what stayed
        assert not restarted("dpkg", "-i", agent_deb(tree))
        it.run("sh", "-c", "dpkg -P vnet-agent && systemctl restart libvirtd")
        assert restarted("dpkg", "-i", agent_deb(tree))
    finally:
        it.stop()


def test_removing_the_packages_leaves_no_program(tree):
    status, _, errors = tree.run("apt-get", "remove", "-y", "vnet-agent", "vnet-controller", "vnet-tools")
    assert status == 0, errors
    assert not os.path.exists(tree.path("usr/sbin/vnet-agent")) and run_hook(tree) == (0, "")
