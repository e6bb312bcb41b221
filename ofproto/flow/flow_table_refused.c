/* What the switch refused. Its entries wait in a queue of their own until they are tried again, the longest left out first.
 * By block, so that who was told of a refusal is told of its end, too. A block whose refused entries have all been
 * given another try is accepted once they are confirmed: with the commit of a batch after which nothing was left to be sent, taken
 * when they waited already. If one is refused again meanwhile, the block was never accepted. A change costs the entries that it touches. */
#include <stdlib.h>

#include "base/alloc.h"
#include "ofproto/flow/flow_table_private.h"

struct refused_block {
    struct map_node node;              /* flow_table.refused, by cookie */
    struct refused_block *next, *prev; /* of those with n == 0 */
    uint64_t cookie;
    size_t n;       /* entries */
    uint64_t since; /* n == 0: flow_table.n_wholes then */
};

static struct refused_block *
refused_find(const struct flow_table *t, uint64_t cookie)
{
    MAP_FOR_EACH_HASH (node, &t->refused, hash_number(cookie)) {
        struct refused_block *r = CONTAINER_OF(node, struct refused_block, node);
        if (r->cookie == cookie)
            return r;
    }
    return NULL;
}

static void
waiting_add(struct flow_table *t, struct refused_block *r)
{
    r->since = t->n_wholes;
    r->next = NULL;
    r->prev = t->last_retried;
    *(r->prev ? &r->prev->next : &t->first_retried) = r;
    t->last_retried = r;
}

static void
waiting_remove(struct flow_table *t, struct refused_block *r)
{
    *(r->prev ? &r->prev->next : &t->first_retried) = r->next;
    *(r->next ? &r->next->prev : &t->last_retried) = r->prev;
}

static struct refused_block *
refused_get(struct flow_table *t, uint64_t cookie)
{
    struct refused_block *r = refused_find(t, cookie);
    if (r)
        return r;
    r = mem_zalloc(sizeof *r);
    r->cookie = cookie;
    map_insert(&t->refused, &r->node, hash_number(cookie));
    waiting_add(t, r);
    return r;
}

void
refused_note(struct flow_table *t, uint64_t cookie)
{
    refused_get(t, cookie);
}

void
entry_set_refused(struct flow_table *t, struct entry *e, bool is_refused)
{
    e->is_retried = false;
    if (is_refused == e->is_refused)
        return;
    e->is_refused = is_refused;
    struct refused_block *r = refused_get(t, e->spec->cookie);
    if (is_refused && !r->n++)
        waiting_remove(t, r);
    else if (!is_refused && !--r->n)
        waiting_add(t, r);
}

size_t
flow_table_n_refused(const struct flow_table *t)
{
    return t->queues[LEFT_OUT].count;
}

size_t
flow_table_retry(struct flow_table *t, size_t max)
{
    struct queue *q = &t->queues[LEFT_OUT];
    size_t n = q->count < max ? q->count : max;
    for (size_t i = 0; i < n; i++) {
        size_t first = 0;
        struct entry *e = queue_at(q, &first);
        entry_set_refused(t, e, false);
        e->is_retried = true;
        entry_settle(t, e);
    }
    return n;
}

bool
flow_table_next_accepted(struct flow_table *t, uint64_t *cookie)
{
    struct refused_block *r = t->first_retried;
    if (!r || (r->since >= t->n_wholes_committed && !flow_table_is_clean(t)))
        return false;
    *cookie = r->cookie;
    waiting_remove(t, r);
    map_remove(&t->refused, &r->node);
    free(r);
    return true;
}

void
refused_free(struct flow_table *t)
{
    MAP_FOR_EACH_SAFE (node, next, &t->refused) {
        map_remove(&t->refused, node);
        free(CONTAINER_OF(node, struct refused_block, node));
    }
    map_done(&t->refused);
}
