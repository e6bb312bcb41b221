#include "vnet/pipeline/dirty.h"

#include <stdlib.h>

#include "base/alloc.h"

void
dirty_init(struct dirty_queue *q)
{
    map_init(&q->blocks);
    q->first = NULL;
    q->last = &q->first;
}

void
dirty_done(struct dirty_queue *q)
{
    while (!dirty_is_empty(q))
        dirty_take(q);
    map_done(&q->blocks);
}

void
dirty_add(struct dirty_queue *q, uint64_t cookie)
{
    uint32_t hash = hash_u64(cookie);
    MAP_FOR_EACH_HASH (n, &q->blocks, hash) {
        if (CONTAINER_OF(n, struct dirty_block, node)->cookie == cookie)
            return;
    }
    struct dirty_block *d = mem_zalloc(sizeof *d);
    d->cookie = cookie;
    map_insert(&q->blocks, &d->node, hash);
    *q->last = d;
    q->last = &d->next;
}

uint64_t
dirty_take(struct dirty_queue *q)
{
    struct dirty_block *d = q->first;
    uint64_t cookie = d->cookie;
    q->first = d->next;
    if (!q->first)
        q->last = &q->first;
    map_remove(&q->blocks, &d->node);
    free(d);
    return cookie;
}
