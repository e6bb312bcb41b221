/* Messages out, as Open vSwitch's own printer reads them; replies in, whole, cut and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <openvswitch/ofp-print.h>
#include <openvswitch/vlog.h>

#include "base/alloc.h"
#include "ofproto/flow/flow_builder.h"
#include "ofproto/flow/flow_table.h"
#include "ofproto/flow/wire.h"
#include "tests/unit/flow_samples.h"
#include "tests/unit/random.h"

#define SAMPLES_MAX 200

struct fixture {
    struct arena *arena;
    struct flow_builder *fb;
    const struct spec *specs[SAMPLES_MAX];
    size_t n;
};

static int
setup(void **state)
{
    static struct fixture f;
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF); /* the library speaks of every bad byte */
    f = (struct fixture){ .arena = arena_new(), .fb = flow_builder_new() };
    f.n = flow_samples(f.fb, f.arena, f.specs, SAMPLES_MAX);
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    flow_builder_free(f->fb);
    arena_free(f->arena);
    return 0;
}

static void
assert_prints(struct bytes *b, const char *expected)
{
    char *text = ofp_to_string(b->data, b->n, NULL, NULL, 1);
    assert_string_equal(text, expected);
    free(text);
    bytes_clear(b);
}

static const struct spec *
flow(struct fixture *f)
{
    flow_begin(f->fb, 30, 100, 0x1234);
    match_ip_dst(f->fb, ip_prefix_host(ip4(0x0a000001)));
    act_set(f->fb, of_field_whole(OF_REG1), 7);
    act_goto(f->fb, 40);
    return flow_end(f->fb, f->arena);
}

static const struct spec *
group(struct fixture *f)
{
    static const uint8_t body[] = {
        1, 0, 0,   0, 0, 32, 0,   16,  0,   0,   0, 5, 0, 0, 0, 16, 0, 0, 0,  1, 0, 0,    0,    0, 0,  0, 0, 0,    0,    0, 0,
        8, 0, 100, 0, 0, 0,  16,  0,   0,   0,   0, 0, 9, 0, 0, 0,  8, 0, 50, 0, 0, 0xff, 0xff, 0, 40, 0, 0, 0x15, 0x4d, 0, 0,
        0, 1, 0,   0, 0, 0,  'h', 'a', 's', 'h', 0, 0, 0, 0, 0, 0,  0, 0, 0,  0, 0, 0,    0,    0, 0,  0, 0, 0,    0,    0,
    };
    struct spec *s = arena_zalloc(f->arena, sizeof *s + sizeof body);
    s->kind = SPEC_GROUP;
    s->id = 8;
    s->body_len = sizeof body;
    memcpy(s->bytes, body, sizeof body);
    return s;
}

static void
a_flow_is_added_without_resetting_its_counters_and_deleted_strictly(void **state)
{
    struct fixture *f = *state;
    struct bytes b = BYTES_INIT;
    wire_put_mod(&b, flow(f), WIRE_ADD, false, 7);
    assert_prints(&b, "OFPT_FLOW_MOD (OF1.5) (xid=0x7): ADD table:30 priority=100,ip,nw_dst=10.0.0.1 cookie:0x1234 "
                      "actions=set_field:0x7->reg1,goto_table:40\n");
    wire_put_mod(&b, flow(f), WIRE_ADD, true, 8);
    assert_prints(&b, "OFPT_FLOW_MOD (OF1.5) (xid=0x8): ADD table:30 priority=100,ip,nw_dst=10.0.0.1 cookie:0x1234 "
                      "actions=set_field:0x7->reg1,goto_table:40\n");
    wire_put_mod(&b, flow(f), WIRE_DELETE, false, 9);
    assert_prints(&b, "OFPT_FLOW_MOD (OF1.5) (xid=0x9): DEL_STRICT table:30 priority=100,ip,nw_dst=10.0.0.1 "
                      "actions=drop\n");
    bytes_done(&b);
}

static void
groups_and_meters_are_added_changed_and_deleted(void **state)
{
    struct fixture *f = *state;
    struct bytes b = BYTES_INIT;
    wire_put_mod(&b, group(f), WIRE_ADD, false, 1);
    assert_prints(&b, "OFPT_GROUP_MOD (OF1.5) (xid=0x1):\n ADD group_id=8,type=select,selection_method=hash,"
                      "bucket=bucket_id:5,weight:100,actions=output:1,bucket=bucket_id:9,weight:50,actions=drop\n");
    wire_put_mod(&b, group(f), WIRE_DELETE, false, 2);
    assert_prints(&b, "OFPT_GROUP_MOD (OF1.5) (xid=0x2):\n DEL group_id=8,type=select\n");
    const struct spec *meter = meter_spec(f->arena, 1, 5, 100, 20);
    wire_put_mod(&b, meter, WIRE_ADD, true, 3);
    assert_prints(&b, "OFPT_METER_MOD (OF1.5) (xid=0x3): MOD meter=5 pktps burst stats bands=\n"
                      "type=drop rate=100 burst_size=20\n");
    wire_put_mod(&b, meter, WIRE_DELETE, false, 4);
    assert_prints(&b, "OFPT_METER_MOD (OF1.5) (xid=0x4): DEL meter=5 bands=\n");
    bytes_done(&b);
}

static void
a_bundled_modification_has_the_same_xid_inside(void **state)
{
    struct fixture *f = *state;
    struct bytes b = BYTES_INIT;
    wire_put_bundle_mod(&b, 3, flow(f), WIRE_ADD, false, 7);
    assert_prints(&b, "OFPT_BUNDLE_ADD_MESSAGE (OF1.5) (xid=0x7):\n bundle_id=0x3 flags=atomic ordered\n"
                      "OFPT_FLOW_MOD (OF1.5) (xid=0x7): ADD table:30 priority=100,ip,nw_dst=10.0.0.1 cookie:0x1234 "
                      "actions=set_field:0x7->reg1,goto_table:40\n");
    bytes_done(&b);
}

static void
requests_ask_for_what_they_say(void **state)
{
    struct bytes b = BYTES_INIT;
    (void) state;
    wire_put_flow_stats_request(&b, 0xff, 0, 0, 1);
    assert_prints(&b, "OFPST_FLOW request (OF1.5) (xid=0x1):\n");
    static const uint8_t cookie_and_mask[] = { 0, 0, 0, 0, 0, 0, 0x12, 0, 0, 0, 0, 0, 0, 0, 0xff, 0 };
    wire_put_flow_stats_request(&b, 3, 0x1234, 0xff00, 1);
    assert_memory_equal(b.data + 32, cookie_and_mask, sizeof cookie_and_mask);
    assert_prints(&b, "OFPST_FLOW request (OF1.5) (xid=0x1): table=3\n");
    wire_put_group_desc_request(&b, 2);
    assert_prints(&b, "OFPST_GROUP_DESC request (OF1.5) (xid=0x2): group_id=ALL\n");
    wire_put_meter_config_request(&b, 3);
    assert_prints(&b, "OFPST_METER_CONFIG request (OF1.5) (xid=0x3): meter=all\n");
    bytes_done(&b);
}

/* ---- flows that tell their removal ---- */

static const struct spec *
telling_flow(struct fixture *f)
{
    flow_begin(f->fb, 30, 100, 0x1234);
    match_ip_dst(f->fb, ip_prefix_host(ip4(0x0a000001)));
    flow_tell_removal(f->fb);
    return flow_end(f->fb, f->arena);
}

static void
a_flow_that_tells_its_removal_is_another_than_one_that_does_not(void **state)
{
    struct fixture *f = *state;
    struct bytes b = BYTES_INIT;
    const struct spec *s = telling_flow(f);
    struct spec *silent = (struct spec *) arena_memdup(f->arena, s, spec_size(s));
    silent->tells_removal = false;
    assert_int_not_equal(spec_value_hash(s), spec_value_hash(silent));
    wire_put_mod(&b, s, WIRE_ADD, false, 7);
    assert_prints(&b, "OFPT_FLOW_MOD (OF1.5) (xid=0x7): ADD table:30 priority=100,ip,nw_dst=10.0.0.1 cookie:0x1234 "
                      "send_flow_rem actions=drop\n");
    bytes_done(&b);
}

/* ---- replies ---- */

static void
put_reply_head(struct bytes *b, uint16_t type)
{
    static const uint8_t head[] = { 6, 19, 0, 0, 0, 0, 0, 1 };
    bytes_put(b, head, sizeof head);
    bytes_put_be16(b, type);
    bytes_put_be16(b, 0);
    bytes_put_be32(b, 0);
}

static void
set_length(struct bytes *b, size_t at)
{
    b->data[at] = (b->n - (at == 2 ? 0 : at)) >> 8;
    b->data[at + 1] = b->n - (at == 2 ? 0 : at);
}

static void
put_flow_entry(struct bytes *b, const struct spec *s)
{
    size_t start = b->n;
    bytes_put_be32(b, 0);
    bytes_put_u8(b, s->table);
    bytes_put_u8(b, 0);
    bytes_put_be16(b, s->priority);
    bytes_put_be64(b, 0);
    bytes_put_be64(b, s->cookie);
    bytes_put_be16(b, 1);
    bytes_put_be16(b, 4 + s->key_len);
    bytes_put(b, spec_key(s), s->key_len);
    bytes_extend_zero(b, -(4 + s->key_len) & 7);
    static const uint8_t stats[] = {
        0,    0,    0,      52,                          /* length, with the padding not counted */
        0x80, 0x02, 0 << 1, 8,  0, 0, 0, 9, 0, 0, 0, 1,  /* duration */
        0x80, 0x02, 1 << 1, 8,  0, 0, 0, 4, 0, 0, 0, 0,  /* idle */
        0x80, 0x02, 4 << 1, 8,  0, 0, 0, 0, 0, 0, 0, 77, /* packets */
        0x80, 0x02, 5 << 1, 8,  0, 0, 0, 0, 0, 0, 3, 0,  /* bytes */
        0,    0,    0,      0,
    };
    bytes_put(b, stats, sizeof stats);
    bytes_put(b, spec_body(s), s->body_len);
    set_length(b, start);
}

static void
put_group_entry(struct bytes *b, const struct spec *s)
{
    size_t start = b->n;
    bytes_put_be16(b, 0);
    bytes_put_u8(b, s->bytes[0]);
    bytes_put_u8(b, 0);
    bytes_put_be32(b, s->id);
    bytes_put_be16(b, 48);
    bytes_extend_zero(b, 6);
    bytes_put(b, s->bytes + 4, s->body_len - 4);
    set_length(b, start);
}

static void
put_meter_entry(struct bytes *b, const struct spec *s)
{
    size_t start = b->n;
    bytes_put_be16(b, 0);
    bytes_put(b, s->bytes, 2);
    bytes_put_be32(b, s->id);
    bytes_put(b, s->bytes + 4, s->body_len - 4);
    set_length(b, start);
}

struct seen {
    struct fixture *f;
    const struct spec **wanted;
    size_t n;
};

static void
check_flow(void *aux, const struct wire_flow *wf)
{
    struct seen *seen = aux;
    const struct spec *s = seen->f->specs[seen->n++];
    assert_int_equal(wf->cookie, s->cookie);
    assert_int_equal(wf->priority, s->priority);
    assert_int_equal(wf->table, s->table);
    assert_int_equal(wf->packets, 77);
    assert_int_equal(wf->bytes, 768);
    assert_int_equal(wf->duration_s, 9);
    assert_int_equal(wf->idle_s, 4);
    assert_false(wf->is_foreign);
    assert_int_equal(wf->key_len, s->key_len);
    assert_int_equal(wf->body_len, s->body_len);
    assert_memory_equal(wf->key, spec_key(s), s->key_len);
    assert_memory_equal(wf->body, spec_body(s), s->body_len);
}

static struct bytes
flow_reply(struct fixture *f, size_t n)
{
    struct bytes b = BYTES_INIT;
    put_reply_head(&b, 1);
    for (size_t i = 0; i < n; i++)
        put_flow_entry(&b, f->specs[i]);
    set_length(&b, 2);
    return b;
}

static void
flows_are_read_with_their_counters(void **state)
{
    struct fixture *f = *state;
    struct bytes b = flow_reply(f, f->n);
    struct seen seen = { .f = f };
    struct error err;
    bool more = true;
    if (!wire_each_flow(b.data, b.n, &more, check_flow, &seen, &err))
        fail_msg("%s", err.text);
    assert_int_equal(seen.n, f->n);
    assert_false(more);
    b.data[11] = 1;
    seen.n = 0;
    assert_true(wire_each_flow(b.data, b.n, &more, check_flow, &seen, &err));
    assert_true(more);
    bytes_done(&b);
}

static struct wire_flow
as_read(const struct spec *s)
{
    return (struct wire_flow){ .key = spec_key(s), .key_len = s->key_len };
}

static void
the_port_and_the_sender_that_a_flow_asks_for_are_found(void **state)
{
    struct fixture *f = *state;
    const struct mac mac = { { 2, 0, 0, 0, 0, 7 } };
    uint32_t port = 0;
    struct mac sender = { { 0 } };
    flow_begin(f->fb, 0, 100, 0x1234);
    match_u64(f->fb, of_field_whole(OF_REG1), 3);
    match_in_port(f->fb, 77);
    match_eth_src(f->fb, mac);
    match_ip_dst(f->fb, ip_prefix_host(ip4(0x0a000001)));
    struct wire_flow both = as_read(flow_end(f->fb, f->arena));
    assert_true(wire_flow_origin(&both, &port, &sender));
    assert_int_equal(port, 77);
    assert_true(mac_equal(sender, mac));
    for (uint16_t n = 0; n < both.key_len; n++) { /* cut short, the match is nonsense or asks for less */
        struct wire_flow cut = both;
        cut.key = mem_dup(both.key, n + 1);
        cut.key_len = n;
        wire_flow_origin(&cut, &port, &sender);
        free((void *) cut.key);
    }
    flow_begin(f->fb, 0, 100, 0x1234);
    match_in_port(f->fb, 77);
    struct wire_flow only_port = as_read(flow_end(f->fb, f->arena)), neither = as_read(flow(f));
    assert_false(wire_flow_origin(&only_port, &port, &sender));
    assert_false(wire_flow_origin(&neither, &port, &sender));
}

static void
check_foreign(void *aux, const struct wire_flow *wf)
{
    *(bool *) aux = wf->is_foreign;
}

static void
a_flow_with_a_timeout_is_foreign(void **state)
{
    struct bytes b = flow_reply(*state, 1);
    struct error err;
    bool more, is_foreign = false;
    b.data[16 + 11] = 1; /* hard_timeout */
    assert_true(wire_each_flow(b.data, b.n, &more, check_foreign, &is_foreign, &err));
    assert_true(is_foreign);
    bytes_done(&b);
}

static const uint8_t
    removed[] = {
        6,  11, 0, 104, 0,    0,    0,      1, /* header */
        43, 2,  0, 100, 0,    0,    0,      0, /* table, reason, priority, no timeouts */
        1,  2,  0, 0,   0,    0,    0,      9, /* cookie */
        0,  1,  0, 22,  0x80, 0,    10,     2, 8, 0, 0x80, 0, 24, 4, 10, 0,  0,    2,    0,      0, 0, 0, 0, 0, /* ip,nw_dst=10.0.0.2 */
        0,  0,  0, 52,  0x80, 0x02, 0 << 1, 8, 0, 0, 0,    9, 0,  0, 0,  1,  0x80, 0x02, 1 << 1, 8, 0, 0, 0, 4,
        0,  0,  0, 0,   0x80, 0x02, 4 << 1, 8, 0, 0, 0,    0, 0,  0, 0,  77, 0x80, 0x02, 5 << 1, 8, 0, 0, 0, 0,
        0,  0,  3, 0,   0,    0,    0,      0,
    };

static void
the_last_word_about_a_flow_has_its_counts(void **state)
{
    struct wire_flow wf;
    struct error err;
    if (!wire_flow_removed(removed, sizeof removed, &wf, &err))
        fail_msg("%s", err.text);
    assert_int_equal(wf.cookie, 0x0102000000000009);
    assert_int_equal(wf.table, 43);
    assert_int_equal(wf.priority, 100);
    assert_int_equal(wf.packets, 77);
    assert_int_equal(wf.bytes, 768);
    assert_int_equal(wf.duration_s, 9);
    assert_int_equal(wf.key_len, 18);
    assert_int_equal(wf.body_len, 0);
    for (size_t n = 0; n < sizeof removed; n++) {
        uint8_t *cut = mem_dup(removed, n);
        if (n > 3)
            cut[3] = (uint8_t) n;
        assert_false(n < 100 && wire_flow_removed(cut, n, &wf, &err));
        free(cut);
    }
}

static void
check_spec(void *aux, const struct spec *s)
{
    struct seen *seen = aux;
    const struct spec *want = seen->wanted[seen->n++];
    assert_true(spec_key_equal(s, want));
    assert_int_equal(s->body_len, want->body_len);
    assert_memory_equal(spec_body(s), spec_body(want), s->body_len);
    assert_int_equal(spec_value_hash(s), spec_value_hash(want));
}

static void
groups_and_meters_are_read_as_they_were_made(void **state)
{
    struct fixture *f = *state;
    const struct spec *wanted[] = { group(f), group(f) };
    struct seen seen = { .f = f, .wanted = wanted };
    struct bytes b = BYTES_INIT;
    struct error err;
    bool more;
    put_reply_head(&b, 7);
    put_group_entry(&b, wanted[0]);
    put_group_entry(&b, wanted[1]);
    set_length(&b, 2);
    assert_true(wire_each_group(b.data, b.n, &more, check_spec, &seen, &err));
    assert_int_equal(seen.n, 2);
    assert_false(wire_each_meter(b.data, b.n, &more, check_spec, &seen, &err));

    bytes_clear(&b);
    wanted[0] = meter_spec(f->arena, 3, 4, 5, 6);
    seen.n = 0;
    put_reply_head(&b, 10);
    put_meter_entry(&b, wanted[0]);
    set_length(&b, 2);
    assert_true(wire_each_meter(b.data, b.n, &more, check_spec, &seen, &err));
    assert_int_equal(seen.n, 1);
    bytes_done(&b);
}

static void
put_meter_stats_entry(struct bytes *b, uint32_t id, unsigned n_bands, uint64_t dropped)
{
    size_t start = b->n;
    bytes_put_be32(b, id);
    bytes_put_be16(b, 0);
    bytes_extend_zero(b, 6);
    bytes_put_be32(b, 7); /* flows */
    bytes_put_be64(b, 1000);
    bytes_put_be64(b, 99);
    bytes_put_be64(b, 0);
    for (unsigned i = 0; i < n_bands; i++) {
        bytes_put_be64(b, dropped);
        bytes_put_be64(b, 98);
    }
    b->data[start + 5] = (uint8_t) (b->n - start);
}

static void
add_meter(void *aux, const struct wire_meter_stats *m)
{
    struct wire_meter_stats *sum = aux;
    sum->id = sum->id * 10 + m->id;
    sum->packets += m->packets;
    sum->dropped += m->dropped;
}

static void
what_meters_have_dropped_is_read(void **unused)
{
    struct wire_meter_stats sum = { 0 };
    struct bytes b = BYTES_INIT;
    struct error err;
    bool more;
    put_reply_head(&b, 9);
    put_meter_stats_entry(&b, 4, 1, 30);
    put_meter_stats_entry(&b, 5, 0, 0);
    put_meter_stats_entry(&b, 6, 2, 1);
    set_length(&b, 2);
    assert_true(wire_each_meter_stats(b.data, b.n, &more, add_meter, &sum, &err));
    assert_int_equal(sum.id, 456);
    assert_int_equal(sum.packets, 3000);
    assert_int_equal(sum.dropped, 32);

    for (unsigned length = 0; length < 256; length++) {
        b.data[16 + 5] = (uint8_t) length;
        bool ok = wire_each_meter_stats(b.data, b.n, &more, add_meter, &sum, &err);
        assert_false(ok && (length < 40 || length % 16 != 8));
    }
    b.data[16 + 5] = 40 + 16;
    for (size_t n = 16; n < b.n; n++) {
        uint8_t *cut = mem_dup(b.data, n);
        cut[3] = (uint8_t) n;
        assert_int_equal(wire_each_meter_stats(cut, n, &more, add_meter, &sum, &err), n == 16 || n == 16 + 56 || n == 16 + 56 + 40);
        free(cut);
    }
    bytes_done(&b);
}

/* ---- hostile replies ---- */

struct eater {
    struct flow_table *t;
    struct arena *arena;
};

static void
eat_flow(void *aux, const struct wire_flow *wf)
{
    struct eater *eater = aux;
    const struct spec *s = wire_flow_canonical(wf, eater->arena);
    if (s)
        spec_format(s, eater->arena);
    flow_table_readback_flow(eater->t, wf);
}

static void
eat_spec(void *aux, const struct spec *s)
{
    struct eater *eater = aux;
    spec_format(s, eater->arena);
    flow_table_readback_spec(eater->t, s);
}

/* Whatever is read is also deleted, as the table would. */
static void
eat(struct eater *eater, const uint8_t *message, size_t n)
{
    struct flow_table_send send[256];
    struct bytes b = BYTES_INIT;
    struct error err;
    bool more;
    bool ok = wire_each_flow(message, n, &more, eat_flow, eater, &err);
    ok |= wire_each_group(message, n, &more, eat_spec, eater, &err);
    ok |= wire_each_meter(message, n, &more, eat_spec, eater, &err);
    (void) ok;
    flow_table_readback_end(eater->t);
    size_t n_sent = flow_table_take(eater->t, send, 256);
    for (size_t i = 0; i < n_sent; i++)
        wire_put_bundle_mod(&b, 1, send[i].spec, send[i].command, send[i].is_modify, i);
    flow_table_readback_begin(eater->t);
    bytes_done(&b);
    arena_reset(eater->arena);
}

static void
damaged_replies_are_errors_or_nonsense_but_no_crash(void **state)
{
    struct fixture *f = *state;
    struct random random = random_seeded();
    struct eater eater = { flow_table_new(), arena_new() };
    struct bytes replies[3] = { flow_reply(f, f->n), BYTES_INIT, BYTES_INIT };
    put_reply_head(&replies[1], 7);
    put_group_entry(&replies[1], group(f));
    set_length(&replies[1], 2);
    put_reply_head(&replies[2], 10);
    put_meter_entry(&replies[2], meter_spec(f->arena, 3, 4, 5, 6));
    set_length(&replies[2], 2);

    flow_table_readback_begin(eater.t);
    for (int run = 0; run < 3000; run++) {
        const struct bytes *reply = &replies[random_below(&random, 20) ? 0 : 1 + random_below(&random, 2)];
        size_t n = random_below(&random, 4) ? reply->n : random_below(&random, reply->n + 1);
        if (run % 2 && reply == &replies[0])
            n = 16 + random_below(&random, 400);
        uint8_t *copy = mem_dup(reply->data, n); /* exactly as long, so that an overrun is seen */
        if (n >= 4 && random_below(&random, 8)) {
            copy[2] = n >> 8;
            copy[3] = n;
        }
        for (unsigned i = random_below(&random, 6); i && n > 16; i--)
            copy[random_below(&random, 3) ? 16 + random_below(&random, n - 16) : random_below(&random, n)] =
                random_below(&random, 3) ? random_below(&random, 256) : 0xff * random_below(&random, 2);
        eat(&eater, copy, n);
        free(copy);
    }
    for (int i = 0; i < 3; i++)
        bytes_done(&replies[i]);
    flow_table_free(eater.t);
    arena_free(eater.arena);
}

static void
a_length_that_lies_is_named(void **state)
{
    struct bytes b = flow_reply(*state, 2);
    struct seen seen = { .f = *state };
    struct error err;
    bool more;
    b.data[16] = 0x7f;
    assert_false(wire_each_flow(b.data, b.n, &more, check_flow, &seen, &err));
    assert_non_null(strstr(err.text, "flow reply has an entry of length 32"));
    assert_int_equal(err.code, ERROR_PROTOCOL);
    assert_false(wire_each_flow(b.data, b.n - 8, &more, check_flow, &seen, &err));
    assert_false(wire_each_flow(b.data, 0, &more, check_flow, &seen, &err));
    bytes_done(&b);
}

/* Of a flow without instructions: the padding of its statistics would be the entry's end. */
static void
statistics_without_their_padding_are_refused(void **state)
{
    struct fixture *f = *state;
    const struct spec *drop = f->specs[f->n - 1];
    struct bytes b = BYTES_INIT;
    struct error err;
    bool more, is_foreign;
    assert_int_equal(drop->body_len, 0);
    put_reply_head(&b, 1);
    put_flow_entry(&b, drop);
    set_length(&b, 2);
    assert_true(wire_each_flow(b.data, b.n, &more, check_foreign, &is_foreign, &err));
    b.n -= 4;
    set_length(&b, 2);
    set_length(&b, 16);
    assert_false(wire_each_flow(b.data, b.n, &more, check_foreign, &is_foreign, &err));
    assert_non_null(strstr(err.text, "statistics do not fit"));
    bytes_done(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_is_added_without_resetting_its_counters_and_deleted_strictly),
        cmocka_unit_test(groups_and_meters_are_added_changed_and_deleted),
        cmocka_unit_test(a_bundled_modification_has_the_same_xid_inside),
        cmocka_unit_test(requests_ask_for_what_they_say),
        cmocka_unit_test(flows_are_read_with_their_counters),
        cmocka_unit_test(a_flow_with_a_timeout_is_foreign),
        cmocka_unit_test(the_port_and_the_sender_that_a_flow_asks_for_are_found),
        cmocka_unit_test(a_flow_that_tells_its_removal_is_another_than_one_that_does_not),
        cmocka_unit_test(the_last_word_about_a_flow_has_its_counts),
        cmocka_unit_test(groups_and_meters_are_read_as_they_were_made),
        cmocka_unit_test(what_meters_have_dropped_is_read),
        cmocka_unit_test(damaged_replies_are_errors_or_nonsense_but_no_crash),
        cmocka_unit_test(a_length_that_lies_is_named),
        cmocka_unit_test(statistics_without_their_padding_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
