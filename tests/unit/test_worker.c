/* Jobs in threads: in order, in time or late, and what becomes of late ones. */
#include "agent/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/thread.h>

#include "base/map.h"

/* A job that waits until a byte can be read, and what was told of it. */
struct test_job {
    struct worker_job job;
    int gate[2];
    bool has_run, is_done, in_time, is_discarded;
};

static char order[16];

static void
run(struct worker_job *job)
{
    struct test_job *t = CONTAINER_OF(job, struct test_job, job);
    char c = 0;
    if (t->gate[0] >= 0 && read(t->gate[0], &c, 1) != 1)
        return;
    t->has_run = true;
}

static void
done(struct worker_job *job, bool in_time)
{
    struct test_job *t = CONTAINER_OF(job, struct test_job, job);
    t->is_done = true;
    t->in_time = in_time;
    strcat(order, in_time ? "d" : "l");
}

static void
discard(struct worker_job *job)
{
    CONTAINER_OF(job, struct test_job, job)->is_discarded = true;
    strcat(order, "x");
}

static struct test_job
job_new(unsigned deadline_ms, bool has_gate)
{
    struct test_job t = { .job = { .run = run, .done = done, .discard = discard, .deadline_ms = deadline_ms }, .gate = { -1, -1 } };
    if (has_gate)
        assert_int_equal(pipe(t.gate), 0);
    order[0] = '\0';
    return t;
}

static void
until(struct event_base *base, const bool *flag)
{
    for (int i = 0; !*flag && i < 500; i++) {
        struct timeval tv = { 0, 10000 };
        event_base_loopexit(base, &tv);
        event_base_dispatch(base);
    }
    assert_true(*flag);
}

static void
end(struct event_base *base, struct worker *w)
{
    for (int i = 0; !worker_is_idle(w) && i < 500; i++) {
        struct timeval tv = { 0, 10000 };
        event_base_loopexit(base, &tv);
        event_base_dispatch(base);
    }
    assert_true(worker_is_idle(w));
    worker_free(w);
    event_base_free(base);
}

static void
a_job_in_time_is_done_and_not_discarded(void **state)
{
    struct event_base *base = event_base_new();
    struct worker *w = worker_new(base);
    struct test_job a = job_new(5000, false), b = job_new(5000, false);
    worker_submit(w, &a.job);
    worker_submit(w, &b.job);
    until(base, &b.is_done);
    assert_true(a.is_done && a.in_time && a.has_run && b.in_time);
    assert_false(a.is_discarded);
    end(base, w);
}

static void
behind_a_late_job_others_go_on(void **state)
{
    struct event_base *base = event_base_new();
    struct worker *w = worker_new(base);
    struct test_job a = job_new(50, true), b = job_new(5000, false);
    worker_submit(w, &a.job);
    worker_submit(w, &b.job);
    until(base, &b.is_done);
    assert_true(a.is_done && !a.in_time && b.in_time);
    assert_false(a.is_discarded);
    assert_int_equal(worker_n_late(w), 1);
    assert_int_equal(write(a.gate[1], "x", 1), 1);
    until(base, &a.is_discarded);
    assert_int_equal(worker_n_late(w), 0);
    assert_string_equal(order, "ldx");
    end(base, w);
}

static void
a_job_that_never_began_is_late_and_discarded_at_once(void **state)
{
    struct event_base *base = event_base_new();
    struct worker *w = worker_new(base);
    struct test_job a = job_new(5000, true), b = job_new(20, false);
    worker_submit(w, &a.job);
    worker_submit(w, &b.job);
    until(base, &b.is_discarded);
    assert_false(b.in_time || b.has_run || a.is_done);
    assert_int_equal(write(a.gate[1], "x", 1), 1);
    until(base, &a.is_done);
    end(base, w);
}

static void
a_job_apart_has_all_the_time_it_wants(void **state)
{
    struct event_base *base = event_base_new();
    struct worker *w = worker_new(base);
    struct test_job a = job_new(1, true), b = job_new(5000, false);
    worker_submit_apart(w, &a.job);
    worker_submit(w, &b.job);
    until(base, &b.is_done);
    assert_false(a.is_done || worker_is_idle(w));
    assert_int_equal(write(a.gate[1], "x", 1), 1);
    until(base, &a.is_done);
    assert_true(a.in_time);
    end(base, w);
}

static void
a_job_apart_counts_while_it_is_late(void **state)
{
    struct event_base *base = event_base_new();
    struct worker *w = worker_new(base);
    struct test_job a = job_new(20, true), b = job_new(20, true);
    worker_submit_apart(w, &a.job);
    worker_submit_apart(w, &b.job);
    for (int i = 0; worker_n_late(w) < 2 && i < 500; i++) {
        struct timeval tv = { 0, 10000 };
        event_base_loopexit(base, &tv);
        event_base_dispatch(base);
    }
    assert_int_equal(worker_n_late(w), 2);
    assert_false(a.is_done || b.is_done);
    assert_int_equal(write(a.gate[1], "x", 1), 1);
    until(base, &a.is_done);
    assert_int_equal(worker_n_late(w), 1);
    assert_int_equal(write(b.gate[1], "x", 1), 1);
    until(base, &b.is_done);
    assert_int_equal(worker_n_late(w), 0);
    assert_string_equal(order, "dd");
    end(base, w);
}

int
main(void)
{
    evthread_use_pthreads();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_in_time_is_done_and_not_discarded),
        cmocka_unit_test(behind_a_late_job_others_go_on),
        cmocka_unit_test(a_job_that_never_began_is_late_and_discarded_at_once),
        cmocka_unit_test(a_job_apart_has_all_the_time_it_wants),
        cmocka_unit_test(a_job_apart_counts_while_it_is_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
