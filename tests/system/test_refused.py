"""What a real switch refuses is the error of the object that it is of. Nothing else stops."""
LAB = {"hosts": 2}
ROUTE = "v/203.0.113.0/24"


def error_of(lab, prefix):
    return lab.ctl.get("route", f"v/{prefix}", "error")


def limit_flows(host, table, limit):
    """The switch takes so many flows in that table, and no more (ovs-vswitchd.conf.db(5), Flow_Table)."""
    host.vsctl("--", "--id=@t", "create", "flow_table", f"flow_limit={limit}", "overflow_policy=refuse",
               "--", "set", "bridge", "br-int", f"flow_tables:{table}=@t")


def test_a_route_that_a_full_table_refuses_says_so_and_the_rest_goes_on(lab):
    lab.ctl("vpc-add", "v", "10.0.0.0/16", "--", "subnet-add", "v", "s", "10.0.1.0/24", "--", "route-add", "v", "198.51.100.0/24", "blackhole")
    a, b = lab.vms(["s:a@hv1", "s:b@hv2"])
    lab.ready()
    host = lab["hv1"]
    routed = next(f for f in host.flows() if "198.51.100.0/24" in f)
    table = int(routed.split("table=")[1].split(",")[0])
    limit_flows(host, table, len([f for f in host.flows() if f"table={table}," in f]))

    lab.ctl("route-add", "v", "203.0.113.0/24", "blackhole")
    lab.ctl("--wait=hosts", "sync")
    error = error_of(lab, "203.0.113.0/24")
    assert error.startswith("host 'hv1': the switch refused to add a flow of table ") and "OFPFMFC_TABLE_FULL" in error, error
    assert error_of(lab, "198.51.100.0/24") == ""
    assert [r["prefix"] for r in lab.ctl.list("route") if r["error"]] == ["203.0.113.0/24"]
    assert f"route 203.0.113.0/24: blackhole, error: {error}" in lab.ctl("show", "v")
    assert ROUTE in lab.ctl.list("host", "hv1")[0]["error"]
    assert lab.ctl.list("port", "a")[0]["state"] == "active"
    assert any("203.0.113.0/24" in f for f in lab["hv2"].flows())
    lab.vms(["s:c@hv1"])                   # a guest that comes is served all the same
    assert lab.ctl.list("port", "c")[0]["state"] == "active"
