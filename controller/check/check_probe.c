/* Probes, sent through the switch of the target's own host, and what comes back. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "controller/check/checks_private.h"
#include "controller/host/host.h"
#include "controller/host/host_reach.h"
#include "vnet/feature/sg/sg.h"
#include "vnet/model/router_mac.h"
#include "vnet/packet/probe.h"
#include "vnet/packet/userdata.h"

/* More a second are not sent to one host: what its switch sends us is bounded (LIMIT_PACKET_INS_PER_SECOND), and an answer that is lost would count
 * against its target. Half as many at once. */
#define PROBES_A_SECOND (LIMIT_PACKET_INS_PER_SECOND * 8 / 10)
#define PROBES_AT_ONCE (PROBES_A_SECOND / 2)

/* When a host has no connection, or nothing has been heard while a probe was under way, some others are asked for a sign of life, at most so often, and have
 * so long for it: is it the host that is lost, or are we? */
#define DOUBT_MS 100
#define POKE_MS 20
#define POKE_HOSTS 16

/* Whose time is over may have answered while vnetd was busy with something else: the answer lies unread in the connection, or (by TLS) in a buffer. So
 * many turns of probes later it has been read. */
#define LISTEN_TURNS 2
#define LISTEN_MS 1

/* All that a probe of a target is made of. */
struct aim {
    const struct tg *tg;
    struct binding at; /* the port's; host 0: nowhere */
    struct probe probe;
};

static bool
aim(const struct checks *all, const struct checked *c, struct aim *a)
{
    const struct model *m = all->controller->model;
    const struct target *target = model_target(m, c->number);
    const struct port *port = target ? model_port(m, target->port) : NULL;
    const struct subnet *subnet = port ? model_subnet(m, port->subnet) : NULL;
    const struct tg *tg = target ? model_tg(m, target->tg) : NULL;
    if (!subnet || !tg)
        return false;
    *a = (struct aim){
        .tg = tg,
        .at = runtime_binding(all->controller->runtime, target->port),
        .probe = { .kind = tg->check == TG_CHECK_ICMP ? PROBE_ICMP : PROBE_TCP,
                   .mac = port->mac,
                   .router = ROUTER_MAC,
                   .ip = port_ip4(port),
                   .gateway = subnet_gateway(subnet),
                   .port = target_check_port(tg, target),
                   .cookie = c->cookie },
    };
    return true;
}

/* ---- asking ---- */

/* What may be sent to a host, in thousandths of a probe: it grows by the millisecond. */
struct pace {
    struct map_node by_host;
    uint32_t host;
    int64_t room, filled_ms;
};

static struct pace *
pace_get(struct checks *all, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &all->paces, hash_u32(host)) {
        struct pace *p = CONTAINER_OF(n, struct pace, by_host);
        if (p->host == host)
            return p;
    }
    struct pace *p = mem_zalloc(sizeof *p);
    p->host = host;
    map_insert(&all->paces, &p->by_host, hash_u32(host));
    return p;
}

static bool
pace_take(struct checks *all, uint32_t host)
{
    struct pace *p = pace_get(all, host);
    int64_t now_ms = controller_now_ms(), room = p->room + (now_ms - p->filled_ms) * PROBES_A_SECOND;
    p->filled_ms = now_ms;
    p->room = room < PROBES_AT_ONCE * 1000 ? room : PROBES_AT_ONCE * 1000;
    if (p->room < 1000)
        return false;
    p->room -= 1000;
    return true;
}

void
paces_free(struct checks *all)
{
    MAP_FOR_EACH_SAFE (n, next, &all->paces)
        free(CONTAINER_OF(n, struct pace, by_host));
    map_done(&all->paces);
}

enum way { WAY_OPEN, WAY_BUSY, WAY_NOT_YET, WAY_IN_DOUBT, WAY_NONE };

/* Whose turn it is of those that wait is left to chance, or the same ones would always wait. */
#define BUSY_MS(COOKIE) (10 + (COOKIE) % 32)

static void
poke_others(struct checks *all)
{
    int64_t now_ms = controller_now_ms();
    const struct hosts *hosts = all->controller->hosts;
    if (now_ms - all->poked_ms < POKE_MS)
        return;
    all->poked_ms = now_ms;
    int n = 0;
    for (const struct hypervisor *h = hosts_first(hosts); h && n < POKE_HOSTS; h = hosts_next(hosts, h)) {
        if (!h->of)
            continue;
        of_session_poke(h->of);
        n++;
    }
}

/* Its host has no connection: has it lost it, or have we lost all? */
static enum way
way_to_lost(struct checks *all, struct checked *c, const struct hypervisor *h)
{
    uint64_t spoken_in = c->host == h->number ? c->period : 0;
    poke_others(all);
    if (check_ears_waits(&all->ears, h->lost_ms, spoken_in, controller_now_ms()))
        return WAY_NOT_YET;
    if (c->n_heard == all->ears.n_heard && !c->is_doubted) {
        c->is_doubted = true;
        return WAY_IN_DOUBT;
    }
    return check_ears_hear(&all->ears, c->n_heard) ? WAY_NONE : WAY_NOT_YET;
}

static enum way
way_to(struct checks *all, struct checked *c, struct binding at)
{
    const struct hypervisor *h = at.host && at.ofport ? host_by_number(all->controller->hosts, at.host) : NULL;
    if (!h)
        return WAY_NONE;
    if (!h->of)
        return way_to_lost(all, c, h);
    return switch_is_ready(all->controller, at.host, c->seq) ? WAY_OPEN : WAY_NOT_YET;
}

/* Its groups keep from it what its balancer's clients send: it is not asked, and so gives no answer. */
static bool
is_let_in(const struct checks *all, struct checked *c, const struct tg *tg)
{
    const struct view view = { .model = all->controller->model, .runtime = all->controller->runtime };
    const struct port *port = model_port(view.model, c->port);
    if (c->groups_seen != all->groups_changed)
        c->is_let_in = port && sg_lets_in(&view, port, tg->proto, c->listens_at);
    c->groups_seen = all->groups_changed;
    return c->is_let_in;
}

static bool
say(const struct checks *all, const struct aim *a)
{
    struct bytes frame = BYTES_INIT;
    probe_put(&frame, &a->probe);
    bool is_sent = send_frame(all->controller, a->at.host, a->at.ofport, &frame);
    bytes_done(&frame);
    return is_sent;
}

static uint32_t
next_cookie(struct checks *all)
{
    uint32_t cookie;
    do
        cookie = hash_u64(all->secret + ++all->n_cookies);
    while (!cookie);
    return cookie;
}

/* The switch is asked for a sign of life behind the probe: who is silent but for the target is alive. */
static void
note_asked(const struct checks *all, struct checked *c, uint32_t host)
{
    const struct hypervisor *h = host ? host_by_number(all->controller->hosts, host) : NULL;
    c->host = host;
    c->period = all->ears.period;
    c->n_heard = all->ears.n_heard;
    c->is_doubted = false;
    c->over_in = 0;
    c->connection = h ? h->n_connections : 0;
    if (h && h->of)
        of_session_poke(h->of);
}

/* Since its time is over has all been read that had come by then? */
static bool
is_listened_for(struct checks *all, struct checked *c)
{
    if (!c->over_in)
        c->over_in = all->n_turns;
    return all->n_turns - c->over_in >= LISTEN_TURNS;
}

/* An answer cannot come by a connection that has ended, and that it ended says nothing about the target; nor about the host, if it is one that vnetd has slept
 * through: the switch then ended it long ago. */
bool
checked_is_silent(struct checks *all, struct checked *c)
{
    const struct hypervisor *h = c->host ? host_by_number(all->controller->hosts, c->host) : NULL;
    if (!is_listened_for(all, c)) {
        check_extend(&c->check, LISTEN_MS, controller_now_ms());
        return false;
    }
    bool is_through = h && h->of && h->n_connections == c->connection;
    if (!is_through && (!h || h->connected_ms < all->ears.since_ms))
        c->host = 0;
    if (is_through && c->n_heard == all->ears.n_heard && !c->is_doubted) {
        c->is_doubted = true;
        c->over_in = 0;
        poke_others(all);
        check_extend(&c->check, DOUBT_MS, controller_now_ms());
        return false;
    }
    if (is_through && check_ears_hear(&all->ears, c->n_heard))
        return true;
    check_unheard(&c->check);
    return false;
}

void
checked_ask(struct checks *all, struct checked *c)
{
    struct aim a;
    checked_set_cookie(all, c, next_cookie(all));
    if (!aim(all, c, &a))
        return;
    struct check_rule rule = check_rule_of(a.tg);
    uint32_t spread = hash_u32(c->number);
    int64_t now_ms = controller_now_ms();
    enum way way = way_to(all, c, a.at);
    if (way == WAY_OPEN && is_let_in(all, c, a.tg))
        way = !pace_take(all, a.at.host) ? WAY_BUSY : say(all, &a) ? WAY_OPEN : WAY_NOT_YET;
    if (way == WAY_BUSY || way == WAY_IN_DOUBT || way == WAY_NOT_YET) {
        if (way == WAY_NOT_YET)
            check_put_off(&c->check, &rule, now_ms);
        else
            check_queue(&c->check, way == WAY_BUSY ? BUSY_MS(c->cookie) : DOUBT_MS, now_ms);
        checked_arrange(all, c);
        return;
    }
    note_asked(all, c, a.at.host);
    check_asked(&c->check, &rule, spread, now_ms);
    if (way == WAY_NONE)
        checked_ended(all, c, a.tg, CHECK_UNREACHABLE);
    else
        checked_arrange(all, c);
}

/* ---- hearing ---- */

void
checked_set_cookie(struct checks *all, struct checked *c, uint32_t cookie)
{
    if (c->cookie)
        map_remove(&all->by_cookie, &c->by_cookie);
    c->cookie = cookie;
    if (cookie)
        map_insert(&all->by_cookie, &c->by_cookie, hash_u32(cookie));
}

/* The target of the port whose probe the frame would answer. A port may be a target of many groups. */
static struct checked *
asked_find(const struct checks *all, uint32_t port, const struct packet_in *in)
{
    uint32_t cookie;
    if (!probe_cookie(in->packet, in->packet_len, &cookie))
        return NULL;
    MAP_FOR_EACH_HASH (n, &all->by_cookie, hash_u32(cookie)) {
        struct checked *c = CONTAINER_OF(n, struct checked, by_cookie);
        if (c->cookie == cookie && c->port == port)
            return c;
    }
    return NULL;
}

static bool
is_from(const struct aim *a, uint32_t host, const struct packet_in *in)
{
    return a->at.host == host && a->at.ofport == in->in_port;
}

static void
hear(struct checks *all, struct checked *c, const struct aim *a, const struct packet_in *in, struct bytes *reset)
{
    enum probe_answer answer = probe_judge(&a->probe, in->packet, in->packet_len, reset);
    if (answer != PROBE_NONE && c->check.deadline_ms != INT64_MAX)
        checked_ended(all, c, a->tg, answer == PROBE_ALIVE ? CHECK_ALIVE : CHECK_REFUSED);
}

static bool
find_any(void *number, const struct object *target)
{
    *(uint32_t *) number = target->number;
    return false;
}

/* Any of the port's targets: they have its addresses in common. */
static struct checked *
any_find(const struct checks *all, uint32_t port)
{
    uint32_t number = 0;
    model_each_referrer(all->controller->model, port, OBJECT_TARGET, find_any, &number);
    return number ? checked_find(all, number) : NULL;
}

void
checks_packet_in(struct controller *controller, uint32_t host, const struct packet_in *in)
{
    uint32_t port;
    struct aim a;
    struct bytes reset = BYTES_INIT;
    struct checks *all = controller->checks;
    if (!all || !userdata_get_checked(in->userdata, in->userdata_len, &port))
        return;
    struct checked *c = asked_find(all, port, in), *any = c ? c : any_find(all, port);
    if (!any || !aim(all, any, &a) || !is_from(&a, host, in))
        return;
    if (c)
        hear(all, c, &a, in, &reset);
    else
        probe_reset(&a.probe, in->packet, in->packet_len, &reset);
    if (reset.n)
        send_frame(controller, host, in->in_port, &reset);
    bytes_done(&reset);
}
