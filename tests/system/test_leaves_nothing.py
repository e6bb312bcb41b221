"""A lab leaves nothing behind, however its owner ends: no process, no namespace, no interface, no file."""
import os
import signal
import subprocess
import sys

import pytest

from conftest import TOP
from lab import wait_until
from lab.daemon import build_folder
from lab.procs import LabError
from leftovers import alive, links, mounts, namespaces_of, nothing_left, of_lab, processes

OWNER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from lab import Lab
lab = Lab(hosts=2, daemon=sys.argv[2] == "yes")
if not lab.vnetd:
    for host in lab.hosts.values():
        host.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev")
for host in lab.hosts.values():
    guest = host.add_guest("g", f"02:00:00:00:00:{host.number:02x}", "default/nobody")
    guest.start_dhcp()
    guest.agent.call("start_ping", ip="10.0.0.1")
    host.agent.call("spawn", argv=["setsid", "sh", "-c", "sleep 1000 & sleep 1000"], log="/dev/null")
print(lab.root, flush=True)
sys.stdin.readline()
lab.close()
print("closed", flush=True)
sys.stdin.readline()
"""


def with_vnetd():
    try:
        build_folder()
        return "yes"
    except LabError:
        return "no"


@pytest.fixture
def owner():
    """A process of its own that owns a lab: (process, the lab's folder, its processes, its namespaces)."""
    before = links(), mounts()
    process = subprocess.Popen([sys.executable, "-c", OWNER, os.path.join(TOP, "tools"), with_vnetd()], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, preexec_fn=hear_signals)
    root = process.stdout.readline().strip()
    assert root and os.path.isdir(root)
    pids, spaces = of_lab(root)
    assert len(pids) > 12 and len([s for s in spaces if s.startswith("net")]) >= 6, "the lab's parts must be seen, else their absence says nothing"
    yield process, root, pids, spaces
    process.kill()
    process.wait()
    wait_until(lambda: not os.path.exists(root), 10, f"{root} is gone")
    assert (links(), mounts()) == before


def hear_signals():
    """What runs in the background, or under nohup, ignores some signals and hands that on."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def test_nothing_is_left_after_closing(owner):
    process, root, pids, spaces = owner
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "closed\n"
    pids.pop(process.pid, None)
    assert nothing_left(root, pids), "close() returns only when all is gone"


@pytest.mark.parametrize("name", ["KILL", "TERM", "INT", "HUP"])
def test_nothing_is_left_after_the_owner_is_killed(owner, name):
    process, root, pids, spaces = owner
    process.send_signal(getattr(signal, "SIG" + name))
    process.wait(10)
    wait_until(lambda: nothing_left(root, pids), 10, f"everything of {root} is gone")


def test_processes_go_even_when_the_keeper_itself_is_killed(owner):
    process, root, pids, spaces = owner
    keeper = next(pid for pid in pids if parent(pid) == process.pid)
    os.kill(keeper, signal.SIGKILL)
    pids.pop(process.pid, None)
    wait_until(lambda: not alive(pids), 10, "all processes are gone")
    subprocess.run(["rm", "-rf", root], check=True)            # only the folder stays: nobody is left to remove it


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_two_labs_stand_beside_each_other(owner):
    process, root, pids, spaces = owner
    second = subprocess.Popen([sys.executable, "-c", OWNER, os.path.join(TOP, "tools"), "no"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        other = second.stdout.readline().strip()
        assert other and other != root
        other_pids, other_spaces = of_lab(other)
        assert not other_spaces & spaces
    finally:
        second.kill()
        second.wait()
    wait_until(lambda: nothing_left(other, other_pids), 10, "the second is gone")
    assert spaces <= namespaces_of(processes()), "the first stands as before"
