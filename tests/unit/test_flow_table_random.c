/* The flow table against a naive model: lists of specs by block, a union computed afresh, a switch that is an array. */
#include "tests/unit/flow_model.h"

#define SHARED_MAX 200
#define SHARED_BODY_OFS 8

/* ---- the model ---- */

/* A spec that another block may want too, now and then. */
static const struct spec *
random_spec(struct model *m, unsigned block)
{
    unsigned key = random_below(&m->random, 8) ? block * 4 + random_below(&m->random, 4) : random_below(&m->random, 50);
    unsigned value = random_below(&m->random, 3);
    switch (random_below(&m->random, 8)) {
    case 0: return meter_spec(m->arena, COOKIE(block), 1 + key, 100 + value, 10);
    case 1: return group_spec(m, block, 1 + key, value);
    case 2:
        return random_below(&m->random, 20) ? shared_spec(m, block, random_below(&m->random, 4), value) : plain_spec(m, block, key, value);
    case 3: {
        /* The key of shared flows, but not shared: a conflict, unless nobody else is there. */
        const struct spec *s = shared_spec(m, block, random_below(&m->random, 4), value);
        if (random_below(&m->random, 10))
            return s;
        struct spec *copy = arena_memdup(m->arena, s, spec_size(s));
        copy->is_shared = false;
        return copy;
    }
    default: return plain_spec(m, block, key, value);
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
    if (!random_below(&m->random, 4)) { /* the same again */
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

static void
set_all_anew(struct model *m)
{
    struct error err;
    for (unsigned b = 0; b < N_BLOCKS; b++)
        assert_true(flow_table_set_block(m->t, COOKIE(b), m->blocks[b], m->n[b], &err));
    flow_table_readback_begin(m->t); /* deletions that were refused, too */
    for (size_t i = 0; i < m->n_installed; i++) {
        struct wire_flow wf = as_read_back(m->installed[i]);
        if (m->installed[i]->kind == SPEC_FLOW)
            flow_table_readback_flow(m->t, &wf);
        else
            flow_table_readback_spec(m->t, m->installed[i]);
    }
    flow_table_readback_end(m->t);
}

/* Tries again what is left out, or sets every block anew, and sends until there is nothing to send. */
static void
settle(struct model *m)
{
    if (m->n_sent)
        commit(m);
    size_t n_refused = flow_table_n_refused(m->t);
    if (random_below(&m->random, 2))
        set_all_anew(m);
    else
        assert_int_equal(flow_table_retry(m->t, SIZE_MAX), n_refused);
    assert_int_equal(flow_table_n_refused(m->t), 0);
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
    case 0:
    case 1:
    case 2: set_block(m, random_below(&m->random, N_BLOCKS)); break;
    case 3:
    case 4: take(m, 1 + random_below(&m->random, BATCH_MAX)); break;
    case 5: commit(m); break;
    case 6: refuse(m); break;
    default:
        if (!random_below(&m->random, 10))
            read_back(m);
        else
            flow_table_retry(m->t, random_below(&m->random, 4));
    }
}

static void
any_sequence_ends_with_the_switch_as_desired(void **state)
{
    struct random random = random_seeded();
    (void) state;
    for (int run = 0; run < 40; run++) {
        struct model *m = model_new((struct random){ random_u64(&random) });
        for (int i = 0; i < 400; i++) {
            step(m);
            if (!random_below(&m->random, 100))
                settle(m);
        }
        settle(m);
        for (unsigned b = 0; b < N_BLOCKS; b++)
            m->n[b] = 0;
        set_all_anew(m);
        settle(m);
        assert_int_equal(m->n_installed, 0);
        model_free(m);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_sequence_ends_with_the_switch_as_desired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
