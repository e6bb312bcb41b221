/* An operation's values enter an object: which columns may be given, by whom, and by which shorter ways. */
#include "vnet/model/transaction_op_private.h"

#include <stdio.h>
#include <string.h>

#include "vnet/model/field_value.h"

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
                         f->kind == FIELD_RUNTIME ? "observed"
                         : f->derive              ? "derived"
                                                  : "allocated");
    if (op->kind == OP_SET && !(f->flags & FIELD_MUTABLE))
        return error_set(err, ERROR_INVALID, "%s cannot be changed%s%s", f->name, f->writes ? "; further addresses are changed by " : "",
                         f->writes ? f->writes : "");
    if (f->flags & FIELD_AGENT && !t->principal.is_agent)
        return error_set(err, ERROR_INVALID, "%s cannot be given: a hypervisor's agent says it", f->name);
    return !(f->flags & FIELD_ADMIN) || principal_may(&t->principal, VERB_ADMIN, NULL, err);
}

/* A value for a column that stands for the first element of another. */
static bool
give_short(const struct field_context *c, const struct op *op, struct object *o, const struct field *f, const json_t *value,
           struct error *err)
{
    const char *s = json_string_value(value);
    struct ip unused;
    const json_t *whole = json_object_get(op->values, f->writes);
    if (whole && !json_is_null(whole))
        return error_set(err, ERROR_INVALID, "%s and %s are both given; give one", f->name, f->writes);
    if (!s || !ip_parse(s, &unused)) {
        char shown[VALUE_SHOWN_MAX];
        return error_set(err, ERROR_INVALID, "%s '%s' is no IP address; write one like 10.0.0.5", f->name, value_shown(value, shown));
    }
    return field_give(c, o, object_field(op->class, f->writes), value, err);
}

/* "tags:K", "quotas:K" */
static bool
give_item(const struct transaction *t, const struct op *op, struct object *o, const char *column, const json_t *value, struct error *err)
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
give_column(const struct transaction *t, const struct op *op, struct object *o, const char *column, const json_t *value, struct error *err)
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
bool
op_give_values(const struct transaction *t, const struct op *op, struct object *o, struct error *err)
{
    const struct object_class *class = op->class;
    const char *column;
    json_t *value;
    for (size_t i = 0; op->values && i < class->n_fields; i++)
        if ((value = json_object_get(op->values, class->fields[i].name)) && !give_column(t, op, o, class->fields[i].name, value, err))
            return false;
    json_object_foreach ((json_t *) op->values, column, value)
        if (!object_field(class, column) && !give_column(t, op, o, column, value, err))
            return false;
    return true;
}
