#include "controller/host/binding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/claim.h"
#include "controller/host/host.h"
#include "controller/store/store.h"
#include "vnet/pipeline/runtime.h"

/* A port's place and progress; exists while some interface claims the port. */
struct place {
    struct map_node by_port;
    uint32_t port;
    struct claim *holder;
    struct binding bound;                /* as told to the runtime */
    uint64_t seq;                        /* what its host must confirm for it to be active */
    struct place *next_building, *prev_building;
    bool is_building;
    char *refused;                       /* the switch's reason, NULL none */
};

struct bindings {
    struct controller *controller;
    struct claims claims;
    struct map places;
    struct place *building;              /* places not yet confirmed */
};

struct bindings *bindings_new(struct controller *c)
{
    struct bindings *b = mem_zalloc(sizeof *b);
    b->controller = c;
    claims_init(&b->claims);
    map_init(&b->places);
    return b;
}

/* ---- lookup ---- */

static struct place *place_find(const struct bindings *b, uint32_t port)
{
    MAP_FOR_EACH_HASH (n, &b->places, hash_u32(port)) {
        struct place *p = CONTAINER_OF(n, struct place, by_port);
        if (p->port == port)
            return p;
    }
    return NULL;
}

/* The port that an iface-id names; 0: none. */
static uint32_t port_named(const struct bindings *b, const char *text)
{
    const struct model *m = b->controller->model;
    struct uuid id;
    const struct object *o = NULL;
    const char *slash = strchr(text, '/');
    if (uuid_parse(text, &id)) {
        o = model_get_id(m, id);
    } else if (slash) {
        char tenant[LIMIT_NAME + 1];
        if ((size_t) (slash - text) >= sizeof tenant)
            return 0;
        snprintf(tenant, sizeof tenant, "%.*s", (int) (slash - text), text);
        uint32_t number = model_tenant(m, tenant);
        o = number && !uuid_is_shape(slash + 1) ? model_find(m, OBJECT_PORT, number, slash + 1) : NULL;
    } else {
        o = model_find(m, OBJECT_PORT, model_tenant(m, "default"), text);
    }
    return o && o->type == OBJECT_PORT ? o->number : 0;
}

/* The three texts by which interfaces may name a port. */
struct port_texts {
    char id[UUID_STRLEN], full[2 * LIMIT_NAME + 2], name[LIMIT_NAME + 1];
};

static struct port_texts port_texts(const struct bindings *b, const struct object *port)
{
    struct port_texts t = { 0 };
    const struct object *tenant = model_get(b->controller->model, port->tenant, OBJECT_TENANT);
    uuid_format(port->id, t.id);
    if (port->name && tenant) {
        snprintf(t.full, sizeof t.full, "%s/%s", tenant->name, port->name);
        if (!strcmp(tenant->name, "default"))
            snprintf(t.name, sizeof t.name, "%s", port->name);
    }
    return t;
}

/* Calls 'each' for each claim on a port. */
static void each_claim(const struct bindings *b, const struct object *port,
                       void (*each)(void *aux, struct claim *), void *aux)
{
    struct port_texts t = port_texts(b, port);
    const char *texts[] = { t.id, t.full, t.name };
    for (size_t i = 0; i < 3; i++) {
        const struct iface *iface = texts[i][0] ? iface_find(&b->claims, texts[i]) : NULL;
        for (struct claim *c = iface ? iface->claims : NULL; c; c = c->next)
            each(aux, c);
    }
}

/* ---- election ---- */

static bool claim_is_live(const struct bindings *b, const struct claim *c)
{
    const struct hypervisor *h = host_by_number(b->controller->hosts, c->host);
    return h && h->db;
}

struct election {
    const struct bindings *b;
    struct claim *holder, *first, *first_live;
    bool holder_stands;
};

static void election_see(void *aux, struct claim *c)
{
    struct election *e = aux;
    if (c == e->holder)
        e->holder_stands = true;
    if (!e->first || c->order < e->first->order)
        e->first = c;
    if (claim_is_live(e->b, c) && (!e->first_live || c->order < e->first_live->order))
        e->first_live = c;
}

static struct claim *elect(const struct bindings *b, const struct object *port, struct claim *holder)
{
    struct election e = { .b = b, .holder = holder };
    each_claim(b, port, election_see, &e);
    if (e.holder_stands && (claim_is_live(b, holder) || !e.first_live))
        return holder;
    return e.first_live ? e.first_live : e.first;
}

static void building_remove(struct bindings *b, struct place *p)
{
    if (!p->is_building)
        return;
    if (p->prev_building)
        p->prev_building->next_building = p->next_building;
    else
        b->building = p->next_building;
    if (p->next_building)
        p->next_building->prev_building = p->prev_building;
    p->is_building = false;
}

static void building_add(struct bindings *b, struct place *p)
{
    building_remove(b, p);
    p->prev_building = NULL;
    p->next_building = b->building;
    if (b->building)
        b->building->prev_building = p;
    b->building = p;
    p->is_building = true;
}

/* The place must be confirmed anew, at the controller's present sequence number. */
static void place_rebuild(struct bindings *b, struct place *p)
{
    p->seq = b->controller->seq;
    free(p->refused);
    p->refused = NULL;
    if (p->bound.host)
        building_add(b, p);
    else
        building_remove(b, p);
}

static void place_set(struct bindings *b, struct place *p, struct claim *holder)
{
    struct binding after = { 0, 0 };
    p->holder = holder;
    if (holder && holder->ofport && !holder->error)
        after = (struct binding) { holder->host, holder->ofport };
    if (after.host == p->bound.host && after.ofport == p->bound.ofport)
        return;
    struct vnet_event event = { .kind = EVENT_BINDING, .number = p->port, .before = p->bound, .after = after };
    p->bound = after;
    runtime_bind(b->controller->runtime, p->port, after);
    controller_fact_changed(b->controller, &event);
    place_rebuild(b, p);
    feed_object(b->controller->feed, p->port);
}

static void place_free(struct bindings *b, struct place *p)
{
    building_remove(b, p);
    map_remove(&b->places, &p->by_port);
    free(p->refused);
    free(p);
}

/* Settles who holds a port, after anything about its claims has changed. */
static void settle(struct bindings *b, uint32_t port)
{
    const struct object *o = port ? model_get(b->controller->model, port, OBJECT_PORT) : NULL;
    if (!o)
        return;
    struct place *p = place_find(b, port);
    struct claim *holder = elect(b, o, p ? p->holder : NULL);
    if (!p && !holder)
        return;
    if (!p) {
        p = mem_zalloc(sizeof *p);
        p->port = port;
        map_insert(&b->places, &p->by_port, hash_u32(port));
    }
    place_set(b, p, holder);
    if (!holder)
        place_free(b, p);
}

/* ---- claims ---- */

static void store_claim(struct bindings *b, uint32_t host, const char *text, uint32_t ofport)
{
    char value[16];
    char *key = mem_printf("binding/%u/%s", host, text);
    snprintf(value, sizeof value, "%u", ofport);
    store_put_fact(b->controller->store, key, ofport ? value : NULL);
    free(key);
}

static void drop_claim(struct bindings *b, struct claim *c)
{
    uint32_t port = port_named(b, c->iface->text);
    struct place *p = port ? place_find(b, port) : NULL;
    store_claim(b, c->host, c->iface->text, 0);
    bool was_holder = p && p->holder == c;
    if (was_holder)
        p->holder = NULL;
    claim_remove(&b->claims, c);
    settle(b, port);
}

static void take_interface(struct bindings *b, uint32_t host, const struct ovsdb_interface *i)
{
    struct claim *c = claim_find(&b->claims, host, i->iface_id);
    if (!c)
        c = claim_add(&b->claims, host, i->iface_id);
    bool ofport_changed = c->ofport != i->ofport;
    c->ofport = i->ofport;
    c->is_remembered = false;
    claim_set_error(c, i->error);
    if (ofport_changed)
        store_claim(b, host, i->iface_id, i->ofport);
    settle(b, port_named(b, i->iface_id));
}

static void drop_claims(struct bindings *b, uint32_t host, bool remembered_only)
{
    for (struct claim *c = claim_first_of_host(&b->claims, host), *next; c; c = next) {
        next = c->next_here;
        if (c->is_remembered || !remembered_only)
            drop_claim(b, c);
    }
}

void bindings_update(struct bindings *b, uint32_t host, const struct ovsdb_interface *changed, size_t n_changed,
                     const char *const *gone, size_t n_gone, bool is_first)
{
    for (size_t i = 0; i < n_gone; i++) {
        struct claim *c = claim_find(&b->claims, host, gone[i]);
        if (c)
            drop_claim(b, c);
    }
    for (size_t i = 0; i < n_changed; i++)
        take_interface(b, host, &changed[i]);
    if (is_first)
        drop_claims(b, host, true);
}

void bindings_remember(struct bindings *b, uint32_t host, const char *iface_id, uint32_t ofport)
{
    if (claim_find(&b->claims, host, iface_id))
        return;
    struct claim *c = claim_add(&b->claims, host, iface_id);
    c->ofport = ofport;
    c->is_remembered = true;
    settle(b, port_named(b, iface_id));
}

void bindings_host_connection(struct bindings *b, uint32_t host)
{
    for (struct claim *c = claim_first_of_host(&b->claims, host); c; c = c->next_here)
        if (c->iface->claims->next)
            settle(b, port_named(b, c->iface->text));
}

void bindings_host_removed(struct bindings *b, uint32_t host)
{
    drop_claims(b, host, false);
}

void bindings_port_changed(struct bindings *b, uint32_t port)
{
    struct place *p = place_find(b, port);
    if (p)
        place_rebuild(b, p);
    else
        settle(b, port);
}

void bindings_port_removing(struct bindings *b, uint32_t port)
{
    struct place *p = place_find(b, port);
    if (!p)
        return;
    place_set(b, p, NULL);
    place_free(b, p);
}

/* ---- state ---- */

void bindings_refused(struct bindings *b, uint32_t port, const char *reason)
{
    struct place *p = place_find(b, port);
    if (!p)
        return;
    free(p->refused);
    p->refused = mem_strdup(reason);
    feed_object(b->controller->feed, port);
}

void bindings_confirmed(struct bindings *b, uint32_t host)
{
    const struct hypervisor *h = host_by_number(b->controller->hosts, host);
    for (struct place *p = b->building, *next; p; p = next) {
        next = p->next_building;
        if (p->bound.host != host || p->seq > h->confirmed_seq)
            continue;
        building_remove(b, p);
        feed_object(b->controller->feed, p->port);
    }
}

const char *port_state_word(enum port_state state)
{
    static const char *const words[] = { "unbound", "building", "active", "error" };
    return words[state];
}

struct port_status bindings_status(const struct bindings *b, uint32_t port)
{
    const struct place *p = place_find(b, port);
    if (!p || !p->holder)
        return (struct port_status) { PORT_UNBOUND, 0, NULL };
    if (p->holder->error)
        return (struct port_status) { PORT_ERROR, p->holder->host, p->holder->error };
    if (p->refused)
        return (struct port_status) { PORT_ERROR, p->holder->host, p->refused };
    return (struct port_status) { p->is_building || !p->bound.host ? PORT_BUILDING : PORT_ACTIVE, p->holder->host, NULL };
}

struct claimants {
    const struct bindings *b;
    const struct claim *holder;
    json_t *names;
};

static void claimants_see(void *aux, struct claim *c)
{
    struct claimants *all = aux;
    const struct hypervisor *h = host_by_number(all->b->controller->hosts, c->host);
    if (c != all->holder && h)
        json_array_append_new(all->names, json_string(h->name));
}

json_t *bindings_claimed_by(const struct bindings *b, uint32_t port)
{
    const struct place *p = place_find(b, port);
    struct claimants all = { b, p ? p->holder : NULL, json_array() };
    const struct object *o = model_get(b->controller->model, port, OBJECT_PORT);
    if (o)
        each_claim(b, o, claimants_see, &all);
    return all.names;
}

void bindings_free(struct bindings *b)
{
    if (!b)
        return;
    MAP_FOR_EACH_SAFE (n, next, &b->places)
        place_free(b, CONTAINER_OF(n, struct place, by_port));
    map_done(&b->places);
    claims_done(&b->claims);
    free(b);
}
