/* The session against a real ovsdb-server and ovs-vswitchd: the host dials us as its manager. */
#include <arpa/inet.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/ovsdb_fixture.h"
#include "tests/unit/ovsdb_owner.h"

#include "base/log.h"

struct live {
    struct ovsdb_fixture *host;
    struct ovsdb_owner owner;
    struct evconnlistener *listener;
    int port;
};

static const struct ovsdb_wanted wanted = { .dpid = 0xab, .controllers = { "tcp:127.0.0.1:1" }, .geneve = true };

static void
accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int n, void *aux)
{
    struct live *l = aux;
    if (l->owner.session)
        close(fd);
    else
        ovsdb_owner_take(&l->owner, bufferevent_socket_new(l->owner.base, fd, BEV_OPT_CLOSE_ON_FREE), "127.0.0.1");
}

static int
live_start(void **state)
{
    struct live *l = calloc(1, sizeof *l);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof address;
    ovsdb_owner_init(&l->owner);
    l->owner.wanted = &wanted;
    l->listener = evconnlistener_new_bind(l->owner.base, accepted, l, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 16,
                                          (struct sockaddr *) &address, sizeof address);
    if (!l->listener || getsockname(evconnlistener_get_fd(l->listener), (struct sockaddr *) &address, &n))
        return -1;
    l->port = ntohs(address.sin_port);
    l->host = ovsdb_fixture_start();
    *state = l;
    return 0;
}

static int
live_stop(void **state)
{
    struct live *l = *state;
    evconnlistener_free(l->listener);
    ovsdb_owner_done(&l->owner);
    ovsdb_fixture_stop(l->host);
    free(l);
    return 0;
}

static void
join(struct live *l, const char *ids)
{
    ovsdb_fixture_do(l->host,
                     "set open_vswitch . external_ids:system-id=hv1 external_ids:vnet-encap-ip=127.0.0.1 %s -- "
                     "set-manager tcp:127.0.0.1:%d",
                     ids, l->port);
}

static void
expect_vsctl(struct live *l, const char *command, const char *answer)
{
    char *text = ovsdb_fixture_vsctl(l->host, "%s", command);
    assert_string_equal(text, answer);
    free(text);
}

/* The host's database answers so, within the usual time. */
static bool
says(struct live *l, const char *command, const char *answer)
{
    char *text = ovsdb_fixture_vsctl(l->host, "%s", command);
    bool is_so = !strcmp(text, answer);
    free(text);
    return is_so;
}

static void
a_fresh_host_is_configured_whole(void **state)
{
    struct live *l = *state;
    join(l, "");
    OWNER_WAIT(&l->owner, l->owner.is_configured);
    assert_string_equal(l->owner.facts.system_id, "hv1");
    expect_vsctl(l, "list-br", "br-int");
    expect_vsctl(l, "get-fail-mode br-int", "secure");
    expect_vsctl(l, "get bridge br-int other_config:datapath-id other_config:disable-in-band datapath_type external_ids:vnet",
                 "\"00000000000000ab\"\n\"true\"\nsystem\n\"1\"");
    expect_vsctl(l, "get-controller br-int", "tcp:127.0.0.1:1");
    expect_vsctl(l, "get controller br-int connection_mode max_backoff inactivity_probe", "out-of-band\n1000\n5000");
    expect_vsctl(l, "list-ports br-int", "vnet-geneve");
    expect_vsctl(l, "get interface vnet-geneve type options",
                 "geneve\n{df_default=\"true\", key=flow, local_ip=\"127.0.0.1\", remote_ip=flow}");
    OWNER_WAIT(&l->owner, l->owner.ports.geneve > 0);
    OWNER_WAIT(&l->owner, says(l, "get bridge br-int datapath_id", "\"00000000000000ab\""));
    OWNER_WAIT(&l->owner, says(l, "get manager . max_backoff connection_mode", "1000\nout-of-band"));
    assert_int_equal(l->owner.n_closed, 0);
}

static void
what_somebody_changes_is_put_right_and_what_is_foreign_stays(void **state)
{
    struct live *l = *state;
    join(l, "");
    OWNER_WAIT(&l->owner, l->owner.is_configured && l->owner.ports.geneve);
    ovsdb_fixture_do(l->host, "add-port br-int tap9 -- set bridge br-int other_config:mac-table-size=4096 "
                              "other_config:datapath-id=0000000000000001 -- set-fail-mode br-int standalone -- "
                              "set-controller br-int tcp:192.0.2.1:6653 -- del-port vnet-geneve");
    OWNER_WAIT(&l->owner, says(l, "list-ports br-int", "tap9\nvnet-geneve"));
    OWNER_WAIT(&l->owner, l->owner.is_configured);
    expect_vsctl(l, "get-controller br-int", "tcp:127.0.0.1:1");
    expect_vsctl(l, "get-fail-mode br-int", "secure");
    expect_vsctl(l, "get bridge br-int other_config:datapath-id other_config:mac-table-size", "\"00000000000000ab\"\n\"4096\"");

    ovsdb_fixture_do(l->host, "del-br br-int");
    OWNER_WAIT(&l->owner, says(l, "list-br", "br-int") && says(l, "list-ports br-int", "vnet-geneve"));
}

static void
interfaces_are_told_as_they_come_and_go(void **state)
{
    struct live *l = *state;
    char text[2048], expected[2048];
    join(l, "");
    OWNER_WAIT(&l->owner, l->owner.is_configured && l->owner.n_firsts);
    ovsdb_fixture_do(l->host, "add-port br-int tap1 -- set interface tap1 type=dummy external_ids:iface-id=web "
                              "-- add-port br-int tap2 -- set interface tap2 type=dummy");
    char *number = ovsdb_fixture_vsctl(l->host, "get interface tap1 ofport");
    snprintf(expected, sizeof expected, "web=tap1@%s ", number);
    free(number);
    OWNER_WAIT(&l->owner, !strcmp(ovsdb_owner_bound(&l->owner, text), expected));

    /* As libvirt replaces a port, then removes it. */
    ovsdb_fixture_do(l->host, "del-port tap1 -- add-port br-int tap1 -- set interface tap1 type=dummy ofport_request=77 "
                              "external_ids:iface-id=web");
    OWNER_WAIT(&l->owner, !strcmp(ovsdb_owner_bound(&l->owner, text), "web=tap1@77 "));
    ovsdb_fixture_do(l->host, "add-port br-int bad1 -- set interface bad1 type=nosuch external_ids:iface-id=db");
    OWNER_WAIT(&l->owner, strstr(ovsdb_owner_bound(&l->owner, text), "db=bad1@0!"));
    ovsdb_fixture_do(l->host, "del-port tap1 -- del-port bad1");
    OWNER_WAIT(&l->owner, !*ovsdb_owner_bound(&l->owner, text));
    expect_vsctl(l, "list-ports br-int", "tap2\nvnet-geneve");
}

/* As an agent on the host itself: it watches beside vnetd. */
static void
who_watches_is_told_all_and_changes_only_what_it_requests(void **state)
{
    struct live *l = *state;
    char text[2048];
    join(l, "");
    OWNER_WAIT(&l->owner, l->owner.is_configured && l->owner.n_firsts);
    ovsdb_fixture_do(l->host, "add-port br-int tap1 -- set interface tap1 type=dummy external_ids:iface-id=web "
                              "-- add-port br-int tap2 -- set interface tap2 type=dummy");
    l->owner.wanted = NULL;
    l->owner.watches = true;
    ovsdb_session_close(l->owner.session, "another one comes");
    OWNER_WAIT(&l->owner, !l->owner.session);
    l->owner.n_interfaces = 0;
    ovsdb_fixture_do(l->host, "set-fail-mode br-int standalone -- del-controller br-int");
    OWNER_WAIT(&l->owner, l->owner.n_interfaces && strstr(ovsdb_owner_bound(&l->owner, text), "web=tap1@"));

    ovsdb_session_request_ofport(l->owner.session, "tap1", "somebody-else", 55);
    ovsdb_session_request_ofport(l->owner.session, "tap1", "web", 77);
    OWNER_WAIT(&l->owner, !strcmp(ovsdb_owner_bound(&l->owner, text), "web=tap1@77 "));
    assert_true(ovsdb_session_ofport_is_taken(l->owner.session, 77));
    assert_false(ovsdb_session_ofport_is_taken(l->owner.session, 55));
    char *number = ovsdb_fixture_vsctl(l->host, "get interface tap2 ofport");
    assert_true(ovsdb_session_ofport_is_taken(l->owner.session, (uint32_t) atoi(number)));
    free(number);
    assert_false(ovsdb_session_remove_port(l->owner.session, "nobody"));
    assert_true(ovsdb_session_remove_port(l->owner.session, "web"));
    OWNER_WAIT(&l->owner, !strstr(ovsdb_owner_bound(&l->owner, text), "web="));
    expect_vsctl(l, "--if-exists get interface tap1 name", "");
    expect_vsctl(l, "get interface tap2 name", "tap2");
    assert_false(ovsdb_session_remove_port(l->owner.session, "web"));
    expect_vsctl(l, "get-fail-mode br-int", "standalone");
    expect_vsctl(l, "get-controller br-int", "");
}

static void
tunnels_and_patch_ports_follow_the_wishes(void **state)
{
    struct live *l = *state;
    struct ovsdb_wanted other = wanted;
    ovsdb_fixture_do(l->host, "add-br br-ex");
    join(l, "external_ids:vnet-uplinks=public:br-ex,lab:br-none");
    OWNER_WAIT(&l->owner, strstr(l->owner.reason, "'lab' on 'br-none'"));
    OWNER_WAIT(&l->owner, l->owner.ports.patch[0] > 0 && l->owner.ports.geneve > 0);
    expect_vsctl(l, "list-ports br-ex", "vq-ceda3e10");
    expect_vsctl(l, "get interface vp-ceda3e10 type options:peer", "patch\nvq-ceda3e10");

    ovsdb_fixture_do(l->host, "add-br br-none");
    OWNER_WAIT(&l->owner, l->owner.is_configured && l->owner.ports.patch[1] > 0);

    other.vxlan = true;
    other.geneve = false;
    l->owner.wanted = &other; /* also after new facts */
    ovsdb_session_want(l->owner.session, &other);
    OWNER_WAIT(&l->owner, l->owner.ports.vxlan > 0 && !l->owner.ports.geneve);

    ovsdb_fixture_do(l->host, "remove open_vswitch . external_ids vnet-uplinks");
    OWNER_WAIT(&l->owner, says(l, "list-ports br-ex", "") && says(l, "list-ports br-int", "vnet-vxlan"));
    assert_int_equal(l->owner.ports.patch[0], 0);
    expect_vsctl(l, "list-br", "br-ex\nbr-int\nbr-none");
}

static void
a_port_to_a_peer_carries_bfd_while_it_is_wanted(void **state)
{
    struct live *l = *state;
    struct ovsdb_peer peers[] = { { ip4(0xc000020c), false, 2 }, { ip4(0xc000020d), true, 0xffffffff } };
    struct ovsdb_wanted with = wanted;
    with.n_peers = 2;
    with.peers = peers;
    with.bfd_ms = 100;
    l->owner.wanted = &with;
    join(l, "");
    OWNER_WAIT(&l->owner, l->owner.is_configured);
    expect_vsctl(l, "list-ports br-int", "vnet-geneve\nvnet-p2\nvnet-pffffffff");
    expect_vsctl(l, "get interface vnet-p2 type options bfd",
                 "geneve\n{df_default=\"true\", key=flow, local_ip=\"127.0.0.1\", remote_ip=\"192.0.2.12\"}\n"
                 "{enable=\"true\", min_rx=\"100\", min_tx=\"100\"}");
    expect_vsctl(l, "get interface vnet-pffffffff type options:remote_ip", "vxlan\n\"192.0.2.13\"");

    /* The switch says "down" at first, of its own accord: nobody has been up. Without --no-wait it would say so again. */
    OWNER_WAIT(&l->owner, says(l, "--if-exists get interface vnet-p2 bfd_status:state bfd_status:flap_count", "down\n\"0\""));
    ovsdb_fixture_do(l->host, "--no-wait set interface vnet-p2 bfd_status:state=up bfd_status:flap_count=1");
    OWNER_WAIT(&l->owner, ovsdb_owner_peer(&l->owner, 2) == OVSDB_PEER_UP);
    ovsdb_fixture_do(l->host, "--no-wait set interface vnet-p2 bfd_status:state=down bfd_status:flap_count=2");
    OWNER_WAIT(&l->owner, ovsdb_owner_peer(&l->owner, 2) == OVSDB_PEER_DOWN);
    assert_int_equal(ovsdb_owner_peer(&l->owner, 0xffffffff), OVSDB_PEER_UNKNOWN);

    with.n_peers = 1;
    with.bfd_ms = 200;
    peers[0].ip = ip4(0xc000020e);
    ovsdb_session_want(l->owner.session, &with);
    OWNER_WAIT(&l->owner, says(l, "list-ports br-int", "vnet-geneve\nvnet-p2"));
    expect_vsctl(l, "get interface vnet-p2 options:remote_ip bfd:min_rx", "\"192.0.2.14\"\n\"200\"");
    with.n_peers = 0;
    ovsdb_session_want(l->owner.session, &with);
    OWNER_WAIT(&l->owner, says(l, "list-ports br-int", "vnet-geneve"));
    l->owner.wanted = &wanted;
}

static void
zones_are_stored_on_the_host_and_told(void **state)
{
    struct live *l = *state;
    char text[2048];
    ovsdb_fixture_do(l->host, "add-br br-int -- set bridge br-int external_ids:vnet-zone-7=3 external_ids:vnet-zone-8=none "
                              "external_ids:foreign=yes");
    join(l, "");
    OWNER_WAIT(&l->owner, l->owner.is_configured);
    assert_string_equal(ovsdb_owner_zones(&l->owner, text), "7=3 ");

    ovsdb_session_set_zone(l->owner.session, 8, 1);
    ovsdb_session_set_zone(l->owner.session, 4000000000, 65535);
    ovsdb_session_set_zone(l->owner.session, 7, 0);
    OWNER_WAIT(&l->owner, !strcmp(ovsdb_owner_zones(&l->owner, text), "8=1 4000000000=65535 "));
    expect_vsctl(l, "get bridge br-int external_ids", "{foreign=yes, vnet=\"1\", vnet-zone-4000000000=\"65535\", vnet-zone-8=\"1\"}");
    for (uint32_t i = 100; i < 110; i++) {
        ovsdb_session_set_zone(l->owner.session, i, (uint16_t) i);
        ovsdb_owner_run(&l->owner);
    }
    OWNER_WAIT(&l->owner, l->owner.n_zones == 12);

    /* Nothing is wished any more: what somebody else does is told, and stays. */
    ovsdb_fixture_do(l->host, "remove bridge br-int external_ids vnet-zone-8 -- set bridge br-int external_ids:vnet-zone-9=2");
    OWNER_WAIT(&l->owner, l->owner.n_zones == 12 && l->owner.zones[0].number == 9 && l->owner.zones[0].zone == 2);
    assert_true(l->owner.is_configured);
}

static void
patch_ports_are_trunks(void **state)
{
    struct live *l = *state;
    ovsdb_fixture_do(l->host, "add-br br-ex");
    join(l, "external_ids:vnet-uplinks=public:br-ex");
    OWNER_WAIT(&l->owner, l->owner.is_configured && l->owner.ports.patch[0]);
    expect_vsctl(l, "get port vp-ceda3e10 tag trunks vlan_mode -- get port vq-ceda3e10 tag trunks vlan_mode", "[]\n[]\n[]\n[]\n[]\n[]");
    ovsdb_fixture_do(l->host, "set port vq-ceda3e10 tag=7 vlan_mode=access");
    OWNER_WAIT(&l->owner, says(l, "get port vq-ceda3e10 tag vlan_mode", "[]\n[]"));
}

static void
moving_to_another_bridge_moves_what_is_ours(void **state)
{
    struct live *l = *state;
    ovsdb_fixture_do(l->host, "add-br br-ex");
    join(l, "external_ids:vnet-uplinks=public:br-ex");
    OWNER_WAIT(&l->owner, l->owner.is_configured && l->owner.ports.patch[0]);
    ovsdb_fixture_do(l->host, "add-port br-int tap1 -- set interface tap1 type=dummy external_ids:iface-id=web -- "
                              "set open_vswitch . external_ids:vnet-bridge=br-new");
    OWNER_WAIT(&l->owner, !strcmp(l->owner.facts.bridge, "br-new") && says(l, "list-br", "br-ex\nbr-int\nbr-new")
                              && says(l, "list-ports br-int", "tap1"));
    OWNER_WAIT(&l->owner, l->owner.is_configured);
    expect_vsctl(l, "get-controller br-int", "");
    expect_vsctl(l, "get-controller br-new", "tcp:127.0.0.1:1");
    expect_vsctl(l, "list-ports br-new", "vnet-geneve\nvp-ceda3e10");
}

static void
a_foreign_port_in_the_way_is_named_and_once_gone_replaced(void **state)
{
    struct live *l = *state;
    ovsdb_fixture_do(l->host, "add-br br-x -- add-port br-x vnet-geneve -- set interface vnet-geneve type=dummy");
    join(l, "");
    OWNER_WAIT(&l->owner, strstr(l->owner.reason, "'vnet-geneve'"));
    assert_false(l->owner.is_configured);
    ovsdb_fixture_do(l->host, "del-port vnet-geneve");
    OWNER_WAIT(&l->owner, l->owner.is_configured);
    expect_vsctl(l, "list-ports br-int", "vnet-geneve");
}

static void
wrong_facts_are_told_and_corrected_without_a_new_connection(void **state)
{
    struct live *l = *state;
    ovsdb_fixture_do(l->host, "add-br br-ex -- set bridge br-ex datapath_type=netdev");
    join(l, "external_ids:vnet-uplinks=public:br-ex");
    OWNER_WAIT(&l->owner, strstr(l->owner.facts.error, "'br-ex'"));
    assert_non_null(strstr(l->owner.facts.error, "'br-int'"));
    expect_vsctl(l, "list-br", "br-ex");
    ovsdb_fixture_do(l->host, "set open_vswitch . external_ids:vnet-datapath-type=netdev");
    OWNER_WAIT(&l->owner, l->owner.is_configured);
    expect_vsctl(l, "get bridge br-int datapath_type", "netdev");
    assert_int_equal(l->owner.n_closed, 0);
}

static void
a_host_that_returns_finds_nothing_to_change(void **state)
{
    struct live *l = *state;
    join(l, "");
    OWNER_WAIT(&l->owner, l->owner.is_configured && says(l, "get manager . max_backoff", "1000"));
    ovsdb_session_close(l->owner.session, "a break");
    OWNER_WAIT(&l->owner, !l->owner.session);
    l->owner.is_configured = false;
    l->owner.n_interfaces = 0;
    char *before = ovs_fixture_sh(ovsdb_fixture_ovs(l->host), "wc -c < conf.db");
    OWNER_WAIT(&l->owner, l->owner.session && l->owner.is_configured);
    char *after = ovs_fixture_sh(ovsdb_fixture_ovs(l->host), "wc -c < conf.db");
    assert_string_equal(before, after);
    free(before);
    free(after);
}

int
main(void)
{
    char why[100];
    log_init("test");
    log_spec("emer", why, sizeof why);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fresh_host_is_configured_whole, live_start, live_stop),
        cmocka_unit_test_setup_teardown(what_somebody_changes_is_put_right_and_what_is_foreign_stays, live_start, live_stop),
        cmocka_unit_test_setup_teardown(interfaces_are_told_as_they_come_and_go, live_start, live_stop),
        cmocka_unit_test_setup_teardown(who_watches_is_told_all_and_changes_only_what_it_requests, live_start, live_stop),
        cmocka_unit_test_setup_teardown(tunnels_and_patch_ports_follow_the_wishes, live_start, live_stop),
        cmocka_unit_test_setup_teardown(a_port_to_a_peer_carries_bfd_while_it_is_wanted, live_start, live_stop),
        cmocka_unit_test_setup_teardown(zones_are_stored_on_the_host_and_told, live_start, live_stop),
        cmocka_unit_test_setup_teardown(patch_ports_are_trunks, live_start, live_stop),
        cmocka_unit_test_setup_teardown(moving_to_another_bridge_moves_what_is_ours, live_start, live_stop),
        cmocka_unit_test_setup_teardown(a_foreign_port_in_the_way_is_named_and_once_gone_replaced, live_start, live_stop),
        cmocka_unit_test_setup_teardown(wrong_facts_are_told_and_corrected_without_a_new_connection, live_start, live_stop),
        cmocka_unit_test_setup_teardown(a_host_that_returns_finds_nothing_to_change, live_start, live_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
