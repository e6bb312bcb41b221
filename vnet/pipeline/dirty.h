/* The blocks of one host that wait to be compiled: each once, first come first served. The compiler's. */
#ifndef VNET_PIPELINE_DIRTY_H
#define VNET_PIPELINE_DIRTY_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"

struct dirty_block {
    struct map_node node; /* by cookie */
    struct dirty_block *next, **link;
    uint64_t cookie;
};

struct dirty_queue {
    struct map blocks;
    struct dirty_block *first, **last;
};

void dirty_init(struct dirty_queue *);
void dirty_done(struct dirty_queue *);
void dirty_add(struct dirty_queue *, uint64_t cookie);
static inline bool
dirty_is_empty(const struct dirty_queue *q)
{
    return !q->first;
}
bool dirty_has(const struct dirty_queue *, uint64_t cookie);
uint64_t dirty_take(struct dirty_queue *);              /* the queue is not empty */
void dirty_drop(struct dirty_queue *, uint64_t cookie); /* if it is in it */

#endif
