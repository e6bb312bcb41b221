/* A tenant owns objects and has quotas. The tenant 'default' is always there. */
#include "vnet/model/transaction_state.h"

#include <stdio.h>
#include <string.h>

#define NAMED_MAX 5

static const struct field fields[] = {
    { .name = "quotas",
      .kind = FIELD_UINT_MAP,
      .flags = FIELD_MUTABLE | FIELD_ADMIN,
      .offset = offsetof(struct tenant, quotas),
      .max = UINT32_MAX,
      .help = "how many objects of a type the tenant may have; unlimited unless set" },
};

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct uint_map *quotas = &((const struct tenant *) (const void *) o)->quotas;
    for (size_t i = 0; i < quotas->n; i++) {
        const struct object_class *class = object_class_by_name(quotas->v[i].key);
        if (!class || !class->has_tenant)
            return error_set(err, ERROR_INVALID, "quotas: '%s' is no type of object that a tenant has; write e.g. port=100",
                             quotas->v[i].key);
    }
    return true;
}

/* The first few objects of the tenant, without those that go with others; false: there are more. Walks everything, but only to word a
 * refusal. */
static bool
objects_named(const struct transaction *t, uint32_t tenant, char *list, size_t size)
{
    size_t n = 0, used = 0;
    const struct tree_node *node = tree_first(&t->model->types);
    for (; node; node = tree_next(node)) {
        const struct object *o = CONTAINER_OF(node, struct slot, by_type)->o[VIEW_STAGED];
        char title[TITLE_MAX];
        if (!o || o->tenant != tenant || object_has_owner(o))
            continue;
        if (n == NAMED_MAX || used >= size)
            return false;
        used += snprintf(list + used, size - used, "%s%s", n++ ? ", " : "", transaction_title(t, o, title));
    }
    return true;
}

static bool
removing(struct transaction *t, const struct object *o, struct error *err)
{
    if (o->number == TENANT_DEFAULT_NUMBER)
        return error_set(err, ERROR_CONFLICT, "it always exists and cannot be deleted");

    size_t n = 0;
    for (const struct object_class *c = NULL; (c = object_class_next(c));)
        n += view_count(t->model, VIEW_STAGED, o->number, c->type);
    if (!n)
        return true;

    char list[400];
    bool is_all = objects_named(t, o->number, list, sizeof list);
    return error_set(err, ERROR_CONFLICT, "it still has %s%s; delete %s first", list, is_all ? "" : " and more",
                     is_all && !strchr(list, ',') ? "that" : "them");
}

const struct object_class tenant_class = {
    .type = OBJECT_TENANT,
    .name = "tenant",
    .size = sizeof(struct tenant),
    .has_name = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "owns objects; names are unique per tenant and type",
};

const struct object_hooks tenant_hooks = { .check = check, .removing = removing };
