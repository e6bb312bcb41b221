/* Objects as values: made, copied, compared and freed by their type's field table. The list of types is here. */
#include "vnet/model/object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

static const struct type {
    const struct object_class *class;
    const struct object_hooks *hooks;
} types[] = {
    [OBJECT_TENANT] = { &tenant_class, &tenant_hooks },
    [OBJECT_VPC] = { &vpc_class, &vpc_hooks },
    [OBJECT_SUBNET] = { &subnet_class, &subnet_hooks },
    [OBJECT_PORT] = { &port_class, &port_hooks },
    [OBJECT_RTB] = { &rtb_class, &rtb_hooks },
    [OBJECT_ROUTE] = { &route_class, &route_hooks },
    [OBJECT_HOST] = { &host_class, &host_hooks },
    [OBJECT_POOL] = { &pool_class, &pool_hooks },
    [OBJECT_EIP] = { &eip_class, &eip_hooks },
    [OBJECT_IGW] = { &igw_class, &igw_hooks },
    [OBJECT_NATGW] = { &natgw_class, &natgw_hooks },
    [OBJECT_SG] = { &sg_class, &sg_hooks },
    [OBJECT_SG_RULE] = { &sg_rule_class, &sg_rule_hooks },
    [OBJECT_SG_SET] = { &sg_set_class, &sg_set_hooks },
    [OBJECT_LB] = { &lb_class, &lb_hooks },
    [OBJECT_LISTENER] = { &listener_class, &listener_hooks },
    [OBJECT_TG] = { &tg_class, &tg_hooks },
    [OBJECT_TARGET] = { &target_class, &target_hooks },
};
#define N_TYPES (sizeof types / sizeof types[0])

const struct object_class *
object_class(enum object_type type)
{
    return (size_t) type < N_TYPES ? types[type].class : NULL;
}

const struct object_hooks *
object_hooks(uint8_t type)
{
    assert(type < N_TYPES && types[type].hooks);
    return types[type].hooks;
}

const struct object_class *
object_class_next(const struct object_class *class)
{
    for (size_t i = class ? (size_t) class->type + 1 : 0; i < N_TYPES; i++)
        if (types[i].class)
            return types[i].class;
    return NULL;
}

const struct object_class *
object_class_stored(const char *name)
{
    const struct object_class *c = NULL;
    while ((c = object_class_next(c)) && strcmp(c->name, name))
        continue;
    return c;
}

const struct object_class *
object_class_by_name(const char *name)
{
    const struct object_class *c = object_class_stored(name);
    return c && !c->is_hidden ? c : NULL;
}

const struct field *
object_field_stored(const struct object_class *class, const char *name)
{
    for (size_t i = 0; i < class->n_fields; i++)
        if (!strcmp(class->fields[i].name, name))
            return field_is_stored(&class->fields[i]) ? &class->fields[i] : NULL;
    return NULL;
}

const struct field *
object_field(const struct object_class *class, const char *name)
{
    for (size_t i = 0; i < class->n_fields; i++)
        if (!(class->fields[i].flags & FIELD_HIDDEN) && !strcmp(class->fields[i].name, name))
            return &class->fields[i];
    return NULL;
}

/* ---- references ---- */
static size_t
ref_add(uint32_t refs[REFS_MAX], size_t n, uint32_t number)
{
    size_t at = 0;
    while (at < n && refs[at] < number)
        at++;
    if (!number || n == REFS_MAX || (at < n && refs[at] == number))
        return n;
    memmove(&refs[at + 1], &refs[at], (n - at) * sizeof refs[0]);
    refs[at] = number;
    return n + 1;
}

size_t
object_refs(const struct object *o, uint32_t refs[REFS_MAX])
{
    const struct object_class *class = object_class(o->type);
    size_t n = 0;
    for (size_t i = 0; i < class->n_fields; i++) {
        const struct field *f = &class->fields[i];
        const void *p = field_in(o, f);
        if (!field_is_stored(f))
            continue;
        if (f->kind == FIELD_REF) {
            n = ref_add(refs, n, *(const uint32_t *) p);
        } else if (f->kind == FIELD_TARGET) {
            n = ref_add(refs, n, ((const struct target_ref *) p)->number);
        } else if (f->kind == FIELD_PEER) {
            n = ref_add(refs, n, peer_group(o, f));
        } else if (f->kind == FIELD_REF_LIST) {
            const struct number_list *list = p;
            for (size_t j = 0; j < list->n; j++)
                n = ref_add(refs, n, list->v[j]);
        }
    }
    return n;
}

/* ---- maps of keys and values ---- */
struct tag *
object_tag(const struct object *o, const char *key)
{
    for (size_t i = 0; i < o->n_tags; i++)
        if (!strcmp(o->tags[i].key, key))
            return &o->tags[i];
    return NULL;
}

static void
tag_remove(struct object *o, struct tag *t)
{
    free(t->key);
    free(t->value);
    size_t after = &o->tags[o->n_tags] - (t + 1);
    memmove(t, t + 1, after * sizeof *t);
    o->n_tags--;
}

void
object_tag_set(struct object *o, const char *key, const char *value)
{
    struct tag *t = object_tag(o, key);
    if (!value) {
        if (t)
            tag_remove(o, t);
    } else if (t) {
        char *copy = mem_strdup(value);
        free(t->value);
        t->value = copy;
    } else {
        o->tags = mem_realloc(o->tags, (o->n_tags + 1) * sizeof *o->tags);
        o->tags[o->n_tags++] = (struct tag){ mem_strdup(key), mem_strdup(value) };
    }
}

void
object_tags_clear(struct object *o)
{
    for (size_t i = 0; i < o->n_tags; i++) {
        free(o->tags[i].key);
        free(o->tags[i].value);
    }
    free(o->tags);
    o->tags = NULL;
    o->n_tags = 0;
}

const struct uint_map_item *
uint_map_find(const struct uint_map *m, const char *key)
{
    for (size_t i = 0; i < m->n; i++)
        if (!strcmp(m->v[i].key, key))
            return &m->v[i];
    return NULL;
}

void
uint_map_set(struct uint_map *m, const char *key, uint32_t value)
{
    const struct uint_map_item *found = uint_map_find(m, key);
    if (found) {
        m->v[found - m->v].value = value;
        return;
    }
    m->v = mem_realloc(m->v, (m->n + 1) * sizeof *m->v);
    m->v[m->n++] = (struct uint_map_item){ mem_strdup(key), value };
}

void
uint_map_remove(struct uint_map *m, const char *key)
{
    const struct uint_map_item *found = uint_map_find(m, key);
    if (!found)
        return;
    size_t at = found - m->v;
    free(m->v[at].key);
    memmove(&m->v[at], &m->v[at + 1], (m->n - at - 1) * sizeof *m->v);
    m->n--;
}

void
uint_map_clear(struct uint_map *m)
{
    for (size_t i = 0; i < m->n; i++)
        free(m->v[i].key);
    free(m->v);
    *m = (struct uint_map){ 0, NULL };
}

static void
uint_map_copy(struct uint_map *to, const struct uint_map *from)
{
    *to = (struct uint_map){ 0, NULL };
    for (size_t i = 0; i < from->n; i++)
        uint_map_set(to, from->v[i].key, from->v[i].value);
}

static bool
uint_map_equal(const struct uint_map *a, const struct uint_map *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct uint_map_item *other = uint_map_find(b, a->v[i].key);
        if (!other || other->value != a->v[i].value)
            return false;
    }
    return a->n == b->n;
}

/* ---- fields ---- */
static const size_t kind_bytes[] = {
    [FIELD_STRING] = sizeof(char *),
    [FIELD_BOOL] = sizeof(bool),
    [FIELD_UINT] = sizeof(uint32_t),
    [FIELD_MAC] = sizeof(struct mac),
    [FIELD_IP] = sizeof(struct ip),
    [FIELD_IP_LIST] = sizeof(struct ip_list),
    [FIELD_PREFIX] = sizeof(struct ip_prefix),
    [FIELD_REF] = sizeof(uint32_t),
    [FIELD_REF_LIST] = sizeof(struct number_list),
    [FIELD_TARGET] = sizeof(struct target_ref),
    [FIELD_IP_RANGE] = sizeof(struct ip_range),
    [FIELD_PORT_RANGE] = sizeof(struct port_range),
    [FIELD_UINT_MAP] = sizeof(struct uint_map),
    [FIELD_ENUM] = sizeof(unsigned),
    [FIELD_SECONDS] = sizeof(uint32_t),
    [FIELD_TIME] = sizeof(int64_t),
    [FIELD_PORT] = sizeof(uint16_t),
    [FIELD_PROTO] = sizeof(uint8_t),
    [FIELD_MATCH_PROTO] = sizeof(int),
};

void
field_clear(struct object *o, const struct field *f)
{
    void *p = field_of(o, f);
    if (f->kind == FIELD_STRING)
        free(*(char **) p);
    else if (f->kind == FIELD_IP_LIST)
        free(((struct ip_list *) p)->v);
    else if (f->kind == FIELD_REF_LIST)
        free(((struct number_list *) p)->v);
    else if (f->kind == FIELD_UINT_MAP)
        uint_map_clear(p);

    if (f->kind == FIELD_PEER)
        peer_clear(o, f);
    else if (f->kind == FIELD_MATCH_PORTS)
        ((struct l4_match *) p)->lo = ((struct l4_match *) p)->hi = -1;
    else
        memset(p, 0, kind_bytes[f->kind]);
}

static void *
dup_or_null(const void *p, size_t bytes)
{
    return bytes ? mem_dup(p, bytes) : NULL;
}

/* 'p' is a shallow copy so far: makes it own its memory. */
static void
field_deepen(void *p, const struct field *f)
{
    if (f->kind == FIELD_STRING) {
        char **s = p;
        *s = *s ? mem_strdup(*s) : NULL;
    } else if (f->kind == FIELD_IP_LIST) {
        struct ip_list *list = p;
        list->v = dup_or_null(list->v, list->n * sizeof *list->v);
    } else if (f->kind == FIELD_REF_LIST) {
        struct number_list *list = p;
        list->v = dup_or_null(list->v, list->n * sizeof *list->v);
    } else if (f->kind == FIELD_UINT_MAP) {
        struct uint_map shallow = *(struct uint_map *) p;
        uint_map_copy(p, &shallow);
    }
}

static bool
string_equal(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static bool
ip_list_equal(const struct ip_list *a, const struct ip_list *b)
{
    for (size_t i = 0; a->n == b->n && i < a->n; i++)
        if (!ip_equal(a->v[i], b->v[i]))
            return false;
    return a->n == b->n;
}

static bool
field_equal(const struct object *oa, const struct object *ob, const struct field *f)
{
    const void *a = field_in(oa, f), *b = field_in(ob, f);
    if (f->flags & FIELD_NONE_WORD && field_is_given(oa, f) != field_is_given(ob, f))
        return false;

    switch (f->kind) {
    case FIELD_STRING: return string_equal(*(char *const *) a, *(char *const *) b);
    case FIELD_IP: return ip_equal(*(const struct ip *) a, *(const struct ip *) b);
    case FIELD_PREFIX: return ip_prefix_equal(*(const struct ip_prefix *) a, *(const struct ip_prefix *) b);
    case FIELD_IP_LIST: return ip_list_equal(a, b);
    case FIELD_IP_RANGE: {
        const struct ip_range *ra = a, *rb = b;
        return ip_equal(ra->first, rb->first) && ip_equal(ra->last, rb->last);
    }
    case FIELD_REF_LIST: {
        const struct number_list *la = a, *lb = b;
        return la->n == lb->n && (!la->n || !memcmp(la->v, lb->v, la->n * sizeof *la->v));
    }
    case FIELD_TARGET: {
        const struct target_ref *ta = a, *tb = b;
        return ta->kind == tb->kind && ta->number == tb->number;
    }
    case FIELD_MATCH_PORTS: {
        const struct l4_match *ma = a, *mb = b;
        return ma->lo == mb->lo && ma->hi == mb->hi;
    }
    case FIELD_PEER: return peer_equal(oa, ob, f);
    case FIELD_UINT_MAP: return uint_map_equal(a, b);
    default: return !memcmp(a, b, kind_bytes[f->kind]);
    }
}

/* ---- lifetime ---- */
struct object *
object_new(const struct object_class *class)
{
    struct object *o = mem_zalloc(class->size);
    o->type = class->type;
    return o;
}

struct object *
object_clone(const struct object *from)
{
    const struct object_class *class = object_class(from->type);
    struct object *o = mem_dup(from, class->size);
    o->name = from->name ? mem_strdup(from->name) : NULL;
    o->unknown = from->unknown ? mem_strdup(from->unknown) : NULL;
    o->tags = dup_or_null(from->tags, from->n_tags * sizeof *from->tags);
    for (size_t i = 0; i < o->n_tags; i++)
        o->tags[i] = (struct tag){ mem_strdup(from->tags[i].key), mem_strdup(from->tags[i].value) };
    for (size_t i = 0; i < class->n_fields; i++)
        if (field_is_stored(&class->fields[i]))
            field_deepen(field_of(o, &class->fields[i]), &class->fields[i]);
    return o;
}

void
object_free(struct object *o)
{
    if (!o)
        return;
    const struct object_class *class = object_class(o->type);
    for (size_t i = 0; i < class->n_fields; i++)
        if (field_is_stored(&class->fields[i]))
            field_clear(o, &class->fields[i]);
    object_tags_clear(o);
    free(o->unknown);
    free(o->name);
    free(o);
}

static bool
tags_equal(const struct object *a, const struct object *b)
{
    for (size_t i = 0; i < a->n_tags; i++) {
        const struct tag *other = object_tag(b, a->tags[i].key);
        if (!other || strcmp(other->value, a->tags[i].value))
            return false;
    }
    return a->n_tags == b->n_tags;
}

bool
object_equal(const struct object *a, const struct object *b)
{
    const struct object_class *class = object_class(a->type);
    for (size_t i = 0; i < class->n_fields; i++)
        if (field_is_stored(&class->fields[i]) && !field_equal(a, b, &class->fields[i]))
            return false;
    return a->type == b->type && uuid_equal(a->id, b->id) && a->tenant == b->tenant && a->created_ms == b->created_ms
           && string_equal(a->name, b->name) && string_equal(a->unknown, b->unknown) && tags_equal(a, b);
}

bool
name_has_fit_characters(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] == '\0';
}

bool
object_name_check(const struct object_class *class, const char *name, struct error *err)
{
    size_t n = strlen(name);
    bool is_host = class->type == OBJECT_HOST; /* named by its system-id, which Debian makes a UUID */
    if (!n || n > LIMIT_NAME)
        return error_set(err, ERROR_INVALID, "name has %zu characters; write 1 to %d", n, LIMIT_NAME);
    if (!name_has_fit_characters(name))
        return error_set(err, ERROR_INVALID, "name '%s' may only have letters, digits, '-', '_' and '.'", name);
    if (!strcmp(name, "none"))
        return error_set(err, ERROR_INVALID, "name 'none' is a word of its own; choose another");
    if (uuid_is_shape(name) && !is_host)
        return error_set(err, ERROR_INVALID, "name '%s' has the shape of a UUID; choose another, or give it as id", name);
    return true;
}
