/* The executor and connections' entries: zones from fields, marks and labels, tracking without going on in a table, TCP flags. */
#include "tests/unit/exec_lab.h"

#define PUBLIC 0xcb007105

static struct of_field
part(enum of_field_id id, unsigned ofs, unsigned bits)
{
    return (struct of_field){ .id = id, .ofs = ofs, .bits = bits };
}

static struct flow_builder *
ip_flow(struct lab *lab, uint8_t table)
{
    flow_begin(lab->fb, table, 1, ++lab->n);
    match_family(lab->fb, IP_V4);
    return lab->fb;
}

/* The 'i'th packet that leaves, and by which port. */
static const uint64_t *
leaves(struct lab *lab, size_t i, uint32_t port)
{
    assert_true(i < lab->r.n_outputs);
    assert_int_equal(lab->r.outputs[i].kind, EXEC_PORT);
    assert_int_equal(lab->r.outputs[i].port, port);
    return lab->r.outputs[i].packet.field;
}

static void
run(struct lab *lab, const struct exec_packet *p, size_t n_outputs)
{
    struct error err;
    if (!exec_run(lab->table, p, lab->arena, &lab->r, &err))
        fail_msg("%s", err.text);
    assert_int_equal(lab->r.n_outputs, n_outputs);
}

/* Table 'table' sends to port 2. */
static void
send_from(struct lab *lab, uint8_t table)
{
    act_output(ip_flow(lab, table), 2);
    lab_end(lab);
}

static void
the_zone_comes_from_the_field_that_the_flow_names(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    act_set(ip_flow(lab, 0), of_field_whole(OF_REG3), 0xab1234cd);
    act_ct(lab->fb, &(struct flow_ct){ .zone_field = part(OF_REG3, 8, 16), .table = 1 });
    lab_end(lab);
    act_set(ip_flow(lab, 1), of_field_whole(OF_REG3), 0);
    act_ct(lab->fb, &(struct flow_ct){ .zone_field = of_field_whole(OF_CT_ZONE), .table = 2 });
    lab_end(lab);
    send_from(lab, 2);
    run(lab, &p, 1);
    assert_int_equal(leaves(lab, 0, 2)[OF_CT_ZONE], 0x1234);
}

static void
what_a_commit_writes_is_seen_where_it_goes_on(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    const struct flow_ct_set sets[] = {
        { .field = part(OF_CT_MARK, 8, 16), .value = 0xbeef },
        { .field = part(OF_CT_LABEL, 32, 32), .from = of_field_whole(OF_REG1) },
        { .field = part(OF_CT_LABEL, 0, 4), .value = 5 },
    };
    act_set(ip_flow(lab, 0), of_field_whole(OF_REG1), 0x12345678);
    act_ct(lab->fb, &(struct flow_ct){ .zone = 1, .table = 1, .is_commit = true, .sets = sets, .n_sets = 3 });
    act_output(lab->fb, 9);
    lab_end(lab);
    match_u64(ip_flow(lab, 1), part(OF_CT_MARK, 8, 16), 0xbeef);
    match_u64(lab->fb, part(OF_CT_LABEL, 60, 4), 1);
    act_move(lab->fb, of_field_whole(OF_CT_MARK), of_field_whole(OF_REG2));
    act_move(lab->fb, part(OF_CT_LABEL, 32, 32), of_field_whole(OF_REG3));
    act_move(lab->fb, part(OF_CT_STATE, 0, 8), part(OF_REG4, 0, 8));
    act_move(lab->fb, of_field_whole(OF_CT_ZONE), part(OF_REG4, 16, 16));
    act_output(lab->fb, 2);
    lab_end(lab);

    run(lab, &p, 2);
    const uint64_t *field = leaves(lab, 0, 2), *rest = leaves(lab, 1, 9);
    assert_int_equal(field[OF_CT_MARK], 0x00beef00);
    assert_int_equal(field[OF_CT_LABEL], 0x1234567800000005);
    assert_int_equal(field[OF_REG2], 0x00beef00);
    assert_int_equal(field[OF_REG3], 0x12345678);
    assert_int_equal(field[OF_REG4], 1u << 16 | OF_CT_TRK | OF_CT_NEW);
    assert_int_equal(rest[OF_CT_MARK], 0);
    assert_int_equal(rest[OF_CT_LABEL], 0);

    /* A known connection's other bits stay. */
    p.n_ct_next = 1;
    p.ct_next[0] = (struct exec_ct){ .state = OF_CT_EST, .mark = 0x77777777, .label = 0xfff0 };
    run(lab, &p, 2);
    field = leaves(lab, 0, 2);
    assert_int_equal(field[OF_CT_MARK], 0x77beef77);
    assert_int_equal(field[OF_CT_LABEL], 0x123456780000fff5);
    assert_int_equal(lab->r.outputs[0].packet.n_ct_next, 0);
}

static void
a_lookup_finds_the_mark_and_label_that_it_is_said_to_find(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    act_ct(ip_flow(lab, 0), &(struct flow_ct){ .zone = 1, .table = 1 });
    lab_end(lab);
    act_ct(ip_flow(lab, 1), &(struct flow_ct){ .zone = 2, .table = 2 });
    lab_end(lab);
    send_from(lab, 2);
    p.n_ct_next = 2;
    p.ct_next[0] = (struct exec_ct){ .state = OF_CT_EST, .mark = 1, .label = 2 };
    p.ct_next[1] = (struct exec_ct){ .state = OF_CT_EST, .label = UINT64_MAX };
    run(lab, &p, 1);
    assert_int_equal(leaves(lab, 0, 2)[OF_CT_MARK], 0);
    assert_int_equal(leaves(lab, 0, 2)[OF_CT_LABEL], UINT64_MAX);
    assert_int_equal(lab->r.after.field[OF_CT_LABEL], 0);
}

static void
what_has_no_entry_is_not_marked(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    const struct flow_ct_set set = { .field = of_field_whole(OF_CT_MARK), .value = 7 };
    act_ct(
        ip_flow(lab, 0),
        &(struct flow_ct){ .zone = 1, .table = 1, .is_commit = true, .nat = FLOW_NAT_SRC, .ip = ip4(PUBLIC), .sets = &set, .n_sets = 1 });
    lab_end(lab);
    send_from(lab, 1);
    run(lab, &p, 1);
    assert_int_equal(leaves(lab, 0, 2)[OF_CT_MARK], 7);
    p.n_ct_next = 1;
    p.ct_next[0].state = OF_CT_INV;
    run(lab, &p, 1);
    assert_int_equal(leaves(lab, 0, 2)[OF_CT_MARK], 0);
    p.ct_next[0].state = OF_CT_NEW; /* no port was free */
    run(lab, &p, 1);
    assert_int_equal(leaves(lab, 0, 2)[OF_CT_MARK], 0);
}

static void
without_a_table_the_packet_goes_on_untracked(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    const struct flow_ct_set set = { .field = of_field_whole(OF_CT_MARK), .value = 7 };
    act_ct(ip_flow(lab, 0), &(struct flow_ct){ .zone = 1, .table = FLOW_CT_NO_TABLE, .is_commit = true, .sets = &set, .n_sets = 1 });
    act_goto(lab->fb, 1);
    lab_end(lab);
    send_from(lab, 1);
    p.n_ct_next = 1;
    p.ct_next[0] = (struct exec_ct){ .state = OF_CT_EST, .mark = 3 };
    run(lab, &p, 1);
    const uint64_t *field = leaves(lab, 0, 2);
    assert_int_equal(field[OF_CT_STATE], 0);
    assert_int_equal(field[OF_CT_MARK], 0);
    assert_int_equal(field[OF_CT_ZONE], 0);
    assert_int_equal(lab->r.outputs[0].packet.n_ct_next, 1); /* nobody saw what it found */
}

/* Table 0 gives port 'PUBLIC':5000 as the source, without a table; table 1 tells by the old source. */
static void
put_late_translation(struct lab *lab)
{
    act_ct(ip_flow(lab, 0), &(struct flow_ct){ .zone = 1,
                                               .table = FLOW_CT_NO_TABLE,
                                               .is_commit = true,
                                               .nat = FLOW_NAT_SRC,
                                               .ip = ip4(PUBLIC),
                                               .port_lo = 5000,
                                               .port_hi = 5000 });
    act_goto(lab->fb, 1);
    lab_end(lab);
    match_ip_src(ip_flow(lab, 1), ip_prefix_host(ip4(0x0a000001)));
    act_output(lab->fb, 2);
    act_resubmit(lab->fb, 2);
    act_set(lab->fb, of_field_whole(OF_IPV4_SRC), 0x01020304);
    act_output(lab->fb, 3);
    lab_end(lab);
}

static void
what_is_translated_without_a_table_shows_when_it_leaves(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    put_late_translation(lab);
    run(lab, &p, 2);
    assert_int_equal(leaves(lab, 0, 2)[OF_IPV4_SRC], PUBLIC);
    assert_int_equal(leaves(lab, 0, 2)[OF_TCP_SRC], 5000);
    assert_int_equal(leaves(lab, 0, 2)[OF_IPV4_DST], 0x0a000002);
    assert_int_equal(leaves(lab, 1, 3)[OF_IPV4_SRC], 0x01020304);
    assert_int_equal(leaves(lab, 1, 3)[OF_TCP_SRC], 5000);
    assert_int_equal(lab->r.after.field[OF_TCP_SRC], 1000);

    p.n_ct_next = 1;
    p.ct_next[0] = (struct exec_ct){ .state = OF_CT_EST | OF_CT_SNAT, .ip = PUBLIC + 1 };
    run(lab, &p, 2);
    assert_int_equal(leaves(lab, 0, 2)[OF_IPV4_SRC], PUBLIC + 1);
    assert_int_equal(leaves(lab, 0, 2)[OF_TCP_SRC], 1000);
}

static void
a_later_lookup_sees_what_was_translated_without_a_table(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    put_late_translation(lab);
    act_ct(ip_flow(lab, 2), &(struct flow_ct){ .zone = 2, .table = 3 });
    lab_end(lab);
    match_ip_src(ip_flow(lab, 3), ip_prefix_host(ip4(PUBLIC)));
    act_output(lab->fb, 4);
    lab_end(lab);
    run(lab, &p, 3);
    const uint64_t *field = leaves(lab, 1, 4);
    assert_int_equal(field[OF_CT_NW_SRC], PUBLIC);
    assert_int_equal(field[OF_CT_TP_SRC], 5000);
    assert_int_equal(leaves(lab, 2, 3)[OF_TCP_SRC], 5000); /* and is still so after it */
}

static void
tcp_flags_are_matched_under_a_mask_and_only_of_tcp(void **state)
{
    struct lab *lab = *state;
    struct exec_packet p = sample_tcp();
    flow_begin(lab->fb, 0, 2, ++lab->n);
    match_tcp_flags(lab->fb, IP_V4, OF_TCP_SYN, OF_TCP_SYN | OF_TCP_ACK);
    act_output(lab->fb, 3);
    lab_end(lab);
    send_from(lab, 0);
    p.field[OF_TCP_FLAGS] = OF_TCP_SYN | OF_TCP_PSH;
    run(lab, &p, 1);
    leaves(lab, 0, 3);
    p.field[OF_TCP_FLAGS] = OF_TCP_SYN | OF_TCP_ACK;
    run(lab, &p, 1);
    leaves(lab, 0, 2);
    p.field[OF_TCP_FLAGS] = OF_TCP_SYN;
    p.field[OF_IP_PROTO] = 17;
    run(lab, &p, 1);
    assert_int_equal(leaves(lab, 0, 2)[OF_TCP_FLAGS], 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, lab_setup, lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_zone_comes_from_the_field_that_the_flow_names),
        TEST(what_a_commit_writes_is_seen_where_it_goes_on),
        TEST(a_lookup_finds_the_mark_and_label_that_it_is_said_to_find),
        TEST(what_has_no_entry_is_not_marked),
        TEST(without_a_table_the_packet_goes_on_untracked),
        TEST(what_is_translated_without_a_table_shows_when_it_leaves),
        TEST(a_later_lookup_sees_what_was_translated_without_a_table),
        TEST(tcp_flags_are_matched_under_a_mask_and_only_of_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
