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

static struct dirty_block *
block_find(const struct dirty_queue *q, uint64_t cookie)
{
    MAP_FOR_EACH_HASH (n, &q->blocks, hash_number(cookie)) {
        struct dirty_block *d = CONTAINER_OF(n, struct dirty_block, node);
        if (d->cookie == cookie)
            return d;
    }
    return NULL;
}

bool
dirty_has(const struct dirty_queue *q, uint64_t cookie)
{
    return block_find(q, cookie);
}

void
dirty_add(struct dirty_queue *q, uint64_t cookie)
{
    if (block_find(q, cookie))
        return;
    struct dirty_block *d = mem_zalloc(sizeof *d);
    d->cookie = cookie;
    d->link = q->last;
    map_insert(&q->blocks, &d->node, hash_number(cookie));
    *q->last = d;
    q->last = &d->next;
}

static void
block_remove(struct dirty_queue *q, struct dirty_block *d)
{
    *d->link = d->next;
    if (d->next)
        d->next->link = d->link;
    else
        q->last = d->link;
    map_remove(&q->blocks, &d->node);
    free(d);
}

uint64_t
dirty_take(struct dirty_queue *q)
{
    uint64_t cookie = q->first->cookie;
    block_remove(q, q->first);
    return cookie;
}

void
dirty_drop(struct dirty_queue *q, uint64_t cookie)
{
    struct dirty_block *d = block_find(q, cookie);
    if (d)
        block_remove(q, d);
}
