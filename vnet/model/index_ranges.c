/* Ranges of addresses: subnets by their VPC, pools of public addresses. */
#include "vnet/model/index_private.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

struct range_entry {
    struct tree_node node;
    struct range_key key;
    uint32_t last;
};

int
range_compare(const void *key_, const struct tree_node *n)
{
    const struct range_key *a = key_, *b = &CONTAINER_OF(n, struct range_entry, node)->key;
    if (a->scope != b->scope)
        return order(a->scope, b->scope);
    return a->first != b->first ? order(a->first, b->first) : order(a->number, b->number);
}

static struct range_entry *
range_entry_at(struct tree_node *n)
{
    return n ? CONTAINER_OF(n, struct range_entry, node) : NULL;
}

bool
range_of(const struct object *o, struct range_key *key, uint32_t *last)
{
    const struct subnet *s = o->type == OBJECT_SUBNET ? (const struct subnet *) (const void *) o : NULL;
    const struct pool *p = o->type == OBJECT_POOL ? (const struct pool *) (const void *) o : NULL;
    if (!s && !p)
        return false;
    struct ip_prefix cidr = s ? s->cidr : p->cidr;
    *key = (struct range_key){ s ? s->vpc : PUBLIC_SCOPE, ip4_u32(ip_prefix_first(cidr)), o->number };
    *last = ip4_u32(ip_prefix_last(cidr));
    return true;
}

void
range_add(struct model *m, enum view v, const struct range_key *key, uint32_t last)
{
    struct range_entry *e = mem_zalloc(sizeof *e);
    e->key = *key;
    e->last = last;
    tree_insert(&m->ranges[v], &e->key, &e->node);
}

void
range_remove(struct model *m, enum view v, const struct range_key *key)
{
    struct range_entry *e = range_entry_at(tree_find(&m->ranges[v], key));
    assert(e);
    tree_remove(&m->ranges[v], &e->node);
    free(e);
}

/* Ranges of a scope do not overlap, so the last one that begins before the end is the only candidate. */
uint32_t
view_range_overlapping(const struct model *m, enum view v, uint32_t scope, uint32_t first, uint32_t last)
{
    struct range_key key = { scope, last, UINT32_MAX };
    const struct range_entry *e = range_entry_at(tree_at_or_before(&m->ranges[v], &key));
    return e && e->key.scope == scope && e->last >= first ? e->key.number : 0;
}
