/* From what a host's database says of the network cards in its uplinks' bridges to the runtime: their MTU, and which uplinks count as dead. One is dead at
 * once when all cards of its bridge are down, and lives again when one has been up for a while: a port that flaps would carry its addresses back and forth.
 * What was last known stands while nothing is heard.
 *
 *         all cards of its bridge are down                     one has been up for REVIVAL_MS
 *     up ---------------------------------> down (at once) ------------------------------------> up
 *                                            ^  |
 *                                            +--+ it goes down again: the time begins anew
 */
#include <stdio.h>
#include <string.h>

#include "controller/controller.h"
#include "controller/host/host.h"
#include "vnet/pipeline/placement.h"

#define REVIVAL_MS 1000 /* as of a gateway that its peers reach again (host_liveness.c) */

#define LOG_MODULE "host"
#include "base/log.h"

static struct host_uplink *
uplink_told(struct hypervisor *h, const struct ovsdb_uplink *which)
{
    for (size_t i = 0; i < h->n_uplinks; i++)
        if (!strcmp(h->uplinks[i].of.network, which->network) && !strcmp(h->uplinks[i].of.bridge, which->bridge))
            return &h->uplinks[i];
    return NULL;
}

void
host_uplinks_told(struct hypervisor *h, const struct ovsdb_uplink_state *states)
{
    struct host_uplink now[OVSDB_UPLINKS_MAX];
    for (size_t i = 0; i < h->facts.n_uplinks; i++) {
        const struct host_uplink *was = uplink_told(h, &h->facts.uplinks[i]);
        now[i] = was ? *was : (struct host_uplink){ .of = h->facts.uplinks[i] };
        now[i].state = states[i];
        if (states[i].is_down)
            snprintf(now[i].down, sizeof now[i].down, "%s", states[i].cards);
    }
    memcpy(h->uplinks, now, h->facts.n_uplinks * sizeof *now);
    h->n_uplinks = h->facts.n_uplinks;
}

/* A host that is away may have lost its address to another meanwhile: then it says nothing before it is back. */
static void
look_again(evutil_socket_t fd, short what, void *aux)
{
    struct hypervisor *h = aux;
    if (runtime_host(hosts_controller(h->all)->runtime, h->number))
        host_tell_runtime(h);
}

static void
look_again_in(struct hypervisor *h, int64_t ms)
{
    struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    if (!h->uplink_rises)
        h->uplink_rises = evtimer_new(hosts_controller(h->all)->base, look_again, h);
    if (!evtimer_pending(h->uplink_rises, NULL))
        evtimer_add(h->uplink_rises, &tv);
}

static bool
is_dead(struct hypervisor *h, struct host_uplink *u, bool was_down)
{
    if (u->state.is_down || !was_down) {
        u->up_since_ms = 0;
        return u->state.is_down;
    }
    int64_t now_ms = controller_now_ms();
    if (!u->up_since_ms)
        u->up_since_ms = now_ms;
    int64_t left_ms = u->up_since_ms + REVIVAL_MS - now_ms;
    if (left_ms <= 0)
        return false;
    look_again_in(h, left_ms);
    return true;
}

struct runtime_uplink
host_uplink_state(struct hypervisor *h, const struct ovsdb_uplink *which, const struct runtime_host *known)
{
    struct host_uplink *u = uplink_told(h, which);
    const struct runtime_uplink *last = known ? runtime_uplink(known, which->network) : NULL;
    struct runtime_uplink state = last ? *last : (struct runtime_uplink){ .ofport = 0 };
    if (!u)
        return state;
    state.mtu = u->state.mtu;
    state.is_down = is_dead(h, u, state.is_down);
    return state;
}

/* What flaps is told once. */
void
host_report_uplinks(struct hypervisor *h)
{
    char text[200] = "";
    size_t n = 0;
    const struct runtime_host *r = runtime_host(hosts_controller(h->all)->runtime, h->number);
    for (size_t i = 0; r && i < h->n_uplinks && n < sizeof text - 1; i++) {
        const struct host_uplink *u = &h->uplinks[i];
        const struct runtime_uplink *uplink = runtime_uplink(r, u->of.network);
        if (!uplink || !uplink->is_down || !*u->down)
            continue;
        snprintf(text + n, sizeof text - n, "%snetwork '%s' by bridge '%s' (%s)", n ? ", " : "", u->of.network, u->of.bridge, u->down);
        n = strlen(text);
    }
    if (n)
        host_set_error(h, HOST_ERROR_UPLINK, "no network card with a carrier to %s", text);
    else
        host_clear_error(h, HOST_ERROR_UPLINK);
}
