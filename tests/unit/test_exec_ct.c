/* The executor and connections: what is tracked, translated, found again. */
#include "tests/unit/exec_lab.h"

/* Table 0 tracks, then sends the rest of the list to port 9; table 1 sends to port 2. */
static void
put_tracking(struct lab *lab, struct flow_ct ct)
{
    ct.zone = 7;
    ct.table = 1;
    ct.ip = ip4(0xcb007105);
    match_family(lab_flow(lab, 0, 1), IP_V4);
    act_set(lab->fb, REG(1), 5);
    act_ct(lab->fb, &ct);
    act_output(lab->fb, 9);
    lab_end(lab);
    act_set(lab_flow(lab, 1, 1), REG(2), 6);
    act_output(lab->fb, 2);
    lab_end(lab);
}

static const struct flow_ct snat = { .is_commit = true, .nat = FLOW_NAT_SRC, .port_lo = 2000, .port_hi = 2009 };

/* The fields of what went on in table 1. */
static const uint64_t *
tracked(struct lab *lab, struct exec_packet p)
{
    if (!lab_run(lab, p))
        fail_msg("%s", lab->err.text);
    assert_int_equal(lab->r.n_outputs, 2);
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_output(lab, 1, EXEC_PORT, 9);
    return lab->r.outputs[0].packet.field;
}

static void
assert_original(const uint64_t *field, uint32_t src, uint32_t dst, uint16_t tp_src, uint16_t tp_dst)
{
    assert_int_equal(field[OF_CT_NW_SRC], src);
    assert_int_equal(field[OF_CT_NW_DST], dst);
    assert_int_equal(field[OF_CT_TP_SRC], tp_src);
    assert_int_equal(field[OF_CT_TP_DST], tp_dst);
}

static void
a_new_connection_is_translated_and_the_rest_of_the_list_sees_nothing_of_it(void **state)
{
    struct lab *lab = *state;
    put_tracking(lab, snat);
    const uint64_t *field = tracked(lab, sample_tcp());
    assert_int_equal(field[OF_CT_STATE], OF_CT_TRK | OF_CT_NEW | OF_CT_SNAT);
    assert_int_equal(field[OF_CT_ZONE], 7);
    assert_int_equal(field[OF_IPV4_SRC], 0xcb007105);
    assert_int_equal(field[OF_TCP_SRC], 2000);
    assert_int_equal(field[OF_REG1], 5);
    assert_int_equal(field[OF_CT_NW_PROTO], 6);
    assert_original(field, 0x0a000001, 0x0a000002, 1000, 80);

    field = lab->r.outputs[1].packet.field;
    assert_int_equal(field[OF_CT_STATE], 0);
    assert_int_equal(field[OF_CT_ZONE], 0);
    assert_int_equal(field[OF_CT_NW_SRC], 0);
    assert_int_equal(field[OF_IPV4_SRC], 0x0a000001);
    assert_int_equal(field[OF_TCP_SRC], 1000);
    assert_int_equal(field[OF_REG2], 0);

    struct exec_packet p = sample_tcp();
    p.field[OF_TCP_SRC] = 2009;
    assert_int_equal(tracked(lab, p)[OF_TCP_SRC], 2009);
}

static void
what_is_not_committed_is_not_translated(void **state)
{
    struct lab *lab = *state;
    put_tracking(lab, (struct flow_ct){ .nat = FLOW_NAT_KNOWN });
    const uint64_t *field = tracked(lab, sample_tcp());
    assert_int_equal(field[OF_CT_STATE], OF_CT_TRK | OF_CT_NEW);
    assert_int_equal(field[OF_IPV4_SRC], 0x0a000001);
}

static void
a_later_fragment_and_icmp_keep_what_is_no_port(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    put_tracking(lab, snat);
    p.field[OF_IP_FRAG] = OF_FRAG_ANY | OF_FRAG_LATER;
    const uint64_t *field = tracked(lab, p);
    assert_int_equal(field[OF_IPV4_SRC], 0xcb007105);
    assert_original(field, 0x0a000001, 0x0a000002, 0, 0);

    p = sample_tcp();
    p.field[OF_IP_PROTO] = 1;
    p.field[OF_ICMPV4_TYPE] = 8;
    field = tracked(lab, p);
    assert_int_equal(field[OF_ICMPV4_TYPE], 8);
    assert_int_equal(field[OF_IPV4_SRC], 0xcb007105);
    assert_original(field, 0x0a000001, 0x0a000002, 8, 0);
}

/* The packet answers 10.0.0.2:80, which 10.9.9.9:5000 became. */
static void
a_reply_is_what_the_caller_says(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    put_tracking(lab, (struct flow_ct){ .nat = FLOW_NAT_KNOWN });
    p.ct_next[0] = (struct exec_ct){ .state = OF_CT_EST | OF_CT_RPL | OF_CT_DNAT, .ip = 0x0a090909, .port = 5000 };
    p.n_ct_next = 1;
    const uint64_t *field = tracked(lab, p);
    assert_int_equal(field[OF_CT_STATE], OF_CT_TRK | OF_CT_EST | OF_CT_RPL | OF_CT_DNAT);
    assert_int_equal(field[OF_IPV4_DST], 0x0a090909);
    assert_int_equal(field[OF_TCP_DST], 5000);
    assert_int_equal(field[OF_IPV4_SRC], 0x0a000001);
    assert_original(field, 0x0a090909, 0x0a000001, 5000, 1000);
    assert_int_equal(lab->r.outputs[0].packet.n_ct_next, 0);
}

static void
lookups_are_used_up_in_order_and_then_find_nothing(void **state)
{
    static const uint32_t states[] = { OF_CT_INV, OF_CT_EST, OF_CT_NEW };
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    match_family(lab_flow(lab, 0, 1), IP_V4);
    for (unsigned i = 0; i < 3; i++)
        act_ct(lab->fb, &(struct flow_ct){ .zone = i, .table = 1 });
    lab_end(lab);
    act_output(lab_flow(lab, 1, 1), 2);
    lab_end(lab);
    p.ct_next[0].state = OF_CT_INV;
    p.ct_next[1].state = OF_CT_EST;
    p.n_ct_next = 2;

    assert_true(lab_run(lab, p));
    assert_int_equal(lab->r.n_outputs, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lab->r.outputs[i].packet.field[OF_CT_STATE], OF_CT_TRK | states[i]);
        assert_int_equal(lab->r.outputs[i].packet.n_ct_next, i == 0 ? 1 : 0);
    }
    assert_int_equal(lab->r.outputs[0].packet.ct_next[0].state, OF_CT_EST);
}

static void
without_a_free_port_nothing_is_translated(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    put_tracking(lab, snat);
    p.ct_next[0].state = OF_CT_NEW;
    p.n_ct_next = 1;
    const uint64_t *field = tracked(lab, p);
    assert_int_equal(field[OF_CT_STATE], OF_CT_TRK | OF_CT_NEW);
    assert_int_equal(field[OF_IPV4_SRC], 0x0a000001);
}

static void
a_flow_without_nat_does_not_translate_what_is_known(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    put_tracking(lab, (struct flow_ct){ .nat = FLOW_NAT_NONE });
    p.ct_next[0] = (struct exec_ct){ .state = OF_CT_EST | OF_CT_DNAT, .ip = 0x0a090909 };
    p.n_ct_next = 1;
    const uint64_t *field = tracked(lab, p);
    assert_int_equal(field[OF_CT_STATE], OF_CT_TRK | OF_CT_EST);
    assert_int_equal(field[OF_IPV4_DST], 0x0a000002);
}

static void
a_cleared_packet_is_untracked_but_stays_translated(void **state)
{
    struct lab *lab = *state;
    match_family(lab_flow(lab, 0, 1), IP_V4);
    act_ct(lab->fb, &(struct flow_ct){ .zone = 7, .table = 1, .is_commit = true, .nat = FLOW_NAT_DST, .ip = ip4(0xcb007105) });
    lab_end(lab);
    match_ct_state(lab_flow(lab, 1, 1), OF_CT_TRK | OF_CT_DNAT, OF_CT_TRK | OF_CT_DNAT);
    act_ct_clear(lab->fb);
    act_goto(lab->fb, 2);
    lab_end(lab);
    match_ct_state(lab_flow(lab, 2, 1), 0, OF_CT_TRK);
    act_output(lab->fb, 2);
    lab_end(lab);

    assert_true(lab_run(lab, sample_tcp()));
    assert_output(lab, 0, EXEC_PORT, 2);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_IPV4_DST], 0xcb007105);
    assert_int_equal(lab->r.outputs[0].packet.field[OF_CT_NW_DST], 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, lab_setup, lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_connection_is_translated_and_the_rest_of_the_list_sees_nothing_of_it),
        TEST(what_is_not_committed_is_not_translated),
        TEST(a_later_fragment_and_icmp_keep_what_is_no_port),
        TEST(a_reply_is_what_the_caller_says),
        TEST(lookups_are_used_up_in_order_and_then_find_nothing),
        TEST(without_a_free_port_nothing_is_translated),
        TEST(a_flow_without_nat_does_not_translate_what_is_known),
        TEST(a_cleared_packet_is_untracked_but_stays_translated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
