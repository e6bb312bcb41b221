/* What agents report of open connections, and the sums over hosts. */
#include "controller/instance/open_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "tests/unit/random.h"

#define WEB                                                        \
    {                                                              \
        .ip = { IP_V4, { 10, 0, 1, 100 } }, .port = 80, .proto = 6 \
    }

/* ---- reports ---- */

static bool
read_text(struct open_report *r, const char *text, struct error *err)
{
    char *copy = mem_strdup(text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *json = json_parse(copy, strlen(copy), "test", err);
    free(copy);
    if (!json)
        fail_msg("%s", err->text);
    bool ok = open_report_read(r, json, err);
    json_decref(json);
    return ok;
}

static struct open_report
must_read(const char *text)
{
    struct open_report r;
    struct error err;
    if (!read_text(&r, text, &err))
        fail_msg("%s", err.text);
    return r;
}

static void
a_report_is_read_as_it_is_written(void **state)
{
    struct open_report r =
        must_read("{'every_ms':10000,'counts':[[2,31,'tcp','10.0.1.100',80,17],[65535,4294967295,'udp','203.0.113.9',53,1]]}");
    assert_int_equal(r.every_ms, 10000);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.rows[0].zone, 2);
    assert_int_equal(r.rows[0].target, 31);
    assert_int_equal(r.rows[0].place.proto, 6);
    assert_int_equal(r.rows[0].place.port, 80);
    assert_int_equal(ip4_u32(r.rows[0].place.ip), 0x0a000164);
    assert_int_equal(r.rows[0].n, 17);
    assert_int_equal(r.rows[1].target, 0xffffffff);
    assert_int_equal(r.rows[1].place.proto, 17);
    open_report_done(&r);
    r = must_read("null");
    assert_int_equal(r.every_ms, 0);
    open_report_done(&r);
    r = must_read("{'every_ms':99999999999,'counts':[]}");
    assert_int_equal(r.every_ms, OPEN_EVERY_MAX_MS);
    open_report_done(&r);
}

static void
a_report_that_makes_no_sense_is_refused(void **state)
{
    static const char *const wrong[] = {
        "7",
        "{}",
        "{'every_ms':10000}",
        "{'counts':[]}",
        "{'every_ms':0,'counts':[]}",
        "{'every_ms':1,'counts':{}}",
        "{'every_ms':1,'counts':[7]}",
        "{'every_ms':1,'counts':[[]]}",
        "{'every_ms':1,'counts':[[2,31,'tcp','10.0.1.100',80]]}",
        "{'every_ms':1,'counts':[[2,31,'tcp','10.0.1.100',80,1,1]]}",
        "{'every_ms':1,'counts':[[-1,31,'tcp','10.0.1.100',80,1]]}",
        "{'every_ms':1,'counts':[[65536,31,'tcp','10.0.1.100',80,1]]}",
        "{'every_ms':1,'counts':[[2,'a','tcp','10.0.1.100',80,1]]}",
        "{'every_ms':1,'counts':[[2,31,'sctp','10.0.1.100',80,1]]}",
        "{'every_ms':1,'counts':[[2,31,6,'10.0.1.100',80,1]]}",
        "{'every_ms':1,'counts':[[2,31,'tcp','10.0.1',80,1]]}",
        "{'every_ms':1,'counts':[[2,31,'tcp',7,80,1]]}",
        "{'every_ms':1,'counts':[[2,31,'tcp','10.0.1.100',65536,1]]}",
        "{'every_ms':1,'counts':[[2,31,'tcp','10.0.1.100',80,1.5]]}",
        "{'every_ms':1,'counts':[[2,31,'tcp','10.0.1.100',80,4294967296]]}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct open_report r;
        struct error err;
        if (read_text(&r, wrong[i], &err))
            fail_msg("taken: %s", wrong[i]);
        assert_non_null(strstr(err.text, "connections"));
    }
}

static void
there_is_a_bound_to_a_report(void **state)
{
    struct open_report r;
    struct error err;
    json_t *counts = json_array(), *report = json_pack("{s:i,s:o}", "every_ms", 1, "counts", counts);
    for (int i = 0; i < OPEN_ROWS_MAX; i++)
        json_array_append_new(counts, json_pack("[i,i,s,s,i,i]", 1, i, "tcp", "10.0.0.1", 80, 1));
    assert_true(open_report_read(&r, report, &err));
    assert_int_equal(r.n, OPEN_ROWS_MAX);
    open_report_done(&r);
    json_array_append_new(counts, json_pack("[i,i,s,s,i,i]", 1, 1, "tcp", "10.0.0.1", 80, 1));
    assert_false(open_report_read(&r, report, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    json_decref(report);
}

/* ---- sums ---- */

static bool
is_alive(void *aux, uint16_t zone)
{
    return zone < 100;
}

static bool
is_concerned(void *aux, uint32_t target)
{
    return target < 1000;
}

static void
take(struct open_counts *all, uint32_t host, const char *counts)
{
    char *text = mem_printf("{'every_ms':1,'counts':%s}", counts);
    struct open_report r = must_read(text);
    open_counts_take(all, host, &r, is_alive, NULL);
    open_report_done(&r);
    free(text);
}

static uint64_t
at(const struct open_counts *all, struct open_place place)
{
    return open_counts_at(all, &place, is_concerned, NULL);
}

static void
hosts_are_summed_up_and_what_one_says_last_counts(void **state)
{
    struct open_counts *all = open_counts_new();
    struct open_place web = WEB, mail = WEB, dns = WEB;
    mail.port = 25;
    dns.proto = 17;
    take(all, 1,
         "[[1,7,'tcp','10.0.1.100',80,3],[2,7,'tcp','10.0.1.100',80,4],[1,8,'tcp','10.0.1.100',80,5],[1,7,'tcp','10.0.1.100',25,1]]");
    take(all, 2, "[[1,7,'tcp','10.0.1.100',80,10],[1,7,'udp','10.0.1.100',80,100]]");
    assert_int_equal(open_counts_of_target(all, 7), 118);
    assert_int_equal(open_counts_of_target(all, 8), 5);
    assert_int_equal(open_counts_of_target(all, 9), 0);
    assert_int_equal(at(all, web), 22);
    assert_int_equal(at(all, mail), 1);
    assert_int_equal(at(all, dns), 100);

    take(all, 1, "[[1,7,'tcp','10.0.1.100',80,2]]");
    assert_int_equal(open_counts_of_target(all, 7), 112);
    assert_int_equal(open_counts_of_target(all, 8), 0);
    assert_int_equal(at(all, mail), 0);
    open_counts_forget(all, 2);
    assert_int_equal(open_counts_of_target(all, 7), 2);
    open_counts_forget(all, 2);
    open_counts_free(all);
}

static void
zones_of_nothing_alive_and_targets_of_others_do_not_count(void **state)
{
    struct open_counts *all = open_counts_new();
    struct open_place web = WEB;
    take(
        all, 1,
        "[[100,7,'tcp','10.0.1.100',80,3],[99,7,'tcp','10.0.1.100',80,4],[200,6,'tcp','10.0.1.100',80,3],[1,1000,'tcp','10.0.1.100',80,9]]");
    assert_int_equal(open_counts_of_target(all, 7), 4);
    assert_int_equal(open_counts_of_target(all, 6), 0);
    assert_int_equal(at(all, web), 4);
    open_counts_free(all);
}

/* Random reports of few hosts, targets and places, against plain sums of what they said last. */
static void
sums_are_right_after_many_reports(void **state)
{
    enum { HOSTS = 4, TARGETS = 5, PORTS = 3, ZONES = 120 };
    struct random r = random_seeded();
    struct open_counts *all = open_counts_new();
    uint64_t said[HOSTS][TARGETS][PORTS] = { 0 };
    for (int round = 0; round < 300; round++) {
        uint32_t host = random_below(&r, HOSTS), n = random_below(&r, 40);
        struct open_report report = { .rows = mem_zalloc((n + 1) * sizeof(struct open_row)), .n = n, .every_ms = 1 };
        memset(said[host], 0, sizeof said[host]);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t target = random_below(&r, TARGETS), port = random_below(&r, PORTS), zone = random_below(&r, ZONES);
            report.rows[i] = (struct open_row){ .target = target, .zone = (uint16_t) zone, .place = WEB, .n = random_below(&r, 9) };
            report.rows[i].place.port = (uint16_t) port;
            said[host][target][port] += zone < 100 ? report.rows[i].n : 0;
        }
        open_counts_take(all, host, &report, is_alive, NULL);
        open_report_done(&report);
        for (uint32_t target = 0; target < TARGETS; target++) {
            uint64_t sum = 0;
            for (int i = 0; i < HOSTS * PORTS; i++)
                sum += said[i / PORTS][target][i % PORTS];
            assert_int_equal(open_counts_of_target(all, target), sum);
        }
        for (uint32_t port = 0; port < PORTS; port++) {
            uint64_t sum = 0;
            struct open_place place = WEB;
            place.port = (uint16_t) port;
            for (int i = 0; i < HOSTS * TARGETS; i++)
                sum += said[i / TARGETS][i % TARGETS][port];
            assert_int_equal(at(all, place), sum);
        }
    }
    open_counts_free(all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_read_as_it_is_written),
        cmocka_unit_test(a_report_that_makes_no_sense_is_refused),
        cmocka_unit_test(there_is_a_bound_to_a_report),
        cmocka_unit_test(hosts_are_summed_up_and_what_one_says_last_counts),
        cmocka_unit_test(zones_of_nothing_alive_and_targets_of_others_do_not_count),
        cmocka_unit_test(sums_are_right_after_many_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
