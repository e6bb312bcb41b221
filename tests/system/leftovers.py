"""What a lab is made of on this machine, seen from outside: processes, namespaces, links, mounts; and whether anything of it is left."""
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
    """Processes that show the lab's folder in their command line, environment or open files, or live in a namespace of such."""
    own = namespaces_of([os.getpid()])
    direct = {pid for pid in processes() if mentions(pid, root)}
    spaces = namespaces_of(direct) - own
    return {pid for pid in processes() if pid in direct or namespaces_of([pid]) & spaces}, spaces


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


def nothing_left(root, pids, spaces):
    left = [pid for pid in processes() if namespaces_of([pid]) & spaces] + [pid for pid in pids if alive(pid)]
    return not left and not os.path.exists(root)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
