/* What the network is: verify, the tree for people, the schema. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
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

/* ---- the tree ---- */

struct tree_text {
    const struct controller *c;
    struct arena *arena;
    struct bytes text;
};

static void put(struct tree_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct tree_text *t, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    bytes_put(&t->text, line, n < (int) sizeof line ? (size_t) n : sizeof line - 1);
}

static bool show_port(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    const struct port *p = (const struct port *) o;
    struct port_status status = bindings_status(t->c->bindings, o->number);
    const struct hypervisor *h = status.host ? host_by_number(t->c->hosts, status.host) : NULL;
    char ip[IP_STRLEN], mac[MAC_STRLEN];
    put(t, "        port %s: %s, %s, %s%s%s\n", object_label(t->c->model, o, t->arena), ip_format(port_ip4(p), ip),
        mac_format(p->mac, mac), port_state_word(status.state), h ? " on " : "", h ? h->name : "");
    return true;
}

static bool show_subnet(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    const struct subnet *s = (const struct subnet *) o;
    char cidr[IP_PREFIX_STRLEN], gateway[IP_STRLEN];
    put(t, "    subnet %s: %s, gateway %s, route table %s\n", object_label(t->c->model, o, t->arena),
        ip_prefix_format(s->cidr, cidr), ip_format(subnet_gateway(s), gateway),
        object_label(t->c->model, model_get(t->c->model, s->rtb, OBJECT_RTB), t->arena));
    model_each_referrer(t->c->model, o->number, OBJECT_PORT, show_port, t);
    return true;
}

static bool show_route(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    json_t *json = object_json(t->c->model, o, NULL);
    put(t, "        route %s: %s\n", json_member_string(json, "prefix"), json_member_string(json, "target"));
    json_decref(json);
    return true;
}

static bool show_rtb(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    const struct rtb *rtb = (const struct rtb *) o;
    put(t, "    route table %s%s\n", object_label(t->c->model, o, t->arena), rtb->is_main ? " (main)" : "");
    model_each_referrer(t->c->model, o->number, OBJECT_ROUTE, show_route, t);
    return true;
}

static void show_vpc(struct tree_text *t, const struct vpc *vpc)
{
    char cidr[IP_PREFIX_STRLEN];
    const struct object *tenant = model_get(t->c->model, vpc->o.tenant, OBJECT_TENANT);
    put(t, "vpc %s: %s, tenant %s, VNI %u\n", object_label(t->c->model, &vpc->o, t->arena),
        ip_prefix_format(vpc->cidr, cidr), tenant ? tenant->name : "?", vpc->vni);
    model_each_referrer(t->c->model, vpc->o.number, OBJECT_RTB, show_rtb, t);
    model_each_referrer(t->c->model, vpc->o.number, OBJECT_SUBNET, show_subnet, t);
}

static void show_hosts(struct tree_text *t)
{
    char ip[IP_STRLEN];
    for (const struct hypervisor *h = hosts_first(t->c->hosts); h; h = hosts_next(t->c->hosts, h)) {
        const struct runtime_host *r = runtime_host(t->c->runtime, h->number);
        put(t, "host %s: %s, %s, %zu flows%s%s\n", h->name, r ? ip_format(r->encap_ip, ip) : "no tunnel address",
            !host_is_connected(h) ? "disconnected" : host_is_realised(h) ? "realised" : "building",
            h->table ? flow_table_n_desired(h->table) : 0, *host_error(h) ? ", error: " : "", host_error(h));
    }
}

/* The VPCs that the caller asks for and may see. */
static bool show_vpcs(struct tree_text *t, const struct call *call, const char *name, struct error *err)
{
    const struct model *m = t->c->model;
    uint32_t tenant = model_tenant(m, call->tenant);
    bool all = call_query(call, "all_tenants") != NULL;
    if (!all && !principal_may(&call->principal, VERB_READ, call->tenant, err))
        return false;
    if (!all && !tenant)
        return error_set(err, ERROR_UNKNOWN, "tenant '%.100s' does not exist", call->tenant);
    const struct object *only = name ? model_find(m, OBJECT_VPC, tenant, name) : NULL;
    if (name && !only)
        return error_set(err, ERROR_UNKNOWN, "vpc '%.100s' does not exist in tenant '%.100s'", name, call->tenant);
    const struct object *o;
    for (uint32_t after = 0; (o = model_next(m, OBJECT_VPC, after)); after = o->number) {
        if ((!only || only == o) && (all ? call_may_see(call, o) : o->tenant == tenant))
            show_vpc(t, (const struct vpc *) o);
    }
    return true;
}

void api_show(struct call *call)
{
    struct error err, unused;
    const char *name = call_query(call, "vpc");
    struct tree_text t = { .c = call->controller, .arena = arena_new() };
    if (show_vpcs(&t, call, name, &err)) {
        if (!name && principal_may(&call->principal, VERB_READ, NULL, &unused))
            show_hosts(&t);
        call_json(call, 200, json_pack("{s:s#}", "text", t.text.data ? (const char *) t.text.data : "", t.text.n));
    } else {
        call_error(call, &err, -1);
    }
    bytes_done(&t.text);
    arena_free(t.arena);
}

void api_schema(struct call *call)
{
    call_json(call, 200, schema_json());
}
