/* Zones of one host: a script of wishes and of what the host tells, and a random one against a host that does as it is told. */
#include "controller/host/zone_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"

#define N 40

struct lab {
    struct zone_table *table;
    bool is_gone[N];
    bool takes_all; /* what has a number that is none of the N is live */
    char said[512]; /* since it was last looked at */
    uint16_t stored[N], ready[N];
};

static bool
is_live(void *aux, uint32_t number)
{
    if (((struct lab *) aux)->takes_all)
        return true;
    return number < N && !((struct lab *) aux)->is_gone[number];
}

static void
say(struct lab *lab, const char *word, uint32_t number, uint32_t zone)
{
    size_t n = strlen(lab->said);
    snprintf(lab->said + n, sizeof lab->said - n, "%s %u=%u,", word, number, zone);
}

static void
store(void *aux, uint32_t number, uint16_t zone, bool is_fresh)
{
    struct lab *lab = aux;
    say(lab, is_fresh ? "fresh" : "store", number, zone);
    if (number < N)
        assert_false(is_fresh && lab->ready[number]); /* connections of its own would be forgotten */
    if (number < N)
        lab->stored[number] = zone;
}

static void
ready(void *aux, uint32_t number, uint16_t zone)
{
    struct lab *lab = aux;
    say(lab, "ready", number, zone);
    if (number >= N)
        return;
    assert_int_equal(lab->ready[number], 0);
    lab->ready[number] = zone;
}

static void
forget(void *aux, uint32_t number)
{
    struct lab *lab = aux;
    say(lab, "forget", number, 0);
    if (number >= N)
        return;
    assert_int_not_equal(lab->ready[number], 0);
    lab->ready[number] = 0;
}

static void
starves(void *aux, uint32_t number, bool starves)
{
    say(aux, "starves", number, starves);
}

static const struct zone_table_ops ops = { .is_live = is_live, .store = store, .ready = ready, .forget = forget, .starves = starves };

static void
lab_init(struct lab *lab)
{
    memset(lab, 0, sizeof *lab);
    lab->table = zone_table_new(&ops, lab);
}

static void
expect(struct lab *lab, const char *said)
{
    assert_string_equal(lab->said, said);
    lab->said[0] = '\0';
}

#define TOLD(LAB, ...)                                                        \
    zone_table_told((LAB)->table, (const struct ovsdb_zone[]){ __VA_ARGS__ }, \
                    sizeof((const struct ovsdb_zone[]){ __VA_ARGS__ }) / sizeof(struct ovsdb_zone))

static void
a_zone_is_given_when_the_host_has_told_and_ready_when_it_has_stored_it(void **state)
{
    struct lab lab;
    lab_init(&lab);
    zone_table_want(lab.table, 7);
    zone_table_want(lab.table, 7);
    expect(&lab, "");
    TOLD(&lab, { 5, 1 }, { 6, 3 });
    expect(&lab, "ready 5=1,ready 6=3,fresh 7=2,");
    zone_table_want(lab.table, 8);
    expect(&lab, "fresh 8=4,");
    TOLD(&lab, { 5, 1 }, { 6, 3 }, { 7, 2 });
    expect(&lab, "ready 7=2,");
    zone_table_want(lab.table, 7);
    TOLD(&lab, { 5, 1 }, { 6, 3 }, { 7, 2 }, { 8, 4 });
    expect(&lab, "ready 8=4,");
    zone_table_free(lab.table);
}

static void
a_zone_of_what_is_gone_is_removed_and_free_only_then(void **state)
{
    struct lab lab;
    lab_init(&lab);
    lab.is_gone[6] = true;
    TOLD(&lab, { 5, 1 }, { 6, 2 });
    expect(&lab, "ready 5=1,store 6=0,");
    TOLD(&lab, { 5, 1 });
    zone_table_drop(lab.table, 5);
    zone_table_drop(lab.table, 5);
    expect(&lab, "forget 5=0,store 5=0,");
    zone_table_want(lab.table, 9);
    expect(&lab, "fresh 9=2,");
    zone_table_want(lab.table, 5); /* another object has got the number */
    expect(&lab, "");
    TOLD(&lab, { 5, 1 }, { 9, 2 });
    expect(&lab, "ready 9=2,");
    TOLD(&lab, { 9, 2 });
    expect(&lab, "fresh 5=1,");
    TOLD(&lab, { 5, 1 }, { 9, 2 });
    expect(&lab, "ready 5=1,");
    zone_table_free(lab.table);
}

static void
a_zone_that_two_have_is_the_first_ones(void **state)
{
    struct lab lab;
    lab_init(&lab);
    zone_table_want(lab.table, 6);
    TOLD(&lab, { 5, 1 }, { 6, 1 });
    expect(&lab, "ready 5=1,store 6=0,");
    TOLD(&lab, { 5, 1 });
    expect(&lab, "fresh 6=2,");
    zone_table_free(lab.table);
}

static void
what_somebody_else_does_is_undone(void **state)
{
    struct lab lab;
    lab_init(&lab);
    TOLD(&lab, { 5, 1 });
    expect(&lab, "ready 5=1,");
    TOLD(&lab, { 5, 9 });
    expect(&lab, "store 5=1,");
    TOLD(&lab, { 6, 2 });
    expect(&lab, "ready 6=2,store 5=1,");
    zone_table_free(lab.table);
}

static void
a_new_connection_is_asked_again_for_what_it_has_not(void **state)
{
    struct lab lab;
    lab_init(&lab);
    TOLD(&lab, { 5, 1 }, { 6, 2 });
    zone_table_want(lab.table, 7);
    zone_table_drop(lab.table, 6);
    expect(&lab, "ready 5=1,ready 6=2,fresh 7=3,forget 6=0,store 6=0,");
    zone_table_unread(lab.table);
    zone_table_want(lab.table, 8);
    zone_table_drop(lab.table, 5);
    expect(&lab, "forget 5=0,");
    TOLD(&lab, { 5, 1 }, { 6, 2 }, { 7, 3 });
    expect(&lab, "store 5=0,store 6=0,ready 7=3,fresh 8=4,");
    zone_table_free(lab.table);
}

static void
with_all_given_the_next_waits_for_one_to_be_free(void **state)
{
    static struct ovsdb_zone zones[65535];
    struct lab lab;
    lab_init(&lab);
    for (uint32_t i = 0; i < 65535; i++) /* 1 is alive, the others are gone */
        zones[i] = (struct ovsdb_zone){ i ? N + i : 1, (uint16_t) (i + 1) };
    zone_table_told(lab.table, zones, 65535);
    lab.said[0] = '\0';
    zone_table_want(lab.table, 2);
    expect(&lab, "fresh 2=2,"); /* what goes was never taken */
    zone_table_free(lab.table);
}

static void
with_none_free_it_is_said_until_one_is(void **state)
{
    static struct ovsdb_zone zones[65535];
    struct lab lab;
    lab_init(&lab);
    lab.takes_all = true;
    for (uint32_t i = 0; i < 65535; i++)
        zones[i] = (struct ovsdb_zone){ N + i, (uint16_t) (i + 1) };
    zone_table_told(lab.table, zones, 65535);
    lab.said[0] = '\0';
    zone_table_want(lab.table, 2);
    zone_table_want(lab.table, 3);
    zone_table_want(lab.table, 4);
    expect(&lab, "starves 2=1,starves 3=1,starves 4=1,");
    zone_table_drop(lab.table, 3);
    expect(&lab, "starves 3=0,");
    zone_table_drop(lab.table, N);
    zone_table_drop(lab.table, N + 1);
    lab.said[0] = '\0';
    zone_table_told(lab.table, zones + 1, 65534);
    assert_non_null(strstr(lab.said, "=1,")); /* one of the two has the first zone */
    assert_int_equal(lab.stored[2] + lab.stored[4], 1);
    zone_table_told(lab.table, zones + 2, 65533);
    assert_int_equal(lab.stored[2] + lab.stored[4], 1 + 2);
    assert_non_null(strstr(lab.said, "starves 2=0,"));
    assert_non_null(strstr(lab.said, "starves 4=0,"));
    zone_table_free(lab.table);
}

static void
after_any_wishes_each_has_one_of_its_own(void **state)
{
    struct random random = random_seeded();
    struct lab lab;
    bool is_wanted[N] = { false };
    lab_init(&lab);
    for (int step = 0; step < 20000; step++) {
        uint32_t number = 1 + random_below(&random, N - 1);
        switch (random_below(&random, 6)) {
        case 0:
        case 1:
            lab.is_gone[number] = false;
            is_wanted[number] = true;
            zone_table_want(lab.table, number);
            break;
        case 2:
            lab.is_gone[number] = true;
            is_wanted[number] = false;
            zone_table_drop(lab.table, number);
            break;
        case 3: zone_table_unread(lab.table); break;
        default: {
            struct ovsdb_zone zones[N];
            for (int rounds = 0; rounds < 3; rounds++) {
                size_t n = 0;
                for (uint32_t i = 1; i < N; i++)
                    if (lab.stored[i])
                        zones[n++] = (struct ovsdb_zone){ i, lab.stored[i] };
                zone_table_told(lab.table, zones, n);
            }
            bool is_used[65536] = { false };
            for (uint32_t i = 1; i < N; i++) {
                assert_int_equal(lab.ready[i] != 0, is_wanted[i]);
                assert_int_equal(lab.ready[i], lab.stored[i]);
                assert_false(lab.ready[i] && is_used[lab.ready[i]]);
                assert_in_range(lab.ready[i], 0, N - 1);
                is_used[lab.ready[i]] = true;
            }
        }
        }
        lab.said[0] = '\0';
    }
    zone_table_free(lab.table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_given_when_the_host_has_told_and_ready_when_it_has_stored_it),
        cmocka_unit_test(a_zone_of_what_is_gone_is_removed_and_free_only_then),
        cmocka_unit_test(a_zone_that_two_have_is_the_first_ones),
        cmocka_unit_test(what_somebody_else_does_is_undone),
        cmocka_unit_test(a_new_connection_is_asked_again_for_what_it_has_not),
        cmocka_unit_test(with_all_given_the_next_waits_for_one_to_be_free),
        cmocka_unit_test(with_none_free_it_is_said_until_one_is),
        cmocka_unit_test(after_any_wishes_each_has_one_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
