/* Does vnetd hear at all? When it does not (it has slept, its own link is down), the silence of targets says nothing about them. Pure: time is told.
 *
 *                  a probe's time is over and no switch at all has been heard since it was sent; or no switch is connected
 *     HEARING ------------------------------------------------------------------------------------------------------------> DEAF
 *        ^                                                                                                                  |
 *        +------------------ a switch is heard: a new period, in which each host is waited for once more -------------------+
 *
 * Who finds itself late has slept: a new period begins, too. In each, a host counts as lost only if it has been spoken to in that period, or when
 * its grace is over. That is so for hosts whose connection has ended since vnetd was last awake and heard something; one that was away before that
 * stays in the period that it was in, whose grace stands still while vnetd cannot hear. */
#ifndef CONTROLLER_CHECK_CHECK_EARS_H
#define CONTROLLER_CHECK_CHECK_EARS_H 1

#include <stdbool.h>
#include <stdint.h>

/* So long in each period hosts are waited for that have not been spoken to in it. */
#define CHECK_GRACE_MS 20000

/* Times are monotonic. */
struct check_period {
    uint64_t number;
    int64_t after_ms; /* hosts belong to it whose connection ended then or later */
    int64_t since_ms; /* its grace's beginning */
};
#define CHECK_PERIODS_MAX 8

struct check_ears {
    uint64_t n_heard; /* counts what is heard of any switch */
    int64_t heard_ms; /* the last of it */
    bool is_deaf;
    uint64_t period;
    int64_t since_ms;                               /* of the period */
    struct check_period periods[CHECK_PERIODS_MAX]; /* it and those before whose grace still runs, the latest last */
    unsigned n_periods;
};

void check_ears_begin(struct check_ears *, int64_t now_ms);
void check_ears_heard(struct check_ears *, int64_t now_ms);
/* Has anything been heard since there was 'n_heard'? If not, it is deaf. */
bool check_ears_hear(struct check_ears *, uint64_t n_heard);
/* No switch is connected. */
void check_ears_cut_off(struct check_ears *);
/* A timer that was to run out at 'due_ms' has. True: so late that we slept. */
bool check_ears_woke(struct check_ears *, int64_t due_ms, int64_t now_ms);
/* Is a host without a connection waited for? Its last one ended at 'lost_ms' (0: it has had none); it was last spoken to in period 'spoken_in' (0:
 * never). */
bool check_ears_waits(const struct check_ears *, int64_t lost_ms, uint64_t spoken_in, int64_t now_ms);

#endif
