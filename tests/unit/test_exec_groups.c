/* The executor: what takes several flows or buckets, groups and conjunctions. */
#include "tests/unit/exec_lab.h"

/* ---- groups ---- */

static const struct spec *
bucket(struct lab *lab, uint32_t port)
{
    flow_begin(lab->fb, 0, 1, 1);
    act_set(lab->fb, of_field_whole(OF_ETH_DST), port);
    act_output(lab->fb, port);
    return flow_end(lab->fb, lab->arena);
}

static void
buckets_work_on_copies_and_a_select_group_takes_one(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    const struct spec *buckets[] = { bucket(lab, 4), bucket(lab, 5) };
    lab_add(lab, sample_group(lab->arena, 1, GROUP_ALL, buckets, 2));
    lab_add(lab, sample_group(lab->arena, 2, GROUP_SELECT, buckets, 2));
    act_group(lab_flow(lab, 0, 1), 1);
    act_group(lab->fb, 2);
    act_output(lab->fb, 6);
    lab_end(lab);

    assert_true(lab_run(lab, p));
    assert_int_equal(lab->r.n_outputs, 4);
    assert_output(lab, 0, EXEC_PORT, 4);
    assert_output(lab, 1, EXEC_PORT, 5);
    assert_output(lab, 2, EXEC_PORT, 4);
    assert_output(lab, 3, EXEC_PORT, 6);
    assert_int_equal(lab->r.outputs[1].packet.field[OF_ETH_DST], 5);
    assert_int_equal(lab->r.outputs[3].packet.field[OF_ETH_DST], 0x020000000002);

    p.bucket = 1;
    assert_true(lab_run(lab, p));
    assert_output(lab, 2, EXEC_PORT, 5);
}

static void
only_buckets_of_a_weight_are_chosen_from(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    group_begin(lab->fb, 3, 0x33, &(struct flow_group){ .kind = FLOW_GROUP_SELECT_DP_HASH });
    for (uint32_t i = 0; i < 4; i++) {
        bucket_begin(lab->fb, 100 + i, i % 2 ? i : 0);
        act_output(lab->fb, 2 + i);
    }
    lab_add(lab, group_end(lab->fb, lab->arena));
    act_group(lab_flow(lab, 0, 1), 3);
    lab_end(lab);
    for (p.bucket = 0; p.bucket < 5; p.bucket++) {
        assert_true(lab_run(lab, p));
        assert_int_equal(lab->r.n_outputs, 1);
        assert_output(lab, 0, EXEC_PORT, p.bucket % 2 ? 5 : 3);
    }

    group_begin(lab->fb, 3, 0x33, &(struct flow_group){ .kind = FLOW_GROUP_SELECT_DP_HASH });
    bucket_begin(lab->fb, 100, 0);
    act_output(lab->fb, 2);
    lab_add(lab, group_end(lab->fb, lab->arena));
    assert_true(lab_run(lab, p));
    assert_dropped(lab);
}

static void
tags_that_a_bucket_pushes_are_its_own(void **state)
{
    struct lab *lab = *state;
    group_begin(lab->fb, 3, 0x33, &(struct flow_group){ .kind = FLOW_GROUP_ALL });
    bucket_begin(lab->fb, 1, 0);
    act_push_vlan(lab->fb, 7);
    act_output(lab->fb, 2);
    lab_add(lab, group_end(lab->fb, lab->arena));
    act_group(lab_flow(lab, 0, 1), 3);
    act_output(lab->fb, 3);
    lab_end(lab);
    assert_true(lab_run(lab, sample_tcp()));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_output(lab, 1, EXEC_PORT, 3);
    assert_int_equal(lab->r.outputs[0].packet.bytes, 104);
    assert_int_equal(lab->r.outputs[1].packet.bytes, 100);
}

/* ---- conjunctions ---- */

static void
conjunction_flow(struct lab *lab, uint64_t reg0, uint32_t id, uint8_t clause)
{
    match_u64(lab_flow(lab, 0, 50), REG(0), reg0);
    act_conjunction(lab->fb, id, clause, 2);
    lab_end(lab);
}

static void
a_conjunction_needs_all_its_clauses(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    conjunction_flow(lab, 1, 10, 1);
    conjunction_flow(lab, 2, 11, 1);
    match_ip_dst(lab_flow(lab, 0, 50), ip_prefix_host(ip4(0x0a000002)));
    act_conjunction(lab->fb, 10, 2, 2);
    lab_end(lab);
    match_conj_id(lab_flow(lab, 0, 40), 10);
    act_output(lab->fb, 4);
    uint64_t decides = lab_end(lab);
    match_conj_id(lab_flow(lab, 0, 40), 11);
    act_output(lab->fb, 5);
    lab_end(lab);
    act_output(lab_flow(lab, 0, 30), 2);
    lab_end(lab);

    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2); /* one clause only */
    p.field[OF_REG0] = 2;
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2); /* two clauses, of two conjunctions */
    p.field[OF_REG0] = 1;
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 4);
    assert_int_equal(lab->r.n_steps, 1);
    assert_int_equal(lab->r.steps[0].spec->cookie, decides);
}

/* As Open vSwitch does it: conj_id is a field to match, no more; and what has a conjunctive flow's match below it is not seen then. */
static void
a_met_conjunction_leaves_the_rest_to_priorities(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    p.field[OF_REG0] = 1;
    conjunction_flow(lab, 1, 10, 1);
    match_eth_dst(lab_flow(lab, 0, 50), mac_from_u64(0x020000000002));
    act_conjunction(lab->fb, 10, 2, 2);
    lab_end(lab);
    match_conj_id(lab_flow(lab, 0, 20), 10);
    act_output(lab->fb, 4);
    lab_end(lab);
    match_u64(lab_flow(lab, 0, 30), REG(0), 1);
    act_output(lab->fb, 2);
    lab_end(lab);

    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 4); /* not 2 */
    p.field[OF_ETH_DST] = 0x020000000003;
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 2); /* not met */
    p.field[OF_ETH_DST] = 0x020000000002;
    act_output(lab_flow(lab, 0, 40), 3);
    lab_end(lab);
    assert_true(lab_run(lab, p));
    assert_output(lab, 0, EXEC_PORT, 3);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, lab_setup, lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(buckets_work_on_copies_and_a_select_group_takes_one),
        TEST(only_buckets_of_a_weight_are_chosen_from),
        TEST(tags_that_a_bucket_pushes_are_its_own),
        TEST(a_conjunction_needs_all_its_clauses),
        TEST(a_met_conjunction_leaves_the_rest_to_priorities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
