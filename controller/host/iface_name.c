#include "controller/host/iface_name.h"

#include <stdio.h>
#include <string.h>

bool
iface_name_normal(const char *iface_id, char out[IFACE_NAME_MAX + 1])
{
    struct uuid id;
    if (strlen(iface_id) > IFACE_NAME_MAX)
        return false;
    if (uuid_parse(iface_id, &id))
        uuid_format(id, out);
    else
        snprintf(out, IFACE_NAME_MAX + 1, "%s", iface_id);
    return true;
}

uint32_t
iface_name_port(const struct model *m, const char *name)
{
    char tenant[LIMIT_NAME + 1] = "default";
    const char *slash = strchr(name, '/');
    if (slash && (size_t) (slash - name) < sizeof tenant) {
        snprintf(tenant, sizeof tenant, "%.*s", (int) (slash - name), name);
        name = slash + 1;
    }
    uint32_t number = model_tenant(m, tenant);
    if (!number || strchr(name, '/') || (slash && uuid_is_shape(name)))
        return 0;
    const struct object *o = model_find(m, OBJECT_PORT, number, name);
    return o ? o->number : 0;
}

struct iface_names
iface_names_of(const struct model *m, const struct object *port)
{
    struct iface_names names = { 0 };
    const struct object *tenant = model_get(m, port->tenant, OBJECT_TENANT);
    uuid_format(port->id, names.v[0]);
    if (port->name && tenant) {
        snprintf(names.v[1], sizeof names.v[1], "%s/%s", tenant->name, port->name);
        if (!strcmp(tenant->name, "default"))
            snprintf(names.v[2], sizeof names.v[2], "%s", port->name);
    }
    return names;
}
