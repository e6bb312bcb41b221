/* The indices, and the one function that keeps them: index_set() takes from a view what the old version of an object stated and adds what
 * the new one states. Entries are shared by the views; one that holds in none is freed. */
#include "vnet/model/index_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct type_key {
    uint32_t number;
    uint8_t type;
};

static int
type_compare(const void *key_, const struct tree_node *n)
{
    const struct type_key *key = key_;
    const struct slot *s = CONTAINER_OF(n, struct slot, by_type);
    return key->type != s->type ? order(key->type, s->type) : order(key->number, s->number);
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
    struct tree_node *n = tree_at_or_after(&m->types, &(struct type_key){ .type = type, .number = after + 1 });
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
    tree_insert(&m->types, &(struct type_key){ .type = o->type, .number = o->number }, &s->by_type);
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
