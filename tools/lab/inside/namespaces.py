"""The few system calls that Python 3.11 does not offer: unshare, mount, prctl.

Called by keeper.py and init.py only. Every failure is an OSError that names the call.
"""
import contextlib
import ctypes
import os
import signal

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_REC, MS_PRIVATE, MS_BIND = 0x4000, 0x40000, 0x1000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags):
    _check(_libc.unshare(flags), "unshare")


def mount(source, target, fstype=None, flags=0):
    texts = [None if t is None else t.encode() for t in (source, target, fstype)]
    _check(_libc.mount(*texts, ctypes.c_ulong(flags), None), f"mount {source} on {target}")


def die_with_parent():
    """Sent by the kernel when the thread that forked us ends. Cleared by a fork, so each generation asks for itself."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def furnish_machine(name, folder):
    """Private mounts of a machine: its own /proc, /sys and a /run kept in `folder`, so that paths are those of a real host."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    run = os.path.join(folder, "run")
    os.makedirs(os.path.join(run, "openvswitch"), exist_ok=True)
    mount(run, "/run", flags=MS_BIND)
    text = name.encode()
    _check(_libc.sethostname(text, len(text)), "sethostname")
    settle_network()


def settle_network():
    """What a new network namespace should not take over from the machine it runs on. Kernels speak IPv6 unasked on every link that comes
    up; tests that count frames want to send their own. They ration ICMP errors per destination, so a second traceroute would look broken."""
    for name, value in (("ipv6/conf/all/disable_ipv6", 1), ("ipv6/conf/default/disable_ipv6", 1), ("ipv4/ip_forward", 0),
                        ("ipv4/conf/all/rp_filter", 0), ("ipv4/conf/default/rp_filter", 0), ("ipv4/icmp_ratelimit", 0)):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/sys/net/{name}", "w") as f:
            f.write(str(value))
