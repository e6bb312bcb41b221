/* Arguments become columns: the row says which; 'type' and 'name' say what object it is about, the others are values. Values stay text,
 * the daemon reads them by the column's kind. */
#include "tools/vnetctl/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

json_t *
change_op(const char *op, const char *type, const char *name)
{
    json_t *json = json_pack("{ss ss}", "op", op, "type", type);
    if (name)
        json_object_set_new(json, "name", json_string(name));
    return json;
}

static json_t *
value_json(const char *text)
{
    return *text ? json_string(text) : json_null();
}

void
change_values(const struct call *call, json_t *values)
{
    for (size_t i = 0; i < call->n_values; i++) {
        const struct assignment *a = &call->values[i];
        if (!a->key) {
            json_object_set_new(values, a->column, value_json(a->value));
            continue;
        }
        json_t *map = json_object_get(values, a->column);
        if (!map) {
            map = json_object();
            json_object_set_new(values, a->column, map);
        }
        json_object_set_new(map, a->key, value_json(a->value));
    }
}

/* Takes 'values'. */
static json_t *
op_with_values(json_t *op, json_t *values)
{
    if (json_object_size(values))
        json_object_set(op, "values", values);
    json_decref(values);
    return op;
}

json_t *
change_add(const struct call *call, struct error *err)
{
    json_t *op = change_op("add", call_type(call), call_argument(call, "name")), *values = json_object();
    const struct argument *arguments = call->command->arguments;
    for (size_t i = 0; i < call->n_arguments; i++)
        if (strcmp(arguments[i].column, "name") && strcmp(arguments[i].column, "type"))
            json_object_set_new(values, arguments[i].column, json_string(call->arguments[i]));
    change_values(call, values);
    if (call->options & OPTION_MAY_EXIST)
        json_object_set_new(op, "may_exist", json_true());
    return op_with_values(op, values);
}

/* What has no name of its own is called by all arguments: RTB/PREFIX. */
static char *
name_join(const struct call *call)
{
    size_t n = 1;
    for (size_t i = 0; i < call->n_arguments; i++)
        n += strlen(call->arguments[i]) + 1;
    char *name = mem_zalloc(n);
    for (size_t i = 0; i < call->n_arguments; i++) {
        strcat(name, i ? "/" : "");
        strcat(name, call->arguments[i]);
    }
    return name;
}

json_t *
change_del(const struct call *call, struct error *err)
{
    char *name = name_join(call);
    json_t *op = change_op("del", call_type(call), name);
    free(name);
    if (call->options & OPTION_IF_EXISTS)
        json_object_set_new(op, "if_exists", json_true());
    return op;
}

json_t *
change_set(const struct call *call, struct error *err)
{
    json_t *op = change_op("set", call_type(call), call_argument(call, "name")), *values = json_object();
    change_values(call, values);
    return op_with_values(op, values);
}
