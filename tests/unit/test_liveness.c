/* base/liveness: each test is a script of events and of what the machine must say. */
#include "base/liveness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum event { RECEIVED, RUN, END };

struct step {
    int64_t at_ms;
    enum event event;
    enum liveness_action action; /* RUN's answer */
    enum liveness_state state;   /* afterwards */
    int64_t next_ms;             /* afterwards */
};

static void
play(int probe_ms, int64_t start_ms, const struct step *script)
{
    struct liveness l;
    liveness_init(&l, probe_ms, start_ms);
    for (const struct step *s = script; s->event != END; s++) {
        if (s->event == RECEIVED)
            liveness_received(&l, s->at_ms);
        else
            assert_int_equal(liveness_run(&l, s->at_ms), s->action);
        assert_int_equal(l.state, s->state);
        assert_int_equal(liveness_next_ms(&l), s->next_ms);
    }
}

#define QUIET LIVENESS_NOTHING, LIVENESS_ACTIVE
#define ASKS LIVENESS_SEND_PROBE, LIVENESS_PROBING
#define WAITS LIVENESS_NOTHING, LIVENESS_PROBING
#define CLOSES LIVENESS_CLOSE, LIVENESS_DEAD

static void
a_peer_that_talks_is_not_asked(void **unused)
{
    play(5000, 100,
         (struct step[]){
             { 100, RUN, QUIET, 5100 },
             { 4000, RECEIVED, QUIET, 9000 },
             { 5100, RUN, QUIET, 9000 },
             { 8999, RECEIVED, QUIET, 13999 },
             { 9000, RUN, QUIET, 13999 },
             { .event = END },
         });
}

static void
a_silent_peer_is_asked_once_and_closed(void **unused)
{
    play(5000, 0,
         (struct step[]){
             { 4999, RUN, QUIET, 5000 },
             { 5000, RUN, ASKS, 10000 },
             { 5001, RUN, WAITS, 10000 },
             { 9999, RUN, WAITS, 10000 },
             { 10000, RUN, CLOSES, INT64_MAX },
             { .event = END },
         });
}

static void
an_answer_in_time_starts_anew(void **unused)
{
    play(5000, 0,
         (struct step[]){
             { 5000, RUN, ASKS, 10000 },
             { 9999, RECEIVED, QUIET, 14999 },
             { 10000, RUN, QUIET, 14999 },
             { 14999, RUN, ASKS, 19999 },
             { 15000, RECEIVED, QUIET, 20000 },
             { .event = END },
         });
}

static void
the_time_to_answer_counts_from_when_the_probe_was_sent(void **unused)
{
    play(5000, 0,
         (struct step[]){
             { 60000, RUN, ASKS, 65000 }, /* we were busy for a minute: the peer still gets its chance */
             { 64999, RUN, WAITS, 65000 },
             { 65000, RUN, CLOSES, INT64_MAX },
             { .event = END },
         });
}

static void
the_dead_stay_dead(void **unused)
{
    play(1000, 0,
         (struct step[]){
             { 1000, RUN, ASKS, 2000 },
             { 2000, RUN, CLOSES, INT64_MAX },
             { 2001, RECEIVED, CLOSES, INT64_MAX },
             { 2002, RUN, CLOSES, INT64_MAX },
             { .event = END },
         });
}

static void
without_an_interval_nobody_is_asked(void **unused)
{
    play(0, 0,
         (struct step[]){
             { 0, RUN, QUIET, INT64_MAX },
             { 1000000000, RUN, QUIET, INT64_MAX },
             { 1000000001, RECEIVED, QUIET, INT64_MAX },
             { .event = END },
         });
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_talks_is_not_asked),
        cmocka_unit_test(a_silent_peer_is_asked_once_and_closed),
        cmocka_unit_test(an_answer_in_time_starts_anew),
        cmocka_unit_test(the_time_to_answer_counts_from_when_the_probe_was_sent),
        cmocka_unit_test(the_dead_stay_dead),
        cmocka_unit_test(without_an_interval_nobody_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
