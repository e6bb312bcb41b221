"""What several system tests need: clearing the network, changing flows by hand, asking a switch's control socket."""
import json
import os
import re
import socket

from lab import wait_until

FLOW = re.compile(r"^(?:cookie=0x[0-9a-f]+, )?(?:table=(?P<table>\d+), )?(?P<flags>(?:(?:send_flow_rem|reset_counts|check_overlap"
                  r"|no_packet_counts|no_byte_counts) )*)(?P<match>\S*) ?actions=(?P<actions>.*)$")


def removal(kind, row):
    """A vnetctl line; None for what goes with its owner (a VPC's main table carries the VPC's name)."""
    if kind == "route":
        return f"route-del {row['rtb']} {row['prefix']}"
    return None if kind == "rtb" and row["name"] == row["vpc"] else f"{kind}-del {row['name']}"


def clear_network(lab):
    """Removes all guests, then all objects of all tenants but the hosts."""
    for host in lab.hosts.values():
        host.remove_guests(host.guests)
    for tenant in [row["name"] for row in lab.vnetd.rows("tenant")]:
        lines = []
        for kind in ("route", "port", "subnet", "rtb", "vpc"):
            lines += [removal(kind, row) for row in lab.vnetd.rows(kind, tenant)]
        lines = [line for line in lines if line]
        if lines:
            lab.ctl.as_tenant(tenant).batch(lines)
    for host in lab.hosts.values():
        wait_until(lambda h=host: lab.is_ready(h.name), 10, f"{host.name} realised after clearing")


INTENT = {"tenant": "id,name", "vpc": "id,name,tenant,cidr,vni,tags", "subnet": "id,name,tenant,vpc,cidr,rtb,dns,domain,lease,tags",
          "port": "id,name,tenant,tags,subnet,ips,mac,sg,source_dest_check", "rtb": "id,name,tenant,vpc", "route": "id,rtb,prefix,target",
          "sg": "id,name,tenant,vpc", "sg-rule": "id,sg,direction,proto,ports,peer", "lb": "id,name,tenant,subnet,ip,affinity",
          "listener": "id,lb,proto,port,tg", "target": "id,tg,port,target_port,weight",
          "tg": "id,name,tenant,vpc,proto,port,check,check_port,interval,timeout,rise,fall,drain"}


def everything(lab):
    """All that users have said, as comparable text."""
    found = {kind: sorted(lab.vnetd.rows(kind, columns=columns), key=lambda row: row["id"]) for kind, columns in INTENT.items()}
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
        self._socket.connect(host.control_socket())
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
