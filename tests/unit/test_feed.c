/* What changed, in order, and where a reader that was cut can go on. */
#include "controller/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/controller_lab.h"

#define VPC "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}}]"

struct seen {
    struct feed_event events[2 * FEED_KEPT];
    size_t n;
};

static int
start(void **state)
{
    *state = controller_lab_start();
    return 0;
}

static void
see(void *aux, const struct feed_event *e)
{
    struct seen *s = aux;
    assert_true(s->n < sizeof s->events / sizeof *s->events);
    s->events[s->n++] = *e;
}

static void
a_commit_is_told_object_by_object_with_its_revision(void **state)
{
    static struct seen s;
    s.n = 0;
    struct controller_lab *lab = *state;
    struct feed_reader *r = feed_subscribe(lab->c.feed, feed_last(lab->c.feed), see, &s);
    controller_lab_do(lab, VPC);
    assert_int_equal(s.n, 5); /* the VPC, its main route table, its default group with two rules */
    assert_int_equal(s.events[0].type, OBJECT_VPC);
    assert_int_equal(s.events[0].change, FEED_ADD);
    assert_int_equal(s.events[0].revision, model_revision(lab->c.model));
    assert_int_equal(s.events[1].id, s.events[0].id + 1);
    controller_lab_do(lab, "[{'op':'del','type':'vpc','name':'v'}]");
    assert_int_equal(s.n, 10);
    assert_int_equal(s.events[5].change, FEED_DEL);
    feed_unsubscribe(r);
    controller_lab_do(lab, VPC);
    assert_int_equal(s.n, 10);
}

static void
columns_that_move_often_in_one_turn_are_one_event(void **state)
{
    static struct seen s;
    s.n = 0;
    struct controller_lab *lab = *state;
    controller_lab_do(lab, "[{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'}]");
    controller_lab_turn(lab);
    uint32_t h1 = controller_lab_number(lab, OBJECT_HOST, "h1"), h2 = controller_lab_number(lab, OBJECT_HOST, "h2");
    struct feed_reader *r = feed_subscribe(lab->c.feed, feed_last(lab->c.feed), see, &s);
    feed_object(lab->c.feed, h2);
    feed_object(lab->c.feed, h1);
    feed_object(lab->c.feed, h2);
    feed_object(lab->c.feed, 4000000); /* nobody's: it went in the same turn */
    assert_int_equal(s.n, 0);
    controller_lab_turn(lab);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.events[0].number, h2);
    assert_int_equal(s.events[1].number, h1);
    assert_int_equal(s.events[0].revision, 0);
    feed_unsubscribe(r);
}

static void
a_reader_goes_on_after_what_it_has_seen(void **state)
{
    static struct seen s;
    s.n = 0;
    struct controller_lab *lab = *state;
    uint64_t before = feed_last(lab->c.feed);
    controller_lab_do(lab, VPC);
    assert_true(feed_keeps(lab->c.feed, before));
    struct feed_reader *r = feed_subscribe(lab->c.feed, before + 1, see, &s);
    assert_int_equal(s.n, 4);
    assert_int_equal(s.events[0].id, before + 2);
    feed_unsubscribe(r);
}

static void
what_is_no_longer_kept_is_known_to_be_missing(void **state)
{
    static struct seen s;
    s.n = 0;
    struct controller_lab *lab = *state;
    controller_lab_do(lab, VPC);
    uint64_t before = feed_last(lab->c.feed);
    uint32_t vpc = controller_lab_number(lab, OBJECT_VPC, "v");
    for (int i = 0; i < FEED_KEPT + 1; i++) {
        feed_object(lab->c.feed, vpc);
        controller_lab_turn(lab);
    }
    assert_false(feed_keeps(lab->c.feed, before));
    assert_true(feed_keeps(lab->c.feed, before + 1));
    struct feed_reader *r = feed_subscribe(lab->c.feed, before, see, &s);
    assert_int_equal(s.n, FEED_KEPT);
    assert_int_equal(s.events[0].id, before + 2);
    assert_int_equal(s.events[FEED_KEPT - 1].id, feed_last(lab->c.feed));
    feed_unsubscribe(r);
}

static void
ids_of_an_earlier_run_and_of_the_future_are_not_kept(void **state)
{
    struct controller_lab *lab = *state;
    controller_lab_do(lab, VPC);
    uint64_t before = feed_last(lab->c.feed);
    controller_lab_restart(lab);
    assert_true(feed_last(lab->c.feed) > before);
    assert_true(feed_last(lab->c.feed) < INT64_MAX);
    assert_false(feed_keeps(lab->c.feed, before));
    assert_false(feed_keeps(lab->c.feed, 0));
    assert_false(feed_keeps(lab->c.feed, feed_last(lab->c.feed) + 1));
    assert_false(feed_keeps(lab->c.feed, UINT64_MAX));
    assert_true(feed_keeps(lab->c.feed, feed_last(lab->c.feed)));
}

static void
readers_left_at_the_end_are_let_go(void **state)
{
    static struct seen s;
    s.n = 0;
    struct controller_lab *lab = *state;
    feed_subscribe(lab->c.feed, 0, see, &s);
    feed_subscribe(lab->c.feed, 0, see, &s);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, controller_lab_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_is_told_object_by_object_with_its_revision),
        TEST(columns_that_move_often_in_one_turn_are_one_event),
        TEST(a_reader_goes_on_after_what_it_has_seen),
        TEST(what_is_no_longer_kept_is_known_to_be_missing),
        TEST(ids_of_an_earlier_run_and_of_the_future_are_not_kept),
        TEST(readers_left_at_the_end_are_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
