/* What changed, in order, and where a reader that was cut can go on. */
#include "controller/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/feed_stream.h"
#include "controller/feed_text.h"
#include "controller/feed_watch.h"
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

/* VPC v, again and again. */
static void
change_often(struct controller_lab *lab, int n)
{
    const struct object *o = model_get(lab->c.model, controller_lab_number(lab, OBJECT_VPC, "v"), OBJECT_VPC);
    struct change change = { OBJECT_VPC, o->number, o, o };
    for (int i = 0; i < n; i++)
        feed_change(lab->c.feed, &change, model_revision(lab->c.model));
}

static void
what_is_no_longer_kept_is_known_to_be_missing(void **state)
{
    static struct seen s;
    s.n = 0;
    struct controller_lab *lab = *state;
    controller_lab_do(lab, VPC);
    uint64_t before = feed_last(lab->c.feed);
    change_often(lab, FEED_KEPT + 1);
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

/* ---- who waits for one object ---- */

#define PORTS                                                                             \
    "[{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}}," \
    "{'op':'add','type':'port','name':'a','values':{'subnet':'s'}},{'op':'add','type':'port','name':'b','values':{'subnet':'s'}}]"
#define CHANGE(NAME, VALUE) "[{'op':'set','type':'port','name':'" NAME "','values':{'tags:k':'" VALUE "'}}]"
#define ADD(NAME) "[{'op':'add','type':'port','name':'" NAME "','values':{'subnet':'s'}}]"

static void
count(void *aux)
{
    ++*(int *) aux;
}

static void
an_event_wakes_only_who_waits_for_its_object(void **state)
{
    struct controller_lab *lab = *state;
    int n_a = 0, n_b = 0, n_late = 0, n_route = 0;
    controller_lab_do(lab, VPC);
    controller_lab_do(lab, PORTS);
    struct feed_watch *a = feed_watch_new(lab->c.feed, count, &n_a), *b = feed_watch_new(lab->c.feed, count, &n_b);
    struct feed_watch *late = feed_watch_new(lab->c.feed, count, &n_late), *route = feed_watch_new(lab->c.feed, count, &n_route);
    feed_watch_object(a, controller_lab_number(lab, OBJECT_PORT, "a"));
    feed_watch_object(b, controller_lab_number(lab, OBJECT_PORT, "b"));
    feed_watch_name(late, OBJECT_PORT, "late");
    feed_watch_name(route, OBJECT_ROUTE, "v-main/10.9.0.0/16"); /* has no name: any that comes */
    for (int i = 0; i < 3; i++)
        controller_lab_do(lab, i % 2 ? CHANGE("a", "1") : CHANGE("a", "2"));
    controller_lab_do(lab, ADD("other"));
    assert_int_equal(n_a, 3);
    assert_int_equal(n_b + n_late + n_route, 0);
    controller_lab_do(lab, ADD("late"));
    assert_int_equal(n_late, 1);
    feed_watch_object(late, controller_lab_number(lab, OBJECT_PORT, "late"));
    feed_object(lab->c.feed, controller_lab_number(lab, OBJECT_PORT, "late"));
    controller_lab_turn(lab);
    assert_int_equal(n_late, 2);
    controller_lab_do(lab, "[{'op':'del','type':'port','name':'late'}]");
    assert_int_equal(n_late, 3);
    feed_watch_free(route);
    feed_watch_free(late);
    feed_watch_free(b);
    feed_watch_free(a);
}

static void
who_waits_by_id_is_woken_when_it_comes(void **state)
{
    struct controller_lab *lab = *state;
    int n = 0;
    controller_lab_do(lab, VPC);
    controller_lab_do(lab, PORTS);
    struct feed_watch *w = feed_watch_new(lab->c.feed, count, &n);
    feed_watch_name(w, OBJECT_PORT, "6F1A2C3D-0000-4000-8000-00000000ABCD");
    controller_lab_do(lab, ADD("other"));
    assert_int_equal(n, 0);
    controller_lab_do(lab, "[{'op':'add','type':'port','values':{'subnet':'s','id':'6f1a2c3d-0000-4000-8000-00000000abcd'}}]");
    assert_int_equal(n, 1);
    feed_watch_free(w);
}

/* ---- who reads at its own pace ---- */

struct reading {
    uint64_t last;
    int n, n_gaps, n_turns;
    bool is_full;
};

static bool
take_some(void *aux, struct feed_stream *s)
{
    struct reading *r = aux;
    const struct feed_event *e;
    bool has_gap;
    r->n_turns++;
    for (int i = 0; !r->is_full && i < FEED_STREAM_TAKE && (e = feed_stream_take(s, &has_gap)); i++) {
        assert_true(has_gap || !r->last || e->id == r->last + 1);
        r->n_gaps += has_gap;
        r->last = e->id;
        r->n++;
    }
    return !r->is_full;
}

static bool
has_all(void *aux)
{
    const struct reading *r = aux;
    return r->n >= 10000;
}

static void
a_stream_takes_its_events_in_turns_of_the_loop(void **state)
{
    struct controller_lab *lab = *state;
    struct reading r = { 0 };
    controller_lab_do(lab, VPC);
    struct feed_stream *s = feed_stream_new(lab->c.feed, feed_last(lab->c.feed), take_some, &r);
    change_often(lab, 10000);
    assert_int_equal(r.n, 0); /* who makes the events does nothing for who reads them */
    assert_true(controller_lab_until(lab, has_all, &r));
    assert_int_equal(r.n, 10000);
    assert_int_equal(r.n_gaps, 0);
    assert_true(r.n_turns >= 10000 / FEED_STREAM_TAKE);
    feed_stream_free(s);
}

static void
a_stream_that_falls_out_of_the_ring_knows_and_goes_on_from_now(void **state)
{
    struct controller_lab *lab = *state;
    struct reading r = { .is_full = true };
    controller_lab_do(lab, VPC);
    struct feed_stream *s = feed_stream_new(lab->c.feed, feed_last(lab->c.feed), take_some, &r);
    change_often(lab, FEED_KEPT + 1);
    controller_lab_turn(lab);
    controller_lab_turn(lab);
    assert_int_equal(r.n_turns, 1); /* it takes no more until it says so */
    r.is_full = false;
    bool has_gap;
    assert_null(feed_stream_take(s, &has_gap));
    assert_true(has_gap);
    feed_stream_resume(s);
    change_often(lab, 1);
    assert_ptr_equal(feed_stream_take(s, &has_gap), feed_event(lab->c.feed, feed_last(lab->c.feed)));
    assert_false(has_gap);
    feed_stream_free(s);
}

static void
an_events_text_is_made_once_for_all_who_may_be_told_the_same(void **state)
{
    struct controller_lab *lab = *state;
    size_t n;
    controller_lab_do(lab, VPC);
    uint64_t made = feed_texts_made(feed_texts(lab->c.feed));
    for (int i = 0; i < 6; i++) {
        const char *text = feed_text(lab->c.feed, feed_event(lab->c.feed, feed_last(lab->c.feed)), i % 2, &n);
        assert_int_equal(strlen(text), n);
        assert_non_null(strstr(text, "event: change\ndata: {"));
    }
    assert_int_equal(feed_texts_made(feed_texts(lab->c.feed)), made + 2);
    /* What is kept is bounded. */
    uint64_t first = feed_last(lab->c.feed) + 1;
    change_often(lab, FEED_TEXT_BYTES / 64);
    for (uint64_t id = first; id <= feed_last(lab->c.feed); id++)
        feed_text(lab->c.feed, feed_event(lab->c.feed, id), true, &n);
    made = feed_texts_made(feed_texts(lab->c.feed));
    feed_text(lab->c.feed, feed_event(lab->c.feed, feed_last(lab->c.feed)), true, &n);
    assert_int_equal(feed_texts_made(feed_texts(lab->c.feed)), made);
    feed_text(lab->c.feed, feed_event(lab->c.feed, first), true, &n);
    assert_int_equal(feed_texts_made(feed_texts(lab->c.feed)), made + 1);
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
        TEST(an_event_wakes_only_who_waits_for_its_object),
        TEST(who_waits_by_id_is_woken_when_it_comes),
        TEST(a_stream_takes_its_events_in_turns_of_the_loop),
        TEST(a_stream_that_falls_out_of_the_ring_knows_and_goes_on_from_now),
        TEST(an_events_text_is_made_once_for_all_who_may_be_told_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
