#include "controller/instance/counting.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"
#include "vnet/model/transaction.h"
#include "vnet/pipeline/placement.h"

#define SOON_MS 20     /* changes of one moment are one look */
#define SLACK_MS 5000  /* a report may be late */
#define YOUTH_MS 30000 /* after a start, a host that is not there yet may still come */

/* A host with an agent. */
struct counter {
    struct map_node by_host;
    uint32_t host;
    bool is_wanted; /* it has been told to count */
    bool is_dirty;  /* whether it is to count has to be looked at: it is in the list */
    struct counter *next_dirty;
    int64_t known_until_ms; /* what it has counted holds until then */
};

struct counting {
    struct controller *controller;
    struct map by_host;
    struct counter *dirty; /* so that a look costs what has changed */
    struct open_counts *counts;
    struct event *look;
    int64_t began_ms;
};

static void look(evutil_socket_t fd, short what, void *aux);

struct counting *
counting_new(struct controller *c)
{
    struct counting *all = mem_zalloc(sizeof *all);
    *all = (struct counting){ .controller = c, .counts = open_counts_new(), .began_ms = controller_now_ms() };
    map_init(&all->by_host);
    all->look = evtimer_new(c->base, look, all);
    return all;
}

void
counting_free(struct counting *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_host) {
        free(CONTAINER_OF(n, struct counter, by_host));
    }
    map_done(&all->by_host);
    open_counts_free(all->counts);
    event_free(all->look);
    free(all);
}

static struct counter *
counter_find(const struct counting *all, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &all->by_host, hash_u32(host)) {
        struct counter *c = CONTAINER_OF(n, struct counter, by_host);
        if (c->host == host)
            return c;
    }
    return NULL;
}

/* ---- who is to count ---- */

static void
look_soon(struct counting *all)
{
    if (!evtimer_pending(all->look, NULL))
        evtimer_add(all->look, &(struct timeval){ .tv_usec = SOON_MS * 1000 });
}

static void
look_at(void *aux, uint32_t host)
{
    struct counting *all = aux;
    struct counter *c = host ? counter_find(all, host) : NULL;
    if (!c || c->is_dirty)
        return;
    c->is_dirty = true;
    c->next_dirty = all->dirty;
    all->dirty = c;
    look_soon(all);
}

static void
look_at_all(struct counting *all)
{
    MAP_FOR_EACH (n, &all->by_host) {
        look_at(all, CONTAINER_OF(n, struct counter, by_host)->host);
    }
}

struct search {
    const struct model *model;
    bool is_found;
};

static void
find_balanced(void *aux, uint32_t vpc)
{
    struct search *s = aux;
    const struct vpc *v = model_vpc(s->model, vpc);
    s->is_found |= v && v->is_balanced;
}

static void
forget(struct counting *all, struct counter *c)
{
    c->known_until_ms = 0;
    open_counts_forget(all->counts, c->host);
}

static void
look_now(struct counting *all, struct counter *c)
{
    struct controller *controller = all->controller;
    const struct hypervisor *h = host_by_number(controller->hosts, c->host);
    struct search s = { controller->model, false };
    if (h && (h->has_zones || c->is_wanted))
        compiler_each_vpc_of(controller->compiler, c->host, find_balanced, &s);
    if (s.is_found == c->is_wanted)
        return;
    c->is_wanted = s.is_found;
    if (!c->is_wanted)
        forget(all, c);
    agents_tell(controller->agents, c->host, "count", c->is_wanted ? "{\"connections\":true}" : "{\"connections\":false}");
}

static struct counter *
list_take(struct counter **link)
{
    struct counter *c = *link;
    *link = c->next_dirty;
    c->is_dirty = false;
    return c;
}

static void
look(evutil_socket_t fd, short what, void *aux)
{
    struct counting *all = aux;
    while (all->dirty)
        look_now(all, list_take(&all->dirty));
}

void
counting_agent_came(struct counting *all, uint32_t host)
{
    struct counter *c = mem_zalloc(sizeof *c);
    c->host = host;
    map_insert(&all->by_host, &c->by_host, hash_u32(host));
    look_at(all, host);
}

void
counting_agent_went(struct counting *all, uint32_t host)
{
    struct counter *c = counter_find(all, host);
    if (!c)
        return;
    forget(all, c);
    struct counter **link = &all->dirty;
    while (c->is_dirty && *link != c)
        link = &(*link)->next_dirty;
    if (c->is_dirty)
        list_take(link);
    map_remove(&all->by_host, &c->by_host);
    free(c);
}

void
counting_zones_told(struct counting *all, uint32_t host)
{
    look_at(all, host);
}

static bool
is_of_balancer(const struct object *eip)
{
    return eip && ((const struct eip *) (const void *) eip)->attached.kind == TARGET_LB;
}

static void
object_changed(struct counting *all, const struct change *change)
{
    const struct object *o = change->after ? change->after : change->before;
    if (change->type == OBJECT_LB)
        compiler_each_host_of(all->controller->compiler, ((const struct lb *) (const void *) o)->vpc, look_at, all);
    else if (change->type == OBJECT_EIP && (is_of_balancer(change->before) || is_of_balancer(change->after)))
        look_at_all(all);
}

/* A balancer's elastic IP goes from gateway to gateway as these come and go. */
void
counting_changed(struct counting *all, const struct vnet_event *event)
{
    if (event->kind == EVENT_BINDING || event->kind == EVENT_TWIN) {
        look_at(all, event->before.host);
        look_at(all, event->after.host);
    } else if (event->kind == EVENT_HOST) {
        look_at(all, event->number);
        if (placement_gateway_changed(event->host_before, event->host_after))
            look_at_all(all);
    } else if (event->kind == EVENT_OBJECT) {
        object_changed(all, event->change);
    }
}

/* ---- what they have counted ---- */

/* The zones of a host in which what they are for is there now. */
struct living {
    const struct controller *controller;
    uint32_t host;
    uint8_t zones[65536 / 8];
};

static bool
is_here(const struct living *l, uint32_t number)
{
    const struct controller *c = l->controller;
    const struct view view = { .model = c->model, .runtime = c->runtime };
    if (model_lb(c->model, number))
        return placement_host(&view, number) == l->host;
    return runtime_binding(c->runtime, number).host == l->host;
}

static void
note_zone(void *aux, uint32_t number, uint16_t zone)
{
    struct living *l = aux;
    if (is_here(l, number))
        l->zones[zone / 8] |= (uint8_t) (1 << zone % 8);
}

static bool
is_alive(void *aux, uint16_t zone)
{
    const struct living *l = aux;
    return l->zones[zone / 8] >> zone % 8 & 1;
}

void
counting_take(struct counting *all, uint32_t host, struct open_report *r)
{
    struct counter *c = counter_find(all, host);
    const struct hypervisor *h = host_by_number(all->controller->hosts, host);
    if (!c || !c->is_wanted)
        return;
    if (!r->every_ms || !h || !h->has_zones) {
        forget(all, c);
        return;
    }
    struct living *l = mem_zalloc(sizeof *l);
    l->controller = all->controller;
    l->host = host;
    host_each_zone(h, note_zone, l);
    open_counts_take(all->counts, host, r, is_alive, l);
    c->known_until_ms = controller_now_ms() + 2 * r->every_ms + SLACK_MS;
    free(l);
}

/* ---- how many there are ---- */

struct judging {
    const struct counting *all;
    int64_t now_ms;
    bool is_unknown;
};

static void
judge_host(void *aux, uint32_t host)
{
    struct judging *j = aux;
    const struct hypervisor *h = host_by_number(j->all->controller->hosts, host);
    const struct counter *c = counter_find(j->all, host);
    bool may_have_some = h && (host_is_connected(h) || j->now_ms < j->all->began_ms + YOUTH_MS);
    j->is_unknown |= may_have_some && (!c || c->known_until_ms < j->now_ms);
}

static bool
is_known(const struct counting *all, uint32_t vpc)
{
    struct judging j = { all, controller_now_ms(), false };
    compiler_each_host_of(all->controller->compiler, vpc, judge_host, &j);
    return !j.is_unknown;
}

json_t *
counting_of_target(const struct counting *all, const struct target *target)
{
    if (!is_known(all, target->vpc))
        return json_null();
    return json_integer((json_int_t) open_counts_of_target(all->counts, target->o.number));
}

struct of_vpc {
    const struct model *model;
    uint32_t vpc;
};

static bool
is_of_vpc(void *aux, uint32_t number)
{
    const struct of_vpc *v = aux;
    const struct target *target = model_target(v->model, number);
    return target && target->vpc == v->vpc;
}

json_t *
counting_of_listener(const struct counting *all, const struct listener *listener)
{
    const struct model *m = all->controller->model;
    const struct lb *lb = model_lb(m, listener->lb);
    const struct eip *eip = model_eip(m, model_eip_of(m, listener->lb));
    struct of_vpc v = { m, listener->vpc };
    struct open_place place = { .port = listener->port, .proto = listener->proto };
    uint64_t n = 0;
    if (!lb || !is_known(all, listener->vpc))
        return json_null();
    place.ip = lb->ip;
    n += open_counts_at(all->counts, &place, is_of_vpc, &v);
    place.ip = eip ? eip->ip : place.ip;
    n += eip ? open_counts_at(all->counts, &place, is_of_vpc, &v) : 0;
    return json_integer((json_int_t) n);
}
