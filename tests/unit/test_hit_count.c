/* What rules have let through, from scripts of readings: switches that restart, flows that come, go and come again, hosts and vnetds that are
 * away; and at random, against what was really sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "controller/hits/hit_count.h"
#include "tests/unit/random.h"

#define WALL 1700000000000
static const struct hit_now now = { 1000, WALL };

static bool
see(struct hit_count *c, uint64_t flow, uint64_t packets, uint32_t age, uint64_t reading)
{
    return hit_count_seen(c, &(struct hit_sight){ flow, packets, packets * 100, age, 0 }, reading, now);
}

static void
remove_flow(struct hit_count *c, uint64_t flow, uint64_t packets, uint32_t age)
{
    hit_count_removed(c, &(struct hit_sight){ flow, packets, packets * 100, age, UINT32_MAX }, now);
}

static void
expect(const struct hit_count *c, uint64_t packets)
{
    assert_int_equal(c->packets, packets);
    assert_int_equal(c->bytes, packets * 100);
}

static void
what_flows_grow_by_is_added_once(void **unused)
{
    struct hit_count c = { 0 };
    assert_true(see(&c, 1, 5, 10, 1));
    assert_true(see(&c, 2, 7, 10, 1));
    hit_count_read(&c, 1, now);
    expect(&c, 12);
    assert_false(see(&c, 2, 7, 20, 2));
    assert_true(see(&c, 1, 6, 20, 2));
    hit_count_read(&c, 2, now);
    expect(&c, 13);
    hit_count_done(&c);
}

static void
a_flow_that_vanished_keeps_what_it_had_and_one_made_anew_begins_at_zero(void **unused)
{
    struct hit_count c = { 0 };
    see(&c, 1, 5, 10, 1);
    hit_count_read(&c, 1, now);
    hit_count_read(&c, 2, now);
    expect(&c, 5);
    see(&c, 1, 8, 3, 3);
    hit_count_read(&c, 3, now);
    expect(&c, 13);
    hit_count_done(&c);
}

static void
a_restarted_switch_counts_from_zero(void **unused)
{
    struct hit_count c = { 0 };
    see(&c, 1, 50, 100, 1);
    hit_count_disconnected(&c);
    see(&c, 1, 4, 2, 2); /* fewer */
    expect(&c, 54);
    hit_count_disconnected(&c);
    see(&c, 1, 9, 1, 3); /* more, but younger */
    expect(&c, 63);
    hit_count_done(&c);
}

static void
the_last_word_adds_what_no_reading_saw(void **unused)
{
    struct hit_count c = { 0 };
    see(&c, 1, 5, 10, 1);
    hit_count_read(&c, 1, now);
    remove_flow(&c, 1, 9, 12);
    expect(&c, 9);
    remove_flow(&c, 2, 3, 1); /* it came and went between readings */
    expect(&c, 12);
    hit_count_read(&c, 2, now);
    expect(&c, 12);
    hit_count_done(&c);
}

static void
a_last_word_that_comes_late_finds_its_flow_also_behind_a_newer_one(void **unused)
{
    struct hit_count c = { 0 };
    see(&c, 1, 100, 10, 1);
    hit_count_read(&c, 1, now);
    hit_count_read(&c, 2, now); /* gone */
    remove_flow(&c, 1, 105, 15);
    expect(&c, 105);

    see(&c, 1, 100, 10, 3);
    hit_count_read(&c, 3, now);
    see(&c, 1, 3, 1, 4); /* another, before the last word of the former */
    hit_count_read(&c, 4, now);
    remove_flow(&c, 1, 107, 14);
    expect(&c, 105 + 107 + 3);
    remove_flow(&c, 1, 4, 5);
    expect(&c, 105 + 107 + 4);
    hit_count_done(&c);
}

static void
last_words_are_not_awaited_for_ever(void **unused)
{
    struct hit_count c = { 0 };
    see(&c, 1, 5, 10, 1);
    see(&c, 2, 5, 10, 1);
    hit_count_read(&c, 2, now);
    assert_int_equal(c.n, 2);
    hit_count_read(&c, 3, (struct hit_now){ now.ms + HIT_GONE_MS + 1, WALL });
    assert_int_equal(c.n, 0);
    see(&c, 1, 5, 1, 4);
    hit_count_read(&c, 5, now);
    hit_count_disconnected(&c);
    assert_int_equal(c.n, 0);
    expect(&c, 15);
    hit_count_done(&c);
}

static void
the_last_hit_is_as_old_as_the_switch_says(void **unused)
{
    struct hit_count c = { 0 };
    see(&c, 1, 0, 10, 1);
    assert_int_equal(c.last_hit_ms, 0);
    hit_count_seen(&c, &(struct hit_sight){ 1, 3, 300, 20, 7 }, 2, now);
    assert_int_equal(c.last_hit_ms, WALL - 7000);
    hit_count_seen(&c, &(struct hit_sight){ 2, 3, 300, 20, 9 }, 2, now);
    assert_int_equal(c.last_hit_ms, WALL - 7000);
    hit_count_seen(&c, &(struct hit_sight){ 2, 4, 400, 21, UINT32_MAX }, 3, now);
    assert_int_equal(c.last_hit_ms, WALL);
    hit_count_done(&c);
}

/* As if vnetd had gone and come again. */
static void
store_and_load(struct hit_count *c)
{
    char *text = hit_count_format(c);
    hit_count_done(c);
    assert_true(hit_count_parse(c, text));
    free(text);
}

static void
a_later_vnetd_goes_on_where_the_former_was(void **unused)
{
    struct hit_count c = { 0 };
    see(&c, 1, 5, 10, 1);
    see(&c, UINT64_MAX, 7, 10, 1);
    see(&c, 3, 0, 10, 1);
    store_and_load(&c);
    expect(&c, 12);
    assert_int_equal(c.n, 2);
    see(&c, 1, 6, 20, 1);
    see(&c, 3, 2, 20, 1);
    hit_count_read(&c, 1, now);
    expect(&c, 15);
    assert_int_equal(c.last_hit_ms, WALL);
    remove_flow(&c, UINT64_MAX, 8, 30);
    expect(&c, 16);
    hit_count_done(&c);
    store_and_load(&c);
    expect(&c, 0);
}

static void
what_is_no_count_is_refused(void **unused)
{
    static const char *const texts[] = { "",        "1",           "1 2",           "a 2 3",           "1 2 3 ",
                                         "1 2 3 4", "1 2 3 4:5:6", "1 2 3 x:5:6:7", "1 2 3 4:5:6:7:8", "-1 2 3",
                                         "1  2 3",  "1 2 3 4:5:6:" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct hit_count c;
        if (hit_count_parse(&c, texts[i]) && strcmp(texts[i], "1 2 3 "))
            fail_msg("'%s' was taken", texts[i]);
        hit_count_done(&c);
    }
    struct hit_count c;
    assert_true(hit_count_parse(&c, "1 2 3 ff:5:6:7"));
    assert_int_equal(c.n, 1);
    hit_count_done(&c);
}

/* ---- at random ---- */

#define FLOWS 6
#define STEPS 4000

struct real {
    uint64_t packets;
    uint32_t made;
    bool is_there;
};

struct world {
    struct random random;
    struct real flows[FLOWS];
    struct {
        uint64_t flow, packets;
        uint32_t age;
    } late[STEPS];
    size_t n_late, n_told;
    uint64_t sent;
    uint32_t clock;
};

static void
say_last_words(struct world *w, struct hit_count *c, bool all)
{
    while (w->n_told < w->n_late && (all || random_u64(&w->random) % 2)) {
        remove_flow(c, w->late[w->n_told].flow, w->late[w->n_told].packets, w->late[w->n_told].age);
        w->n_told++;
    }
}

static void
read_all(struct world *w, struct hit_count *c, uint64_t reading)
{
    for (unsigned i = 0; i < FLOWS; i++)
        if (w->flows[i].is_there)
            see(c, i, w->flows[i].packets, w->clock - w->flows[i].made, reading);
    hit_count_read(c, reading, now);
}

/* Flows live longer than two readings are apart: which one a last word is about is then certain. */
static void
whatever_happens_the_sum_is_what_was_sent_once_all_is_told(void **unused)
{
    struct world w = { .random = random_seeded() };
    struct hit_count c = { 0 };
    for (unsigned step = 1; step < STEPS; step++) {
        struct real *f = &w.flows[random_u64(&w.random) % FLOWS];
        unsigned kind = random_u64(&w.random) % 10;
        w.clock += 1;
        if (kind < 5 && f->is_there) {
            unsigned n = random_u64(&w.random) % 100;
            f->packets += n;
            w.sent += n;
        } else if (kind == 5 && !f->is_there) {
            *f = (struct real){ .made = w.clock, .is_there = true };
        } else if (kind == 6 && f->is_there) {
            read_all(&w, &c, step);
            w.late[w.n_late].flow = (uint64_t) (f - w.flows);
            w.late[w.n_late].packets = f->packets;
            w.late[w.n_late++].age = w.clock - f->made;
            f->is_there = false;
            read_all(&w, &c, step + STEPS);
        } else if (kind == 7) {
            read_all(&w, &c, step);
        } else if (kind == 8) {
            say_last_words(&w, &c, false);
        } else if (kind == 9 && w.n_told == w.n_late) {
            store_and_load(&c);
        }
        assert_true(c.packets <= w.sent);
    }
    say_last_words(&w, &c, true);
    read_all(&w, &c, 3 * STEPS);
    if (c.packets != w.sent)
        fail_msg("sent %llu, counted %llu", (unsigned long long) w.sent, (unsigned long long) c.packets);
    hit_count_done(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_flows_grow_by_is_added_once),
        cmocka_unit_test(a_flow_that_vanished_keeps_what_it_had_and_one_made_anew_begins_at_zero),
        cmocka_unit_test(a_restarted_switch_counts_from_zero),
        cmocka_unit_test(the_last_word_adds_what_no_reading_saw),
        cmocka_unit_test(a_last_word_that_comes_late_finds_its_flow_also_behind_a_newer_one),
        cmocka_unit_test(last_words_are_not_awaited_for_ever),
        cmocka_unit_test(the_last_hit_is_as_old_as_the_switch_says),
        cmocka_unit_test(a_later_vnetd_goes_on_where_the_former_was),
        cmocka_unit_test(what_is_no_count_is_refused),
        cmocka_unit_test(whatever_happens_the_sum_is_what_was_sent_once_all_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
