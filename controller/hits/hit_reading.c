#include "controller/hits/hit_reading.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/hits/hit_source.h"
#include "controller/host/host.h"
#include "vnet/pipeline/feature.h"

#define ROUND_MS 10000  /* between the end of a round and the next one's beginning */
#define PAUSE 9         /* times as long as a reading took */
#define ASKED_AT_ONCE 8 /* readings of a question */
#define ASK_TIMEOUT_S 5

struct hit_rounds {
    struct controller *controller;
    struct rule_hits *hits;
    uint64_t n_readings;
    struct event *timer; /* the next host, or the next round */
    uint32_t host;       /* of the round's last reading; 0: none */
    size_t source;       /* the next to be read there */
    int64_t began_ms;
};

/* One host's, of one type's flows. */
struct reading {
    struct hit_rounds *rounds;
    const struct hit_source *source;
    uint64_t number;
    uint32_t host;
    struct cookie_block block;
    void (*done)(void *aux, bool ok);
    void *aux;
};

static void
read_flow(void *aux, const struct wire_flow *flow)
{
    struct reading *r = aux;
    rule_hits_flow_seen(r->rounds->hits, r->host, r->number, flow);
}

static void
read_done(void *aux, bool ok)
{
    struct reading *r = aux;
    if (ok)
        rule_hits_host_read(r->rounds->hits, r->number, &(struct hits_of){ r->host, r->source->type, r->block.first, r->block.last });
    r->done(r->aux, ok);
    free(r);
}

static bool
host_read(struct hit_rounds *rounds, const struct reading *wanted)
{
    const struct hypervisor *h = host_by_number(rounds->controller->hosts, wanted->host);
    struct reading *r = mem_dup(wanted, sizeof *wanted);
    r->rounds = rounds;
    r->number = ++rounds->n_readings;
    struct of_session_read read = {
        .table = 0xff,
        .tables = r->source->tables,
        .n_tables = r->source->n_tables,
        .cookie = r->block.cookie,
        .cookie_mask = r->block.mask,
        .each_flow = read_flow,
        .done = read_done,
        .aux = r,
    };
    bool ok = h && host_is_connected(h) && !hosts_are_closing(rounds->controller->hosts) && of_session_read(h->of, &read);
    if (!ok)
        free(r);
    return ok;
}

/* ---- rounds ---- */

static void
round_wait(struct hit_rounds *r, int64_t ms)
{
    struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    evtimer_add(r->timer, &tv);
}

static void
round_read(void *aux, bool ok)
{
    struct hit_rounds *r = aux;
    round_wait(r, (controller_now_ms() - r->began_ms) * PAUSE);
}

/* The connected host with the next number. */
static uint32_t
host_after(const struct hit_rounds *r)
{
    uint32_t next = 0;
    for (const struct hypervisor *h = hosts_first(r->controller->hosts); h; h = hosts_next(r->controller->hosts, h))
        if (h->number > r->host && (!next || h->number < next) && host_is_connected(h))
            next = h->number;
    return next;
}

/* False: all is read. */
static bool
round_next(struct hit_rounds *r)
{
    if (!r->host || r->source == HIT_SOURCES) {
        r->host = host_after(r);
        r->source = 0;
    }
    return r->host != 0;
}

static void
round_go(evutil_socket_t fd, short what, void *aux)
{
    struct hit_rounds *r = aux;
    while (round_next(r)) {
        struct cookie_block blocks[COOKIE_BLOCKS];
        const struct hit_source *source = hit_source_at(r->source++);
        cookie_blocks(source->feature, source->type, 0, UINT32_MAX, blocks); /* all: one block */
        r->began_ms = controller_now_ms();
        if (host_read(r, &(struct reading){ .source = source, .host = r->host, .block = blocks[0], .done = round_read, .aux = r }))
            return;
    }
    round_wait(r, ROUND_MS);
}

struct hit_rounds *
hit_rounds_new(struct controller *c, struct rule_hits *hits)
{
    struct hit_rounds *r = mem_zalloc(sizeof *r);
    *r = (struct hit_rounds){ .controller = c, .hits = hits };
    r->timer = evtimer_new(c->base, round_go, r);
    round_wait(r, ROUND_MS);
    return r;
}

void
hit_rounds_free(struct hit_rounds *r)
{
    event_free(r->timer);
    free(r);
}

/* ---- questions ---- */

/* Outlives a time-out: readings end when they end. */
struct asking {
    struct hit_rounds *rounds;
    const struct hit_source *source;
    uint32_t *hosts;
    struct cookie_block blocks[COOKIE_BLOCKS]; /* asked of each of them */
    size_t n_blocks;
    size_t n, next, n_pending; /* readings: of each host so many as there are blocks */
    bool is_incomplete, is_done, is_starting;
    struct event *timer;
    rule_hits_done *done;
    void *aux;
};

static void
asking_deliver(struct asking *a, bool is_complete)
{
    if (!a->is_done)
        a->done(a->aux, is_complete);
    a->is_done = true;
}

static void
asking_timeout(evutil_socket_t fd, short what, void *aux)
{
    struct asking *a = aux;
    a->next = a->n;
    asking_deliver(a, false);
}

static void asked(void *aux, bool ok);

/* Goes on with the next hosts, as far as there is room; ends after the last. */
static void
asking_go(struct asking *a)
{
    if (a->is_starting)
        return;
    a->is_starting = true;
    while (a->next < a->n && a->n_pending < ASKED_AT_ONCE) {
        const struct reading wanted = {
            .source = a->source, .host = a->hosts[a->next / a->n_blocks], .block = a->blocks[a->next % a->n_blocks], .done = asked, .aux = a
        };
        bool ok = host_read(a->rounds, &wanted);
        a->next++;
        a->n_pending += ok;
        a->is_incomplete |= !ok;
    }
    a->is_starting = false;
    if (a->n_pending)
        return;
    asking_deliver(a, !a->is_incomplete);
    event_free(a->timer);
    free(a->hosts);
    free(a);
}

static void
asked(void *aux, bool ok)
{
    struct asking *a = aux;
    a->n_pending--;
    a->is_incomplete |= !ok;
    asking_go(a);
}

static bool
has_flows(const struct hypervisor *h, const struct hit_source *source, const uint32_t *rules, size_t n)
{
    for (size_t i = 0; h->table && i < n; i++)
        if (flow_table_has_block(h->table, cookie_make(source->feature, source->type, rules[i])))
            return true;
    return false;
}

/* The least and the greatest number, and what lies between them. */
static size_t
blocks_of(const struct hit_source *source, const uint32_t *rules, size_t n, struct cookie_block blocks[COOKIE_BLOCKS])
{
    uint32_t first = UINT32_MAX, last = 0;
    for (size_t i = 0; i < n; i++) {
        first = rules[i] < first ? rules[i] : first;
        last = rules[i] > last ? rules[i] : last;
    }
    return source ? cookie_blocks(source->feature, source->type, first, last, blocks) : 0;
}

void
hit_rounds_ask(struct hit_rounds *rounds, const struct hit_question *q)
{
    struct asking *a = mem_zalloc(sizeof *a);
    size_t cap = 0, n_hosts = 0;
    const struct object *first = q->n ? model_get(rounds->controller->model, q->rules[0], OBJECT_NONE) : NULL;
    *a = (struct asking){ .rounds = rounds, .source = first ? hit_source_of(first->type) : NULL, .done = q->done, .aux = q->aux };
    a->n_blocks = blocks_of(a->source, q->rules, q->n, a->blocks);
    for (const struct hypervisor *h = hosts_first(rounds->controller->hosts); h; h = hosts_next(rounds->controller->hosts, h)) {
        if (!a->source || !has_flows(h, a->source, q->rules, q->n))
            continue;
        a->hosts = mem_grow(a->hosts, &cap, n_hosts + 1, sizeof *a->hosts);
        a->hosts[n_hosts++] = h->number;
    }
    a->n = n_hosts * a->n_blocks;
    a->timer = evtimer_new(rounds->controller->base, asking_timeout, a);
    evtimer_add(a->timer, &(struct timeval){ .tv_sec = ASK_TIMEOUT_S });
    asking_go(a);
}
