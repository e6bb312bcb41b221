/* Health checks inside vnetd: from a target and its binding to the probe that leaves its host's switch, and from what comes back to facts,
 * columns and the store; what becomes of UDP connections, and of targets that have drained. */
#include "controller/check/checks.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/columns.h"
#include "tests/unit/controller_switch.h"
#include "vnet/model/router_mac.h"
#include "vnet/packet/tcp.h"
#include "vnet/packet/userdata.h"

#define PACKET_OUT 13
#define SEGMENT_BYTES 54
#define OFPORT 7

struct world {
    struct controller_lab *lab;
    struct controller_switch hv, other;
    uint32_t target, port;
    unsigned at_least;
    const char *column, *wanted;
};

static void
bind_port(struct world *w, uint32_t ofport)
{
    struct controller *c = &w->lab->c;
    struct vnet_event event = { .kind = EVENT_BINDING, .number = w->port, .before = runtime_binding(c->runtime, w->port) };
    if (ofport)
        event.after = (struct binding){ controller_lab_host(w->lab, "hv1")->number, ofport };
    runtime_bind(c->runtime, w->port, event.after);
    controller_fact_changed(c, &event);
}

/* The target pages/web1 of a group with these values, bound on hv1, which is connected and has confirmed. */
static void
begin(struct world *w, const char *group)
{
    char ops[1000];
    snprintf(ops, sizeof ops,
             "[{'op':'add','type':'host','name':'hv1'},{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
             "{'op':'add','type':'subnet','name':'a','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
             "{'op':'add','type':'port','name':'web1','values':{'subnet':'a','ip':'10.0.1.5','mac':'02:00:00:00:00:05'}},"
             "{'op':'add','type':'tg','name':'pages','values':{'vpc':'v',%s}},"
             "{'op':'add','type':'target','values':{'tg':'pages','port':'web1'}}]",
             group);
    controller_lab_do(w->lab, ops);
    w->target = controller_lab_number(w->lab, OBJECT_TARGET, "pages/web1");
    w->port = controller_lab_number(w->lab, OBJECT_PORT, "web1");
    bind_port(w, OFPORT);
    controller_switch_connect(&w->hv, w->lab, "hv1", 1);
}

#define FAST "'proto':'tcp','port':80,'interval':0.1,'timeout':0.05,'rise':2,'fall':2"
#define SLOW "'proto':'tcp','port':80,'interval':300,'timeout':150,'rise':1,'fall':1"
#define FAST_UDP "'proto':'udp','port':53,'interval':0.1,'timeout':0.05,'rise':1,'fall':2"

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->lab = controller_lab_start();
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    controller_switch_disconnect(&w->hv);
    controller_switch_disconnect(&w->other);
    controller_lab_stop(w->lab);
    free(w);
    return 0;
}

static const char *
column(struct world *w, const char *name)
{
    static char text[64];
    const struct object *o = model_get(w->lab->c.model, w->target, OBJECT_TARGET);
    json_t *json = o ? columns_object(&w->lab->c, o, NULL) : NULL;
    const char *value = json ? json_member_string(json, name) : "gone";
    snprintf(text, sizeof text, "%s", value ? value : "");
    json_decref(json);
    return text;
}

static bool
is_wanted(void *aux)
{
    struct world *w = aux;
    return !strcmp(column(w, w->column), w->wanted);
}

static void
expect(struct world *w, const char *name, const char *wanted)
{
    w->column = name;
    w->wanted = wanted;
    if (!controller_lab_until(w->lab, is_wanted, w))
        fail_msg("%s is '%s', not '%s'", name, column(w, name), wanted);
}

static unsigned
n_sent(const struct world *w)
{
    return w->hv.fake.n_messages[PACKET_OUT];
}

static bool
has_sent(void *aux)
{
    const struct world *w = aux;
    return n_sent(w) >= w->at_least;
}

static void
settle(struct world *w)
{
    for (int i = 0; i < 5; i++)
        controller_lab_turn(w->lab);
}

/* ---- what is said and heard ---- */

struct said {
    struct ipv4_packet ip;
    struct tcp_segment tcp;
    uint32_t ofport;
};

static struct said
last_said(struct world *w)
{
    struct said s;
    const struct fake_switch *f = &w->hv.fake;
    assert_true(f->packet_out_len > SEGMENT_BYTES + 16);
    assert_true(ipv4_parse(f->packet_out + f->packet_out_len - SEGMENT_BYTES, SEGMENT_BYTES, &s.ip) && tcp_parse(&s.ip, &s.tcp));
    s.ofport = get_be32(f->packet_out + f->packet_out_len - SEGMENT_BYTES - 12);
    return s;
}

/* The n-th packet. */
static struct said
sent(struct world *w, unsigned n)
{
    w->at_least = n;
    assert_true(controller_lab_until(w->lab, has_sent, w));
    return last_said(w);
}

/* The target answers the segment; from a port of its bridge, of a host. */
static void
answer_from(struct world *w, const struct tcp_segment *to, uint8_t flags, uint32_t host, uint32_t ofport)
{
    struct bytes frame = BYTES_INIT, userdata = BYTES_INIT;
    struct ipv4_answer a = { ROUTER_MAC, { { 2, 0, 0, 0, 0, 5 } }, ip4(0x0a000105), ip4(0x0a000101), IPV4_PROTO_TCP };
    tcp_put(&frame, &a,
            &(struct tcp_segment){
                .src_port = to->dst_port, .dst_port = to->src_port, .seq = 77, .ack = to->seq + 1, .flags = flags | TCP_FLAG_ACK });
    userdata_put_checked(&userdata, w->port);
    struct packet_in in = {
        .packet = frame.data, .packet_len = frame.n, .userdata = userdata.data, .userdata_len = userdata.n, .in_port = ofport
    };
    checks_packet_in(&w->lab->c, host, &in);
    bytes_done(&frame);
    bytes_done(&userdata);
}

static void
answer(struct world *w, const struct tcp_segment *to, uint8_t flags)
{
    answer_from(w, to, flags, controller_lab_host(w->lab, "hv1")->number, OFPORT);
}

static void
a_probe_leaves_by_the_targets_port_once_its_host_has_the_flows(void **state)
{
    struct world *w = *state;
    begin(w, SLOW);
    settle(w);
    assert_int_equal(n_sent(w), 0);
    controller_switch_confirm(&w->hv);
    struct said s = sent(w, 1);
    assert_int_equal(s.ofport, OFPORT);
    assert_int_equal(s.tcp.dst_port, 80);
    assert_int_equal(s.tcp.flags, TCP_FLAG_SYN);
    assert_int_equal(ip4_u32(s.ip.src), 0x0a000101);
    assert_int_equal(ip4_u32(s.ip.dst), 0x0a000105);
    assert_string_equal(column(w, "health"), "initial");

    answer(w, &s.tcp, TCP_FLAG_SYN);
    assert_string_equal(column(w, "health"), "healthy");
    assert_int_equal(runtime_target_state(w->lab->c.runtime, w->target), TARGET_HEALTHY);
    assert_int_equal(sent(w, 2).tcp.flags, TCP_FLAG_RST);
}

static void
nobody_else_answers_for_a_target(void **state)
{
    struct world *w = *state;
    begin(w, SLOW);
    controller_switch_confirm(&w->hv);
    struct said s = sent(w, 1);
    uint32_t hv1 = controller_lab_host(w->lab, "hv1")->number;
    struct tcp_segment other = s.tcp;
    other.seq++;
    answer_from(w, &s.tcp, TCP_FLAG_SYN, hv1, OFPORT + 1);
    answer_from(w, &s.tcp, TCP_FLAG_SYN, hv1 + 1, OFPORT);
    answer(w, &other, TCP_FLAG_SYN);
    answer(w, &other, TCP_FLAG_RST);
    assert_string_equal(column(w, "health"), "initial");
    assert_string_equal(column(w, "reason"), "");
    answer(w, &s.tcp, TCP_FLAG_RST);
    assert_string_equal(column(w, "health"), "unhealthy");
    assert_string_equal(column(w, "reason"), "refused");
    answer(w, &s.tcp, TCP_FLAG_SYN); /* the probe is over */
    assert_string_equal(column(w, "health"), "unhealthy");
}

static void
silence_and_absence_have_words_of_their_own(void **state)
{
    struct world *w = *state;
    begin(w, FAST);
    controller_switch_confirm(&w->hv);
    expect(w, "health", "unhealthy");
    assert_string_equal(column(w, "reason"), "no answer");
    bind_port(w, 0);
    expect(w, "reason", "unreachable");
    bind_port(w, OFPORT);
    controller_switch_confirm(&w->hv);
    expect(w, "reason", "no answer");
    controller_lab_do(w->lab, "[{'op':'add','type':'host','name':'hv2'}]");
    controller_switch_connect(&w->other, w->lab, "hv2", 2);
    controller_switch_disconnect(&w->hv);
    expect(w, "reason", "unreachable");
    assert_string_equal(column(w, "health"), "unhealthy");
}

/* Turns for so long; then it is as it was. */
static void
stays(struct world *w, const char *health, int ms)
{
    int64_t end_ms = controller_now_ms() + ms;
    while (controller_now_ms() < end_ms)
        controller_lab_turn(w->lab);
    assert_string_equal(column(w, "health"), health);
}

static void
is_healthy_at_first(struct world *w)
{
    begin(w, FAST);
    controller_lab_do(w->lab, "[{'op':'add','type':'host','name':'hv2'}]");
    controller_switch_connect(&w->other, w->lab, "hv2", 2);
    controller_switch_confirm(&w->hv);
    struct said s = sent(w, 1);
    answer(w, &s.tcp, TCP_FLAG_SYN);
    assert_string_equal(column(w, "health"), "healthy");
}

static void
while_no_switch_is_heard_states_stay(void **state)
{
    struct world *w = *state;
    is_healthy_at_first(w);
    w->hv.fake.is_silent = w->other.fake.is_silent = true;
    stays(w, "healthy", 1500);
    w->other.fake.is_silent = false; /* its own host is still silent */
    expect(w, "health", "unhealthy");
    assert_string_equal(column(w, "reason"), "no answer");
}

static void
while_no_switch_is_connected_states_stay_and_then_each_host_is_waited_for(void **state)
{
    struct world *w = *state;
    is_healthy_at_first(w);
    controller_switch_disconnect(&w->other);
    controller_switch_disconnect(&w->hv);
    stays(w, "healthy", 1000);
    controller_switch_connect(&w->other, w->lab, "hv2", 2);
    stays(w, "healthy", 1000);
    controller_switch_connect(&w->hv, w->lab, "hv1", 1);
    controller_switch_confirm(&w->hv);
    struct said s = sent(w, 1);
    answer(w, &s.tcp, TCP_FLAG_SYN);
    controller_switch_disconnect(&w->hv); /* alone, this time */
    expect(w, "health", "unhealthy");
    assert_string_equal(column(w, "reason"), "unreachable");
}

static void
a_host_that_has_not_come_yet_is_waited_for(void **state)
{
    struct world *w = *state;
    begin(w, FAST);
    controller_switch_confirm(&w->hv);
    struct said s = sent(w, 1);
    answer(w, &s.tcp, TCP_FLAG_SYN);
    controller_switch_disconnect(&w->hv);
    w->hv.lab = NULL;
    controller_lab_restart(w->lab);
    bind_port(w, OFPORT);
    assert_int_equal(runtime_target_state(w->lab->c.runtime, w->target), TARGET_HEALTHY);
    int64_t end_ms = controller_now_ms() + 600;
    while (controller_now_ms() < end_ms)
        controller_lab_turn(w->lab);
    assert_string_equal(column(w, "health"), "healthy");
}

/* ---- the group ---- */

static bool
fails_open(struct world *w)
{
    uint32_t number = controller_lab_number(w->lab, OBJECT_LISTENER, "front/tcp:80");
    json_t *json = columns_object(&w->lab->c, model_get(w->lab->c.model, number, OBJECT_LISTENER), NULL);
    bool is_open = json_is_true(json_object_get(json, "fail_open"));
    json_decref(json);
    return is_open;
}

static void
a_listener_tells_that_it_fails_open_as_its_flows_do(void **state)
{
    struct world *w = *state;
    begin(w, SLOW);
    controller_switch_confirm(&w->hv);
    controller_lab_do(w->lab, "[{'op':'add','type':'lb','name':'front','values':{'subnet':'a'}},"
                              "{'op':'add','type':'listener','values':{'lb':'front','proto':'tcp','port':80,'tg':'pages'}},"
                              "{'op':'add','type':'port','name':'web2','values':{'subnet':'a'}},"
                              "{'op':'add','type':'port','name':'web3','values':{'subnet':'a'}}]");
    assert_false(fails_open(w));
    struct said s = sent(w, 1);
    answer(w, &s.tcp, TCP_FLAG_RST);
    assert_string_equal(column(w, "health"), "unhealthy");
    assert_true(fails_open(w));
    controller_lab_do(w->lab, "[{'op':'add','type':'target','values':{'tg':'pages','port':'web2'}},"
                              "{'op':'add','type':'target','values':{'tg':'pages','port':'web3','weight':0}}]");
    assert_true(fails_open(w));
    runtime_set_target_state(w->lab->c.runtime, controller_lab_number(w->lab, OBJECT_TARGET, "pages/web3"), TARGET_HEALTHY);
    assert_true(fails_open(w)); /* it gets no connection */
    runtime_set_target_state(w->lab->c.runtime, controller_lab_number(w->lab, OBJECT_TARGET, "pages/web2"), TARGET_HEALTHY);
    assert_false(fails_open(w));
}

/* ---- UDP ---- */

static bool
is_flushed(void *aux)
{
    const struct world *w = aux;
    return w->hv.fake.n_ct_flushes >= w->at_least;
}

static void
expect_flush(struct world *w, unsigned n)
{
    uint8_t label[8] = { 0 }, mask[8] = { 0xff, 0xff, 0xff, 0xff };
    const struct fake_switch *f = &w->hv.fake;
    put_be32(label, w->target);
    w->at_least = n;
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    assert_int_equal(f->ct_flush[16], L4_UDP);
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, label, sizeof label));
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, mask, sizeof mask));
}

static void
udp_connections_of_a_dead_or_removed_target_are_forgotten_after_the_flows(void **state)
{
    struct world *w = *state;
    begin(w, FAST_UDP);
    controller_switch_confirm(&w->hv);
    w->at_least = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    unsigned n = w->hv.fake.n_ct_flushes;
    expect(w, "health", "unhealthy");
    host_concern(controller_lab_host(w->lab, "hv1"), w->lab->c.seq);
    settle(w);
    assert_int_equal(w->hv.fake.n_ct_flushes, n);
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 1);

    controller_lab_do(w->lab, "[{'op':'del','type':'target','name':'pages/web1'},{'op':'del','type':'target','name':'pages/web1'}]");
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 2);
}

static void
udp_connections_of_dead_targets_are_forgotten_when_their_group_no_longer_fails_open(void **state)
{
    struct world *w = *state;
    begin(w, "'proto':'udp','port':53,'check':'tcp','check_port':80,'interval':0.1,'timeout':0.05,'rise':1,'fall':2");
    controller_lab_do(w->lab, "[{'op':'add','type':'port','name':'web2','values':{'subnet':'a'}},"
                              "{'op':'add','type':'target','values':{'tg':'pages','port':'web2'}}]");
    controller_switch_confirm(&w->hv);
    expect(w, "health", "unhealthy");
    uint32_t web1 = w->target, web2 = controller_lab_number(w->lab, OBJECT_TARGET, "pages/web2");
    w->target = web2;
    expect(w, "health", "unhealthy"); /* nobody knows where it is */
    controller_switch_confirm(&w->hv);
    w->at_least = 3; /* the first one: by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    settle(w);
    unsigned n = w->hv.fake.n_ct_flushes;
    struct said s = sent(w, n_sent(w) + 1);
    w->target = web1;
    answer(w, &s.tcp, TCP_FLAG_SYN);
    assert_string_equal(column(w, "health"), "healthy");
    w->target = web2;
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 1);
}

/* The group has the healthy web2, of weight 0, so that it fails open for web1, which is dead. */
static void
udp_connections_of_dead_targets_are_forgotten_when_one_that_is_healthy_gets_a_weight(void **state)
{
    struct world *w = *state;
    begin(w, "'proto':'udp','port':53,'interval':300,'timeout':150");
    controller_lab_do(w->lab, "[{'op':'add','type':'port','name':'web2','values':{'subnet':'a'}},"
                              "{'op':'add','type':'target','values':{'tg':'pages','port':'web2','weight':0}}]");
    runtime_set_target_state(w->lab->c.runtime, w->target, TARGET_UNHEALTHY);
    runtime_set_target_state(w->lab->c.runtime, controller_lab_number(w->lab, OBJECT_TARGET, "pages/web2"), TARGET_HEALTHY);
    controller_switch_confirm(&w->hv);
    w->at_least = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    settle(w);
    unsigned n = w->hv.fake.n_ct_flushes;
    controller_lab_do(w->lab, "[{'op':'set','type':'target','name':'pages/web2','values':{'weight':1}}]");
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 1);
    settle(w);
    controller_lab_do(w->lab, "[{'op':'set','type':'target','name':'pages/web2','values':{'weight':2}}]");
    controller_switch_confirm(&w->hv);
    for (int64_t end_ms = controller_now_ms() + 300; controller_now_ms() < end_ms;)
        controller_lab_turn(w->lab);
    assert_int_equal(w->hv.fake.n_ct_flushes, n + 1);
}

static void
udp_connections_of_dead_targets_are_forgotten_when_their_listener_gets_another_group(void **state)
{
    struct world *w = *state;
    begin(w, "'proto':'udp','port':53,'interval':300,'timeout':150");
    controller_lab_do(w->lab, "[{'op':'add','type':'tg','name':'spare','values':{'vpc':'v','proto':'udp','port':53}},"
                              "{'op':'add','type':'lb','name':'front','values':{'subnet':'a'}},"
                              "{'op':'add','type':'listener','values':{'lb':'front','proto':'udp','port':53,'tg':'pages'}}]");
    runtime_set_target_state(w->lab->c.runtime, w->target, TARGET_UNHEALTHY);
    controller_switch_confirm(&w->hv);
    w->at_least = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    settle(w);
    unsigned n = w->hv.fake.n_ct_flushes;
    controller_lab_do(w->lab, "[{'op':'set','type':'listener','name':'front/udp:53','values':{'tg':'spare'}}]");
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 1);
}

static void
a_removed_targets_udp_connections_are_forgotten_after_a_restart_too_but_only_once(void **state)
{
    struct world *w = *state;
    begin(w, FAST_UDP);
    controller_lab_show(w->lab, "hv1", "web1", OFPORT);
    controller_switch_confirm(&w->hv);
    controller_switch_disconnect(&w->hv);
    controller_lab_do(w->lab, "[{'op':'del','type':'target','name':'pages/web1'},{'op':'del','type':'target','name':'pages/web1'}]");
    for (unsigned n = 2; n >= 1; n--) { /* by the first one each time the session finds out what the switch can */
        w->hv.lab = NULL;
        controller_lab_restart(w->lab);
        controller_switch_connect(&w->hv, w->lab, "hv1", 1);
        w->at_least = 1;
        assert_true(controller_lab_until(w->lab, is_flushed, w));
        settle(w);
        assert_int_equal(w->hv.fake.n_ct_flushes, 1);
        controller_switch_confirm(&w->hv);
        if (n == 2)
            expect_flush(w, n);
        for (int64_t end_ms = controller_now_ms() + 300; controller_now_ms() < end_ms;)
            controller_lab_turn(w->lab);
        assert_int_equal(w->hv.fake.n_ct_flushes, n);
        controller_switch_disconnect(&w->hv);
    }
}

/* Its port is bound by what the host's database shows, which outlives vnetd. */
static void
a_host_that_was_away_forgets_udp_connections_of_a_dead_target_after_a_restart_too(void **state)
{
    struct world *w = *state;
    begin(w, FAST_UDP);
    controller_lab_show(w->lab, "hv1", "web1", OFPORT);
    controller_switch_confirm(&w->hv);
    w->at_least = 1; /* who has never been asked is waited for */
    assert_true(controller_lab_until(w->lab, has_sent, w));
    controller_lab_do(w->lab, "[{'op':'add','type':'host','name':'hv2'}]");
    controller_switch_connect(&w->other, w->lab, "hv2", 2);
    controller_switch_disconnect(&w->hv);
    expect(w, "health", "unhealthy");
    controller_switch_disconnect(&w->other);
    w->hv.lab = w->other.lab = NULL;
    controller_lab_restart(w->lab);
    assert_string_equal(column(w, "health"), "unhealthy");
    controller_switch_connect(&w->hv, w->lab, "hv1", 1);
    w->at_least = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    settle(w);
    unsigned n = w->hv.fake.n_ct_flushes;
    assert_int_equal(n, 1);
    controller_switch_confirm(&w->hv);
    expect_flush(w, n + 1);
}

/* ---- TCP ---- */

/* It was unhealthy; then its probe is answered. */
static void
come_back(struct world *w)
{
    expect(w, "health", "unhealthy");
    struct said s = sent(w, n_sent(w) + 1);
    answer(w, &s.tcp, TCP_FLAG_SYN);
    assert_string_equal(column(w, "health"), "healthy");
    settle(w);
}

static void
tcp_connections_of_a_target_that_is_back_are_forgotten_unless_its_group_failed_open(void **state)
{
    static const uint8_t zone[] = { 0, 2, 0, 8, 0, 9 }, to[] = { 10, 0, 1, 5, 0, 0, 0, 0, 0, 3, 0, 8, 0, 80 };
    struct world *w = *state;
    const struct fake_switch *f = &w->hv.fake;
    begin(w, "'proto':'tcp','port':80,'interval':0.1,'timeout':0.05,'rise':1,'fall':10");
    runtime_set_zone(w->lab->c.runtime, controller_lab_host(w->lab, "hv1")->number, w->port, 9);
    controller_switch_confirm(&w->hv);
    w->at_least = 1; /* by which the session finds out what the switch can */
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    unsigned n = f->n_ct_flushes;
    come_back(w); /* it was the only one, so they went on */
    assert_int_equal(f->n_ct_flushes, n);

    expect(w, "health", "unhealthy");
    controller_lab_do(w->lab, "[{'op':'add','type':'port','name':'web2','values':{'subnet':'a'}},"
                              "{'op':'add','type':'target','values':{'tg':'pages','port':'web2'}}]");
    come_back(w); /* with a new one, which could not take them */
    assert_int_equal(f->n_ct_flushes, n);

    expect(w, "health", "unhealthy");
    runtime_set_target_state(w->lab->c.runtime, controller_lab_number(w->lab, OBJECT_TARGET, "pages/web2"), TARGET_HEALTHY);
    come_back(w);
    w->at_least = n + 1;
    assert_true(controller_lab_until(w->lab, is_flushed, w));
    assert_int_equal(f->ct_flush[16], L4_TCP);
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, zone, sizeof zone));
    assert_non_null(memmem(f->ct_flush, f->ct_flush_len, to, sizeof to));
}

/* ---- draining ---- */

static void
what_has_drained_is_removed_and_what_was_added_again_is_not(void **state)
{
    struct world *w = *state;
    begin(w, "'proto':'tcp','port':80,'check':'none','drain':0.3");
    assert_string_equal(column(w, "health"), "healthy");
    controller_lab_do(w->lab, "[{'op':'del','type':'target','name':'pages/web1'}]");
    assert_string_equal(column(w, "health"), "draining");
    controller_lab_do(w->lab, "[{'op':'add','type':'target','values':{'tg':'pages','port':'web1'}}]");
    int64_t end_ms = controller_now_ms() + 500;
    while (controller_now_ms() < end_ms)
        controller_lab_turn(w->lab);
    assert_string_equal(column(w, "health"), "healthy");
    controller_lab_do(w->lab, "[{'op':'del','type':'target','name':'pages/web1'}]");
    expect(w, "health", "gone");
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN); /* a switch may answer a session that is gone */
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_probe_leaves_by_the_targets_port_once_its_host_has_the_flows),
        TEST(nobody_else_answers_for_a_target),
        TEST(silence_and_absence_have_words_of_their_own),
        TEST(while_no_switch_is_heard_states_stay),
        TEST(while_no_switch_is_connected_states_stay_and_then_each_host_is_waited_for),
        TEST(a_host_that_has_not_come_yet_is_waited_for),
        TEST(a_listener_tells_that_it_fails_open_as_its_flows_do),
        TEST(udp_connections_of_a_dead_or_removed_target_are_forgotten_after_the_flows),
        TEST(udp_connections_of_dead_targets_are_forgotten_when_their_group_no_longer_fails_open),
        TEST(udp_connections_of_dead_targets_are_forgotten_when_one_that_is_healthy_gets_a_weight),
        TEST(udp_connections_of_dead_targets_are_forgotten_when_their_listener_gets_another_group),
        TEST(a_removed_targets_udp_connections_are_forgotten_after_a_restart_too_but_only_once),
        TEST(a_host_that_was_away_forgets_udp_connections_of_a_dead_target_after_a_restart_too),
        TEST(tcp_connections_of_a_target_that_is_back_are_forgotten_unless_its_group_failed_open),
        TEST(what_has_drained_is_removed_and_what_was_added_again_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
