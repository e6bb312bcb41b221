/* What the network is: verify, the schema. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/verify.h"
#include "vnet/model/model_json.h"

/* ---- verify ---- */

/* As many hosts at a time: what is read back is held until it is compared. */
#define VERIFIED_AT_ONCE 8

struct verifying {
    struct call *call;
    json_t *reports;
    uint32_t *hosts;
    size_t n_hosts, next, n_pending;
    bool is_starting;
};

static void verified(void *aux, const json_t *report);

/* Goes on with the next hosts, as far as there is room; ends the call after the last. A host may be done at once. */
static void verify_more(struct verifying *v)
{
    if (v->is_starting)
        return;
    v->is_starting = true;
    while (v->next < v->n_hosts && v->n_pending < VERIFIED_AT_ONCE) {
        v->n_pending++;
        verify_host(v->call->controller, v->hosts[v->next++], verified, v);
    }
    v->is_starting = false;
    if (v->n_pending)
        return;
    call_json(v->call, 200, json_pack("{s:o}", "hosts", v->reports));
    free(v->hosts);
    free(v);
}

static void verified(void *aux, const json_t *report)
{
    struct verifying *v = aux;
    json_array_append(v->reports, (json_t *) report);
    v->n_pending--;
    verify_more(v);
}

void api_verify(struct call *call)
{
    struct error err;
    struct controller *c = call->controller;
    const char *name = call_query(call, "host");
    const struct hypervisor *only = name ? host_by_name(c->hosts, name) : NULL;
    if (!principal_may(&call->principal, VERB_READ, NULL, &err)
        || (name && !only && !error_set(&err, ERROR_UNKNOWN, "host '%.100s' does not exist", name))) {
        call_error(call, &err, -1);
        return;
    }
    size_t cap = 0;
    struct verifying *v = mem_zalloc(sizeof *v);
    *v = (struct verifying) { .call = call, .reports = json_array() };
    for (const struct hypervisor *h = hosts_first(c->hosts); h; h = hosts_next(c->hosts, h)) {
        if (!h->number || (only && h != only))
            continue;
        v->hosts = mem_grow(v->hosts, &cap, v->n_hosts + 1, sizeof *v->hosts);
        v->hosts[v->n_hosts++] = h->number;
    }
    verify_more(v);
}

void api_schema(struct call *call)
{
    call_json(call, 200, schema_json());
}
