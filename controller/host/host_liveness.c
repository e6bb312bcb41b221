/* From what hosts see of gateways by BFD to the runtime: collects views, has them judged once in a round of the loop, and tells of gateways
 * that died, at once unless that is doubtful, or came back, when they have been reached for a while: a switch that has just started comes
 * and goes. What a host says counts while both its sessions are up (an ovs-vswitchd that is gone leaves its last word in the database), and
 * the link that its tunnels leave by. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/gateway_liveness.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"

#define REVIVAL_MS 1000
#define DOUBT_MS 400 /* until a path that broke has been noticed at its other end, too, and told */

#define LOG_MODULE "host"
#include "base/log.h"

void
host_saw_peer(struct hypervisor *h, uint32_t peer, enum ovsdb_peer_state state)
{
    size_t i = 0;
    while (i < h->n_views && h->views[i].peer != peer)
        i++;
    if (i == h->n_views) {
        h->views = mem_grow(h->views, &h->cap_views, ++h->n_views, sizeof *h->views);
        h->views[i].peer = peer;
    }
    h->views[i].state = state;
    if (state == OVSDB_PEER_UNKNOWN)
        h->views[i] = h->views[--h->n_views];
    hosts_judge_gateways(h->all);
}

static int
compare_peer(const void *key, const void *element)
{
    uint32_t number = *(const uint32_t *) key, other = ((const struct ovsdb_peer *) element)->number;
    return (number > other) - (number < other);
}

void
host_keep_views(struct hypervisor *h, const struct ovsdb_peer *peers, size_t n)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < h->n_views; i++)
        if (n && bsearch(&h->views[i].peer, peers, n, sizeof *peers, compare_peer))
            h->views[n_kept++] = h->views[i];
    if (n_kept == h->n_views)
        return;
    h->n_views = n_kept;
    hosts_judge_gateways(h->all);
}

void
host_forget_views(struct hypervisor *h)
{
    h->n_views = 0;
    hosts_judge_gateways(h->all);
}

/* ---- judging ---- */

struct hearing {
    struct hosts *all;
    struct gateway_state *gateways;
    size_t n_gateways, cap_gateways;
    struct gateway_view *views;
    size_t n_views, cap_views;
    int64_t again_ms; /* when they are to be judged again: left from now; INT64_MAX: when something is heard */
};

static bool
is_heard(const struct hypervisor *h)
{
    return h && h->db && h->of;
}

static void
hearing_add_gateway(void *aux, const struct runtime_host *r)
{
    struct hearing *e = aux;
    if (!r->is_gateway)
        return;
    e->gateways = mem_grow(e->gateways, &e->cap_gateways, e->n_gateways + 1, sizeof *e->gateways);
    e->gateways[e->n_gateways++] = (struct gateway_state){
        .host = r->number,
        .is_connected = is_heard(host_by_number(e->all, r->number)),
        .is_dead = r->is_dead,
    };
}

/* Then it is no wonder that it sees nobody. Of two that only have each other that one is dead. */
static bool
is_cut_off(const struct hypervisor *h)
{
    return h->is_underlay_down || agents_underlay_is_down(hosts_controller(h->all)->agents, h->number);
}

static void
hearing_add_views(struct hearing *e, const struct hypervisor *h)
{
    for (size_t i = 0; is_heard(h) && !is_cut_off(h) && i < h->n_views; i++) {
        e->views = mem_grow(e->views, &e->cap_views, e->n_views + 1, sizeof *e->views);
        e->views[e->n_views++] = (struct gateway_view){ h->number, h->views[i].peer, h->views[i].state == OVSDB_PEER_UP };
    }
}

static int
compare_gateways(const void *a, const void *b)
{
    const struct gateway_state *ga = a, *gb = b;
    return (ga->host > gb->host) - (ga->host < gb->host);
}

static bool
has_lasted(struct hearing *e, int64_t *since_ms, int64_t ms)
{
    int64_t now_ms = controller_now_ms();
    if (!*since_ms)
        *since_ms = now_ms;
    int64_t left_ms = *since_ms + ms - now_ms;
    if (left_ms > 0 && left_ms < e->again_ms)
        e->again_ms = left_ms;
    return left_ms <= 0;
}

/* Is it to be told of? A dead one that lives must have done so for a while, and so must a death that is doubtful. */
static bool
is_verdict_ripe(struct hearing *e, struct hypervisor *h, const struct gateway_state *g)
{
    const struct runtime_host *known = runtime_host(hosts_controller(h->all)->runtime, h->number);
    bool dies = g->is_dead && !known->is_dead, rises = !g->is_dead && known->is_dead;
    if (!rises)
        h->alive_since_ms = 0;
    if (!dies || !g->is_doubtful)
        h->doubt_since_ms = 0;
    if (rises)
        return has_lasted(e, &h->alive_since_ms, REVIVAL_MS);
    return dies && (!g->is_doubtful || has_lasted(e, &h->doubt_since_ms, DOUBT_MS));
}

/* Those that are alive first: what the dead held shall find them. */
static void
announce_verdicts(struct hearing *e, bool is_dead)
{
    for (size_t i = 0; i < e->n_gateways; i++) {
        const struct gateway_state *g = &e->gateways[i];
        struct hypervisor *h = host_by_number(e->all, g->host);
        if (!h || g->is_dead != is_dead || !is_verdict_ripe(e, h, g) || !host_set_dead(h, is_dead))
            continue;
        if (is_dead)
            log_warn("gateway '%s': its peers cannot reach it any more; what it holds moves to others", h->name);
        else
            log_info("gateway '%s': its peers reach it again", h->name);
    }
}

void
hosts_judge_now(struct hosts *all)
{
    struct hearing e = { .all = all, .again_ms = INT64_MAX };
    runtime_each_host(hosts_controller(all)->runtime, hearing_add_gateway, &e);
    for (const struct hypervisor *h = e.n_gateways ? hosts_first(all) : NULL; h; h = hosts_next(all, h))
        hearing_add_views(&e, h);
    if (e.n_gateways)
        qsort(e.gateways, e.n_gateways, sizeof *e.gateways, compare_gateways);
    gateway_liveness_judge(e.gateways, e.n_gateways, e.views, e.n_views);
    announce_verdicts(&e, false);
    announce_verdicts(&e, true);
    if (e.again_ms < INT64_MAX)
        hosts_judge_gateways_in(all, (int) e.again_ms);
    free(e.gateways);
    free(e.views);
}
