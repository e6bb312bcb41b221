/* One operation, as the API and the command line give it: read strictly, allowed, and applied by the type's field table. Every error
 * begins with the object it is about. */
#include "vnet/model/transaction_state.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "vnet/model/field_value.h"
#include "vnet/model/model_json.h"

enum op_kind { OP_ADD, OP_SET, OP_DEL };

struct op {
    enum op_kind kind;
    const struct object_class *class;
    const char *name;                    /* NULL: none */
    const char *id;
    const json_t *values;                /* NULL: none */
    bool may_exist, if_exists, move;
    const char *tenant_name;
    uint32_t tenant;                     /* 0: type without */
};

/* ---- reading ---- */
static bool
op_kind_parse(const json_t *json, enum op_kind *kind, struct error *err)
{
    static const char *const words[] = { [OP_ADD] = "add", [OP_SET] = "set", [OP_DEL] = "del" };
    const char *word = json_member_string(json, "op");
    for (int i = 0; word && i < 3; i++)
        if (!strcmp(word, words[i])) {
            *kind = i;
            return true;
        }
    return error_set(err, ERROR_INVALID, "operation: op '%.60s' is unknown; write add, set or del", word ? word : "");
}

static bool
op_keys_check(const json_t *json, struct error *err)
{
    static const struct {
        const char *name;
        bool is_bool, is_object;
    } keys[] = {
        { "op", false, false },        { "type", false, false },     { "name", false, false },
        { "id", false, false },        { "tenant", false, false },   { "values", false, true },
        { "may_exist", true, false },  { "if_exists", true, false }, { "move", true, false },
    };
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *) json, key, value) {
        size_t i = 0, n = sizeof keys / sizeof keys[0];
        while (i < n && strcmp(keys[i].name, key))
            i++;
        if (i == n)
            return error_set(err, ERROR_INVALID, "operation: member '%.60s' is unknown", key);
        if (!json_is_null(value) && !(keys[i].is_bool ? json_is_boolean(value)
                                      : keys[i].is_object ? json_is_object(value) : json_is_string(value)))
            return error_set(err, ERROR_INVALID, "operation: member '%s' is no %s", key,
                             keys[i].is_bool ? "boolean" : keys[i].is_object ? "object" : "text");
    }
    return true;
}

static bool
op_type_parse(const json_t *json, struct op *op, struct error *err)
{
    const char *type = json_member_string(json, "type");
    char types[200] = "";
    op->class = type ? object_class_by_name(type) : NULL;
    if (op->class)
        return true;
    for (const struct object_class *c = NULL; (c = object_class_next(c));)
        if (!c->is_hidden)
            snprintf(types + strlen(types), sizeof types - strlen(types), " %s", c->name);
    return error_set(err, ERROR_INVALID, "operation: type '%.60s' is unknown; write one of%s", type ? type : "", types);
}

static bool
op_parse(const json_t *json, struct op *op, struct error *err)
{
    memset(op, 0, sizeof *op);
    if (!json_is_object(json))
        return error_set(err, ERROR_INVALID, "operation is no JSON object");
    if (!op_keys_check(json, err) || !op_kind_parse(json, &op->kind, err) || !op_type_parse(json, op, err))
        return false;

    const json_t *values = json_object_get(json, "values");
    op->values = json_is_object(values) ? values : NULL;
    op->name = json_member_string(json, "name");
    op->id = json_member_string(json, "id");
    op->tenant_name = json_member_string(json, "tenant");
    op->may_exist = json_member_bool(json, "may_exist", false);
    op->if_exists = json_member_bool(json, "if_exists", false);
    op->move = json_member_bool(json, "move", false);
    if (op->move && (op->kind != OP_SET || op->class->type != OBJECT_EIP))
        return error_set(err, ERROR_INVALID, "operation: member 'move' is only for set of an eip");
    if (op->kind == OP_ADD && op->values) {
        const char *id = json_member_string(op->values, "id"), *name = json_member_string(op->values, "name");
        op->id = op->id ? op->id : id;
        op->name = op->name ? op->name : name;
    }
    return true;
}

/* What an object is called that has no name of its own: columns, and what stands between them. A rule's says what it is until it has an
 * id. */
static const struct called {
    enum object_type type;
    const char *parts[9];
} called[] = {
    { OBJECT_ROUTE, { "rtb", "/", "prefix" } },
    { OBJECT_EIP, { "ip" } },
    { OBJECT_IGW, { "vpc" } },
    { OBJECT_SG_RULE, { "sg", " ", "direction", " ", "proto", " ", "ports", " ", "peer" } },
    { OBJECT_LISTENER, { "lb", "/", "proto", ":", "port" } },
    { OBJECT_TARGET, { "tg", "/", "port" } },
};
#define CALLED_MAX 300

/* False: it has a name, or not all that it is called by was given. */
static bool
op_called(const struct op *op, char buf[CALLED_MAX])
{
    const struct called *c = NULL;
    size_t used = 0;
    for (size_t i = 0; i < sizeof called / sizeof called[0]; i++)
        if (called[i].type == op->class->type)
            c = &called[i];
    for (size_t i = 0; c && i < 9 && c->parts[i]; i++) {
        char shown[VALUE_SHOWN_MAX];
        const json_t *value = i % 2 ? NULL : json_object_get(op->values, c->parts[i]);
        if (!(i % 2) && (!value || json_is_null(value)))
            return false;
        used += snprintf(buf + used, CALLED_MAX - used, "%.63s", value ? value_shown(value, shown) : c->parts[i]);
    }
    return c != NULL;
}

/* "route 'main/10.0.0.0/8'": what the operation is about, for errors. */
static bool
op_prefix(const struct op *op, struct error *err)
{
    char text[CALLED_MAX];
    const char *type = op->class->name, *name = op->name ? op->name : op_called(op, text) ? text : NULL;
    if (name)
        return error_prefix(err, "%s '%.130s'", type, name);
    return op->id ? error_prefix(err, "%s '%.40s'", type, op->id) : error_prefix(err, "%s", type);
}

/* ---- may it? ---- */
static bool
op_allow(struct transaction *t, struct op *op, struct error *err)
{
    if (!op->class->has_tenant)
        return principal_may(&t->principal, VERB_ADMIN, NULL, err);
    if (!op->tenant_name)
        op->tenant_name = t->tenant;
    if (!principal_may(&t->principal, VERB_CHANGE, op->tenant_name, err))
        return false;
    const struct object *tenant = view_by_name(t->model, VIEW_STAGED, OBJECT_TENANT, 0, op->tenant_name);
    if (!tenant)
        return error_set(err, ERROR_UNKNOWN, "tenant '%.64s' does not exist", op->tenant_name);
    op->tenant = tenant->number;
    return true;
}

static bool
is_visible(const struct transaction *t, const struct op *op, const struct object *o)
{
    struct error unused;
    if (!op->class->has_tenant || o->tenant == op->tenant)
        return true;
    const struct object *tenant = transaction_get(t, o->tenant, OBJECT_TENANT);
    return tenant && principal_may(&t->principal, VERB_CHANGE, tenant->name, &unused);
}

/* The object that the operation names; NULL: it does not exist, or is another tenant's. */
static const struct object *
op_find(const struct transaction *t, const struct op *op)
{
    const struct object *o = op->name ? view_find(t->model, VIEW_STAGED, op->class->type, op->tenant, op->name) : NULL;
    return o && is_visible(t, op, o) ? o : NULL;
}

static bool
refuse_unknown(const struct op *op, struct error *err)
{
    if (!op->name)
        return error_set(err, ERROR_INVALID, "name is missing");
    if (!op->class->has_tenant)
        return error_set(err, ERROR_UNKNOWN, "it does not exist");
    return error_set(err, ERROR_UNKNOWN, "it does not exist in tenant '%s'", op->tenant_name);
}

/* ---- values ---- */
static bool
refuse_column(const struct object_class *class, const char *column, struct error *err)
{
    char columns[300] = "";
    for (size_t i = 0; i < class->n_fields; i++)
        if (class->fields[i].kind != FIELD_RUNTIME && !(class->fields[i].flags & (FIELD_READ_ONLY | FIELD_HIDDEN | FIELD_AGENT)))
            snprintf(columns + strlen(columns), sizeof columns - strlen(columns), " %s", class->fields[i].name);
    return error_set(err, ERROR_INVALID, "column '%.60s' is unknown; write one of%s tags", column, columns);
}

static bool
check_givable(const struct transaction *t, const struct op *op, const struct field *f, struct error *err)
{
    if (f->kind == FIELD_RUNTIME || f->flags & FIELD_READ_ONLY || (f->derive && !f->writes))
        return error_set(err, ERROR_INVALID, "%s cannot be given: it is %s", f->name,
                         f->kind == FIELD_RUNTIME ? "observed" : f->derive ? "derived" : "allocated");
    if (op->kind == OP_SET && !(f->flags & FIELD_MUTABLE))
        return error_set(err, ERROR_INVALID, "%s cannot be changed%s%s", f->name,
                         f->writes ? "; further addresses are changed by " : "", f->writes ? f->writes : "");
    if (f->flags & FIELD_AGENT && !t->principal.is_agent)
        return error_set(err, ERROR_INVALID, "%s cannot be given: a hypervisor's agent says it", f->name);
    return !(f->flags & FIELD_ADMIN) || principal_may(&t->principal, VERB_ADMIN, NULL, err);
}

/* A value for a column that stands for the first element of another. */
static bool
give_short(const struct field_context *c, const struct op *op, struct object *o, const struct field *f,
           const json_t *value, struct error *err)
{
    const char *s = json_string_value(value);
    struct ip unused;
    const json_t *whole = json_object_get(op->values, f->writes);
    if (whole && !json_is_null(whole))
        return error_set(err, ERROR_INVALID, "%s and %s are both given; give one", f->name, f->writes);
    if (!s || !ip_parse(s, &unused)) {
        char shown[VALUE_SHOWN_MAX];
        return error_set(err, ERROR_INVALID, "%s '%s' is no IP address; write one like 10.0.0.5", f->name,
                         value_shown(value, shown));
    }
    return field_give(c, o, object_field(op->class, f->writes), value, err);
}

/* "tags:K", "quotas:K" */
static bool
give_item(const struct transaction *t, const struct op *op, struct object *o, const char *column, const json_t *value,
          struct error *err)
{
    const char *colon = strchr(column, ':');
    char map[32];
    snprintf(map, sizeof map, "%.*s", (int) (colon - column < 31 ? colon - column : 31), column);
    if (!strcmp(map, "tags"))
        return tag_give(o, colon + 1, value, err);
    const struct field *f = object_field(op->class, map);
    if (!f || f->kind != FIELD_UINT_MAP)
        return refuse_column(op->class, column, err);
    return check_givable(t, op, f, err) && field_give_item(o, f, colon + 1, value, err);
}

static bool
give_column(const struct transaction *t, const struct op *op, struct object *o, const char *column, const json_t *value,
            struct error *err)
{
    struct field_context c = { t->model, VIEW_STAGED, op->class->has_tenant ? o->tenant : op->tenant };
    const struct field *f = object_field(op->class, column);
    if (!strcmp(column, "tags"))
        return tags_give(o, value, err);
    if (!strcmp(column, "id") || !strcmp(column, "name"))
        return op->kind == OP_ADD || error_set(err, ERROR_INVALID, "%s cannot be changed", column);
    if (!strcmp(column, "tenant") || !strcmp(column, "created"))
        return error_set(err, ERROR_INVALID, "%s cannot be given as a column", column);
    if (!f)
        return strchr(column, ':') ? give_item(t, op, o, column, value, err) : refuse_column(op->class, column, err);
    if (op->kind == OP_ADD && json_is_null(value))
        return true;
    if (!check_givable(t, op, f, err))
        return false;
    return f->writes ? give_short(&c, op, o, f, value, err) : field_give(&c, o, f, value, err);
}

/* In the order of the table, since a value may say how a later one is read; then what is in no table. */
static bool
give_values(const struct transaction *t, const struct op *op, struct object *o, struct error *err)
{
    const struct object_class *class = op->class;
    const char *column;
    json_t *value;
    for (size_t i = 0; op->values && i < class->n_fields; i++)
        if ((value = json_object_get(op->values, class->fields[i].name))
            && !give_column(t, op, o, class->fields[i].name, value, err))
            return false;
    json_object_foreach ((json_t *) op->values, column, value)
        if (!object_field(class, column) && !give_column(t, op, o, column, value, err))
            return false;
    return true;
}

/* ---- add ---- */
static bool
check_required(const struct op *op, struct error *err)
{
    for (size_t i = 0; i < op->class->n_fields; i++) {
        const struct field *f = &op->class->fields[i];
        const json_t *value = json_object_get(op->values, f->name);
        if (f->flags & FIELD_REQUIRED && (!value || json_is_null(value)))
            return error_set(err, ERROR_INVALID, "%s is missing: %s", f->name, f->help);
    }
    return true;
}

static bool
name_new(const struct op *op, struct object *o, struct error *err)
{
    if (op->id && !uuid_parse(op->id, &o->id))
        return error_set(err, ERROR_INVALID, "id '%.60s' is no UUID; write one like 6ba7b810-9dad-41d1-80b4-00c04fd430c8", op->id);
    if (!op->name)
        return op->class->has_tenant || error_set(err, ERROR_INVALID, "name is missing");
    if (!op->class->has_name)
        return error_set(err, ERROR_INVALID, "%s %s has no name of its own; leave it out",
                         strchr("aeiou", op->class->name[0]) ? "an" : "a", op->class->name);
    if (!object_name_check(op->class, op->name, err))
        return false;
    o->name = mem_strdup(op->name);
    return true;
}

/* A new object with what was given and the defaults; NULL with *err. */
static struct object *
object_given(const struct transaction *t, const struct op *op, struct error *err)
{
    struct object *o = object_new(op->class);
    o->tenant = op->tenant;
    for (size_t i = 0; i < op->class->n_fields; i++)
        if (field_is_stored(&op->class->fields[i]))
            field_set_default(o, &op->class->fields[i]);
    if (name_new(op, o, err) && check_required(op, err) && give_values(t, op, o, err))
        return o;
    object_free(o);
    return NULL;
}

/* What stands where the given object would: by name, by what it is called by instead, or else by id. Never another tenant's. */
static const struct object *
existing_find(const struct transaction *t, const struct object *given)
{
    struct fact facts[FACTS_MAX];
    const struct object *o;
    if (given->name)
        return view_by_name(t->model, VIEW_STAGED, given->type, given->tenant, given->name);
    if (!object_class(given->type)->has_name && object_facts(given, facts))
        o = transaction_get(t, view_by_fact(t->model, VIEW_STAGED, &facts[0]), given->type);
    else
        o = uuid_is_zero(given->id) ? NULL : view_by_id(t->model, VIEW_STAGED, given->id);
    return o && o->type == given->type && o->tenant == given->tenant ? o : NULL;
}

static bool
refuse_other_value(const char *column, const json_t *is, const json_t *given, struct error *err)
{
    char shown_is[VALUE_SHOWN_MAX], shown_given[VALUE_SHOWN_MAX];
    return error_set(err, ERROR_CONFLICT, "it exists with %s '%s', not '%s'", column, value_shown(is, shown_is),
                     value_shown(given, shown_given));
}

static bool
column_agrees(const struct transaction *t, const struct object *is, const struct object *given, const char *column,
              struct error *err)
{
    const char *names[] = { column };
    struct json_columns columns = { .names = names, .n = 1 };
    json_t *a = object_json(t->model, is, &columns), *b = object_json(t->model, given, &columns);
    const json_t *value = json_object_get(a, column), *wanted = json_object_get(b, column);
    bool ok = json_equal(value, wanted) || refuse_other_value(column, value, wanted, err);
    json_decref(a);
    json_decref(b);
    return ok;
}

/* Does what exists have all the values given? Of maps, the keys given. */
static bool
values_agree(const struct transaction *t, const struct op *op, const struct object *is, const struct object *given,
             struct error *err)
{
    const char *column;
    json_t *value;
    if (!uuid_is_zero(given->id) && !column_agrees(t, is, given, "id", err))
        return false;
    for (size_t i = 0; i < given->n_tags; i++) {
        const struct tag *wanted = &given->tags[i], *tag = object_tag(is, wanted->key);
        if (!tag || strcmp(tag->value, wanted->value))
            return error_set(err, ERROR_CONFLICT, "it exists with tag '%s' %s%s%s, not '%s'", wanted->key, tag ? "'" : "",
                             tag ? tag->value : "unset", tag ? "'" : "", wanted->value);
    }
    json_object_foreach ((json_t *) op->values, column, value) {
        const struct field *f = object_field(op->class, column);
        if (f && !json_is_null(value) && !column_agrees(t, is, given, column, err))
            return false;
    }
    return true;
}

static bool
is_lingering(const struct object *o)
{
    const struct object_hooks *hooks = object_hooks(o->type);
    return hooks->is_lingering && hooks->is_lingering(o);
}

/* What was deleted but is still there, is again; as it is given now. */
static bool
revive(struct transaction *t, const struct object *existing, struct object *o, struct error *err)
{
    char id[UUID_STRLEN];
    if (!uuid_is_zero(o->id) && !uuid_equal(o->id, existing->id)) {
        object_free(o);
        return error_set(err, ERROR_CONFLICT, "it is draining under the id '%s'; leave the id out, or delete it once more before",
                         uuid_format(existing->id, id));
    }
    o->id = existing->id;
    o->number = existing->number;
    o->created_ms = existing->created_ms;
    return transaction_replace(t, existing, o, err);
}

static bool
op_add(struct transaction *t, const struct op *op, uint32_t *number, struct error *err)
{
    struct object *o = object_given(t, op, err);
    if (!o)
        return false;
    const struct object *existing = existing_find(t, o);
    if (existing && is_lingering(existing)) {
        *number = existing->number;
        return revive(t, existing, o, err);
    }
    if (existing && op->may_exist) {
        bool ok = values_agree(t, op, existing, o, err);
        *number = existing->number;
        object_free(o);
        return ok;
    }
    if (!transaction_add(t, o, err))
        return false;
    *number = o->number;
    return true;
}

/* ---- set and del ---- */
static bool
op_set(struct transaction *t, const struct op *op, uint32_t *number, struct error *err)
{
    const struct object *before = op_find(t, op);
    if (!before)
        return refuse_unknown(op, err);
    struct object *o = object_clone(before);
    *number = before->number;
    if (give_values(t, op, o, err))
        return transaction_replace(t, before, o, err);
    object_free(o);
    return false;
}

static json_t *
result_json(const struct transaction *t, const struct object *o, bool has_columns)
{
    char id[UUID_STRLEN], label[OBJECT_LABEL_MAX];
    json_t *json = json_pack("{s:s,s:s,s:s}", "id", uuid_format(o->id, id), "type", object_class(o->type)->name, "name",
                             object_label_write(t->model, o, label));
    if (has_columns)
        json_object_set_new(json, "object", object_json(t->model, o, NULL));
    return json;
}

static bool
remove_asked(struct transaction *t, const struct object *o, struct error *err)
{
    const struct object_hooks *hooks = object_hooks(o->type);
    bool stays = false;
    return (!hooks->removing || hooks->removing(t, o, err)) && (!hooks->linger || hooks->linger(t, o, &stays, err))
        && (stays || transaction_remove(t, o, err));
}

static bool
op_del(struct transaction *t, const struct op *op, json_t **result, struct error *err)
{
    const struct object *o = op_find(t, op);
    if (op->values && json_object_size(op->values))
        return error_set(err, ERROR_INVALID, "del takes no values");
    if (!o)
        return (op->if_exists && op->name) || refuse_unknown(op, err);
    json_t *gone = result ? result_json(t, o, false) : NULL;
    if (remove_asked(t, o, err)) {
        if (result)
            *result = gone;
        return true;
    }
    json_decref(gone);
    return false;
}

static bool
op_apply(struct transaction *t, struct op *op, json_t **result, struct error *err)
{
    uint32_t number = 0;
    if (!op_allow(t, op, err))
        return false;
    t->may_move = op->move;
    if (op->kind == OP_DEL)
        return op_del(t, op, result, err);
    if (op->kind == OP_SET ? !op_set(t, op, &number, err) : !op_add(t, op, &number, err))
        return false;
    if (result)
        *result = result_json(t, transaction_get(t, number, op->class->type), true);
    return true;
}

bool
transaction_op(struct transaction *t, const json_t *json, json_t **result, struct error *err)
{
    struct op op;
    if (result)
        *result = NULL;
    return op_parse(json, &op, err) && (op_apply(t, &op, result, err) || op_prefix(&op, err));
}
