/* NAT gateways whose ports do not suffice: the packets dropped for that are counted by the switch that holds one; here they are looked at
 * every few seconds, one host after the other, and growth is said in the log. */
#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/counters.h"
#include "controller/host/host.h"
#include "controller/outside_private.h"
#include "vnet/pipeline/placement.h"

#define LOG_MODULE "outside"
#include "base/log.h"

#define LOOK_S 10

/* A NAT gateway's counter as last read. */
struct spell {
    struct map_node by_natgw;
    uint32_t natgw, host;
    uint64_t packets, seen; /* this reading's, summed up; the last one's */
    unsigned round;         /* the last one it was found in */
    bool is_old;            /* until it is read: what was counted before we looked is not news */
};

struct exhaustion {
    struct controller *controller;
    struct map spells;
    unsigned round;
    uint32_t last_old; /* the last NAT gateway that there was at the start */
    uint32_t host;     /* of the reading under way, or of the last */
    bool is_reading;
    struct event *timer;
    struct log_limit lines;
};

static void exhaustion_round(evutil_socket_t fd, short what, void *aux);

struct exhaustion *
exhaustion_new(struct controller *c)
{
    struct exhaustion *x = mem_zalloc(sizeof *x);
    *x = (struct exhaustion){ .controller = c, .lines = LOG_LIMIT(60) };
    map_init(&x->spells);
    x->timer = event_new(c->base, -1, EV_PERSIST, exhaustion_round, x);
    event_add(x->timer, &(struct timeval){ .tv_sec = LOOK_S });
    return x;
}

void
exhaustion_begin(struct exhaustion *x)
{
    for (const struct object *o = NULL; (o = model_next(x->controller->model, OBJECT_NATGW, x->last_old)) != NULL;)
        x->last_old = o->number;
}

void
exhaustion_free(struct exhaustion *x)
{
    MAP_FOR_EACH_SAFE (n, next, &x->spells)
        free(CONTAINER_OF(n, struct spell, by_natgw));
    map_done(&x->spells);
    event_free(x->timer);
    free(x);
}

static struct spell *
spell_find(const struct exhaustion *x, uint32_t natgw)
{
    MAP_FOR_EACH_HASH (n, &x->spells, hash_u32(natgw)) {
        struct spell *s = CONTAINER_OF(n, struct spell, by_natgw);
        if (s->natgw == natgw)
            return s;
    }
    return NULL;
}

/* ---- which are held where ---- */

static void
spell_note(struct exhaustion *x, uint32_t natgw, uint32_t host)
{
    struct spell *s = spell_find(x, natgw);
    if (!s) {
        s = mem_zalloc(sizeof *s);
        s->natgw = natgw;
        s->is_old = natgw <= x->last_old;
        map_insert(&x->spells, &s->by_natgw, hash_u32(natgw));
    }
    if (s->host != host)
        s->seen = 0;
    s->host = host;
    s->round = x->round;
}

static void
spells_note(struct exhaustion *x)
{
    struct placement p;
    const struct controller *c = x->controller;
    const struct view view = { .model = c->model, .runtime = c->runtime };
    const struct object *o;
    for (uint32_t after = 0; (o = model_next(c->model, OBJECT_NATGW, after)); after = o->number)
        if (placement_of(&view, o->number, &p))
            spell_note(x, o->number, p.holder->number);
    MAP_FOR_EACH_SAFE (n, next, &x->spells) {
        struct spell *s = CONTAINER_OF(n, struct spell, by_natgw);
        if (s->round == x->round)
            continue;
        map_remove(&x->spells, n);
        free(s);
    }
}

/* ---- reading ---- */

static void
read_flow(void *aux, const struct wire_flow *flow)
{
    struct exhaustion *x = aux;
    struct spell *s = drop_counts_is_exhausted(flow) ? spell_find(x, cookie_number(flow->cookie)) : NULL;
    if (s && s->host == x->host)
        s->packets += flow->packets;
}

/* A counter that fell belongs to a flow made anew. */
static void
spell_tell(struct exhaustion *x, struct spell *s)
{
    const struct object *o = model_get(x->controller->model, s->natgw, OBJECT_NATGW);
    uint64_t grown = s->packets < s->seen ? s->packets : s->packets - s->seen;
    bool is_news = o && grown && !s->is_old;
    s->seen = s->packets;
    s->is_old = false;
    if (is_news)
        log_warn_limited(&x->lines, "NAT gateway '%s': no free port for %llu packets", o->name ? o->name : "?", (unsigned long long) grown);
}

static void read_next(struct exhaustion *x);

static void
read_done(void *aux, bool ok)
{
    struct exhaustion *x = aux;
    MAP_FOR_EACH (n, &x->spells) {
        struct spell *s = CONTAINER_OF(n, struct spell, by_natgw);
        if (s->host != x->host)
            continue;
        if (ok)
            spell_tell(x, s);
        s->packets = 0;
    }
    read_next(x);
}

/* The host with the next number that holds one. */
static uint32_t
host_after(const struct exhaustion *x)
{
    uint32_t next = 0;
    MAP_FOR_EACH (n, &x->spells) {
        uint32_t host = CONTAINER_OF(n, struct spell, by_natgw)->host;
        if (host > x->host && (!next || host < next))
            next = host;
    }
    return next;
}

static bool
host_read(struct exhaustion *x)
{
    const struct hypervisor *h = host_by_number(x->controller->hosts, x->host);
    struct of_session_read read = drop_counts_exhausted_question();
    read.each_flow = read_flow;
    read.done = read_done;
    read.aux = x;
    return h && host_is_connected(h) && of_session_read(h->of, &read);
}

static void
read_next(struct exhaustion *x)
{
    x->is_reading = false;
    while (!x->is_reading && !hosts_are_closing(x->controller->hosts) && (x->host = host_after(x)))
        x->is_reading = host_read(x);
}

static void
exhaustion_round(evutil_socket_t fd, short what, void *aux)
{
    struct exhaustion *x = aux;
    if (x->is_reading)
        return;
    x->round++;
    spells_note(x);
    x->host = 0;
    read_next(x);
}
