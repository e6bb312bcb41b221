#include "controller/announce.h"

#include <stddef.h>

/* Before each round: since the one before. */
static const int64_t gaps_ms[ANNOUNCE_ROUNDS] = { 0, 100, 300, 1000, 3000, 9000, 20000, 30000 };

void
announcer_init(struct announcer *a)
{
    *a = (struct announcer){ .n_burst = 0 };
    for (unsigned i = 0; i < ANNOUNCE_ROUNDS; i++)
        a->rounds[i].last = &a->rounds[i].first;
}

static void
enqueue(struct announcer *a, struct announcement *an, uint8_t round, int64_t now_ms)
{
    struct announce_round *r = &a->rounds[round];
    *an = (struct announcement){ .link = r->last, .due_ms = now_ms + gaps_ms[round], .round = round };
    *r->last = an;
    r->last = &an->next;
}

void
announce_stop(struct announcer *a, struct announcement *an)
{
    if (!an->link)
        return;
    *an->link = an->next;
    if (an->next)
        an->next->link = an->link;
    else
        a->rounds[an->round].last = an->link;
    an->next = NULL;
    an->link = NULL;
}

void
announce_start(struct announcer *a, struct announcement *an, int64_t now_ms)
{
    announce_stop(a, an);
    enqueue(a, an, 0, now_ms);
}

static struct announcement *
earliest(const struct announcer *a)
{
    struct announcement *found = NULL;
    for (unsigned i = 0; i < ANNOUNCE_ROUNDS; i++) {
        struct announcement *first = a->rounds[i].first;
        if (first && (!found || first->due_ms < found->due_ms))
            found = first;
    }
    return found;
}

int64_t
announce_due_ms(const struct announcer *a)
{
    const struct announcement *an = earliest(a);
    if (!an)
        return INT64_MAX;
    int64_t rested_ms = a->n_burst == ANNOUNCE_BURST ? a->burst_ms + ANNOUNCE_PAUSE_MS : an->due_ms;
    return rested_ms > an->due_ms ? rested_ms : an->due_ms;
}

struct announcement *
announce_next(struct announcer *a, int64_t now_ms)
{
    if (announce_due_ms(a) > now_ms)
        return NULL;
    struct announcement *an = earliest(a);
    uint8_t next_round = an->round + 1;
    if (!a->n_burst || now_ms >= a->burst_ms + ANNOUNCE_PAUSE_MS) {
        a->burst_ms = now_ms;
        a->n_burst = 0;
    }
    a->n_burst++;
    announce_stop(a, an);
    if (next_round < ANNOUNCE_ROUNDS)
        enqueue(a, an, next_round, now_ms);
    return an;
}
