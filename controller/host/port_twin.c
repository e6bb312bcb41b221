/* A port's second place: another host that claims it, because its guest is about to move there (its agent says so), or the host that its guest has
 * just left. */
#include <event2/event.h>
#include <stdlib.h>

#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/binding_private.h"
#include "controller/host/host.h"

/* For so long the host that a guest has left sends on what still comes there: until even a slow host has re-pointed. */
#define LEFT_S 10

struct twin_search {
    const struct bindings *b;
    const struct place *place;
    struct claim *found;
};

static void
search_see(void *aux, struct claim *c)
{
    struct twin_search *s = aux;
    const struct hypervisor *h = host_by_number(s->b->controller->hosts, c->host);
    if (c != s->place->holder && c->is_incoming && h && h->db && (!s->found || c->order > s->found->order))
        s->found = c;
}

/* Where it is about to come rules where it has been. */
static struct twin
wanted(const struct bindings *b, const struct place *p)
{
    const struct object *o = model_get(b->controller->model, p->port, OBJECT_PORT);
    struct twin_search s = { b, p, NULL };
    if (o)
        each_claim(b, o, search_see, &s);
    if (s.found)
        return (struct twin){ s.found->host, s.found->error ? 0 : s.found->ofport, false };
    if (p->left_host && p->left_host != p->bound.host)
        return (struct twin){ p->left_host, 0, true };
    return (struct twin){ .host = 0 };
}

static void
set(struct bindings *b, struct place *p, struct twin twin)
{
    struct controller *c = b->controller;
    if (twin.host == p->twin.host && twin.ofport == p->twin.ofport && twin.is_left == p->twin.is_left)
        return;
    struct vnet_event event = {
        .kind = EVENT_TWIN, .number = p->port, .before = { p->twin.host, p->twin.ofport }, .after = { twin.host, twin.ofport }
    };
    p->twin = twin;
    runtime_set_twin(c->runtime, p->port, twin);
    controller_fact_changed(c, &event);
    p->twin_seq = c->seq;
    struct hypervisor *h = twin.host ? host_by_number(c->hosts, twin.host) : NULL;
    p->is_twin_building = h;
    if (h)
        host_concern(h, c->seq);
}

void
twin_settle(struct bindings *b, struct place *p)
{
    set(b, p, wanted(b, p));
}

static void
forget_left(struct place *p)
{
    p->left_host = 0;
    if (p->left_over)
        event_free(p->left_over);
    p->left_over = NULL;
}

void
twin_remove(struct bindings *b, struct place *p)
{
    forget_left(p);
    set(b, p, (struct twin){ .host = 0 });
}

/* The place is freed with its timer, so it is still there. */
static void
left_over(evutil_socket_t fd, short what, void *aux)
{
    struct place *p = aux;
    struct bindings *b = p->all;
    forget_left(p);
    twin_settle(b, p);
}

void
twin_moved(struct bindings *b, struct place *p, uint32_t from)
{
    struct timeval tv = { LEFT_S, 0 };
    forget_left(p);
    p->left_host = from;
    p->left_over = evtimer_new(b->controller->base, left_over, p);
    evtimer_add(p->left_over, &tv);
    twin_settle(b, p);
}

static void
confirm(void *aux, uint32_t port, uint32_t ofport)
{
    struct bindings *b = aux;
    struct place *p = place_find(b, port);
    const struct hypervisor *h = p ? host_by_number(b->controller->hosts, p->twin.host) : NULL;
    if (!h || !p->is_twin_building || p->twin_seq > h->made_seq)
        return;
    p->is_twin_building = false;
    feed_object(b->controller->feed, port);
}

void
twins_confirmed(struct bindings *b, const struct hypervisor *h)
{
    runtime_each_twin_on(b->controller->runtime, h->number, confirm, b);
}

enum arming
bindings_arming(const struct bindings *b, uint32_t port, uint32_t host)
{
    const struct place *p = place_find(b, port);
    if (!p || p->twin.host != host || p->twin.is_left)
        return ARMING_NOT;
    return p->is_twin_building || !p->twin.ofport ? ARMING_BUILDING : ARMING_DONE;
}
