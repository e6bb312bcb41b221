/* Keeps, for each iface-id, the interfaces that carry it, and finds what there is to tell.
 *
 * Invariant: between calls a binding is in 'by_id' exactly if it has an interface, and it has been told. Of what was told only
 * a hash is kept: a hypervisor's interfaces are many. */
#include "ofproto/ovsdb/ovsdb_bindings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define KEEP_CHANGES 256 /* room for more, as a first reading needs, is given back */

struct ovsdb_binding {
    struct map_node by_id;
    char *iface_id;
    struct ovsdb_interface_row *interfaces; /* by next_same */
    struct ovsdb_binding *next;             /* of 'touched' or 'gone_list' */
    uint64_t told;                          /* hash of the interface as last told */
    bool is_told, is_touched;
};

void
ovsdb_bindings_init(struct ovsdb_bindings *b, uint32_t basis)
{
    *b = (struct ovsdb_bindings){ .basis = basis };
    map_init(&b->by_id);
}

static void
binding_free(struct ovsdb_binding *binding)
{
    free(binding->iface_id);
    free(binding);
}

void
ovsdb_bindings_told(struct ovsdb_bindings *b)
{
    for (struct ovsdb_binding *g = b->gone_list, *next; g; g = next) {
        next = g->next;
        binding_free(g);
    }
    b->gone_list = NULL;
    b->n_changed = b->n_gone = b->n_contested = 0;
    if (b->cap_changed <= KEEP_CHANGES && b->cap_gone <= KEEP_CHANGES)
        return;
    free(b->changed);
    free(b->gone);
    b->changed = NULL;
    b->gone = NULL;
    b->cap_changed = b->cap_gone = 0;
}

void
ovsdb_bindings_done(struct ovsdb_bindings *b)
{
    ovsdb_bindings_told(b);
    MAP_FOR_EACH_SAFE (n, next, &b->by_id) {
        map_remove(&b->by_id, n);
        binding_free(CONTAINER_OF(n, struct ovsdb_binding, by_id));
    }
    map_done(&b->by_id);
    free(b->changed);
    free(b->gone);
}

static uint32_t
id_slot(const struct ovsdb_bindings *b, const char *iface_id)
{
    return hash_bytes(iface_id, strlen(iface_id), b->basis);
}

static struct ovsdb_binding *
binding_of(struct ovsdb_bindings *b, const char *iface_id)
{
    uint32_t slot = id_slot(b, iface_id);
    MAP_FOR_EACH_HASH (n, &b->by_id, slot) {
        struct ovsdb_binding *binding = CONTAINER_OF(n, struct ovsdb_binding, by_id);
        if (!strcmp(binding->iface_id, iface_id))
            return binding;
    }
    struct ovsdb_binding *binding = mem_zalloc(sizeof *binding);
    binding->iface_id = mem_strdup(iface_id);
    map_insert(&b->by_id, &binding->by_id, slot);
    return binding;
}

static void
binding_touch(struct ovsdb_bindings *b, struct ovsdb_binding *binding)
{
    if (binding->is_touched)
        return;
    binding->is_touched = true;
    binding->next = b->touched;
    b->touched = binding;
}

static void
interface_unbind(struct ovsdb_interface_row *iface)
{
    if (iface->prev_same)
        iface->prev_same->next_same = iface->next_same;
    else
        iface->binding->interfaces = iface->next_same;
    if (iface->next_same)
        iface->next_same->prev_same = iface->prev_same;
    iface->next_same = iface->prev_same = NULL;
    iface->binding = NULL;
}

static void
interface_bind(struct ovsdb_interface_row *iface, struct ovsdb_binding *binding)
{
    iface->binding = binding;
    iface->next_same = binding->interfaces;
    if (iface->next_same)
        iface->next_same->prev_same = iface;
    binding->interfaces = iface;
}

static void
interface_look(struct ovsdb_bindings *b, const struct ovsdb_rows *rows, struct ovsdb_interface_row *iface, const char *bridge)
{
    const char *id = iface->ids[OVSDB_IFACE_ID];
    bool is_bound = bridge && id && iface->row.name && !iface->row.is_gone && ovsdb_rows_interface_is_on(rows, iface, bridge);
    struct ovsdb_binding *wanted = is_bound ? binding_of(b, id) : NULL;
    if (iface->binding)
        binding_touch(b, iface->binding);
    if (wanted)
        binding_touch(b, wanted);
    if (iface->binding == wanted)
        return;
    if (iface->binding)
        interface_unbind(iface);
    if (wanted)
        interface_bind(iface, wanted);
}

static bool
counts_before(const struct ovsdb_interface_row *a, const struct ovsdb_interface_row *b)
{
    bool has_a = ovsdb_interface_ofport(a), has_b = ovsdb_interface_ofport(b);
    return has_a != has_b ? has_a : ovsdb_uuid_compare(a->row.uuid, b->row.uuid) < 0;
}

static const struct ovsdb_interface_row *
binding_interface(const struct ovsdb_binding *binding)
{
    const struct ovsdb_interface_row *best = binding->interfaces;
    for (const struct ovsdb_interface_row *i = best; i; i = i->next_same)
        if (counts_before(i, best))
            best = i;
    return best;
}

static uint64_t
interface_hash(const struct ovsdb_interface *i)
{
    uint64_t h = hash_bytes64(i->name, strlen(i->name), (uint64_t) i->is_up << 32 | i->ofport);
    h = i->attached_mac ? hash_bytes64(i->attached_mac, strlen(i->attached_mac), h) : h;
    return i->error ? hash_bytes64(i->error, strlen(i->error), h) : h;
}

static void
contested_note(struct ovsdb_bindings *b, const struct ovsdb_binding *binding, const char *winner)
{
    const struct ovsdb_interface_row *other = binding->interfaces;
    if (!strcmp(other->row.name, winner) && other->next_same)
        other = other->next_same;
    char id[80], first[32], second[32];
    text_escape(id, sizeof id, binding->iface_id);
    text_escape(first, sizeof first, winner);
    text_escape(second, sizeof second, other->row.name);
    if (!b->n_contested++)
        snprintf(b->contested, sizeof b->contested, "interfaces '%s' and '%s' both have iface-id '%s': '%s' counts", first, second, id,
                 first);
}

static void
binding_gone(struct ovsdb_bindings *b, struct ovsdb_binding *binding)
{
    map_remove(&b->by_id, &binding->by_id);
    if (!binding->is_told) {
        binding_free(binding);
        return;
    }
    b->gone = mem_grow(b->gone, &b->cap_gone, b->n_gone + 1, sizeof *b->gone);
    b->gone[b->n_gone++] = binding->iface_id;
    binding->next = b->gone_list;
    b->gone_list = binding;
}

static void
binding_look(struct ovsdb_bindings *b, struct ovsdb_binding *binding)
{
    const struct ovsdb_interface_row *row = binding_interface(binding);
    if (!row) {
        binding_gone(b, binding);
        return;
    }
    struct ovsdb_interface now = { row->row.name,
                                   binding->iface_id,
                                   ovsdb_interface_ofport(row),
                                   row->error,
                                   row->ids[OVSDB_ATTACHED_MAC],
                                   row->admin_state && !strcmp(row->admin_state, "up") };
    uint64_t hash = interface_hash(&now);
    if (binding->is_told && binding->told == hash)
        return;
    binding->is_told = true;
    binding->told = hash;
    b->changed = mem_grow(b->changed, &b->cap_changed, b->n_changed + 1, sizeof *b->changed);
    b->changed[b->n_changed++] = now;
    if (row->next_same || row->prev_same)
        contested_note(b, binding, now.name);
}

void
ovsdb_bindings_update(struct ovsdb_bindings *b, struct ovsdb_rows *rows, const char *bridge)
{
    for (struct ovsdb_row *row; (row = ovsdb_rows_take_dirty(rows));) {
        interface_look(b, rows, (struct ovsdb_interface_row *) row, bridge);
        if (row->is_gone)
            ovsdb_rows_release(rows, row);
    }
    while (b->touched) {
        struct ovsdb_binding *binding = b->touched;
        b->touched = binding->next;
        binding->is_touched = false;
        binding_look(b, binding);
    }
}
