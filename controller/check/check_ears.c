#include "controller/check/check_ears.h"

#include "controller/check/check.h"

/* Those whose grace is not over at 'now_ms', without the time that vnetd was away. */
static void
keep_periods(struct check_ears *e, int64_t away_ms, int64_t now_ms)
{
    unsigned n = 0;
    for (unsigned i = 0; i < e->n_periods; i++) {
        struct check_period p = e->periods[i];
        p.since_ms += away_ms;
        if (now_ms - p.since_ms < CHECK_GRACE_MS)
            e->periods[n++] = p;
    }
    e->n_periods = n;
}

/* If there are too many already the last one is longer instead. */
static void
begin(struct check_ears *e, int64_t after_ms, int64_t now_ms)
{
    e->is_deaf = false;
    e->period++;
    e->since_ms = now_ms;
    if (e->n_periods == CHECK_PERIODS_MAX)
        after_ms = e->periods[--e->n_periods].after_ms;
    e->periods[e->n_periods++] = (struct check_period){ e->period, after_ms, now_ms };
}

static void
begin_again(struct check_ears *e, int64_t gone_ms, int64_t now_ms)
{
    keep_periods(e, now_ms - gone_ms, now_ms);
    begin(e, gone_ms, now_ms);
}

void
check_ears_begin(struct check_ears *e, int64_t now_ms)
{
    e->n_periods = 0;
    e->heard_ms = now_ms;
    begin(e, 0, now_ms);
}

void
check_ears_heard(struct check_ears *e, int64_t now_ms)
{
    e->n_heard++;
    if (e->is_deaf)
        begin_again(e, e->heard_ms, now_ms);
    e->heard_ms = now_ms;
}

bool
check_ears_hear(struct check_ears *e, uint64_t n_heard)
{
    e->is_deaf |= e->n_heard == n_heard;
    return !e->is_deaf;
}

void
check_ears_cut_off(struct check_ears *e)
{
    e->is_deaf = true;
}

bool
check_ears_woke(struct check_ears *e, int64_t due_ms, int64_t now_ms)
{
    if (now_ms - due_ms < CHECK_LATE_MS)
        return false;
    begin_again(e, e->is_deaf && e->heard_ms < due_ms ? e->heard_ms : due_ms, now_ms);
    return true;
}

bool
check_ears_waits(const struct check_ears *e, int64_t lost_ms, uint64_t spoken_in, int64_t now_ms)
{
    for (unsigned i = e->n_periods; i--;) {
        const struct check_period *p = &e->periods[i];
        if (p->after_ms <= lost_ms)
            return spoken_in < p->number && now_ms - p->since_ms < CHECK_GRACE_MS;
    }
    return false;
}
