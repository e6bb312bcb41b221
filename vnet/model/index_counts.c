/* How many objects there are: of a type, by tenant; and of those that refer to an object in ways that are asked for often. */
#include "vnet/model/index_private.h"

#include <stdlib.h>

#include "base/alloc.h"

struct count {
    struct map_node node;
    uint32_t scope;
    uint8_t what; /* enum object_type, or enum counted */
    size_t n[N_VIEWS];
};

static struct count *
count_find(const struct model *m, uint32_t scope, uint8_t what)
{
    MAP_FOR_EACH_HASH (n, &m->counts, hash_u64((uint64_t) scope << 8 | what)) {
        struct count *c = CONTAINER_OF(n, struct count, node);
        if (c->scope == scope && c->what == what)
            return c;
    }
    return NULL;
}

static void
count_change(struct model *m, enum view v, uint32_t scope, uint8_t what, int by)
{
    struct count *c = count_find(m, scope, what);
    if (!c) {
        c = mem_zalloc(sizeof *c);
        c->scope = scope;
        c->what = what;
        map_insert(&m->counts, &c->node, hash_u64((uint64_t) scope << 8 | what));
    }
    c->n[v] += by;
    if (!c->n[VIEW_COMMITTED] && !c->n[VIEW_STAGED]) {
        map_remove(&m->counts, &c->node);
        free(c);
    }
}

size_t
view_count(const struct model *m, enum view v, uint32_t tenant, enum object_type type)
{
    const struct count *c = count_find(m, tenant, type);
    return c ? c->n[v] : 0;
}

size_t
view_count_lingering(const struct model *m, enum view v, uint32_t tenant, enum object_type type)
{
    const struct count *c = count_find(m, tenant, COUNT_LINGERING + type);
    return c ? c->n[v] : 0;
}

size_t
view_count_of(const struct model *m, enum view v, uint32_t number, enum counted what)
{
    const struct count *c = count_find(m, number, what);
    return c ? c->n[v] : 0;
}

void
counts_change(struct model *m, enum view v, const struct object *o, int by)
{
    const struct object_hooks *hooks = object_hooks(o->type);
    const struct sg_rule *rule = o->type == OBJECT_SG_RULE ? (const struct sg_rule *) (const void *) o : NULL;
    m->count[v][o->type] += by;
    count_change(m, v, o->tenant, o->type, by);
    if (hooks->is_lingering && hooks->is_lingering(o))
        count_change(m, v, o->tenant, COUNT_LINGERING + o->type, by);
    if (rule && rule->peer)
        count_change(m, v, rule->peer, rule->is_ingress ? COUNT_INGRESS_PEER : COUNT_EGRESS_PEER, by);
    if (o->type == OBJECT_LB)
        count_change(m, v, ((const struct lb *) (const void *) o)->vpc, COUNT_BALANCER, by);
}
