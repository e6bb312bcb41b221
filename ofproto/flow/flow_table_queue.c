/* What each entry needs, and the queues in which it waits for it. An entry enters and leaves a queue in constant time,
 * whatever the queue's length; holes are squeezed out when the slots are used up. */
#include "ofproto/flow/flow_table_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static enum entry_class
class_of(uint8_t kind, bool is_delete)
{
    switch ((enum spec_kind) kind) {
    case SPEC_METER: return is_delete ? DELETE_METER : ADD_METER;
    case SPEC_GROUP: return is_delete ? DELETE_GROUP : ADD_GROUP;
    case SPEC_FLOW: break;
    }
    return is_delete ? DELETE_FLOW : ADD_FLOW;
}

enum entry_class
entry_class(const struct entry *e)
{
    if (e->is_sent)
        return ENTRY_CLEAN;
    if (e->is_refused)
        return LEFT_OUT;
    if (!e->is_desired)
        return e->installed ? class_of(e->spec->kind, true) : ENTRY_CLEAN;
    return spec_value_hash(e->spec) == e->installed ? ENTRY_CLEAN : class_of(e->spec->kind, false);
}

/* Moves the entries to the front of the slots, over the holes. */
static void
queue_squeeze(struct queue *q)
{
    size_t n = 0;
    for (size_t i = q->head; i < q->n; i++) {
        if (q->slots[i]) {
            q->slots[i]->position = n;
            q->slots[n++] = q->slots[i];
        }
    }
    q->head = 0;
    q->n = n;
}

static void
queue_append(struct queue *q, struct entry *e)
{
    if (q->n == q->cap && q->count < q->cap / 2)
        queue_squeeze(q);
    q->slots = mem_grow(q->slots, &q->cap, q->n + 1, sizeof *q->slots);
    assert(q->n < UINT32_MAX);
    e->position = q->n;
    q->slots[q->n++] = e;
    q->count++;
}

/* An empty queue gives its memory back: a first fill's is large, and then it is not needed again. */
void
queue_clear(struct queue *q)
{
    free(q->slots);
    *q = (struct queue){ NULL, 0, 0, 0, 0 };
}

void
queue_take(struct queue *q, struct entry *e)
{
    assert(q->slots[e->position] == e);
    q->slots[e->position] = NULL;
    e->class = ENTRY_CLEAN;
    if (!--q->count)
        queue_clear(q);
    while (q->head < q->n && !q->slots[q->head])
        q->head++;
}

struct entry *
queue_at(const struct queue *q, size_t *i)
{
    if (*i < q->head)
        *i = q->head;
    while (*i < q->n && !q->slots[*i])
        ++*i;
    return *i < q->n ? q->slots[*i] : NULL;
}

void
entry_free(struct flow_table *t, struct entry *e)
{
    assert(!e->is_desired && !e->is_sent && e->class == ENTRY_CLEAN);
    map_remove(&t->entries, &e->node);
    free(e->spec);
    free(e);
}

void
entry_settle(struct flow_table *t, struct entry *e)
{
    enum entry_class class = entry_class(e);
    if (e->class != class) {
        if (e->class != ENTRY_CLEAN)
            queue_take(&t->queues[e->class], e);
        e->class = class;
        if (class != ENTRY_CLEAN)
            queue_append(&t->queues[class], e);
    }
    if (!e->is_desired && !e->installed && !e->is_sent && !e->is_named && !e->is_named_shared)
        entry_free(t, e);
}
