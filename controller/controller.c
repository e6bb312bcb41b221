#include "controller/controller.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/json.h"
#include "controller/api/api.h"
#include "controller/check/checks.h"
#include "controller/chores.h"
#include "controller/commit.h"
#include "controller/feed.h"
#include "controller/hits/rule_hits.h"
#include "controller/host/binding.h"
#include "controller/host/handover.h"
#include "controller/host/held_zones.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"
#include "controller/instance/counting.h"
#include "controller/instance/instances.h"
#include "controller/instance/migrations.h"
#include "controller/instance/removals.h"
#include "controller/outside.h"
#include "controller/refusals.h"
#include "controller/retired.h"
#include "controller/store/store.h"
#include "controller/upgrade.h"
#include "controller/tokens.h"
#include "controller/waiter.h"
#include "vnet/model/transaction.h"

#define LOG_MODULE "vnetd"
#include "base/log.h"

int64_t
controller_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int64_t
controller_wall_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void
controller_random(void *unused, uint8_t *bytes, size_t n)
{
    while (n) {
        ssize_t got = getrandom(bytes, n, 0);
        if (got < 0)
            continue;
        bytes += got;
        n -= (size_t) got;
    }
}

static void
fact_concerns(void *aux, uint32_t host)
{
    struct controller *c = aux;
    struct hypervisor *h = host_by_number(c->hosts, host);
    if (h)
        host_concern(h, c->seq);
}

void
controller_fact_changed(struct controller *c, const struct vnet_event *event)
{
    c->seq++;
    if (event->kind == EVENT_BINDING)
        fact_concerns(c, event->after.host);
    hosts_put_holders_first(c->hosts, event);
    handovers_look(c->handovers, event);
    held_zones_look(c->held_zones, event);
    compiler_changed(c->compiler, event, fact_concerns, c);
    hosts_changed(c->hosts, event);
    outside_changed(c->outside, event);
    checks_changed(c->checks, event);
    counting_changed(c->counting, event);
}

/* ---- loading ---- */

struct loading {
    struct controller *controller;
    json_t *facts;
};

static bool
load_object(void *aux, uint32_t number, const json_t *document, struct error *err)
{
    struct loading *l = aux;
    return model_load_object(l->controller->model, number, document, err);
}

static void
load_fact(void *aux, const char *key, const char *value)
{
    struct loading *l = aux;
    json_object_set_new(l->facts, key, json_string(value));
}

static void
load_tombstone(void *aux, uint32_t number)
{
    struct loading *l = aux;
    model_load_tombstone(l->controller->model, number);
    retired_load(l->controller->retired, number);
}

/* "OFPORT ORDER" */
static void
use_binding(struct controller *c, uint32_t host, const char *iface_id, const char *value)
{
    unsigned ofport;
    unsigned long long order = 0;
    if (host_by_number(c->hosts, host) && sscanf(value, "%u %llu", &ofport, &order) >= 1 && ofport <= OF_PORT_MAX)
        bindings_remember(c->bindings, host, iface_id, ofport, order);
}

/* Facts are used only when every object is there. Hosts first: a binding on an unknown host is nothing. */
static void
use_facts(struct controller *c, json_t *facts)
{
    const char *key;
    json_t *value;
    unsigned number, other;
    int at;
    json_object_foreach (facts, key, value)
        if (sscanf(key, "host/%u", &number) == 1)
            hosts_remember(c->hosts, number, json_string_value(value));
    json_object_foreach (facts, key, value) {
        at = 0;
        if (sscanf(key, "binding/%u/%n", &number, &at) == 1 && at)
            use_binding(c, number, key + at, json_string_value(value));
        else if (sscanf(key, "lost/%u/%u", &number, &other) == 2)
            hosts_remember_lost_zone(c->hosts, number, other);
        else if (sscanf(key, "held/%u", &number) == 1)
            held_zones_remember(c->held_zones, number, (uint32_t) strtoul(json_string_value(value), NULL, 10));
        else if (sscanf(key, "pool/%u", &number) == 1)
            outside_remember(c->outside, number, json_string_value(value));
        else if (sscanf(key, "agent/%u", &number) == 1)
            agents_remember(c->agents, number);
        else if (!strncmp(key, "hits/", 5))
            rule_hits_remember(c->hits, key + 5, json_string_value(value));
        else if (sscanf(key, "target/%u", &number) == 1)
            checks_remember(c->checks, number, json_string_value(value));
        else if (sscanf(key, "flush/%u", &number) == 1)
            checks_remember_gone(c->checks, number, (uint32_t) strtoul(json_string_value(value), NULL, 10));
        else if (!strncmp(key, "token/", 6))
            tokens_remember(c->tokens, key + 6, json_string_value(value));
    }
    bindings_remembered(c->bindings);
}

/* The tenant that is there from the start is as old as its store. */
static void
date_tenant_default(struct controller *c, const json_t *facts)
{
    static const char key[] = "created";
    const char *text = json_member_string(facts, key);
    int64_t ms = text ? strtoll(text, NULL, 10) : 0;
    if (ms <= 0) {
        char now[24];
        ms = controller_wall_ms();
        snprintf(now, sizeof now, "%lld", (long long) ms);
        store_put_fact(c->store, key, now);
    }
    model_tenant_default_since(c->model, ms);
}

static bool
load(struct controller *c, struct error *err)
{
    struct loading l = { c, json_object() };
    struct store_loader loader = { .object = load_object, .fact = load_fact, .tombstone = load_tombstone, .aux = &l };
    struct model_sequences sequences;
    bool ok = store_load(c->store, &loader, &sequences, err) && model_load_finish(c->model, &sequences, err) && upgrade_intent(c, err);
    const struct object *o = NULL;
    for (uint32_t after = 0; ok && (o = model_next(c->model, OBJECT_HOST, after)); after = o->number)
        hosts_object_added(c->hosts, o->number);
    if (ok) {
        date_tenant_default(c, l.facts);
        use_facts(c, l.facts);
        outside_begin(c->outside);
        checks_begin(c->checks);
    }
    json_decref(l.facts);
    return ok;
}

/* ---- start and stop ---- */

static bool
needs_tls(const struct option_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (!strncmp(list->v[i], "pssl:", 5))
            return true;
    return false;
}

static bool
load_tls(struct controller *c, struct error *err)
{
    const struct options *o = c->options;
    if (!needs_tls(&o->openflow) && !needs_tls(&o->ovsdb) && !needs_tls(&o->api))
        return true;
    c->tls = endpoint_tls_new(o->key, o->cert, o->ca, err);
    return c->tls;
}

bool
controller_start(struct controller *c, const struct options *options, struct error *err)
{
    *c = (struct controller){ .options = options, .seq = 1, .started_ms = controller_wall_ms() };
    c->base = event_base_new();
    c->chores = chores_new(c->base);
    c->model = model_new();
    c->runtime = runtime_new();
    c->compiler = compiler_new(c->model, c->runtime);
    c->feed = feed_new(c);
    c->waiters = waiters_new(c);
    c->bindings = bindings_new(c);
    c->hosts = hosts_new(c);
    c->handovers = handovers_new(c);
    c->held_zones = held_zones_new(c);
    c->commits = commits_new(c);
    c->refusals = refusals_new(c);
    c->retired = retired_new(c);
    c->outside = outside_new(c);
    c->instances = instances_new(c);
    c->removals = removals_new(c);
    c->agents = agents_new(c);
    c->counting = counting_new(c);
    c->hits = rule_hits_new(c);
    c->checks = checks_new(c);
    c->tokens = tokens_new(c);
    c->migrations = migrations_new(c);
    if (load_tls(c, err) && (c->store = store_open(c->base, options->store, err)) && load(c, err) && hosts_listen(c->hosts, err)
        && (c->api = api_new(c, err)))
        return true;
    controller_stop(c);
    return false;
}

/* Who asks is let go first, then sessions, while all that they tell is still there; hosts before what their sessions are counted in. */
void
controller_stop(struct controller *c)
{
    api_free(c->api);
    event_base_loop(c->base, EVLOOP_NONBLOCK);
    chores_close(c->chores);
    hosts_close(c->hosts);
    if (c->store)
        rule_hits_store(c->hits);
    store_close(c->store);
    commits_free(c->commits);
    waiters_free(c->waiters);
    checks_free(c->checks);
    outside_free(c->outside);
    agents_free(c->agents);
    counting_free(c->counting);
    tokens_free(c->tokens);
    migrations_free(c->migrations);
    removals_free(c->removals);
    instances_free(c->instances);
    bindings_free(c->bindings);
    hosts_free(c->hosts);
    handovers_free(c->handovers);
    held_zones_free(c->held_zones);
    rule_hits_free(c->hits);
    retired_free(c->retired);
    refusals_free(c->refusals);
    feed_free(c->feed);
    compiler_free(c->compiler);
    runtime_free(c->runtime);
    model_free(c->model);
    chores_free(c->chores);
    SSL_CTX_free(c->tls);
    event_base_free(c->base);
}
