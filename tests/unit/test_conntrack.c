/* What ovs-vswitchd says of tracked connections: which are a balancer's, which are open, and an answer that comes in pieces. */
#include "agent/conntrack_counts.h"
#include "agent/conntrack_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

#define ORIG "orig=(src=10.0.1.5,dst=10.0.1.100,sport=41247,dport=80)"
#define REPLY "reply=(src=10.0.1.4,dst=10.0.1.5,sport=8080,dport=41247)"
#define MARKS "mark=1,labels=0x1f00000000"
#define STATES(ORIG_STATE, REPLY_STATE) "protoinfo=(state_orig=" ORIG_STATE ",state_reply=" REPLY_STATE ",wscale_orig=10,wscale_reply=10)"
#define NETDEV(STATES) "tcp," ORIG "," REPLY ",id=0,zone=2,status=0," MARKS "," STATES
#define KERNEL(STATES) \
    "tcp," ORIG "," REPLY ",id=3216735722,zone=2,status=SEEN_REPLY|ASSURED|CONFIRMED|DST_NAT|DST_NAT_DONE," MARKS "," STATES
#define UDP "udp," ORIG "," REPLY ",id=0,zone=7,status=0," MARKS

/* ---- lines ---- */

static struct conntrack_entry
read_balanced(const char *line)
{
    struct conntrack_entry e;
    struct error err;
    bool is_balanced;
    if (!conntrack_line_read(line, strlen(line), &e, &is_balanced, &err))
        fail_msg("%s", err.text);
    assert_true(is_balanced);
    return e;
}

static bool
is_other(const char *line)
{
    struct conntrack_entry e;
    struct error err;
    bool is_balanced;
    if (!conntrack_line_read(line, strlen(line), &e, &is_balanced, &err))
        fail_msg("%s", err.text);
    return !is_balanced;
}

static bool
is_refused(const char *line)
{
    struct conntrack_entry e;
    struct error err;
    bool is_balanced;
    return !conntrack_line_read(line, strlen(line), &e, &is_balanced, &err) && strstr(err.text, "makes no sense");
}

static void
a_balanced_connection_is_known_by_target_zone_and_original_destination(void **state)
{
    static const char *const lines[] = { NETDEV(STATES("ESTABLISHED", "ESTABLISHED")), KERNEL(STATES("ESTABLISHED", "ESTABLISHED")), UDP };
    for (size_t i = 0; i < 3; i++) {
        struct conntrack_entry e = read_balanced(lines[i]);
        assert_int_equal(e.target, 0x1f);
        assert_int_equal(e.zone, i == 2 ? 7 : 2);
        assert_int_equal(e.proto, i == 2 ? 17 : 6);
        assert_int_equal(ip4_u32(e.ip), 0x0a000164);
        assert_int_equal(e.port, 80);
        assert_true(e.is_open);
    }
}

static void
what_no_balancer_has_given_to_a_target_is_another_s(void **state)
{
    assert_true(is_other("tcp," ORIG "," REPLY ",id=0,zone=1,status=0," STATES("ESTABLISHED", "ESTABLISHED")));
    assert_true(is_other("tcp," ORIG "," REPLY ",id=0,zone=1,status=0,mark=2,labels=0x21," STATES("ESTABLISHED", "ESTABLISHED")));
    assert_true(is_other("tcp," ORIG "," REPLY ",id=0,zone=1,status=0,mark=2,labels=0x1f00000000," STATES("ESTABLISHED", "ESTABLISHED")));
    assert_true(is_other("tcp," ORIG "," REPLY ",id=0,zone=1,status=0,mark=1," STATES("ESTABLISHED", "ESTABLISHED")));
    assert_true(
        is_other("icmp,orig=(src=10.0.1.5,dst=10.0.1.6,id=7,type=8,code=0),reply=(src=10.0.1.6,dst=10.0.1.5,id=7,type=0,code=0),id=0,"
                 "zone=1,status=0,mark=1,labels=0x100000000"));
    assert_true(is_other("unspec(50),orig=(src=fe80::1,dst=fe80::2),reply=(src=fe80::2,dst=fe80::1)"));
    assert_true(is_other("a word"));
    assert_true(is_other(""));
}

static void
the_target_is_taken_from_its_part_of_the_label(void **state)
{
    assert_int_equal(read_balanced("udp," ORIG "," REPLY ",zone=1,mark=3,labels=0x1234567800000021").target, 0x12345678);
    assert_int_equal(read_balanced("udp," ORIG "," REPLY ",zone=1,mark=1,labels=0xffffffffffffffff0000000700000009").target, 7);
}

static void
a_connection_is_open_until_it_is_closed_both_ways(void **state)
{
    assert_true(read_balanced(NETDEV(STATES("SYN_SENT", "CLOSED"))).is_open);
    assert_true(read_balanced(NETDEV(STATES("FIN_WAIT_2", "ESTABLISHED"))).is_open);
    assert_true(read_balanced(NETDEV(STATES("ESTABLISHED", "FIN_WAIT_2"))).is_open);
    assert_true(read_balanced(KERNEL(STATES("CLOSE_WAIT", "CLOSE_WAIT"))).is_open);
    assert_true(read_balanced(KERNEL(STATES("LAST_ACK", "LAST_ACK"))).is_open);
    assert_false(read_balanced(NETDEV(STATES("FIN_WAIT_2", "FIN_WAIT_2"))).is_open);
    assert_false(read_balanced(NETDEV(STATES("TIME_WAIT", "TIME_WAIT"))).is_open);
    assert_false(read_balanced(KERNEL(STATES("CLOSED", "CLOSED"))).is_open);
}

static void
a_line_that_says_to_be_balanced_and_makes_no_sense_is_refused(void **state)
{
    assert_true(is_refused("tcp," ORIG ",zone=2," MARKS)); /* without its state */
    assert_true(is_refused("tcp," ORIG ",zone=2," MARKS ",protoinfo=(state_orig=ESTABLISHED)"));
    assert_true(is_refused("udp,zone=2," MARKS));
    assert_true(is_refused("udp,orig=src=10.0.1.5,zone=2," MARKS));
    assert_true(is_refused("udp,orig=(src=10.0.1.5,dst=10.0.1.1000,sport=1,dport=80)," MARKS));
    assert_true(is_refused("udp,orig=(src=10.0.1.5,dst=10.0.1.100,sport=1,dport=65536)," MARKS));
    assert_true(is_refused("udp,orig=(src=10.0.1.5,dst=10.0.1.100,sport=1)," MARKS));
    assert_true(is_refused("udp," ORIG ",zone=65536," MARKS));
    assert_true(is_refused("udp," ORIG ",mark=one"));
    assert_true(is_refused("udp," ORIG ",mark=99999999999999999999999"));
    assert_true(is_refused("udp," ORIG ",mark=1,labels=1f"));
    assert_true(is_refused("udp," ORIG ",mark=1,labels=0x"));
    assert_true(is_refused("udp," ORIG ",mark=1,labels=0x1G"));
    assert_true(is_refused("udp," ORIG ",mark=1,labels=0x000000000000000000000000000000001f00000000"));
    assert_true(is_refused("udp," ORIG ",mark=\n"));
}

/* ---- counts ---- */

static char *
counted(struct conntrack_counts *c)
{
    json_t *rows = conntrack_counts_json(c);
    char *text = json_text(rows);
    json_decref(rows);
    conntrack_counts_free(c);
    return text;
}

static void
add(struct conntrack_counts *c, const char *line)
{
    struct error err;
    struct conntrack_entry e = read_balanced(line);
    assert_true(conntrack_counts_add(c, &e, &err));
}

static void
what_is_open_is_counted_by_zone_target_and_destination(void **state)
{
    struct conntrack_counts *c = conntrack_counts_new();
    add(c, NETDEV(STATES("ESTABLISHED", "ESTABLISHED")));
    add(c, NETDEV(STATES("SYN_SENT", "CLOSED")));
    add(c, NETDEV(STATES("TIME_WAIT", "TIME_WAIT")));
    char *text = counted(c);
    assert_string_equal(text, "[[2,31,\"tcp\",\"10.0.1.100\",80,2]]");
    free(text);

    c = conntrack_counts_new();
    static const char *const different[] = {
        "udp,orig=(dst=10.0.0.1,dport=1),zone=1,mark=1,labels=0x100000000",
        "udp,orig=(dst=10.0.0.1,dport=1),zone=2,mark=1,labels=0x100000000",
        "udp,orig=(dst=10.0.0.1,dport=1),zone=1,mark=1,labels=0x200000000",
        "udp,orig=(dst=10.0.0.2,dport=1),zone=1,mark=1,labels=0x100000000",
        "udp,orig=(dst=10.0.0.1,dport=2),zone=1,mark=1,labels=0x100000000",
    };
    for (size_t i = 0; i < 10; i++)
        add(c, different[i % 5]);
    json_t *rows = conntrack_counts_json(c);
    assert_int_equal(json_array_size(rows), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(json_integer_value(json_array_get(json_array_get(rows, i), 5)), 2);
    json_decref(rows);
    conntrack_counts_free(c);
}

static void
there_is_a_bound_to_what_is_told(void **state)
{
    struct conntrack_counts *c = conntrack_counts_new();
    struct error err;
    struct conntrack_entry e = { .target = 1, .proto = 6, .ip = ip4(1), .is_open = true };
    for (uint32_t i = 0; i < CONNTRACK_COUNTS_MAX; i++) {
        e.port = (uint16_t) i;
        assert_true(conntrack_counts_add(c, &e, &err));
    }
    assert_true(conntrack_counts_add(c, &e, &err));
    e.target = 2;
    assert_false(conntrack_counts_add(c, &e, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    conntrack_counts_free(c);
}

/* ---- answers ---- */

struct heard {
    char lines[2048];
    bool stops;
};

static bool
on_line(void *aux, const char *line, size_t n, struct error *err)
{
    struct heard *h = aux;
    size_t at = strlen(h->lines);
    assert_true(at + n + 2 < sizeof h->lines);
    memcpy(h->lines + at, line, n);
    memcpy(h->lines + at + n, ";", 2);
    return !h->stops || error_set(err, ERROR_INVALID, "enough");
}

/* The lines of an answer that comes in pieces of that size; NULL: it is refused, or not whole. */
static const char *
hear(struct heard *h, const char *text, size_t piece, struct error *err)
{
    static struct conntrack_reply r;
    h->lines[0] = '\0';
    error_set(err, ERROR_INTERNAL, "it is not whole");
    conntrack_reply_init(&r, on_line, h);
    for (size_t i = 0, n = strlen(text); i < n; i += piece)
        if (!conntrack_reply_push(&r, text + i, n - i < piece ? n - i : piece, err))
            return NULL;
    return conntrack_reply_is_whole(&r) ? h->lines : NULL;
}

static void
lines_come_out_of_an_answer_however_it_is_cut(void **state)
{
    static const char *const answers[] = {
        "{\"id\":7,\"result\":\"one\\ntwo\\n\",\"error\":null}",
        "{\"error\":null,\"id\":0,\"result\":\"one\\ntwo\"}",
        " { \"id\" : \"a \\\"name\\\"\" , \"result\" : \"\\none\\n\\n\\u0074wo\\n\" , \"error\" : null } and what follows does not matter",
    };
    struct heard h = { .stops = false };
    struct error err;
    for (size_t i = 0; i < 3; i++)
        for (size_t piece = 1; piece < 80; piece++) {
            const char *lines = hear(&h, answers[i], piece, &err);
            if (!lines)
                fail_msg("%s: %s", answers[i], err.text);
            assert_string_equal(lines, "one;two;");
        }
}

static void
escaped_characters_are_what_they_stand_for(void **state)
{
    struct heard h = { .stops = false };
    struct error err;
    assert_string_equal(hear(&h, "{\"result\":\"a\\t\\r\\b\\f\\\"\\\\\\/\\u0041\\u00e4\\u0000\"}", 100, &err), "a\t\r\b\f\"\\/A??;");
    assert_string_equal(hear(&h, "{\"result\":\"\"}", 100, &err), "");
}

static void
an_error_is_told_in_the_daemon_s_words(void **state)
{
    struct heard h = { .stops = false };
    struct error err;
    assert_null(hear(&h, "{\"id\":8,\"error\":\"ovs-vswitchd: datapath not found (Invalid argument)\\n\"}", 3, &err));
    assert_string_equal(err.text, "ovs-vswitchd says: ovs-vswitchd: datapath not found (Invalid argument)");
    h.stops = true;
    assert_null(hear(&h, "{\"result\":\"one\\ntwo\\n\"}", 3, &err));
    assert_string_equal(err.text, "enough");
    assert_string_equal(h.lines, "one;");
}

static void
what_is_no_answer_is_refused(void **state)
{
    static const char *const wrong[] = {
        "[]",
        "{}",
        "{\"id\":1}",
        "{\"result\":null}",
        "{\"result\":{}}",
        "{\"result\":[\"one\"]}",
        "{result:1}",
        "{\"result\" \"one\"}",
        "{\"result\":\"one\"\"error\":null}",
        "{\"result\":\"one\" null}",
        "{\"result\":\"\\x\"}",
        "{\"result\":\"\\u00g0\"}",
        "{\"result\":\"one\ntwo\"}",
        "{\"re\\sult\":\"one\"}",
        "{\"a member of a very long name\":1}",
        "{\"result\":\"one\",\"result\":\"two\"}",
        "{\"result\":\"one\",}",
        "{\"id\":1!}",
    };
    struct heard h = { .stops = false };
    struct error err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_null(hear(&h, wrong[i], 1, &err));
        assert_int_not_equal(err.code, ERROR_INTERNAL);
    }
    assert_null(hear(&h, "{\"id\":1,\"result\":\"one\\ntwo", 1, &err));
    assert_int_equal(err.code, ERROR_INTERNAL);
}

static void
a_line_and_an_answer_have_a_bound(void **state)
{
    static struct conntrack_reply r;
    struct heard h = { .stops = false };
    struct error err;
    char *block = mem_alloc(1 << 20);
    memset(block, 'x', 1 << 20);
    conntrack_reply_init(&r, on_line, &h);
    assert_true(conntrack_reply_push(&r, "{\"result\":\"", 11, &err));
    assert_true(conntrack_reply_push(&r, block, CONNTRACK_LINE_MAX - 1, &err));
    assert_false(conntrack_reply_push(&r, block, 1, &err));
    assert_non_null(strstr(err.text, "a line of more than"));

    conntrack_reply_init(&r, on_line, &h);
    assert_true(conntrack_reply_push(&r, "{\"other\":\"", 10, &err));
    for (int i = 1; i < CONNTRACK_REPLY_MAX >> 20; i++)
        assert_true(conntrack_reply_push(&r, block, 1 << 20, &err));
    assert_false(conntrack_reply_push(&r, block, 1 << 20, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    free(block);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_balanced_connection_is_known_by_target_zone_and_original_destination),
        cmocka_unit_test(what_no_balancer_has_given_to_a_target_is_another_s),
        cmocka_unit_test(the_target_is_taken_from_its_part_of_the_label),
        cmocka_unit_test(a_connection_is_open_until_it_is_closed_both_ways),
        cmocka_unit_test(a_line_that_says_to_be_balanced_and_makes_no_sense_is_refused),
        cmocka_unit_test(what_is_open_is_counted_by_zone_target_and_destination),
        cmocka_unit_test(there_is_a_bound_to_what_is_told),
        cmocka_unit_test(lines_come_out_of_an_answer_however_it_is_cut),
        cmocka_unit_test(escaped_characters_are_what_they_stand_for),
        cmocka_unit_test(an_error_is_told_in_the_daemon_s_words),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(a_line_and_an_answer_have_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
