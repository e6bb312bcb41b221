#include "controller/host/binding_private.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/host.h"
#include "controller/host/iface_name.h"
#include "controller/instance/migrations.h"
#include "controller/instance/removals.h"
#include "controller/store/store.h"
#include "vnet/pipeline/runtime.h"

/* After a start, who has not connected yet is not taken for disconnected. */
#define YOUTH_S 10

static void
grow_up(evutil_socket_t fd, short what, void *aux)
{
    bindings_grown_up(aux);
}

struct bindings *
bindings_new(struct controller *c)
{
    struct bindings *b = mem_zalloc(sizeof *b);
    struct timeval youth = { YOUTH_S, 0 };
    b->controller = c;
    b->is_young = true;
    b->grow_up = evtimer_new(c->base, grow_up, b);
    evtimer_add(b->grow_up, &youth);
    claims_init(&b->claims);
    map_init(&b->places);
    return b;
}

/* ---- who holds a port ---- */

static void
store_claim(struct bindings *b, const struct claim *c)
{
    if (c->expected)
        return;
    char *key = mem_printf("binding/%u/%s", c->host, c->iface->text);
    char *value = mem_printf("%u %llu", c->ofport, (unsigned long long) c->order);
    store_put_fact(b->controller->store, key, value);
    free(key);
    free(value);
}

static void
place_set(struct bindings *b, struct place *p, struct claim *holder)
{
    struct binding after = { 0, 0 };
    if (p->holder != holder)
        feed_object(b->controller->feed, p->port);
    if (p->holder && holder && p->holder != holder) {
        claim_to_end(&b->claims, p->holder);
        store_claim(b, p->holder);
    }
    p->holder = holder;
    place_judge_mac(b, p);
    if (holder && (holder->ofport || holder->expected) && !holder->error)
        after = (struct binding){ holder->host, holder->ofport };
    if (after.host == p->bound.host && after.ofport == p->bound.ofport)
        return;
    struct vnet_event event = { .kind = EVENT_BINDING, .number = p->port, .before = p->bound, .after = after };
    p->bound = after;
    runtime_bind(b->controller->runtime, p->port, after);
    controller_fact_changed(b->controller, &event);
    place_rebuild(b, p, b->controller->seq);
    feed_object(b->controller->feed, p->port);
}

/* Settles who holds a port, after anything about its claims has changed. */
static void
settle(struct bindings *b, uint32_t port)
{
    const struct object *o = port ? model_get(b->controller->model, port, OBJECT_PORT) : NULL;
    if (!o)
        return;
    struct place *p = place_find(b, port);
    struct claim *holder = elect_claim(b, o, p ? p->holder : NULL);
    if (!p && !holder)
        return;
    if (!p) {
        p = mem_zalloc(sizeof *p);
        p->port = port;
        p->all = b;
        map_insert(&b->places, &p->by_port, hash_number(port));
    }
    place_set(b, p, holder);
    if (holder)
        twin_settle(b, p);
    else
        place_free(b, p);
}

/* ---- claims ---- */

static uint32_t
port_named(const struct bindings *b, const char *name)
{
    return iface_name_port(b->controller->model, name);
}

/* ---- what is about to appear ---- */

struct expectation {
    struct bindings *all;
    struct claim *claim;
    struct event *timer;
};

static void
expectation_end(struct claim *c)
{
    if (!c->expected)
        return;
    event_free(c->expected->timer);
    free(c->expected);
    c->expected = NULL;
}

static void drop_claim(struct bindings *b, struct claim *c);

static void
expectation_over(evutil_socket_t fd, short what, void *aux)
{
    struct expectation *e = aux;
    drop_claim(e->all, e->claim);
}

void
bindings_expect(struct bindings *b, uint32_t host, const char *iface_id, unsigned seconds, bool is_incoming)
{
    char name[IFACE_NAME_MAX + 1];
    if (!iface_name_normal(iface_id, name))
        return;
    struct claim *c = claim_find(&b->claims, host, name);
    if (c && !c->expected) {
        c->is_incoming = is_incoming;
        settle(b, port_named(b, name));
        return;
    }
    if (!c) {
        c = claim_add(&b->claims, host, name);
        c->expected = mem_zalloc(sizeof *c->expected);
        *c->expected = (struct expectation){ b, c, NULL };
        c->expected->timer = evtimer_new(b->controller->base, expectation_over, c->expected);
    }
    c->is_incoming = is_incoming;
    struct timeval tv = { seconds, 0 };
    evtimer_add(c->expected->timer, &tv);
    settle(b, port_named(b, name));
}

bool
bindings_show(const struct bindings *b, uint32_t host, const char *iface_id)
{
    char name[IFACE_NAME_MAX + 1];
    const struct claim *c = iface_name_normal(iface_id, name) ? claim_find(&b->claims, host, name) : NULL;
    return c && !c->expected;
}

void
bindings_each_claim(const struct bindings *b, void (*each)(void *aux, uint32_t host, const char *iface_id, uint32_t port), void *aux)
{
    MAP_FOR_EACH (n, &b->claims.by_key) {
        const struct claim *c = CONTAINER_OF(n, struct claim, by_key);
        if (!c->expected)
            each(aux, c->host, c->iface->text, port_named(b, c->iface->text));
    }
}

bool
bindings_move(struct bindings *b, uint32_t port, uint32_t host)
{
    const struct object *o = model_get(b->controller->model, port, OBJECT_PORT);
    struct place *p = o ? place_find(b, port) : NULL;
    struct claim *c = p ? claim_of(b, o, host) : NULL;
    if (!c || !c->ofport || c->error)
        return false;
    c->is_incoming = false;
    if (c == p->holder) {
        twin_settle(b, p);
        return true;
    }
    uint32_t from = p->bound.host;
    place_set(b, p, c);
    twin_moved(b, p, from);
    return true;
}

void
bindings_not_incoming(struct bindings *b, uint32_t port, uint32_t host)
{
    const struct object *o = model_get(b->controller->model, port, OBJECT_PORT);
    struct claim *c = o ? claim_of(b, o, host) : NULL;
    if (!c || !c->is_incoming)
        return;
    c->is_incoming = false;
    settle(b, port);
}

static void
forget_claim(struct bindings *b, const struct claim *c)
{
    char *key = mem_printf("binding/%u/%s", c->host, c->iface->text);
    store_put_fact(b->controller->store, key, NULL);
    free(key);
}

static void
drop_claim(struct bindings *b, struct claim *c)
{
    uint32_t port = port_named(b, c->iface->text);
    struct place *p = port ? place_find(b, port) : NULL;
    forget_claim(b, c);
    expectation_end(c);
    if (p && p->holder == c)
        p->holder = NULL;
    claim_remove(&b->claims, c);
    settle(b, port);
    if (!port)
        return;
    removals_interface_gone(b->controller->removals, port);
    feed_object(b->controller->feed, port);
}

void
bindings_not_expected(struct bindings *b, uint32_t port, uint32_t host)
{
    const struct object *o = model_get(b->controller->model, port, OBJECT_PORT);
    struct claim *c = o ? claim_of(b, o, host) : NULL;
    if (c && c->expected)
        drop_claim(b, c);
}

static void
take_interface(struct bindings *b, uint32_t host, const struct ovsdb_interface *i)
{
    char name[IFACE_NAME_MAX + 1];
    if (!iface_name_normal(i->iface_id, name))
        return;
    struct claim *c = claim_find(&b->claims, host, name);
    bool is_new = !c;
    if (!c)
        c = claim_add(&b->claims, host, name);
    bool is_stored = !is_new && !c->expected && c->ofport == i->ofport, has_come = is_new || c->expected;
    expectation_end(c);
    c->ofport = i->ofport;
    c->is_remembered = false;
    claim_set_error(c, i->error);
    c->has_mac = i->attached_mac && mac_parse(i->attached_mac, &c->mac);
    if (!is_stored)
        store_claim(b, c);
    uint32_t port = port_named(b, name);
    if (port && has_come)
        host_zone_empty(host_by_number(b->controller->hosts, host), port);
    settle(b, port);
    if (port) {
        migrations_interface(b->controller->migrations, host, port);
        feed_object(b->controller->feed, port);
    }
}

static void
drop_claims(struct bindings *b, uint32_t host, bool remembered_only)
{
    for (struct claim *c = claim_first_of_host(&b->claims, host), *next; c; c = next) {
        next = c->next_here;
        if (c->is_remembered || !remembered_only)
            drop_claim(b, c);
    }
}

static void
mark_remembered(struct bindings *b, uint32_t host)
{
    for (struct claim *c = claim_first_of_host(&b->claims, host); c; c = c->next_here)
        c->is_remembered = true;
}

void
bindings_update(struct bindings *b, uint32_t host, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone,
                size_t n_gone, bool is_first)
{
    char name[IFACE_NAME_MAX + 1];
    if (is_first)
        mark_remembered(b, host);
    for (size_t i = 0; i < n_gone; i++) {
        struct claim *c = iface_name_normal(gone[i], name) ? claim_find(&b->claims, host, name) : NULL;
        if (c)
            drop_claim(b, c);
    }
    for (size_t i = 0; i < n_changed; i++)
        take_interface(b, host, &changed[i]);
    if (is_first)
        drop_claims(b, host, true);
}

void
bindings_remember(struct bindings *b, uint32_t host, const char *iface_id, uint32_t ofport, uint64_t order)
{
    char name[IFACE_NAME_MAX + 1];
    if (!iface_name_normal(iface_id, name) || claim_find(&b->claims, host, name))
        return;
    struct claim *c = claim_add(&b->claims, host, name);
    c->ofport = ofport;
    c->is_remembered = true;
    if (order)
        claim_set_order(&b->claims, c, order);
}

static void
settle_claims_of(struct bindings *b, uint32_t host)
{
    for (struct claim *c = claim_first_of_host(&b->claims, host); c; c = c->next_here)
        settle(b, port_named(b, c->iface->text));
}

void
bindings_remembered(struct bindings *b)
{
    for (const struct hypervisor *h = hosts_first(b->controller->hosts); h; h = hosts_next(b->controller->hosts, h))
        settle_claims_of(b, h->number);
}

void
bindings_grown_up(struct bindings *b)
{
    b->is_young = false;
    for (const struct hypervisor *h = hosts_first(b->controller->hosts); h; h = hosts_next(b->controller->hosts, h))
        if (!h->db)
            settle_claims_of(b, h->number);
}

bool
bindings_are_grown_up(const struct bindings *b)
{
    return !b->is_young;
}

void
bindings_host_unread(struct bindings *b, uint32_t host)
{
    mark_remembered(b, host);
    settle_claims_of(b, host);
}

void
bindings_host_removed(struct bindings *b, uint32_t host)
{
    drop_claims(b, host, false);
}

void
bindings_port_changed(struct bindings *b, uint32_t port)
{
    struct place *p = place_find(b, port);
    if (p)
        place_rebuild(b, p, b->controller->seq);
    else
        settle(b, port);
}

void
bindings_port_removing(struct bindings *b, uint32_t port)
{
    struct place *p = place_find(b, port);
    if (!p)
        return;
    place_set(b, p, NULL);
    place_free(b, p);
}

void
bindings_free(struct bindings *b)
{
    if (!b)
        return;
    MAP_FOR_EACH_SAFE (n, next, &b->places) {
        struct place *p = CONTAINER_OF(n, struct place, by_port);
        p->twin = (struct twin){ .host = 0 }; /* nobody is to be told any more */
        place_free(b, p);
    }
    map_done(&b->places);
    MAP_FOR_EACH (n, &b->claims.by_key)
        expectation_end(CONTAINER_OF(n, struct claim, by_key));
    claims_done(&b->claims);
    event_free(b->grow_up);
    free(b);
}
