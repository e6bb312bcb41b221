/* What objects state that at most one may state, and the addresses that are taken by it. */
#include "vnet/model/index_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct fact_entry {
    struct map_node node;
    struct fact fact;
    uint32_t number;
    uint8_t views; /* bits by enum view */
};

static uint32_t
fact_hash(const struct fact *f)
{
    return hash_bytes(f, sizeof *f, 0);
}

static struct fact_entry *
fact_entry_find(const struct model *m, const struct fact *f, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &m->facts, fact_hash(f)) {
        struct fact_entry *e = CONTAINER_OF(n, struct fact_entry, node);
        if (e->number == number && !memcmp(&e->fact, f, sizeof *f))
            return e;
    }
    return NULL;
}

/* The address that nothing else of its scope may have from now on; false: the fact is about none. */
static bool
fact_address(const struct fact *f, uint32_t *ip)
{
    *ip = ip4_u32((struct ip){ IP_V4, { f->b[0], f->b[1], f->b[2], f->b[3] } });
    return (f->kind == FACT_IP || f->kind == FACT_PUBLIC_IP) && f->family == IP_V4;
}

void
fact_add(struct model *m, enum view v, const struct fact *f, uint32_t number)
{
    struct fact_entry *e = fact_entry_find(m, f, number);
    uint32_t ip;
    if (!e) {
        e = mem_zalloc(sizeof *e);
        e->fact = *f;
        e->number = number;
        map_insert(&m->facts, &e->node, fact_hash(f));
    }
    e->views |= 1 << v;
    if (v == VIEW_STAGED && fact_address(f, &ip))
        ip_pool_take(&m->addresses, f->scope, ip);
}

void
fact_remove(struct model *m, enum view v, const struct fact *f, uint32_t number)
{
    struct fact_entry *e = fact_entry_find(m, f, number);
    uint32_t ip;
    assert(e && e->views & 1 << v);
    e->views &= ~(1 << v);
    if (v == VIEW_STAGED && fact_address(f, &ip))
        ip_pool_give(&m->addresses, f->scope, ip);
    if (!e->views) {
        map_remove(&m->facts, &e->node);
        free(e);
    }
}

uint32_t
view_by_fact(const struct model *m, enum view v, const struct fact *f)
{
    MAP_FOR_EACH_HASH (n, &m->facts, fact_hash(f)) {
        const struct fact_entry *e = CONTAINER_OF(n, struct fact_entry, node);
        if (e->views & 1 << v && !memcmp(&e->fact, f, sizeof *f))
            return e->number;
    }
    return 0;
}
