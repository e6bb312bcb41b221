/* One OpenFlow session against a scripted switch that misbehaves, and against a real Open vSwitch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/log.h"
#include "ofproto/flow/flow_builder.h"
#include "ofproto/flow/flow_table.h"
#include "ofproto/session/endpoint.h"
#include "ofproto/session/of_session.h"
#include "tests/unit/fake_switch.h"
#include "tests/unit/ovs_fixture.h"
#include "tests/unit/test_pki.h"

#define COOKIE(N) (0x0100000000000000ULL | (N))
#define DPID 0xa1

/* ---- an owner that notes what it is told ---- */

struct world {
    struct event_base *base;
    struct endpoint_listener *listener;
    struct of_session *session;
    struct flow_table *table;
    struct flow_builder *builder;
    struct arena *arena;
    struct fake_switch fake;
    struct ovs_fixture *ovs;
    SSL_CTX *ssl;
    bool refuses_identity, reconciles_in_identify;
    int64_t reconcile_seq;

    unsigned n_identified, n_committed, n_refused, n_closed, n_packet_ins, n_read_flows, n_read_specs, n_reads_done;
    bool is_read_ok;
    unsigned n_removed;
    uint64_t removed_cookie, removed_packets, removed_bytes;
    uint64_t dpid, seq, refused_cookie;
    char refusal[512], reason[512];
    uint8_t userdata[32];
    size_t userdata_len, packet_len;
    uint32_t in_port;
    const char *resumes_with;    /* written into the end of a packet that waits, which then goes on */
};

static bool
on_identify(void *aux, struct of_session *s, uint64_t dpid, struct error *err)
{
    struct world *w = aux;
    w->n_identified++;
    w->dpid = dpid;
    if (w->refuses_identity)
        return error_set(err, ERROR_UNKNOWN, "no host has this switch");
    if (w->reconciles_in_identify)
        of_session_reconcile(s, w->table, 1);
    return true;
}

static void
on_committed(void *aux, struct of_session *s, uint64_t seq)
{
    struct world *w = aux;
    w->n_committed++;
    w->seq = seq;
}

static void
on_refused(void *aux, struct of_session *s, uint64_t cookie, const char *reason)
{
    struct world *w = aux;
    w->n_refused++;
    w->refused_cookie = cookie;
    snprintf(w->refusal, sizeof w->refusal, "%s", reason);
}

static void
resume(const struct world *w, struct of_session *s, const struct packet_in *in)
{
    uint8_t packet[2048], *longer = mem_zalloc(UINT16_MAX);
    size_t n = strlen(w->resumes_with);
    assert_in_range(in->packet_len, n, sizeof packet);
    memcpy(packet, in->packet, in->packet_len);
    memcpy(packet + in->packet_len - n, w->resumes_with, n);
    of_session_resume(s, in, longer, UINT16_MAX);        /* dropped */
    of_session_resume(s, in, packet, in->packet_len);
    free(longer);
}

static void
on_packet_in(void *aux, struct of_session *s, const struct packet_in *in)
{
    struct world *w = aux;
    w->n_packet_ins++;
    w->packet_len = in->packet_len;
    w->in_port = in->in_port;
    w->userdata_len = in->userdata_len < sizeof w->userdata ? in->userdata_len : sizeof w->userdata;
    if (w->userdata_len)
        memcpy(w->userdata, in->userdata, w->userdata_len);
    if (w->resumes_with)
        resume(w, s, in);
}

static void
on_flow_removed(void *aux, struct of_session *s, const struct wire_flow *flow)
{
    struct world *w = aux;
    w->n_removed++;
    w->removed_cookie = flow->cookie;
    w->removed_packets = flow->packets;
    w->removed_bytes = flow->bytes;
}

static void
on_closed(void *aux, struct of_session *s, const char *reason)
{
    struct world *w = aux;
    w->n_closed++;
    w->session = NULL;
    snprintf(w->reason, sizeof w->reason, "%s", reason);
    if (w->listener)
        endpoint_listener_released(w->listener);
}

static const struct of_session_ops ops = { on_identify, on_committed, on_refused, on_packet_in, on_flow_removed, on_closed };

static void
on_accepted(void *aux, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    struct world *w = aux;
    assert_null(w->session);
    w->session = of_session_new(w->base, bev, peer, &ops, w);
}

static int
setup(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);
    w->base = event_base_new();
    w->table = flow_table_new();
    w->builder = flow_builder_new();
    w->arena = arena_new();
    w->reconciles_in_identify = true;
    w->fake.hello_versions = 1u << 6;
    w->fake.dpid = DPID;
    *state = w;
    return 0;
}

static bool
run_until(struct world *w, bool (*claim)(struct world *), int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t end = t.tv_sec * 1000 + t.tv_nsec / 1000000 + ms;
    while (!claim(w)) {
        clock_gettime(CLOCK_MONOTONIC, &t);
        int64_t left = end - (t.tv_sec * 1000 + t.tv_nsec / 1000000);
        if (left <= 0)
            return false;
        event_base_loopexit(w->base, &(struct timeval) { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 });
        event_base_loop(w->base, EVLOOP_ONCE);
    }
    return true;
}

static bool is_closed(struct world *w) { return w->n_closed > 0; }
static bool has_no_session(struct world *w) { return !w->session; }
static bool never(struct world *w) { return false; }

static int
teardown(void **state)
{
    struct world *w = *state;
    if (w->session)
        of_session_close(w->session, "the test is over");
    bool is_over = run_until(w, has_no_session, 5000);
    endpoint_listener_free(w->listener);
    fake_switch_stop(&w->fake);
    ovs_fixture_stop(w->ovs);
    SSL_CTX_free(w->ssl);
    flow_table_free(w->table);
    flow_builder_free(w->builder);
    arena_free(w->arena);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    event_base_free(w->base);
    free(w);
    return is_over ? 0 : -1;
}

/* ---- flows ---- */

static const struct spec *
flow(struct world *w, uint32_t number, uint16_t priority)
{
    flow_begin(w->builder, 7, priority, COOKIE(number));
    match_u64(w->builder, of_field_whole(OF_REG1), number);
    act_set(w->builder, of_field_whole(OF_REG2), number);
    act_goto(w->builder, 8);
    return flow_end(w->builder, w->arena);
}

static void
set_block(struct world *w, uint32_t number, const struct spec *spec)
{
    struct error err = { 0 };
    bool ok = flow_table_set_block(w->table, COOKIE(number), &spec, spec ? 1 : 0, &err);
    if (!ok)
        print_error("%s\n", err.text);
    assert_true(ok);
}

/* Blocks 1..n of one flow each, priority 100 unless it is 'odd_number'. */
static void
set_blocks(struct world *w, uint32_t n, uint32_t odd_number, uint16_t odd_priority)
{
    for (uint32_t i = 1; i <= n; i++)
        set_block(w, i, flow(w, i, i == odd_number ? odd_priority : 100));
}

/* ---- against the scripted switch ---- */

static void
start_fake(struct world *w)
{
    int fds[2];
    struct endpoint_peer peer = { .kind = ENDPOINT_TCP, .address = "192.0.2.1:1" };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    fake_switch_start(&w->fake, w->base, fds[0]);
    struct bufferevent *bev = bufferevent_socket_new(w->base, fds[1], BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    w->session = of_session_new(w->base, bev, &peer, &ops, w);
}

static bool is_committed(struct world *w) { return w->n_committed > 0; }
static bool is_at_seq_2(struct world *w) { return w->seq == 2; }
static bool is_identified(struct world *w) { return w->n_identified > 0; }
static bool has_controller_id(struct world *w) { return w->fake.n_controller_ids > 0; }

static void
a_switch_is_read_back_and_then_filled(void **state)
{
    struct world *w = *state;
    set_blocks(w, 3, 0, 0);
    start_fake(w);
    assert_string_equal(of_session_state_name(w->session), "HELLO");
    assert_true(run_until(w, is_committed, 5000));
    assert_int_equal(w->dpid, DPID);
    assert_int_equal(of_session_dpid(w->session), DPID);
    assert_int_equal(w->seq, 1);
    assert_int_equal(w->fake.n_flows_committed, 3);
    assert_int_equal(w->fake.n_commits, 1);
    assert_int_equal(w->fake.controller_id, 1);
    assert_string_equal(of_session_state_name(w->session), "CURRENT");
    assert_true(flow_table_is_clean(w->table));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 3);
}

static void
nothing_is_sent_before_the_owner_says_that_its_view_is_complete(void **state)
{
    struct world *w = *state;
    w->reconciles_in_identify = false;
    set_blocks(w, 3, 0, 0);
    start_fake(w);
    assert_true(run_until(w, has_controller_id, 5000));
    assert_false(run_until(w, is_committed, 100));
    assert_string_equal(of_session_state_name(w->session), "IDENTIFIED");
    assert_int_equal(w->fake.n_messages[18] + w->fake.n_messages[33] + w->fake.n_messages[34], 0);
    of_session_reconcile(w->session, w->table, 9);
    assert_true(run_until(w, is_committed, 5000));
    assert_int_equal(w->seq, 9);
}

static void
nothing_changed_sends_nothing(void **state)
{
    struct world *w = *state;
    set_blocks(w, 3, 0, 0);
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    set_blocks(w, 3, 0, 0);
    of_session_flush(w->session, 2);
    assert_true(run_until(w, is_at_seq_2, 5000));
    assert_int_equal(w->fake.n_commits, 1);
}

static void
changes_while_a_batch_is_in_flight_are_the_next_batch(void **state)
{
    struct world *w = *state;
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    set_blocks(w, 5, 0, 0);
    of_session_push(w->session);
    event_base_loop(w->base, EVLOOP_ONCE);
    assert_string_equal(of_session_state_name(w->session), "COMMITTING");
    set_block(w, 1, flow(w, 1, 200));
    of_session_flush(w->session, 2);
    assert_true(run_until(w, is_at_seq_2, 5000));
    assert_int_equal(w->n_committed, 2);
    assert_int_equal(w->fake.n_commits, 2);
    assert_true(flow_table_is_clean(w->table));
}

static void
a_large_fill_goes_in_batches(void **state)
{
    struct world *w = *state;
    set_blocks(w, 2 * OF_SESSION_BATCH + 10, 0, 0);
    start_fake(w);
    assert_true(run_until(w, is_committed, 20000));
    assert_int_equal(w->n_committed, 1);
    assert_int_equal(w->fake.n_commits, 3);
    assert_int_equal(w->fake.n_flows_committed, 2 * OF_SESSION_BATCH + 10);
    assert_true(w->fake.largest_bundle <= OF_SESSION_BATCH);
}

static void
check_one_refused(struct world *w, unsigned n_flows)
{
    assert_true(run_until(w, is_committed, 20000));
    assert_int_equal(w->n_refused, 1);
    assert_int_equal(w->refused_cookie, COOKIE(77));
    assert_int_equal(w->fake.n_flows_committed, n_flows - 1);
    assert_true(flow_table_is_clean(w->table));
    assert_int_equal(of_session_counters(w->session)->refused, 1);
}

static void
a_flow_refused_when_it_is_added_is_left_out_and_named(void **state)
{
    struct world *w = *state;
    w->fake.refuses_when_added = 999;
    set_blocks(w, 300, 77, 999);
    start_fake(w);
    check_one_refused(w, 300);
    assert_int_equal(w->fake.n_discards, 1);
    assert_int_equal(w->fake.n_commits, 1);
    assert_non_null(strstr(w->refusal, "OFPFMFC_TABLE_FULL"));
    assert_non_null(strstr(w->refusal, "table 7, priority 999"));

    w->fake.refuses_when_added = 0;
    set_block(w, 77, NULL);
    set_block(w, 77, flow(w, 77, 999));
    of_session_flush(w->session, 2);
    assert_true(run_until(w, is_at_seq_2, 5000));
    assert_int_equal(w->fake.n_flows_committed, 300);
}

static void
a_flow_refused_at_the_commit_is_left_out_and_named(void **state)
{
    struct world *w = *state;
    w->fake.refuses_when_committed = 999;
    set_blocks(w, 300, 77, 999);
    start_fake(w);
    check_one_refused(w, 300);
    assert_int_equal(w->fake.n_discards, 0);
}

static void
a_flow_that_spoils_commits_without_being_named_is_found(void **state)
{
    struct world *w = *state;
    w->fake.spoils_commit_namelessly = 999;
    set_blocks(w, 300, 77, 999);
    start_fake(w);
    check_one_refused(w, 300);
    assert_non_null(strstr(w->refusal, "OFPBFC_MSG_FAILED"));
}

static void
a_lost_bundle_is_sent_again(void **state)
{
    struct world *w = *state;
    w->fake.n_commits_to_lose = 2;
    set_blocks(w, 30, 0, 0);
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    assert_int_equal(w->n_refused, 0);
    assert_int_equal(w->fake.n_flows_committed, 30);
}

static void
a_switch_that_loses_every_bundle_is_connected_anew(void **state)
{
    struct world *w = *state;
    w->fake.n_commits_to_lose = 1000;
    set_blocks(w, 30, 0, 0);
    start_fake(w);
    assert_true(run_until(w, is_closed, 5000));
    assert_int_equal(w->n_refused, 0);
    assert_int_equal(w->n_committed, 0);
    assert_non_null(strstr(w->reason, "OFPBFC_BAD_ID"));
    assert_false(flow_table_is_sending(w->table));
}

static void
a_switch_without_openflow_15_is_told_why(void **state)
{
    struct world *w = *state;
    w->fake.hello_versions = 0x1e;
    start_fake(w);
    assert_true(run_until(w, is_closed, 5000));
    assert_non_null(strstr(w->reason, "OpenFlow15"));
    assert_false(run_until(w, never, 20));
    assert_int_equal(w->fake.n_hello_failed, 1);
    assert_true(w->fake.is_closed);
    assert_int_equal(w->n_identified, 0);
}

static void
a_hello_of_an_old_version_without_a_bitmap_is_refused(void **state)
{
    struct world *w = *state;
    w->fake.hello_versions = 0;
    start_fake(w);
    assert_true(run_until(w, is_closed, 5000));
    assert_non_null(strstr(w->reason, "OpenFlow15"));
}

static void
a_switch_that_is_not_ours_is_left_untouched(void **state)
{
    struct world *w = *state;
    w->refuses_identity = true;
    start_fake(w);
    assert_true(run_until(w, is_closed, 5000));
    assert_string_equal(w->reason, "no host has this switch");
    assert_false(run_until(w, never, 20));
    unsigned n = 0;
    for (int type = 0; type < 64; type++)
        n += type == 0 || type == 5 ? 0 : w->fake.n_messages[type];
    assert_int_equal(n, 0);
}

static void
an_error_that_answers_nothing_of_ours_does_not_end_the_session(void **state)
{
    struct world *w = *state;
    w->fake.refuses_set_async = true;
    set_blocks(w, 3, 0, 0);
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    assert_int_equal(of_session_counters(w->session)->errors, 1);
}

static void
the_controller_id_can_be_given_away_and_taken_back(void **state)
{
    struct world *w = *state;
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    w->fake.n_controller_ids = 0;
    of_session_set_controller_id(w->session, 0);
    assert_true(run_until(w, has_controller_id, 5000));
    assert_int_equal(w->fake.controller_id, 0);
}

static bool has_echo_reply(struct world *w) { return w->fake.n_messages[3] > 0; }

static void
echo_requests_are_answered_even_one_byte_at_a_time(void **state)
{
    static const uint8_t request[] = { 6, 2, 0, 10, 0, 0, 0, 9, 'h', 'i' };
    struct world *w = *state;
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    for (size_t i = 0; i < sizeof request; i++) {
        assert_false(has_echo_reply(w));
        bufferevent_write(w->fake.bev, request + i, 1);
        event_base_loop(w->base, EVLOOP_NONBLOCK);
        event_base_loop(w->base, EVLOOP_NONBLOCK);
    }
    assert_true(run_until(w, has_echo_reply, 5000));
}

static void
many_parts_of_a_reply_are_one_reading(void **state)
{
    struct world *w = *state;
    w->fake.n_multipart_parts = 1000;
    set_blocks(w, 3, 0, 0);
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
}

/* Each is what a switch might say after the handshake, and why that ends the session (NULL: it does not). */
static void
garbage_after_the_handshake_ends_the_session_with_a_reason(void **state)
{
    static const struct { uint8_t bytes[40]; size_t n; const char *reason; } garbage[] = {
        { { 6, 2, 0, 7, 0, 0, 0, 0 }, 8, "7 bytes" },
        { { 6, 2, 0, 0, 0, 0, 0, 0 }, 8, "0 bytes" },
        { { 4, 2, 0, 8, 0, 0, 0, 0 }, 8, "version 0x04" },
        { { 6, 0, 0, 8, 0, 0, 0, 0 }, 8, "HELLO twice" },
        { { 6, 99, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 1, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 1, 0, 12, 0, 0, 0, 0, 255, 255, 255, 255 }, 12, NULL },
        { { 6, 4, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 4, 0, 16, 0, 0, 0, 0, 0, 0, 0x23, 0x20, 0, 0, 0, 30 }, 16, NULL },
        { { 6, 4, 0, 20, 0, 0, 0, 0, 0, 0, 0x23, 0x20, 0, 0, 0, 30, 0, 0, 0, 4 }, 20, NULL },
        { { 6, 19, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 33, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 6, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 10, 0, 8, 0, 0, 0, 0 }, 8, NULL },
    };
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        void *inner;
        setup(&inner);
        struct world *w = inner;
        start_fake(w);
        assert_true(run_until(w, is_committed, 5000));
        bufferevent_write(w->fake.bev, garbage[i].bytes, garbage[i].n);
        fake_switch_send(&w->fake, 6, 2, 5, NULL, 0);
        if (garbage[i].reason) {
            assert_true(run_until(w, is_closed, 5000));
            assert_non_null(strstr(w->reason, garbage[i].reason));
        } else {
            assert_true(run_until(w, has_echo_reply, 5000));
            assert_int_equal(w->n_closed, 0);
        }
        assert_int_equal(teardown(&inner), 0);
    }
}

static void
random_bytes_never_do_more_than_end_the_session(void **state)
{
    srandom(7);
    log_console(false);
    for (int round = 0; round < 300; round++) {
        void *inner;
        setup(&inner);
        struct world *w = inner;
        start_fake(w);
        if (round % 3) {
            bool is_ready = run_until(w, round % 3 == 1 ? is_identified : is_committed, 5000);
            assert_true(is_ready);
        }
        for (int i = 0; i < 20 && !w->fake.is_closed; i++) {
            uint8_t body[256];
            size_t n = (size_t) random() % sizeof body;
            for (size_t j = 0; j < n; j++)
                body[j] = (uint8_t) (random() % 3 ? random() % 4 : random());
            fake_switch_send(&w->fake, 6, (uint8_t) (random() % 36), (uint32_t) random() % 24, body, n);
            event_base_loop(w->base, EVLOOP_NONBLOCK);
        }
        run_until(w, is_closed, 1);
        assert_int_equal(teardown(&inner), 0);
    }
    log_console(true);
}

static void
a_peer_that_speaks_no_openflow_is_cut_off(void **state)
{
    struct world *w = *state;
    w->fake.is_silent = true;
    start_fake(w);
    bufferevent_write(w->fake.bev, "GET / HTTP/1.0\r\n\r\n", 18);
    assert_true(run_until(w, is_closed, 5000));
    assert_non_null(strstr(w->reason, "not a HELLO"));
}

static void
silence_ends_a_session_in_time_before_and_after_the_handshake(void **state)
{
    struct world *w = *state;
    void *inner;
    setup(&inner);
    struct world *mute = inner;
    mute->fake.is_silent = true;
    struct event_base *own_base = mute->base;
    mute->base = w->base;
    start_fake(mute);

    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    w->fake.is_silent = true;
    assert_false(run_until(w, is_closed, 8000));
    assert_true(run_until(w, is_closed, 5000));
    assert_non_null(strstr(w->reason, "silent"));
    assert_true(run_until(mute, is_closed, 5000));
    assert_non_null(strstr(mute->reason, "handshake"));

    fake_switch_stop(&mute->fake);
    mute->base = own_base;
    assert_int_equal(teardown(&inner), 0);
}

/* ---- readings ---- */

static void
count_flow(void *aux, const struct wire_flow *flow_read)
{
    struct world *w = aux;
    w->n_read_flows++;
}

static void
count_spec(void *aux, const struct spec *spec)
{
    struct world *w = aux;
    w->n_read_specs++;
}

static void
note_done(void *aux, bool ok)
{
    struct world *w = aux;
    w->n_reads_done++;
    w->is_read_ok = ok;
}

static bool is_read_done(struct world *w) { return w->n_reads_done > 0; }
static bool are_16_reads_done(struct world *w) { return w->n_reads_done == 16; }

static struct of_session_read
reading(struct world *w, uint8_t table)
{
    return (struct of_session_read) { .table = table, .want_groups_and_meters = true, .each_flow = count_flow,
                                      .each_spec = count_spec, .done = note_done, .aux = w };
}

static void
readings_queue_up_to_sixteen_beside_commits(void **state)
{
    struct world *w = *state;
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    struct of_session_read read = reading(w, 0xff);
    for (int i = 0; i < 16; i++)
        assert_true(of_session_read(w->session, &read));
    assert_false(of_session_read(w->session, &read));
    set_blocks(w, 100, 0, 0);
    of_session_flush(w->session, 2);
    assert_true(run_until(w, are_16_reads_done, 5000));
    assert_true(w->is_read_ok);
    assert_true(run_until(w, is_at_seq_2, 5000));
    assert_true(of_session_read(w->session, &read));
}

static void
a_closed_connection_ends_readings_and_the_session(void **state)
{
    struct world *w = *state;
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    w->fake.is_deaf_to_tables = true;
    struct of_session_read read = reading(w, 0xff);
    assert_true(of_session_read(w->session, &read));
    assert_true(of_session_read(w->session, &read));
    assert_false(run_until(w, is_read_done, 50));
    fake_switch_stop(&w->fake);
    assert_true(run_until(w, is_closed, 5000));
    assert_int_equal(w->n_reads_done, 2);
    assert_false(w->is_read_ok);
    assert_string_equal(w->reason, "the switch closed the connection");
}

static void
closing_is_told_from_the_loop_with_the_reason(void **state)
{
    struct world *w = *state;
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    of_session_close(w->session, "the host was removed");
    assert_int_equal(w->n_closed, 0);
    of_session_close(w->session, "again");
    assert_true(run_until(w, is_closed, 5000));
    assert_int_equal(w->n_closed, 1);
    assert_string_equal(w->reason, "the host was removed");
}

/* ---- against Open vSwitch ---- */

static void
start_ovs(struct world *w)
{
    struct endpoint e = { .kind = ENDPOINT_TCP, .ip = "127.0.0.1" };
    struct error err;
    w->ovs = ovs_fixture_start();
    w->listener = endpoint_listen(w->base, &e, NULL, NULL, on_accepted, w, &err);
    assert_non_null(w->listener);
    ovs_fixture_add_bridge(w->ovs, "br0", "00000000000000a1");
    char *target = mem_printf("tcp:127.0.0.1:%u", endpoint_listener_port(w->listener));
    ovs_fixture_set_controller(w->ovs, "br0", target);
    free(target);
}

/* As start_ovs(), with certificates of a CA made for it: the switch's says OU=host. */
static void
start_ovs_with_tls(struct world *w, const char *cn)
{
    struct endpoint e = { .kind = ENDPOINT_TLS, .ip = "127.0.0.1" };
    struct error err;
    struct identity ca = identity_new(NULL, "ca", "ca", NULL), host = identity_new(&ca, cn, "host", NULL);
    struct identity own = identity_new(&ca, "vnetd", "vnetd", NULL);
    w->ovs = ovs_fixture_start();
    const char *dir = ovs_fixture_dir(w->ovs);
    identity_write(dir, "ca", &ca);
    identity_write(dir, "host", &host);
    identity_write(dir, "vnetd", &own);
    identity_free(&ca);
    identity_free(&host);
    identity_free(&own);

    char *key = mem_printf("%s/vnetd-key.pem", dir), *cert = mem_printf("%s/vnetd-cert.pem", dir);
    char *ca_cert = mem_printf("%s/ca-cert.pem", dir);
    w->ssl = endpoint_tls_new(key, cert, ca_cert, &err);
    free(key);
    free(cert);
    free(ca_cert);
    assert_non_null(w->ssl);
    w->listener = endpoint_listen(w->base, &e, w->ssl, "host", on_accepted, w, &err);
    assert_non_null(w->listener);
    ovs_fixture_add_bridge(w->ovs, "br0", "00000000000000a1");
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=20 set-ssl $PWD/host-key.pem $PWD/host-cert.pem $PWD/ca-cert.pem"));
    char *target = mem_printf("ssl:127.0.0.1:%u", endpoint_listener_port(w->listener));
    ovs_fixture_set_controller(w->ovs, "br0", target);
    free(target);
}

static unsigned
count_lines(const struct world *w, const char *command)
{
    char *text = ovs_fixture_sh(w->ovs, "%s | wc -l", command);
    unsigned n = (unsigned) atoi(text);
    free(text);
    return n;
}

static unsigned
count_flows(const struct world *w)
{
    return count_lines(w, "ovs-ofctl -O OpenFlow15 --no-stats dump-flows br0 | grep cookie=");
}

static void
expect_output(const struct world *w, const char *command, const char *part)
{
    char *text = ovs_fixture_sh(w->ovs, "%s", command);
    if (!strstr(text, part))
        print_error("'%s' is not in:\n%s\n", part, text);
    assert_non_null(strstr(text, part));
    free(text);
}

static void
a_bridge_gets_what_is_desired_and_loses_the_rest(void **state)
{
    struct world *w = *state;
    set_blocks(w, 50, 0, 0);
    start_ovs(w);
    free(ovs_fixture_sh(w->ovs, "ovs-ofctl -O OpenFlow15 add-flow br0 table=3,priority=5,ip,actions=drop"));
    assert_true(run_until(w, is_committed, 10000));
    assert_int_equal(w->dpid, DPID);

    set_block(w, 50, NULL);
    set_block(w, 49, flow(w, 49, 300));
    of_session_flush(w->session, 2);
    assert_true(run_until(w, is_at_seq_2, 5000));
    assert_int_equal(count_lines(w, "ovs-ofctl -O OpenFlow15 --no-stats dump-flows br0 table=7 | grep cookie="), 49);
    expect_output(w, "ovs-ofctl -O OpenFlow15 --no-stats dump-flows br0 table=7", "priority=300,reg1=0x31");
    assert_int_equal(of_session_counters(w->session)->refused, 0);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

static void
hidden_flows_of_ovs_are_not_there(void **state)
{
    struct world *w = *state;
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    expect_output(w, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" bridge/dump-flows br0", "table_id=254");
    assert_int_equal(count_lines(w, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" bridge/dump-flows br0 | grep priority=18000"),
                     0);
}

static void
end_session(struct world *w)
{
    of_session_close(w->session, "reconnect");
    assert_true(run_until(w, is_closed, 5000));
    w->n_committed = w->n_closed = 0;
    w->seq = 0;
}

static void
a_reconnection_reads_back_and_sends_only_the_difference(void **state)
{
    struct world *w = *state;
    set_blocks(w, 2000, 0, 0);
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    end_session(w);

    set_block(w, 3, NULL);
    set_block(w, 4, flow(w, 4, 400));
    set_block(w, 3000, flow(w, 3000, 100));
    assert_true(run_until(w, is_committed, 10000));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 4);     /* -3, -4 at 100, +4 at 400, +3000 */
    assert_int_equal(count_flows(w), 2000);
    assert_true(flow_table_is_clean(w->table));
}

static void
a_restarted_switch_is_filled_again(void **state)
{
    struct world *w = *state;
    set_blocks(w, 500, 0, 0);
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    ovs_fixture_kill_vswitchd(w->ovs);
    assert_true(run_until(w, is_closed, 10000));
    w->n_committed = 0;
    ovs_fixture_start_vswitchd(w->ovs);
    assert_true(run_until(w, is_committed, 20000));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 500);
    assert_int_equal(count_flows(w), 500);
}

/* Group 5 with so many targets, in one block with the flow that names it. */
static void
set_group(struct world *w, uint32_t n_targets)
{
    const struct of_field fields[] = { of_field_whole(OF_IPV4_SRC), of_field_whole(OF_TCP_SRC), of_field_whole(OF_TCP_DST) };
    const struct spec *specs[2];
    struct error err;
    group_begin(w->builder, 5, COOKIE(5), &(struct flow_group) { FLOW_GROUP_SELECT_HASH, fields, 3, 0 });
    for (uint32_t i = 0; i < n_targets; i++) {
        bucket_begin(w->builder, 1000 + i, 1);
        act_set(w->builder, of_field_whole(OF_REG1), i);
        act_resubmit(w->builder, 9);
    }
    specs[0] = group_end(w->builder, w->arena);
    flow_begin(w->builder, 7, 500, COOKIE(5));
    match_ip_proto(w->builder, IP_V4, 6);
    act_group(w->builder, 5);
    specs[1] = flow_end(w->builder, w->arena);
    assert_true(flow_table_set_block(w->table, COOKIE(5), specs, 2, &err));
}

static void
a_group_changes_under_its_flows_and_is_known_again(void **state)
{
    struct world *w = *state;
    set_group(w, 3);
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    assert_int_equal(count_lines(w, "ovs-ofctl -O OpenFlow15 dump-groups br0 | grep -o bucket_id:"), 3);
    set_group(w, FLOW_BUCKETS_MAX);
    of_session_flush(w->session, 2);
    assert_true(run_until(w, is_at_seq_2, 5000));
    assert_int_equal(count_lines(w, "ovs-ofctl -O OpenFlow15 dump-groups br0 | grep -o bucket_id:"), FLOW_BUCKETS_MAX);
    assert_int_equal(of_session_counters(w->session)->mods_sent, 3);     /* both, then the group alone */
    assert_int_equal(count_flows(w), 1);
    end_session(w);

    assert_true(run_until(w, is_committed, 10000));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 0);
    assert_true(flow_table_is_clean(w->table));
    assert_true(flow_table_set_block(w->table, COOKIE(5), NULL, 0, NULL));
    of_session_flush(w->session, 2);
    assert_true(run_until(w, is_at_seq_2, 5000));
    assert_int_equal(count_lines(w, "ovs-ofctl -O OpenFlow15 dump-groups br0 | grep -o group_id"), 0);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

/* Goes to a group that is not there: Open vSwitch says so. */
static const struct spec *
flow_to_group(struct world *w, uint32_t number, uint32_t group)
{
    flow_begin(w->builder, 7, 500, COOKIE(number));
    match_u64(w->builder, of_field_whole(OF_REG1), number);
    act_group(w->builder, group);
    return flow_end(w->builder, w->arena);
}

static const struct spec *
flow_to_meter(struct world *w, uint32_t number, uint32_t meter)
{
    flow_begin(w->builder, 7, 500, COOKIE(number));
    match_u64(w->builder, of_field_whole(OF_REG1), number);
    act_meter(w->builder, meter);
    return flow_end(w->builder, w->arena);
}

static void
what_open_vswitch_refuses_is_left_out_and_the_rest_is_there(void **state)
{
    struct world *w = *state;
    set_blocks(w, 100, 0, 0);
    set_block(w, 77, flow_to_group(w, 77, 4711));
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    assert_int_equal(w->n_refused, 1);
    assert_int_equal(w->refused_cookie, COOKIE(77));
    assert_non_null(strstr(w->refusal, "OFPBAC_BAD_OUT_GROUP"));
    assert_int_equal(count_flows(w), 99);

    set_block(w, 78, flow_to_meter(w, 78, 4711));
    of_session_flush(w->session, 2);
    assert_true(run_until(w, is_at_seq_2, 10000));
    assert_int_equal(w->n_refused, 2);
    assert_int_equal(w->refused_cookie, COOKIE(78));
    assert_int_equal(count_flows(w), 98);        /* the old flow of block 78 has another priority, and goes */
}

static void
set_metered_block(struct world *w, uint32_t number, uint32_t rate)
{
    struct error err = { 0 };
    const struct spec *specs[] = { meter_spec(w->arena, COOKIE(number), number, rate, 10), flow_to_meter(w, number, number) };
    bool ok = flow_table_set_block(w->table, COOKIE(number), specs, 2, &err);
    assert_true(ok);
}

static void
meters_come_before_and_go_after_the_flows_that_use_them(void **state)
{
    struct world *w = *state;
    set_metered_block(w, 5, 100);
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    assert_int_equal(w->n_refused, 0);
    expect_output(w, "ovs-ofctl -O OpenFlow15 dump-meters br0", "meter=5 ");

    set_metered_block(w, 5, 200);
    of_session_flush(w->session, 2);
    assert_true(run_until(w, is_at_seq_2, 5000));
    expect_output(w, "ovs-ofctl -O OpenFlow15 dump-meters br0", "rate=200");

    set_block(w, 5, NULL);
    of_session_flush(w->session, 3);
    w->n_committed = 0;
    assert_true(run_until(w, is_committed, 5000));
    assert_int_equal(count_lines(w, "ovs-ofctl -O OpenFlow15 dump-meters br0 | grep meter="), 0);
    assert_int_equal(count_flows(w), 0);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

static void
a_meter_of_a_batch_that_failed_is_not_added_twice(void **state)
{
    struct world *w = *state;
    set_metered_block(w, 5, 100);
    set_block(w, 77, flow_to_group(w, 77, 4711));
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    assert_int_equal(w->n_refused, 1);
    assert_int_equal(w->refused_cookie, COOKIE(77));
    assert_int_equal(count_flows(w), 1);

    end_session(w);
    assert_true(run_until(w, is_committed, 10000));
    assert_int_equal(w->n_refused, 2);           /* a new connection tries what was refused again, and only that */
    assert_int_equal(of_session_counters(w->session)->mods_sent, 1);
}

static void
a_reading_gives_the_flows_and_meters_of_a_bridge(void **state)
{
    struct world *w = *state;
    set_blocks(w, 1000, 0, 0);
    set_metered_block(w, 5000, 100);
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    struct of_session_read read = reading(w, 0xff);
    assert_true(of_session_read(w->session, &read));
    assert_true(run_until(w, is_read_done, 5000));
    assert_true(w->is_read_ok);
    assert_int_equal(w->n_read_flows, 1001);
    assert_int_equal(w->n_read_specs, 1);

    w->n_reads_done = w->n_read_flows = w->n_read_specs = 0;
    read = reading(w, 7);
    read.want_groups_and_meters = false;
    read.cookie = COOKIE(5000);
    read.cookie_mask = UINT64_MAX;
    assert_true(of_session_read(w->session, &read));
    assert_true(run_until(w, is_read_done, 5000));
    assert_int_equal(w->n_read_flows, 1);
    assert_int_equal(w->n_read_specs, 0);
}

static void
all_of_it_works_over_tls(void **state)
{
    struct world *w = *state;
    set_blocks(w, 20000, 0, 0);
    start_ovs_with_tls(w, "hv1");
    assert_true(run_until(w, is_committed, 30000));
    assert_string_equal(of_session_peer(w->session)->cn, "hv1");
    assert_int_equal(of_session_counters(w->session)->mods_sent, 20000);

    end_session(w);
    assert_true(run_until(w, is_committed, 20000));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 0);
}

static bool has_packet_in(struct world *w) { return w->n_packet_ins > 0; }

static void
a_flow_sends_a_packet_here_with_its_userdata_and_an_answer_goes_out(void **state)
{
    struct world *w = *state;
    flow_begin(w->builder, 0, 10, COOKIE(1));
    match_eth_type(w->builder, 0x0806);
    act_controller(w->builder, 1, "answer me", 9);
    set_block(w, 1, flow_end(w->builder, w->arena));
    flow_begin(w->builder, 0, 10, COOKIE(2));
    match_eth_type(w->builder, 0x0800);
    act_controller(w->builder, 9, "not for id 1", 12);
    set_block(w, 2, flow_end(w->builder, w->arena));
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=10 add-port br0 p1 -- set interface p1 type=dummy ofport_request=1 "
                        "options:tx_pcap=p1-tx.pcap"));
    free(ovs_fixture_sh(w->ovs, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p1 "
                        "'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
                        "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=1,tos=0,ttl=64,frag=no),icmp(type=8,code=0)'"));
    free(ovs_fixture_sh(w->ovs, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p1 "
                        "'in_port(1),eth(src=50:54:00:00:00:01,dst=ff:ff:ff:ff:ff:ff),eth_type(0x0806),"
                        "arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=50:54:00:00:00:01,tha=00:00:00:00:00:00)'"));
    assert_true(run_until(w, has_packet_in, 5000));
    assert_int_equal(w->n_packet_ins, 1);
    assert_int_equal(w->in_port, 1);
    assert_int_equal(w->userdata_len, 9);
    assert_memory_equal(w->userdata, "answer me", 9);
    assert_true(w->packet_len >= 42);

    uint8_t packet[60] = "the answer of at least 60 bytes";
    of_session_packet_out(w->session, 1, packet, sizeof packet);
    struct of_session_read barrier = reading(w, 0);      /* answered after the packet-out was carried out */
    assert_true(of_session_read(w->session, &barrier));
    assert_true(run_until(w, is_read_done, 5000));
    expect_output(w, "grep -c 'the answer of at least' p1-tx.pcap", "1");
}

static void
read_to_the_end(struct world *w)
{
    struct of_session_read barrier = reading(w, 0);      /* answered after what was sent before was carried out */
    w->n_reads_done = 0;
    assert_true(of_session_read(w->session, &barrier));
    assert_true(run_until(w, is_read_done, 5000));
}

static void
a_packet_that_waits_goes_on_changed(void **state)
{
    struct world *w = *state;
    w->resumes_with = "changed while it waited";
    flow_begin(w->builder, 0, 10, COOKIE(1));
    match_eth_type(w->builder, 0x0800);
    act_set(w->builder, of_field_whole(OF_REG1), 77);
    act_controller_pause(w->builder, 1, "answer me", 9);
    act_set_mac(w->builder, OF_ETH_SRC, mac_from_u64(0x56414e454e4f)); /* "VANENO" */
    act_goto(w->builder, 1);
    set_block(w, 1, flow_end(w->builder, w->arena));
    flow_begin(w->builder, 1, 10, COOKIE(2));
    match_u64(w->builder, of_field_whole(OF_REG1), 77);
    act_output_in_port(w->builder);
    set_block(w, 2, flow_end(w->builder, w->arena));
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=10 add-port br0 p1 -- set interface p1 type=dummy ofport_request=1 "
                        "options:tx_pcap=p1-tx.pcap"));
    free(ovs_fixture_sh(w->ovs, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p1 "
                        "'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
                        "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)' --len 100"));
    assert_true(run_until(w, has_packet_in, 5000));
    assert_memory_equal(w->userdata, "answer me", 9);
    read_to_the_end(w);
    assert_int_equal(count_lines(w, "grep -ao VANENO p1-tx.pcap"), 1);   /* it did not go on before */
    expect_output(w, "grep -ac 'changed while it waited' p1-tx.pcap", "1");
    assert_int_equal(w->n_packet_ins, 1);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

static void
track_in(struct world *w, uint32_t in_port, uint16_t zone)
{
    flow_begin(w->builder, 0, 10, COOKIE(in_port));
    match_in_port(w->builder, in_port);
    match_family(w->builder, IP_V4);
    act_ct(w->builder, &(struct flow_ct) { .zone = zone, .table = 1, .is_commit = true });
    set_block(w, in_port, flow_end(w->builder, w->arena));
}

static void
connection_begins(const struct world *w, unsigned in_port)
{
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=10 add-port br0 p%u -- set interface p%u type=dummy ofport_request=%u",
                        in_port, in_port, in_port));
    free(ovs_fixture_sh(w->ovs, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p%u "
                        "'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
                        "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)'", in_port));
}

static unsigned
count_connections(const struct world *w, const char *what)
{
    char *command = mem_printf("ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" dpctl/dump-conntrack | grep '%s'", what);
    unsigned n = count_lines(w, command);
    free(command);
    return n;
}

static void
a_zone_forgets_its_connections_and_only_its_own(void **state)
{
    struct world *w = *state;
    track_in(w, 1, 5);
    track_in(w, 2, 6);
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    connection_begins(w, 1);
    connection_begins(w, 2);
    for (int tries = 0; count_connections(w, "zone=") < 2; tries++)
        assert_in_range(tries, 0, 500);

    of_session_flush_zone(w->session, 5);
    read_to_the_end(w);
    assert_int_equal(count_connections(w, "zone=5"), 0);
    assert_int_equal(count_connections(w, "zone=6"), 1);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

/* In by port 3, committed in zone 5 with the given destination port's own mark and label. */
static void
mark_by_port(struct world *w, uint16_t port)
{
    const struct flow_ct_set sets[] = {
        { .field = of_field_whole(OF_CT_MARK), .value = 0xa0000000u | port },
        { .field = of_field_whole(OF_CT_LABEL), .value = 0x1234567800000000u | port },
    };
    flow_begin(w->builder, 0, 10, COOKIE(port));
    match_in_port(w->builder, 3);
    match_l4_dst(w->builder, IP_V4, 17, port, 0xffff);
    act_ct(w->builder, &(struct flow_ct) { .zone = 5, .table = FLOW_CT_NO_TABLE, .is_commit = true, .sets = sets, .n_sets = 2 });
    set_block(w, port, flow_end(w->builder, w->arena));
}

static void
udp_arrives(const struct world *w, unsigned port)
{
    free(ovs_fixture_sh(w->ovs, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p3 "
                        "'in_port(3),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
                        "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=77,dst=%u)'", port));
}

/* Flushes by 'match': the ports of 'left' are still known, and no others of 1..4. */
static void
assert_left(struct world *w, const struct of_ct_match *match, unsigned left)
{
    assert_true(of_session_flush_ct(w->session, match));
    read_to_the_end(w);
    for (unsigned port = 1; port <= 4; port++) {
        char *what = mem_printf("orig=([^)]*dport=%u)", port);
        assert_int_equal(count_connections(w, what), left >> port & 1);
        free(what);
    }
}

static void
connections_that_match_are_forgotten_and_no_others(void **state)
{
    struct world *w = *state;
    for (uint16_t port = 1; port <= 4; port++)
        mark_by_port(w, port);
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=10 add-port br0 p3 -- set interface p3 type=dummy ofport_request=3"));
    for (unsigned port = 1; port <= 4; port++)
        udp_arrives(w, port);
    for (int tries = 0; count_connections(w, "zone=5") < 4; tries++)
        assert_in_range(tries, 0, 500);

    const struct ip src = ip4(0x0a000001), dst = ip4(0x0a000002);
    struct of_ct_match match = { .has_zone = true, .zone = 6, .proto = 17 };
    assert_left(w, &match, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4);
    match = (struct of_ct_match) { .has_zone = true, .zone = 5, .mark = 4, .mark_mask = 0xff };
    assert_left(w, &match, 1 << 1 | 1 << 2 | 1 << 3);
    match = (struct of_ct_match) { .label = 0x1234567800000003, .label_mask = UINT64_MAX };
    assert_left(w, &match, 1 << 1 | 1 << 2);
    match = (struct of_ct_match) { .has_zone = true, .zone = 5, .proto = 17, .src = src, .dst = dst, .src_port = 77, .dst_port = 2 };
    assert_left(w, &match, 1 << 1);
    match = (struct of_ct_match) { .has_zone = true, .zone = 5, .src = dst };
    assert_left(w, &match, 1 << 1);
    match = (struct of_ct_match) { .has_zone = true, .zone = 5, .src = src };
    assert_left(w, &match, 0);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

/* ---- flows that tell their removal ---- */

static const struct spec *
telling_flow(struct world *w, uint32_t number)
{
    flow_begin(w->builder, 0, 100, COOKIE(number));
    match_family(w->builder, IP_V4);
    flow_tell_removal(w->builder);
    return flow_end(w->builder, w->arena);
}

static void
add_dummy(const struct world *w)
{
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=10 add-port br0 p1 -- set interface p1 type=dummy ofport_request=1"));
}

static void
send_udp(const struct world *w, unsigned n)
{
    while (n--)
        free(ovs_fixture_sh(w->ovs, "ovs-appctl -t \"$OVS_RUNDIR/vswitchd.ctl\" netdev-dummy/receive p1 "
                            "'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),"
                            "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)' --len 100"));
}

/* The switch has counted so many for the flow: it collects what its fast path has seen twice a second. */
static void
wait_counted(const struct world *w, unsigned n)
{
    char *command = mem_printf("ovs-ofctl -O OpenFlow15 dump-flows br0 | grep n_packets=%u,", n);
    for (int tries = 0; !count_lines(w, command); tries++)
        assert_in_range(tries, 0, 2000);
    free(command);
}

static bool has_removal(struct world *w) { return w->n_removed == 1; }
static bool has_two_removals(struct world *w) { return w->n_removed == 2; }
static bool is_at_seq_3(struct world *w) { return w->seq == 3; }

static void
a_flow_tells_its_removal_with_all_its_packets_and_its_successor_begins_anew(void **state)
{
    struct world *w = *state;
    set_block(w, 1, telling_flow(w, 1));
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    add_dummy(w);
    send_udp(w, 3);
    wait_counted(w, 3);
    set_block(w, 1, NULL);
    set_block(w, 2, telling_flow(w, 2));
    of_session_flush(w->session, 2);
    assert_true(run_until(w, is_at_seq_2, 5000));
    assert_true(run_until(w, has_removal, 15000));
    assert_int_equal(w->removed_cookie, COOKIE(1));
    assert_int_equal(w->removed_packets, 3);
    assert_int_equal(w->removed_bytes, 300);
    expect_output(w, "ovs-ofctl -O OpenFlow15 --no-stats dump-flows br0", "send_flow_rem");

    send_udp(w, 2);
    wait_counted(w, 2);
    set_block(w, 2, NULL);
    of_session_flush(w->session, 3);
    assert_true(run_until(w, is_at_seq_3, 5000));
    assert_true(run_until(w, has_two_removals, 15000));
    assert_int_equal(w->removed_cookie, COOKIE(2));
    assert_int_equal(w->removed_packets, 2);
    assert_int_equal(of_session_counters(w->session)->errors, 0);
}

static void
connections_are_forgotten_by_mark_only_where_what_is_unknown_is_refused(void **state)
{
    struct world *w = *state;
    const struct of_ct_match by_mark = { .has_zone = true, .zone = 7, .mark = 1, .mark_mask = 1 };
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    unsigned before = w->fake.n_messages[4];
    assert_false(of_session_flush_ct(w->session, &by_mark));
    assert_true(of_session_flush_ct(w->session, &(struct of_ct_match) { .has_zone = true, .zone = 7, .proto = 6 }));
    read_to_the_end(w);
    assert_int_equal(w->fake.n_messages[4] - before, 1);
}

static void
a_switch_that_refuses_to_forget_is_served_on(void **state)
{
    struct world *w = *state;
    w->fake.refuses_ct_flush = true;
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    assert_int_equal(of_session_counters(w->session)->errors, 0);        /* what refuses the probe is as it should be */
    assert_true(of_session_flush_ct(w->session, &(struct of_ct_match) { .has_zone = true, .zone = 7, .label = 1, .label_mask = 1 }));
    read_to_the_end(w);
    assert_int_equal(of_session_counters(w->session)->errors, 1);
    assert_string_equal(of_session_state_name(w->session), "CURRENT");
    set_blocks(w, 3, 0, 0);
    of_session_flush(w->session, 2);
    assert_true(run_until(w, is_at_seq_2, 5000));
}

static void
nothing_is_sent_for_a_telling_flow_that_is_there(void **state)
{
    struct world *w = *state;
    set_block(w, 1, telling_flow(w, 1));
    start_ovs(w);
    assert_true(run_until(w, is_committed, 10000));
    end_session(w);
    assert_true(run_until(w, is_committed, 20000));
    assert_int_equal(of_session_counters(w->session)->mods_sent, 0);
    assert_int_equal(w->n_removed, 0);
}

static bool has_two_packet_ins(struct world *w) { return w->n_packet_ins == 2; }

static void
only_a_packet_that_waits_is_resumed(void **state)
{
    struct world *w = *state;
    uint8_t body[40] = { 0, 0, 0x23, 0x20, 0, 0, 0, 30, 0, 0, 0, 18 };  /* a packet of 14 bytes, padded */
    static const uint8_t continuation[8] = { 0, 8, 0, 8 };
    w->resumes_with = "x";
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    unsigned before = w->fake.n_messages[4];
    fake_switch_send(&w->fake, 6, 4, 0, body, 32);
    memcpy(body + 32, continuation, sizeof continuation);
    fake_switch_send(&w->fake, 6, 4, 0, body, 40);
    assert_true(run_until(w, has_two_packet_ins, 5000));
    read_to_the_end(w);
    assert_int_equal(w->fake.n_messages[4] - before, 1);
}

static void
a_flood_of_packets_is_cut_to_what_is_allowed(void **state)
{
    struct world *w = *state;
    uint8_t body[40] = { 0, 0, 0x23, 0x20, 0, 0, 0, 30, 0, 0, 0, 18 };  /* a packet of 14 bytes, padded */
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    for (int i = 0; i < 5000; i++)
        fake_switch_send(&w->fake, 6, 4, 0, body, 32);
    fake_switch_send(&w->fake, 6, 2, 5, NULL, 0);
    assert_true(run_until(w, has_echo_reply, 5000));
    const struct of_session_counters *c = of_session_counters(w->session);
    assert_int_equal(c->packet_ins, 5000);
    assert_int_equal(c->packet_ins_dropped + w->n_packet_ins, 5000);
    assert_in_range(w->n_packet_ins, 1000, 1999);
}

static void
a_flood_of_one_kind_holds_back_no_other(void **state)
{
    struct world *w = *state;
    uint8_t body[48] = { 0, 0, 0x23, 0x20, 0, 0, 0, 30, 0, 0, 0, 18, [32] = 0, 4, 0, 16, 0, 0, 0, 0, 4 };        /* with a cookie */
    start_fake(w);
    assert_true(run_until(w, is_committed, 5000));
    for (int i = 0; i < 5000; i++)
        fake_switch_send(&w->fake, 6, 4, 0, body, sizeof body);
    body[40] = 15;
    for (int i = 0; i < 900; i++)
        fake_switch_send(&w->fake, 6, 4, 0, body, sizeof body);
    fake_switch_send(&w->fake, 6, 2, 5, NULL, 0);
    assert_true(run_until(w, has_echo_reply, 5000));
    const struct of_session_counters *c = of_session_counters(w->session);
    assert_int_equal(c->packet_ins, 5900);
    assert_in_range(w->n_packet_ins, 1900, 2899);
}

#define FAKE(TEST) cmocka_unit_test_setup_teardown(TEST, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE(a_switch_is_read_back_and_then_filled),
        FAKE(nothing_is_sent_before_the_owner_says_that_its_view_is_complete),
        FAKE(nothing_changed_sends_nothing),
        FAKE(changes_while_a_batch_is_in_flight_are_the_next_batch),
        FAKE(a_large_fill_goes_in_batches),
        FAKE(a_flow_refused_when_it_is_added_is_left_out_and_named),
        FAKE(a_flow_refused_at_the_commit_is_left_out_and_named),
        FAKE(a_flow_that_spoils_commits_without_being_named_is_found),
        FAKE(a_lost_bundle_is_sent_again),
        FAKE(a_switch_that_loses_every_bundle_is_connected_anew),
        FAKE(a_switch_without_openflow_15_is_told_why),
        FAKE(a_hello_of_an_old_version_without_a_bitmap_is_refused),
        FAKE(a_switch_that_is_not_ours_is_left_untouched),
        FAKE(an_error_that_answers_nothing_of_ours_does_not_end_the_session),
        FAKE(the_controller_id_can_be_given_away_and_taken_back),
        FAKE(echo_requests_are_answered_even_one_byte_at_a_time),
        FAKE(many_parts_of_a_reply_are_one_reading),
        cmocka_unit_test(garbage_after_the_handshake_ends_the_session_with_a_reason),
        cmocka_unit_test(random_bytes_never_do_more_than_end_the_session),
        FAKE(a_peer_that_speaks_no_openflow_is_cut_off),
        FAKE(a_flood_of_packets_is_cut_to_what_is_allowed),
        FAKE(a_flood_of_one_kind_holds_back_no_other),
        FAKE(only_a_packet_that_waits_is_resumed),
        FAKE(readings_queue_up_to_sixteen_beside_commits),
        FAKE(a_closed_connection_ends_readings_and_the_session),
        FAKE(closing_is_told_from_the_loop_with_the_reason),
        FAKE(silence_ends_a_session_in_time_before_and_after_the_handshake),
        FAKE(a_bridge_gets_what_is_desired_and_loses_the_rest),
        FAKE(hidden_flows_of_ovs_are_not_there),
        FAKE(a_reconnection_reads_back_and_sends_only_the_difference),
        FAKE(a_restarted_switch_is_filled_again),
        FAKE(what_open_vswitch_refuses_is_left_out_and_the_rest_is_there),
        FAKE(a_group_changes_under_its_flows_and_is_known_again),
        FAKE(meters_come_before_and_go_after_the_flows_that_use_them),
        FAKE(a_meter_of_a_batch_that_failed_is_not_added_twice),
        FAKE(a_reading_gives_the_flows_and_meters_of_a_bridge),
        FAKE(all_of_it_works_over_tls),
        FAKE(a_flow_sends_a_packet_here_with_its_userdata_and_an_answer_goes_out),
        FAKE(a_packet_that_waits_goes_on_changed),
        FAKE(a_zone_forgets_its_connections_and_only_its_own),
        FAKE(connections_that_match_are_forgotten_and_no_others),
        FAKE(connections_are_forgotten_by_mark_only_where_what_is_unknown_is_refused),
        FAKE(a_switch_that_refuses_to_forget_is_served_on),
        FAKE(a_flow_tells_its_removal_with_all_its_packets_and_its_successor_begins_anew),
        FAKE(nothing_is_sent_for_a_telling_flow_that_is_there),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
