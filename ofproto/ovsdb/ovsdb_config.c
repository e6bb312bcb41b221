/* Compares rows with what is wanted, part by part: integration bridge, its controllers, bridges that no longer are it, the
 * manager; ovsdb_config_ports.c has tunnel and patch ports. Operations find our bridge by name, so that they fit both a bridge
 * that exists and one that the same transaction creates. */
#include "ofproto/ovsdb/ovsdb_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ofproto/ovsdb/ovsdb_config_private.h"
#include "ofproto/ovsdb/ovsdb_facts.h"

#define MAX_BACKOFF_MS 1000
#define INACTIVITY_PROBE_MS 5000
#define PROTOCOLS_ALL "OpenFlow10", "OpenFlow11", "OpenFlow12", "OpenFlow13", "OpenFlow14", "OpenFlow15"

const struct ovsdb_pair config_vnet_pair = { "vnet", "1" };

void
config_complain(struct config_work *w, const char *format, ...)
{
    if (*w->config->complaint)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(w->config->complaint, sizeof w->config->complaint, format, args);
    va_end(args);
}

const char *
config_row_name(struct config_work *w, char name[CONFIG_ROW_NAME])
{
    snprintf(name, CONFIG_ROW_NAME, "row%u", w->n_inserted++);
    return name;
}

bool
config_same(const char *a, const char *b)
{
    return !strcmp(a ?: "", b ?: "");
}

void
config_port_insert(struct config_work *w, const char *name, json_t *take_interface, const char *port_row)
{
    char row[CONFIG_ROW_NAME];
    config_row_name(w, row);
    json_object_set_new(take_interface, "name", json_string(name));
    json_object_set_new(take_interface, "external_ids", ovsdb_value_map(&config_vnet_pair, 1));
    ovsdb_ops_insert(w->config->ops, OVSDB_INTERFACE, row, take_interface);
    ovsdb_ops_insert(w->config->ops, OVSDB_PORT, port_row,
                     json_pack("{s:s, s:o, s:o}", "name", name, "interfaces", ovsdb_value_new(row), "external_ids",
                               ovsdb_value_map(&config_vnet_pair, 1)));
}

static void
bridge_create(struct config_work *w, const struct ovsdb_pair config[OVSDB_N_BRIDGE_KEYS])
{
    char port[CONFIG_ROW_NAME], bridge[CONFIG_ROW_NAME];
    config_port_insert(w, w->facts->bridge, json_pack("{s:s}", "type", "internal"), config_row_name(w, port));
    config_row_name(w, bridge);
    json_t *values =
        json_pack("{s:s, s:s, s:s, s:[s,[s,s,s,s,s,s]], s:o, s:o, s:o}", "name", w->facts->bridge, "datapath_type", w->facts->datapath_type,
                  "fail_mode", "secure", "protocols", "set", PROTOCOLS_ALL, "other_config", ovsdb_value_map(config, OVSDB_N_BRIDGE_KEYS),
                  "external_ids", ovsdb_value_map(&config_vnet_pair, 1), "ports", ovsdb_value_new(port));
    ovsdb_ops_insert(w->config->ops, OVSDB_BRIDGE, bridge, values);
    ovsdb_ops_mutate(w->config->ops, OVSDB_ROOT, ovsdb_where_uuid(w->facts->row),
                     ovsdb_mutation("bridges", "insert", ovsdb_value_new(bridge)));
}

static void
bridge_mutate(struct config_work *w, json_t *take_mutations)
{
    ovsdb_ops_mutate(w->config->ops, OVSDB_BRIDGE, ovsdb_where_name(w->facts->bridge), take_mutations);
}

static void
bridge_update(struct config_work *w, const struct ovsdb_pair config[OVSDB_N_BRIDGE_KEYS])
{
    const struct ovsdb_bridge_row *b = w->bridge;
    json_t *values = json_object();
    if (!config_same(b->fail_mode, "secure"))
        json_object_set_new(values, "fail_mode", json_string("secure"));
    if (!config_same(ovsdb_bridge_datapath_type(b), w->facts->datapath_type))
        json_object_set_new(values, "datapath_type", json_string(w->facts->datapath_type));
    if (json_object_size(values))
        ovsdb_ops_update(w->config->ops, OVSDB_BRIDGE, ovsdb_where_name(w->facts->bridge), json_incref(values));
    json_decref(values);

    if (!b->protocols)
        bridge_mutate(w, ovsdb_mutation("protocols", "insert", json_pack("[s,[s,s,s,s,s,s]]", "set", PROTOCOLS_ALL)));
    else if (!(b->protocols & OVSDB_OPENFLOW15))
        bridge_mutate(w, ovsdb_mutation("protocols", "insert", json_string("OpenFlow15")));
    if (!config_same(b->vnet, config_vnet_pair.value))
        bridge_mutate(w, ovsdb_mutation_keys("external_ids", &config_vnet_pair, 1));
    for (int k = 0; k < OVSDB_N_BRIDGE_KEYS; k++)
        if (!config_same(b->config[k], config[k].value))
            bridge_mutate(w, ovsdb_mutation_keys("other_config", &config[k], 1));
}

/* False: there cannot be one. */
static bool
bridge_compare(struct config_work *w)
{
    const char *name = w->facts->bridge;
    const struct ovsdb_pair config[OVSDB_N_BRIDGE_KEYS] = {
        [OVSDB_DATAPATH_ID] = { "datapath-id", w->dpid },
        [OVSDB_DISABLE_IN_BAND] = { "disable-in-band", "true" },
    };
    if (w->bridge) {
        bridge_update(w, config);
        return true;
    }
    if (ovsdb_rows_named(w->rows, OVSDB_PORT, name) || ovsdb_rows_named(w->rows, OVSDB_INTERFACE, name)) {
        config_complain(w,
                        "integration bridge '%s' cannot be created: a port of another bridge has that name; remove it "
                        "or set external_ids:vnet-bridge",
                        name);
        return false;
    }
    bridge_create(w, config);
    return true;
}

static const struct ovsdb_remote_row *
bridge_controller(const struct config_work *w, const char *target)
{
    const struct ovsdb_remote_row *first = NULL;
    for (const struct ovsdb_ref *r = w->bridge ? w->bridge->row.refs : NULL; r && r->table != OVSDB_PORT; r = r->next) {
        const struct ovsdb_remote_row *c = (const void *) ovsdb_rows_find(w->rows, OVSDB_CONTROLLER, r->child);
        if (r->table == OVSDB_CONTROLLER && c && config_same(c->row.name, target)
            && (!first || ovsdb_uuid_compare(c->row.uuid, first->row.uuid) < 0))
            first = c;
    }
    return first;
}

static bool
is_paced(const struct ovsdb_remote_row *r)
{
    return config_same(r->connection_mode, "out-of-band") && r->max_backoff == MAX_BACKOFF_MS;
}

static void
controller_compare(struct config_work *w, const char *target)
{
    const struct ovsdb_remote_row *c = bridge_controller(w, target);
    bool has_probe = c && (c->inactivity_probe == INACTIVITY_PROBE_MS || c->inactivity_probe == OVSDB_NO_INT);
    if (c && has_probe && is_paced(c))
        return;

    json_t *values = json_pack("{s:s, s:i, s:i}", "connection_mode", "out-of-band", "max_backoff", MAX_BACKOFF_MS, "inactivity_probe",
                               INACTIVITY_PROBE_MS);
    if (c) {
        ovsdb_ops_update(w->config->ops, OVSDB_CONTROLLER, ovsdb_where_uuid(c->row.uuid), values);
        return;
    }
    char row[CONFIG_ROW_NAME];
    json_object_set_new(values, "target", json_string(target));
    ovsdb_ops_insert(w->config->ops, OVSDB_CONTROLLER, config_row_name(w, row), values);
    bridge_mutate(w, ovsdb_mutation("controller", "insert", ovsdb_value_new(row)));
}

static void
controllers_compare(struct config_work *w)
{
    size_t n = sizeof w->wanted->controllers / sizeof *w->wanted->controllers;
    const struct ovsdb_remote_row *kept[2] = { NULL, NULL };
    for (size_t i = 0; i < n; i++) {
        const char *target = w->wanted->controllers[i];
        if (!*target || (i && !strcmp(target, w->wanted->controllers[0])))
            continue;
        controller_compare(w, target);
        kept[i] = bridge_controller(w, target);
    }
    for (const struct ovsdb_ref *r = w->bridge ? w->bridge->row.refs : NULL; r && r->table != OVSDB_PORT; r = r->next) {
        bool is_kept = (kept[0] && uuid_equal(kept[0]->row.uuid, r->child)) || (kept[1] && uuid_equal(kept[1]->row.uuid, r->child));
        if (r->table == OVSDB_CONTROLLER && !is_kept)
            bridge_mutate(w, ovsdb_mutation("controller", "delete", ovsdb_value_uuid(r->child)));
    }
}

static bool
is_former(const struct config_work *w, const struct ovsdb_bridge_row *b)
{
    return b != w->bridge && config_same(b->vnet, config_vnet_pair.value) && config_same(b->config[OVSDB_DATAPATH_ID], w->dpid);
}

/* A bridge that was the integration bridge keeps its ports but no longer speaks to us in the other one's name. */
static void
bridge_retire(struct config_work *w, const struct ovsdb_bridge_row *b)
{
    json_t *ops = w->config->ops;
    for (const struct ovsdb_ref *r = b->row.refs; r; r = r->next)
        if (r->table == OVSDB_CONTROLLER)
            ovsdb_ops_mutate(ops, OVSDB_BRIDGE, ovsdb_where_uuid(b->row.uuid),
                             ovsdb_mutation("controller", "delete", ovsdb_value_uuid(r->child)));
    ovsdb_ops_mutate(ops, OVSDB_BRIDGE, ovsdb_where_uuid(b->row.uuid),
                     ovsdb_mutation("other_config", "delete", json_pack("[s,[s]]", "set", "datapath-id")));
    ovsdb_ops_mutate(ops, OVSDB_BRIDGE, ovsdb_where_uuid(b->row.uuid),
                     ovsdb_mutation("external_ids", "delete", json_pack("[s,[s]]", "set", "vnet")));
}

/* Does "ssl:192.0.2.100:6640" or "tcp:[2001:db8::1]:6640" lead to this address? */
static bool
target_is_host(const char *target, const char *ip)
{
    const char *host = strchr(target ?: "", ':');
    if (!host || !*ip)
        return false;
    host++;
    size_t n = strlen(ip);
    bool has_bracket = *host == '[';
    return !strncmp(host + has_bracket, ip, n) && strchr(has_bracket ? "]" : ":", host[has_bracket + n]);
}

static void
root_refs_compare(struct config_work *w)
{
    const struct ovsdb_root_row *root = ovsdb_rows_root(w->rows);
    for (const struct ovsdb_ref *r = root ? root->row.refs : NULL; r; r = r->next) {
        const struct ovsdb_row *row = ovsdb_rows_find(w->rows, r->table, r->child);
        const struct ovsdb_remote_row *manager = row && row->table == OVSDB_MANAGER ? (const void *) row : NULL;
        const struct ovsdb_bridge_row *bridge = row && row->table == OVSDB_BRIDGE ? (const void *) row : NULL;
        if (bridge && is_former(w, bridge))
            bridge_retire(w, bridge);
        if (manager && manager->is_connected && !is_paced(manager) && target_is_host(row->name, w->local_ip))
            ovsdb_ops_update(w->config->ops, OVSDB_MANAGER, ovsdb_where_uuid(row->uuid),
                             json_pack("{s:s, s:i}", "connection_mode", "out-of-band", "max_backoff", MAX_BACKOFF_MS));
    }
}

/* With an existing bridge, the transaction must fail if it has just been deleted: else its new ports would belong to nothing. */
static void
bridge_require(struct config_work *w)
{
    if (!w->bridge || !json_array_size(w->config->ops))
        return;
    json_t *guarded = json_array();
    ovsdb_ops_require(guarded, OVSDB_BRIDGE, w->facts->bridge);
    json_array_extend(guarded, w->config->ops);
    json_decref(w->config->ops);
    w->config->ops = guarded;
}

void
ovsdb_config_compare(const struct ovsdb_rows *rows, const struct ovsdb_facts *facts, const struct ovsdb_wanted *wanted,
                     const char *local_ip, struct ovsdb_config *config)
{
    *config = (struct ovsdb_config){ .ops = json_array() };
    struct config_work w = {
        .rows = rows,
        .facts = facts,
        .wanted = wanted,
        .local_ip = local_ip,
        .config = config,
        .bridge = (const void *) ovsdb_rows_named(rows, OVSDB_BRIDGE, facts->bridge),
    };
    snprintf(w.dpid, sizeof w.dpid, "%016llx", (unsigned long long) wanted->dpid);
    if (bridge_compare(&w)) {
        controllers_compare(&w);
        config_ports_compare(&w);
    }
    root_refs_compare(&w);
    bridge_require(&w);
}
