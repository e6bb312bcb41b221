/* The indices, and the one function that keeps them: index_set() takes from a view what the old version of an object stated and adds what
 * the new one states. Entries are shared by the views; one that holds in none is freed. */
#include "vnet/model/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct fact_entry {
    struct map_node node;
    struct fact fact;
    uint32_t number;
    uint8_t views;                       /* bits by enum view */
};

struct ref_key {
    uint32_t target;
    uint32_t referrer;
    uint8_t type;                        /* the referrer's */
};

struct ref_entry {
    struct tree_node node;
    struct ref_key key;
    uint8_t views;
    const struct slot *referrer;         /* stays while one of its versions states something */
};

struct range_key {
    uint32_t scope, first, number;
};

struct range_entry {
    struct tree_node node;
    struct range_key key;
    uint32_t last;
};

struct count {
    struct map_node node;
    uint32_t scope;
    uint8_t what;               /* enum object_type, or enum counted */
    size_t n[N_VIEWS];
};

struct type_key {
    uint32_t number;
    uint8_t type;
};

static int
order(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int
type_compare(const void *key_, const struct tree_node *n)
{
    const struct type_key *key = key_;
    const struct slot *s = CONTAINER_OF(n, struct slot, by_type);
    return key->type != s->type ? order(key->type, s->type) : order(key->number, s->number);
}

static int
ref_compare(const void *key_, const struct tree_node *n)
{
    const struct ref_key *a = key_, *b = &CONTAINER_OF(n, struct ref_entry, node)->key;
    if (a->target != b->target)
        return order(a->target, b->target);
    return a->type != b->type ? order(a->type, b->type) : order(a->referrer, b->referrer);
}

static int
range_compare(const void *key_, const struct tree_node *n)
{
    const struct range_key *a = key_, *b = &CONTAINER_OF(n, struct range_entry, node)->key;
    if (a->scope != b->scope)
        return order(a->scope, b->scope);
    return a->first != b->first ? order(a->first, b->first) : order(a->number, b->number);
}

/* ---- facts ---- */
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
    *ip = ip4_u32((struct ip) { IP_V4, { f->b[0], f->b[1], f->b[2], f->b[3] } });
    return (f->kind == FACT_IP || f->kind == FACT_PUBLIC_IP) && f->family == IP_V4;
}

static void
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

static void
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

/* ---- references ---- */
static struct ref_entry *
ref_entry_at(struct tree_node *n)
{
    return n ? CONTAINER_OF(n, struct ref_entry, node) : NULL;
}

static void
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

static void
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

/* ---- subnets and pools by address ---- */
static struct range_entry *
range_entry_at(struct tree_node *n)
{
    return n ? CONTAINER_OF(n, struct range_entry, node) : NULL;
}

/* False: the object is no range of addresses. */
static bool
range_of(const struct object *o, struct range_key *key, uint32_t *last)
{
    const struct subnet *s = o->type == OBJECT_SUBNET ? (const struct subnet *) (const void *) o : NULL;
    const struct pool *p = o->type == OBJECT_POOL ? (const struct pool *) (const void *) o : NULL;
    if (!s && !p)
        return false;
    struct ip_prefix cidr = s ? s->cidr : p->cidr;
    *key = (struct range_key) { s ? s->vpc : PUBLIC_SCOPE, ip4_u32(ip_prefix_first(cidr)), o->number };
    *last = ip4_u32(ip_prefix_last(cidr));
    return true;
}

static void
range_add(struct model *m, enum view v, const struct range_key *key, uint32_t last)
{
    struct range_entry *e = mem_zalloc(sizeof *e);
    e->key = *key;
    e->last = last;
    tree_insert(&m->ranges[v], &e->key, &e->node);
}

static void
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

/* ---- counts ---- */
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
view_count_of(const struct model *m, enum view v, uint32_t number, enum counted what)
{
    const struct count *c = count_find(m, number, what);
    return c ? c->n[v] : 0;
}

static void
counts_change(struct model *m, enum view v, const struct object *o, int by)
{
    const struct sg_rule *rule = o->type == OBJECT_SG_RULE ? (const struct sg_rule *) (const void *) o : NULL;
    m->count[v][o->type] += by;
    count_change(m, v, o->tenant, o->type, by);
    if (rule && rule->peer)
        count_change(m, v, rule->peer, rule->is_ingress ? COUNT_INGRESS_PEER : COUNT_EGRESS_PEER, by);
    if (o->type == OBJECT_LB)
        count_change(m, v, ((const struct lb *) (const void *) o)->vpc, COUNT_BALANCER, by);
}

/* ---- slots ---- */
static uint32_t
name_hash(uint8_t type, uint32_t tenant, const char *name)
{
    return hash_bytes(name, strlen(name), hash_u64((uint64_t) tenant << 8 | type));
}

struct slot *
slot_find(const struct model *m, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &m->slots, hash_number(number)) {
        struct slot *s = CONTAINER_OF(n, struct slot, by_number);
        if (s->number == number)
            return s;
    }
    return NULL;
}

struct slot *
slot_next(const struct model *m, enum object_type type, uint32_t after)
{
    if (after == UINT32_MAX)
        return NULL;
    struct tree_node *n = tree_at_or_after(&m->types, &(struct type_key) { .type = type, .number = after + 1 });
    struct slot *s = n ? CONTAINER_OF(n, struct slot, by_type) : NULL;
    return s && s->type == type ? s : NULL;
}

static struct slot *
slot_add(struct model *m, const struct object *o)
{
    struct slot *s = mem_zalloc(sizeof *s);
    s->number = o->number;
    s->tenant = o->tenant;
    s->type = o->type;
    map_insert(&m->slots, &s->by_number, hash_number(o->number));
    map_insert(&m->ids, &s->by_id, uuid_hash(o->id));
    if (o->name)
        map_insert(&m->names, &s->by_name, name_hash(o->type, o->tenant, o->name));
    tree_insert(&m->types, &(struct type_key) { .type = o->type, .number = o->number }, &s->by_type);
    return s;
}

static void
slot_free(struct model *m, struct slot *s, bool has_name)
{
    map_remove(&m->slots, &s->by_number);
    map_remove(&m->ids, &s->by_id);
    if (has_name)
        map_remove(&m->names, &s->by_name);
    tree_remove(&m->types, &s->by_type);
    free(s);
}

/* What 'o' states enters the view, or leaves it. */
static void
statements_change(struct model *m, enum view v, const struct slot *s, const struct object *o, bool enters)
{
    struct fact facts[FACTS_MAX];
    uint32_t refs[REFS_MAX], last;
    struct range_key range;
    size_t n_facts = object_facts(o, facts), n_refs = object_refs(o, refs);

    for (size_t i = 0; i < n_facts; i++)
        (enters ? fact_add : fact_remove)(m, v, &facts[i], o->number);
    for (size_t i = 0; i < n_refs; i++) {
        struct ref_key key = { .target = refs[i], .type = o->type, .referrer = o->number };
        if (enters)
            ref_add(m, v, &key, s);
        else
            ref_remove(m, v, &key);
    }
    if (range_of(o, &range, &last) && enters)
        range_add(m, v, &range, last);
    else if (range_of(o, &range, &last))
        range_remove(m, v, &range);
    counts_change(m, v, o, enters ? 1 : -1);
}

void
index_set(struct model *m, enum view v, uint32_t number, const struct object *o)
{
    struct slot *s = slot_find(m, number);
    const struct object *old = s ? s->o[v] : NULL;
    if (old == o)
        return;
    if (!s)
        s = slot_add(m, o);
    if (old)
        statements_change(m, v, s, old, false);
    s->o[v] = o;
    if (o)
        statements_change(m, v, s, o, true);
    if (!s->o[VIEW_COMMITTED] && !s->o[VIEW_STAGED])
        slot_free(m, s, old->name != NULL);
}

/* ---- finding ---- */
const struct object *
view_get(const struct model *m, enum view v, uint32_t number, enum object_type type)
{
    const struct slot *s = slot_find(m, number);
    return s && (type == OBJECT_NONE || s->type == type) ? s->o[v] : NULL;
}

const struct object *
object_anywhere(const struct model *m, uint32_t number)
{
    const struct slot *s = slot_find(m, number);
    return !s ? NULL : s->o[VIEW_COMMITTED] ? s->o[VIEW_COMMITTED] : s->o[VIEW_STAGED];
}

const struct object *
view_by_id(const struct model *m, enum view v, struct uuid id)
{
    MAP_FOR_EACH_HASH (n, &m->ids, uuid_hash(id)) {
        const struct object *o = CONTAINER_OF(n, struct slot, by_id)->o[v];
        if (o && uuid_equal(o->id, id))
            return o;
    }
    return NULL;
}

const struct object *
view_by_name(const struct model *m, enum view v, enum object_type type, uint32_t tenant, const char *name)
{
    MAP_FOR_EACH_HASH (n, &m->names, name_hash(type, tenant, name)) {
        const struct slot *s = CONTAINER_OF(n, struct slot, by_name);
        if (s->o[v] && s->type == type && s->tenant == tenant && !strcmp(s->o[v]->name, name))
            return s->o[v];
    }
    return NULL;
}

const struct object *
view_find(const struct model *m, enum view v, enum object_type type, uint32_t tenant, const char *text)
{
    struct uuid id;
    const struct object *o = view_by_name(m, v, type, tenant, text);
    if (!o && uuid_parse(text, &id)) {
        o = view_by_id(m, v, id);
        o = o && o->type == type ? o : NULL;
    }
    return !o && object_hooks(type)->find ? object_hooks(type)->find(m, v, tenant, text) : o;
}

/* ---- lifetime ---- */
void
index_init(struct model *m)
{
    map_init(&m->slots);
    map_init(&m->ids);
    map_init(&m->names);
    map_init(&m->facts);
    map_init(&m->counts);
    tree_init(&m->types, type_compare);
    tree_init(&m->refs, ref_compare);
    tree_init(&m->ranges[VIEW_COMMITTED], range_compare);
    tree_init(&m->ranges[VIEW_STAGED], range_compare);
    ip_pool_init(&m->addresses);
}

static void
slot_clear(struct model *m, struct slot *s)
{
    struct object *committed = (struct object *) s->o[VIEW_COMMITTED], *staged = (struct object *) s->o[VIEW_STAGED];
    uint32_t number = s->number;
    if (staged)
        index_set(m, VIEW_STAGED, number, NULL);
    if (committed)
        index_set(m, VIEW_COMMITTED, number, NULL);
    if (staged != committed)
        object_free(staged);
    object_free(committed);
}

void
index_done(struct model *m)
{
    MAP_FOR_EACH_SAFE (n, next, &m->slots)
        slot_clear(m, CONTAINER_OF(n, struct slot, by_number));
    map_done(&m->slots);
    map_done(&m->ids);
    map_done(&m->names);
    map_done(&m->facts);
    map_done(&m->counts);
    ip_pool_done(&m->addresses);
}
