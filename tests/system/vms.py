"""What the tests with real virtual machines share."""
import contextlib
import re
import struct

from lab.procs import wait_until

DISCOVER, REQUEST = 1, 3


def dhcp_kinds(frames, mac):
    """The kinds of DHCP messages that a MAC has sent, in order."""
    kinds = []
    for f in frames:
        if f[6:12] != bytes.fromhex(mac.replace(":", "")) or f[12:14] != b"\x08\x00" or f[23] != 17:
            continue
        header = 14 + (f[14] & 15) * 4
        source, target = struct.unpack("!HH", f[header:header + 4])
        if (source, target) != (68, 67):
            continue
        options = f[header + 8 + 240:]
        while options and options[0] != 255:
            if options[0] == 0:
                options = options[1:]
                continue
            if options[0] == 53:
                kinds.append(options[2])
            options = options[2 + options[1]:]
    return kinds


@contextlib.contextmanager
def dhcp_watch(vm):
    """Hears what a VM sends, from before its tap is there: `with dhcp_watch(vm) as kinds: vm.start()`; kinds is filled when the block ends."""
    kinds = []
    agent = vm.libvirt.host.agent
    number = agent.call("start_capture", device="")        # all devices, also those to come
    try:
        yield kinds
    finally:
        kinds += dhcp_kinds([bytes.fromhex(f) for f in agent.call("stop", number=number)], vm.mac)


def tap_of(vm):
    """The VM's tap on its host, as libvirt has named it."""
    rows = vm.virsh("domiflist").splitlines()
    return next(row.split()[0] for row in rows if vm.mac in row)


def wait_instance(lab, name, seconds=20, **columns):
    """Until the instance's row shows these; returns it."""
    def check():
        row = lab.instance(name)
        return row if row and all(row[k] == v for k, v in columns.items()) else None
    try:
        return wait_until(check, seconds, f"instance {name} with {columns}")
    except Exception as e:
        raise AssertionError(f"{e}; it is {lab.instance(name)}; all: {lab.ctl('instance-list')}") from e


def is_heard(lab, vm):
    """Does the agent hear what libvirt tells? Something that changes nothing, of metadata that are not ours: it is the last event then."""
    vm.virsh("metadata", "--uri", "urn:somebody:else", "--key", "x", "--live", "--set", "<note/>")
    return lab.instance(vm.id)["last_event"] == "metadata-changed"


def agent_metric(lab, host, what):
    """A figure of a host's agent, of vnetd's metrics."""
    text = lab.vnetd.http("GET", "/metrics")[1]
    return int(float(re.search(rf'^vnet_host_agent_{what}{{host="{host}"}} (\S+)$', text, re.M)[1]))


def settled_heap(lab, host, seconds=60):
    """The heap in use by a host's agent, once it is the same in two beats one after the other."""
    seen = []

    def look():
        seen.append((agent_metric(lab, host, "beats_total"), agent_metric(lab, host, "heap_bytes")))
        return len({n for n, heap in seen if heap == seen[-1][1] and n >= seen[-1][0] - 1}) == 2
    wait_until(look, seconds, f"the heap of {host}'s agent in use stays the same")
    return seen[-1][1]


def end_of_agents(lab):
    """Each agent still runs, ends cleanly, and no sanitizer has spoken."""
    for host in lab.hosts.values():
        agent = host.vnet_agent
        if not agent:
            continue
        assert agent.status() is None, f"{host.name}: vnet-agent ended with {agent.status()}: {agent.last_words()}"
        assert agent.kill("TERM") == 0, f"{host.name}: vnet-agent on SIGTERM: {agent.last_words()}"
        assert not agent.complaints(), agent.last_words(160)

