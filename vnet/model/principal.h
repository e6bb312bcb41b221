/* Who asks. One function decides principal x verb x tenant. */
#ifndef VNET_MODEL_PRINCIPAL_H
#define VNET_MODEL_PRINCIPAL_H 1

#include <stdbool.h>

#include "base/error.h"
#include "base/limits.h"

enum principal_role {
    PRINCIPAL_READER, /* sees everything, changes nothing */
    PRINCIPAL_TENANT, /* sees and changes one tenant's objects */
    PRINCIPAL_HOST,   /* a hypervisor's agent: only what concerns itself, by requests of its own */
    PRINCIPAL_ADMIN
};

struct principal {
    enum principal_role role;
    char name[LIMIT_NAME + 1];   /* for the record: certificate's CN, "uid 0", ... */
    char tenant[LIMIT_NAME + 1]; /* PRINCIPAL_TENANT */
    bool is_agent;               /* PRINCIPAL_TENANT: a host's agent acts for the tenant */
};

enum verb { VERB_READ, VERB_CHANGE, VERB_ADMIN }; /* ADMIN: tenants, quotas, hosts, pools */

/* 'tenant' is the name of the tenant concerned, or NULL for what belongs to none. */
bool principal_may(const struct principal *, enum verb, const char *tenant, struct error *) MUST_CHECK;

/* From a client certificate: CN and OU ("admin", "tenant:NAME", "host", "reader"). */
bool principal_from_certificate(const char *cn, const char *ou, struct principal *, struct error *) MUST_CHECK;

#endif
