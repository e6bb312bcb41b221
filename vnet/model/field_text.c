/* What users write, into fields. Values come native (JSON) or as text, the way the command line passes them on; one parser per
 * kind serves all types, and its error says what would have been right. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "vnet/model/field_value.h"

const char *
value_shown(const json_t *value, char buf[VALUE_SHOWN_MAX])
{
    char *text = json_is_string(value) ? mem_strdup(json_string_value(value)) : json_text(value);
    bool is_cut = strlen(text) >= VALUE_SHOWN_MAX;
    snprintf(buf, VALUE_SHOWN_MAX, "%.*s%s", VALUE_SHOWN_MAX - 4, text, is_cut ? "..." : "");
    free(text);
    return buf;
}

/* "FIELD 'VALUE' WHY" */
static bool
refuse(const struct field *f, const json_t *value, struct error *err, const char *why)
{
    char shown[VALUE_SHOWN_MAX];
    return error_set(err, ERROR_INVALID, "%s '%s' %s", f->name, value_shown(value, shown), why);
}

static bool
give_string(struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    const char *s = json_string_value(value);
    if (!s)
        return refuse(f, value, err, "is no text");
    if (strlen(s) > LIMIT_STRING)
        return error_set(err, ERROR_INVALID, "%s has %zu bytes; write at most %d", f->name, strlen(s), LIMIT_STRING);
    field_clear(o, f);
    if (*s)
        *(char **) field_of(o, f) = mem_strdup(s);
    return true;
}

static bool
give_bool(struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    const char *s = json_string_value(value);
    if (!json_is_boolean(value) && !(s && (!strcmp(s, "true") || !strcmp(s, "false"))))
        return refuse(f, value, err, "is neither true nor false");
    *(bool *) field_of(o, f) = s ? !strcmp(s, "true") : json_is_true(value);
    return true;
}

/* A boolean whose two values have words of their own. */
static bool
give_bool_word(struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    unsigned n;
    if (!word_give(f, value, &n, err))
        return false;
    *(bool *) field_of(o, f) = n;
    return true;
}

static bool
give_uint(struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    int64_t n;
    if (!field_uint_parse(value, &n) || n < f->min || n > f->max) {
        char why[80];
        snprintf(why, sizeof why, "is no whole number from %u to %u", f->min, f->max);
        return refuse(f, value, err, why);
    }
    *(uint32_t *) field_of(o, f) = n;
    return true;
}

static bool
give_mac(struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    const char *s = json_string_value(value);
    if (!s || !mac_parse(s, field_of(o, f)) || mac_is_zero(*(const struct mac *) field_of(o, f)))
        return refuse(f, value, err, "is no MAC address; write six bytes like 02:00:00:00:00:01");
    return true;
}

static bool
ip_give(const struct field *f, const json_t *value, struct ip *ip, struct error *err)
{
    const char *s = json_string_value(value);
    if (!s || !ip_parse(s, ip))
        return refuse(f, value, err, "is no IP address; write one like 10.0.0.5");
    return true;
}

bool
prefix_give(const struct field *f, const json_t *value, struct ip_prefix *prefix, struct error *err)
{
    const char *s = json_string_value(value), *slash = s ? strchr(s, '/') : NULL;
    bool has_host_bits = false;
    if (s && ip_prefix_parse(s, prefix, &has_host_bits))
        return true;
    if (!has_host_bits || !slash)
        return refuse(f, value, err, "is no prefix; write ADDRESS/LENGTH, e.g. 10.0.0.0/16");

    char address[IP_STRLEN], right[IP_PREFIX_STRLEN];
    struct ip_prefix p;
    snprintf(address, sizeof address, "%.*s", (int) (slash - s), s);
    if (!ip_parse(address, &p.ip))
        return refuse(f, value, err, "is no prefix");
    p.len = atoi(slash + 1);
    p.ip = ip_prefix_first(p);
    return error_set(err, ERROR_INVALID, "%s '%s' has host bits set; write %s", f->name, s, ip_prefix_format(p, right));
}

/* ---- lists: an array, or text with commas ---- */
/* New reference to an array of the elements; NULL with *err. */
static json_t *
list_elements(const struct field *f, const json_t *value, struct error *err)
{
    json_t *array = json_is_array(value) ? json_incref((json_t *) value) : json_array();
    const char *s = json_string_value(value);
    if (!json_is_array(value) && !s) {
        json_decref(array);
        refuse(f, value, err, "is no list; write elements separated by commas");
        return NULL;
    }
    while (s && *s) {
        size_t n = strcspn(s, ",");
        json_array_append_new(array, json_stringn(s, n));
        s += n;
        if (*s && !*++s)
            json_array_append_new(array, json_string(""));
    }
    if (json_array_size(array) > LIMIT_LIST) {
        error_set(err, ERROR_INVALID, "%s has %zu elements; give at most %d", f->name, json_array_size(array), LIMIT_LIST);
        json_decref(array);
        return NULL;
    }
    return array;
}

static bool
give_ip_list(struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    json_t *array = list_elements(f, value, err), *element;
    if (!array)
        return false;

    struct ip ips[LIMIT_LIST];
    size_t n = 0, i;
    bool ok = true;
    json_array_foreach (array, i, element) {
        ok = ip_give(f, element, &ips[n], err);
        for (size_t j = 0; ok && j < n; j++)
            if (ip_equal(ips[j], ips[n]))
                ok = refuse(f, element, err, "is given twice");
        if (!ok)
            break;
        n++;
    }
    if (ok) {
        field_clear(o, f);
        if (n)
            *(struct ip_list *) field_of(o, f) = (struct ip_list){ n, mem_dup(ips, n * sizeof ips[0]) };
    }
    json_decref(array);
    return ok;
}

/* ---- references ---- */
static const char *
tenant_name(const struct field_context *c)
{
    const struct object *t = view_get(c->model, c->view, c->tenant, OBJECT_TENANT);
    return t ? t->name : TENANT_DEFAULT_NAME;
}

uint32_t
field_ref_find(const struct field_context *c, const struct field *f, enum object_type type, const char *name, struct error *err)
{
    const struct object_class *class = object_class(type);
    const struct object *o = class ? view_find(c->model, c->view, type, class->has_tenant ? c->tenant : 0, name) : NULL;
    if (o && (!class->has_tenant || o->tenant == c->tenant || f->flags & FIELD_ANY_TENANT))
        return o->number;

    if (!class)
        error_set(err, ERROR_UNKNOWN, "%s '%.100s' does not exist%s", f->name, name,
                  f->flags & FIELD_NONE_WORD ? "; write none, or leave it out" : "");
    else if (class->has_tenant)
        error_set(err, ERROR_UNKNOWN, "%s '%.100s' does not exist in tenant '%s'", class->name, name, tenant_name(c));
    else
        error_set(err, ERROR_UNKNOWN, "%s '%.100s' does not exist", class->name, name);
    return 0;
}

static bool
give_ref(const struct field_context *c, struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    const char *s = json_string_value(value);
    if (!s || !*s)
        return refuse(f, value, err, "is no name");
    uint32_t number = field_ref_find(c, f, f->ref_type, s, err);
    if (number)
        *(uint32_t *) field_of(o, f) = number;
    return number != 0;
}

/* Inserts into a sorted list; false: it is there. */
static bool
number_insert(uint32_t *v, size_t *n, uint32_t number)
{
    size_t at = 0;
    while (at < *n && v[at] < number)
        at++;
    if (at < *n && v[at] == number)
        return false;
    memmove(&v[at + 1], &v[at], (*n - at) * sizeof *v);
    v[at] = number;
    ++*n;
    return true;
}

static bool
give_ref_list(const struct field_context *c, struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    const char *s = json_string_value(value);
    bool is_none = f->flags & FIELD_NONE_WORD && s && !strcmp(s, "none");
    json_t *array = is_none ? json_array() : list_elements(f, value, err), *element;
    if (!array)
        return false;

    uint32_t numbers[LIMIT_LIST + 1];
    size_t n = 0, i;
    bool ok = true;
    json_array_foreach (array, i, element) {
        const char *name = json_string_value(element);
        uint32_t number = name ? field_ref_find(c, f, f->ref_type, name, err) : 0;
        ok = number ? number_insert(numbers, &n, number) || refuse(f, element, err, "is given twice")
             : name ? false
                    : refuse(f, element, err, "is no name");
        if (!ok)
            break;
    }
    if (ok) {
        field_clear(o, f);
        if (n)
            *(struct number_list *) field_of(o, f) = (struct number_list){ n, mem_dup(numbers, n * sizeof numbers[0]) };
        if (f->flags & FIELD_NONE_WORD)
            field_set_given(o, f, n > 0);
    }
    json_decref(array);
    return ok;
}

/* ---- any field ---- */
void
field_set_default(struct object *o, const struct field *f)
{
    static const struct field_context nowhere = { 0 };
    struct error err;
    field_clear(o, f);
    if (f->flags & FIELD_NONE_WORD)
        field_set_given(o, f, true);
    if (!f->default_text)
        return;
    json_t *text = json_string(f->default_text);
    if (!field_give(&nowhere, o, f, text, &err))
        abort(); /* the field table is wrong */
    json_decref(text);
}

bool
field_give(const struct field_context *c, struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    if (json_is_null(value)) {
        if (f->flags & FIELD_REQUIRED)
            return error_set(err, ERROR_INVALID, "%s cannot be unset; give a value", f->name);
        field_set_default(o, f);
        return true;
    }

    switch (f->kind) {
    case FIELD_STRING: return give_string(o, f, value, err);
    case FIELD_BOOL: return f->words ? give_bool_word(o, f, value, err) : give_bool(o, f, value, err);
    case FIELD_UINT: return give_uint(o, f, value, err);
    case FIELD_MAC: return give_mac(o, f, value, err);
    case FIELD_IP: return ip_give(f, value, field_of(o, f), err);
    case FIELD_IP_LIST: return give_ip_list(o, f, value, err);
    case FIELD_PREFIX: return prefix_give(f, value, field_of(o, f), err);
    case FIELD_REF: return give_ref(c, o, f, value, err);
    case FIELD_REF_LIST: return give_ref_list(c, o, f, value, err);
    case FIELD_TARGET: return target_give(c, f, value, field_of(o, f), err);
    case FIELD_IP_RANGE: return ip_range_give(f, value, field_of(o, f), err);
    case FIELD_PORT_RANGE: return port_range_give(f, value, field_of(o, f), err);
    case FIELD_UINT_MAP: return field_give_items(o, f, value, err);
    case FIELD_ENUM: return word_give(f, value, field_of(o, f), err);
    case FIELD_SECONDS: return seconds_give(f, value, field_of(o, f), err);
    case FIELD_PORT: return port_give(f, value, field_of(o, f), err);
    case FIELD_PROTO: return proto_give(f, value, field_of(o, f), err);
    case FIELD_MATCH_PROTO: return match_proto_give(f, value, field_of(o, f), err);
    case FIELD_MATCH_PORTS: return match_ports_give(f, value, field_of(o, f), err);
    case FIELD_PEER: return peer_give(c, o, f, value, err);
    case FIELD_TIME:
    case FIELD_RUNTIME: break;
    }
    return refuse(f, value, err, "is not for you to give");
}
