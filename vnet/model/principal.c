/* Principal x verb x tenant: the one place that says who may do what. */
#include "vnet/model/principal.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static bool
tenant_may(const struct principal *p, enum verb verb, const char *tenant, struct error *err)
{
    if (verb == VERB_ADMIN)
        return error_set(err, ERROR_FORBIDDEN, "'%s' is tenant '%s'; only an admin may do this", p->name, p->tenant);
    if (!tenant || strcmp(tenant, p->tenant))
        return error_set(err, ERROR_FORBIDDEN, "'%s' may only see and change what belongs to tenant '%s'", p->name, p->tenant);
    return true;
}

bool
principal_may(const struct principal *p, enum verb verb, const char *tenant, struct error *err)
{
    switch (p->role) {
    case PRINCIPAL_ADMIN: return true;
    case PRINCIPAL_TENANT: return tenant_may(p, verb, tenant, err);
    case PRINCIPAL_HOST: return error_set(err, ERROR_FORBIDDEN, "'%s' is a host, whose agent may only speak of itself", p->name);
    case PRINCIPAL_READER:
        if (verb == VERB_READ)
            return true;
        return error_set(err, ERROR_FORBIDDEN, "'%s' is a reader and may change nothing; ask an admin", p->name);
    }
    return error_set(err, ERROR_FORBIDDEN, "'%s' has no role", p->name);
}

/* Copies a name that fits and is not empty. */
static bool
name_copy(char out[LIMIT_NAME + 1], const char *name)
{
    size_t n = strlen(name);
    if (!n || n > LIMIT_NAME)
        return false;
    memcpy(out, name, n + 1);
    return true;
}

bool
principal_from_certificate(const char *cn, const char *ou, struct principal *p, struct error *err)
{
    struct principal made = { .role = PRINCIPAL_READER };
    if (!cn || !name_copy(made.name, cn))
        return error_set(err, ERROR_FORBIDDEN, "the certificate's CN is not a name of 1 to %d characters", LIMIT_NAME);
    if (ou && !strcmp(ou, "admin")) {
        made.role = PRINCIPAL_ADMIN;
    } else if (ou && !strncmp(ou, "tenant:", 7)) {
        made.role = PRINCIPAL_TENANT;
        if (!name_copy(made.tenant, ou + 7))
            return error_set(err, ERROR_FORBIDDEN, "certificate '%s': OU '%.100s' names no tenant", cn, ou);
    } else if (ou && !strcmp(ou, "host")) {
        made.role = PRINCIPAL_HOST;
    } else if (!ou || strcmp(ou, "reader")) {
        return error_set(err, ERROR_FORBIDDEN, "certificate '%s': OU '%.100s' is no client's; write admin, tenant:NAME or reader", cn,
                         ou ? ou : "");
    }
    *p = made;
    return true;
}
