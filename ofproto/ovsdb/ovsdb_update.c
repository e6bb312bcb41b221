/* The table of monitored columns, and updates of the mirror by it. Bytes come from a host: every type is checked, and an error
 * names table, row and column.
 *
 * A difference ('modify' of update2) of a column with at most one value is the new value; of a set, the elements that come or
 * go; of a map, the pairs that come, go or get another value. */
#include "ofproto/ovsdb/ovsdb_update.h"

#include <string.h>

#define ROOTS_MAX 2 /* one, and its successor while it is replaced */

enum column_kind { TEXT, NAME, INTEGER, BOOLEAN, PROTOCOLS, REFS, KEYS, BRIDGE_IDS /* KEYS, and zones */ };

struct column {
    const char *name;
    enum column_kind kind;
    size_t offset;
    enum ovsdb_table child; /* REFS */
    size_t n_keys;          /* KEYS: those of the map that are mirrored */
    const char *const *keys;
};

#define AT(TYPE, MEMBER) .offset = offsetof(struct TYPE, MEMBER)
#define MAP_KEYS(LIST) .n_keys = sizeof(LIST) / sizeof *(LIST), .keys = (LIST)

static const char *const root_keys[OVSDB_N_ROOT_KEYS] = {
    [OVSDB_SYSTEM_ID] = "system-id",  [OVSDB_ENCAP_IP] = "vnet-encap-ip",         [OVSDB_ENCAP_TYPE] = "vnet-encap-type",
    [OVSDB_MTU] = "vnet-mtu",         [OVSDB_INTEGRATION_BRIDGE] = "vnet-bridge", [OVSDB_DATAPATH_TYPE] = "vnet-datapath-type",
    [OVSDB_UPLINKS] = "vnet-uplinks", [OVSDB_GATEWAY] = "vnet-gateway",
};
static const char *const bridge_keys[OVSDB_N_BRIDGE_KEYS] = {
    [OVSDB_DATAPATH_ID] = "datapath-id",
    [OVSDB_DISABLE_IN_BAND] = "disable-in-band",
};
static const char *const vnet_key[] = { "vnet" };
static const char *const interface_keys[OVSDB_N_INTERFACE_KEYS] = {
    [OVSDB_IFACE_ID] = "iface-id",
    [OVSDB_ATTACHED_MAC] = "attached-mac",
    [OVSDB_VNET] = "vnet",
};
static const char *const option_keys[OVSDB_N_OPTION_KEYS] = {
    [OVSDB_REMOTE_IP] = "remote_ip",   [OVSDB_KEY] = "key",   [OVSDB_LOCAL_IP] = "local_ip",
    [OVSDB_DF_DEFAULT] = "df_default", [OVSDB_PEER] = "peer",
};
static const char *const bfd_keys[OVSDB_N_BFD_KEYS] = {
    [OVSDB_BFD_ENABLE] = "enable",
    [OVSDB_BFD_MIN_RX] = "min_rx",
    [OVSDB_BFD_MIN_TX] = "min_tx",
};
static const char *const bfd_status_keys[OVSDB_N_BFD_STATUS_KEYS] = {
    [OVSDB_BFD_STATE] = "state",
    [OVSDB_BFD_FLAPS] = "flap_count",
};
static const char *const status_keys[OVSDB_N_STATUS_KEYS] = {
    [OVSDB_EGRESS] = "tunnel_egress_iface",
    [OVSDB_EGRESS_CARRIER] = "tunnel_egress_iface_carrier",
    [OVSDB_DRIVER] = "driver_name",
};

static const struct column root_columns[] = {
    { "external_ids", KEYS, AT(ovsdb_root_row, ids), MAP_KEYS(root_keys) },
    { "bridges", REFS, .child = OVSDB_BRIDGE },
    { "manager_options", REFS, .child = OVSDB_MANAGER },
    { .name = NULL },
};
static const struct column bridge_columns[] = {
    { .name = "name", .kind = NAME },
    { "datapath_type", TEXT, AT(ovsdb_bridge_row, datapath_type) },
    { "fail_mode", TEXT, AT(ovsdb_bridge_row, fail_mode) },
    { "protocols", PROTOCOLS, AT(ovsdb_bridge_row, protocols) },
    { "other_config", KEYS, AT(ovsdb_bridge_row, config), MAP_KEYS(bridge_keys) },
    { "external_ids", BRIDGE_IDS, AT(ovsdb_bridge_row, vnet), MAP_KEYS(vnet_key) },
    { "ports", REFS, .child = OVSDB_PORT },
    { "controller", REFS, .child = OVSDB_CONTROLLER },
    { .name = NULL },
};
static const struct column port_columns[] = {
    { .name = "name", .kind = NAME },
    { "interfaces", REFS, .child = OVSDB_INTERFACE },
    { "external_ids", KEYS, AT(ovsdb_port_row, vnet), MAP_KEYS(vnet_key) },
    { "tag", INTEGER, AT(ovsdb_port_row, tag) },
    { "vlan_mode", TEXT, AT(ovsdb_port_row, vlan_mode) },
    { .name = NULL },
};
static const struct column interface_columns[] = {
    { .name = "name", .kind = NAME },
    { "type", TEXT, AT(ovsdb_interface_row, type) },
    { "ofport", INTEGER, AT(ovsdb_interface_row, ofport) },
    { "admin_state", TEXT, AT(ovsdb_interface_row, admin_state) },
    { "link_state", TEXT, AT(ovsdb_interface_row, link_state) },
    { "mtu", INTEGER, AT(ovsdb_interface_row, mtu) },
    { "status", KEYS, AT(ovsdb_interface_row, status), MAP_KEYS(status_keys) },
    { "error", TEXT, AT(ovsdb_interface_row, error) },
    { "external_ids", KEYS, AT(ovsdb_interface_row, ids), MAP_KEYS(interface_keys) },
    { "options", KEYS, AT(ovsdb_interface_row, options), MAP_KEYS(option_keys) },
    { "bfd", KEYS, AT(ovsdb_interface_row, bfd), MAP_KEYS(bfd_keys) },
    { "bfd_status", KEYS, AT(ovsdb_interface_row, bfd_status), MAP_KEYS(bfd_status_keys) },
    { .name = NULL },
};
static const struct column controller_columns[] = {
    { .name = "target", .kind = NAME },
    { "connection_mode", TEXT, AT(ovsdb_remote_row, connection_mode) },
    { "max_backoff", INTEGER, AT(ovsdb_remote_row, max_backoff) },
    { "inactivity_probe", INTEGER, AT(ovsdb_remote_row, inactivity_probe) },
    { .name = NULL },
};
static const struct column manager_columns[] = {
    { .name = "target", .kind = NAME },
    { "connection_mode", TEXT, AT(ovsdb_remote_row, connection_mode) },
    { "max_backoff", INTEGER, AT(ovsdb_remote_row, max_backoff) },
    { "is_connected", BOOLEAN, AT(ovsdb_remote_row, is_connected) },
    { .name = NULL },
};
static const struct column *const columns[OVSDB_N_TABLES] = {
    [OVSDB_ROOT] = root_columns,           [OVSDB_BRIDGE] = bridge_columns,         [OVSDB_PORT] = port_columns,
    [OVSDB_INTERFACE] = interface_columns, [OVSDB_CONTROLLER] = controller_columns, [OVSDB_MANAGER] = manager_columns,
};

json_t *
ovsdb_update_monitored(void)
{
    json_t *all = json_object();
    for (int t = 0; t < OVSDB_N_TABLES; t++) {
        json_t *names = json_array();
        for (const struct column *c = columns[t]; c->name; c++)
            json_array_append_new(names, json_string(c->name));
        json_object_set_new(all, ovsdb_table_name(t), json_pack("[{s:o}]", "columns", names));
    }
    return all;
}

/* The elements of a set: of ["set", [...]] or the one that stands alone. */
static size_t
set_size(const json_t *value)
{
    if (!strcmp(json_string_value(json_array_get(value, 0)) ?: "", "set"))
        return json_array_size(json_array_get(value, 1));
    return 1;
}

static const json_t *
set_element(const json_t *value, size_t i)
{
    if (!strcmp(json_string_value(json_array_get(value, 0)) ?: "", "set"))
        return json_array_get(json_array_get(value, 1), i);
    return value;
}

static bool
text_apply(struct ovsdb_rows *rows, struct ovsdb_row *row, const struct column *c, const json_t *value)
{
    const json_t *element = set_size(value) ? set_element(value, 0) : NULL;
    if (set_size(value) > 1 || (element && !json_is_string(element)))
        return false;
    const char *text = element ? json_string_value(element) : NULL;
    if (c->kind == NAME)
        ovsdb_rows_set_name(rows, row, text);
    else
        ovsdb_rows_set_text(rows, (char **) (void *) ((char *) row + c->offset), text);
    return true;
}

static bool
integer_apply(struct ovsdb_row *row, const struct column *c, const json_t *value)
{
    const json_t *element = set_size(value) ? set_element(value, 0) : NULL;
    if (set_size(value) > 1 || (element && !json_is_integer(element)))
        return false;
    *(int64_t *) (void *) ((char *) row + c->offset) = element ? json_integer_value(element) : OVSDB_NO_INT;
    return true;
}

static bool
boolean_apply(struct ovsdb_row *row, const struct column *c, const json_t *value)
{
    *(bool *) ((char *) row + c->offset) = json_is_true(value);
    return json_is_boolean(value);
}

/* "OpenFlow10" to "OpenFlow15"; names of a later schema do not matter. */
static bool
protocols_apply(struct ovsdb_row *row, const struct column *c, const json_t *value, bool is_difference)
{
    uint8_t bits = 0;
    for (size_t i = 0; i < set_size(value); i++) {
        const char *name = json_string_value(set_element(value, i));
        if (!name)
            return false;
        if (!strncmp(name, "OpenFlow1", 9) && name[9] >= '0' && name[9] <= '5' && !name[10])
            bits |= 1 << (name[9] - '0');
    }
    uint8_t *field = (uint8_t *) row + c->offset;
    *field = is_difference ? *field ^ bits : bits;
    return true;
}

static bool
uuid_value(const json_t *value, struct uuid *uuid)
{
    const char *tag = json_string_value(json_array_get(value, 0)), *text = json_string_value(json_array_get(value, 1));
    return tag && text && json_array_size(value) == 2 && !strcmp(tag, "uuid") && uuid_parse(text, uuid);
}

static void
refs_sweep(struct ovsdb_rows *rows, struct ovsdb_row *row, enum ovsdb_table child)
{
    for (struct ovsdb_ref *r = row->refs, *next; r; r = next) {
        next = r->next;
        if (r->table == child && !r->is_kept)
            ovsdb_rows_unrefer(rows, r);
    }
}

struct target { /* of one column's value */
    struct ovsdb_rows *rows;
    struct ovsdb_row *row;
    const struct column *column;
    bool is_difference;
};

static bool
ref_apply(const struct target *t, struct uuid child, struct error *err)
{
    struct ovsdb_ref *ref = ovsdb_rows_ref(t->rows, t->row, child);
    if (!ref)
        return ovsdb_rows_refer(t->rows, t->row, t->column->child, child, err);
    if (t->is_difference)
        ovsdb_rows_unrefer(t->rows, ref);
    else
        ref->is_kept = true;
    return true;
}

/* False with an empty *err: a wrong type. */
static bool
refs_apply(const struct target *t, const json_t *value, struct error *err)
{
    size_t n = set_size(value);
    for (struct ovsdb_ref *r = t->row->refs; r && !t->is_difference; r = r->next)
        r->is_kept = false;
    for (size_t i = 0; i < n; i++) {
        struct uuid child;
        if (!uuid_value(set_element(value, i), &child) || !ref_apply(t, child, err))
            return false;
    }
    if (!t->is_difference)
        refs_sweep(t->rows, t->row, t->column->child);
    return true;
}

static void
pair_apply(const struct target *t, const char *key, const char *value)
{
    char **texts = (char **) (void *) ((char *) t->row + t->column->offset);
    for (size_t i = 0; i < t->column->n_keys; i++) {
        if (strcmp(t->column->keys[i], key))
            continue;
        bool is_removed = t->is_difference && texts[i] && !strcmp(texts[i], value);
        ovsdb_rows_set_text(t->rows, &texts[i], is_removed ? NULL : value);
    }
}

/* A value that is no zone counts as none. */
static void
zone_apply(const struct target *t, const char *key, const char *value)
{
    struct ovsdb_zones *zones = &((struct ovsdb_bridge_row *) t->row)->zones;
    uint32_t number;
    if (!ovsdb_zone_key_parse(key, &number))
        return;
    uint16_t zone = ovsdb_zone_value_parse(value), known = ovsdb_zones_get(zones, number);
    t->rows->n_bytes -= ovsdb_zones_bytes(zones);
    ovsdb_zones_set(zones, number, t->is_difference && known == zone ? 0 : zone);
    t->rows->n_bytes += ovsdb_zones_bytes(zones);
}

static void
zones_clear(const struct target *t)
{
    struct ovsdb_zones *zones = &((struct ovsdb_bridge_row *) t->row)->zones;
    t->rows->n_bytes -= ovsdb_zones_bytes(zones);
    ovsdb_zones_clear(zones);
}

static bool
keys_apply(const struct target *t, const json_t *value)
{
    const char *tag = json_string_value(json_array_get(value, 0));
    const json_t *pairs = json_array_get(value, 1);
    if (!tag || strcmp(tag, "map") || !json_is_array(pairs))
        return false;

    char **texts = (char **) (void *) ((char *) t->row + t->column->offset);
    for (size_t i = 0; i < t->column->n_keys && !t->is_difference; i++)
        ovsdb_rows_set_text(t->rows, &texts[i], NULL);
    if (t->column->kind == BRIDGE_IDS && !t->is_difference)
        zones_clear(t);
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *pair = json_array_get(pairs, i);
        const char *k = json_string_value(json_array_get(pair, 0)), *v = json_string_value(json_array_get(pair, 1));
        if (!k || !v)
            return false;
        pair_apply(t, k, v);
        if (t->column->kind == BRIDGE_IDS)
            zone_apply(t, k, v);
    }
    return true;
}

static bool
column_apply(const struct target *t, const json_t *value, struct error *err)
{
    switch (t->column->kind) {
    case TEXT:
    case NAME: return text_apply(t->rows, t->row, t->column, value);
    case INTEGER: return integer_apply(t->row, t->column, value);
    case BOOLEAN: return boolean_apply(t->row, t->column, value);
    case PROTOCOLS: return protocols_apply(t->row, t->column, value, t->is_difference);
    case REFS: return refs_apply(t, value, err);
    case KEYS:
    case BRIDGE_IDS: return keys_apply(t, value);
    }
    return false;
}

static bool
row_apply(struct ovsdb_rows *rows, struct ovsdb_row *row, const json_t *values, bool is_difference, struct error *err)
{
    char id[UUID_STRLEN];
    const char *table = ovsdb_table_name(row->table);
    if (!json_is_object(values))
        return error_set(err, ERROR_PROTOCOL, "%s row %s of an update is not an object", table, uuid_format(row->uuid, id));
    for (const struct column *c = columns[row->table]; c->name; c++) {
        const json_t *value = json_object_get(values, c->name);
        struct target target = { rows, row, c, is_difference };
        struct error why = { .text = "" };
        if (value && !column_apply(&target, value, &why))
            return error_set(err, ERROR_PROTOCOL, "column %s of %s row %s: %s", c->name, table, uuid_format(row->uuid, id),
                             *why.text ? why.text : "a value of the wrong type");
    }
    ovsdb_rows_changed(rows, row);
    if (rows->n_bytes > OVSDB_ROWS_BYTES_MAX)
        return error_set(err, ERROR_PROTOCOL, "the host's database takes more than %d bytes", OVSDB_ROWS_BYTES_MAX);
    return true;
}

static bool
row_insert(struct ovsdb_rows *rows, enum ovsdb_table table, struct uuid uuid, const json_t *values, struct error *err)
{
    size_t n_roots = 0;
    for (const struct ovsdb_root_row *r = rows->roots; r; r = r->next)
        n_roots++;
    if (table == OVSDB_ROOT && n_roots == ROOTS_MAX)
        return error_set(err, ERROR_PROTOCOL, "the host's database has more than one Open_vSwitch row");
    return row_apply(rows, ovsdb_rows_add(rows, table, uuid), values, false, err);
}

/* {"old": ..., "new": ...}: 'new' is the whole row, absent when it was deleted. */
static bool
row_update1(struct ovsdb_rows *rows, enum ovsdb_table table, struct uuid uuid, const json_t *update, struct error *err)
{
    struct ovsdb_row *row = ovsdb_rows_find(rows, table, uuid);
    const json_t *values = json_object_get(update, "new");
    if (values)
        return row ? row_apply(rows, row, values, false, err) : row_insert(rows, table, uuid, values, err);
    char id[UUID_STRLEN];
    if (!row || !json_object_get(update, "old"))
        return error_set(err, ERROR_PROTOCOL, "an update of %s row %s makes no sense", ovsdb_table_name(table), uuid_format(uuid, id));
    ovsdb_rows_remove(rows, row);
    return true;
}

/* One of {"initial": row}, {"insert": row}, {"modify": difference}, {"delete": null}. */
static bool
row_update2(struct ovsdb_rows *rows, enum ovsdb_table table, struct uuid uuid, const json_t *update, struct error *err)
{
    struct ovsdb_row *row = ovsdb_rows_find(rows, table, uuid);
    const json_t *fresh = json_object_get(update, "insert") ?: json_object_get(update, "initial");
    const json_t *difference = json_object_get(update, "modify");
    if (fresh && !row)
        return row_insert(rows, table, uuid, fresh, err);
    if (difference && row)
        return row_apply(rows, row, difference, true, err);
    char id[UUID_STRLEN];
    if (!row || !json_object_get(update, "delete"))
        return error_set(err, ERROR_PROTOCOL, "an update of %s row %s makes no sense", ovsdb_table_name(table), uuid_format(uuid, id));
    ovsdb_rows_remove(rows, row);
    return true;
}

static bool
table_apply(struct ovsdb_rows *rows, enum ovsdb_dialect dialect, enum ovsdb_table table, const json_t *updates, struct error *err)
{
    const char *key;
    json_t *update;
    if (!json_is_object(updates))
        return error_set(err, ERROR_PROTOCOL, "the update of table %s is not an object", ovsdb_table_name(table));
    json_object_foreach ((json_t *) updates, key, update) {
        struct uuid uuid;
        if (!uuid_parse(key, &uuid))
            return error_set(err, ERROR_PROTOCOL, "an update of table %s names a row by what is not a UUID", ovsdb_table_name(table));
        bool ok = dialect == OVSDB_UPDATE1 ? row_update1(rows, table, uuid, update, err) : row_update2(rows, table, uuid, update, err);
        if (!ok)
            return false;
    }
    return true;
}

bool
ovsdb_update_apply(struct ovsdb_rows *rows, enum ovsdb_dialect dialect, const json_t *updates, struct error *err)
{
    if (!json_is_object(updates))
        return error_set(err, ERROR_PROTOCOL, "an update is not an object of tables");
    for (int t = 0; t < OVSDB_N_TABLES; t++) {
        const json_t *table = json_object_get(updates, ovsdb_table_name(t));
        if (table && !table_apply(rows, dialect, t, table, err))
            return false;
    }
    return true;
}
