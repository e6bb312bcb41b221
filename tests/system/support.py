"""What several system tests need: clearing the network, changing flows by hand, asking a switch's control socket."""
import json
import os
import re
import socket

from lab import wait_until

FLOW = re.compile(r"^(?:cookie=0x[0-9a-f]+, )?(?:table=(?P<table>\d+), )?(?P<flags>(?:(?:send_flow_rem|reset_counts|check_overlap"
                  r"|no_packet_counts|no_byte_counts) )*)(?P<match>\S*) ?actions=(?P<actions>.*)$")


def clear_network(lab):
    """Removes all guests, then all objects of all tenants but the hosts."""
    for host in lab.hosts.values():
        for guest in list(host.guests):
            host.remove_guest(guest)
    for tenant in [row["name"] for row in lab.ctl.list("tenant")]:
        ctl = lab.ctl.as_tenant(tenant)
        lines = []
        for row in ctl.list("rtb"):
            lines += [f"route-del {row['name']} {r['prefix']}" for r in ctl.json("route-list", row["name"])]
        for kind in ("port", "subnet"):
            lines += [f"{kind}-del {row['name']}" for row in ctl.list(kind)]
        mains = {row["name"] for row in ctl.list("vpc")}
        lines += [f"rtb-del {row['name']}" for row in ctl.list("rtb") if row["name"] not in mains]
        lines += [f"vpc-del {name}" for name in mains]
        if lines:
            ctl.batch(lines)
    for host in lab.hosts.values():
        wait_until(lambda h=host: lab.is_ready(h.name), 10, f"{host.name} realised after clearing")


def everything(lab):
    """All objects that intent knows, as comparable text."""
    kinds = ("tenant", "vpc", "subnet", "port", "rtb")
    columns = {"port": "id,name,tenant,tags,subnet,ip,ips,mac,sg,source_dest_check"}
    found = {}
    for kind in kinds:
        options = ["--columns=" + columns[kind]] if kind in columns else []
        found[kind] = sorted(lab.ctl.json("-A", *options, "list", kind), key=lambda row: row["id"])
    return json.dumps(found, sort_keys=True)


def expect_verify_clean(lab):
    status, text = lab.ctl.verify()
    assert status == 0, f"verify: {status}: {text}"


# -- flows changed behind vnetd's back --

def strict(line):
    """ovs-ofctl's text for exactly this flow (without its actions), and its actions."""
    m = FLOW.match(line)
    assert m, f"not a flow: {line}"
    return ",".join(filter(None, [f"table={m['table'] or 0}", m["match"].strip(",")])), m["actions"]


def delete_flow(host, line):
    host.ofctl("--strict", "del-flows", "br-int", strict(line)[0])


def change_flow(host, line):
    match, actions = strict(line)
    assert actions != "drop", line
    host.ofctl("--strict", "mod-flows", "br-int", f"{match} actions=drop")


def add_alien_flow(host, number=0):
    host.ofctl("add-flow", "br-int", f"table=0,priority=7,cookie=0xa11e,ip,nw_src=203.0.113.{number} actions=drop")


def tamper(host, rng):
    """One flow gone, one changed, one too many: three flows to mend. Answers their texts."""
    lines = [line for line in host.flows() if not line.endswith("actions=drop")]
    gone, changed = rng.sample(lines, 2)
    delete_flow(host, gone)
    change_flow(host, changed)
    add_alien_flow(host)
    return gone, changed


# -- a switch's control socket, spoken directly: hundreds of questions without a process each --

class SwitchControl:
    def __init__(self, host):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(os.path.join(host.folder, "run", "openvswitch", "ovs-vswitchd.ctl"))
        self._decoder, self._rest = json.JSONDecoder(), ""

    def ask(self, method, *params):
        self._socket.sendall(json.dumps({"id": 0, "method": method, "params": list(params)}).encode())
        while True:
            try:
                answer, end = self._decoder.raw_decode(self._rest)
                self._rest = self._rest[end:].lstrip()
                break
            except json.JSONDecodeError:
                data = self._socket.recv(1 << 16).decode()
                assert data, "ovs-vswitchd closed its control socket"
                self._rest += data
        assert answer["error"] is None, f"{method} {params}: {answer['error']}"
        return answer["result"]

    def close(self):
        self._socket.close()
