"""The process that guarantees a lab's end: `python3 keeper.py ROOT`, started by lab.py with a pipe as standard input.

It makes the lab's first machine ('wire', a pid namespace that contains all others) and waits for the pipe to close, which
happens when the lab is closed and just as well when its owner is killed. Then one SIGKILL ends every process of the lab, and
ROOT is removed. If the keeper itself is killed, the kernel ends the lab (PR_SET_PDEATHSIG); only the folder stays.
Prints one line once the first machine serves: `ready`.
"""
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from lab.inside import init, namespaces            # noqa: E402

DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start_wire(folder):
    os.makedirs(folder, exist_ok=True)
    lab_pipe = os.dup(0)                           # the wire must not keep a copy: it is closed in the child
    read_end, write_end = os.pipe()
    namespaces.unshare(namespaces.CLONE_NEWPID)    # for children; the keeper itself stays outside
    pid = os.fork()
    if pid == 0:
        namespaces.die_with_parent()
        for number in DEAF_TO:
            signal.signal(number, signal.SIG_DFL)  # else all programs of the lab would inherit being deaf
        os.close(read_end)
        os.close(lab_pipe)
        os.dup2(os.open("/dev/null", os.O_RDWR), 0)
        init.become_machine("wire", folder, write_end)
    os.close(write_end)
    os.close(lab_pipe)
    ready = os.read(read_end, 1) == b"r"
    os.close(read_end)
    return pid, ready


def wait_for_end():
    """Until the owner closes the pipe. Words that it writes are hints: `keep` leaves the folder for a look."""
    keep = False
    while data := os.read(0, 64):
        keep = keep or b"keep" in data
    return keep


def main(root):
    for number in DEAF_TO:
        signal.signal(number, signal.SIG_IGN)      # the pipe alone says when
    pid, ready = start_wire(os.path.join(root, "wire"))
    if ready:
        print("ready", flush=True)
    keep = wait_for_end() if ready else False
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)                             # returns once the whole pid namespace is empty
    if not keep:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
