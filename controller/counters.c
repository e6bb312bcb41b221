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

#define READ_TIMEOUT_S 5

/* One port's or host's counters. */
struct count {
    struct map_node by_number;
    uint32_t number;
    bool is_host;
    bool is_read;
    uint64_t packets[REASON_MAX];
};

struct drop_counts {
    struct controller *controller;
    struct map counts;
    size_t n_pending;                    /* readings not ended */
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

static struct count *count_find(const struct drop_counts *d, uint32_t number)
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

static void count_add(struct drop_counts *d, uint32_t number, bool is_host)
{
    struct count *c = mem_zalloc(sizeof *c);
    c->number = number;
    c->is_host = is_host;
    map_insert(&d->counts, &c->by_number, hash_u32(number));
}

static void counts_free(struct drop_counts *d)
{
    MAP_FOR_EACH_SAFE (n, next, &d->counts)
        free(CONTAINER_OF(n, struct count, by_number));
    map_done(&d->counts);
    if (d->timer)
        event_free(d->timer);
    free(d);
}

static void counts_deliver(struct drop_counts *d)
{
    if (!d->is_done)
        d->done(d->aux, d);
    d->is_done = true;
    if (!d->n_pending)
        counts_free(d);
}

static void counts_timeout(evutil_socket_t fd, short what, void *aux)
{
    counts_deliver(aux);
}

static void read_flow(void *aux, const struct wire_flow *flow)
{
    struct reading *r = aux;
    enum reason reason = reject_reason_of(flow->cookie, flow->table, flow->priority);
    struct count *c = reason ? count_find(r->counts, cookie_number(flow->cookie)) : NULL;
    if (c)
        c->packets[reason] += flow->packets;
}

/* What this host was asked about is read now, zeros included. */
static void mark_read(struct reading *r)
{
    struct drop_counts *d = r->counts;
    MAP_FOR_EACH (n, &d->counts) {
        struct count *c = CONTAINER_OF(n, struct count, by_number);
        uint32_t host = c->is_host ? c->number : runtime_binding(d->controller->runtime, c->number).host;
        if (host == r->host)
            c->is_read = true;
    }
}

static void read_done(void *aux, bool ok)
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

static void ask(struct drop_counts *d, struct hypervisor *h, uint64_t cookie, uint64_t mask)
{
    static const uint8_t every_table[] = { 0xff };
    struct reading *r = mem_zalloc(sizeof *r);
    *r = (struct reading) { d, h->number };
    struct of_session_read read = {
        .table = 0xff,
        .tables = every_table,
        .n_tables = 1,
        .cookie = cookie & mask,
        .cookie_mask = mask,
        .each_flow = read_flow,
        .done = read_done,
        .aux = r,
    };
    d->n_pending++;
    if (!of_session_read(h->of, &read)) {
        d->n_pending--;
        free(r);
    }
}

/* What is wanted of one host. One port's flows are found by their cookie; those of several are asked for together. */
struct wanted_of_host {
    uint32_t host;
    uint32_t n_ports, port;
    bool is_host_wanted;
};

static void ask_host(struct drop_counts *d, const struct wanted_of_host *w)
{
    struct hypervisor *h = host_by_number(d->controller->hosts, w->host);
    if (!h || !host_is_connected(h))
        return;
    if (w->n_ports)
        ask(d, h, cookie_make(FEATURE_REJECT, OBJECT_PORT, w->port), w->n_ports == 1 ? UINT64_MAX : 0xffffULL << 48);
    if (w->is_host_wanted)
        ask(d, h, cookie_make(FEATURE_TUNNEL, OBJECT_HOST, w->host), UINT64_MAX);
}

void drop_counts_read(struct controller *c, const uint32_t *numbers, size_t n, drop_counts_done *done, void *aux)
{
    struct drop_counts *d = mem_zalloc(sizeof *d);
    *d = (struct drop_counts) { .controller = c, .n_pending = 1, .done = done, .aux = aux };
    map_init(&d->counts);
    struct wanted_of_host *hosts = mem_zalloc((n + 1) * sizeof *hosts);
    size_t n_hosts = 0;
    for (size_t i = 0; i < n; i++) {
        bool is_host = model_get(c->model, numbers[i], OBJECT_HOST);
        uint32_t host = is_host ? numbers[i] : runtime_binding(c->runtime, numbers[i]).host;
        size_t known = 0;
        count_add(d, numbers[i], is_host);
        while (known < n_hosts && hosts[known].host != host)
            known++;
        if (known == n_hosts)
            hosts[n_hosts++].host = host;
        hosts[known].is_host_wanted |= is_host;
        hosts[known].n_ports += !is_host;
        hosts[known].port = is_host ? hosts[known].port : numbers[i];
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

json_t *drop_counts_port(const struct drop_counts *d, uint32_t port)
{
    const struct count *c = count_find(d, port);
    if (!c || !c->is_read)
        return json_null();
    json_t *object = json_object();
    for (int reason = REASON_NONE + 1; reason <= REASON_SG; reason++)
        json_object_set_new(object, reason_word(reason), json_integer((json_int_t) c->packets[reason]));
    return object;
}

json_t *drop_counts_host(const struct drop_counts *d, uint32_t host)
{
    const struct count *c = count_find(d, host);
    if (!c || !c->is_read)
        return json_null();
    return json_pack("{s:I}", reason_word(REASON_TUNNEL), (json_int_t) c->packets[REASON_TUNNEL]);
}
