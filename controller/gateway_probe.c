#include "controller/gateway_probe.h"

#define AGAIN_MS 1000

void
gateway_probe_start(struct gateway_probe *p, bool is_known, int64_t now_ms)
{
    *p = (struct gateway_probe){ .due_ms = now_ms, .is_known = is_known };
}

bool
gateway_probe_lost(struct gateway_probe *p)
{
    if (p->is_lost || p->unanswered < PROBE_LOST_AFTER)
        return false;
    p->is_lost = true;
    return true;
}

/* Until it is asked again. 1, 2, 4, 8 seconds, if it was never known. */
static int64_t
gap_ms(const struct gateway_probe *p)
{
    if (p->is_known)
        return p->is_lost ? PROBE_INTERVAL_MS : AGAIN_MS;
    return p->unanswered > 4 ? PROBE_INTERVAL_MS : (int64_t) AGAIN_MS << (p->unanswered - 1);
}

void
gateway_probe_asked(struct gateway_probe *p, int64_t now_ms)
{
    p->unanswered += p->unanswered < UINT32_MAX;
    p->due_ms = now_ms + gap_ms(p);
}

void
gateway_probe_idle(struct gateway_probe *p)
{
    p->due_ms = INT64_MAX;
}

void
gateway_probe_wake(struct gateway_probe *p, int64_t now_ms)
{
    if (p->due_ms == INT64_MAX)
        p->due_ms = now_ms;
}

void
gateway_probe_hurry(struct gateway_probe *p, int64_t now_ms)
{
    gateway_probe_wake(p, now_ms);
    if (p->is_known)
        return;
    p->unanswered = 0;
    p->due_ms = now_ms;
}

bool
gateway_probe_answered(struct gateway_probe *p, bool is_other, int64_t now_ms, bool *was_lost)
{
    *was_lost = false;
    if (is_other && p->changed_ms && now_ms - p->changed_ms < PROBE_CHANGE_MS) {
        int64_t again_ms = p->changed_ms + PROBE_CHANGE_MS;
        p->due_ms = p->due_ms < again_ms ? p->due_ms : again_ms;
        return false;
    }
    *was_lost = p->is_lost;
    p->changed_ms = is_other ? now_ms : p->changed_ms;
    p->is_known = true;
    p->is_lost = false;
    p->unanswered = 0;
    p->due_ms = now_ms + PROBE_INTERVAL_MS;
    return true;
}
