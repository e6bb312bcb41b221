/* Is the peer of a connection alive? Each OpenFlow and OVSDB session embeds one machine, tells it of every
 * reception before it runs it, and runs it by a timer set to liveness_next_ms(). */
#include "base/liveness.h"

static void
state_set(struct liveness *l, enum liveness_state state, int64_t now_ms)
{
    l->state = state;
    l->changed_ms = now_ms;
}

void
liveness_init(struct liveness *l, int probe_ms, int64_t now_ms)
{
    l->probe_ms = probe_ms;
    state_set(l, LIVENESS_ACTIVE, now_ms);
}

void
liveness_received(struct liveness *l, int64_t now_ms)
{
    if (l->state != LIVENESS_DEAD)
        state_set(l, LIVENESS_ACTIVE, now_ms);
}

enum liveness_action
liveness_run(struct liveness *l, int64_t now_ms)
{
    if (l->state == LIVENESS_DEAD)
        return LIVENESS_CLOSE;
    if (now_ms < liveness_next_ms(l))
        return LIVENESS_NOTHING;

    if (l->state == LIVENESS_ACTIVE) {
        state_set(l, LIVENESS_PROBING, now_ms);
        return LIVENESS_SEND_PROBE;
    }
    state_set(l, LIVENESS_DEAD, now_ms);
    return LIVENESS_CLOSE;
}

int64_t
liveness_next_ms(const struct liveness *l)
{
    if (l->state == LIVENESS_DEAD || l->probe_ms <= 0)
        return INT64_MAX;
    return l->changed_ms + l->probe_ms;
}
