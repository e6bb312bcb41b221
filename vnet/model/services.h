/* Services: where a port listens as a target, and that again for each balancer that leads there. Its switches have rows for each of them, so
 * a port may have so many; what drains holds nothing back and is not counted. */
#ifndef VNET_MODEL_SERVICES_H
#define VNET_MODEL_SERVICES_H 1

#include "vnet/model/model.h"

#define SERVICES_MAX 64 /* of a port */

struct service {
    uint8_t proto;
    uint16_t port;
    uint32_t lb; /* 0: any, and none */
};

/* No two are the same. All zeros is empty. */
struct services {
    struct service *v;
    size_t n, cap;
};
void services_of_port(const struct model *, uint32_t port, struct services *); /* adds; those that drain, too */
void services_done(struct services *);

/* Has the port no more than it may, with a target or a listener as it is to be? */
struct transaction;
bool services_check(const struct transaction *, uint32_t port, const struct object *with, struct error *) MUST_CHECK;

#endif
