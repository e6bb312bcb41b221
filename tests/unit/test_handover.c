/* An elastic IP that moves: the old place's switch keeps its rows until the new place's has confirmed, and not for ever. */
#include "controller/host/handover.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "controller/host/holdback.h"
#include "controller/host/host_reach.h"
#include "controller/waiter.h"
#include "ofproto/ovsdb/ovsdb_session_private.h"
#include "tests/unit/controller_lab.h"
#include "tests/unit/fake_switch.h"

#define EIP "203.0.113.10"
#define OTHER_EIP "203.0.113.11"
#define NETWORK                                                                                                                                    \
    "[{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'},{'op':'add','type':'host','name':'h3'},"                       \
    "{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"                                                                        \
    "{'op':'add','type':'igw','values':{'vpc':'v'}},"                                                                                              \
    "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"                                                           \
    "{'op':'add','type':'route','values':{'rtb':'v','prefix':'0.0.0.0/0','target':'igw'}},"                                                        \
    "{'op':'add','type':'port','name':'p','values':{'subnet':'s','sg':[]}},{'op':'add','type':'port','name':'q','values':{'subnet':'s','sg':[]}}," \
    "{'op':'add','type':'port','name':'r','values':{'subnet':'s','sg':[]}},"                                                                       \
    "{'op':'add','type':'pool','name':'public','values':{'cidr':'203.0.113.0/24','uplink':'public'}},"                                             \
    "{'op':'add','type':'eip','values':{'pool':'public','ip':'" EIP "'}},"                                                                         \
    "{'op':'add','type':'eip','values':{'pool':'public','ip':'" OTHER_EIP "'}}]"
#define ATTACH(IP, TO) "{'op':'set','type':'eip','name':'" IP "','values':{'attached':" TO "},'move':true}"

enum { H1, H2, H3, N_HOSTS };

struct world {
    struct controller_lab *lab;
    struct fake_switch fakes[N_HOSTS];
    struct hypervisor *h[N_HOSTS];
    unsigned of;
};

static bool
is_there(void *aux)
{
    const struct world *w = aux;
    return w->h[w->of]->of;
}

/* The zone that the host has told is as good as new; there is no database that could be told so. */
static void
connect_switch(struct world *w, unsigned i)
{
    struct ovsdb_session *db = w->h[i]->db;
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(hosts_openflow_port(w->lab->c.hosts, 0)),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *) &to, sizeof to), 0);
    w->fakes[i] = (struct fake_switch){ .hello_versions = 1u << 6, .dpid = w->h[i]->dpid, .refuses_ct_flush = true };
    fake_switch_start(&w->fakes[i], w->lab->c.base, fd);
    w->h[i]->db = NULL;
    w->of = i;
    assert_true(controller_lab_until(w->lab, is_there, w));
    host_zones_flush(w->h[i]);
    w->h[i]->db = db;
    host_consider_reconcile(w->h[i]);
}

static bool
is_lost(void *aux)
{
    const struct world *w = aux;
    return !w->h[w->of]->of;
}

static void
disconnect_switch(struct world *w, unsigned i)
{
    if (!w->h[i] || !w->h[i]->of)
        return;
    fake_switch_stop(&w->fakes[i]);
    w->of = i;
    assert_true(controller_lab_until(w->lab, is_lost, w));
}

static bool
are_all_realised(void *aux)
{
    const struct world *w = aux;
    for (unsigned i = 0; i < N_HOSTS; i++)
        if (!host_is_connected(w->h[i]) || !host_is_realised(w->h[i]))
            return false;
    return true;
}

/* All three reach the physical network. */
static void
tell_host(struct world *w, unsigned i, const char *name)
{
    struct hypervisor *h = w->h[i] = controller_lab_host(w->lab, name);
    h->facts = (struct ovsdb_facts){ .encap_ip = ip4(0xc0000201 + i), .encap_type = "geneve", .mtu = 1500, .n_uplinks = 1 };
    h->facts.uplinks[0] = (struct ovsdb_uplink){ "public", "br-ex" };
    h->ports = (struct ovsdb_ports){ .geneve = 1, .patch = { 5 } };
    h->has_facts = h->has_ports = h->has_interfaces = h->is_configured = true;
    host_tell_runtime(h);
    struct ovsdb_zone zone = { controller_lab_number(w->lab, OBJECT_VPC, "v"), 5 };
    host_zones_told(h, &zone, 1);
}

static void
compile_all(struct world *w)
{
    do
        controller_lab_turn(w->lab);
    while (hosts_compile_queue(w->lab->c.hosts)->first);
}

static int
start(void **state)
{
    static char listener[] = "ptcp:0:127.0.0.1";
    static const char *const names[N_HOSTS] = { "h1", "h2", "h3" }, *const ports[N_HOSTS] = { "p", "q", NULL };
    struct error err;
    struct world *w = mem_zalloc(sizeof *w);
    *state = w;
    w->lab = controller_lab_start();
    w->lab->options.openflow = (struct option_list){ .v = { listener }, .n = 1 };
    if (!hosts_listen(w->lab->c.hosts, &err))
        fail_msg("%s", err.text);
    controller_lab_do(w->lab, NETWORK);
    for (unsigned i = 0; i < N_HOSTS; i++)
        tell_host(w, i, names[i]);
    compile_all(w); /* and what databases are to be told, of which there are none yet; nothing more is to be told later */
    for (unsigned i = 0; i < N_HOSTS; i++) {
        controller_lab_connect(w->lab, names[i]);
        controller_lab_show(w->lab, names[i], ports[i], 9);
        connect_switch(w, i);
    }
    controller_lab_do(w->lab, "[" ATTACH(EIP, "'port:p'") "]");
    assert_true(controller_lab_until(w->lab, are_all_realised, w));
    return 0;
}

static int
finish(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < N_HOSTS; i++)
        disconnect_switch(w, i);
    controller_lab_stop(w->lab);
    free(w);
    return 0;
}

/* ---- what is where ---- */

static void
count(void *aux, const struct spec *spec)
{
    ++*(unsigned *) aux;
}

/* By which it comes in from the physical network. */
static void
count_entries(void *aux, const struct spec *spec)
{
    *(unsigned *) aux += spec->table == STAGE_UPLINK_IN;
}

static unsigned
n_entries(struct world *w, unsigned i, const char *eip)
{
    unsigned n = 0;
    uint64_t cookie = cookie_make(FEATURE_EIP, OBJECT_EIP, controller_lab_number(w->lab, OBJECT_EIP, eip));
    flow_table_each_of(w->h[i]->table, cookie, count_entries, &n);
    return n;
}

/* It answers ARP and takes packets. */
static bool
holds(struct world *w, unsigned i, const char *eip)
{
    return n_entries(w, i, eip) == 2;
}

/* It takes packets and answers no ARP. */
static bool
is_trail(struct world *w, unsigned i, const char *eip)
{
    return n_entries(w, i, eip) == 1;
}

static bool
is_kept_and_made(void *aux)
{
    const struct world *w = aux;
    return w->fakes[H2].is_commit_kept && w->h[H1]->made_seq >= w->h[H1]->wanted_seq && host_is_realised(w->h[H3]);
}

/* The new place's switch has the rows and does not say so; everything else is done. */
static void
expect_kept(struct world *w)
{
    assert_true(controller_lab_until(w->lab, is_kept_and_made, w));
    assert_true(flow_table_is_clean(w->h[H1]->table));
    assert_true(holds(w, H1, EIP) && holds(w, H2, EIP));
    assert_false(host_is_realised(w->h[H1]) || host_is_realised(w->h[H2]));
    assert_true(host_is_realised(w->h[H3]));
}

static void
expect_moved(struct world *w)
{
    unsigned n_before = w->fakes[H1].n_commits;
    fake_switch_confirm(&w->fakes[H2]);
    assert_true(controller_lab_until(w->lab, are_all_realised, w));
    assert_true(is_trail(w, H1, EIP));
    assert_true(holds(w, H2, EIP));
    assert_true(w->fakes[H1].n_commits > n_before);
}

static void
attach_to_q(struct world *w)
{
    w->fakes[H2].keeps_commits = true;
    controller_lab_do(w->lab, "[" ATTACH(EIP, "'port:q'") "]");
    expect_kept(w);
}

/* ---- tests ---- */

static void
the_old_place_of_what_is_attached_again_stays_until_the_new_one_confirms(void **state)
{
    struct world *w = *state;
    attach_to_q(w);
    controller_lab_add(w->lab, "h1", "r", 10);
    expect_kept(w); /* what else changes there is sent */
    expect_moved(w);
}

static void
the_old_place_of_a_guest_that_moves_stays_until_the_new_one_confirms(void **state)
{
    struct world *w = *state;
    w->fakes[H2].keeps_commits = true;
    controller_lab_add(w->lab, "h2", "p", 12);
    controller_lab_remove(w->lab, "h1", "p");
    expect_kept(w);
    expect_moved(w);
}

struct waited {
    bool is_over;
    size_t n_unconfirmed;
};

static void
waited_for(void *aux, const struct waiter_result *result)
{
    *(struct waited *) aux = (struct waited){ true, result->n_unconfirmed };
}

static bool
is_over(void *aux)
{
    return ((const struct waited *) aux)->is_over;
}

/* Nothing of time: the new place's switch is silent all the while. */
static void
what_a_host_keeps_is_in_nobodys_way(void **state)
{
    struct world *w = *state;
    struct controller *c = &w->lab->c;
    struct waited own = { false }, others = { false }, whole = { false };
    attach_to_q(w);
    uint32_t both[] = { w->h[H1]->number, w->h[H3]->number };
    waiter_add_change(c->waiters, c->seq, both, 2, 60, waited_for, &own);
    controller_lab_add(w->lab, "h1", "r", 10);
    controller_lab_do(w->lab, "[" ATTACH(OTHER_EIP, "'port:r'") "]");
    uint64_t seq = w->h[H1]->wanted_seq;
    waiter_add_change(c->waiters, c->seq, both, 2, 60, waited_for, &others);
    waiter_add(c->waiters, both, 2, 60, waited_for, &whole);
    assert_true(controller_lab_until(w->lab, is_over, &others));
    assert_int_equal(others.n_unconfirmed, 0);
    assert_true(host_is_ready(c, w->h[H1]->number, seq));
    assert_null(w->h[H1]->building); /* its port is active */
    assert_false(own.is_over || whole.is_over || host_is_realised(w->h[H1]));
    fake_switch_confirm(&w->fakes[H2]);
    assert_true(controller_lab_until(w->lab, is_over, &own) && controller_lab_until(w->lab, is_over, &whole));
    assert_int_equal(own.n_unconfirmed + whole.n_unconfirmed, 0);
    assert_true(controller_lab_until(w->lab, are_all_realised, w));
}

static bool
has_left(void *aux)
{
    struct world *w = aux;
    return !holds(w, H1, EIP) && host_is_realised(w->h[H1]);
}

static void
who_is_silent_is_not_waited_for_for_ever(void **state)
{
    struct world *w = *state;
    int64_t from_ms = controller_now_ms();
    attach_to_q(w);
    assert_true(controller_lab_until(w->lab, has_left, w));
    assert_true(controller_now_ms() - from_ms > HANDOVER_MS / 2);
    assert_true(w->fakes[H2].is_commit_kept);
    fake_switch_confirm(&w->fakes[H2]); /* that it is late changes nothing */
    assert_true(controller_lab_until(w->lab, are_all_realised, w));
    assert_true(!holds(w, H1, EIP) && holds(w, H2, EIP));
}

static void
who_is_away_is_not_waited_for(void **state)
{
    struct world *w = *state;
    disconnect_switch(w, H2);
    controller_lab_do(w->lab, "[" ATTACH(EIP, "'port:q'") "]");
    compile_all(w);
    assert_false(holds(w, H1, EIP));
}

static size_t
count_holdbacks(const struct hypervisor *h)
{
    size_t n = 0;
    for (const struct holdback *b = h->holdbacks; b; b = b->next)
        n++;
    return n;
}

static void
what_does_not_move_is_not_held_back(void **state)
{
    struct world *w = *state;
    attach_to_q(w);
    assert_int_equal(count_holdbacks(w->h[H1]), 1);
    expect_moved(w);
    for (unsigned i = 0; i < N_HOSTS; i++)
        assert_int_equal(count_holdbacks(w->h[i]), 0);
    controller_lab_do(w->lab, "[{'op':'set','type':'eip','name':'" EIP "','values':{'tags':{'a':'1'}}}]");
    for (unsigned i = 0; i < N_HOSTS; i++)
        assert_int_equal(count_holdbacks(w->h[i]), 0);
}

static bool
waits_for_nobody(void *aux)
{
    const struct world *w = aux;
    return !w->h[w->of]->arriving;
}

static void
who_is_away_holds_nothing_back(void **state)
{
    struct world *w = *state;
    disconnect_switch(w, H1);
    for (unsigned i = 0; i < 4; i++)
        controller_lab_do(w->lab, i % 2 ? "[" ATTACH(EIP, "'port:p'") "]" : "[" ATTACH(EIP, "'port:q'") "]");
    assert_int_equal(count_holdbacks(w->h[H1]), 0);
}

/* Several addresses that move together, and whose new host is not there: given up one after another. */
static void
one_change_is_held_back_once(void **state)
{
    struct world *w = *state;
    controller_lab_do(w->lab, "[{'op':'add','type':'port','name':'t','values':{'subnet':'s','sg':[]}}]");
    controller_lab_add(w->lab, "h1", "r", 10);
    controller_lab_add(w->lab, "h2", "t", 10);
    controller_lab_do(w->lab, "[" ATTACH(OTHER_EIP, "'port:r'") "]");
    assert_true(controller_lab_until(w->lab, are_all_realised, w));
    disconnect_switch(w, H2);
    w->fakes[H1].keeps_commits = true;
    controller_lab_do(w->lab, "[" ATTACH(EIP, "'port:q'") "," ATTACH(OTHER_EIP, "'port:t'") "]");
    assert_int_equal(count_holdbacks(w->h[H1]), 1);
    fake_switch_confirm(&w->fakes[H1]);
    assert_true(controller_lab_until(w->lab, has_left, w));
    assert_int_equal(count_holdbacks(w->h[H1]), 0);
}

/* The holder and the port's host are new, and the one that is not waited for first is lost. */
static void
nor_who_has_gone_before_its_turn(void **state)
{
    struct world *w = *state;
    static struct ovsdb_session closed = { .state = OVSDB_CLOSED,
                                           .peer = { .kind = ENDPOINT_TCP } }; /* it takes no wish of who watches whom */
    for (unsigned i = 0; i < N_HOSTS; i++)
        w->h[i]->db = &closed;
    w->h[H2]->facts.is_gateway = true;
    host_tell_runtime(w->h[H2]);
    w->h[H3]->facts.n_uplinks = 0;
    host_tell_runtime(w->h[H3]);
    controller_lab_add(w->lab, "h3", "r", 10);
    assert_true(controller_lab_until(w->lab, are_all_realised, w));
    w->fakes[H2].keeps_commits = w->fakes[H3].keeps_commits = true;
    controller_lab_do(w->lab, "[" ATTACH(EIP, "'port:r'") "]");
    compile_all(w);
    unsigned first = w->h[H2]->arriving ? H2 : H3, second = first == H2 ? H3 : H2;
    assert_true(w->h[first]->arriving && !w->h[second]->arriving);
    disconnect_switch(w, second);
    fake_switch_confirm(&w->fakes[first]);
    w->of = first;
    assert_true(controller_lab_until(w->lab, waits_for_nobody, w));
    assert_null(w->h[second]->arriving);
    compile_all(w);
    assert_false(holds(w, H1, EIP));
}

static void
nor_who_goes(void **state)
{
    struct world *w = *state;
    attach_to_q(w);
    disconnect_switch(w, H2);
    compile_all(w);
    assert_false(holds(w, H1, EIP));
    assert_true(controller_lab_until(w->lab, has_left, w));
}

static void
what_is_detached_goes_at_once(void **state)
{
    struct world *w = *state;
    attach_to_q(w);
    controller_lab_do(w->lab, "[" ATTACH(EIP, "null") "]");
    compile_all(w);
    unsigned n = 0;
    uint64_t cookie = cookie_make(FEATURE_EIP, OBJECT_EIP, controller_lab_number(w->lab, OBJECT_EIP, EIP));
    flow_table_each_of(w->h[H1]->table, cookie, count, &n);
    assert_int_equal(n, 0);
    fake_switch_confirm(&w->fakes[H2]);
    assert_true(controller_lab_until(w->lab, are_all_realised, w));
}

static void
what_comes_back_stays_and_leaves_where_it_has_never_arrived(void **state)
{
    struct world *w = *state;
    attach_to_q(w);
    controller_lab_do(w->lab, "[" ATTACH(EIP, "'port:p'") "]");
    compile_all(w);
    assert_true(holds(w, H1, EIP));
    fake_switch_confirm(&w->fakes[H2]);
    assert_true(controller_lab_until(w->lab, are_all_realised, w));
    assert_true(holds(w, H1, EIP));
    assert_false(holds(w, H2, EIP));
}

/* Each is in the other's way. */
static void
two_that_change_places_do_not_wait_for_each_other(void **state)
{
    struct world *w = *state;
    controller_lab_do(w->lab, "[" ATTACH(OTHER_EIP, "'port:q'") "]");
    assert_true(controller_lab_until(w->lab, are_all_realised, w));
    w->fakes[H1].keeps_commits = w->fakes[H2].keeps_commits = true;
    controller_lab_do(w->lab, "[" ATTACH(EIP, "null") "," ATTACH(OTHER_EIP, "'port:p'") "," ATTACH(EIP, "'port:q'") "]");
    compile_all(w);
    assert_true(holds(w, H2, EIP) && holds(w, H1, OTHER_EIP));
    for (unsigned i = 0; i < N_HOSTS; i++)
        assert_string_equal(host_error(w->h[i]), "");
    fake_switch_confirm(&w->fakes[H1]);
    fake_switch_confirm(&w->fakes[H2]);
    assert_true(controller_lab_until(w->lab, are_all_realised, w));
    assert_true(holds(w, H2, EIP) && holds(w, H1, OTHER_EIP));
    assert_false(holds(w, H1, EIP) || holds(w, H2, OTHER_EIP));
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, finish)

int
main(void)
{
    signal(SIGPIPE, SIG_IGN); /* a switch may answer a session that is gone */
    const struct CMUnitTest tests[] = {
        TEST(the_old_place_of_what_is_attached_again_stays_until_the_new_one_confirms),
        TEST(the_old_place_of_a_guest_that_moves_stays_until_the_new_one_confirms),
        TEST(what_a_host_keeps_is_in_nobodys_way),
        TEST(who_is_silent_is_not_waited_for_for_ever),
        TEST(who_is_away_is_not_waited_for),
        TEST(nor_who_goes),
        TEST(nor_who_has_gone_before_its_turn),
        TEST(what_does_not_move_is_not_held_back),
        TEST(who_is_away_holds_nothing_back),
        TEST(one_change_is_held_back_once),
        TEST(what_is_detached_goes_at_once),
        TEST(what_comes_back_stays_and_leaves_where_it_has_never_arrived),
        TEST(two_that_change_places_do_not_wait_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
