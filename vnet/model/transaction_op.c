/* One operation, as the API and the command line give it: read strictly, allowed, and applied by the type's field table. Every error
 * begins with the object it is about. */
#include "vnet/model/transaction_op_private.h"

#include "vnet/model/model_json.h"

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

/* ---- set and del ---- */
static bool
op_set(struct transaction *t, const struct op *op, uint32_t *number, struct error *err)
{
    const struct object *before = op_find(t, op);
    if (!before)
        return refuse_unknown(op, err);
    struct object *o = object_clone(before);
    *number = before->number;
    if (op_give_values(t, op, o, err))
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
        json_object_set_new(json, "object", transaction_json(t, o));
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
        *result = result_json(t, transaction_get(t, number, op->class->type), !t->is_brief);
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
