/* The health of one target, from what its probes say. Pure: time is told.
 *
 *               alive                              rise times alive in a row
 *     INITIAL ----------> HEALTHY <------------------------------------------------+
 *        |                   |                                                     |
 *        |                   +-------- fall times not alive in a row --------> UNHEALTHY
 *        +---------------------------- fall times not alive in a row ------------^
 *
 *   INITIAL     nothing is known for sure: it is new, or has never answered
 *   HEALTHY     it answers; or nobody asks (check_trust())
 *   UNHEALTHY   it does not; why is said by the last probe
 *
 * A probe is under way from check_asked() until check_ended(), or until its time is over. */
#ifndef CONTROLLER_CHECK_CHECK_H
#define CONTROLLER_CHECK_CHECK_H 1

#include <stdbool.h>
#include <stdint.h>

#include "vnet/pipeline/runtime.h"

#define CHECK_CHANGES 5    /* so many are kept */
#define CHECK_LATE_MS 1000 /* who looks so much too late may have the answer in front of him */

/* How a probe ended. */
enum check_end { CHECK_ALIVE, CHECK_REFUSED, CHECK_NO_ANSWER, CHECK_UNREACHABLE /* there was nobody to ask, or no way */ };

/* As the target's group says. */
struct check_rule {
    uint32_t interval_ms, timeout_ms;
    uint32_t rise, fall;
};

struct check {
    enum target_state state;
    enum check_end reason; /* why the last probe of one that is not healthy failed; CHECK_ALIVE: it did not */
    unsigned streak;       /* probes in a row that speak for another state */
    int64_t next_ms;       /* when it is asked again; INT64_MAX: never */
    int64_t deadline_ms;   /* of the probe under way; INT64_MAX: there is none */
    uint32_t put_off_ms;   /* how long the last time; 0: it was asked since */
    bool was_asked;
    uint8_t n_changes;
    struct check_change {
        int64_t at_ms; /* since 1970 */
        enum target_state state;
        enum check_end reason;
    } changes[CHECK_CHANGES]; /* the newest first */
};

const char *target_state_word(enum target_state);
const char *check_end_word(enum check_end); /* CHECK_ALIVE: "" */

/* Of a new target, all zero, at once; of one with a past, some time within the interval. 'spread' is any number of the target's own, so that
 * probes of many do not come together. */
void check_start(struct check *, const struct check_rule *, uint32_t spread, int64_t now_ms);

/* When check_step() has something to do; INT64_MAX: never. */
int64_t check_due_ms(const struct check *);
enum check_step {
    CHECK_WAIT,
    CHECK_TIMED_OUT, /* the probe under way has not been answered: check_ended() */
    CHECK_ASK        /* check_asked(), or check_put_off() */
};
enum check_step check_step(struct check *, int64_t now_ms);

/* A probe has been sent, or could have been if there were a way. */
void check_asked(struct check *, const struct check_rule *, uint32_t spread, int64_t now_ms);
/* It cannot be asked right now, and that says nothing about it; soon again, then less and less often. */
void check_put_off(struct check *, const struct check_rule *, int64_t now_ms);
/* Others are asked before it. */
void check_queue(struct check *, uint32_t after_ms, int64_t now_ms);
/* How the probe under way ended. True: it is in another state now. */
bool check_ended(struct check *, const struct check_rule *, enum check_end, int64_t wall_ms);

/* It is waited for a little longer. */
void check_extend(struct check *, uint32_t ms, int64_t now_ms);
/* The probe under way says nothing: neither it nor anything else could be heard. */
void check_unheard(struct check *);

/* The rule is another: what was far away may be near. */
void check_hurry(struct check *, const struct check_rule *, int64_t now_ms);
/* What was asked no longer counts, since it is elsewhere now: it is asked again at once. */
void check_again(struct check *, int64_t now_ms);
/* It is another one under the same name: nothing is known. True: it was in another state. */
bool check_forget(struct check *, int64_t wall_ms);
/* It is not asked, and taken for healthy. True: it was in another state. */
bool check_trust(struct check *, int64_t wall_ms);

#endif
