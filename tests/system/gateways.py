"""Gateways that die and rise, and how it is seen."""
import re

from lab import wait_until


def watch_each_other_closely(lab):
    """A BFD session that has just come up still goes at one packet a second (RFC 5880, 6.8.3), until both ends have said their own pace."""
    def is_close(host):
        paces = re.findall(r"Remote Minimum TX Interval: (\d+)ms", host.appctl("bfd/show"))
        return paces and set(paces) == {"100"}
    for host in lab.hosts.values():
        wait_until(lambda h=host: is_close(h), 20, f"{host.name} and its peers watch each other at full pace")


def gateway_words(lab):
    return {r["name"]: r["gateway"] for r in lab.vnetd.rows("host")}


def holders(lab):
    return {r["ip"]: r["host"] for r in lab.vnetd.rows("eip")}


def die(lab, host, how):
    """frozen: no session ends and no link goes down, so that BFD alone tells."""
    if how == "vswitchd":
        host.kill_vswitchd()
    elif how == "frozen":
        host.freeze()
    else:
        lab.underlay.set_link("underlay", host.name, False)


def rise(lab, host, how):
    if how == "vswitchd":
        host.start_vswitchd()
        host.learn_tunnel_neighbours(lab.hosts.values())
    elif how == "frozen":
        host.thaw()
    else:
        lab.underlay.set_link("underlay", host.name, True)
