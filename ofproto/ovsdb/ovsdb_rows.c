/* The mirror of one host's database: rows by UUID and by name, references both ways, and the interfaces to look at again. */
#include "ofproto/ovsdb/ovsdb_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "ofproto/ovsdb/ovsdb_cards.h"

#define HEAP_OVERHEAD 16 /* what an allocation costs beside its bytes */
#define OFPORT_MAX 0xfeff

static const struct {
    const char *name;
    size_t size;
} tables[OVSDB_N_TABLES] = {
    [OVSDB_ROOT] = { "Open_vSwitch", sizeof(struct ovsdb_root_row) },
    [OVSDB_BRIDGE] = { "Bridge", sizeof(struct ovsdb_bridge_row) },
    [OVSDB_PORT] = { "Port", sizeof(struct ovsdb_port_row) },
    [OVSDB_INTERFACE] = { "Interface", sizeof(struct ovsdb_interface_row) },
    [OVSDB_CONTROLLER] = { "Controller", sizeof(struct ovsdb_remote_row) },
    [OVSDB_MANAGER] = { "Manager", sizeof(struct ovsdb_remote_row) },
};

const char *
ovsdb_table_name(enum ovsdb_table table)
{
    return tables[table].name;
}

int
ovsdb_uuid_compare(struct uuid a, struct uuid b)
{
    return memcmp(a.b, b.b, sizeof a.b);
}

static uint32_t
uuid_slot(const struct ovsdb_rows *rows, struct uuid u)
{
    return hash_bytes(u.b, sizeof u.b, rows->basis);
}

static uint32_t
name_slot(const struct ovsdb_rows *rows, enum ovsdb_table table, const char *name)
{
    return hash_bytes(name, strlen(name), rows->basis + table);
}

void
ovsdb_rows_init(struct ovsdb_rows *rows, uint32_t basis)
{
    *rows = (struct ovsdb_rows){ .basis = basis };
    map_init(&rows->by_uuid);
    map_init(&rows->by_name);
    map_init(&rows->by_child);
}

struct ovsdb_row *
ovsdb_rows_find(const struct ovsdb_rows *rows, enum ovsdb_table table, struct uuid uuid)
{
    MAP_FOR_EACH_HASH (n, &rows->by_uuid, uuid_slot(rows, uuid)) {
        struct ovsdb_row *row = CONTAINER_OF(n, struct ovsdb_row, by_uuid);
        if (row->table == table && uuid_equal(row->uuid, uuid))
            return row;
    }
    return NULL;
}

struct ovsdb_row *
ovsdb_rows_named(const struct ovsdb_rows *rows, enum ovsdb_table table, const char *name)
{
    MAP_FOR_EACH_HASH (n, &rows->by_name, name_slot(rows, table, name)) {
        struct ovsdb_row *row = CONTAINER_OF(n, struct ovsdb_row, by_name);
        if (row->table == table && !strcmp(row->name, name))
            return row;
    }
    return NULL;
}

const struct ovsdb_root_row *
ovsdb_rows_root(const struct ovsdb_rows *rows)
{
    const struct ovsdb_root_row *first = rows->roots;
    for (const struct ovsdb_root_row *r = first; r; r = r->next)
        if (ovsdb_uuid_compare(r->row.uuid, first->row.uuid) < 0)
            first = r;
    return first;
}

const struct ovsdb_ref *
ovsdb_rows_parent(const struct ovsdb_rows *rows, struct uuid child, const struct ovsdb_ref *previous)
{
    struct map_node *n = previous ? map_next_hash(&previous->by_child) : map_first_hash(&rows->by_child, uuid_slot(rows, child));
    for (; n; n = map_next_hash(n)) {
        const struct ovsdb_ref *ref = CONTAINER_OF(n, struct ovsdb_ref, by_child);
        if (uuid_equal(ref->child, child))
            return ref;
    }
    return NULL;
}

struct ovsdb_ref *
ovsdb_rows_ref(const struct ovsdb_rows *rows, const struct ovsdb_row *parent, struct uuid child)
{
    for (const struct ovsdb_ref *r = ovsdb_rows_parent(rows, child, NULL); r; r = ovsdb_rows_parent(rows, child, r))
        if (r->parent == parent)
            return (struct ovsdb_ref *) r;
    return NULL;
}

static bool
port_is_on(const struct ovsdb_rows *rows, struct uuid port, const char *bridge)
{
    for (const struct ovsdb_ref *r = ovsdb_rows_parent(rows, port, NULL); r; r = ovsdb_rows_parent(rows, port, r))
        if (r->parent->table == OVSDB_BRIDGE && r->parent->name && !strcmp(r->parent->name, bridge))
            return true;
    return false;
}

bool
ovsdb_rows_interface_is_on(const struct ovsdb_rows *rows, const struct ovsdb_interface_row *iface, const char *bridge)
{
    struct uuid uuid = iface->row.uuid;
    for (const struct ovsdb_ref *r = ovsdb_rows_parent(rows, uuid, NULL); r; r = ovsdb_rows_parent(rows, uuid, r))
        if (r->parent->table == OVSDB_PORT && port_is_on(rows, r->parent->uuid, bridge))
            return true;
    return false;
}

static bool
is_same_id(const char *a, const char *b)
{
    struct uuid x, y;
    return a && (!strcmp(a, b) || (uuid_parse(a, &x) && uuid_parse(b, &y) && uuid_equal(x, y)));
}

const struct ovsdb_row *
ovsdb_rows_port_with(const struct ovsdb_rows *rows, const char *bridge, const char *iface_id)
{
    const struct ovsdb_row *row = ovsdb_rows_named(rows, OVSDB_BRIDGE, bridge);
    for (const struct ovsdb_ref *p = row ? row->refs : NULL; p; p = p->next) {
        const struct ovsdb_row *port = p->table == OVSDB_PORT ? ovsdb_rows_find(rows, OVSDB_PORT, p->child) : NULL;
        for (const struct ovsdb_ref *i = port ? port->refs : NULL; i; i = i->next) {
            const struct ovsdb_interface_row *iface = (const void *) ovsdb_rows_find(rows, OVSDB_INTERFACE, i->child);
            if (iface && is_same_id(iface->ids[OVSDB_IFACE_ID], iface_id))
                return port;
        }
    }
    return NULL;
}

bool
ovsdb_rows_ofport_is_taken(const struct ovsdb_rows *rows, const char *bridge, uint32_t ofport)
{
    const struct ovsdb_row *row = ovsdb_rows_named(rows, OVSDB_BRIDGE, bridge);
    for (const struct ovsdb_ref *p = row ? row->refs : NULL; p; p = p->next) {
        const struct ovsdb_row *port = p->table == OVSDB_PORT ? ovsdb_rows_find(rows, OVSDB_PORT, p->child) : NULL;
        for (const struct ovsdb_ref *i = port ? port->refs : NULL; i; i = i->next) {
            const struct ovsdb_row *iface = ovsdb_rows_find(rows, OVSDB_INTERFACE, i->child);
            if (iface && ovsdb_interface_ofport((const void *) iface) == ofport)
                return true;
        }
    }
    return false;
}

uint32_t
ovsdb_interface_ofport(const struct ovsdb_interface_row *iface)
{
    int64_t n = iface->ofport;
    return n > 0 && n <= OFPORT_MAX ? (uint32_t) n : 0;
}

static void
note_card(struct ovsdb_rows *rows, struct ovsdb_interface_row *iface)
{
    bool is_card = ovsdb_is_card(iface);
    rows->n_card_changes += is_card || iface->is_card;
    iface->is_card = is_card;
}

static void
make_dirty(struct ovsdb_rows *rows, struct ovsdb_row *row)
{
    note_card(rows, (struct ovsdb_interface_row *) row);
    if (row->is_dirty)
        return;
    row->is_dirty = true;
    row->next_dirty = rows->dirty;
    rows->dirty = row;
}

/* 'row' refers to 'child', or did: which interfaces does that concern? */
static void
touch_child(struct ovsdb_rows *rows, enum ovsdb_table table, struct uuid child)
{
    struct ovsdb_row *row = ovsdb_rows_find(rows, table, child);
    if (row && table == OVSDB_INTERFACE)
        make_dirty(rows, row);
    for (struct ovsdb_ref *r = row && table == OVSDB_PORT ? row->refs : NULL; r; r = r->next) {
        struct ovsdb_row *iface = ovsdb_rows_find(rows, OVSDB_INTERFACE, r->child);
        if (iface)
            make_dirty(rows, iface);
    }
}

void
ovsdb_rows_touch_all(struct ovsdb_rows *rows)
{
    MAP_FOR_EACH (n, &rows->by_uuid) {
        struct ovsdb_row *row = CONTAINER_OF(n, struct ovsdb_row, by_uuid);
        if (row->table == OVSDB_INTERFACE)
            make_dirty(rows, row);
    }
}

struct ovsdb_row *
ovsdb_rows_take_dirty(struct ovsdb_rows *rows)
{
    struct ovsdb_row *row = rows->dirty;
    if (row) {
        rows->dirty = row->next_dirty;
        row->next_dirty = NULL;
        row->is_dirty = false;
    }
    return row;
}

/* A bridge's ports come last, so that what else it refers to is found without walking over thousands of them. */
static void
ref_link(struct ovsdb_ref *ref)
{
    struct ovsdb_ref *next = ref->parent->refs;
    while (ref->table == OVSDB_PORT && next && next->table != OVSDB_PORT) {
        ref->prev = next;
        next = next->next;
    }
    ref->next = next;
    if (next)
        next->prev = ref;
    if (ref->prev)
        ref->prev->next = ref;
    else
        ref->parent->refs = ref;
}

bool
ovsdb_rows_refer(struct ovsdb_rows *rows, struct ovsdb_row *parent, enum ovsdb_table table, struct uuid child, struct error *err)
{
    size_t n_parents = 0;
    for (const struct ovsdb_ref *r = ovsdb_rows_parent(rows, child, NULL); r; r = ovsdb_rows_parent(rows, child, r))
        n_parents++;
    if (n_parents >= OVSDB_PARENTS_MAX) {
        char text[UUID_STRLEN];
        return error_set(err, ERROR_PROTOCOL, "more than %d rows refer to %s %s", OVSDB_PARENTS_MAX, tables[table].name,
                         uuid_format(child, text));
    }

    struct ovsdb_ref *ref = mem_zalloc(sizeof *ref);
    ref->child = child;
    ref->parent = parent;
    ref->table = table;
    ref->is_kept = true;
    ref_link(ref);
    map_insert(&rows->by_child, &ref->by_child, uuid_slot(rows, child));
    rows->n_bytes += sizeof *ref + HEAP_OVERHEAD;
    touch_child(rows, table, child);
    return true;
}

void
ovsdb_rows_unrefer(struct ovsdb_rows *rows, struct ovsdb_ref *ref)
{
    map_remove(&rows->by_child, &ref->by_child);
    if (ref->prev)
        ref->prev->next = ref->next;
    else
        ref->parent->refs = ref->next;
    if (ref->next)
        ref->next->prev = ref->prev;
    rows->n_bytes -= sizeof *ref + HEAP_OVERHEAD;
    touch_child(rows, ref->table, ref->child);
    free(ref);
}

void
ovsdb_rows_set_text(struct ovsdb_rows *rows, char **field, const char *value)
{
    if (value && (!*value || strlen(value) > OVSDB_TEXT_MAX))
        value = NULL;
    char *copy = value ? mem_strdup(value) : NULL;
    if (copy)
        rows->n_bytes += strlen(copy) + HEAP_OVERHEAD;
    if (*field)
        rows->n_bytes -= strlen(*field) + HEAP_OVERHEAD;
    free(*field);
    *field = copy;
}

void
ovsdb_rows_set_name(struct ovsdb_rows *rows, struct ovsdb_row *row, const char *name)
{
    if (row->name && name && !strcmp(row->name, name))
        return;
    if (row->name)
        map_remove(&rows->by_name, &row->by_name);
    ovsdb_rows_set_text(rows, &row->name, name);
    if (row->name)
        map_insert(&rows->by_name, &row->by_name, name_slot(rows, row->table, row->name));
    for (struct ovsdb_ref *r = row->refs; r; r = r->next)
        touch_child(rows, r->table, r->child);
}

struct ovsdb_row *
ovsdb_rows_add(struct ovsdb_rows *rows, enum ovsdb_table table, struct uuid uuid)
{
    struct ovsdb_row *row = mem_zalloc(tables[table].size);
    row->uuid = uuid;
    row->table = table;
    if (table == OVSDB_ROOT) {
        struct ovsdb_root_row *root = (struct ovsdb_root_row *) row;
        root->next = rows->roots;
        rows->roots = root;
    } else if (table == OVSDB_BRIDGE) {
        ovsdb_zones_init(&((struct ovsdb_bridge_row *) row)->zones, rows->basis);
    } else if (table == OVSDB_PORT) {
        ((struct ovsdb_port_row *) row)->tag = OVSDB_NO_INT;
    } else if (table == OVSDB_INTERFACE) {
        struct ovsdb_interface_row *iface = (struct ovsdb_interface_row *) row;
        iface->ofport = iface->mtu = OVSDB_NO_INT;
    } else if (table == OVSDB_CONTROLLER || table == OVSDB_MANAGER) {
        struct ovsdb_remote_row *remote = (struct ovsdb_remote_row *) row;
        remote->max_backoff = remote->inactivity_probe = OVSDB_NO_INT;
    }
    map_insert(&rows->by_uuid, &row->by_uuid, uuid_slot(rows, uuid));
    rows->n_bytes += tables[table].size + HEAP_OVERHEAD;
    return row;
}

static void
ours_remove(struct ovsdb_rows *rows, struct ovsdb_port_row *port)
{
    if (port->prev_ours)
        port->prev_ours->next_ours = port->next_ours;
    else
        rows->ours = port->next_ours;
    if (port->next_ours)
        port->next_ours->prev_ours = port->prev_ours;
    port->next_ours = port->prev_ours = NULL;
    port->is_ours = false;
}

static void
ours_insert(struct ovsdb_rows *rows, struct ovsdb_port_row *port)
{
    port->next_ours = rows->ours;
    if (port->next_ours)
        port->next_ours->prev_ours = port;
    rows->ours = port;
    port->is_ours = true;
}

void
ovsdb_rows_changed(struct ovsdb_rows *rows, struct ovsdb_row *row)
{
    if (row->table == OVSDB_INTERFACE) {
        make_dirty(rows, row);
    } else if (row->table == OVSDB_PORT) {
        struct ovsdb_port_row *port = (struct ovsdb_port_row *) row;
        bool is_ours = port->vnet && !strcmp(port->vnet, "1");
        if (is_ours && !port->is_ours)
            ours_insert(rows, port);
        else if (!is_ours && port->is_ours)
            ours_remove(rows, port);
    }
}

static void
texts_free(struct ovsdb_rows *rows, char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ovsdb_rows_set_text(rows, &texts[i], NULL);
}

static void
row_free(struct ovsdb_rows *rows, struct ovsdb_row *row)
{
    if (row->table == OVSDB_ROOT) {
        texts_free(rows, ((struct ovsdb_root_row *) row)->ids, OVSDB_N_ROOT_KEYS);
    } else if (row->table == OVSDB_BRIDGE) {
        struct ovsdb_bridge_row *bridge = (struct ovsdb_bridge_row *) row;
        texts_free(rows, &bridge->datapath_type, 1);
        texts_free(rows, &bridge->fail_mode, 1);
        texts_free(rows, bridge->config, OVSDB_N_BRIDGE_KEYS);
        texts_free(rows, &bridge->vnet, 1);
        rows->n_bytes -= ovsdb_zones_bytes(&bridge->zones);
        ovsdb_zones_done(&bridge->zones);
    } else if (row->table == OVSDB_PORT) {
        texts_free(rows, &((struct ovsdb_port_row *) row)->vnet, 1);
        texts_free(rows, &((struct ovsdb_port_row *) row)->vlan_mode, 1);
    } else if (row->table == OVSDB_INTERFACE) {
        struct ovsdb_interface_row *iface = (struct ovsdb_interface_row *) row;
        texts_free(rows, &iface->type, 1);
        texts_free(rows, &iface->error, 1);
        texts_free(rows, iface->status, OVSDB_N_STATUS_KEYS);
        texts_free(rows, &iface->admin_state, 1);
        texts_free(rows, &iface->link_state, 1);
        texts_free(rows, iface->ids, OVSDB_N_INTERFACE_KEYS);
        texts_free(rows, iface->options, OVSDB_N_OPTION_KEYS);
        texts_free(rows, iface->bfd, OVSDB_N_BFD_KEYS);
        texts_free(rows, iface->bfd_status, OVSDB_N_BFD_STATUS_KEYS);
    } else {
        texts_free(rows, &((struct ovsdb_remote_row *) row)->connection_mode, 1);
    }
    texts_free(rows, &row->name, 1);
    rows->n_bytes -= tables[row->table].size + HEAP_OVERHEAD;
    free(row);
}

static void
root_unlink(struct ovsdb_rows *rows, struct ovsdb_row *row)
{
    struct ovsdb_root_row **link = &rows->roots;
    while (&(*link)->row != row)
        link = &(*link)->next;
    *link = (*link)->next;
}

void
ovsdb_rows_remove(struct ovsdb_rows *rows, struct ovsdb_row *row)
{
    while (row->refs)
        ovsdb_rows_unrefer(rows, row->refs);
    map_remove(&rows->by_uuid, &row->by_uuid);
    if (row->name)
        map_remove(&rows->by_name, &row->by_name);

    if (row->table == OVSDB_INTERFACE) {
        row->is_gone = true;
        make_dirty(rows, row);
        return;
    }
    if (row->table == OVSDB_ROOT)
        root_unlink(rows, row);
    else if (row->table == OVSDB_PORT && ((struct ovsdb_port_row *) row)->is_ours)
        ours_remove(rows, (struct ovsdb_port_row *) row);
    row_free(rows, row);
}

void
ovsdb_rows_release(struct ovsdb_rows *rows, struct ovsdb_row *row)
{
    assert(row->is_gone && !row->is_dirty);
    row_free(rows, row);
}

void
ovsdb_rows_done(struct ovsdb_rows *rows)
{
    MAP_FOR_EACH_SAFE (n, next, &rows->by_uuid)
        ovsdb_rows_remove(rows, CONTAINER_OF(n, struct ovsdb_row, by_uuid));
    for (struct ovsdb_row *row; (row = ovsdb_rows_take_dirty(rows));)
        ovsdb_rows_release(rows, row);
    map_done(&rows->by_uuid);
    map_done(&rows->by_name);
    map_done(&rows->by_child);
}
