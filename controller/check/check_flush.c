/* Connections by UDP have no end of their own: those of a target that is dead (once its group no longer fails open, too) or gone stay with it as long
 * as somebody sends, unless their switches forget them. Each host of the VPC is told to, but only once it has confirmed the flows that give new
 * connections to others, or the next packet would go the old way again. Hosts that are away are told when they are back; a vnetd that starts tells
 * all hosts again of targets that were dead already, and of those that are gone as long as one host was not told (as "flush/TARGET" in the store).
 *
 * By TCP the senders are reset, but a dead target hears nothing of that, and so its own zone keeps what it had: behind security groups a new
 * connection from the same port would be taken for a wrong packet of the old one. So its host forgets those when it is back. It has just answered
 * through that host, which therefore is there; and what lives on after all is known again with its next packet. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "controller/check/checks_private.h"
#include "controller/host/host.h"
#include "controller/host/host_reach.h"
#include "controller/store/store.h"

#define SOON_MS 5
#define LATER_MS 1000

struct flush {
    struct map_node by_place; /* host and target */
    uint32_t host, target;
    bool is_gone; /* the target; it counts there */
    uint64_t seq; /* what the host must have confirmed */
};

struct gone {
    struct map_node by_target;
    uint32_t target, vpc;
    size_t n_hosts; /* that were not told yet */
};

struct flushes {
    struct controller *controller;
    struct map wanted, gone;
    struct event *timer;
    int64_t pause_ms;
};

static void flushes_tick(evutil_socket_t fd, short what, void *aux);

struct flushes *
flushes_new(struct controller *c)
{
    struct flushes *f = mem_zalloc(sizeof *f);
    f->controller = c;
    map_init(&f->wanted);
    map_init(&f->gone);
    f->timer = evtimer_new(c->base, flushes_tick, f);
    return f;
}

void
flushes_free(struct flushes *f)
{
    MAP_FOR_EACH_SAFE (n, next, &f->wanted)
        free(CONTAINER_OF(n, struct flush, by_place));
    MAP_FOR_EACH_SAFE (n, next, &f->gone)
        free(CONTAINER_OF(n, struct gone, by_target));
    map_done(&f->wanted);
    map_done(&f->gone);
    event_free(f->timer);
    free(f);
}

static void
arm(struct flushes *f, int64_t pause_ms)
{
    f->pause_ms = pause_ms < LATER_MS ? pause_ms : LATER_MS;
    event_add(f->timer, &(struct timeval){ f->pause_ms / 1000, f->pause_ms % 1000 * 1000 });
}

static struct flush *
flush_find(const struct flushes *f, uint32_t host, uint32_t target, uint32_t hash)
{
    MAP_FOR_EACH_HASH (n, &f->wanted, hash) {
        struct flush *flush = CONTAINER_OF(n, struct flush, by_place);
        if (flush->host == host && flush->target == target)
            return flush;
    }
    return NULL;
}

/* ---- targets that are gone ---- */

static struct gone *
gone_find(const struct flushes *f, uint32_t target)
{
    MAP_FOR_EACH_HASH (n, &f->gone, hash_u32(target)) {
        struct gone *g = CONTAINER_OF(n, struct gone, by_target);
        if (g->target == target)
            return g;
    }
    return NULL;
}

static struct gone *
gone_add(struct flushes *f, uint32_t vpc, uint32_t target)
{
    struct gone *g = mem_zalloc(sizeof *g);
    *g = (struct gone){ .target = target, .vpc = vpc };
    map_insert(&f->gone, &g->by_target, hash_u32(target));
    return g;
}

static void
gone_store(const struct flushes *f, uint32_t target, const char *vpc)
{
    char *key = mem_printf("flush/%u", target);
    store_put_fact(f->controller->store, key, vpc);
    free(key);
}

/* Every host has been told. */
static void
gone_end(struct flushes *f, struct gone *g)
{
    gone_store(f, g->target, NULL);
    map_remove(&f->gone, &g->by_target);
    free(g);
}

static void
flush_end(struct flushes *f, struct flush *flush)
{
    struct gone *g = flush->is_gone ? gone_find(f, flush->target) : NULL;
    if (g && !--g->n_hosts)
        gone_end(f, g);
    map_remove(&f->wanted, &flush->by_place);
    free(flush);
}

/* ---- what is to be told ---- */

struct flush_target {
    struct flushes *flushes;
    uint32_t target;
    struct gone *gone; /* NULL: it is not */
};

static void
flush_at(void *aux, uint32_t host)
{
    const struct flush_target *t = aux;
    struct flushes *f = t->flushes;
    uint32_t hash = hash_u64((uint64_t) host << 32 | t->target);
    struct flush *flush = flush_find(f, host, t->target, hash);
    if (!flush) {
        flush = mem_zalloc(sizeof *flush);
        *flush = (struct flush){ .host = host, .target = t->target };
        map_insert(&f->wanted, &flush->by_place, hash);
    }
    flush->seq = host_ready_seq(f->controller, host);
    if (t->gone && !flush->is_gone) {
        flush->is_gone = true;
        t->gone->n_hosts++;
    }
}

static void
add(const struct flush_target *t, uint32_t vpc)
{
    struct flushes *f = t->flushes;
    compiler_each_host_of(f->controller->compiler, vpc, flush_at, (void *) t);
    if (map_count(&f->wanted))
        arm(f, SOON_MS);
}

void
flushes_add(struct flushes *f, uint32_t vpc, uint32_t target)
{
    add(&(struct flush_target){ f, target, NULL }, vpc);
}

static void
add_gone(struct flushes *f, struct gone *g)
{
    add(&(struct flush_target){ f, g->target, g }, g->vpc);
    if (!g->n_hosts)
        gone_end(f, g);
}

void
flushes_add_gone(struct flushes *f, uint32_t vpc, uint32_t target)
{
    char text[16];
    if (gone_find(f, target))
        return;
    snprintf(text, sizeof text, "%u", vpc);
    gone_store(f, target, text);
    add_gone(f, gone_add(f, vpc, target));
}

void
checks_remember_gone(struct checks *all, uint32_t target, uint32_t vpc)
{
    if (!gone_find(all->flushes, target))
        gone_add(all->flushes, vpc, target);
}

static bool
add_unhealthy(void *aux, const struct object *o)
{
    struct flushes *f = aux;
    if (runtime_target_state(f->controller->runtime, o->number) == TARGET_UNHEALTHY)
        flushes_add(f, ((const struct target *) (const void *) o)->vpc, o->number);
    return true;
}

void
flushes_add_unhealthy(struct flushes *f, uint32_t tg)
{
    model_each_referrer(f->controller->model, tg, OBJECT_TARGET, add_unhealthy, f);
}

void
flushes_begin(const struct checks *all)
{
    MAP_FOR_EACH (n, &all->by_number) {
        const struct checked *c = CONTAINER_OF(n, struct checked, by_number);
        if (c->is_udp && c->check.state == TARGET_UNHEALTHY)
            flushes_add(all->flushes, c->vpc, c->number);
    }
    MAP_FOR_EACH_SAFE (n, next, &all->flushes->gone)
        add_gone(all->flushes, CONTAINER_OF(n, struct gone, by_target));
}

static void
flush_send(const struct flushes *f, const struct flush *flush)
{
    const struct hypervisor *h = host_by_number(f->controller->hosts, flush->host);
    struct of_ct_match match = { .proto = L4_UDP, .label = (uint64_t) flush->target << 32, .label_mask = UINT64_C(0xffffffff) << 32 };
    of_session_flush_ct(h->of, &match);
}

static void
flushes_tick(evutil_socket_t fd, short what, void *aux)
{
    struct flushes *f = aux;
    MAP_FOR_EACH_SAFE (n, next, &f->wanted) {
        struct flush *flush = CONTAINER_OF(n, struct flush, by_place);
        bool is_ready = switch_is_ready(f->controller, flush->host, flush->seq);
        if (is_ready)
            flush_send(f, flush);
        if (is_ready || !host_by_number(f->controller->hosts, flush->host))
            flush_end(f, flush);
    }
    if (map_count(&f->wanted))
        arm(f, f->pause_ms * 2);
}

void
flush_reset(const struct controller *c, const struct checked *checked)
{
    const struct port *port = model_port(c->model, checked->port);
    uint32_t host = runtime_binding(c->runtime, checked->port).host;
    uint16_t zone = runtime_zone(c->runtime, host, checked->port);
    const struct hypervisor *h = host ? host_by_number(c->hosts, host) : NULL;
    if (!port || !zone || !h || !h->of)
        return;
    struct of_ct_match match = { .has_zone = true, .zone = zone, .proto = L4_TCP, .dst = port_ip4(port), .dst_port = checked->listens_at };
    of_session_flush_ct(h->of, &match);
}
