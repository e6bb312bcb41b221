/* Objects as the API shows them, filters over them, and the schema that clients and documents are made from. */
#include "vnet/model/model_json.h"

#include <stdio.h>
#include <string.h>

#include "vnet/model/field_value.h"

static const struct {
    const char *name, *help;
} common[] = {
    { "id", "UUID; may be given to add" },
    { "name", "unique per tenant and type" },
    { "tenant", "the tenant it belongs to" },
    { "tags", "keys and values of your own" },
    { "created", "when, in UTC" },
};
#define N_COMMON (sizeof common / sizeof common[0])

static bool
is_common(const char *name)
{
    for (size_t i = 0; i < N_COMMON; i++)
        if (!strcmp(common[i].name, name))
            return true;
    return false;
}

static json_t *
common_json(const struct model *m, const struct object *o, const char *name)
{
    char id[UUID_STRLEN], label[OBJECT_LABEL_MAX];
    if (!strcmp(name, "id"))
        return json_string(uuid_format(o->id, id));
    if (!strcmp(name, "name"))
        return json_string(object_label_write(m, o, label));
    if (!strcmp(name, "tags"))
        return tags_json(o);
    if (!strcmp(name, "created"))
        return json_time(o->created_ms); /* null: not known */
    const struct object *tenant = o->tenant ? object_anywhere(m, o->tenant) : NULL;
    return tenant ? json_string(tenant->name) : json_null();
}

static json_t *
column_json(const struct model *m, const struct object *o, const struct field *f, const struct json_columns *c)
{
    if (f->kind != FIELD_RUNTIME)
        return field_json(m, o, f);
    return c && c->runtime ? c->runtime(c->runtime_aux, o, f) : json_null();
}

json_t *
object_json(const struct model *m, const struct object *o, const struct json_columns *c)
{
    const struct object_class *class = object_class(o->type);
    json_t *json = json_object();
    if (c && c->names) {
        for (size_t i = 0; i < c->n; i++) {
            const struct field *f = object_field(class, c->names[i]);
            json_object_set_new(json, c->names[i], f ? column_json(m, o, f, c) : common_json(m, o, c->names[i]));
        }
        return json;
    }
    for (size_t i = 0; i < N_COMMON; i++)
        json_object_set_new(json, common[i].name, common_json(m, o, common[i].name));
    for (size_t i = 0; i < class->n_fields; i++)
        if (!(class->fields[i].flags & FIELD_HIDDEN))
            json_object_set_new(json, class->fields[i].name, column_json(m, o, &class->fields[i], c));
    return json;
}

static bool
refuse_column(const struct object_class *class, const char *column, struct error *err)
{
    char columns[300] = "";
    for (size_t i = 0; i < N_COMMON; i++)
        snprintf(columns + strlen(columns), sizeof columns - strlen(columns), " %s", common[i].name);
    for (size_t i = 0; i < class->n_fields; i++)
        if (!(class->fields[i].flags & FIELD_HIDDEN))
            snprintf(columns + strlen(columns), sizeof columns - strlen(columns), " %s", class->fields[i].name);
    return error_set(err, ERROR_INVALID, "type '%s' has no column '%.60s'; write one of%s", class->name, column, columns);
}

bool
columns_check(const struct object_class *class, const char *const *names, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!is_common(names[i]) && !object_field(class, names[i]))
            return refuse_column(class, names[i], err);
    return true;
}

/* ---- filters ---- */
/* "tags:K": the column's name is what is before the colon. */
static size_t
column_name_n(const char *column)
{
    return strcspn(column, ":");
}

bool
filter_check(const struct object_class *class, const struct filter *f, struct error *err)
{
    size_t n = column_name_n(f->column);
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int) (n < sizeof name ? n : sizeof name - 1), f->column);
    const struct field *field = object_field(class, name);
    if (!field && !is_common(name))
        return refuse_column(class, f->column, err);
    bool is_map = field ? field->kind == FIELD_UINT_MAP || field->kind == FIELD_RUNTIME : !strcmp(name, "tags");
    if (f->column[n] && !is_map)
        return error_set(err, ERROR_INVALID, "column '%s' of type '%s' has no keys; write %s=VALUE", name, class->name, name);
    return true;
}

bool
filter_is_unset(const char *text)
{
    return !*text || !strcmp(text, "none");
}

const char *
filter_text(const json_t *value, char number[FILTER_NUMBER_MAX])
{
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (json_is_integer(value))
        snprintf(number, FILTER_NUMBER_MAX, "%lld", (long long) json_integer_value(value));
    else if (json_is_real(value))
        snprintf(number, FILTER_NUMBER_MAX, "%.10g", json_real_value(value));
    else
        return json_string_value(value);
    return number;
}

static bool
scalar_matches(const json_t *value, const char *text)
{
    char number[FILTER_NUMBER_MAX];
    const char *is = filter_text(value, number);
    return is ? !strcmp(is, text) : (!value || json_is_null(value)) && filter_is_unset(text);
}

static bool
value_matches(const json_t *value, const char *text)
{
    if (json_is_object(value))
        return !json_object_size(value) && filter_is_unset(text);
    if (!json_is_array(value))
        return scalar_matches(value, text);

    size_t i;
    json_t *element;
    json_array_foreach (value, i, element)
        if (scalar_matches(element, text))
            return true;
    return !json_array_size(value) && filter_is_unset(text);
}

bool
filter_matches(const struct filter *f, const json_t *object)
{
    size_t n = column_name_n(f->column);
    const json_t *value = json_object_getn(object, f->column, n);
    if (f->column[n])
        value = json_object_get(value, f->column + n + 1);
    return value_matches(value, f->value);
}

/* ---- schema ---- */
static const char *const kind_names[] = {
    [FIELD_STRING] = "string",
    [FIELD_BOOL] = "boolean",
    [FIELD_UINT] = "integer",
    [FIELD_MAC] = "mac",
    [FIELD_IP] = "ip",
    [FIELD_IP_LIST] = "ip-list",
    [FIELD_PREFIX] = "prefix",
    [FIELD_REF] = "reference",
    [FIELD_REF_LIST] = "reference-list",
    [FIELD_TARGET] = "target",
    [FIELD_UINT_MAP] = "integer-map",
    [FIELD_IP_RANGE] = "ip-range",
    [FIELD_PORT_RANGE] = "port-range",
    [FIELD_ENUM] = "word",
    [FIELD_SECONDS] = "seconds",
    [FIELD_TIME] = "time",
    [FIELD_PORT] = "port",
    [FIELD_PROTO] = "protocol",
    [FIELD_MATCH_PROTO] = "protocol",
    [FIELD_MATCH_PORTS] = "ports",
    [FIELD_PEER] = "peer",
    [FIELD_RUNTIME] = "observed",
};

static json_t *
field_schema(const struct field *f)
{
    const struct object_class *ref = f->ref_type ? object_class(f->ref_type) : NULL;
    bool is_read_only = f->kind == FIELD_RUNTIME || f->flags & (FIELD_READ_ONLY | FIELD_AGENT);
    json_t *json =
        json_pack("{s:s,s:s,s:b,s:b,s:b,s:b,s:s}", "name", f->name, "kind",
                  kind_names[f->words && f->kind != FIELD_RUNTIME ? FIELD_ENUM : f->kind], "required", !!(f->flags & FIELD_REQUIRED),
                  "mutable", !!(f->flags & FIELD_MUTABLE), "read_only", is_read_only, "admin", !!(f->flags & FIELD_ADMIN), "help", f->help);
    if (f->default_text && !is_read_only)
        json_object_set_new(json, "default", json_string(f->default_text));
    if (ref)
        json_object_set_new(json, "refers_to", json_string(ref->name));
    if (f->kind == FIELD_TARGET)
        json_object_set_new(json, "targets", target_words(f));
    if (f->words)
        json_object_set_new(json, "words", words_json(f));
    if (f->kind == FIELD_UINT) {
        json_object_set_new(json, "min", json_integer(f->min));
        json_object_set_new(json, "max", json_integer(f->max));
    }
    if (f->kind == FIELD_SECONDS) {
        json_object_set_new(json, "min", json_real(f->min / 1000.0));
        json_object_set_new(json, "max", json_real(f->max / 1000.0));
    }
    return json;
}

static json_t *
common_schema(size_t i)
{
    bool is_tags = !strcmp(common[i].name, "tags"), is_given = is_tags || i < 2;
    return json_pack("{s:s,s:s,s:b,s:b,s:b,s:b,s:s}", "name", common[i].name, "kind", is_tags ? "string-map" : "string", "required", 0,
                     "mutable", is_tags, "read_only", !is_given, "admin", 0, "help", common[i].help);
}

json_t *
schema_json(void)
{
    json_t *types = json_array();
    for (const struct object_class *class = NULL; (class = object_class_next(class));) {
        if (class->is_hidden)
            continue;
        json_t *columns = json_array();
        for (size_t i = 0; i < N_COMMON; i++)
            json_array_append_new(columns, common_schema(i));
        for (size_t i = 0; i < class->n_fields; i++)
            if (!(class->fields[i].flags & FIELD_HIDDEN))
                json_array_append_new(columns, field_schema(&class->fields[i]));
        json_array_append_new(types, json_pack("{s:s,s:b,s:b,s:s,s:o}", "type", class->name, "has_tenant", class->has_tenant, "has_name",
                                               class->has_name, "help", class->help, "columns", columns));
    }
    return types;
}
