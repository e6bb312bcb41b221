/* How an operation is read from JSON, strictly, and what it is called in errors. */
#include "vnet/model/transaction_op_private.h"

#include <stdio.h>
#include <string.h>

#include "vnet/model/field_value.h"

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
        { "op", false, false },       { "type", false, false },     { "name", false, false },
        { "id", false, false },       { "tenant", false, false },   { "values", false, true },
        { "may_exist", true, false }, { "if_exists", true, false }, { "move", true, false },
    };
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *) json, key, value) {
        size_t i = 0, n = sizeof keys / sizeof keys[0];
        while (i < n && strcmp(keys[i].name, key))
            i++;
        if (i == n)
            return error_set(err, ERROR_INVALID, "operation: member '%.60s' is unknown", key);
        if (!json_is_null(value)
            && !(keys[i].is_bool     ? json_is_boolean(value)
                 : keys[i].is_object ? json_is_object(value)
                                     : json_is_string(value)))
            return error_set(err, ERROR_INVALID, "operation: member '%s' is no %s", key,
                             keys[i].is_bool     ? "boolean"
                             : keys[i].is_object ? "object"
                                                 : "text");
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

bool
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
bool
op_prefix(const struct op *op, struct error *err)
{
    char text[CALLED_MAX];
    const char *type = op->class->name, *name = op->name ? op->name : op_called(op, text) ? text : NULL;
    if (name)
        return error_prefix(err, "%s '%.130s'", type, name);
    return op->id ? error_prefix(err, "%s '%.40s'", type, op->id) : error_prefix(err, "%s", type);
}
