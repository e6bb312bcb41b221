/* Pace of transactions: a bucket of tokens and a doubling back-off. Called by ovsdb_session_step.c. */
#include "ofproto/ovsdb/ovsdb_pace.h"

#define TOKEN_MS 1000

void
ovsdb_pace_init(struct ovsdb_pace *p, int burst, int64_t now_ms)
{
    *p = (struct ovsdb_pace){ .filled_ms = now_ms, .tokens = burst, .burst = burst };
}

bool
ovsdb_pace_take(struct ovsdb_pace *p, int64_t now_ms)
{
    int64_t fresh = (now_ms - p->filled_ms) / TOKEN_MS;
    if (p->tokens + fresh >= p->burst) {
        p->tokens = p->burst;
        p->filled_ms = now_ms;
    } else {
        p->tokens += fresh;
        p->filled_ms += fresh * TOKEN_MS;
    }
    if (now_ms < p->not_before_ms || !p->tokens)
        return false;
    p->tokens--;
    return true;
}

int64_t
ovsdb_pace_next_ms(const struct ovsdb_pace *p)
{
    int64_t token_ms = p->tokens ? 0 : p->filled_ms + TOKEN_MS;
    return token_ms > p->not_before_ms ? token_ms : p->not_before_ms;
}

void
ovsdb_pace_answered(struct ovsdb_pace *p, int64_t now_ms)
{
    p->backoff_ms = p->backoff_ms ? p->backoff_ms * 2 : OVSDB_PACE_FIRST_MS;
    if (p->backoff_ms > OVSDB_PACE_MAX_MS)
        p->backoff_ms = OVSDB_PACE_MAX_MS;
    p->not_before_ms = now_ms + p->backoff_ms;
}

void
ovsdb_pace_lift(struct ovsdb_pace *p)
{
    p->not_before_ms = 0;
}

void
ovsdb_pace_settled(struct ovsdb_pace *p)
{
    p->backoff_ms = 0;
    p->not_before_ms = 0;
}
