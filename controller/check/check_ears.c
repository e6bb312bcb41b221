#include "controller/check/check_ears.h"

#include "controller/check/check.h"

void
check_ears_begin(struct check_ears *e, int64_t now_ms)
{
    e->is_deaf = false;
    e->period++;
    e->since_ms = now_ms;
}

void
check_ears_heard(struct check_ears *e, int64_t now_ms)
{
    e->n_heard++;
    if (e->is_deaf)
        check_ears_begin(e, now_ms);
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
    check_ears_begin(e, now_ms);
    return true;
}

bool
check_ears_waits(const struct check_ears *e, int64_t now_ms)
{
    return now_ms - e->since_ms < CHECK_GRACE_MS;
}
