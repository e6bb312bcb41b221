/* The flow table against a naive model: lists of specs by block, a union computed afresh, a switch that is an array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "base/alloc.h"
#include "ofproto/flow/flow_builder.h"
#include "ofproto/flow/flow_table.h"
#include "tests/unit/random.h"

#define N_BLOCKS 12
#define BLOCK_MAX 8
#define SHARED_MAX 200
#define BATCH_MAX 64
#define COOKIE(BLOCK) (0x0700000000000000ULL + 1 + (BLOCK))
#define SHARED_BODY_OFS 8

/* ---- the model ---- */

struct model {
    struct arena *arena;                /* all specs of a run */
    struct flow_builder *fb;
    const struct spec *blocks[N_BLOCKS][BLOCK_MAX];
    size_t n[N_BLOCKS];
    const struct spec *installed[400];
    size_t n_installed;
    struct flow_table *t;
    struct flow_table_send sent[BATCH_MAX];
    const struct spec *sent_specs[BATCH_MAX];
    size_t n_sent;
    struct random random;
};

static const struct spec *
plain_spec(struct model *m, unsigned block, unsigned key, unsigned value)
{
    flow_begin(m->fb, key % 3, 100 + key % 2, COOKIE(block));
    match_u64(m->fb, of_field_whole(OF_REG0), key);
    act_set(m->fb, of_field_whole(OF_REG1), value);
    return flow_end(m->fb, m->arena);
}

static const struct spec *
shared_spec(struct model *m, unsigned block, unsigned key, unsigned value)
{
    flow_begin(m->fb, 5, 100, COOKIE(block));
    flow_shared(m->fb);
    match_u64(m->fb, of_field_whole(OF_REG0), key);
    act_conjunction(m->fb, 1 + value, 1, 2);
    if (value & 1)
        act_conjunction(m->fb, 50, 2, 2);
    return flow_end(m->fb, m->arena);
}

static const struct spec *
group_spec(struct model *m, unsigned block, unsigned id, unsigned value)
{
    struct spec *s = arena_zalloc(m->arena, sizeof *s + 12);
    s->kind = SPEC_GROUP;
    s->id = id;
    s->cookie = COOKIE(block);
    s->body_len = 12;
    s->bytes[5] = 8;
    s->bytes[11] = value;
    return s;
}

/* A spec that another block may want too, now and then. */
static const struct spec *
random_spec(struct model *m, unsigned block)
{
    unsigned key = random_below(&m->random, 8) ? block * 4 + random_below(&m->random, 4) : random_below(&m->random, 50);
    unsigned value = random_below(&m->random, 3);
    switch (random_below(&m->random, 8)) {
    case 0:
        return meter_spec(m->arena, COOKIE(block), 1 + key, 100 + value, 10);
    case 1:
        return group_spec(m, block, 1 + key, value);
    case 2:
        return random_below(&m->random, 20) ? shared_spec(m, block, random_below(&m->random, 4), value)
                                            : plain_spec(m, block, key, value);
    case 3: {
        /* The key of shared flows, but not shared: a conflict, unless nobody else is there. */
        const struct spec *s = shared_spec(m, block, random_below(&m->random, 4), value);
        if (random_below(&m->random, 10))
            return s;
        struct spec *copy = arena_memdup(m->arena, s, spec_size(s));
        copy->is_shared = false;
        return copy;
    }
    default:
        return plain_spec(m, block, key, value);
    }
}

static bool
clash(const struct spec *a, const struct spec *b)
{
    return spec_key_equal(a, b) && !(a->is_shared && b->is_shared);
}

static bool
model_conflicts(const struct model *m, unsigned block, const struct spec *const specs[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            if (clash(specs[i], specs[k]))
                return true;
        for (unsigned b = 0; b < N_BLOCKS; b++)
            for (size_t k = 0; b != block && k < m->n[b]; k++)
                if (clash(specs[i], m->blocks[b][k]))
                    return true;
    }
    return false;
}

static bool
body_has(const struct spec *s, const uint8_t *action, size_t n)
{
    const uint8_t *p = spec_body(s) + SHARED_BODY_OFS, *end = spec_body(s) + s->body_len;
    for (; p < end; p += n)
        if (!memcmp(p, action, n))
            return true;
    return false;
}

/* Adds what 'from' gives to the union 'to'; conjunction actions have 16 bytes each. */
static void
model_join(struct spec *to, const struct spec *from)
{
    for (size_t at = SHARED_BODY_OFS; at < from->body_len; at += 16) {
        if (!body_has(to, spec_body(from) + at, 16)) {
            memcpy(to->bytes + to->key_len + to->body_len, spec_body(from) + at, 16);
            to->body_len += 16;
        }
    }
    to->bytes[to->key_len + 2] = to->body_len >> 8;
    to->bytes[to->key_len + 3] = to->body_len;
}

/* Everything desired, by the definition: blocks in the order of their cookies. */
static size_t
model_desired(struct model *m, const struct spec *out[])
{
    size_t n = 0;
    for (unsigned b = 0; b < N_BLOCKS; b++) {
        for (size_t i = 0; i < m->n[b]; i++) {
            const struct spec *s = m->blocks[b][i];
            size_t k = 0;
            while (s->is_shared && k < n && !spec_key_equal(out[k], s))
                k++;
            if (!s->is_shared) {
                out[n++] = s;
            } else if (k < n) {
                model_join((struct spec *) out[k], s);
            } else {
                struct spec *whole = arena_zalloc(m->arena, spec_size(s) + SHARED_MAX);
                memcpy(whole, s, sizeof *s + s->key_len);
                memcpy(whole->bytes, s->bytes, s->key_len + SHARED_BODY_OFS);
                whole->cookie = FLOW_TABLE_SHARED_COOKIE(s->cookie);
                whole->body_len = SHARED_BODY_OFS;
                model_join(whole, s);
                out[n++] = whole;
            }
        }
    }
    return n;
}

static bool
same(const struct spec *a, const struct spec *b)
{
    return spec_key_equal(a, b) && a->body_len == b->body_len && !memcmp(spec_body(a), spec_body(b), a->body_len)
           && (a->kind != SPEC_FLOW || a->cookie == b->cookie);
}

static const struct spec *
find(const struct spec *const specs[], size_t n, const struct spec *s)
{
    for (size_t i = 0; i < n; i++)
        if (spec_key_equal(specs[i], s))
            return specs[i];
    return NULL;
}

/* ---- the switch ---- */

static void
switch_delete(struct model *m, const struct spec *s)
{
    for (size_t i = 0; i < m->n_installed; i++)
        if (spec_key_equal(m->installed[i], s))
            m->installed[i--] = m->installed[--m->n_installed];
}

static void
switch_apply(struct model *m, const struct spec *s, const struct flow_table_send *send)
{
    bool is_there = find(m->installed, m->n_installed, s);
    if (send->command == WIRE_ADD) {
        assert_int_equal(send->is_modify, is_there);
        switch_delete(m, s);
        m->installed[m->n_installed++] = s;
    } else {
        assert_true(is_there);
        switch_delete(m, s);
    }
}

/* ---- steps ---- */

struct collected {
    const struct spec *specs[400];
    size_t n;
};

static void
collect(void *aux, const struct spec *s)
{
    struct collected *c = aux;
    c->specs[c->n++] = s;
}

static void
check_desired(struct model *m)
{
    const struct spec *want[400];
    size_t n = model_desired(m, want), n_blocks = 0, n_flows = 0;
    struct collected got = { .n = 0 };
    flow_table_each(m->t, collect, &got);
    assert_int_equal(got.n, n);
    for (size_t i = 0; i < n; i++) {
        const struct spec *s = find(got.specs, got.n, want[i]);
        n_flows += want[i]->kind == SPEC_FLOW;
        if (!s || !same(s, want[i]))
            fail_msg("want %s, have %s", spec_format(want[i], m->arena), s ? spec_format(s, m->arena) : "nothing");
    }
    for (unsigned b = 0; b < N_BLOCKS; b++)
        n_blocks += m->n[b] > 0;
    assert_int_equal(flow_table_n_desired(m->t), n_flows);
    assert_int_equal(flow_table_n_blocks(m->t), n_blocks);
}

static void
set_block(struct model *m, unsigned block)
{
    const struct spec *specs[BLOCK_MAX];
    struct error err;
    size_t n = random_below(&m->random, 3) ? random_below(&m->random, BLOCK_MAX + 1) : 0;
    for (size_t i = 0; i < n; i++)
        specs[i] = random_spec(m, block);
    if (!random_below(&m->random, 4)) {                  /* the same again */
        n = m->n[block];
        memcpy(specs, m->blocks[block], sizeof specs);
    }
    bool ok = flow_table_set_block(m->t, COOKIE(block), specs, n, &err);
    assert_int_equal(ok, !model_conflicts(m, block, specs, n));
    if (ok) {
        m->n[block] = n;
        memcpy(m->blocks[block], specs, sizeof specs);
    } else {
        assert_int_equal(err.code, ERROR_CONFLICT);
        assert_non_null(strstr(err.text, "0x7000000000000"));
    }
    check_desired(m);
}

static int
order_of(const struct flow_table_send *send)
{
    int add = send->spec->kind == SPEC_METER ? 0 : send->spec->kind == SPEC_GROUP ? 1 : 2;
    return send->command == WIRE_ADD ? add : 5 - add;
}

static void
take(struct model *m, size_t max)
{
    if (m->n_sent)
        return;
    m->n_sent = flow_table_take(m->t, m->sent, max);
    assert_true(m->n_sent <= max);
    assert_int_equal(flow_table_is_sending(m->t), m->n_sent > 0);
    for (size_t i = 0; i < m->n_sent; i++) {
        m->sent_specs[i] = arena_memdup(m->arena, m->sent[i].spec, spec_size(m->sent[i].spec));
        if (i)
            assert_true(order_of(&m->sent[i - 1]) <= order_of(&m->sent[i]));
    }
}

static void
commit(struct model *m)
{
    if (!m->n_sent)
        return;
    for (size_t i = 0; i < m->n_sent; i++)
        switch_apply(m, m->sent_specs[i], &m->sent[i]);
    m->n_sent = 0;
    flow_table_committed(m->t);
}

/* Some of the batch is refused, so that the rest is not committed; meters may be there all the same. */
static void
refuse(struct model *m)
{
    if (!m->n_sent)
        return;
    for (size_t i = 0; i < m->n_sent; i++) {
        bool is_meter = m->sent_specs[i]->kind == SPEC_METER;
        if (!random_below(&m->random, 4)) {
            flow_table_refused(m->t, m->sent[i].entry);
        } else if (is_meter && m->sent[i].command == WIRE_ADD) {
            flow_table_installed(m->t, m->sent[i].entry);
            switch_apply(m, m->sent_specs[i], &m->sent[i]);
        }
    }
    m->n_sent = 0;
    flow_table_not_committed(m->t);
}

static struct wire_flow
as_read_back(const struct spec *s)
{
    return (struct wire_flow) {
        .cookie = s->cookie,
        .priority = s->priority,
        .table = s->table,
        .key = spec_key(s),
        .key_len = s->key_len,
        .body = spec_body(s),
        .body_len = s->body_len,
    };
}

/* The switch may have been changed behind our back; a batch under way may have got there or not. */
static void
tamper(struct model *m)
{
    if (m->n_installed && !random_below(&m->random, 2))
        switch_delete(m, m->installed[random_below(&m->random, m->n_installed)]);
    const struct spec *s = plain_spec(m, 40, random_below(&m->random, 60), 7);
    if (!random_below(&m->random, 2)) {
        switch_delete(m, s);
        m->installed[m->n_installed++] = s;
    }
}

static void
read_back(struct model *m)
{
    if (m->n_sent && random_below(&m->random, 2))
        for (size_t i = 0; i < m->n_sent; i++)
            switch_apply(m, m->sent_specs[i], &m->sent[i]);
    m->n_sent = 0;
    tamper(m);
    flow_table_readback_begin(m->t);
    assert_false(flow_table_is_clean(m->t));
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 0);
    for (size_t i = 0; i < m->n_installed; i++) {
        struct wire_flow wf = as_read_back(m->installed[i]);
        if (m->installed[i]->kind == SPEC_FLOW)
            flow_table_readback_flow(m->t, &wf);
        else
            flow_table_readback_spec(m->t, m->installed[i]);
        if (!random_below(&m->random, 20))
            set_block(m, random_below(&m->random, N_BLOCKS));
    }
    flow_table_readback_end(m->t);
}

/* Sets every block anew, so that nothing is left out, and sends until there is nothing to send. */
static void
settle(struct model *m)
{
    struct error err;
    if (m->n_sent)
        commit(m);
    for (unsigned b = 0; b < N_BLOCKS; b++)
        assert_true(flow_table_set_block(m->t, COOKIE(b), m->blocks[b], m->n[b], &err));
    flow_table_readback_begin(m->t);    /* deletions that were refused, too */
    for (size_t i = 0; i < m->n_installed; i++) {
        struct wire_flow wf = as_read_back(m->installed[i]);
        if (m->installed[i]->kind == SPEC_FLOW)
            flow_table_readback_flow(m->t, &wf);
        else
            flow_table_readback_spec(m->t, m->installed[i]);
    }
    flow_table_readback_end(m->t);
    for (int rounds = 0; !flow_table_is_clean(m->t); rounds++) {
        assert_true(rounds < 1000);
        take(m, 1 + random_below(&m->random, BATCH_MAX));
        commit(m);
    }

    const struct spec *want[400];
    size_t n = model_desired(m, want);
    assert_int_equal(m->n_installed, n);
    for (size_t i = 0; i < n; i++) {
        const struct spec *s = find(m->installed, m->n_installed, want[i]);
        assert_true(s && same(s, want[i]));
    }
}

static void
step(struct model *m)
{
    switch (random_below(&m->random, 8)) {
    case 0: case 1: case 2:
        set_block(m, random_below(&m->random, N_BLOCKS));
        break;
    case 3: case 4:
        take(m, 1 + random_below(&m->random, BATCH_MAX));
        break;
    case 5:
        commit(m);
        break;
    case 6:
        refuse(m);
        break;
    default:
        if (!random_below(&m->random, 10))
            read_back(m);
    }
}

static struct model *
model_new(struct random random)
{
    struct model *m = mem_zalloc(sizeof *m);
    m->arena = arena_new();
    m->fb = flow_builder_new();
    m->t = flow_table_new();
    m->random = random;
    return m;
}

static void
model_free(struct model *m)
{
    flow_table_free(m->t);
    flow_builder_free(m->fb);
    arena_free(m->arena);
    free(m);
}

static void
any_sequence_ends_with_the_switch_as_desired(void **state)
{
    struct random random = random_seeded();
    (void) state;
    for (int run = 0; run < 40; run++) {
        struct model *m = model_new((struct random) { random_u64(&random) });
        for (int i = 0; i < 400; i++) {
            step(m);
            if (!random_below(&m->random, 100))
                settle(m);
        }
        settle(m);
        for (unsigned b = 0; b < N_BLOCKS; b++)
            m->n[b] = 0;
        settle(m);
        assert_int_equal(m->n_installed, 0);
        model_free(m);
    }
}

/* ---- single properties ---- */

static struct error err;

static void
set1(struct model *m, unsigned block, const struct spec *s)
{
    if (!flow_table_set_block(m->t, COOKIE(block), &s, s ? 1 : 0, &err))
        fail_msg("%s", err.text);
}

static void
a_conflict_names_the_flow_and_both_blocks_and_changes_nothing(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    set1(m, 0, plain_spec(m, 0, 3, 1));
    const struct spec *specs[] = { plain_spec(m, 1, 4, 1), plain_spec(m, 1, 3, 2) };
    assert_false(flow_table_set_block(m->t, COOKIE(1), specs, 2, &err));
    assert_string_equal(err.text, "block 0x700000000000002 wants what block 0x700000000000001 has already: table=0, "
                        "priority=101,reg0=0x3 actions=set_field:0x2->reg1");
    assert_int_equal(flow_table_n_desired(m->t), 1);
    assert_int_equal(flow_table_n_blocks(m->t), 1);
    specs[1] = specs[0];
    assert_false(flow_table_set_block(m->t, COOKIE(1), specs, 2, &err));
    assert_non_null(strstr(err.text, "names twice"));
    model_free(m);
}

static void
shared_actions_come_in_the_order_of_their_blocks(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    set1(m, 2, shared_spec(m, 2, 9, 2));
    set1(m, 0, shared_spec(m, 0, 9, 1));
    set1(m, 1, shared_spec(m, 1, 9, 3));
    struct collected got = { .n = 0 };
    flow_table_each(m->t, collect, &got);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.specs[0]->cookie, 0x0700000000000000ULL);
    assert_string_equal(spec_format(got.specs[0], m->arena), "table=5, priority=100,reg0=0x9 "
                        "actions=conjunction(2,1/2),conjunction(50,2/2),conjunction(4,1/2),conjunction(3,1/2)");
    set1(m, 0, NULL);
    set1(m, 2, NULL);
    got.n = 0;
    flow_table_each(m->t, collect, &got);
    assert_string_equal(spec_format(got.specs[0], m->arena), "table=5, priority=100,reg0=0x9 "
                        "actions=conjunction(4,1/2),conjunction(50,2/2)");
    set1(m, 1, NULL);
    assert_int_equal(flow_table_n_desired(m->t), 0);
    assert_true(flow_table_is_clean(m->t));
    model_free(m);
}

static void
too_many_shared_actions_are_refused(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    unsigned block = 0;
    for (; block < 5000; block++) {
        const struct spec *s = shared_spec(m, block, 9, 2 * block);
        if (!flow_table_set_block(m->t, COOKIE(block), &s, 1, &err))
            break;
    }
    assert_true(block > 2000 && block < 5000);
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_int_equal(flow_table_n_blocks(m->t), block);
    struct collected got = { .n = 0 };
    flow_table_each(m->t, collect, &got);
    struct bytes b = BYTES_INIT;
    wire_put_bundle_mod(&b, 1, got.specs[0], WIRE_ADD, false, 1);
    assert_true(b.n <= 65535);
    bytes_done(&b);
    model_free(m);
}

static void
the_same_block_again_sends_nothing(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    const struct spec *specs[] = { plain_spec(m, 0, 1, 1), shared_spec(m, 0, 2, 1), group_spec(m, 0, 1, 1) };
    assert_true(flow_table_set_block(m->t, COOKIE(0), specs, 3, &err));
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 3);
    flow_table_committed(m->t);
    assert_true(flow_table_is_clean(m->t));
    assert_true(flow_table_set_block(m->t, COOKIE(0), specs, 3, &err));
    assert_true(flow_table_is_clean(m->t));
    model_free(m);
}

static void
a_refused_flow_stays_out_until_its_block_is_set_anew(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    const struct spec *specs[] = { plain_spec(m, 0, 1, 1), plain_spec(m, 0, 2, 1) };
    assert_true(flow_table_set_block(m->t, COOKIE(0), specs, 2, &err));
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 2);
    flow_table_refused(m->t, m->sent[0].entry);
    flow_table_not_committed(m->t);
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 1);
    flow_table_committed(m->t);
    assert_true(flow_table_is_clean(m->t));
    set1(m, 1, plain_spec(m, 1, 7, 1));
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 1);
    flow_table_committed(m->t);
    assert_true(flow_table_set_block(m->t, COOKIE(0), specs, 2, &err));
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 1);
    assert_true(spec_key_equal(m->sent[0].spec, specs[0]));
    flow_table_committed(m->t);
    model_free(m);
}

static void
what_changed_while_it_was_refused_is_tried(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    set1(m, 0, plain_spec(m, 0, 1, 1));
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 1);
    set1(m, 0, plain_spec(m, 0, 1, 2));
    flow_table_refused(m->t, m->sent[0].entry);
    flow_table_not_committed(m->t);
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 1);
    flow_table_committed(m->t);
    model_free(m);
}

static void
a_flow_removed_while_it_was_sent_is_deleted_after_the_commit(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    set1(m, 0, plain_spec(m, 0, 1, 1));
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 1);
    set1(m, 0, NULL);
    flow_table_committed(m->t);
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 1);
    assert_int_equal(m->sent[0].command, WIRE_DELETE);
    flow_table_committed(m->t);
    assert_true(flow_table_is_clean(m->t));
    model_free(m);
}

static void
a_batch_does_not_split_a_block_that_the_next_one_can_hold(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    for (unsigned block = 0; block < 3; block++) {
        const struct spec *specs[4];
        for (unsigned i = 0; i < 4; i++)
            specs[i] = plain_spec(m, block, block * 4 + i, 1);
        assert_true(flow_table_set_block(m->t, COOKIE(block), specs, 4, &err));
    }
    assert_int_equal(flow_table_take(m->t, m->sent, 10), 8);
    flow_table_committed(m->t);
    assert_int_equal(flow_table_take(m->t, m->sent, 3), 3);
    flow_table_committed(m->t);
    assert_int_equal(flow_table_take(m->t, m->sent, 3), 1);
    flow_table_committed(m->t);
    model_free(m);
}

static void
a_foreign_twin_is_replaced(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    const struct spec *s = plain_spec(m, 0, 1, 1);
    set1(m, 0, s);
    struct wire_flow wf = as_read_back(s);
    wf.is_foreign = true;       /* as if it had a timeout */
    flow_table_readback_begin(m->t);
    flow_table_readback_flow(m->t, &wf);
    flow_table_readback_end(m->t);
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 1);
    flow_table_committed(m->t);
    assert_true(flow_table_is_clean(m->t));
    model_free(m);
}

/* reg0 = 3 the old way, as NXM instead of half an extended register. */
static void
a_flow_that_is_spelled_otherwise_is_known(void **state)
{
    static const uint8_t key[] = { 0x00, 0x01, 0x00, 0x04, 0, 0, 0, 3 };
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    const struct spec *s = plain_spec(m, 0, 3, 1);
    set1(m, 0, s);
    struct wire_flow wf = as_read_back(s);
    wf.key = key;
    wf.key_len = sizeof key;
    flow_table_readback_begin(m->t);
    flow_table_readback_flow(m->t, &wf);
    flow_table_readback_end(m->t);
    assert_true(flow_table_is_clean(m->t));
    model_free(m);
}

static void
a_flow_that_nobody_understands_is_deleted_by_its_own_bytes(void **state)
{
    static const uint8_t key[] = { 0x12, 0x34, 0x00, 0x04, 0, 0, 0, 3 };
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    struct wire_flow wf = { .priority = 5, .table = 3, .key = key, .key_len = sizeof key, .body = key, .body_len = 0 };
    flow_table_readback_begin(m->t);
    flow_table_readback_flow(m->t, &wf);
    flow_table_readback_end(m->t);
    assert_int_equal(flow_table_take(m->t, m->sent, BATCH_MAX), 1);
    assert_int_equal(m->sent[0].command, WIRE_DELETE);
    assert_memory_equal(spec_key(m->sent[0].spec), key, sizeof key);
    flow_table_committed(m->t);
    model_free(m);
}

static void
the_flows_of_a_table_come_by_falling_priority(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    for (unsigned i = 0; i < 30; i++)
        set1(m, i, plain_spec(m, i, i, 1));
    set1(m, 30, group_spec(m, 30, 1, 1));
    size_t n, all = 0;
    for (unsigned table = 0; table < 256; table++) {
        const struct spec *const *specs = flow_table_by_priority(m->t, table, &n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(specs[i]->table, table);
            assert_true(!i || specs[i - 1]->priority >= specs[i]->priority);
        }
        all += n;
    }
    assert_int_equal(all, 30);
    set1(m, 0, NULL);
    flow_table_by_priority(m->t, 0, &n);
    assert_int_equal(n, 9);
    model_free(m);
}

static void
equal_tables_are_equal_and_others_say_why(void **state)
{
    struct model *m = model_new((struct random) { 1 }), *other = model_new((struct random) { 1 });
    (void) state;
    set1(m, 0, plain_spec(m, 0, 1, 1));
    assert_false(flow_table_equal(m->t, other->t, &err));
    assert_non_null(strstr(err.text, "only the first has cookie=0x700000000000001 table=1"));
    assert_false(flow_table_equal(other->t, m->t, &err));
    set1(other, 0, plain_spec(other, 0, 1, 2));
    assert_false(flow_table_equal(m->t, other->t, &err));
    assert_non_null(strstr(err.text, "the second cookie"));
    set1(other, 0, plain_spec(other, 0, 1, 1));
    assert_true(flow_table_equal(m->t, other->t, &err));
    model_free(m);
    model_free(other);
}

static void
count_difference(void *aux, const struct flow_table_difference *d)
{
    size_t *counts = aux;
    counts[d->kind]++;
    assert_int_equal(d->desired == NULL, d->kind == DIFFERENCE_EXTRA);
    assert_int_equal(d->found == NULL, d->kind == DIFFERENCE_MISSING);
}

static void
verification_finds_each_kind_of_difference(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    const struct spec *found[] = { plain_spec(m, 0, 1, 1), plain_spec(m, 1, 2, 2), plain_spec(m, 2, 3, 1),
                                   meter_spec(m->arena, 0, 9, 1, 1) };
    set1(m, 0, plain_spec(m, 0, 1, 1));
    set1(m, 1, plain_spec(m, 1, 2, 1));
    set1(m, 3, plain_spec(m, 3, 4, 1));
    set1(m, 4, meter_spec(m->arena, COOKIE(4), 9, 1, 1));
    size_t counts[3] = { 0, 0, 0 };
    assert_int_equal(flow_table_verify(m->t, found, 4, count_difference, counts), 3);
    assert_int_equal(counts[DIFFERENCE_MISSING], 1);
    assert_int_equal(counts[DIFFERENCE_EXTRA], 1);
    assert_int_equal(counts[DIFFERENCE_CHANGED], 1);
    model_free(m);
}

static void
collect_text(void *aux, const struct spec *s)
{
    struct model *m = aux;
    m->installed[m->n_installed++] = arena_memdup(m->arena, s, spec_size(s));
}

static void
a_block_gives_back_what_it_was_given(void **state)
{
    struct model *m = model_new((struct random) { 1 });
    (void) state;
    set1(m, 1, shared_spec(m, 1, 9, 4));
    const struct spec *specs[] = { plain_spec(m, 0, 1, 1), shared_spec(m, 0, 9, 1), plain_spec(m, 0, 2, 1) };
    assert_true(flow_table_set_block(m->t, COOKIE(0), specs, 3, &err));
    flow_table_each_of(m->t, COOKIE(0), collect_text, m);
    assert_int_equal(m->n_installed, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct spec *s = find(m->installed, 3, specs[i]);
        assert_true(s && same(s, specs[i]));
    }
    model_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_sequence_ends_with_the_switch_as_desired),
        cmocka_unit_test(a_conflict_names_the_flow_and_both_blocks_and_changes_nothing),
        cmocka_unit_test(shared_actions_come_in_the_order_of_their_blocks),
        cmocka_unit_test(too_many_shared_actions_are_refused),
        cmocka_unit_test(the_same_block_again_sends_nothing),
        cmocka_unit_test(a_refused_flow_stays_out_until_its_block_is_set_anew),
        cmocka_unit_test(what_changed_while_it_was_refused_is_tried),
        cmocka_unit_test(a_flow_removed_while_it_was_sent_is_deleted_after_the_commit),
        cmocka_unit_test(a_batch_does_not_split_a_block_that_the_next_one_can_hold),
        cmocka_unit_test(a_foreign_twin_is_replaced),
        cmocka_unit_test(a_flow_that_is_spelled_otherwise_is_known),
        cmocka_unit_test(a_flow_that_nobody_understands_is_deleted_by_its_own_bytes),
        cmocka_unit_test(the_flows_of_a_table_come_by_falling_priority),
        cmocka_unit_test(equal_tables_are_equal_and_others_say_why),
        cmocka_unit_test(verification_finds_each_kind_of_difference),
        cmocka_unit_test(a_block_gives_back_what_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
