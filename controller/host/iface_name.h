/* How an interface's iface-id names a port: by UUID, by TENANT/NAME, or by NAME of the tenant 'default'. */
#ifndef CONTROLLER_HOST_IFACE_NAME_H
#define CONTROLLER_HOST_IFACE_NAME_H 1

#include "base/limits.h"
#include "base/uuid.h"
#include "vnet/model/model.h"

#define IFACE_NAME_MAX (2 * LIMIT_NAME + 1)

/* As claims are kept: a UUID in lower case, everything else as it is. False: too long to name a port. */
bool iface_name_normal(const char *iface_id, char out[IFACE_NAME_MAX + 1]);

/* The port that a normal name means; 0: none. */
uint32_t iface_name_port(const struct model *, const char *name);

/* All names that mean this port; "" where there is none. */
#define IFACE_NAMES 3
struct iface_names {
    char v[IFACE_NAMES][IFACE_NAME_MAX + 1];
};
struct iface_names iface_names_of(const struct model *, const struct object *port);

#endif
