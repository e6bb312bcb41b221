/* The model as readers see it: what is committed. The indices do the work (index.h). */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "vnet/model/index.h"

struct tombstone {
    struct map_node node;
    uint32_t number;
};

/* The same in every installation, and stored only once it is changed. */
static const struct uuid tenant_default_id = { { 0xde, 0xfa, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x01 } };

static void
tenant_default_add(struct model *m)
{
    struct object *o = object_new(&tenant_class);
    o->number = TENANT_DEFAULT_NUMBER;
    o->id = tenant_default_id;
    o->name = mem_strdup(TENANT_DEFAULT_NAME);
    for (int v = 0; v < N_VIEWS; v++)
        index_set(m, v, o->number, o);
}

void
model_tenant_default_since(struct model *m, int64_t ms)
{
    struct object *o = (struct object *) model_get(m, TENANT_DEFAULT_NUMBER, OBJECT_TENANT);
    if (!o->created_ms)
        o->created_ms = ms;
}

struct model *
model_new(void)
{
    struct model *m = mem_zalloc(sizeof *m);
    index_init(m);
    map_init(&m->tombstones);
    m->sequences = (struct model_sequences){ 0, TENANT_DEFAULT_NUMBER + 1, 1 };
    tenant_default_add(m);
    return m;
}

void
model_free(struct model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_loading; i++)
        object_free(m->loading[i]);
    free(m->loading);
    index_done(m);
    MAP_FOR_EACH_SAFE (n, next, &m->tombstones)
        model_release_number(m, CONTAINER_OF(n, struct tombstone, node)->number);
    map_done(&m->tombstones);
    free(m);
}

uint64_t
model_revision(const struct model *m)
{
    return m->sequences.revision;
}

const struct object *
model_get(const struct model *m, uint32_t number, enum object_type type)
{
    return view_get(m, VIEW_COMMITTED, number, type);
}

const struct object *
model_get_id(const struct model *m, struct uuid id)
{
    return view_by_id(m, VIEW_COMMITTED, id);
}

const struct object *
model_find(const struct model *m, enum object_type type, uint32_t tenant, const char *name)
{
    return view_find(m, VIEW_COMMITTED, type, tenant, name);
}

uint32_t
model_tenant(const struct model *m, const char *name)
{
    const struct object *o = view_by_name(m, VIEW_COMMITTED, OBJECT_TENANT, 0, name);
    return o ? o->number : 0;
}

const struct object *
model_next(const struct model *m, enum object_type type, uint32_t after)
{
    const struct slot *s = slot_next(m, type, after);
    while (s && !s->o[VIEW_COMMITTED])
        s = slot_next(m, type, s->number);
    return s ? s->o[VIEW_COMMITTED] : NULL;
}

size_t
model_count(const struct model *m, enum object_type type)
{
    return (size_t) type < OBJECT_TYPE_MAX ? m->count[VIEW_COMMITTED][type] : 0;
}

void
model_each_referrer(const struct model *m, uint32_t target, enum object_type type, bool (*each)(void *aux, const struct object *),
                    void *aux)
{
    view_each_referrer(m, VIEW_COMMITTED, target, type, each, aux);
}

void
model_each_referring_number(const struct model *m, uint32_t target, enum object_type type, void (*each)(void *aux, uint32_t number),
                            void *aux)
{
    view_each_referring_number(m, VIEW_COMMITTED, target, type, each, aux);
}

uint32_t
model_port_by_mac(const struct model *m, uint32_t vpc, struct mac mac)
{
    struct fact f = fact_mac(vpc, mac);
    return view_by_fact(m, VIEW_COMMITTED, &f);
}

uint32_t
model_port_by_ip(const struct model *m, uint32_t subnet, struct ip ip)
{
    struct fact f = fact_ip(subnet, ip);
    uint32_t number = view_by_fact(m, VIEW_COMMITTED, &f);
    return model_port(m, number) ? number : 0;
}

uint32_t
model_lb_by_ip(const struct model *m, uint32_t subnet, struct ip ip)
{
    struct fact f = fact_ip(subnet, ip);
    uint32_t number = view_by_fact(m, VIEW_COMMITTED, &f);
    return model_lb(m, number) ? number : 0;
}

uint32_t
model_subnet_by_ip(const struct model *m, uint32_t vpc, struct ip ip)
{
    if (ip.family != IP_V4)
        return 0;
    return view_range_overlapping(m, VIEW_COMMITTED, vpc, ip4_u32(ip), ip4_u32(ip));
}

uint32_t
model_main_rtb(const struct model *m, uint32_t vpc)
{
    struct fact f = fact_main_rtb(vpc);
    return view_by_fact(m, VIEW_COMMITTED, &f);
}

bool
model_sg_allows_all(const struct model *m, uint32_t group, bool is_ingress)
{
    struct sg_rule like = { .sg = group, .is_ingress = is_ingress, .match = { -1, -1, -1 }, .cidr = { .ip = ip4(0) } };
    struct fact f = fact_sg_rule(&like);
    return view_by_fact(m, VIEW_COMMITTED, &f) != 0;
}

uint32_t
model_default_sg(const struct model *m, uint32_t vpc)
{
    struct fact f = fact_default_sg(vpc);
    return view_by_fact(m, VIEW_COMMITTED, &f);
}

uint32_t
model_igw_of(const struct model *m, uint32_t vpc)
{
    struct fact f = fact_igw(vpc);
    return view_by_fact(m, VIEW_COMMITTED, &f);
}

uint32_t
model_eip_by_ip(const struct model *m, struct ip ip)
{
    struct fact f = fact_public_ip(ip);
    return view_by_fact(m, VIEW_COMMITTED, &f);
}

uint32_t
model_eip_of(const struct model *m, uint32_t holder)
{
    struct fact f = fact_attached(holder);
    return view_by_fact(m, VIEW_COMMITTED, &f);
}

static bool
is_not_to_igw(void *has_igw, const struct object *o)
{
    *(bool *) has_igw = ((const struct route *) (const void *) o)->target.kind == TARGET_IGW;
    return !*(bool *) has_igw;
}

bool
model_subnet_reaches_igw(const struct model *m, const struct subnet *s)
{
    bool has_igw = false;
    model_each_referrer(m, s->rtb, OBJECT_ROUTE, is_not_to_igw, &has_igw);
    return has_igw;
}

const char *
object_label_write(const struct model *m, const struct object *o, char buf[OBJECT_LABEL_MAX])
{
    const struct object_hooks *hooks = object_hooks(o->type);
    if (o->name)
        strcpy(buf, o->name); /* at most LIMIT_NAME long */
    else if (hooks->label)
        hooks->label(m, o, buf);
    else
        uuid_format(o->id, buf);
    return buf;
}

const char *
object_label(const struct model *m, const struct object *o, struct arena *arena)
{
    char buf[OBJECT_LABEL_MAX];
    return o->name ? o->name : arena_strdup(arena, object_label_write(m, o, buf));
}

/* ---- numbers that are not free yet ---- */
static struct tombstone *
tombstone_at(const struct model *m, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &m->tombstones, hash_u32(number)) {
        struct tombstone *t = CONTAINER_OF(n, struct tombstone, node);
        if (t->number == number)
            return t;
    }
    return NULL;
}

bool
tombstone_find(const struct model *m, uint32_t number)
{
    return tombstone_at(m, number) != NULL;
}

bool
tombstone_add(struct model *m, uint32_t number)
{
    if (tombstone_at(m, number))
        return false;
    struct tombstone *t = mem_alloc(sizeof *t);
    t->number = number;
    map_insert(&m->tombstones, &t->node, hash_u32(number));
    return true;
}

void
model_release_number(struct model *m, uint32_t number)
{
    struct tombstone *t = tombstone_at(m, number);
    if (t) {
        map_remove(&m->tombstones, &t->node);
        free(t);
    }
}
