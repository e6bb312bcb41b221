/* Who refers to an object, by type and number. */
#include "vnet/model/index_private.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

struct ref_entry {
    struct tree_node node;
    struct ref_key key;
    uint8_t views;
    const struct slot *referrer; /* stays while one of its versions states something */
};

int
ref_compare(const void *key_, const struct tree_node *n)
{
    const struct ref_key *a = key_, *b = &CONTAINER_OF(n, struct ref_entry, node)->key;
    if (a->target != b->target)
        return order(a->target, b->target);
    return a->type != b->type ? order(a->type, b->type) : order(a->referrer, b->referrer);
}

static struct ref_entry *
ref_entry_at(struct tree_node *n)
{
    return n ? CONTAINER_OF(n, struct ref_entry, node) : NULL;
}

void
ref_add(struct model *m, enum view v, const struct ref_key *key, const struct slot *referrer)
{
    struct ref_entry *e = ref_entry_at(tree_find(&m->refs, key));
    if (!e) {
        e = mem_zalloc(sizeof *e);
        e->key = *key;
        e->referrer = referrer;
        tree_insert(&m->refs, key, &e->node);
    }
    e->views |= 1 << v;
}

void
ref_remove(struct model *m, enum view v, const struct ref_key *key)
{
    struct ref_entry *e = ref_entry_at(tree_find(&m->refs, key));
    assert(e && e->views & 1 << v);
    e->views &= ~(1 << v);
    if (!e->views) {
        tree_remove(&m->refs, &e->node);
        free(e);
    }
}

uint32_t
view_next_referrer(const struct model *m, enum view v, uint32_t target, enum object_type type, uint32_t after)
{
    if (after == UINT32_MAX)
        return 0;
    struct ref_key key = { .target = target, .type = type, .referrer = after + 1 };
    const struct ref_entry *e = ref_entry_at(tree_at_or_after(&m->refs, &key));
    while (e && e->key.target == target && e->key.type == type) {
        if (e->views & 1 << v)
            return e->key.referrer;
        e = ref_entry_at(tree_next(&e->node));
    }
    return 0;
}

void
view_each_referrer(const struct model *m, enum view v, uint32_t target, enum object_type type,
                   bool (*each)(void *aux, const struct object *), void *aux)
{
    struct ref_key key = { .target = target, .type = type };
    const struct ref_entry *e = ref_entry_at(tree_at_or_after(&m->refs, &key));
    for (; e && e->key.target == target && e->key.type == type; e = ref_entry_at(tree_next(&e->node)))
        if (e->views & 1 << v && !each(aux, e->referrer->o[v]))
            return;
}

void
view_each_referring_number(const struct model *m, enum view v, uint32_t target, enum object_type type,
                           void (*each)(void *aux, uint32_t number), void *aux)
{
    struct ref_key key = { .target = target, .type = type };
    const struct ref_entry *e = ref_entry_at(tree_at_or_after(&m->refs, &key));
    for (; e && e->key.target == target && e->key.type == type; e = ref_entry_at(tree_next(&e->node)))
        if (e->views & 1 << v)
            each(aux, e->key.referrer);
}
