/* Learning what a switch holds. Most of what is read back is just what is desired, byte for byte: that takes one hash
 * lookup and one comparison. Only what differs goes through libopenvswitch's decoder, since the switch may be of a
 * version that spells the same otherwise. */
#include <assert.h>
#include <string.h>

#include <openflow/openflow-1.3.h>

#include "ofproto/flow/flow_table_private.h"

/* Nothing is installed any more: everything desired is queued, block by block, so that batches end at block boundaries. */
static void
installed_forget(struct flow_table *t)
{
    for (size_t i = 0; i < t->n_sent; i++)
        t->sent[i].entry->is_sent = false;
    t->n_sent = 0;
    for (int i = 0; i <= LEFT_OUT; i++)
        queue_clear(&t->queues[i]);
    MAP_FOR_EACH_SAFE (node, next, &t->entries) {
        struct entry *e = CONTAINER_OF(node, struct entry, node);
        e->installed = 0;
        entry_set_refused(t, e, false); /* another connection, perhaps another switch: worth another try */
        e->class = ENTRY_CLEAN;
        if (!e->is_desired)
            entry_free(t, e);
    }
    MAP_FOR_EACH (block_node, &t->blocks) {
        struct block *block = CONTAINER_OF(block_node, struct block, node);
        for (struct entry *e = block->entries; e; e = e->next_of_block)
            entry_settle(t, e);
        for (struct contribution *c = block->contributions; c; c = c->next_of_block)
            entry_settle(t, c->entry);
    }
}

/* A table that is new needs no look at all its entries: it is all queued. */
void
flow_table_readback_begin(struct flow_table *t)
{
    if (t->has_history)
        installed_forget(t);
    t->has_history = true;
    t->is_reading = true;
}

/* Of a flow that has what we never give, another hash than the same flow of ours has. */
static uint64_t
installed_hash(uint64_t hash, bool is_foreign)
{
    return !is_foreign ? hash : hash ^ 2 ? hash ^ 2 : 8;
}

/* A flow that is not desired: it is kept to be deleted. */
static void
extra_add(struct flow_table *t, const struct spec *s, bool is_foreign)
{
    struct entry *e = entry_find_key(t, s);
    if (!e)
        e = entry_new(t, s);
    e->installed = installed_hash(spec_value_hash(s), is_foreign);
    entry_settle(t, e);
}

/* What libopenvswitch does not understand is nothing of ours, but it is there; the switch's own spelling deletes it. */
static const struct spec *
flow_as_it_is(const struct wire_flow *wf, struct arena *arena)
{
    struct spec head = {
        .cookie = wf->cookie,
        .priority = wf->priority,
        .table = wf->table,
        .kind = SPEC_FLOW,
        .tells_removal = wf->tells_removal,
        .key_len = wf->key_len,
        .body_len = wf->body_len,
    };
    return spec_put(arena, &head, wf->key, wf->body);
}

void
flow_table_readback_flow(struct flow_table *t, const struct wire_flow *wf)
{
    assert(t->is_reading);
    struct spec_id id = {
        .key = wf->key,
        .key_len = wf->key_len,
        .priority = wf->priority,
        .table = wf->table,
        .kind = SPEC_FLOW,
    };
    struct entry *e = entry_find(t, &id);
    const struct spec *s = e ? e->spec : NULL;
    if (s && s->body_len == wf->body_len && !memcmp(spec_body(s), wf->body, wf->body_len)) {
        const struct spec head = { .kind = SPEC_FLOW, .cookie = wf->cookie, .tells_removal = wf->tells_removal };
        e->installed = installed_hash(spec_bytes_hash(&head, wf->body, wf->body_len), wf->is_foreign);
        entry_settle(t, e);
        return;
    }

    s = wire_flow_canonical(wf, t->scratch);
    if (!s && wf->key_len + wf->body_len <= SPEC_BYTES_MAX)
        s = flow_as_it_is(wf, t->scratch);
    if (s)
        extra_add(t, s, wf->is_foreign);
    arena_reset(t->scratch);
}

void
flow_table_readback_spec(struct flow_table *t, const struct spec *s)
{
    assert(t->is_reading && s->kind != SPEC_FLOW);
    if (s->kind == SPEC_METER && s->id > OFPM13_MAX)
        return; /* a virtual meter: the administrator's */
    extra_add(t, s, false);
}

void
flow_table_readback_end(struct flow_table *t)
{
    assert(t->is_reading);
    t->is_reading = false;
}
