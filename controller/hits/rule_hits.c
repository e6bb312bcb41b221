#include "controller/hits/rule_hits.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/hits/hit_count.h"
#include "controller/hits/hit_reading.h"
#include "controller/hits/hit_source.h"
#include "controller/controller.h"
#include "controller/store/store.h"
#include "vnet/model/transaction.h"
#include "vnet/pipeline/feature.h"

#define LOG_MODULE "hits"
#include "base/log.h"

#define STORE_MS 1000
#define FEW 4096

/* One rule's, target's or listener's on one host; of targets and listeners apart: the first packets of connections, and all others. Host 0: of
 * hosts that are no more. */
struct account {
    struct map_node by_pair, by_rule, by_host;
    struct account *next_dirty;
    uint32_t host, rule;
    bool is_new;
    bool is_dirty; /* in the list of those to be stored */
    struct hit_count count;
};

struct rule_hits {
    struct controller *controller;
    struct map by_pair, by_rule, by_host;
    struct account *dirty;
    struct event *store;
    struct hit_rounds *rounds;
};

static void store_due(evutil_socket_t fd, short what, void *aux);

struct rule_hits *
rule_hits_new(struct controller *c)
{
    struct rule_hits *r = mem_zalloc(sizeof *r);
    r->controller = c;
    map_init(&r->by_pair);
    map_init(&r->by_rule);
    map_init(&r->by_host);
    r->store = evtimer_new(c->base, store_due, r);
    r->rounds = hit_rounds_new(c, r);
    return r;
}

/* ---- accounts ---- */

static uint32_t
pair_hash(uint32_t host, uint32_t rule)
{
    return hash_u64((uint64_t) host << 32 | rule);
}

static struct account *
account_find(const struct rule_hits *r, uint32_t host, uint32_t rule, bool is_new)
{
    MAP_FOR_EACH_HASH (n, &r->by_pair, pair_hash(host, rule)) {
        struct account *a = CONTAINER_OF(n, struct account, by_pair);
        if (a->host == host && a->rule == rule && a->is_new == is_new)
            return a;
    }
    return NULL;
}

static struct account *
account_get(struct rule_hits *r, uint32_t host, uint32_t rule, bool is_new)
{
    struct account *a = account_find(r, host, rule, is_new);
    if (a)
        return a;
    a = mem_zalloc(sizeof *a);
    a->host = host;
    a->rule = rule;
    a->is_new = is_new;
    map_insert(&r->by_pair, &a->by_pair, pair_hash(host, rule));
    map_insert(&r->by_rule, &a->by_rule, hash_u32(rule));
    map_insert(&r->by_host, &a->by_host, hash_u32(host));
    return a;
}

static void
account_free(struct account *a)
{
    hit_count_done(&a->count);
    free(a);
}

void
rule_hits_free(struct rule_hits *r)
{
    if (!r)
        return;
    hit_rounds_free(r->rounds);
    MAP_FOR_EACH_SAFE (n, next, &r->by_pair)
        account_free(CONTAINER_OF(n, struct account, by_pair));
    map_done(&r->by_pair);
    map_done(&r->by_rule);
    map_done(&r->by_host);
    event_free(r->store);
    free(r);
}

bool
rule_hits_of(const struct rule_hits *r, uint32_t rule, struct hits *hits)
{
    bool is_known = false;
    *hits = (struct hits){ .packets = 0 };
    MAP_FOR_EACH_HASH (n, &r->by_rule, hash_u32(rule)) {
        const struct account *a = CONTAINER_OF(n, struct account, by_rule);
        if (a->rule != rule)
            continue;
        is_known = true;
        hits->connections += a->is_new ? a->count.packets : 0;
        hits->packets += a->count.packets;
        hits->bytes += a->count.bytes;
        if (a->count.last_hit_ms > hits->last_hit_ms)
            hits->last_hit_ms = a->count.last_hit_ms;
    }
    return is_known;
}

/* ---- in the store ---- */

static void
put_fact(struct rule_hits *r, const struct account *a, const char *value)
{
    char key[48];
    snprintf(key, sizeof key, "hits/%u/%u%s", a->host, a->rule, a->is_new ? "/new" : "");
    store_put_fact(r->controller->store, key, value);
}

void
rule_hits_store(struct rule_hits *r)
{
    for (struct account *a = r->dirty, *next; a; a = next) {
        char *text = hit_count_format(&a->count);
        put_fact(r, a, text);
        free(text);
        next = a->next_dirty;
        a->is_dirty = false;
        a->next_dirty = NULL;
    }
    r->dirty = NULL;
}

static void
store_due(evutil_socket_t fd, short what, void *aux)
{
    rule_hits_store(aux);
}

/* Total and what flows had when last seen are stored together: a later vnetd adds what they grew by since, whenever that was. */
static void
account_changed(struct rule_hits *r, struct account *a)
{
    if (a->is_dirty)
        return;
    a->is_dirty = true;
    a->next_dirty = r->dirty;
    r->dirty = a;
    if (!evtimer_pending(r->store, NULL))
        evtimer_add(r->store, &(struct timeval){ .tv_sec = STORE_MS / 1000 });
}

static void
account_remove(struct rule_hits *r, struct account *a)
{
    for (struct account **at = &r->dirty; *at && a->is_dirty; at = &(*at)->next_dirty)
        if (*at == a) {
            *at = a->next_dirty;
            break;
        }
    map_remove(&r->by_pair, &a->by_pair);
    map_remove(&r->by_rule, &a->by_rule);
    map_remove(&r->by_host, &a->by_host);
    put_fact(r, a, NULL);
    account_free(a);
}

void
rule_hits_remember(struct rule_hits *r, const char *key, const char *value)
{
    unsigned host, rule;
    int at = 0;
    if (sscanf(key, "%u/%u%n", &host, &rule, &at) != 2 || (key[at] && strcmp(key + at, "/new")))
        return;
    struct account *a = account_get(r, host, rule, key[at]);
    const struct object *o = model_get(r->controller->model, rule, OBJECT_NONE);
    if (!hit_count_parse(&a->count, value))
        log_warn("the store's count %s is unreadable: it begins at zero", key);
    if (!o || !hit_source_of(o->type))
        account_remove(r, a); /* it went when vnetd did */
}

/* ---- what goes ---- */

static void
forget_rule(struct rule_hits *r, uint32_t rule)
{
    for (struct map_node *n = map_first_hash(&r->by_rule, hash_u32(rule)), *next; n; n = next) {
        struct account *a = CONTAINER_OF(n, struct account, by_rule);
        next = map_next_hash(n);
        if (a->rule == rule)
            account_remove(r, a);
    }
}

static struct account *
first_of_host(const struct rule_hits *r, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &r->by_host, hash_u32(host)) {
        struct account *a = CONTAINER_OF(n, struct account, by_host);
        if (a->host == host)
            return a;
    }
    return NULL;
}

static void
keep_of_host(struct rule_hits *r, uint32_t host)
{
    struct account *a;
    while ((a = first_of_host(r, host))) {
        struct account *kept = account_get(r, 0, a->rule, a->is_new);
        hit_count_add(&kept->count, &a->count);
        account_changed(r, kept);
        account_remove(r, a);
    }
}

void
rule_hits_changed(struct rule_hits *r, const struct change *change)
{
    if (!change->after && hit_source_of(change->type))
        forget_rule(r, change->number);
    else if (!change->after && change->type == OBJECT_HOST)
        keep_of_host(r, change->number);
}

/* ---- what is read, and what switches tell ---- */

static struct hit_now
now(void)
{
    return (struct hit_now){ controller_now_ms(), controller_wall_ms() };
}

/* Which flow it is: stored, so it must not change from one version to the next. (FNV-1a) */
static uint64_t
flow_number(const struct wire_flow *flow)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const uint8_t head[] = { flow->table, flow->priority >> 8, (uint8_t) flow->priority };
    for (size_t i = 0; i < sizeof head; i++)
        hash = (hash ^ head[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < flow->key_len; i++)
        hash = (hash ^ flow->key[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static struct hit_sight
sight_of(const struct wire_flow *flow)
{
    return (struct hit_sight){ flow_number(flow), flow->packets, flow->bytes, flow->duration_s, flow->idle_s };
}

/* Hosts may still have flows of what is gone. NULL: it does not count. */
static struct account *
account_of(struct rule_hits *r, uint32_t host, const struct wire_flow *flow)
{
    struct hit_flow_of of;
    if (!hit_source_flow(flow, &of) || !model_get(r->controller->model, of.number, of.type))
        return NULL;
    return account_get(r, host, of.number, of.is_new);
}

void
rule_hits_flow_seen(struct rule_hits *r, uint32_t host, uint64_t reading, const struct wire_flow *flow)
{
    struct account *a = account_of(r, host, flow);
    struct hit_sight sight = sight_of(flow);
    if (a && hit_count_seen(&a->count, &sight, reading, now()))
        account_changed(r, a);
}

void
rule_hits_flow_removed(struct rule_hits *r, uint32_t host, const struct wire_flow *flow)
{
    struct account *a = account_of(r, host, flow);
    struct hit_sight sight = sight_of(flow);
    if (a && hit_count_removed(&a->count, &sight, now()))
        account_changed(r, a);
}

static struct map_node *
of_host(const struct rule_hits *r, uint32_t host)
{
    return map_first_hash(&r->by_host, hash_u32(host));
}

static void
account_read(struct rule_hits *r, struct account *a, uint64_t reading, const struct hits_of *of)
{
    if (a->host == of->host && a->rule >= of->first && a->rule <= of->last && model_get(r->controller->model, a->rule, of->type))
        hit_count_read(&a->count, reading, now());
}

/* Few numbers are looked up one by one: a host may have very many accounts. */
void
rule_hits_host_read(struct rule_hits *r, uint64_t reading, const struct hits_of *of)
{
    bool are_few = of->last - of->first < FEW;
    for (uint64_t rule = of->first; are_few && rule <= of->last; rule++)
        for (struct map_node *n = map_first_hash(&r->by_pair, pair_hash(of->host, (uint32_t) rule)); n; n = map_next_hash(n))
            account_read(r, CONTAINER_OF(n, struct account, by_pair), reading, of);
    for (struct map_node *n = are_few ? NULL : of_host(r, of->host); n; n = map_next_hash(n))
        account_read(r, CONTAINER_OF(n, struct account, by_host), reading, of);
}

void
rule_hits_disconnected(struct rule_hits *r, uint32_t host)
{
    for (struct map_node *n = of_host(r, host); n; n = map_next_hash(n)) {
        struct account *a = CONTAINER_OF(n, struct account, by_host);
        if (a->host == host)
            hit_count_disconnected(&a->count);
    }
}

void
rule_hits_read(struct rule_hits *r, const uint32_t *rules, size_t n, rule_hits_done *done, void *aux)
{
    hit_rounds_ask(r->rounds, &(struct hit_question){ rules, n, done, aux });
}
