"""What a real switch refuses is the error of the object that it is of. Nothing else stops."""
LAB = {"hosts": 2}


def error_of(lab, route):
    return lab.ctl.get("route", route, "error")


def limit_flows(host, table, limit):
    """The switch takes so many flows in that table, and no more (ovs-vswitchd.conf.db(5), Flow_Table)."""
    host.vsctl("--", "--id=@t", "create", "flow_table", f"flow_limit={limit}", "overflow_policy=refuse",
               "--", "set", "bridge", "br-int", f"flow_tables:{table}=@t")


def flows_for(host, prefix):
    return [f for f in host.flows() if prefix in f]


def fill_table_of_routes(lab, vpc, host):
    """A VPC with a guest on that host and a route to 198.51.100.0/24; the host's table of routes takes no more flows than it then has."""
    lab.ctl("vpc-add", vpc, "10.0.0.0/16", "--", "subnet-add", vpc, f"{vpc}-net", "10.0.1.0/24", "--",
            "route-add", vpc, "198.51.100.0/24", "blackhole")
    lab.vms([f"{vpc}-net:{vpc}-guest@{host.name}"])
    lab.ready()
    table = int(flows_for(host, "198.51.100.0/24")[0].split("table=")[1].split(",")[0])
    limit_flows(host, table, len(flows_for(host, f"table={table},")))
    return table


def test_a_route_that_a_full_table_refuses_says_so_and_the_rest_goes_on(lab):
    host = lab["hv1"]
    fill_table_of_routes(lab, "v", host)
    lab.vms(["v-net:b@hv2"])
    lab.ctl("route-add", "v", "203.0.113.0/24", "blackhole")
    lab.ctl("--wait=hosts", "sync")
    error = error_of(lab, "v/203.0.113.0/24")
    assert error.startswith("host 'hv1': the switch refused to add a flow of table ") and "OFPFMFC_TABLE_FULL" in error, error
    assert error_of(lab, "v/198.51.100.0/24") == ""
    assert [r["prefix"] for r in lab.ctl.list("route") if r["error"]] == ["203.0.113.0/24"]
    assert f"route 203.0.113.0/24: blackhole, error: {error}" in lab.ctl("show", "v")
    assert "v/203.0.113.0/24" in lab.ctl.list("host", "hv1")[0]["error"]
    assert lab.ctl.list("port", "v-guest")[0]["state"] == "active"
    assert flows_for(lab["hv2"], "203.0.113.0/24")
    lab.vms(["v-net:c@hv1"])                  # a guest that comes is served all the same
    assert lab.ctl.list("port", "c")[0]["state"] == "active"


def test_what_was_refused_is_taken_once_there_is_room_and_is_no_error_then(lab):
    host = lab["hv2"]
    table = fill_table_of_routes(lab, "w", host)
    for prefix in "192.0.2.0/25", "192.0.2.128/25":
        lab.ctl("--wait=hosts", "route-add", "w", prefix, "blackhole")
        assert "TABLE_FULL" in error_of(lab, f"w/{prefix}")

    lab.ctl("--wait=hosts", "route-del", "w", "198.51.100.0/24")
    lab.ctl("wait-until", "route", "w/192.0.2.0/25", "error=none")   # room for one of them: the one that waits for longest
    assert "192.0.2.0/25" in "".join(flows_for(host, f"table={table},"))
    assert "TABLE_FULL" in error_of(lab, "w/192.0.2.128/25")
    assert "w/192.0.2.128/25" in lab.ctl.list("host", host.name)[0]["error"]

    limit_flows(host, table, 1000)         # nobody tells vnetd
    lab.ctl("--timeout=90", "wait-until", "route", "w/192.0.2.128/25", "error=none")
    assert "192.0.2.128/25" in "".join(flows_for(host, f"table={table},"))
    assert not lab.ctl.list("host", host.name)[0]["error"]
    status, text = lab.ctl.verify(host.name)
    assert status == 0, text
