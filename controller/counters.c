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

/* One host's reading, of these numbers; outlives a time-out. */
struct reading {
    struct drop_counts *counts;
    uint32_t host, first, last;
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
        if (c->host == r->host && c->number >= r->first && c->number <= r->last)
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
ask(struct drop_counts *d, struct hypervisor *h, const struct cookie_block *block, struct of_session_read *read)
{
    struct reading *r = mem_zalloc(sizeof *r);
    *r = (struct reading){ d, h->number, block->first, block->last };
    read->table = 0xff;
    read->cookie = block->cookie;
    read->cookie_mask = block->mask;
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

/* Numbers of one type's objects; last 0: none. */
struct numbers {
    uint32_t first, last;
};

static bool
is_one(const struct numbers *n)
{
    return n->last && n->first == n->last;
}

static size_t
blocks_of(const struct numbers *n, uint8_t feature, uint8_t type, struct cookie_block blocks[COOKIE_BLOCKS])
{
    return n->last ? cookie_blocks(feature, type, n->first, n->last, blocks) : 0;
}

static void
ask_all_tables(struct drop_counts *d, struct hypervisor *h, const struct numbers *numbers, uint8_t feature, uint8_t type)
{
    static const uint8_t every_table[] = { 0xff };
    struct cookie_block blocks[COOKIE_BLOCKS];
    size_t n = blocks_of(numbers, feature, type, blocks);
    for (size_t i = 0; i < n; i++)
        ask(d, h, &blocks[i], &(struct of_session_read){ .tables = every_table, .n_tables = 1 });
}

/* What is counted where public addresses are translated. And their meter: 0: all, NO_METER: none. */
static void
ask_public(struct drop_counts *d, struct hypervisor *h, const struct numbers *numbers, uint8_t feature, uint8_t type, uint32_t meter)
{
    static const uint8_t tables[] = { STAGE_NAT_OUT, STAGE_NAT_IN };
    struct cookie_block blocks[COOKIE_BLOCKS];
    size_t n = blocks_of(numbers, feature, type, blocks);
    for (size_t i = 0; i < n; i++)
        ask(d, h, &blocks[i],
            &(struct of_session_read){ .tables = tables, .n_tables = 2, .want_meter_stats = !i && meter != NO_METER, .meter = meter });
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

/* What is wanted of one host. */
struct wanted_of_host {
    uint32_t host;
    struct numbers ports, eips, natgws;
    bool is_host_wanted;
};

static void
ask_host(struct drop_counts *d, const struct wanted_of_host *w)
{
    const struct numbers itself = { w->host, w->is_host_wanted ? w->host : 0 };
    struct hypervisor *h = host_by_number(d->controller->hosts, w->host);
    if (!h || !host_is_connected(h))
        return;
    ask_all_tables(d, h, &w->ports, FEATURE_REJECT, OBJECT_PORT);
    ask_all_tables(d, h, &itself, FEATURE_TUNNEL, OBJECT_HOST);
    /* A switch has one list of meters: it is read once. */
    uint32_t natgws_meter = is_one(&w->natgws) ? model_eip_of(d->controller->model, w->natgws.first) : 0;
    ask_public(d, h, &w->eips, FEATURE_EIP, OBJECT_EIP, is_one(&w->eips) && !w->natgws.last ? w->eips.first : 0);
    ask_public(d, h, &w->natgws, FEATURE_NATGW, OBJECT_NATGW, w->eips.last ? NO_METER : natgws_meter);
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
number_add(struct numbers *n, uint32_t number)
{
    if (!n->last || number < n->first)
        n->first = number;
    if (number > n->last)
        n->last = number;
}

static void
want(struct wanted_of_host *w, const struct object *o)
{
    switch (o->type) {
    case OBJECT_HOST: w->is_host_wanted = true; break;
    case OBJECT_EIP: number_add(&w->eips, o->number); break;
    case OBJECT_NATGW: number_add(&w->natgws, o->number); break;
    default: number_add(&w->ports, o->number);
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
    return of_reasons(d, natgw, 1u << REASON_FRAGMENT | 1u << REASON_METER | 1u << REASON_ICMP);
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
