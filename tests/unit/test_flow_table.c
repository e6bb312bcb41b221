/* The flow table, property by property. */
#include "tests/unit/flow_model.h"

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
    struct model *m = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 });
    (void) state;
    set1(m, 2, shared_spec(m, 2, 9, 2));
    set1(m, 0, shared_spec(m, 0, 9, 1));
    set1(m, 1, shared_spec(m, 1, 9, 3));
    struct collected got = { .n = 0 };
    flow_table_each(m->t, collect, &got);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.specs[0]->cookie, 0x0700000000000000ULL);
    assert_string_equal(spec_format(got.specs[0], m->arena),
                        "table=5, priority=100,reg0=0x9 "
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
    struct model *m = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 });
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

static size_t
take(struct model *m)
{
    return flow_table_take(m->t, m->sent, BATCH_MAX);
}

/* The whole batch is sent, and its i-th entry is refused. */
static void
refuse(struct model *m, size_t n, size_t i)
{
    assert_int_equal(take(m), n);
    flow_table_refused(m->t, m->sent[i].entry);
    flow_table_not_committed(m->t);
}

static void
commit(struct model *m, size_t n)
{
    assert_int_equal(take(m), n);
    flow_table_committed(m->t);
}

static void
assert_accepted(struct model *m, unsigned block)
{
    uint64_t cookie = 0;
    assert_true(flow_table_next_accepted(m->t, &cookie));
    assert_int_equal(cookie, COOKIE(block));
}

static void
assert_none_accepted(struct model *m)
{
    uint64_t cookie;
    assert_false(flow_table_next_accepted(m->t, &cookie));
}

static void
a_block_is_accepted_when_the_last_of_what_was_refused_is_confirmed(void **state)
{
    struct model *m = model_new((struct random){ 1 });
    (void) state;
    const struct spec *specs[] = { plain_spec(m, 0, 1, 1), plain_spec(m, 0, 2, 1), plain_spec(m, 0, 3, 1) };
    assert_true(flow_table_set_block(m->t, COOKIE(0), specs, 3, &err));
    set1(m, 1, plain_spec(m, 1, 7, 1));
    refuse(m, 4, 0);
    refuse(m, 3, 1);
    commit(m, 2);
    assert_none_accepted(m);

    assert_true(flow_table_set_block(m->t, COOKIE(0), specs, 3, &err)); /* both are tried, one is refused again */
    assert_none_accepted(m);
    refuse(m, 2, 0);
    assert_none_accepted(m);
    commit(m, 1);
    assert_none_accepted(m);

    assert_int_equal(flow_table_n_refused(m->t), 1);
    assert_true(flow_table_set_block(m->t, COOKIE(0), specs, 3, &err));
    commit(m, 1);
    assert_int_equal(flow_table_n_refused(m->t), 0);
    assert_accepted(m, 0);
    assert_none_accepted(m);
    model_free(m);
}

static void
what_is_tried_again_while_others_are_sent_is_not_accepted_with_these(void **state)
{
    struct model *m = model_new((struct random){ 1 });
    (void) state;
    set1(m, 0, plain_spec(m, 0, 1, 1));
    refuse(m, 1, 0);
    set1(m, 1, plain_spec(m, 1, 7, 1));
    assert_int_equal(take(m), 1);
    set1(m, 0, plain_spec(m, 0, 1, 2));
    flow_table_committed(m->t);
    assert_none_accepted(m);
    commit(m, 1);
    assert_accepted(m, 0);
    model_free(m);
}

static void
a_refused_block_that_goes_is_accepted_at_once_if_nothing_is_to_be_sent(void **state)
{
    struct model *m = model_new((struct random){ 1 });
    (void) state;
    set1(m, 0, plain_spec(m, 0, 1, 1));
    refuse(m, 1, 0);
    set1(m, 0, NULL);
    assert_accepted(m, 0);
    assert_none_accepted(m);
    model_free(m);
}

static void
what_has_changed_when_it_is_refused_is_accepted_with_what_it_is_now(void **state)
{
    struct model *m = model_new((struct random){ 1 });
    (void) state;
    set1(m, 0, plain_spec(m, 0, 1, 1));
    assert_int_equal(take(m), 1);
    set1(m, 0, NULL);
    set1(m, 1, plain_spec(m, 1, 1, 2));
    flow_table_refused(m->t, m->sent[0].entry);
    flow_table_not_committed(m->t);
    assert_none_accepted(m);
    commit(m, 1);
    assert_accepted(m, 0);
    assert_none_accepted(m);
    model_free(m);
}

static void
what_was_refused_is_accepted_when_a_new_connection_shows_it(void **state)
{
    struct model *m = model_new((struct random){ 1 });
    (void) state;
    const struct spec *s = plain_spec(m, 0, 1, 1);
    set1(m, 0, s);
    refuse(m, 1, 0);
    flow_table_readback_begin(m->t);
    assert_none_accepted(m);
    struct wire_flow flow = as_read_back(s);
    flow_table_readback_flow(m->t, &flow);
    flow_table_readback_end(m->t);
    assert_true(flow_table_is_clean(m->t));
    assert_accepted(m, 0);
    model_free(m);
}

static void
what_was_refused_first_is_tried_again_first_and_is_known_until_it_is_another(void **state)
{
    struct model *m = model_new((struct random){ 1 });
    (void) state;
    for (unsigned block = 0; block < 3; block++)
        set1(m, block, plain_spec(m, block, block, 1));
    refuse(m, 3, 1);
    refuse(m, 2, 0);
    refuse(m, 1, 0);
    assert_int_equal(flow_table_n_refused(m->t), 3);
    assert_int_equal(flow_table_retry(m->t, 2), 2);
    assert_int_equal(flow_table_n_refused(m->t), 1);
    assert_int_equal(take(m), 2);
    assert_int_equal(m->sent[0].spec->cookie, COOKIE(1));
    assert_int_equal(m->sent[1].spec->cookie, COOKIE(0));
    assert_true(m->sent[0].is_retried && m->sent[1].is_retried);
    flow_table_refused(m->t, m->sent[0].entry);
    flow_table_not_committed(m->t);
    commit(m, 1);
    assert_accepted(m, 0);
    assert_none_accepted(m);

    set1(m, 1, plain_spec(m, 1, 1, 2)); /* it is another, which nobody has refused */
    assert_int_equal(flow_table_retry(m->t, 9), 1);
    assert_int_equal(flow_table_retry(m->t, 9), 0);
    assert_int_equal(take(m), 2);
    assert_int_equal(m->sent[0].spec->cookie, COOKIE(1));
    assert_false(m->sent[0].is_retried);
    assert_true(m->sent[1].is_retried);
    flow_table_committed(m->t);
    assert_true(flow_table_is_clean(m->t));
    model_free(m);
}

static void
a_flow_removed_while_it_was_sent_is_deleted_after_the_commit(void **state)
{
    struct model *m = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 });
    (void) state;
    const struct spec *s = plain_spec(m, 0, 1, 1);
    set1(m, 0, s);
    struct wire_flow wf = as_read_back(s);
    wf.is_foreign = true; /* as if it had a timeout */
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
    struct model *m = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 }), *other = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 });
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
    struct model *m = model_new((struct random){ 1 });
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
        cmocka_unit_test(a_conflict_names_the_flow_and_both_blocks_and_changes_nothing),
        cmocka_unit_test(shared_actions_come_in_the_order_of_their_blocks),
        cmocka_unit_test(too_many_shared_actions_are_refused),
        cmocka_unit_test(the_same_block_again_sends_nothing),
        cmocka_unit_test(a_refused_flow_stays_out_until_its_block_is_set_anew),
        cmocka_unit_test(a_block_is_accepted_when_the_last_of_what_was_refused_is_confirmed),
        cmocka_unit_test(what_is_tried_again_while_others_are_sent_is_not_accepted_with_these),
        cmocka_unit_test(a_refused_block_that_goes_is_accepted_at_once_if_nothing_is_to_be_sent),
        cmocka_unit_test(what_has_changed_when_it_is_refused_is_accepted_with_what_it_is_now),
        cmocka_unit_test(what_was_refused_is_accepted_when_a_new_connection_shows_it),
        cmocka_unit_test(what_changed_while_it_was_refused_is_tried),
        cmocka_unit_test(what_was_refused_first_is_tried_again_first_and_is_known_until_it_is_another),
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
