/* Taken addresses as runs in one tree, ordered by owner, then first address.
 *
 * Invariant: runs of one owner neither overlap nor touch; so a free address is found by looking at one run. */
#include "vnet/model/ip_pool.h"

#include <stdlib.h>

#include "base/alloc.h"

struct run_key {
    uint32_t owner, first;
};

struct run {
    struct tree_node node;
    struct run_key key;
    uint32_t last;
};

static int
run_compare(const void *key_, const struct tree_node *n)
{
    const struct run_key *a = key_, *b = &CONTAINER_OF(n, struct run, node)->key;
    if (a->owner != b->owner)
        return a->owner < b->owner ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

void
ip_pool_init(struct ip_pool *p)
{
    tree_init(&p->runs, run_compare);
}

static void
run_free(struct ip_pool *p, struct run *r)
{
    tree_remove(&p->runs, &r->node);
    free(r);
}

static void
run_add(struct ip_pool *p, uint32_t owner, uint32_t first, uint32_t last)
{
    struct run *r = mem_alloc(sizeof *r);
    r->key = (struct run_key){ owner, first };
    r->last = last;
    tree_insert(&p->runs, &r->key, &r->node);
}

void
ip_pool_done(struct ip_pool *p)
{
    struct tree_node *n;
    while ((n = tree_first(&p->runs)))
        run_free(p, CONTAINER_OF(n, struct run, node));
}

/* The owner's run that begins at or before 'ip'. */
static struct run *
run_before(const struct ip_pool *p, uint32_t owner, uint32_t ip)
{
    struct tree_node *n = tree_at_or_before(&p->runs, &(struct run_key){ owner, ip });
    struct run *r = n ? CONTAINER_OF(n, struct run, node) : NULL;
    return r && r->key.owner == owner ? r : NULL;
}

static struct run *
run_at(const struct ip_pool *p, uint32_t owner, uint32_t ip)
{
    struct tree_node *n = tree_find(&p->runs, &(struct run_key){ owner, ip });
    return n ? CONTAINER_OF(n, struct run, node) : NULL;
}

bool
ip_pool_is_taken(const struct ip_pool *p, uint32_t owner, uint32_t ip)
{
    const struct run *r = run_before(p, owner, ip);
    return r && ip <= r->last;
}

bool
ip_pool_take(struct ip_pool *p, uint32_t owner, uint32_t ip)
{
    struct run *before = run_before(p, owner, ip);
    if (before && ip <= before->last)
        return false;

    struct run *after = ip == UINT32_MAX ? NULL : run_at(p, owner, ip + 1);
    bool touches = before && before->last + 1 == ip;
    if (touches && after) {
        before->last = after->last;
        run_free(p, after);
    } else if (touches) {
        before->last = ip;
    } else if (after) {
        after->key.first = ip; /* keeps its place in the order */
    } else {
        run_add(p, owner, ip, ip);
    }
    return true;
}

bool
ip_pool_give(struct ip_pool *p, uint32_t owner, uint32_t ip)
{
    struct run *r = run_before(p, owner, ip);
    if (!r || ip > r->last)
        return false;

    uint32_t last = r->last;
    if (r->key.first == ip && last == ip) {
        run_free(p, r);
    } else if (r->key.first == ip) {
        r->key.first = ip + 1;
    } else {
        r->last = ip - 1;
        if (ip < last)
            run_add(p, owner, ip + 1, last);
    }
    return true;
}

bool
ip_pool_find_free(const struct ip_pool *p, uint32_t owner, uint32_t first, uint32_t last, uint32_t *ip)
{
    const struct run *r = run_before(p, owner, first);
    uint64_t free_ip = r && first <= r->last ? (uint64_t) r->last + 1 : first;
    if (free_ip > last)
        return false;
    *ip = free_ip;
    return true;
}
