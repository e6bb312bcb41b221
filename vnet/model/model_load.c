/* Objects to and from the store's documents. Loading trusts nothing: what does not fit is refused with the object's number and the
 * field, and nothing is guessed; the daemon does not start on half a network.
 *
 *   {"type": "port", "id": ..., "tenant": 2, "name": ..., "created": ..., "tags": {...}, FIELD: VALUE, ...}
 *
 * Keys this version does not know (a newer one wrote them) are kept and written again. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "vnet/model/field_value.h"

static const char *const common_keys[] = { "type", "id", "tenant", "name", "created", "tags" };

/* ---- to ---- */
static void
unknown_to_store(const struct object *o, json_t *document)
{
    struct error err;
    json_t *unknown = o->unknown ? json_parse(o->unknown, strlen(o->unknown), "kept fields", &err) : NULL;
    if (unknown)
        json_object_update_missing(document, unknown);
    json_decref(unknown);
}

json_t *
object_to_store(const struct object *o)
{
    const struct object_class *class = object_class(o->type);
    char id[UUID_STRLEN];
    json_t *document = json_pack("{s:s,s:s,s:I}", "type", class->name, "id", uuid_format(o->id, id), "created", (json_int_t) o->created_ms);
    if (o->tenant)
        json_object_set_new(document, "tenant", json_integer(o->tenant));
    if (o->name)
        json_object_set_new(document, "name", json_string(o->name));
    if (o->n_tags)
        json_object_set_new(document, "tags", tags_json(o));
    for (size_t i = 0; i < class->n_fields; i++) {
        json_t *value = field_to_store(o, &class->fields[i]);
        if (value)
            json_object_set_new(document, class->fields[i].name, value);
    }
    unknown_to_store(o, document);
    return document;
}

/* ---- from: one document ---- */
static bool
load_id(struct object *o, const json_t *document, struct error *err)
{
    const char *id = json_member_string(document, "id");
    if (!id || !uuid_parse(id, &o->id))
        return error_set(err, ERROR_INVALID, "field 'id' is no UUID");
    return true;
}

static bool
load_common(struct object *o, const struct object_class *class, const json_t *document, struct error *err)
{
    const json_t *name = json_object_get(document, "name"), *tags = json_object_get(document, "tags");
    json_int_t tenant = json_member_int(document, "tenant", 0);
    struct error why;
    if (!load_id(o, document, err))
        return false;
    if (tenant < 0 || tenant > UINT32_MAX || (tenant != 0) != class->has_tenant)
        return error_set(err, ERROR_INVALID, "field 'tenant' is wrong for a %s", class->name);
    o->tenant = tenant;
    o->created_ms = json_member_int(document, "created", 0);
    if (name && (!json_is_string(name) || !object_name_check(class, json_string_value(name), &why)))
        return error_set(err, ERROR_INVALID, "field 'name' is no name");
    o->name = name ? mem_strdup(json_string_value(name)) : NULL;
    if (tags && (!json_is_object(tags) || !tags_give(o, tags, &why)))
        return error_set(err, ERROR_INVALID, "field 'tags' is no object of texts");
    return true;
}

static bool
load_fields(struct object *o, const struct object_class *class, const json_t *document, struct error *err)
{
    for (size_t i = 0; i < class->n_fields; i++) {
        const struct field *f = &class->fields[i];
        const json_t *value = json_object_get(document, f->name);
        if (!field_is_stored(f))
            continue;
        field_set_default(o, f);
        if (!value && f->flags & (FIELD_REQUIRED | FIELD_ALWAYS))
            return error_set(err, ERROR_INVALID, "field '%s' is missing", f->name);
        if (value && !field_from_store(o, f, value, err))
            return false;
    }
    return true;
}

static bool
is_known_key(const struct object_class *class, const char *key)
{
    for (size_t i = 0; i < sizeof common_keys / sizeof common_keys[0]; i++)
        if (!strcmp(common_keys[i], key))
            return true;
    return object_field_stored(class, key) != NULL;
}

static void
keep_unknown(struct object *o, const struct object_class *class, const json_t *document)
{
    json_t *unknown = json_object(), *value;
    const char *key;
    json_object_foreach ((json_t *) document, key, value)
        if (!is_known_key(class, key))
            json_object_set(unknown, key, value);
    if (json_object_size(unknown))
        o->unknown = json_text(unknown);
    json_decref(unknown);
}

static bool
load_document(struct model *m, uint32_t number, const json_t *document, struct error *err)
{
    const char *type = json_member_string(document, "type");
    const struct object_class *class = type ? object_class_stored(type) : NULL;
    if (!number || !class)
        return error_set(err, ERROR_INVALID, "field 'type' is no type of this version");

    struct object *o = object_new(class);
    o->number = number;
    if (!load_common(o, class, document, err) || !load_fields(o, class, document, err)) {
        object_free(o);
        return false;
    }
    keep_unknown(o, class, document);
    m->loading = mem_grow(m->loading, &m->cap_loading, m->n_loading + 1, sizeof *m->loading);
    m->loading[m->n_loading++] = o;
    return true;
}

bool
model_load_object(struct model *m, uint32_t number, const json_t *document, struct error *err)
{
    return load_document(m, number, document, err) || error_prefix(err, "stored object %u", number);
}

void
model_load_tombstone(struct model *m, uint32_t number)
{
    tombstone_add(m, number);
}

/* ---- from: the whole ---- */
static int
loading_order(const void *a_, const void *b_)
{
    uint32_t a = (*(struct object *const *) a_)->number, b = (*(struct object *const *) b_)->number;
    return a < b ? -1 : a > b;
}

static const struct object *
loading_find(const struct model *m, uint32_t number)
{
    struct object key = { .number = number }, *p = &key;
    struct object **found = m->n_loading ? bsearch(&p, m->loading, m->n_loading, sizeof *m->loading, loading_order) : NULL;
    return found ? *found : view_get(m, VIEW_COMMITTED, number, OBJECT_NONE);
}

static bool
check_ref(const struct model *m, const char *field, uint32_t number, enum object_type type, struct error *err)
{
    const struct object *o = number ? loading_find(m, number) : NULL;
    if (!number || (o && o->type == type))
        return true;
    const struct object_class *class = object_class(type);
    return error_set(err, ERROR_INVALID, "field '%s' refers to object %u, which is no %s", field, number,
                     class ? class->name : "object of this version");
}

static bool
check_refs(const struct model *m, const struct object *o, struct error *err)
{
    const struct object_class *class = object_class(o->type);
    if (!check_ref(m, "tenant", o->tenant, OBJECT_TENANT, err))
        return false;
    for (size_t i = 0; i < class->n_fields; i++) {
        const struct field *f = &class->fields[i];
        const void *p = field_in(o, f);
        const struct number_list *list = f->kind == FIELD_REF_LIST ? p : NULL;
        if (!field_is_stored(f))
            continue;
        if (f->kind == FIELD_REF && !check_ref(m, f->name, *(const uint32_t *) p, f->ref_type, err))
            return false;
        const struct target_ref *target = f->kind == FIELD_TARGET ? p : NULL;
        if (target && !check_ref(m, f->name, target->number, target_type(target->kind), err))
            return false;
        if (f->kind == FIELD_PEER && !check_ref(m, f->name, peer_group(o, f), OBJECT_SG, err))
            return false;
        for (size_t j = 0; list && j < list->n; j++)
            if (!check_ref(m, f->name, list->v[j], f->ref_type, err))
                return false;
    }
    return true;
}

static const char *
fact_field(const struct fact *f)
{
    static const char *const names[] = {
        [FACT_MAC] = "mac",           [FACT_IP] = "ips",        [FACT_VNI] = "vni",
        [FACT_MAIN_RTB] = "main",     [FACT_ROUTE] = "prefix",  [FACT_PUBLIC_IP] = "ip",
        [FACT_ATTACHED] = "attached", [FACT_IGW] = "vpc",       [FACT_DEFAULT_SG] = "default",
        [FACT_SG_RULE] = "peer",      [FACT_LISTENER] = "port", [FACT_TARGET] = "port",
        [FACT_SG_SET] = "groups",
    };
    return names[f->kind];
}

static bool
check_unique(const struct model *m, const struct object *o, struct error *err)
{
    struct fact facts[FACTS_MAX];
    size_t n = object_facts(o, facts);
    const struct object *other = view_by_id(m, VIEW_COMMITTED, o->id);
    if (other)
        return error_set(err, ERROR_INVALID, "field 'id' is object %u's too", other->number);
    other = o->name ? view_by_name(m, VIEW_COMMITTED, o->type, o->tenant, o->name) : NULL;
    if (other)
        return error_set(err, ERROR_INVALID, "field 'name' is object %u's too", other->number);
    for (size_t i = 0; i < n; i++) {
        uint32_t number = view_by_fact(m, VIEW_COMMITTED, &facts[i]);
        if (number)
            return error_set(err, ERROR_INVALID, "field '%s' is object %u's too", fact_field(&facts[i]), number);
    }
    return true;
}

static void
show(struct model *m, struct object *o)
{
    for (int v = 0; v < N_VIEWS; v++)
        index_set(m, v, o->number, o);
}

/* The stored tenant 'default' takes the place of the one that is there by itself. */
static bool
replace_tenant_default(struct model *m, const struct object *o, struct error *err)
{
    if (o->type != OBJECT_TENANT || !o->name || strcmp(o->name, TENANT_DEFAULT_NAME))
        return error_set(err, ERROR_INVALID, "field 'name' is not '%s', whose number it has", TENANT_DEFAULT_NAME);
    struct object *old = (struct object *) view_get(m, VIEW_COMMITTED, o->number, OBJECT_TENANT);
    for (int v = 0; v < N_VIEWS; v++)
        index_set(m, v, o->number, NULL);
    object_free(old);
    return true;
}

/* Owners before what they own: a port's VPC is its subnet's. */
static bool
load_type(struct model *m, enum object_type type, struct error *err)
{
    for (size_t i = 0; i < m->n_loading; i++) {
        struct object *o = m->loading[i];
        if (!o || o->type != type)
            continue;
        if (object_hooks(type)->link)
            object_hooks(type)->link(m, VIEW_COMMITTED, o);
        if (slot_find(m, o->number) && o->number != TENANT_DEFAULT_NUMBER)
            return error_set(err, ERROR_INVALID, "stored object %u is there twice", o->number);
        if ((o->number == TENANT_DEFAULT_NUMBER && !replace_tenant_default(m, o, err)) || !check_unique(m, o, err))
            return error_prefix(err, "stored object %u", o->number);
        show(m, o);
        m->loading[i] = NULL;
    }
    return true;
}

static bool
load_all(struct model *m, struct error *err)
{
    if (m->n_loading)
        qsort(m->loading, m->n_loading, sizeof *m->loading, loading_order);
    for (size_t i = 0; i < m->n_loading; i++)
        if (!check_refs(m, m->loading[i], err))
            return error_prefix(err, "stored object %u", m->loading[i]->number);
    for (const struct object_class *class = NULL; (class = object_class_next(class));)
        if (!load_type(m, class->type, err))
            return false;
    return true;
}

bool
model_load_finish(struct model *m, const struct model_sequences *sequences, struct error *err)
{
    if (!load_all(m, err))
        return false;
    free(m->loading);
    m->loading = NULL;
    m->n_loading = m->cap_loading = 0;
    m->sequences.revision = sequences->revision;
    if (sequences->next_number)
        m->sequences.next_number = sequences->next_number;
    if (sequences->next_vni)
        m->sequences.next_vni = sequences->next_vni;
    return true;
}
