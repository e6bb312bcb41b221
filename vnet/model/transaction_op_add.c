/* The operation 'add': a new object, or one that exists already and is as given. */
#include "vnet/model/transaction_op_private.h"

#include <string.h>

#include "base/alloc.h"
#include "vnet/model/field_value.h"
#include "vnet/model/model_json.h"

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
        return error_set(err, ERROR_INVALID, "%s %s has no name of its own; leave it out", strchr("aeiou", op->class->name[0]) ? "an" : "a",
                         op->class->name);
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
    if (name_new(op, o, err) && check_required(op, err) && op_give_values(t, op, o, err))
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
column_agrees(const struct transaction *t, const struct object *is, const struct object *given, const char *column, struct error *err)
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
values_agree(const struct transaction *t, const struct op *op, const struct object *is, const struct object *given, struct error *err)
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

bool
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
