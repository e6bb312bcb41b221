/* Certificates: who is what. The OU of a certificate is the role its holder has. */
#include "tools/vnetctl/options.h"
#include "tools/vnetctl/parse.h"
#include "pki/pki.h"

#include <string.h>

#define ROLE_TENANT "tenant:"

static bool
init_run(const struct options *o, const struct call *call, struct error *err)
{
    return pki_init(o->dir, err);
}

static bool
host_run(const struct options *o, const struct call *call, struct error *err)
{
    return pki_issue(o->dir, &(struct pki_subject){ call_argument(call, "name"), "host", PKI_CLIENT }, err);
}

static bool
role_check(const char *role, struct error *err)
{
    size_t n = strlen(ROLE_TENANT);
    if (!strncmp(role, ROLE_TENANT, n))
        return pki_name_check(role + n, err) || error_prefix(err, "role=%s", role);
    if (strcmp(role, "admin") && strcmp(role, "reader"))
        return error_set(err, ERROR_INVALID, "role=%s: give admin, tenant:TENANT or reader", role);
    return true;
}

static bool
client_run(const struct options *o, const struct call *call, struct error *err)
{
    const char *role = "reader";
    for (size_t i = 0; i < call->n_values; i++) {
        if (strcmp(call->values[i].column, "role") || call->values[i].key)
            return error_set(err, ERROR_INVALID, "'%s=' is unknown: give role=admin, role=tenant:TENANT or role=reader",
                             call->values[i].column);
        role = call->values[i].value;
    }
    return role_check(role, err) && pki_issue(o->dir, &(struct pki_subject){ call_argument(call, "name"), role, PKI_CLIENT }, err);
}

const struct command pki_commands[] = {
    { "pki init", .local = init_run, .help = "make the installation's CA and vnetd's certificate" },
    { "pki host", NULL, { ARG("HOST", "name") }, .local = host_run, .help = "make a hypervisor's certificate" },
    { "pki client",
      NULL,
      { ARG("NAME", "name") },
      VALUES_OPTIONAL,
      "[role=admin|tenant:TENANT|reader]",
      .local = client_run,
      .help = "make the certificate of one who uses the API" },
    { .name = NULL }
};
