#include "controller/check/check.h"

#include <string.h>

#define PUT_OFF_MS 20

const char *
target_state_word(enum target_state state)
{
    static const char *const words[] = { [TARGET_INITIAL] = "initial", [TARGET_HEALTHY] = "healthy", [TARGET_UNHEALTHY] = "unhealthy" };
    return words[state];
}

const char *
check_end_word(enum check_end end)
{
    static const char *const words[] = {
        [CHECK_ALIVE] = "", [CHECK_REFUSED] = "refused", [CHECK_NO_ANSWER] = "no answer", [CHECK_UNREACHABLE] = "unreachable"
    };
    return words[end];
}

/* ---- when ---- */

void
check_start(struct check *c, const struct check_rule *rule, uint32_t spread, int64_t now_ms)
{
    c->deadline_ms = INT64_MAX;
    c->was_asked = c->n_changes;
    c->next_ms = now_ms + (c->n_changes ? spread % rule->interval_ms : 0);
}

int64_t
check_due_ms(const struct check *c)
{
    return c->deadline_ms < c->next_ms ? c->deadline_ms : c->next_ms;
}

enum check_step
check_step(struct check *c, int64_t now_ms)
{
    if (c->deadline_ms <= now_ms) {
        if (now_ms - c->deadline_ms < CHECK_LATE_MS)
            return CHECK_TIMED_OUT;
        check_again(c, now_ms);
    }
    return c->deadline_ms == INT64_MAX && c->next_ms <= now_ms ? CHECK_ASK : CHECK_WAIT;
}

/* After the first probe each target finds a time of its own, in the second half of the interval. */
static int64_t
first_gap_ms(const struct check_rule *rule, uint32_t spread)
{
    uint32_t half_ms = rule->interval_ms / 2, least_ms = rule->timeout_ms > half_ms ? rule->timeout_ms : half_ms;
    return least_ms + spread % (rule->interval_ms - least_ms + 1);
}

void
check_asked(struct check *c, const struct check_rule *rule, uint32_t spread, int64_t now_ms)
{
    c->deadline_ms = now_ms + rule->timeout_ms;
    c->next_ms = !c->was_asked ? now_ms + first_gap_ms(rule, spread) : c->next_ms + rule->interval_ms;
    if (c->next_ms < c->deadline_ms)
        c->next_ms = c->deadline_ms;
    c->was_asked = true;
    c->put_off_ms = 0;
}

void
check_put_off(struct check *c, const struct check_rule *rule, int64_t now_ms)
{
    uint32_t ms = c->put_off_ms ? c->put_off_ms * 2 : PUT_OFF_MS;
    c->put_off_ms = ms < rule->interval_ms ? ms : rule->interval_ms;
    c->next_ms = now_ms + c->put_off_ms;
}

void
check_queue(struct check *c, uint32_t after_ms, int64_t now_ms)
{
    c->next_ms = now_ms + after_ms;
}

void
check_hurry(struct check *c, const struct check_rule *rule, int64_t now_ms)
{
    int64_t latest_ms = now_ms + rule->interval_ms;
    if (c->next_ms > latest_ms)
        c->next_ms = latest_ms;
    if (c->deadline_ms != INT64_MAX && c->deadline_ms > now_ms + rule->timeout_ms)
        c->deadline_ms = now_ms + rule->timeout_ms;
}

void
check_again(struct check *c, int64_t now_ms)
{
    c->deadline_ms = INT64_MAX;
    c->next_ms = now_ms;
}

void
check_extend(struct check *c, uint32_t ms, int64_t now_ms)
{
    c->deadline_ms = now_ms + ms;
    if (c->next_ms < c->deadline_ms)
        c->next_ms = c->deadline_ms;
}

void
check_unheard(struct check *c)
{
    c->deadline_ms = INT64_MAX;
}

/* ---- what ---- */

static bool
change(struct check *c, enum target_state state, int64_t wall_ms)
{
    if (c->state == state)
        return false;
    memmove(c->changes + 1, c->changes, (CHECK_CHANGES - 1) * sizeof c->changes[0]);
    c->changes[0] = (struct check_change){ wall_ms, state, state == TARGET_UNHEALTHY ? c->reason : CHECK_ALIVE };
    c->n_changes += c->n_changes < CHECK_CHANGES;
    c->state = state;
    c->streak = 0;
    return true;
}

static bool
alive(struct check *c, const struct check_rule *rule, int64_t wall_ms)
{
    if (c->state == TARGET_UNHEALTHY && ++c->streak < rule->rise)
        return false;
    c->reason = CHECK_ALIVE;
    c->streak = 0;
    return change(c, TARGET_HEALTHY, wall_ms);
}

/* A success between failures counts for nothing, and the other way round. */
bool
check_ended(struct check *c, const struct check_rule *rule, enum check_end end, int64_t wall_ms)
{
    c->deadline_ms = INT64_MAX;
    if (end == CHECK_ALIVE)
        return alive(c, rule, wall_ms);
    if (c->state == TARGET_UNHEALTHY) {
        c->streak = 0;
        c->reason = end;
        return false;
    }
    if (c->state == TARGET_INITIAL)
        c->reason = end;
    if (++c->streak < rule->fall)
        return false;
    c->reason = end;
    return change(c, TARGET_UNHEALTHY, wall_ms);
}

bool
check_forget(struct check *c, int64_t wall_ms)
{
    c->reason = CHECK_ALIVE;
    c->streak = 0;
    return change(c, TARGET_INITIAL, wall_ms);
}

bool
check_trust(struct check *c, int64_t wall_ms)
{
    c->next_ms = c->deadline_ms = INT64_MAX;
    c->reason = CHECK_ALIVE;
    return change(c, TARGET_HEALTHY, wall_ms);
}
