#include "controller/host/holdback.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "controller/host/host.h"

void
holdback_begin(struct hypervisor *h, uint64_t since)
{
    struct holdback *b = h->holdbacks;
    while (b && b->since != since)
        b = b->next;
    if (!b) {
        b = mem_zalloc(sizeof *b);
        b->since = since;
        b->next = h->holdbacks;
        h->holdbacks = b;
    }
    b->n++;
    b->until = 0;
}

void
holdback_end(struct hypervisor *h, uint64_t since, uint64_t until)
{
    for (struct holdback *b = h->holdbacks; b; b = b->next) {
        if (b->since != since || b->until)
            continue;
        if (!--b->n)
            b->until = until;
        return;
    }
}

void
holdback_moved(struct hypervisor *h, uint64_t since, uint64_t seq)
{
    for (struct holdback *b = h ? h->holdbacks : NULL; b; b = b->next)
        if (b->since == since)
            b->moved = seq;
}

bool
host_has_made(const struct hypervisor *h, uint64_t seq, uint64_t change)
{
    for (const struct holdback *b = h->holdbacks; b; b = b->next)
        if ((b->since == change || b->moved == change) && (!b->until || b->until > h->made_seq))
            return false;
    return h->made_seq >= seq;
}

uint64_t
holdbacks_limit(struct hypervisor *h, uint64_t seq)
{
    uint64_t whole = seq;
    for (struct holdback **p = &h->holdbacks; *p;) {
        struct holdback *b = *p;
        if (b->until && b->until <= seq) {
            *p = b->next;
            free(b);
            continue;
        }
        whole = b->since <= whole ? b->since - 1 : whole;
        p = &b->next;
    }
    return whole;
}

void
host_holdbacks_free(struct hypervisor *h)
{
    while (h->holdbacks) {
        struct holdback *b = h->holdbacks;
        h->holdbacks = b->next;
        free(b);
    }
}
