#include "controller/columns.h"

#include <string.h>

#include "controller/check/checks.h"
#include "controller/counters.h"
#include "controller/hits/rule_hits.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"
#include "controller/instance/counting.h"
#include "controller/outside.h"
#include "controller/refusals.h"
#include "vnet/pipeline/placement.h"

bool
column_is_counted(const char *column)
{
    size_t n = strcspn(column, ":");
    return (n == 5 && !strncmp(column, "drops", n)) || (n == 9 && !strncmp(column, "exhausted", n));
}

struct showing {
    const struct controller *controller;
    const struct columns_wanted *wanted;
};

static json_t *
string_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static json_t *
host_name(const struct controller *c, uint32_t number)
{
    const struct hypervisor *h = number ? host_by_number(c->hosts, number) : NULL;
    return h ? json_string(h->name) : json_null();
}

static json_t *
port_column(const struct showing *s, const struct object *o, const char *name)
{
    const struct controller *c = s->controller;
    struct port_status status = bindings_status(c->bindings, o->number);
    if (!strcmp(name, "host"))
        return host_name(c, status.host);
    if (!strcmp(name, "state"))
        return json_string(port_state_word(status.state));
    if (!strcmp(name, "reason"))
        return string_or_null(status.reason);
    if (!strcmp(name, "claimed_by"))
        return bindings_claimed_by(c->bindings, o->number);
    if (!strcmp(name, "drops"))
        return drop_counts_port(s->wanted ? s->wanted->drops : NULL, o->number);
    return json_null();
}

static json_t *
encap_ip(const struct controller *c, uint32_t number)
{
    char text[IP_STRLEN];
    const struct runtime_host *r = runtime_host(c->runtime, number);
    return r ? json_string(ip_format(r->encap_ip, text)) : json_null();
}

static json_t *
gateway_word(const struct controller *c, uint32_t number)
{
    const struct runtime_host *r = runtime_host(c->runtime, number);
    return r && r->is_gateway ? json_string(r->is_dead ? "dead" : "alive") : json_null();
}

static json_t *
host_column(const struct showing *s, const struct object *o, const char *name)
{
    const struct hypervisor *h = host_by_number(s->controller->hosts, o->number);
    if (!h)
        return json_null();
    if (!strcmp(name, "encap_ip"))
        return encap_ip(s->controller, o->number);
    if (!strcmp(name, "connected"))
        return json_boolean(host_is_connected(h));
    if (!strcmp(name, "flows"))
        return json_integer(h->table ? (json_int_t) flow_table_n_desired(h->table) : 0);
    if (!strcmp(name, "realised"))
        return json_boolean(host_is_realised(h));
    if (!strcmp(name, "sent"))
        return json_integer((json_int_t) host_mods_sent(h));
    if (!strcmp(name, "gateway"))
        return gateway_word(s->controller, o->number);
    if (!strcmp(name, "drops"))
        return drop_counts_host(s->wanted ? s->wanted->drops : NULL, o->number);
    if (!strcmp(name, "agent"))
        return json_boolean(agents_is_present(s->controller->agents, o->number));
    if (!strcmp(name, "underlay"))
        return agents_underlay(s->controller->agents, o->number);
    if (!strcmp(name, "error"))
        return string_or_null(host_error(h));
    return json_null();
}

static json_t *
eip_column(const struct showing *s, const struct object *o, const char *name)
{
    const struct controller *c = s->controller;
    struct outside_place place = outside_place(c->outside, o->number);
    if (!strcmp(name, "host"))
        return host_name(c, place.host);
    if (!strcmp(name, "announced_at"))
        return json_time(place.announced_ms);
    if (!strcmp(name, "drops"))
        return drop_counts_eip(s->wanted ? s->wanted->drops : NULL, o->number);
    return json_null();
}

static json_t *
natgw_column(const struct showing *s, const struct object *o, const char *name)
{
    const struct controller *c = s->controller;
    uint32_t eip = model_eip_of(c->model, o->number);
    if (!strcmp(name, "host"))
        return host_name(c, eip ? outside_place(c->outside, eip).host : 0);
    if (!strcmp(name, "exhausted"))
        return drop_counts_exhausted(s->wanted ? s->wanted->drops : NULL, o->number);
    if (!strcmp(name, "drops"))
        return drop_counts_natgw(s->wanted ? s->wanted->drops : NULL, o->number);
    return json_null();
}

static json_t *
pool_column(const struct showing *s, const struct object *o, const char *name)
{
    char text[MAC_STRLEN];
    struct mac mac;
    if (!strcmp(name, "gateway_mac") && runtime_gateway_mac(s->controller->runtime, o->number, &mac))
        return json_string(mac_format(mac, text));
    return json_null();
}

/* NULL: it can be reached by somebody, or nobody ever had it. */
static json_t *
cut_off_error(const struct controller *c, const char *network)
{
    struct network_reach reach = runtime_network_reach(c->runtime, network);
    if (reach.n_hosts && !reach.n_up)
        return json_sprintf("no host with network '%s' has a carrier there; its addresses are cut off", network);
    if (reach.n_gateways && !reach.n_gateways_up)
        return json_sprintf("no gateway host with network '%s' has a carrier there; addresses that need one are cut off", network);
    return NULL;
}

/* What switches refuse of a pool is worse than a network that nobody reaches, and that than a gateway that does not answer. */
static json_t *
pool_error(const struct showing *s, const struct object *o, json_t *refused)
{
    char ip[IP_STRLEN];
    struct mac mac;
    const struct controller *c = s->controller;
    if (!json_is_null(refused))
        return refused;
    json_t *cut_off = cut_off_error(c, ((const struct pool *) (const void *) o)->uplink);
    if (!cut_off && !outside_gateway_is_lost(c->outside, o->number))
        return refused;
    json_decref(refused);
    if (cut_off)
        return cut_off;
    return json_sprintf("its gateway %s does not answer ARP; %s", ip_format(((const struct pool *) (const void *) o)->gateway, ip),
                        runtime_gateway_mac(c->runtime, o->number, &mac) ? "its last MAC address is kept"
                                                                         : "nothing leaves by it until it does");
}

static json_t *
rule_column(const struct showing *s, const struct object *o, const char *name)
{
    struct hits hits;
    bool is_known = rule_hits_of(s->controller->hits, o->number, &hits) || (s->wanted && s->wanted->are_hits_read);
    if (!strcmp(name, "packets"))
        return is_known ? json_integer((json_int_t) hits.packets) : json_null();
    if (!strcmp(name, "bytes"))
        return is_known ? json_integer((json_int_t) hits.bytes) : json_null();
    if (!strcmp(name, "last_hit"))
        return json_time(hits.last_hit_ms);
    return json_null();
}

/* Packets and bytes of a balancer's target or listener are the first of each connection and all others. */
static json_t *
balanced_column(const struct showing *s, const struct object *o, const char *name)
{
    struct hits hits;
    bool is_known = rule_hits_of(s->controller->hits, o->number, &hits) || (s->wanted && s->wanted->are_hits_read);
    if (!strcmp(name, "connections"))
        return is_known ? json_integer((json_int_t) hits.connections) : json_null();
    if (!strcmp(name, "packets") || !strcmp(name, "bytes"))
        return rule_column(s, o, name);
    if (!strcmp(name, "open"))
        return o->type == OBJECT_TARGET ? counting_of_target(s->controller->counting, (const void *) o)
                                        : counting_of_listener(s->controller->counting, (const void *) o);
    return o->type == OBJECT_TARGET ? checks_target_column(s->controller, (const void *) o, name)
                                    : checks_listener_column(s->controller, (const void *) o, name);
}

static json_t *
show_runtime(void *aux, const struct object *o, const struct field *field)
{
    const struct showing *s = aux;
    if (o->type != OBJECT_HOST && !strcmp(field->name, "error")) {
        json_t *refused = refusals_error(s->controller->refusals, o->number, s->wanted && s->wanted->names_hosts);
        return o->type == OBJECT_POOL ? pool_error(s, o, refused) : refused;
    }
    switch (o->type) {
    case OBJECT_PORT: return port_column(s, o, field->name);
    case OBJECT_HOST: return host_column(s, o, field->name);
    case OBJECT_POOL: return pool_column(s, o, field->name);
    case OBJECT_EIP: return eip_column(s, o, field->name);
    case OBJECT_NATGW: return natgw_column(s, o, field->name);
    case OBJECT_SG_RULE: return rule_column(s, o, field->name);
    case OBJECT_TARGET:
    case OBJECT_LISTENER: return balanced_column(s, o, field->name);
    default: return json_null();
    }
}

/* A port's; what other types show may depend on objects that are not committed yet either. */
json_t *
columns_staged(void *controller, const struct object *o, const struct field *field)
{
    struct showing showing = { controller, NULL };
    return o->type == OBJECT_PORT ? show_runtime(&showing, o, field) : json_null();
}

json_t *
columns_object(const struct controller *c, const struct object *o, const struct columns_wanted *wanted)
{
    struct showing showing = { c, wanted };
    struct json_columns columns = {
        .names = wanted ? wanted->names : NULL,
        .n = wanted ? wanted->n : 0,
        .runtime = show_runtime,
        .runtime_aux = &showing,
    };
    return object_json(c->model, o, &columns);
}
