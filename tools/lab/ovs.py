"""Which Open vSwitch a hypervisor runs: the 3.5 of tools/setup/ovs.sh, or Debian 12's own 3.1 taken out of its packages.

Nothing is installed into the system: 3.1 comes by `apt-get download` and `dpkg -x` into the cache, once.
"""
import fcntl
import glob
import os
import subprocess
import tempfile

from lab.procs import LabError

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEBIAN_PACKAGES = ["openvswitch-switch", "openvswitch-common", "libunbound8", "libxdp1", "libbpf1", "libnuma1", "libcap-ng0",
                   "libevent-2.1-7", "libelf1", "libnghttp2-14", "libprotobuf-c1", "libhogweed6", "libnettle8"]


class OvsPrograms:
    """Where the programs and the schema are, and the environment they need."""

    def __init__(self, version, folders, schema, library_folders=()):
        self.version, self.schema = version, schema
        self.env = {"PATH": ":".join([*folders, os.environ.get("PATH", "/usr/sbin:/usr/bin")]), "OVS_RUNDIR": "/run/openvswitch"}
        if library_folders:
            self.env["LD_LIBRARY_PATH"] = ":".join(library_folders)


def find(version):
    """version: '3.5' or '3.1'."""
    if version == "3.5":
        prefix = os.environ.get("VNET_OVS_PREFIX") or _built_prefix()
        return OvsPrograms(version, [f"{prefix}/bin", f"{prefix}/sbin"], f"{prefix}/share/openvswitch/vswitch.ovsschema")
    if version == "3.1":
        return _debian_programs(_debian_folder())
    raise LabError(f"Open vSwitch '{version}' is not known to the lab; it has 3.5 and 3.1")


def cache_folder():
    return os.environ.get("VNET_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "vnet")


def _built_prefix():
    done = subprocess.run([os.path.join(TOP, "tools/setup/ovs.sh")], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise LabError("tools/setup/ovs.sh could not build Open vSwitch")
    return done.stdout.strip().splitlines()[-1]


def _debian_programs(root):
    # Debian's vswitchd is reached by an alternative that only an installation sets up; take the plain one.
    return OvsPrograms("3.1", [f"{root}/usr/lib/openvswitch-switch", f"{root}/usr/bin", f"{root}/usr/sbin"],
                       f"{root}/usr/share/openvswitch/vswitch.ovsschema",
                       glob.glob(f"{root}/usr/lib/*-linux-gnu") + glob.glob(f"{root}/lib/*-linux-gnu"))


def _debian_folder():
    cache = cache_folder()
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, "debian-ovs.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = os.path.join(cache, "ovs-debian")
        if not os.path.exists(os.path.join(folder, ".complete")):
            _unpack_debian_packages(folder)
        return folder


def _unpack_debian_packages(folder):
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        for package in DEBIAN_PACKAGES:
            done = subprocess.run(["apt-get", "download", "-o", "APT::Sandbox::User=root", package], cwd=work, capture_output=True, text=True)
            if done.returncode != 0:
                raise LabError(f"apt-get download {package}: {done.stderr.strip()[-300:]}")
        for deb in glob.glob(os.path.join(work, "*.deb")):
            subprocess.run(["dpkg", "-x", deb, folder], check=True)
    open(os.path.join(folder, ".complete"), "w").close()
