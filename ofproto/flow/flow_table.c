/* The flow table's entries and blocks, and walks over what is desired. */
#include "ofproto/flow/flow_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ofproto/flow/flow_table_private.h"

struct flow_table *
flow_table_new(void)
{
    struct flow_table *t = mem_zalloc(sizeof *t);
    map_init(&t->entries);
    map_init(&t->blocks);
    map_init(&t->refused);
    t->scratch = arena_new();
    return t;
}

static void
blocks_free(struct flow_table *t)
{
    MAP_FOR_EACH_SAFE (node, next, &t->blocks) {
        struct block *block = CONTAINER_OF(node, struct block, node);
        map_remove(&t->blocks, node);
        free(block);
    }
    map_done(&t->blocks);
}

void
flow_table_free(struct flow_table *t)
{
    if (!t)
        return;
    MAP_FOR_EACH_SAFE (node, next, &t->entries) {
        struct entry *e = CONTAINER_OF(node, struct entry, node);
        map_remove(&t->entries, node);
        if (e->is_shared)
            shared_free(e);
        free(e->spec);
        free(e);
    }
    map_done(&t->entries);
    blocks_free(t);
    refused_free(t);
    for (int i = 0; i <= LEFT_OUT; i++)
        queue_clear(&t->queues[i]);
    free(t->sent);
    free(t->named);
    free(t->by_priority);
    arena_free(t->scratch);
    free(t);
}

struct entry *
entry_find(const struct flow_table *t, const struct spec_id *id)
{
    MAP_FOR_EACH_HASH (node, &t->entries, spec_id_hash(id)) {
        struct entry *e = CONTAINER_OF(node, struct entry, node);
        if (spec_id_is(id, e->spec))
            return e;
    }
    return NULL;
}

struct entry *
entry_find_key(const struct flow_table *t, const struct spec *s)
{
    struct spec_id id = spec_id_of(s);
    return entry_find(t, &id);
}

struct entry *
entry_new(struct flow_table *t, const struct spec *s)
{
    struct entry *e = mem_zalloc(sizeof *e);
    e->spec = mem_dup(s, spec_size(s));
    e->class = ENTRY_CLEAN;
    map_insert(&t->entries, &e->node, spec_key_hash(s));
    return e;
}

void
entry_desire(struct flow_table *t, struct entry *e, const struct spec *s)
{
    if (s->kind == SPEC_FLOW)
        t->n_desired_flows += !e->is_desired;
    e->is_desired = true;
    e->is_changed = true;
    entry_set_refused(t, e, false);
    if (s->cookie != e->spec->cookie || s->body_len != e->spec->body_len || s->is_shared != e->spec->is_shared
        || s->tells_removal != e->spec->tells_removal || memcmp(spec_body(s), spec_body(e->spec), s->body_len)) {
        struct spec *old = e->spec;
        e->spec = mem_dup(s, spec_size(s));
        free(old);
    }
    entry_settle(t, e);
}

void
entry_undesire(struct flow_table *t, struct entry *e)
{
    assert(e->is_desired);
    if (e->spec->kind == SPEC_FLOW)
        t->n_desired_flows--;
    e->is_desired = false;
    e->is_changed = true;
    entry_set_refused(t, e, false);
    e->is_shared = false;
    e->next_of_block = NULL;
    entry_settle(t, e);
}

struct block *
block_find(const struct flow_table *t, uint64_t cookie)
{
    MAP_FOR_EACH_HASH (node, &t->blocks, hash_number(cookie)) {
        struct block *block = CONTAINER_OF(node, struct block, node);
        if (block->cookie == cookie)
            return block;
    }
    return NULL;
}

size_t
flow_table_n_desired(const struct flow_table *t)
{
    return t->n_desired_flows;
}

bool
flow_table_has_block(const struct flow_table *t, uint64_t cookie)
{
    return block_find(t, cookie);
}

size_t
flow_table_n_blocks(const struct flow_table *t)
{
    return map_count(&t->blocks);
}

void
flow_table_each(const struct flow_table *t, void (*each)(void *aux, const struct spec *), void *aux)
{
    MAP_FOR_EACH (node, &t->entries) {
        const struct entry *e = CONTAINER_OF(node, struct entry, node);
        if (e->is_desired)
            each(aux, e->spec);
    }
}

/* A contribution as the spec that its block gave. */
static void
contribution_each(const struct contribution *c, void (*each)(void *aux, const struct spec *), void *aux)
{
    const struct spec *whole = c->entry->spec;
    struct spec *s = mem_alloc(sizeof *s + whole->key_len + c->body_len);
    *s = *whole;
    s->cookie = c->cookie;
    s->body_len = c->body_len;
    memcpy(s->bytes, spec_key(whole), whole->key_len);
    memcpy(s->bytes + whole->key_len, c->body, c->body_len);
    each(aux, s);
    free(s);
}

void
flow_table_each_of(const struct flow_table *t, uint64_t cookie, void (*each)(void *aux, const struct spec *), void *aux)
{
    const struct block *block = block_find(t, cookie);
    if (!block)
        return;
    for (const struct entry *e = block->entries; e; e = e->next_of_block)
        each(aux, e->spec);
    for (const struct contribution *c = block->contributions; c; c = c->next_of_block)
        contribution_each(c, each, aux);
}

static int
compare_by_priority(const void *a_, const void *b_)
{
    const struct spec *a = *(const struct spec *const *) a_, *b = *(const struct spec *const *) b_;
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    size_t n = a->key_len < b->key_len ? a->key_len : b->key_len;
    int order = memcmp(spec_key(a), spec_key(b), n);
    return order ? order : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static void
by_priority_build(struct flow_table *t)
{
    size_t n = 0;
    t->by_priority = mem_alloc((t->n_desired_flows + 1) * sizeof(struct spec *));
    MAP_FOR_EACH (node, &t->entries) {
        const struct entry *e = CONTAINER_OF(node, struct entry, node);
        if (e->is_desired && e->spec->kind == SPEC_FLOW)
            t->by_priority[n++] = e->spec;
    }
    assert(n == t->n_desired_flows);
    qsort(t->by_priority, n, sizeof *t->by_priority, compare_by_priority);

    size_t i = 0;
    for (unsigned table = 0; table < 256; table++) {
        while (i < n && t->by_priority[i]->table == table)
            i++;
        t->by_priority_end[table] = i;
    }
}

const struct spec *const *
flow_table_by_priority(struct flow_table *t, uint8_t table, size_t *n)
{
    if (!t->by_priority)
        by_priority_build(t);
    size_t start = table ? t->by_priority_end[table - 1] : 0;
    *n = t->by_priority_end[table] - start;
    return t->by_priority + start;
}
