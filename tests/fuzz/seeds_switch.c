/* First inputs of what reads OpenFlow: flows, groups and meters that a switch holds, packets that it sends up, and whole sessions with it. */
#include "ofproto/flow/flow_builder.h"
#include "tests/fuzz/flow_wishes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/seeds.h"
#include "tests/unit/flow_samples.h"

#define SAMPLES_MAX 200
#define SAMPLES_A_FILE 12
#define LAST(TYPE) (0xff000000u | (TYPE)) /* of_session.c: the xid of the last message of the type */

/* ---- what a switch holds ---- */

/* 'size' bytes of length at 'at', counted from 'start'. */
static void
length_set(struct bytes *b, size_t at, size_t start)
{
    b->data[at] = (uint8_t) ((b->n - start) >> 8);
    b->data[at + 1] = (uint8_t) (b->n - start);
}

static void
flow_entry_put(struct bytes *b, const struct spec *s)
{
    static const uint8_t stats[] = {
        0,    0,    0,      52, 0x80, 0x02, 0 << 1, 8, 0, 0, 0, 9,  0,    0,    0,      1, 0x80, 0x02, 1 << 1, 8, 0, 0, 0, 4, 0, 0, 0, 0,
        0x80, 0x02, 4 << 1, 8,  0,    0,    0,      0, 0, 0, 0, 77, 0x80, 0x02, 5 << 1, 8, 0,    0,    0,      0, 0, 0, 3, 0, 0, 0, 0, 0,
    };
    size_t start = b->n;
    bytes_put_be32(b, 0);
    bytes_put_u8(b, s->table);
    bytes_put_u8(b, 0);
    bytes_put_be16(b, s->priority);
    bytes_put_be64(b, 0);
    bytes_put_be64(b, s->cookie);
    bytes_put_be16(b, 1);
    bytes_put_be16(b, (uint16_t) (4 + s->key_len));
    bytes_put(b, spec_key(s), s->key_len);
    bytes_extend_zero(b, -(4u + s->key_len) & 7);
    bytes_put(b, stats, sizeof stats);
    bytes_put(b, spec_body(s), s->body_len);
    length_set(b, start, start);
}

/* The buckets of a group's body, in bytes; they end where a property does not look like one for its length. */
static uint16_t
buckets_size(const struct spec *s)
{
    const uint8_t *p = spec_body(s) + 4;
    size_t at = 0, n = s->body_len - 4u;
    while (at < n && !(p[at] == 0xff && p[at + 1] == 0xff))
        at += (size_t) p[at] << 8 | p[at + 1];
    return (uint16_t) at;
}

static void
spec_entry_put(struct bytes *b, const struct spec *s)
{
    size_t start = b->n;
    bytes_put_be16(b, 0);
    if (s->kind == SPEC_FLOW) {
        b->n = start;
        flow_entry_put(b, s);
        return;
    }
    if (s->kind == SPEC_GROUP) {
        bytes_put_u8(b, s->bytes[0]);
        bytes_put_u8(b, 0);
        bytes_put_be32(b, s->id);
        bytes_put_be16(b, buckets_size(s));
        bytes_extend_zero(b, 6);
    } else {
        bytes_put(b, s->bytes, 2);
        bytes_put_be32(b, s->id);
    }
    bytes_put(b, s->bytes + 4, s->body_len - 4);
    length_set(b, start, start);
}

static void
flow_reply_seeds(void)
{
    struct arena *arena = arena_new();
    struct flow_builder *fb = flow_builder_new();
    struct bytes b = BYTES_INIT;
    const struct spec *specs[SAMPLES_MAX], *groups[GROUP_SAMPLES], *wishes[FLOW_WISHES];
    size_t n = flow_samples(fb, arena, specs, SAMPLES_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!b.n)
            bytes_put_u8(&b, 0);
        spec_entry_put(&b, specs[i]);
        if (i % SAMPLES_A_FILE == SAMPLES_A_FILE - 1 || i == n - 1)
            seed_put_numbered("flow_reply", "flows", i / SAMPLES_A_FILE, &b);
    }
    flow_wishes(arena, wishes);
    for (size_t kind = 1; kind <= 2; kind++) {
        bytes_put_u8(&b, (uint8_t) kind);
        spec_entry_put(&b, wishes[FLOW_WISHES - 3 + kind]);
        seed_put_numbered("flow_reply", "kind", kind, &b);
    }
    group_samples(fb, arena, groups);
    bytes_put_u8(&b, 1);
    for (size_t i = 0; i < GROUP_SAMPLES - 1; i++) /* the last one is no larger in what it says */
        spec_entry_put(&b, groups[i]);
    seed_put("flow_reply", "groups", &b);
    static const uint8_t meters[] = { 3, 0, 0, 0, 4, 0, 56, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,  0, 0, 0, 3, 232, 0, 0, 0, 0,
                                      0, 0, 0, 9, 0, 0, 0,  1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30, 0, 0, 0, 0, 0,   0, 0, 9 };
    bytes_put(&b, meters, sizeof meters);
    seed_put("flow_reply", "meters", &b);
    static const uint8_t whole[] = { 8, 6, 19, 0, 16, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0 };
    bytes_put(&b, whole, sizeof whole);
    seed_put("flow_reply", "whole", &b);
    bytes_done(&b);
    flow_builder_free(fb);
    arena_free(arena);
}

/* ---- packets sent up ---- */

static void
property_put(struct bytes *b, uint16_t type, const void *value, size_t n)
{
    bytes_put_be16(b, type);
    bytes_put_be16(b, (uint16_t) (4 + n));
    bytes_put(b, value, n);
    bytes_extend_zero(b, -(4u + n) & 7);
}

static void
packet_in_put(struct bytes *b)
{
    static const uint8_t packet[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x06, 1, 2, 3 };
    static const uint8_t total[] = { 0, 0, 5, 0xdc }, table[] = { 12 }, cookie[] = { 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
    static const uint8_t metadata[] = {
        0x80, 0x00, 0 << 1,     4,  0, 0, 0, 7,    0x80, 0x00, 2 << 1, 8,  0,    0,    0,      0,    0,    0,    0x12, 0x34,
        0x80, 0x01, 0 << 1 | 1, 16, 0, 0, 0, 0,    0,    0,    0,      1,  0,    0,    0,      0,    0xff, 0xff, 0xff, 0xff,
        0x80, 0x01, 7 << 1,     8,  0, 0, 0, 14,   0,    0,    0,      15, 0x00, 0x01, 5 << 1, 4,    0,    0,    0,    5,
        0x00, 0x01, 113 << 1,   16, 0, 0, 0, 8,    0,    0,    0,      9,  0,    0,    0,      10,   0,    0,    0,    11,
        0x00, 0x01, 105 << 1,   4,  0, 0, 0, 0x21, 0xff, 0xff, 0,      6,  0,    0,    0x23,   0x20, 1,    2,
    };
    property_put(b, 0, packet, sizeof packet);
    property_put(b, 1, total, sizeof total);
    property_put(b, 3, table, sizeof table);
    property_put(b, 4, cookie, sizeof cookie);
    property_put(b, 6, metadata, sizeof metadata);
    property_put(b, 7, "userdata", 8);
    property_put(b, 99, "?", 1);
}

static void
packet_in_seeds(void)
{
    struct bytes b = BYTES_INIT;
    bytes_put_u8(&b, 0);
    packet_in_put(&b);
    seed_put("packet_in", "whole", &b);
    bytes_put_u8(&b, 2);
    packet_in_put(&b);
    property_put(&b, 8, "\0\0\0\0\0\1\0\20\0\0\0\0\1\2\3\4", 16);
    seed_put("packet_in", "waiting", &b);
    static const uint8_t raw[] = { 1, 6, 4, 0, 16, 0, 0, 0, 0, 0, 0, 0x23, 0x20, 0, 0, 0, 30 };
    bytes_put(&b, raw, sizeof raw);
    seed_put("packet_in", "empty", &b);
    static const uint8_t ops[] = { 9, 0, 1, 2, 3, 4,  12, 4 | 1 << 3, 4 | 31 << 3, 0,  1,  2,  3, 4,
                                   5, 6, 7, 8, 9, 10, 11, 12,         13,          14, 15, 16, 17 };
    bytes_put(&b, ops, sizeof ops);
    seed_put("bytes_reader", "reads", &b);
    bytes_done(&b);
}

/* ---- sessions ---- */

enum {
    HELLO = 0,
    ERROR = 1,
    ECHO_REQUEST = 2,
    EXPERIMENTER = 4,
    FEATURES_REQUEST = 5,
    FEATURES = 6,
    PACKET_IN = 10,
    FLOW_REMOVED = 11,
    MULTIPART_REQUEST = 18,
    MULTIPART = 19,
    BARRIER_REQUEST = 20,
    BARRIER = 21,
    SET_ASYNC = 28,
    METER_MOD = 29,
    BUNDLE_CONTROL = 33,
    BUNDLE_ADD = 34
};

static size_t
message_begin(struct bytes *b, uint8_t type, uint32_t xid)
{
    size_t start = b->n;
    bytes_put_u8(b, 6);
    bytes_put_u8(b, type);
    bytes_put_be16(b, 0);
    bytes_put_be32(b, xid);
    return start;
}

static void
message_put(struct bytes *b, uint8_t type, uint32_t xid, const void *body, size_t n)
{
    size_t start = message_begin(b, type, xid);
    bytes_put(b, body, n);
    length_set(b, start + 2, start);
}

static void
error_put(struct bytes *b, uint32_t xid, uint8_t type, uint8_t code)
{
    message_put(b, ERROR, xid, (uint8_t[]){ 0, type, 0, code, 1, 2 }, 6);
}

static void
handshake_put(struct bytes *b, uint8_t choice)
{
    static const uint8_t versions[] = { 0, 9, 0, 4, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0, 1 << 6 };
    static const uint8_t features[] = { 0, 0, 0, 0, 0, 0, 0, 0xa1, 0, 0, 0, 0, 254, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    bytes_put_u8(b, choice);
    message_put(b, HELLO, 1, versions, sizeof versions);
    message_put(b, FEATURES, LAST(FEATURES_REQUEST), features, sizeof features);
}

static void
multipart_put(struct bytes *b, uint16_t type, uint16_t flags, const struct spec *const specs[], size_t n)
{
    size_t start = message_begin(b, MULTIPART, LAST(MULTIPART_REQUEST));
    bytes_put_be16(b, type);
    bytes_put_be16(b, flags);
    bytes_put_be32(b, 0);
    for (size_t i = 0; i < n; i++)
        spec_entry_put(b, specs[i]);
    length_set(b, start + 2, start);
}

/* Tables 7 and 9 have flows, then both, then groups and meters. */
static void
readback_put(struct bytes *b, const struct spec *const wishes[FLOW_WISHES], size_t n_flows)
{
    static const uint8_t tables[] = {
        0, 3, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    };
    message_put(b, MULTIPART, LAST(MULTIPART_REQUEST), tables, sizeof tables);
    multipart_put(b, 1, 1, wishes, n_flows);
    multipart_put(b, 1, 0, NULL, 0);
    multipart_put(b, 1, 0, wishes, 0);
    multipart_put(b, 7, 0, &wishes[FLOW_WISHES - 2], n_flows > 1);
    multipart_put(b, 10, 0, &wishes[FLOW_WISHES - 1], n_flows > 1);
}

static void
bundle_put(struct bytes *b, uint8_t bundle, uint8_t type)
{
    message_put(b, BUNDLE_CONTROL, LAST(BUNDLE_CONTROL), (uint8_t[]){ 0, 0, 0, bundle, 0, type, 0, 3 }, 8);
}

static void
commit_put(struct bytes *b, uint8_t bundle)
{
    bundle_put(b, bundle, 1);
    message_put(b, BARRIER, LAST(BARRIER_REQUEST), NULL, 0);
    bundle_put(b, bundle, 5);
}

static void
nicira_put(struct bytes *b)
{
    size_t start = message_begin(b, EXPERIMENTER, 0);
    bytes_put_be32(b, 0x2320);
    bytes_put_be32(b, 30);
    packet_in_put(b);
    length_set(b, start + 2, start);
}

/* The probe is refused, later what the owner wants to be forgotten. */
static void
forgetting_put(struct bytes *b, const struct spec *const wishes[FLOW_WISHES])
{
    static const uint8_t refusal[] = { 0,    1,    0, 3, 6, EXPERIMENTER, 0,  24, 0, 0, 0, 9, 0, 0,
                                       0x23, 0x20, 0, 0, 0, 32,           17, 0,  0, 0, 0, 0, 0, 0 };
    handshake_put(b, 8);
    error_put(b, LAST(EXPERIMENTER), 1, 3);
    readback_put(b, wishes, 0);
    commit_put(b, 1);
    message_put(b, ERROR, LAST(EXPERIMENTER), refusal, sizeof refusal);
    commit_put(b, 2);
}

static void
of_session_good_seeds(const struct spec *const wishes[FLOW_WISHES])
{
    struct bytes b = BYTES_INIT;
    handshake_put(&b, 8);
    readback_put(&b, wishes, 0);
    commit_put(&b, 1);
    commit_put(&b, 2); /* what the owner changed after the first; then meters are deleted */
    message_put(&b, BARRIER, LAST(BARRIER_REQUEST), NULL, 0);
    seed_put("of_session", "fill-and-change", &b);

    forgetting_put(&b, wishes);
    seed_put("of_session", "forgets", &b);

    handshake_put(&b, 4 | 16 | 32);
    message_put(&b, ECHO_REQUEST, 9, "ping", 4);
    nicira_put(&b);
    message_put(&b, PACKET_IN, 0, "", 0);
    readback_put(&b, wishes, 3);
    readback_put(&b, wishes, 3);
    nicira_put(&b);
    seed_put("of_session", "as-it-should-be", &b);

    handshake_put(&b, 2);
    nicira_put(&b);
    seed_put("of_session", "waits", &b);
    handshake_put(&b, 1);
    seed_put("of_session", "unknown-switch", &b);
    static const uint8_t removed[] = {
        43, 2, 0,    100, 0,  0, 0,  0, 1,    2,    0,      0, 0, 0, 0, 9, 0, 1, 0, 22, 0x80, 0,    10,     2,
        8,  0, 0x80, 0,   24, 4, 10, 0, 0,    2,    0,      0, 0, 0, 0, 0, 0, 0, 0, 28, 0x80, 0x02, 0 << 1, 8,
        0,  0, 0,    9,   0,  0, 0,  1, 0x80, 0x02, 4 << 1, 8, 0, 0, 0, 0, 0, 0, 0, 77, 0,    0,    0,      0,
    };
    handshake_put(&b, 2);
    message_put(&b, FLOW_REMOVED, 0, removed, sizeof removed);
    message_put(&b, FLOW_REMOVED, 0, removed, sizeof removed - 30);
    seed_put("of_session", "removed-flows", &b);
    static const uint8_t old[] = { 0, 4, 0, 0, 8, 0, 0, 0, 1 };
    bytes_put(&b, old, sizeof old);
    seed_put("of_session", "old-version", &b);
    static const uint8_t features[] = { 0, 0, 0, 0, 0, 0, 0, 0xa1, 0, 0, 0, 0, 254, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    bytes_put_u8(&b, 0);
    message_put(&b, HELLO, 1, "", 0);
    message_put(&b, FEATURES, LAST(FEATURES_REQUEST), features, sizeof features);
    seed_put("of_session", "auxiliary", &b);
    bytes_done(&b);
}

/* The switch refuses what it may at each step. */
static void
of_session_refusal_seeds(const struct spec *const wishes[FLOW_WISHES])
{
    struct bytes b = BYTES_INIT;
    handshake_put(&b, 0);
    error_put(&b, LAST(SET_ASYNC), 15, 0);
    readback_put(&b, wishes, 1);
    error_put(&b, LAST(BUNDLE_ADD), 5, 1);
    message_put(&b, BARRIER, LAST(BARRIER_REQUEST), NULL, 0);
    commit_put(&b, 2);
    seed_put("of_session", "refused-flow", &b);

    handshake_put(&b, 0);
    readback_put(&b, wishes, 0);
    error_put(&b, LAST(METER_MOD), 12, 1);
    message_put(&b, BARRIER, LAST(BARRIER_REQUEST), NULL, 0);
    for (uint8_t i = 2; i < 12; i++) {
        bundle_put(&b, i, 1);
        message_put(&b, BARRIER, LAST(BARRIER_REQUEST), NULL, 0);
        error_put(&b, LAST(BUNDLE_CONTROL), 17, 13);
    }
    seed_put("of_session", "refused-commits", &b);

    handshake_put(&b, 0);
    readback_put(&b, wishes, 0);
    for (uint8_t i = 1; i < 6; i++) {
        message_put(&b, BARRIER, LAST(BARRIER_REQUEST), NULL, 0);
        error_put(&b, LAST(BUNDLE_CONTROL), 17, 2);
    }
    seed_put("of_session", "lost-bundles", &b);

    for (uint8_t step = 0; step < 4; step++) {
        handshake_put(&b, 4);
        if (step == 1)
            multipart_put(&b, 3, 0, NULL, 0);
        else if (step > 1)
            readback_put(&b, wishes, step);
        error_put(&b, LAST(MULTIPART_REQUEST), 1, 2);
        error_put(&b, LAST(MULTIPART_REQUEST), 1, 2);
        seed_put_numbered("of_session", "refused-reading", step, &b);
    }
    bytes_done(&b);
}

static void
of_session_seeds(void)
{
    struct arena *arena = arena_new();
    const struct spec *wishes[FLOW_WISHES];
    flow_wishes(arena, wishes);
    of_session_good_seeds(wishes);
    of_session_refusal_seeds(wishes);
    arena_free(arena);
}

void
switch_seeds(void)
{
    flow_reply_seeds();
    packet_in_seeds();
    of_session_seeds();
}
