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
#define VERIFY_S 30 /* unless the request says otherwise */
#define VERIFY_MAX_S 3600

struct verifying {
    struct call *call;
    int64_t end_ms;
    json_t *reports;
    uint32_t *hosts;
    size_t n_hosts, next, n_pending;
    bool is_starting;
};

static void verified(void *aux, const json_t *report);

static double
seconds_left(const struct verifying *v)
{
    int64_t left_ms = v->end_ms - controller_now_ms();
    return left_ms > 0 ? (double) left_ms / 1000 : 0;
}

/* Goes on with the next hosts, as far as there is room; ends the call after the last. A host may be done at once. */
static void
verify_more(struct verifying *v)
{
    if (v->is_starting)
        return;
    v->is_starting = true;
    while (v->next < v->n_hosts && v->n_pending < VERIFIED_AT_ONCE) {
        v->n_pending++;
        verify_host(v->call->controller, v->hosts[v->next++], seconds_left(v), verified, v);
    }
    v->is_starting = false;
    if (v->n_pending)
        return;
    call_json(v->call, 200, json_pack("{s:o}", "hosts", v->reports));
    free(v->hosts);
    free(v);
}

static void
verified(void *aux, const json_t *report)
{
    struct verifying *v = aux;
    json_array_append(v->reports, (json_t *) report);
    v->n_pending--;
    verify_more(v);
}

/* A missing text leaves the default. */
static bool
read_seconds(const char *text, double *seconds, struct error *err)
{
    char *end;
    *seconds = text ? strtod(text, &end) : VERIFY_S;
    if (!text || (*text && !*end && *seconds >= 0 && *seconds <= VERIFY_MAX_S))
        return true;
    return error_set(err, ERROR_INVALID, "timeout '%.50s': must be a number of seconds from 0 to %d", text, VERIFY_MAX_S);
}

void
api_verify(struct call *call)
{
    struct error err;
    double seconds;
    struct controller *c = call->controller;
    const char *name = call_query(call, "host");
    const struct hypervisor *only = name ? host_by_name(c->hosts, name) : NULL;
    if (!principal_may(&call->principal, VERB_READ, NULL, &err) || !read_seconds(call_query(call, "timeout"), &seconds, &err)
        || (name && !only && !error_set(&err, ERROR_UNKNOWN, "host '%.100s' does not exist", name))) {
        call_error(call, &err, -1);
        return;
    }
    size_t cap = 0;
    struct verifying *v = mem_zalloc(sizeof *v);
    *v = (struct verifying){ .call = call, .end_ms = controller_now_ms() + (int64_t) (seconds * 1000), .reports = json_array() };
    for (const struct hypervisor *h = hosts_first(c->hosts); h; h = hosts_next(c->hosts, h)) {
        if (!h->number || (only && h != only))
            continue;
        v->hosts = mem_grow(v->hosts, &cap, v->n_hosts + 1, sizeof *v->hosts);
        v->hosts[v->n_hosts++] = h->number;
    }
    verify_more(v);
}

void
api_schema(struct call *call)
{
    call_json(call, 200, schema_json());
}
