"""Everything over TLS with vnetctl's own certificates; whoever shows the wrong one is refused and disturbs nobody."""
import os

import pytest

from lab import wait_until
from lab.daemon import API_PORT
from lab.underlay import NODE_IP

LAB = {"hosts": 2, "tls": True}


@pytest.fixture(scope="module")
def vms(lab):
    lab.ctl("tenant-add", "red", "--", "tenant-add", "blue")
    for tenant in ("red", "blue"):
        lab.ctl.as_tenant(tenant)("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24")
    for name, role in (("boss", "admin"), ("ruth", "tenant:red"), ("rita", "reader"), ("plain", None)):
        lab.pki("client", name, *([f"role={role}"] if role else []))
    return lab.vms(["s:a@hv1", "s:b@hv2"], tenant="red")


def ctl_as(lab, name, *arguments, tenant=None, ca=None):
    """vnetctl over HTTPS from the node, with name's certificate: [status, output, errors]."""
    key, certificate, authority = lab.certificates(name)
    options = [f"--tenant={tenant}"] if tenant else []
    return lab.node.run(lab.ctl.program, f"--server=https://{NODE_IP}:{API_PORT}", "-p", key, "-c", certificate, "-C", ca or authority,
                        *options, *arguments, check=False)


def test_guests_reach_each_other_over_hosts_joined_by_tls(lab, vms):
    assert vms[0].ping(vms[1].ip) == "reply"
    for host in lab.hosts.values():
        assert host.vsctl("--bare", "--columns=target", "list", "controller").startswith("ssl:")
    assert lab.ctl.verify()[0] == 0


def test_keys_are_readable_by_their_owner_only(lab, vms):
    for name in ("vnetd", "hv1", "boss"):
        assert os.stat(lab.certificates(name)[0]).st_mode & 0o077 == 0


def test_roles_may_do_what_they_may(lab, vms):
    assert ctl_as(lab, "boss", "tenant-list")[0] == 0
    assert ctl_as(lab, "boss", "vpc-add", "w", "10.0.0.0/16", tenant="blue")[0] == 0
    assert ctl_as(lab, "boss", "vpc-del", "w", tenant="blue")[0] == 0
    status, output, _ = ctl_as(lab, "ruth", "-f", "json", "list", "port", tenant="red")
    assert status == 0 and '"a"' in output
    assert ctl_as(lab, "ruth", "--dry-run", "port-add", "s", "x", tenant="red")[0] == 0
    assert ctl_as(lab, "rita", "list", "port", tenant="red")[0] == 0


@pytest.mark.parametrize("who,arguments,tenant", [
    ("ruth", ["vpc-add", "x", "10.0.0.0/16"], "blue"), ("ruth", ["list", "port"], "blue"), ("ruth", ["port-del", "a"], "blue"),
    ("ruth", ["tenant-add", "x"], "red"), ("ruth", ["quota-set", "red", "vpc=100"], "red"), ("ruth", ["host-del", "hv1"], "red"),
    ("rita", ["port-del", "a"], "red"), ("rita", ["vpc-add", "x", "10.0.0.0/16"], "default"), ("plain", ["vpc-add", "x", "10.0.0.0/16"], "default")])
def test_roles_may_not_do_more(lab, vms, who, arguments, tenant):
    before = lab.ctl.json("-A", "list", "vpc"), {r["id"] for r in lab.ctl.json("-A", "list", "port")}
    status, output, errors = ctl_as(lab, who, *arguments, tenant=tenant)
    assert status == 1 and output == "" and len(errors.strip().splitlines()) == 1, (output, errors)
    assert (lab.ctl.json("-A", "list", "vpc"), {r["id"] for r in lab.ctl.json("-A", "list", "port")}) == before


def test_a_tenant_does_not_see_anothers_objects_under_any_option(lab, vms):
    lab.ctl.as_tenant("blue")("port-add", "s", "secret")
    secret = lab.ctl.as_tenant("blue").list("port", "secret")[0]["id"]
    status, output, errors = ctl_as(lab, "ruth", "-A", "-f", "json", "list", "port")
    assert "secret" not in output, output
    for arguments in (["list", "port", secret], ["get", "port", secret, "ip"], ["port-del", secret], ["trace", secret, "icmp", "10.0.1.1"]):
        status, output, errors = ctl_as(lab, "ruth", *arguments, tenant="red")
        assert status == 1 and "10.0.1" not in output, (arguments, output, errors)


def test_wrong_certificates_at_the_api_are_refused(lab, vms):
    for name in ("hv1", "vnetd"):                  # a host's, the daemon's own: not a client's
        status, output, errors = ctl_as(lab, name, "vpc-list")
        assert status == 1 and output == "", (name, output)
    status, _, errors = lab.node.run(lab.ctl.program, f"--server=https://{NODE_IP}:{API_PORT}", "-C", lab.certificates("boss")[2], "vpc-list", check=False)
    assert status == 1, "without a certificate"
    status, _, _ = lab.node.run(lab.ctl.program, f"--server=http://{NODE_IP}:{API_PORT}", "vpc-list", check=False)
    assert status == 1, "without TLS"


def test_a_client_does_not_talk_to_a_server_that_is_not_vnetd(lab, vms):
    """Someone with a valid certificate of the same authority, but a host's, listens in vnetd's place."""
    key, certificate, ca = lab.certificates("hv1")
    number = lab.node.agent.call("spawn", argv=["openssl", "s_server", "-accept", f"{NODE_IP}:7443", "-key", key, "-cert", certificate,
                                                "-CAfile", ca, "-www", "-quiet"], log=lab.node.path("s_server.log"))
    try:
        wait_until(lambda: lab.node.agent.call("tcp_connect", ip=NODE_IP, port=7443) == "connected", 5, "the impostor listens")
        k, c, ca = lab.certificates("boss")
        status, _, errors = lab.node.run(lab.ctl.program, f"--server=https://{NODE_IP}:7443", "-p", k, "-c", c, "-C", ca, "vpc-list", check=False)
        assert status == 1 and "certificate" in errors, errors
    finally:
        lab.node.agent.call("kill", number=number)


def foreign_pki(lab):
    """An authority of its own, with certificates that claim the same names."""
    folder = os.path.join(lab.root, "foreign")
    for arguments in (["init"], ["host", "hv3"], ["client", "boss", "role=admin"]):
        lab.node.run(lab.ctl.program, f"--dir={folder}", "pki", *arguments)
    return folder


@pytest.mark.parametrize("case", ["another host's", "a client's", "the daemon's", "a foreign authority's", "none at all"])
def test_a_host_with_the_wrong_certificate_is_not_taken(lab, vms, case):
    name = "imp" + str(len(lab.hosts))
    host = lab.add_host(name, join=False)
    if case == "a foreign authority's":
        folder = foreign_pki(lab) if not os.path.exists(os.path.join(lab.root, "foreign")) else os.path.join(lab.root, "foreign")
        key, certificate, ca = os.path.join(folder, "hv3-key.pem"), os.path.join(folder, "hv3-cert.pem"), lab.certificates("hv1")[2]
    else:
        key, certificate, ca = lab.certificates({"another host's": "hv2", "a client's": "boss", "the daemon's": "vnetd", "none at all": "hv1"}[case])
    manager = lab.manager() if case != "none at all" else lab.manager().replace("ssl:", "tcp:")
    try:
        host.join(manager, None if case == "none at all" else (key, certificate, ca), name="hv3")
        log = host.path("ovsdb-server.log")
        wait_until(lambda: attempts(log) >= 2, 15, "it tries twice and is turned away")
        row = lab.host_row("hv3")
        assert row is None or not row["connected"], row
        assert "br-int" not in host.vsctl("list-br").split()
        lab.ready("hv1", "hv2")
        assert vms[0].ping(vms[1].ip) == "reply"
    finally:
        lab.remove_host(name)


def attempts(log):
    """How often ovsdb-server has lost or failed its connection to the manager."""
    words = ("connection dropped", "connection closed", "connection attempt failed", "SSL_", "connection reset", "clustered")
    with open(log, errors="replace") as f:
        return sum(any(w in line for w in words) for line in f)


def test_a_stolen_name_on_openflow_does_not_get_a_hosts_flows(lab, vms):
    """hv1's switch shows hv1's certificate, but a bridge with hv2's datapath id: CN and datapath id must fit together."""
    host = lab["hv1"]
    dpid = lab["hv2"].vsctl("get", "bridge", "br-int", "datapath_id").strip('"')
    target = host.vsctl("--bare", "--columns=target", "list", "controller")
    before = lab.vnetd.log_end()
    host.vsctl("add-br", "br-false", "--", "set", "bridge", "br-false", "datapath_type=netdev", "fail_mode=secure", f"other_config:datapath-id={dpid}",
               "--", "set-controller", "br-false", target)
    try:
        with vms[0].doing("ping", ip=vms[1].ip, interval_ms=5) as stream:
            refusal = f"datapath id {dpid} is that of host 'hv2', but the certificate is that of 'hv1'"
            wait_until(lambda: any(f"OpenFlow connection from {host.management_ip}:" in line and line.endswith(refusal)
                                   for line in lab.vnetd.words_since(before).splitlines()), 15, "br-false is refused, and both are named")
            lab.ctl("--wait=hosts", "--timeout=5", "sync")
        assert host.flows("br-false") == []
        assert stream.result["longest_gap_ms"] < 200, stream.result    # a new bridge alone costs a userspace tunnel packets
    finally:
        host.vsctl("del-br", "br-false")
    lab.ready("hv1", "hv2")


def test_a_tls_listener_without_certificates_names_pki_init(lab, vms):
    status, output, errors = lab.node.run(lab.vnetd.program, f"--store=sqlite:{lab.node.path('other.db')}", "--openflow=pssl:7001", "--ovsdb=pssl:7002",
                                          f"--api=punix:{lab.node.path('other.sock')}", "-p", "/nonexistent/key.pem", "-c", "/nonexistent/cert.pem",
                                          "-C", "/nonexistent/ca.pem", timeout=10, check=False)
    assert status == 1 and "vnetctl pki init" in output + errors, (status, output, errors)
