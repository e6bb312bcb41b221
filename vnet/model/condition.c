#include "vnet/model/condition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "vnet/model/field_value.h"

/* An object with room for one value. */
struct scratch {
    struct object o;
    union {
        bool boolean;
        uint32_t number;
        uint16_t port;
        uint8_t proto;
        unsigned word;
        struct mac mac;
        struct ip ip;
        struct ip_prefix prefix;
        struct ip_range ip_range;
        struct port_range port_range;
        struct l4_match match;
        struct target_ref target;
    } value;
    uint32_t peer;
};

/* The column's row, for a value in the scratch object. Of a list one element is compared. */
static struct field
scratch_field(const struct field *f)
{
    struct field s = *f;
    s.kind = f->kind == FIELD_IP_LIST ? FIELD_IP : f->kind;
    s.offset = offsetof(struct scratch, value);
    s.peer_offset = offsetof(struct scratch, peer);
    s.derive = NULL;
    return s;
}

static void
set_value(struct condition *c, const char *text)
{
    char *copy = mem_strdup(text);
    free(c->value);
    c->value = copy;
}

static void
set_value_json(struct condition *c, json_t *take)
{
    char number[FILTER_NUMBER_MAX];
    const char *text = filter_text(take, number);
    if (text)
        set_value(c, text);
    json_decref(take);
}

/* ---- what refers to objects ---- */

/* The object that the value names by its id, after the word of a target or peer. False: it has no id. */
static bool
find_by_id(const struct condition *c, const struct model *m, const struct object **o)
{
    struct uuid id;
    bool has_word = c->field->kind == FIELD_TARGET || c->field->kind == FIELD_PEER;
    const char *colon = has_word ? strchr(c->value, ':') : NULL;
    if (!uuid_parse(colon ? colon + 1 : c->value, &id))
        return false;
    *o = model_get_id(m, id);
    return true;
}

static uint32_t
referred(const struct field *f, const struct scratch *s)
{
    return f->kind == FIELD_TARGET ? s->value.target.number : f->kind == FIELD_PEER ? s->peer : 0;
}

/* Names are compared as they are shown: over all tenants, one name is many objects. That there is none of that name is no error: then nothing is
 * found. */
static bool
read_word_and_name(struct condition *c, const struct model *m, const struct object *o, struct error *err)
{
    struct scratch s = { 0 };
    struct field f = scratch_field(c->field);
    struct field_context context = { m, VIEW_COMMITTED, o ? o->tenant : TENANT_DEFAULT_NUMBER };
    json_t *text = json_string(c->value);
    bool ok = field_give(&context, &s.o, &f, text, err);
    json_decref(text);
    c->number = ok ? referred(&f, &s) : 0;
    if (ok && !c->number)
        set_value_json(c, field_json(m, &s.o, &f));
    return ok || err->code == ERROR_UNKNOWN;
}

static bool
read_reference(struct condition *c, const struct model *m, struct error *err)
{
    const struct object *o = NULL;
    c->is_by_id = find_by_id(c, m, &o);
    if (c->field->kind == FIELD_TARGET || c->field->kind == FIELD_PEER)
        return read_word_and_name(c, m, o, err);
    c->number = o && o->type == c->field->ref_type ? o->number : 0;
    return true;
}

static bool
refers_to(const struct object *o, const struct field *f, uint32_t number)
{
    const void *p = field_in(o, f);
    const struct number_list *list = p;
    switch (f->kind) {
    case FIELD_REF: return *(const uint32_t *) p == number;
    case FIELD_TARGET: return ((const struct target_ref *) p)->number == number;
    case FIELD_PEER: return peer_group(o, f) == number;
    case FIELD_REF_LIST:
        for (size_t i = 0; i < list->n; i++)
            if (list->v[i] == number)
                return true;
        return false;
    default: return false;
    }
}

/* ---- other values ---- */

static bool
read_number(struct condition *c, struct error *err)
{
    int64_t n;
    json_t *text = json_string(c->value);
    bool ok = field_uint_parse(text, &n);
    json_decref(text);
    if (!ok)
        return error_set(err, ERROR_INVALID, "%s '%.100s' is no whole number", c->column, c->value);
    set_value_json(c, json_integer(n));
    return true;
}

/* What is observed: a word, a number, a host's name or id, or any text. */
static bool
read_observed(struct condition *c, const struct model *m, struct error *err)
{
    unsigned unused;
    struct uuid id;
    const struct object *o = c->field->ref_type && uuid_parse(c->value, &id) ? model_get_id(m, id) : NULL;
    if (o && o->type == c->field->ref_type && o->name)
        set_value(c, o->name);
    if (c->field->flags & FIELD_NUMBER)
        return read_number(c, err);
    json_t *text = json_string(c->value);
    bool ok = !c->field->words || word_give(c->field, text, &unused, err);
    json_decref(text);
    return ok;
}

static bool
read_given(struct condition *c, struct error *err)
{
    static const struct field_context nowhere = { 0 };
    struct scratch s = { 0 };
    struct field f = scratch_field(c->field);
    json_t *text = json_string(c->value);
    bool ok = field_give(&nowhere, &s.o, &f, text, err);
    json_decref(text);
    if (ok)
        set_value_json(c, field_json(NULL, &s.o, &f));
    return ok;
}

/* Ports of any protocol, types of ICMP. */
static bool
read_ports(struct condition *c, struct error *err)
{
    static const int protos[] = { L4_TCP, L4_ICMP };
    json_t *text = json_string(c->value);
    bool ok = false;
    for (size_t i = 0; !ok && i < 2; i++) {
        struct l4_match match = { .proto = protos[i] };
        ok = match_ports_give(c->field, text, &match, err);
        if (ok)
            set_value_json(c, match_ports_json(&match));
    }
    json_decref(text);
    return ok
           || error_set(err, ERROR_INVALID, "%s '%.100s' is neither ports nor an ICMP type; write N, N-M, TYPE/CODE or -", c->column,
                        c->value);
}

/* id, tenant; a name, a tag and a time are compared as they are. */
static bool
read_common(struct condition *c, const struct model *m, struct error *err)
{
    char text[UUID_STRLEN];
    struct uuid id;
    bool is_id = uuid_parse(c->value, &id);
    if (!strcmp(c->column, "id")) {
        if (!is_id)
            return error_set(err, ERROR_INVALID, "id '%.100s' is no UUID", c->value);
        set_value(c, uuid_format(id, text));
    }
    const struct object *o = is_id && !strcmp(c->column, "tenant") ? model_get_id(m, id) : NULL;
    if (o && o->type == OBJECT_TENANT)
        set_value(c, o->name);
    return true;
}

static bool
read_value(struct condition *c, const struct model *m, struct error *err)
{
    if (filter_is_unset(c->value))
        return true;
    if (!c->field)
        return read_common(c, m, err);
    switch (c->field->kind) {
    case FIELD_REF:
    case FIELD_REF_LIST:
    case FIELD_TARGET:
    case FIELD_PEER: return read_reference(c, m, err);
    case FIELD_RUNTIME: return strchr(c->column, ':') || read_observed(c, m, err);
    case FIELD_UINT_MAP: return !strchr(c->column, ':') || read_number(c, err);
    case FIELD_MATCH_PORTS: return read_ports(c, err);
    case FIELD_STRING:
    case FIELD_TIME: return true;
    default: return read_given(c, err);
    }
}

/* ---- the condition ---- */

bool
condition_init(struct condition *c, const struct model *m, const struct object_class *class, const char *column, const char *value,
               struct error *err)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int) strcspn(column, ":"), column);
    *c = (struct condition){ .column = mem_strdup(column), .value = mem_strdup(value), .field = object_field(class, name) };
    return filter_check(class, &(struct filter){ column, value }, err) && read_value(c, m, err);
}

void
condition_done(struct condition *c)
{
    free(c->column);
    free(c->value);
    *c = (struct condition){ 0 };
}

bool
condition_holds(const struct condition *c, const struct object *o, const json_t *row)
{
    if (c->is_by_id)
        return c->number && refers_to(o, c->field, c->number);
    return filter_matches(&(struct filter){ c->column, c->value }, row);
}
