/* The difference, in batches: taken, then committed or not. An entry that is sent waits for its batch's fate; what
 * changes about it meanwhile is looked at then. */
#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "ofproto/flow/flow_table_private.h"

bool
flow_table_has_unsent(const struct flow_table *t)
{
    for (int i = 0; i < N_CLASSES; i++)
        if (t->queues[i].count)
            return true;
    return false;
}

bool
flow_table_is_clean(const struct flow_table *t)
{
    return !t->is_reading && !t->n_sent && !flow_table_has_unsent(t);
}

bool
flow_table_is_sending(const struct flow_table *t)
{
    return t->n_sent;
}

/* How many entries at the front of the queue belong to one block; counts no further than past 'max'. A shared entry is
 * of no single block. */
static size_t
queue_run(const struct queue *q, size_t max)
{
    size_t i = q->head, n = 0;
    const struct entry *first = queue_at(q, &i);
    for (const struct entry *e = first; e && n <= max; e = queue_at(q, &i)) {
        if (n && (e->is_shared || e->spec->cookie != first->spec->cookie))
            break;
        n++;
        i++;
    }
    return n;
}

static void
entry_send(struct flow_table *t, struct entry *e, struct flow_table_send *send)
{
    queue_take(&t->queues[e->class], e);
    e->is_sent = true;
    e->is_changed = false;
    e->position = t->n_sent;
    t->sent[t->n_sent++] = (struct sent){ .entry = e, .hash = e->is_desired ? spec_value_hash(e->spec) : 0, .cookie = e->spec->cookie };
    *send = (struct flow_table_send){
        .spec = e->spec,
        .command = e->is_desired ? WIRE_ADD : WIRE_DELETE,
        .is_modify = e->is_desired && e->installed,
        .is_retried = e->is_retried,
        .entry = e,
    };
}

/* A batch is thousands of entries that nobody looked at for a while, and the switch waits for it. */
#define PREFETCH 8

static void
queue_prefetch(const struct queue *q, size_t i)
{
    if (i + 2 * PREFETCH < q->n)
        __builtin_prefetch(q->slots[i + 2 * PREFETCH]);
    if (i + PREFETCH < q->n && q->slots[i + PREFETCH])
        __builtin_prefetch(q->slots[i + PREFETCH]->spec);
}

static size_t
batch_take(struct flow_table *t, struct flow_table_send *send, size_t max)
{
    size_t n = 0;
    t->has_history = true;
    for (int class = 0; class < N_CLASSES && !t->is_reading; class ++) {
        struct queue *q = &t->queues[class];
        while (q->count && n < max) {
            size_t run = queue_run(q, max - n);
            if (run > max - n && n)
                return n; /* a block is not split if the next batch can hold it */
            if (run > max - n)
                run = max - n;
            t->sent = mem_grow(t->sent, &t->cap_sent, n + run, sizeof *t->sent);
            for (size_t i = q->head; run; run--) {
                queue_prefetch(q, i);
                entry_send(t, queue_at(q, &i), &send[n++]);
            }
        }
        if (q->count)
            return n; /* what comes later in the order waits for this class to be through */
    }
    return n;
}

size_t
flow_table_take(struct flow_table *t, struct flow_table_send *send, size_t max)
{
    assert(!t->n_sent);
    size_t n = batch_take(t, send, max);
    t->is_whole = n && !flow_table_has_unsent(t);
    t->n_wholes += t->is_whole;
    return n;
}

/* Ends the batch; is_committed: what was not refused is installed. */
static void
batch_end(struct flow_table *t, bool is_committed)
{
    size_t n = t->n_sent;
    t->n_sent = 0;
    for (size_t i = 0; i < n; i++) {
        struct sent *sent = &t->sent[i];
        struct entry *e = sent->entry;
        if (i + PREFETCH < n)
            __builtin_prefetch(t->sent[i + PREFETCH].entry, 1);
        e->is_sent = false;
        if (sent->is_installed || (is_committed && !sent->is_refused)) {
            e->installed = sent->hash;
        } else if (sent->is_refused) { /* not if it has changed since: the new value was not refused */
            entry_set_refused(t, e, (e->is_desired ? spec_value_hash(e->spec) : 0) == sent->hash);
            refused_note(t, sent->cookie);
        }
        if (e->installed != sent->hash || !e->is_desired || e->is_changed)
            entry_settle(t, e); /* else it is clean, as it was while sent */
    }
    free(t->sent);
    t->sent = NULL;
    t->cap_sent = 0;
}

void
flow_table_committed(struct flow_table *t)
{
    if (t->is_whole)
        t->n_wholes_committed = t->n_wholes;
    batch_end(t, true);
}

void
flow_table_not_committed(struct flow_table *t)
{
    batch_end(t, false);
}

static struct sent *
sent_of(struct flow_table *t, void *entry)
{
    struct entry *e = entry;
    assert(e->is_sent && e->position < t->n_sent && t->sent[e->position].entry == e);
    return &t->sent[e->position];
}

void
flow_table_refused(struct flow_table *t, void *entry)
{
    sent_of(t, entry)->is_refused = true;
}

void
flow_table_installed(struct flow_table *t, void *entry)
{
    sent_of(t, entry)->is_installed = true;
}
