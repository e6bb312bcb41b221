/* The tree for people: VPCs with what is in them, and hosts. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/columns.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/refusals.h"
#include "vnet/model/model_json.h"

#define TEXT_MAX (512 << 10) /* more than people read; the lists have the rest */
#define CUT_TEXT "... and more: show one VPC, or list what you look for\n"

struct tree_text {
    const struct controller *c;
    struct arena *arena;
    struct bytes text;
    bool names_hosts, is_cut;
};

static void put(struct tree_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void
put(struct tree_text *t, const char *format, ...)
{
    char line[1024];
    va_list args;
    t->is_cut = t->is_cut || (t->text.n > TEXT_MAX && t->text.data[t->text.n - 1] == '\n');
    if (t->is_cut)
        return;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    bytes_put(&t->text, line, n < (int) sizeof line ? (size_t) n : sizeof line - 1);
}

/* What follows an object's line: what a switch refuses of it. */
static const char *
error_of(const struct tree_text *t, const struct object *o)
{
    json_t *error = refusals_error(t->c->refusals, o->number, t->names_hosts);
    const char *words = json_is_string(error) ? arena_printf(t->arena, ", error: %s", json_string_value(error)) : "";
    json_decref(error);
    return words;
}

/* The end of its line: the elastic IP that is attached to it, if one is, and what a switch refuses of it. */
static void
put_end(struct tree_text *t, const struct object *o)
{
    char ip[IP_STRLEN];
    uint32_t eip = model_eip_of(t->c->model, o->number);
    put(t, "%s%s%s\n", eip ? ", elastic IP " : "", eip ? ip_format(model_eip(t->c->model, eip)->ip, ip) : "", error_of(t, o));
}

static bool
show_port(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    const struct port *p = (const struct port *) o;
    struct port_status status = bindings_status(t->c->bindings, o->number);
    const struct hypervisor *h = status.host ? host_by_number(t->c->hosts, status.host) : NULL;
    char ip[IP_STRLEN], mac[MAC_STRLEN];
    put(t, "        port %s: %s, %s, %s%s%s", object_label(t->c->model, o, t->arena), ip_format(port_ip4(p), ip), mac_format(p->mac, mac),
        port_state_word(status.state), h ? " on " : "", h ? h->name : "");
    put_end(t, o);
    return !t->is_cut;
}

static bool
show_natgw(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    put(t, "        NAT gateway %s", object_label(t->c->model, o, t->arena));
    put_end(t, o);
    return !t->is_cut;
}

static bool
show_igw(void *aux, const struct object *o)
{
    put(aux, "    internet gateway\n");
    return true;
}

/* ---- load balancers ---- */

static bool
show_listener(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    const struct listener *l = (const struct listener *) o;
    put(t, "            listener %s:%u: target group %s%s\n", l4_proto_word(l->proto), l->port,
        object_label(t->c->model, model_get(t->c->model, l->tg, OBJECT_TG), t->arena), error_of(t, o));
    return !t->is_cut;
}

static bool
show_lb(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    const struct lb *lb = (const struct lb *) o;
    char ip[IP_STRLEN];
    put(t, "        load balancer %s: %s%s", object_label(t->c->model, o, t->arena), ip_format(lb->ip, ip),
        lb->affinity == LB_AFFINITY_SOURCE ? ", source affinity" : "");
    put_end(t, o);
    model_each_referrer(t->c->model, o->number, OBJECT_LISTENER, show_listener, t);
    return !t->is_cut;
}

static bool
show_target(void *aux, const struct object *o)
{
    static const char *const names[] = { "health" };
    struct tree_text *t = aux;
    const struct target *target = (const struct target *) o;
    uint16_t port = target->target_port ? target->target_port : model_tg(t->c->model, target->tg)->port;
    json_t *json = columns_object(t->c, o, &(struct columns_wanted){ .names = names, .n = 1 });
    const char *health = json_member_string(json, "health");
    put(t, "        target %s:%u: weight %u%s%s%s\n",
        object_label(t->c->model, model_get(t->c->model, target->port, OBJECT_PORT), t->arena), port, target->weight, health ? ", " : "",
        health ? health : "", error_of(t, o));
    json_decref(json);
    return !t->is_cut;
}

static bool
show_tg(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    const struct tg *tg = (const struct tg *) o;
    put(t, "    target group %s: %s:%u\n", object_label(t->c->model, o, t->arena), l4_proto_word(tg->proto), tg->port);
    model_each_referrer(t->c->model, o->number, OBJECT_TARGET, show_target, t);
    return !t->is_cut;
}

/* ---- security groups ---- */

struct rules_text {
    struct tree_text *t;
    uint32_t sg;
};

/* Rules refer to a group as theirs, or as their peer. */
static bool
show_rule(void *aux, const struct object *o)
{
    const struct rules_text *r = aux;
    const struct sg_rule *rule = (const struct sg_rule *) o;
    if (rule->sg != r->sg)
        return true;
    json_t *json = object_json(r->t->c->model, o, NULL);
    const char *ports = json_member_string(json, "ports");
    bool is_any = !strcmp(ports, "-");
    put(r->t, "        %s %s%s%s %s %s%s\n", json_member_string(json, "direction"), json_member_string(json, "proto"), is_any ? "" : " ",
        is_any ? "" : ports, rule->is_ingress ? "from" : "to", json_member_string(json, "peer"), error_of(r->t, o));
    json_decref(json);
    return !r->t->is_cut;
}

static bool
show_sg(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    put(t, "    security group %s%s\n", object_label(t->c->model, o, t->arena), ((const struct sg *) o)->is_default ? " (default)" : "");
    model_each_referrer(t->c->model, o->number, OBJECT_SG_RULE, show_rule, &(struct rules_text){ t, o->number });
    return !t->is_cut;
}

/* ---- subnets, routes, VPCs ---- */

static bool
show_subnet(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    const struct subnet *s = (const struct subnet *) o;
    char cidr[IP_PREFIX_STRLEN], gateway[IP_STRLEN];
    put(t, "    subnet %s: %s, gateway %s, route table %s%s\n", object_label(t->c->model, o, t->arena), ip_prefix_format(s->cidr, cidr),
        ip_format(subnet_gateway(s), gateway), object_label(t->c->model, model_get(t->c->model, s->rtb, OBJECT_RTB), t->arena),
        error_of(t, o));
    model_each_referrer(t->c->model, o->number, OBJECT_PORT, show_port, t);
    model_each_referrer(t->c->model, o->number, OBJECT_NATGW, show_natgw, t);
    model_each_referrer(t->c->model, o->number, OBJECT_LB, show_lb, t);
    return !t->is_cut;
}

static bool
show_route(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    json_t *json = object_json(t->c->model, o, NULL);
    put(t, "        route %s: %s%s\n", json_member_string(json, "prefix"), json_member_string(json, "target"), error_of(t, o));
    json_decref(json);
    return !t->is_cut;
}

static bool
show_rtb(void *aux, const struct object *o)
{
    struct tree_text *t = aux;
    const struct rtb *rtb = (const struct rtb *) o;
    put(t, "    route table %s%s%s\n", object_label(t->c->model, o, t->arena), rtb->is_main ? " (main)" : "", error_of(t, o));
    model_each_referrer(t->c->model, o->number, OBJECT_ROUTE, show_route, t);
    return !t->is_cut;
}

static void
show_vpc(struct tree_text *t, const struct vpc *vpc)
{
    char cidr[IP_PREFIX_STRLEN];
    const struct object *tenant = model_get(t->c->model, vpc->o.tenant, OBJECT_TENANT);
    put(t, "vpc %s: %s, tenant %s, VNI %u%s\n", object_label(t->c->model, &vpc->o, t->arena), ip_prefix_format(vpc->cidr, cidr),
        tenant ? tenant->name : "?", vpc->vni, error_of(t, &vpc->o));
    model_each_referrer(t->c->model, vpc->o.number, OBJECT_IGW, show_igw, t);
    model_each_referrer(t->c->model, vpc->o.number, OBJECT_RTB, show_rtb, t);
    model_each_referrer(t->c->model, vpc->o.number, OBJECT_SUBNET, show_subnet, t);
    model_each_referrer(t->c->model, vpc->o.number, OBJECT_SG, show_sg, t);
    model_each_referrer(t->c->model, vpc->o.number, OBJECT_TG, show_tg, t);
}

static void
show_hosts(struct tree_text *t)
{
    char ip[IP_STRLEN];
    for (const struct hypervisor *h = hosts_first(t->c->hosts); h && !t->is_cut; h = hosts_next(t->c->hosts, h)) {
        const struct runtime_host *r = runtime_host(t->c->runtime, h->number);
        put(t, "host %s: %s, %s, %zu flows%s%s\n", h->name, r ? ip_format(r->encap_ip, ip) : "no tunnel address",
            !host_is_connected(h) ? "disconnected"
            : host_is_realised(h) ? "realised"
                                  : "building",
            h->table ? flow_table_n_desired(h->table) : 0, *host_error(h) ? ", error: " : "", host_error(h));
    }
}

/* The VPCs that the caller asks for and may see. */
static bool
show_vpcs(struct tree_text *t, const struct call *call, const char *name, struct error *err)
{
    const struct model *m = t->c->model;
    uint32_t tenant = model_tenant(m, call->tenant);
    bool all = call_flag(call, "all_tenants");
    if (!all && !principal_may(&call->principal, VERB_READ, call->tenant, err))
        return false;
    if (!all && !tenant)
        return error_set(err, ERROR_UNKNOWN, "tenant '%.100s' does not exist", call->tenant);
    const struct object *only = name ? model_find(m, OBJECT_VPC, tenant, name) : NULL;
    if (name && !only)
        return error_set(err, ERROR_UNKNOWN, "vpc '%.100s' does not exist in tenant '%.100s'", name, call->tenant);
    const struct object *o;
    for (uint32_t after = 0; !t->is_cut && (o = model_next(m, OBJECT_VPC, after)); after = o->number) {
        if ((!only || only == o) && (all ? call_may_see(call, o) : o->tenant == tenant))
            show_vpc(t, (const struct vpc *) o);
    }
    return true;
}

void
api_show(struct call *call)
{
    struct error err;
    const char *name = call_query(call, "vpc");
    struct tree_text t = { .c = call->controller, .arena = arena_new(), .names_hosts = call_may_see_hosts(call) };
    if (show_vpcs(&t, call, name, &err)) {
        if (!name && t.names_hosts)
            show_hosts(&t);
        if (t.is_cut)
            bytes_put(&t.text, CUT_TEXT, strlen(CUT_TEXT));
        call_json(call, 200, json_pack("{s:s#}", "text", t.text.data ? (const char *) t.text.data : "", t.text.n));
    } else {
        call_error(call, &err, -1);
    }
    bytes_done(&t.text);
    arena_free(t.arena);
}
