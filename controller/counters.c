#include "controller/counters.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "vnet/feature/reject/reject.h"
#include "vnet/pipeline/placement.h"
#include "vnet/pipeline/priority.h"

#define READ_TIMEOUT_S 5
#define NO_METER UINT32_MAX

/* One port's, host's, elastic IP's or NAT gateway's counters. */
struct count {
    struct map_node by_number;
    uint32_t number;
    uint32_t host; /* whose switch counts; 0: none does */
    bool is_read;
    uint64_t packets[REASON_MAX];
    uint64_t exhausted; /* a NAT gateway's */
};

struct drop_counts {
    struct controller *controller;
    struct map counts;
    size_t n_pending; /* readings not ended */
    bool is_done;
    struct event *timer;
    drop_counts_done *done;
    void *aux;
};

/* One host's reading; outlives a time-out. */
struct reading {
    struct drop_counts *counts;
    uint32_t host;
};

static struct count *
count_find(const struct drop_counts *d, uint32_t number)
{
    if (!d)
        return NULL;
    MAP_FOR_EACH_HASH (n, &d->counts, hash_u32(number)) {
        struct count *c = CONTAINER_OF(n, struct count, by_number);
        if (c->number == number)
            return c;
    }
    return NULL;
}

static void
count_add(struct drop_counts *d, uint32_t number, uint32_t host)
{
    struct count *c = mem_zalloc(sizeof *c);
    c->number = number;
    c->host = host;
    map_insert(&d->counts, &c->by_number, hash_u32(number));
}

static void
counts_free(struct drop_counts *d)
{
    MAP_FOR_EACH_SAFE (n, next, &d->counts)
        free(CONTAINER_OF(n, struct count, by_number));
    map_done(&d->counts);
    if (d->timer)
        event_free(d->timer);
    free(d);
}

static void
counts_deliver(struct drop_counts *d)
{
    if (!d->is_done)
        d->done(d->aux, d);
    d->is_done = true;
    if (!d->n_pending)
        counts_free(d);
}

static void
counts_timeout(evutil_socket_t fd, short what, void *aux)
{
    counts_deliver(aux);
}

static void
read_flow(void *aux, const struct wire_flow *flow)
{
    struct reading *r = aux;
    enum reason reason = reject_reason_of(flow->cookie, flow->table, flow->priority);
    bool is_exhausted = drop_counts_is_exhausted(flow);
    struct count *c = reason || is_exhausted ? count_find(r->counts, cookie_number(flow->cookie)) : NULL;
    if (!c || c->host != r->host)
        return;
    if (is_exhausted)
        c->exhausted += flow->packets;
    else
        c->packets[reason] += flow->packets;
}

/* Of public addresses only; what a NAT gateway has counts as the gateway's. */
static void
read_meter(void *aux, const struct wire_meter_stats *meter)
{
    struct reading *r = aux;
    const struct eip *eip = model_eip(r->counts->controller->model, meter->id);
    bool is_natgws = eip && eip->attached.kind == TARGET_NATGW;
    struct count *c = eip ? count_find(r->counts, is_natgws ? eip->attached.number : meter->id) : NULL;
    if (c && c->host == r->host)
        c->packets[REASON_METER] += meter->dropped;
}

/* What this host was asked about is read now, zeros included. */
static void
mark_read(struct reading *r)
{
    struct drop_counts *d = r->counts;
    MAP_FOR_EACH (n, &d->counts) {
        struct count *c = CONTAINER_OF(n, struct count, by_number);
        if (c->host == r->host)
            c->is_read = true;
    }
}

static void
read_done(void *aux, bool ok)
{
    struct reading *r = aux;
    struct drop_counts *d = r->counts;
    if (ok)
        mark_read(r);
    d->n_pending--;
    free(r);
    if (!d->n_pending)
        counts_deliver(d);
}

static void
ask(struct drop_counts *d, struct hypervisor *h, struct of_session_read *read)
{
    struct reading *r = mem_zalloc(sizeof *r);
    *r = (struct reading){ d, h->number };
    read->each_flow = read_flow;
    read->each_meter = read_meter;
    read->done = read_done;
    read->aux = r;
    d->n_pending++;
    if (!of_session_read(h->of, read)) {
        d->n_pending--;
        free(r);
    }
}

static void
ask_by_cookie(struct drop_counts *d, struct hypervisor *h, uint64_t cookie, uint64_t mask)
{
    static const uint8_t every_table[] = { 0xff };
    ask(d, h,
        &(struct of_session_read){ .table = 0xff, .tables = every_table, .n_tables = 1, .cookie = cookie & mask, .cookie_mask = mask });
}

/* What is counted where public addresses are translated; a cookie without a number: of all. And their meter: 0: all, NO_METER: none. */
static void
ask_public(struct drop_counts *d, struct hypervisor *h, uint64_t cookie, uint32_t meter)
{
    static const uint8_t tables[] = { STAGE_NAT_OUT, STAGE_NAT_IN };
    ask(d, h,
        &(struct of_session_read){ .table = 0xff,
                                   .tables = tables,
                                   .n_tables = 2,
                                   .cookie = cookie,
                                   .cookie_mask = cookie_number(cookie) ? UINT64_MAX : 0xffffULL << 48,
                                   .want_meter_stats = meter != NO_METER,
                                   .meter = meter });
}

struct of_session_read
drop_counts_exhausted_question(void)
{
    static const uint8_t tables[] = { STAGE_NAT_OUT };
    return (struct of_session_read){
        .table = 0xff,
        .tables = tables,
        .n_tables = 1,
        .cookie = cookie_make(FEATURE_NATGW, OBJECT_NATGW, 0),
        .cookie_mask = 0xffffULL << 48,
    };
}

bool
drop_counts_is_exhausted(const struct wire_flow *flow)
{
    return flow->cookie >> 48 == cookie_make(FEATURE_NATGW, OBJECT_NATGW, 0) >> 48 && flow->table == STAGE_NAT_OUT
           && flow->priority == PRIORITY_NATGW_EXHAUSTED;
}

/* What is wanted of one host. One object's flows are found by their cookie; those of several are asked for together. */
struct wanted_of_host {
    uint32_t host;
    uint32_t n_ports, port, n_eips, eip, n_natgws, natgw;
    bool is_host_wanted;
};

static void
ask_host(struct drop_counts *d, const struct wanted_of_host *w)
{
    struct hypervisor *h = host_by_number(d->controller->hosts, w->host);
    if (!h || !host_is_connected(h))
        return;
    if (w->n_ports)
        ask_by_cookie(d, h, cookie_make(FEATURE_REJECT, OBJECT_PORT, w->port), w->n_ports == 1 ? UINT64_MAX : 0xffffULL << 48);
    if (w->is_host_wanted)
        ask_by_cookie(d, h, cookie_make(FEATURE_TUNNEL, OBJECT_HOST, w->host), UINT64_MAX);
    /* A switch has one list of meters: it is read once. */
    uint32_t natgws_meter = w->n_natgws == 1 ? model_eip_of(d->controller->model, w->natgw) : 0;
    if (w->n_eips)
        ask_public(d, h, cookie_make(FEATURE_EIP, OBJECT_EIP, w->n_eips == 1 ? w->eip : 0), w->n_eips == 1 && !w->n_natgws ? w->eip : 0);
    if (w->n_natgws)
        ask_public(d, h, cookie_make(FEATURE_NATGW, OBJECT_NATGW, w->n_natgws == 1 ? w->natgw : 0), w->n_eips ? NO_METER : natgws_meter);
}

static uint32_t
host_that_counts(const struct controller *c, const struct object *o)
{
    struct placement p;
    const struct view view = { .model = c->model, .runtime = c->runtime };
    if (o->type == OBJECT_HOST)
        return o->number;
    if (o->type == OBJECT_NATGW)
        return placement_of(&view, o->number, &p) ? p.holder->number : 0;
    if (o->type == OBJECT_EIP)
        return placement_get(&view, o->number, &p) && p.port ? p.holder->number : 0;
    return runtime_binding(c->runtime, o->number).host;
}

static void
want(struct wanted_of_host *w, const struct object *o)
{
    switch (o->type) {
    case OBJECT_HOST: w->is_host_wanted = true; break;
    case OBJECT_EIP:
        w->n_eips++;
        w->eip = o->number;
        break;
    case OBJECT_NATGW:
        w->n_natgws++;
        w->natgw = o->number;
        break;
    default: w->n_ports++; w->port = o->number;
    }
}

void
drop_counts_read(struct controller *c, const uint32_t *numbers, size_t n, drop_counts_done *done, void *aux)
{
    struct drop_counts *d = mem_zalloc(sizeof *d);
    *d = (struct drop_counts){ .controller = c, .n_pending = 1, .done = done, .aux = aux };
    map_init(&d->counts);
    struct wanted_of_host *hosts = mem_zalloc((n + 1) * sizeof *hosts);
    size_t n_hosts = 0;
    for (size_t i = 0; i < n; i++) {
        const struct object *o = model_get(c->model, numbers[i], OBJECT_NONE);
        uint32_t host = o ? host_that_counts(c, o) : 0;
        size_t known = 0;
        if (!host)
            continue;
        count_add(d, numbers[i], host);
        while (known < n_hosts && hosts[known].host != host)
            known++;
        if (known == n_hosts)
            hosts[n_hosts++].host = host;
        want(&hosts[known], o);
    }
    for (size_t i = 0; i < n_hosts; i++)
        ask_host(d, &hosts[i]);
    free(hosts);
    if (!--d->n_pending) {
        counts_deliver(d);
        return;
    }
    struct timeval tv = { READ_TIMEOUT_S, 0 };
    d->timer = evtimer_new(c->base, counts_timeout, d);
    evtimer_add(d->timer, &tv);
}

/* 'reasons': bits. */
static json_t *
of_reasons(const struct drop_counts *d, uint32_t number, unsigned reasons)
{
    const struct count *c = count_find(d, number);
    if (!c || !c->is_read)
        return json_null();
    json_t *object = json_object();
    for (int reason = REASON_NONE + 1; reason < REASON_MAX; reason++)
        if (reasons >> reason & 1)
            json_object_set_new(object, reason_word(reason), json_integer((json_int_t) c->packets[reason]));
    return object;
}

json_t *
drop_counts_port(const struct drop_counts *d, uint32_t port)
{
    return of_reasons(d, port, (2u << REASON_SG) - 2);
}

json_t *
drop_counts_host(const struct drop_counts *d, uint32_t host)
{
    return of_reasons(d, host, 1u << REASON_TUNNEL);
}

json_t *
drop_counts_natgw(const struct drop_counts *d, uint32_t natgw)
{
    return of_reasons(d, natgw, 1u << REASON_FRAGMENT | 1u << REASON_METER);
}

json_t *
drop_counts_eip(const struct drop_counts *d, uint32_t eip)
{
    return of_reasons(d, eip, 1u << REASON_FRAGMENT | 1u << REASON_METER | 1u << REASON_ICMP);
}

json_t *
drop_counts_exhausted(const struct drop_counts *d, uint32_t natgw)
{
    const struct count *c = count_find(d, natgw);
    return c && c->is_read ? json_integer((json_int_t) c->exhausted) : json_null();
}
