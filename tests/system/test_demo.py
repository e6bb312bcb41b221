"""The demo says what README promises, to its end, and leaves nothing. It is run as ./dev demo runs it, with the programs of this build."""
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from conftest import TOP
from leftovers import links, mounts, nothing_left, of_lab

VMS = "vm1 10.0.1.10 on hv1, vm2 10.0.1.11 on hv2, vm3 10.0.2.12 on hv3"
SAYS = [
    "three hypervisors joined over TLS: hv1 192.0.2.11, hv2 192.0.2.12, hv3 192.0.2.13",
    f"tenant red: VPC 10.0.0.0/16, VMs by DHCP: {VMS}",
    f"tenant blue: VPC 10.0.0.0/16, VMs by DHCP: {VMS}",
    r"tenant red: web 10.0.1.80 on hv3 has elastic IP (203\.0\.113\.\d+), subnet db leaves by NAT gateway (203\.0\.113\.\d+)",
    r"tenant blue: web 10.0.1.80 on hv3 has elastic IP (203\.0\.113\.\d+), subnet db leaves by NAT gateway (203\.0\.113\.\d+)",
    "tenant red: all 6 pings between its VMs answered, two subnets, three hosts",
    "tenant blue: all 6 pings between its VMs answered, two subnets, three hosts",
    "red asks 10.0.1.11: blue's server at that address hears nothing; blue's own VM is answered",
    "from outside: 203.* is red's web, 203.* is blue's, though both are 10.0.1.80; by gateway host hv[12]",
    "red's web moved from hv3 to hv1: 203.* went along, its TCP connection lost nothing and paused .* ms",
    "vm3 of each tenant, both 10.0.2.12, opened 20 connections to 198.18.0.1: it saw only 203.* and 203.*",
    "verify: every flow on every switch is as intended",
    r"vnetd killed and restarted under a 5 ms ping: \d+ sent, none lost",
    "all gone again",
]


@pytest.fixture
def folder():
    """Where the demo's lab is; a short path, for its sockets."""
    made = tempfile.mkdtemp(prefix="demo-")
    yield made
    shutil.rmtree(made)


def test_the_demo_runs_to_its_end_says_so_and_leaves_nothing(folder):
    before = links(), mounts()
    demo = subprocess.Popen([os.path.join(TOP, "tools/lab/vnet-lab"), "demo"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "TMPDIR": folder})
    said, root, pids, spaces = [], "", {}, set()
    try:
        for line in demo.stdout:
            said.append(line.rstrip())
            if "verify:" in line:
                root = os.path.join(folder, *os.listdir(folder))
                pids, spaces = of_lab(root)
        status = demo.wait(10)
    finally:
        demo.kill()
    assert status == 0, "\n".join(said)
    assert len(said) == len(SAYS), "\n".join(said)
    for line, expected in zip(said, SAYS):
        assert re.fullmatch(rf" *\d+\.\d s  {expected}", line), f"not '{expected}' but '{line}'"
    assert len(pids) > 20 and len(spaces) > 10, "the lab's parts must be seen, else their absence says nothing"
    pids.pop(demo.pid, None)
    assert nothing_left(root, pids)
    assert os.listdir(folder) == []
    assert (links(), mounts()) == before
