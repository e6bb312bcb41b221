/* The database of a host that is not there: rows as JSON, changed by vnetd's transactions and by the bench, and every change shown to vnetd as
 * ovsdb-server shows it (RFC 7047 and update2: of a changed column the difference). Knows the operations that vnetd uses. */
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tools/bench/sim_host.h"

#define FIRST_OFPORT 60000 /* of what vnetd creates; the bench numbers its own interfaces */

/* ---- rows ---- */

static const char *
row_new(struct sim_host *h, char uuid[40])
{
    snprintf(uuid, 40, "00000000-0000-4000-8000-%012x", ++h->n_rows);
    return uuid;
}

static json_t *
table(const struct sim_host *h, const char *name)
{
    json_t *t = json_object_get(h->tables, name);
    if (!t) {
        t = json_object();
        json_object_set_new(h->tables, name, t);
    }
    return t;
}

/* ---- values: sets and maps ---- */

static bool
is_tagged(const json_t *value, const char *tag)
{
    const char *said = json_string_value(json_array_get(value, 0));
    return said && !strcmp(said, tag) && json_is_array(json_array_get(value, 1));
}

/* The elements of a set or the pairs of a map, a value that stands alone included; new reference. */
static json_t *
elements(const json_t *value)
{
    if (!value)
        return json_array();
    if (is_tagged(value, "set") || is_tagged(value, "map"))
        return json_copy(json_array_get(value, 1));
    return json_pack("[O]", value);
}

static size_t
find(const json_t *list, const json_t *element, bool is_map)
{
    size_t i;
    json_t *other;
    json_array_foreach (list, i, other) {
        bool is_same = is_map ? json_equal(json_array_get(other, 0), json_is_array(element) ? json_array_get(element, 0) : element)
                              : json_equal(other, element);
        if (is_same)
            return i;
    }
    return json_array_size(list);
}

static json_t *
mutated(const json_t *old, const char *mutator, const json_t *value)
{
    bool is_map = is_tagged(old, "map") || is_tagged(value, "map");
    json_t *list = elements(old), *given = elements(value), *element;
    size_t i;
    json_array_foreach (given, i, element) {
        size_t at = find(list, element, is_map);
        if (!strcmp(mutator, "delete"))
            json_array_remove(list, at);
        else if (at == json_array_size(list))
            json_array_append(list, element);
    }
    json_decref(given);
    return json_pack("[s,o]", is_map ? "map" : "set", list);
}

/* What has come or gone; of maps with the new value where there is one. */
static json_t *
difference(const json_t *before, const json_t *after)
{
    if (!is_tagged(after, "set") && !is_tagged(after, "map"))
        return json_incref((json_t *) after);
    bool is_map = is_tagged(after, "map");
    json_t *old = elements(before), *new = elements(after), *list = json_array(), *element;
    size_t i;
    json_array_foreach (new, i, element) {
        if (find(old, element, false) == json_array_size(old))
            json_array_append(list, element);
    }
    json_array_foreach (old, i, element) {
        if (find(new, element, is_map) == json_array_size(new))
            json_array_append(list, element);
    }
    json_decref(old);
    json_decref(new);
    return json_pack("[s,o]", is_map ? "map" : "set", list);
}

/* ---- changes and telling of them ---- */

struct changes {
    struct sim_host *host;
    json_t *updates; /* table -> UUID -> update2 */
    json_t *names;   /* named-uuid -> UUID */
};

static void
note(struct changes *c, const char *table_name, const char *uuid, const char *kind, json_t *take_value)
{
    json_t *of_table = json_object_get(c->updates, table_name), *update = json_object_get(of_table, uuid);
    if (!of_table)
        json_object_set_new(c->updates, table_name, of_table = json_object());
    if (!strcmp(kind, "modify") && json_object_get(update, "insert")) {
        json_decref(take_value);
        json_object_set_new(update, "insert", json_deep_copy(json_object_get(table(c->host, table_name), uuid)));
    } else if (!strcmp(kind, "modify") && json_object_get(update, "modify")) {
        json_object_update(json_object_get(update, "modify"), take_value);
        json_decref(take_value);
    } else {
        json_object_set_new(of_table, uuid, json_pack("{s:o}", kind, take_value));
    }
}

static void
tell(struct changes *c)
{
    struct sim_host *h = c->host;
    if (h->is_monitored && json_object_size(c->updates))
        jsonrpc_send_request(h->bev, "update2", json_pack("[s,O]", "vnet", c->updates), json_null());
    json_decref(c->updates);
    json_decref(c->names);
}

static struct changes
changes_begin(struct sim_host *h)
{
    return (struct changes){ h, json_object(), json_object() };
}

static void
row_set(struct changes *c, const char *table_name, const char *uuid, const char *column, json_t *take_value)
{
    json_t *row = json_object_get(table(c->host, table_name), uuid);
    json_t *diff = difference(json_object_get(row, column), take_value);
    json_object_set_new(row, column, take_value);
    note(c, table_name, uuid, "modify", json_pack("{s:o}", column, diff));
}

static void
row_insert(struct changes *c, const char *table_name, const char *uuid, json_t *take_row)
{
    json_object_set_new(table(c->host, table_name), uuid, take_row);
    note(c, table_name, uuid, "insert", json_deep_copy(take_row));
}

static void
row_delete(struct changes *c, const char *table_name, const char *uuid)
{
    json_object_del(table(c->host, table_name), uuid);
    note(c, table_name, uuid, "delete", json_null());
}

/* ---- vnetd's transactions ---- */

static json_t *
resolved(const struct changes *c, const json_t *value)
{
    if (json_is_array(value) && json_array_size(value) == 2 && !strcmp(json_string_value(json_array_get(value, 0)) ?: "", "named-uuid"))
        return json_pack("[s,O]", "uuid", json_object_get(c->names, json_string_value(json_array_get(value, 1))));
    return json_incref((json_t *) value);
}

static void
op_insert(struct changes *c, const json_t *op)
{
    struct sim_host *h = c->host;
    const char *name = json_member_string(op, "table"), *column;
    const char *uuid = json_string_value(json_object_get(c->names, json_member_string(op, "uuid-name")));
    json_t *row = json_object(), *value;
    json_object_foreach (json_object_get(op, "row"), column, value)
        json_object_set_new(row, column, resolved(c, value));
    if (!strcmp(name, "Interface"))
        json_object_set_new(row, "ofport", json_integer(FIRST_OFPORT + h->next_ofport++));
    row_insert(c, name, uuid, row);
}

static bool
row_fits(const char *uuid, const json_t *row, const json_t *condition)
{
    const char *column = json_string_value(json_array_get(condition, 0));
    const json_t *value = json_array_get(condition, 2);
    if (!strcmp(column, "_uuid"))
        return !strcmp(uuid, json_string_value(json_array_get(value, 1)));
    return json_equal(json_object_get(row, column), value);
}

static void
row_change(struct changes *c, const json_t *op, const char *uuid)
{
    const char *name = json_member_string(op, "table"), *column;
    json_t *value;
    size_t i;
    json_object_foreach (json_object_get(op, "row"), column, value)
        row_set(c, name, uuid, column, resolved(c, value));
    json_array_foreach (json_object_get(op, "mutations"), i, value) {
        column = json_string_value(json_array_get(value, 0));
        json_t *given = resolved(c, json_array_get(value, 2));
        const json_t *row = json_object_get(table(c->host, name), uuid);
        row_set(c, name, uuid, column, mutated(json_object_get(row, column), json_string_value(json_array_get(value, 1)), given));
        json_decref(given);
    }
}

static void
op_change(struct changes *c, const json_t *op)
{
    const json_t *condition = json_array_get(json_object_get(op, "where"), 0);
    const char *uuid;
    json_t *row;
    json_object_foreach (table(c->host, json_member_string(op, "table")), uuid, row) {
        if (row_fits(uuid, row, condition)) {
            row_change(c, op, uuid);
            break;
        }
    }
}

/* The integration bridge; NULL: vnetd has not made it yet. */
static json_t *
bridge(const struct sim_host *h, const char **uuid)
{
    const char *key;
    json_t *row;
    json_object_foreach (table(h, "Bridge"), key, row) {
        if (!strcmp(json_member_string(row, "name"), "br-int")) {
            *uuid = key;
            return row;
        }
    }
    return NULL;
}

uint64_t
sim_host_dpid(const struct sim_host *h)
{
    const char *unused;
    json_t *config = elements(json_object_get(bridge(h, &unused), "other_config")), *pair;
    uint64_t dpid = 0;
    size_t i;
    json_array_foreach (config, i, pair) {
        if (!strcmp(json_string_value(json_array_get(pair, 0)), "datapath-id"))
            dpid = strtoull(json_string_value(json_array_get(pair, 1)), NULL, 16);
    }
    json_decref(config);
    return dpid;
}

static void
switch_start(struct sim_host *h)
{
    if (!h->has_switch || h->of.bev || !sim_host_dpid(h) || !json_object_size(table(h, "Controller")))
        return;
    h->of.dpid = sim_host_dpid(h);
    sim_switch_connect(&h->of, h->bench, h->daemon->openflow_port);
}

static void
transact(struct sim_host *h, const struct jsonrpc_message *m)
{
    struct changes c = changes_begin(h);
    json_t *results = json_array(), *op;
    size_t i;
    char uuid[40];
    json_array_foreach (m->params, i, op) {
        const char *name = json_member_string(op, "uuid-name");
        if (name)
            json_object_set_new(c.names, name, json_string(row_new(h, uuid)));
    }
    json_array_foreach (m->params, i, op) {
        const char *what = json_member_string(op, "op");
        if (!what)
            continue; /* the database's name */
        if (!strcmp(what, "insert"))
            op_insert(&c, op);
        else if (!strcmp(what, "update") || !strcmp(what, "mutate"))
            op_change(&c, op);
        json_array_append_new(results, json_object());
    }
    tell(&c);
    jsonrpc_send_reply(h->bev, m->id, results);
    switch_start(h);
}

/* ---- the connection ---- */

static json_t *
all_rows(const struct sim_host *h)
{
    json_t *all = json_object(), *rows, *row;
    const char *name, *uuid;
    json_object_foreach (h->tables, name, rows) {
        json_t *of_table = json_object();
        json_object_foreach (rows, uuid, row)
            json_object_set_new(of_table, uuid, json_pack("{s:O}", "initial", row));
        json_object_set_new(all, name, of_table);
    }
    return all;
}

static void
request(struct sim_host *h, const struct jsonrpc_message *m)
{
    if (!strcmp(m->method, "list_dbs")) {
        jsonrpc_send_reply(h->bev, m->id, json_pack("[s]", "Open_vSwitch"));
    } else if (!strcmp(m->method, "monitor_cond")) {
        h->is_monitored = true;
        jsonrpc_send_reply(h->bev, m->id, all_rows(h));
        switch_start(h);
    } else if (!strcmp(m->method, "echo")) {
        jsonrpc_send_reply(h->bev, m->id, json_incref((json_t *) m->params));
    } else if (!strcmp(m->method, "transact")) {
        transact(h, m);
    } else {
        jsonrpc_send_error(h->bev, m->id, "unknown method");
    }
}

static void
on_input(struct bufferevent *bev, void *aux)
{
    struct sim_host *h = aux;
    struct jsonrpc_message m;
    struct error err;
    bool is_whole = true;
    while (is_whole) {
        if (!jsonrpc_receive(&h->framer, bufferevent_get_input(bev), &m, &is_whole, &err))
            bench_die("vnetd sent nonsense: %s", err.text);
        if (is_whole && m.kind == JSONRPC_REQUEST)
            request(h, &m);
        if (is_whole)
            jsonrpc_message_done(&m);
    }
}

static void
on_event(struct bufferevent *bev, short what, void *aux)
{
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        sim_host_disconnect(aux);
}

void
sim_host_connect(struct sim_host *h, const struct daemon *d)
{
    h->daemon = d;
    h->bev = sim_connect(h->bench, d->ovsdb_port);
    bufferevent_setcb(h->bev, on_input, NULL, on_event, h);
    bufferevent_enable(h->bev, EV_READ | EV_WRITE);
}

void
sim_host_disconnect(struct sim_host *h)
{
    if (h->bev)
        bufferevent_free(h->bev);
    h->bev = NULL;
    h->is_monitored = false;
    jsonrpc_framer_reset(&h->framer);
    sim_switch_done(&h->of);
}

/* ---- the host ---- */

void
sim_host_init(struct sim_host *h, const struct bench *b, unsigned i, bool has_switch)
{
    char uuid[40];
    *h = (struct sim_host){ .bench = b, .has_switch = has_switch, .tables = json_object() };
    jsonrpc_framer_init(&h->framer);
    snprintf(h->name, sizeof h->name, "h%u", i);
    snprintf(h->encap_ip, sizeof h->encap_ip, "198.18.%u.%u", i / 200, 1 + i % 200);
    row_new(h, uuid);
    uuid[2] = (char) ('0' + i / 10 % 10); /* the root row tells hosts apart */
    uuid[3] = (char) ('0' + i % 10);
    json_object_set_new(table(h, "Open_vSwitch"), uuid,
                        json_pack("{s:[s,[[s,s],[s,s],[s,s]]], s:[s,[]], s:[s,[]]}", "external_ids", "map", "system-id", h->name,
                                  "vnet-encap-ip", h->encap_ip, "vnet-datapath-type", "netdev", "bridges", "set", "manager_options",
                                  "set"));
}

void
sim_host_add_uplink(struct sim_host *h, const char *network)
{
    char uuid[40], *value = mem_printf("%s:br-ex", network);
    json_t *root = json_object_iter_value(json_object_iter(table(h, "Open_vSwitch")));
    json_t *ids = json_array_get(json_object_get(root, "external_ids"), 1);
    json_array_append_new(ids, json_pack("[s,s]", "vnet-uplinks", value));
    free(value);
    row_new(h, uuid);
    json_object_set_new(table(h, "Bridge"), uuid,
                        json_pack("{s:s, s:s, s:[s,[]]}", "name", "br-ex", "datapath_type", "netdev", "ports", "set"));
}

void
sim_host_done(struct sim_host *h)
{
    sim_host_disconnect(h);
    jsonrpc_framer_done(&h->framer);
    json_decref(h->tables);
    free(h->interfaces);
}

/* A hypervisor's bridge may have thousands of ports, so the set is changed in place. */
static void
bridge_ports(struct changes *c, bool is_plugged, const char *port)
{
    const char *uuid;
    json_t *row = bridge(c->host, &uuid), *value = json_pack("[s,s]", "uuid", port);
    if (!row)
        bench_die("host %s has no bridge yet", c->host->name);
    if (!is_tagged(json_object_get(row, "ports"), "set"))
        json_object_set_new(row, "ports", json_pack("[s,o]", "set", elements(json_object_get(row, "ports"))));
    json_t *list = json_array_get(json_object_get(row, "ports"), 1);
    if (is_plugged)
        json_array_append(list, value);
    else
        json_array_remove(list, find(list, value, false));
    note(c, "Bridge", uuid, "modify", json_pack("{s:[s,[o]]}", "ports", "set", value));
}

size_t
sim_host_plug(struct sim_host *h, const char *iface_id, uint32_t ofport)
{
    struct changes c = changes_begin(h);
    h->interfaces = mem_grow(h->interfaces, &h->cap_interfaces, h->n_interfaces + 1, sizeof *h->interfaces);
    struct sim_interface *i = &h->interfaces[h->n_interfaces];
    char name[16];
    snprintf(name, sizeof name, "tap%zu", h->n_interfaces);
    json_t *row = json_pack("{s:s, s:s, s:[s,[[s,s]]]}", "name", name, "type", "", "external_ids", "map", "iface-id", iface_id);
    if (ofport)
        json_object_set_new(row, "ofport", json_integer(ofport));
    row_insert(&c, "Interface", row_new(h, i->row), row);
    row_insert(&c, "Port", row_new(h, i->port), json_pack("{s:s, s:[s,s]}", "name", name, "interfaces", "uuid", i->row));
    bridge_ports(&c, true, i->port);
    tell(&c);
    return h->n_interfaces++;
}

void
sim_host_set_ofport(struct sim_host *h, size_t interface, uint32_t ofport)
{
    struct changes c = changes_begin(h);
    row_set(&c, "Interface", h->interfaces[interface].row, "ofport", json_integer(ofport));
    tell(&c);
}

void
sim_host_unplug(struct sim_host *h, size_t interface)
{
    struct changes c = changes_begin(h);
    const struct sim_interface *i = &h->interfaces[interface];
    bridge_ports(&c, false, i->port);
    row_delete(&c, "Port", i->port);
    row_delete(&c, "Interface", i->row);
    tell(&c);
}
