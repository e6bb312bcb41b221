#include "controller/instance/declared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/commit.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/instance/migrations.h"
#include "controller/instance/removals.h"
#include "controller/instance/sighting.h"

/* An interface announced has this long to appear. */
#define EXPECTED_S 60

/* One declaration on its way. */
struct declaring {
    struct controller *controller;
    uint32_t host;
    struct uuid domain;
    bool is_whole, is_incoming, is_declaring;
    char tenant[LIMIT_NAME + 1];
    json_t *ops;
    char (*elements)[MAC_STRLEN]; /* by operation: the MAC of the element that it is for */
    struct uuid ports[SIGHTING_PORTS_MAX];
    size_t n_ports;
    declared_done *done;
    void *aux;
};

static void
declaring_free(struct declaring *d)
{
    json_decref(d->ops);
    free(d->elements);
    free(d);
}

/* Everything may be put in place for ports that there are. */
static void
declaring_end(struct declaring *d, const struct error *err)
{
    char id[UUID_STRLEN];
    if (!err && d->is_incoming)
        migrations_announced(d->controller->migrations, d->host, d->domain, d->ports, d->n_ports);
    for (size_t i = 0; !err && i < d->n_ports; i++) {
        const struct object *o = model_get_id(d->controller->model, d->ports[i]);
        if (!o || o->type != OBJECT_PORT)
            continue;
        if (!d->is_incoming)
            removals_forget(d->controller->removals, o->number);
        bindings_expect(d->controller->bindings, d->host, uuid_format(d->ports[i], id), EXPECTED_S, d->is_incoming);
    }
    d->done(d->aux, err);
    declaring_free(d);
}

static void
on_committed(void *aux, const struct commit_result *result)
{
    struct declaring *d = aux;
    struct error err = result->err;
    if (!result->ok && result->op >= 0)
        error_prefix(&err, "<vnet:interface mac='%s'>", d->elements[result->op]);
    declaring_end(d, result->ok ? NULL : &err);
}

/* ---- operations ---- */

json_t *
declared_op(const char *kind, const char *name)
{
    return json_pack("{s:s,s:s,s:s}", "op", kind, "type", "port", "name", name);
}

static void
op_push(struct declaring *d, const char *mac, json_t *take)
{
    size_t n = json_array_size(d->ops);
    json_array_append_new(d->ops, take);
    d->elements = mem_realloc(d->elements, (n + 1) * sizeof *d->elements);
    snprintf(d->elements[n], sizeof *d->elements, "%s", mac);
}

static json_t *
owner_values(const struct declaring *d)
{
    char domain[UUID_STRLEN];
    const struct hypervisor *h = host_by_number(d->controller->hosts, d->host);
    return json_pack("{s:s,s:s}", "declared_by", uuid_format(d->domain, domain), "declared_on", h->name);
}

static void
push_add(struct declaring *d, const json_t *one, const char *id, const char *mac)
{
    static const char *const given[] = { "subnet", "ip", "sg" };
    json_t *op = declared_op("add", json_member_string(one, "name")), *values = owner_values(d);
    json_object_set_new(op, "id", json_string(id));
    json_object_set_new(values, "mac", json_string(mac));
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (json_member_string(one, given[i]))
            json_object_set(values, given[i], json_object_get(one, given[i]));
    json_object_set_new(op, "values", values);
    op_push(d, mac, op);
}

/* A name that is only the domain's is not worth what users have tied to the port: it keeps its old one. */
static bool
has_other_name(const struct declaring *d, const struct port *port, const json_t *one)
{
    if (port->o.name && !strcmp(port->o.name, json_member_string(one, "name")))
        return false;
    return !json_member_bool(one, "default_name", false) || !declared_is_referred_to(d->controller->model, port->o.number);
}

/* Is the port another one than the element asks for? Groups can be changed; the rest cannot. */
static bool
must_be_remade(const struct declaring *d, const struct port *port, const json_t *one, const char *mac)
{
    struct ip ip;
    char has[MAC_STRLEN];
    const struct model *m = d->controller->model;
    const char *subnet = json_member_string(one, "subnet");
    const char *address = json_member_string(one, "ip");
    const struct object *wanted = model_find(m, OBJECT_SUBNET, port->o.tenant, subnet);
    return has_other_name(d, port, one) || !wanted || wanted->number != port->subnet
           || (address && ip_parse(address, &ip) && !ip_equal(ip, port_ip4(port))) || strcmp(mac_format(port->mac, has), mac);
}

static bool
check_mac(const struct port *port, const char *mac, struct error *err)
{
    char text[MAC_STRLEN];
    if (!strcmp(mac_format(port->mac, text), mac))
        return true;
    return error_set(err, ERROR_CONFLICT,
                     "port '%s' has this interface's id, but mac '%s'; give the interface that MAC, or delete the port",
                     port->o.name ? port->o.name : "(no name)", text);
}

/* What is made anew in the same subnet keeps its address unless another is asked for. */
static void
keep_address(struct declaring *d, const struct port *port, const json_t *one)
{
    char text[IP_STRLEN];
    const json_t *op = json_array_get(d->ops, json_array_size(d->ops) - 1);
    const struct object *subnet = model_find(d->controller->model, OBJECT_SUBNET, port->o.tenant, json_member_string(one, "subnet"));
    if (!json_member_string(one, "ip") && subnet && subnet->number == port->subnet)
        json_object_set_new(json_object_get(op, "values"), "ip", json_string(ip_format(port_ip4(port), text)));
}

static void
push_changes(struct declaring *d, const struct port *port, const json_t *one, const char *mac)
{
    char id[UUID_STRLEN];
    uuid_format(port->o.id, id);
    if (must_be_remade(d, port, one, mac)) {
        op_push(d, mac, declared_op("del", id));
        push_add(d, one, id, mac);
        keep_address(d, port, one);
        return;
    }
    /* Until the guest runs here, its ports are of where it does: it may never come. */
    json_t *values = d->is_incoming ? json_object() : owner_values(d), *sg = json_object_get(one, "sg");
    if (sg)
        json_object_set(values, "sg", sg);
    if (json_object_size(values)) {
        json_t *op = declared_op("set", id);
        json_object_set(op, "values", values);
        op_push(d, mac, op);
    }
    json_decref(values);
}

/* The element's port: a new one, one of its own from before, or one that was made beforehand and is kept as it is. */
static bool
push_port(struct declaring *d, const json_t *one, const char *id, const char *mac, struct error *err)
{
    struct uuid uuid;
    char domain[UUID_STRLEN];
    const struct model *m = d->controller->model;
    const struct object *o = uuid_parse(id, &uuid) ? model_get_id(m, uuid) : NULL;
    if (!o) {
        push_add(d, one, id, mac);
        return true;
    }
    const struct port *port = model_port(m, o->number);
    if (!port || port->o.tenant != model_tenant(m, d->tenant))
        return error_set(err, ERROR_CONFLICT, "its interfaceid '%s' is the id of something else; write another", id);
    if (!port->declared_by)
        return check_mac(port, mac, err);
    if (strcmp(port->declared_by, uuid_format(d->domain, domain)))
        return error_set(err, ERROR_CONFLICT, "its interfaceid '%s' is that of domain %s; write another", id, port->declared_by);
    push_changes(d, port, one, mac);
    return true;
}

static bool
take_id(struct declaring *d, const json_t *one, struct error *err)
{
    struct mac mac;
    const char *id = json_member_string(one, "id"), *given = json_member_string(one, "mac");
    if (!id || !uuid_parse(id, &d->ports[d->n_ports]) || !given || !mac_parse(given, &mac))
        return error_set(err, ERROR_INVALID, "ports: each needs an 'id', a UUID, and a 'mac'");
    d->n_ports++;
    return true;
}

/* After take_id(). */
static bool
take_port(struct declaring *d, const json_t *one, struct error *err)
{
    struct mac mac;
    char text[MAC_STRLEN] = "";
    const char *id = json_member_string(one, "id");
    if (!json_member_bool(one, "declared", false))
        return true;
    d->is_declaring = true;
    if (mac_parse(json_member_string(one, "mac"), &mac))
        mac_format(mac, text);
    if (!json_member_string(one, "subnet"))
        return error_set(err, ERROR_INVALID, "<vnet:interface mac='%s'>: subnet is missing; write the name of a subnet", text);
    if (!json_member_string(one, "name"))
        return error_set(err, ERROR_INVALID, "ports: one that is declared needs a 'name'");
    return push_port(d, one, id, text, err) || error_prefix(err, "<vnet:interface mac='%s'>", text);
}

/* ---- what the XML has no more ---- */

static bool
has_port(const struct declaring *d, struct uuid id)
{
    for (size_t i = 0; i < d->n_ports; i++)
        if (uuid_equal(d->ports[i], id))
            return true;
    return false;
}

static bool
see_referrer(void *aux, const struct object *o)
{
    (void) o;
    *(bool *) aux = true;
    return false;
}

bool
declared_is_referred_to(const struct model *m, uint32_t port)
{
    static const enum object_type types[] = { OBJECT_EIP, OBJECT_ROUTE, OBJECT_TARGET };
    bool is = false;
    for (size_t i = 0; !is && i < sizeof types / sizeof *types; i++)
        model_each_referrer(m, port, types[i], see_referrer, &is);
    return is;
}

/* What users have tied something to stays, as it would when the domain goes. */
static bool
see_former(void *aux, const struct object *o)
{
    struct declaring *d = aux;
    const struct model *m = d->controller->model;
    const struct port *port = (const void *) o;
    char domain[UUID_STRLEN], id[UUID_STRLEN], mac[MAC_STRLEN];
    if (!port->declared_by || strcmp(port->declared_by, uuid_format(d->domain, domain)) || has_port(d, o->id))
        return true;
    if (o->tenant == model_tenant(m, d->tenant) && !declared_is_referred_to(m, o->number))
        op_push(d, mac_format(port->mac, mac), declared_op("del", uuid_format(o->id, id)));
    return true;
}

/* Ports that the domain has declared here before: their names and addresses are free for those that it has now. Not while an element stands
 * for an interface that is not there: a running domain may have lost it, and will have it again. */
static void
push_former(struct declaring *d)
{
    if (d->is_whole && !d->is_incoming)
        model_each_referrer(d->controller->model, d->host, OBJECT_PORT, see_former, d);
}

/* ---- who may ---- */

static bool
check_tenant(struct declaring *d, struct error *err)
{
    const struct model *m = d->controller->model;
    const struct host *host = model_host(m, d->host);
    uint32_t tenant = model_tenant(m, d->tenant);
    if (!tenant)
        return error_set(err, ERROR_UNKNOWN, "<vnet:instance>: tenant '%s' does not exist", d->tenant);
    for (size_t i = 0; i < host->tenants.n; i++)
        if (host->tenants.v[i] == tenant)
            return true;
    if (!host->tenants.n)
        return true;
    return error_set(err, ERROR_FORBIDDEN,
                     "<vnet:instance>: host '%s' may not declare ports of tenant '%s'; an admin allows it: "
                     "vnetctl host-allow",
                     host->o.name, d->tenant);
}

static bool
take_ports(struct declaring *d, const json_t *ports, struct error *err)
{
    size_t i;
    const json_t *one;
    json_array_foreach (ports, i, one)
        if (!take_id(d, one, err))
            return false;
    push_former(d);
    json_array_foreach (ports, i, one)
        if (!take_port(d, one, err))
            return false;
    return true;
}

static bool
read_declaration(struct declaring *d, const json_t *json, struct error *err)
{
    const json_t *ports = json_object_get(json, "ports");
    const char *id = json_member_string(json, "id"), *tenant = json_member_string(json, "tenant");
    if (!id || !uuid_parse(id, &d->domain))
        return error_set(err, ERROR_INVALID, "id '%.60s': must be the domain's UUID", id ? id : "");
    if (!json_is_array(ports) || json_array_size(ports) > SIGHTING_PORTS_MAX)
        return error_set(err, ERROR_INVALID, "ports: must be an array of at most %d interfaces", SIGHTING_PORTS_MAX);
    if (tenant && strlen(tenant) > LIMIT_NAME)
        return error_set(err, ERROR_INVALID, "<vnet:instance>: tenant '%.80s...' is too long", tenant);
    d->is_whole = json_member_bool(json, "whole", false);
    d->is_incoming = json_member_bool(json, "incoming", false);
    snprintf(d->tenant, sizeof d->tenant, "%s", tenant ? tenant : "default");
    return take_ports(d, ports, err) && (!d->is_declaring || check_tenant(d, err));
}

/* The agent acts for the tenant, so that names, rights and quotas are the tenant's. */
static void
submit(struct declaring *d)
{
    const struct hypervisor *h = host_by_number(d->controller->hosts, d->host);
    struct commit_request request = {
        .ops = json_incref(d->ops),
        .principal = { .role = PRINCIPAL_TENANT, .is_agent = true },
        .tenant = d->tenant,
        .done = on_committed,
        .aux = d,
    };
    snprintf(request.principal.name, sizeof request.principal.name, "agent of %.40s", h->name);
    snprintf(request.principal.tenant, sizeof request.principal.tenant, "%s", d->tenant);
    commit_submit(d->controller->commits, &request);
}

void
declared_take(struct controller *c, uint32_t host, const json_t *declaration, declared_done *done, void *aux)
{
    struct error err;
    struct declaring *d = mem_zalloc(sizeof *d);
    *d = (struct declaring){ .controller = c, .host = host, .ops = json_array(), .done = done, .aux = aux };
    if (!read_declaration(d, declaration, &err))
        declaring_end(d, &err);
    else if (!json_array_size(d->ops))
        declaring_end(d, NULL);
    else
        submit(d);
}
