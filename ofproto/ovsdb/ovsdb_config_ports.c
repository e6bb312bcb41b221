/* Tunnel ports, for traffic and for BFD to a peer, patch ports to uplink bridges, and the removal of those of ours that are no longer wanted. A port
 * that is ours but wrong in a way that cannot be updated (another bridge, another interface) is replaced within the transaction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/ovsdb/ovsdb_config_private.h"

#define SPECS_MAX (2 + 2 * OVSDB_UPLINKS_MAX)
#define OPTIONS_MAX 4
#define OVSDB_PEER_PREFIX "vnet-p"

/* A port that is wanted. */
struct port_spec {
    const char *bridge;
    char name[16];
    const char *type;
    size_t n_options;
    struct spec_pair {
        int key;
        struct ovsdb_pair pair;
    } options[OPTIONS_MAX], bfd[OVSDB_N_BFD_KEYS];
    size_t n_bfd;
    char peer[16], remote_ip[IP_STRLEN], interval_ms[12];
    bool is_possible; /* its bridge is there, or is about to be */
};

/* FNV-1a. The names are in hosts' databases: this must not change. */
static uint32_t
name_hash(const char *text, uint32_t h)
{
    for (; *text; text++)
        h = (h ^ (unsigned char) *text) * UINT32_C(16777619);
    return h;
}

void
ovsdb_config_patch_name(const struct ovsdb_uplink *uplink, char side, char name[16])
{
    uint32_t h = name_hash(uplink->network, UINT32_C(2166136261));
    h = name_hash(uplink->bridge, name_hash(":", h));
    snprintf(name, 16, "v%c-%08x", side, h);
}

static void
spec_option(struct port_spec *s, enum ovsdb_option_key key, const char *name, const char *value)
{
    s->options[s->n_options].key = key;
    s->options[s->n_options++].pair = (struct ovsdb_pair){ name, value };
}

static void
tunnel_spec(struct port_spec *s, const struct config_work *w, const char *type, const char *local_ip)
{
    *s = (struct port_spec){ .bridge = w->facts->bridge, .type = type, .is_possible = true };
    snprintf(s->name, sizeof s->name, "%s", !strcmp(type, "geneve") ? OVSDB_GENEVE_PORT : OVSDB_VXLAN_PORT);
    spec_option(s, OVSDB_REMOTE_IP, "remote_ip", "flow");
    spec_option(s, OVSDB_KEY, "key", "flow");
    spec_option(s, OVSDB_LOCAL_IP, "local_ip", local_ip);
    spec_option(s, OVSDB_DF_DEFAULT, "df_default", "true");
}

void
ovsdb_config_peer_name(uint32_t number, char name[16])
{
    snprintf(name, 16, OVSDB_PEER_PREFIX "%x", number);
}

static void
spec_bfd(struct port_spec *s, enum ovsdb_bfd_key key, const char *name, const char *value)
{
    s->bfd[s->n_bfd].key = key;
    s->bfd[s->n_bfd++].pair = (struct ovsdb_pair){ name, value };
}

static void
peer_spec(struct port_spec *s, const struct config_work *w, const struct ovsdb_peer *peer, const char *local_ip)
{
    *s = (struct port_spec){ .bridge = w->facts->bridge, .type = peer->is_vxlan ? "vxlan" : "geneve", .is_possible = true };
    ovsdb_config_peer_name(peer->number, s->name);
    snprintf(s->interval_ms, sizeof s->interval_ms, "%u", w->wanted->bfd_ms);
    spec_option(s, OVSDB_REMOTE_IP, "remote_ip", ip_format(peer->ip, s->remote_ip));
    spec_option(s, OVSDB_KEY, "key", "flow");
    spec_option(s, OVSDB_LOCAL_IP, "local_ip", local_ip);
    spec_option(s, OVSDB_DF_DEFAULT, "df_default", "true");
    spec_bfd(s, OVSDB_BFD_ENABLE, "enable", "true");
    spec_bfd(s, OVSDB_BFD_MIN_RX, "min_rx", s->interval_ms);
    spec_bfd(s, OVSDB_BFD_MIN_TX, "min_tx", s->interval_ms);
}

static void
patch_spec(struct port_spec *s, const struct ovsdb_uplink *uplink, const char *bridge, char side)
{
    *s = (struct port_spec){ .bridge = bridge, .type = "patch" };
    ovsdb_config_patch_name(uplink, side, s->name);
    ovsdb_config_patch_name(uplink, side == 'p' ? 'q' : 'p', s->peer);
    spec_option(s, OVSDB_PEER, "peer", s->peer);
}

static size_t
specs_list(struct config_work *w, const char *local_ip, struct port_spec specs[SPECS_MAX])
{
    size_t n = 0;
    if (w->wanted->geneve)
        tunnel_spec(&specs[n++], w, "geneve", local_ip);
    if (w->wanted->vxlan)
        tunnel_spec(&specs[n++], w, "vxlan", local_ip);
    for (size_t i = 0; i < w->facts->n_uplinks; i++) {
        const struct ovsdb_uplink *u = &w->facts->uplinks[i];
        patch_spec(&specs[n], u, w->facts->bridge, 'p');
        patch_spec(&specs[n + 1], u, u->bridge, 'q');
        bool has_bridge = ovsdb_rows_named(w->rows, OVSDB_BRIDGE, u->bridge);
        specs[n].is_possible = specs[n + 1].is_possible = has_bridge;
        if (!has_bridge)
            config_complain(w,
                            "external_ids:vnet-uplinks has '%s' on '%s', but there is no such bridge; add it with "
                            "ovs-vsctl add-br",
                            u->network, u->bridge);
        n += 2;
    }
    return n;
}

/* The interface of a port that is in its place; NULL: the port must be made anew. */
static const struct ovsdb_interface_row *
interface_in_place(const struct config_work *w, const struct port_spec *s, const struct ovsdb_port_row *port)
{
    const struct ovsdb_row *bridge = ovsdb_rows_named(w->rows, OVSDB_BRIDGE, s->bridge);
    const struct ovsdb_row *iface = ovsdb_rows_named(w->rows, OVSDB_INTERFACE, s->name);
    bool has_one = port->row.refs && !port->row.refs->next;
    if (!bridge || !iface || !has_one || !uuid_equal(port->row.refs->child, iface->uuid))
        return NULL;
    return ovsdb_rows_ref(w->rows, bridge, port->row.uuid) ? (const void *) iface : NULL;
}

static void
map_update(struct config_work *w, struct uuid uuid, const char *column, char *const *texts, const struct spec_pair *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!config_same(texts[wanted[i].key], wanted[i].pair.value))
            ovsdb_ops_mutate(w->config->ops, OVSDB_INTERFACE, ovsdb_where_uuid(uuid), ovsdb_mutation_keys(column, &wanted[i].pair, 1));
}

static void
interface_update(struct config_work *w, const struct port_spec *s, const struct ovsdb_interface_row *iface)
{
    struct uuid uuid = iface->row.uuid;
    if (!config_same(iface->type, s->type))
        ovsdb_ops_update(w->config->ops, OVSDB_INTERFACE, ovsdb_where_uuid(uuid), json_pack("{s:s}", "type", s->type));
    map_update(w, uuid, "options", iface->options, s->options, s->n_options);
    map_update(w, uuid, "bfd", iface->bfd, s->bfd, s->n_bfd);
    if (!config_same(iface->ids[OVSDB_VNET], config_vnet_pair.value))
        ovsdb_ops_mutate(w->config->ops, OVSDB_INTERFACE, ovsdb_where_uuid(uuid),
                         ovsdb_mutation_keys("external_ids", &config_vnet_pair, 1));
}

/* Ours are trunks. */
static void
port_update(struct config_work *w, const struct ovsdb_port_row *port)
{
    if (port->tag != OVSDB_NO_INT || port->vlan_mode)
        ovsdb_ops_update(w->config->ops, OVSDB_PORT, ovsdb_where_uuid(port->row.uuid),
                         json_pack("{s:[s,[]], s:[s,[]]}", "tag", "set", "vlan_mode", "set"));
}

static void
port_remove(struct config_work *w, const struct ovsdb_port_row *port)
{
    struct uuid uuid = port->row.uuid;
    for (const struct ovsdb_ref *r = ovsdb_rows_parent(w->rows, uuid, NULL); r; r = ovsdb_rows_parent(w->rows, uuid, r))
        if (r->parent->table == OVSDB_BRIDGE)
            ovsdb_ops_mutate(w->config->ops, OVSDB_BRIDGE, ovsdb_where_uuid(r->parent->uuid),
                             ovsdb_mutation("ports", "delete", ovsdb_value_uuid(uuid)));
}

static json_t *
map_value(const struct spec_pair *wanted, size_t n)
{
    struct ovsdb_pair pairs[OPTIONS_MAX];
    for (size_t i = 0; i < n; i++)
        pairs[i] = wanted[i].pair;
    return ovsdb_value_map(pairs, n);
}

static void
port_create(struct config_work *w, const struct port_spec *s)
{
    json_t *values = json_pack("{s:s, s:o}", "type", s->type, "options", map_value(s->options, s->n_options));
    if (s->n_bfd)
        json_object_set_new(values, "bfd", map_value(s->bfd, s->n_bfd));
    char row[CONFIG_ROW_NAME];
    config_row_name(w, row);
    if (strcmp(s->bridge, w->facts->bridge))
        ovsdb_ops_require(w->config->ops, OVSDB_BRIDGE, s->bridge);
    config_port_insert(w, s->name, values, row);
    ovsdb_ops_mutate(w->config->ops, OVSDB_BRIDGE, ovsdb_where_name(s->bridge), ovsdb_mutation("ports", "insert", ovsdb_value_new(row)));
}

static void
port_compare(struct config_work *w, const struct port_spec *s)
{
    const struct ovsdb_port_row *port = (const void *) ovsdb_rows_named(w->rows, OVSDB_PORT, s->name);
    if (port ? !port->is_ours : ovsdb_rows_named(w->rows, OVSDB_INTERFACE, s->name) != NULL) {
        config_complain(w,
                        "%s port '%s' cannot be created: a port or interface of that name exists and is not ours "
                        "(external_ids:vnet=1); remove it",
                        s->type, s->name);
        return;
    }
    const struct ovsdb_interface_row *iface = port ? interface_in_place(w, s, port) : NULL;
    if (iface) {
        interface_update(w, s, iface);
        port_update(w, port);
        return;
    }
    if (port)
        port_remove(w, port);
    port_create(w, s);
}

static bool
is_wanted(const struct port_spec *specs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(specs[i].name, name))
            return true;
    return false;
}

static int
peer_compare(const void *key, const void *element)
{
    uint32_t number = *(const uint32_t *) key, other = ((const struct ovsdb_peer *) element)->number;
    return (number > other) - (number < other);
}

static bool
is_wanted_peer(const struct config_work *w, const char *name)
{
    char right[16];
    const char *digits = name + strlen(OVSDB_PEER_PREFIX);
    if (!w->wanted->n_peers || strncmp(name, OVSDB_PEER_PREFIX, strlen(OVSDB_PEER_PREFIX)) || strlen(digits) > 8)
        return false;
    uint32_t number = strtoul(digits, NULL, 16);
    ovsdb_config_peer_name(number, right);
    return !strcmp(name, right) && bsearch(&number, w->wanted->peers, w->wanted->n_peers, sizeof *w->wanted->peers, peer_compare);
}

static bool
is_our_kind(const struct config_work *w, const struct ovsdb_port_row *port)
{
    const char *name = port->row.name ?: "";
    if (strncmp(name, "vnet-", 5) && strncmp(name, "vp-", 3) && strncmp(name, "vq-", 3))
        return false;
    for (const struct ovsdb_ref *r = port->row.refs; r; r = r->next) {
        const struct ovsdb_interface_row *i = (const void *) ovsdb_rows_find(w->rows, OVSDB_INTERFACE, r->child);
        if (!i || (!config_same(i->type, "geneve") && !config_same(i->type, "vxlan") && !config_same(i->type, "patch")))
            return false;
    }
    return true;
}

void
config_ports_compare(struct config_work *w)
{
    struct port_spec specs[SPECS_MAX];
    char local_ip[IP_STRLEN];
    size_t n = specs_list(w, ip_format(w->facts->encap_ip, local_ip), specs);
    for (const struct ovsdb_port_row *p = w->rows->ours; p; p = p->next_ours)
        if (is_our_kind(w, p) && !is_wanted(specs, n, p->row.name) && !is_wanted_peer(w, p->row.name))
            port_remove(w, p);
    for (size_t i = 0; i < n; i++)
        if (specs[i].is_possible)
            port_compare(w, &specs[i]);
    for (size_t i = 0; i < w->wanted->n_peers; i++) {
        struct port_spec spec;
        peer_spec(&spec, w, &w->wanted->peers[i], local_ip);
        port_compare(w, &spec);
    }
}

/* The interface of a port of ours on the integration bridge; NULL: it is not there. */
static const struct ovsdb_interface_row *
our_interface(const struct ovsdb_rows *rows, const struct ovsdb_facts *facts, const char *name)
{
    const struct ovsdb_port_row *port = (const void *) ovsdb_rows_named(rows, OVSDB_PORT, name);
    const struct ovsdb_interface_row *iface = (const void *) ovsdb_rows_named(rows, OVSDB_INTERFACE, name);
    return port && port->is_ours && iface && ovsdb_rows_interface_is_on(rows, iface, facts->bridge) ? iface : NULL;
}

enum ovsdb_peer_state
ovsdb_config_peer_state(const struct ovsdb_rows *rows, const struct ovsdb_facts *facts, uint32_t number)
{
    char name[16];
    ovsdb_config_peer_name(number, name);
    const struct ovsdb_interface_row *iface = our_interface(rows, facts, name);
    const char *state = iface ? iface->bfd_status[OVSDB_BFD_STATE] : NULL;
    if (!state)
        return OVSDB_PEER_UNKNOWN;
    if (!strcmp(state, "up"))
        return OVSDB_PEER_UP;
    return config_same(iface->bfd_status[OVSDB_BFD_FLAPS] ?: "0", "0") ? OVSDB_PEER_UNKNOWN : OVSDB_PEER_DOWN;
}

static uint32_t
port_number(const struct ovsdb_rows *rows, const struct ovsdb_facts *facts, const char *name)
{
    const struct ovsdb_interface_row *iface = our_interface(rows, facts, name);
    return iface ? ovsdb_interface_ofport(iface) : 0;
}

void
ovsdb_config_ports(const struct ovsdb_rows *rows, const struct ovsdb_facts *facts, struct ovsdb_ports *ports)
{
    memset(ports, 0, sizeof *ports);
    ports->geneve = port_number(rows, facts, OVSDB_GENEVE_PORT);
    ports->vxlan = port_number(rows, facts, OVSDB_VXLAN_PORT);
    for (size_t i = 0; i < facts->n_uplinks; i++) {
        char name[16];
        ovsdb_config_patch_name(&facts->uplinks[i], 'p', name);
        ports->patch[i] = port_number(rows, facts, name);
        const struct ovsdb_interface_row *iface = our_interface(rows, facts, name);
        ports->is_patch_due[i] = iface && iface->ofport == OVSDB_NO_INT;
    }
}
