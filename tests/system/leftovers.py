"""What a lab is made of on this machine, seen from outside: processes, namespaces, links, mounts; and whether anything of it is left. The numbers of
processes and of namespaces are soon another lab's, when others run beside it; a process is told by when it began, too."""
import os
import subprocess


def processes():
    return {int(d) for d in os.listdir("/proc") if d.isdigit()}


def namespaces_of(pids):
    found = set()
    for pid in pids:
        for kind in ("net", "pid", "mnt", "uts"):
            try:
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
            except OSError:
                pass
    return found


def of_lab(root):
    """Processes {pid: when it began} that show the lab's folder in their command line, or live in a namespace of such; and these namespaces."""
    own = namespaces_of([os.getpid()])
    direct = {pid for pid in processes() if mentions(pid, root)}
    spaces = namespaces_of(direct) - own
    return {pid: began(pid) for pid in processes() if pid in direct or namespaces_of([pid]) & spaces}, spaces


def mentions(pid, root):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return root.encode() in f.read()
    except OSError:
        return False


def links():
    return subprocess.run(["ip", "-o", "link"], capture_output=True, text=True).stdout, subprocess.run(["ip", "netns"], capture_output=True, text=True).stdout


def mounts():
    with open("/proc/self/mountinfo") as f:
        return f.read()


def nothing_left(root, pids):
    """Namespaces end with the first process in them, which is one of these."""
    return not alive(pids) and not os.path.exists(root) and not any(mentions(pid, root) for pid in processes())


def alive(pids):
    return [pid for pid, began_at in pids.items() if began_at and began(pid) == began_at]


def began(pid):
    """In ticks since the machine began; 0: it is not there, or dead."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
            return 0 if fields[0] == "Z" else int(fields[19])
    except OSError:
        return 0
