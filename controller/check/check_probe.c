/* Probes, sent through the switch of the target's own host, and what comes back. */
#include "controller/check/checks_private.h"
#include "controller/host/host.h"
#include "controller/host/host_reach.h"
#include "vnet/feature/sg/sg.h"
#include "vnet/model/router_mac.h"
#include "vnet/packet/probe.h"
#include "vnet/packet/userdata.h"

/* So long after its start vnetd waits for hosts that it has not seen yet, before it takes them for lost. */
#define GRACE_MS 20000

/* All that a probe of a target is made of. */
struct aim {
    const struct tg *tg;
    struct binding at;                  /* the port's; host 0: nowhere */
    struct probe probe;
};

static bool aim(const struct checks *all, const struct checked *c, struct aim *a)
{
    const struct model *m = all->controller->model;
    const struct target *target = model_target(m, c->number);
    const struct port *port = target ? model_port(m, target->port) : NULL;
    const struct subnet *subnet = port ? model_subnet(m, port->subnet) : NULL;
    const struct tg *tg = target ? model_tg(m, target->tg) : NULL;
    if (!subnet || !tg)
        return false;
    *a = (struct aim) {
        .tg = tg,
        .at = runtime_binding(all->controller->runtime, target->port),
        .probe = { .kind = tg->check == TG_CHECK_ICMP ? PROBE_ICMP : PROBE_TCP, .mac = port->mac, .router = ROUTER_MAC,
                   .ip = port_ip4(port), .gateway = subnet_gateway(subnet), .port = target_check_port(tg, target),
                   .cookie = c->cookie },
    };
    return true;
}

/* ---- asking ---- */

enum way { WAY_OPEN, WAY_NOT_YET, WAY_NONE };

static enum way way_to(const struct checks *all, const struct checked *c, struct binding at)
{
    const struct hypervisor *h = at.host && at.ofport ? host_by_number(all->controller->hosts, at.host) : NULL;
    if (h && !h->of && c->host != at.host && controller_now_ms() - all->begun_ms < GRACE_MS)
        return WAY_NOT_YET;
    if (!h || !h->of)
        return WAY_NONE;
    return switch_is_ready(all->controller, at.host, c->seq) ? WAY_OPEN : WAY_NOT_YET;
}

/* Its groups keep from it what its balancer's clients send: it is not asked, and so gives no answer. */
static bool is_let_in(const struct checks *all, struct checked *c, const struct tg *tg)
{
    const struct view view = { .model = all->controller->model, .runtime = all->controller->runtime };
    const struct port *port = model_port(view.model, c->port);
    if (c->groups_seen != all->groups_changed)
        c->is_let_in = port && sg_lets_in(&view, port, tg->proto, c->listens_at);
    c->groups_seen = all->groups_changed;
    return c->is_let_in;
}

static bool say(const struct checks *all, const struct aim *a)
{
    struct bytes frame = BYTES_INIT;
    probe_put(&frame, &a->probe);
    bool is_sent = send_frame(all->controller, a->at.host, a->at.ofport, &frame);
    bytes_done(&frame);
    return is_sent;
}

void checked_ask(struct checks *all, struct checked *c)
{
    struct aim a;
    c->cookie = hash_u64(all->secret + ++all->n_cookies);
    if (!aim(all, c, &a))
        return;
    struct check_rule rule = check_rule_of(a.tg);
    uint32_t spread = hash_u32(c->number);
    int64_t now_ms = controller_now_ms();
    enum way way = way_to(all, c, a.at);
    if (way == WAY_OPEN && is_let_in(all, c, a.tg) && !say(all, &a))
        way = WAY_NOT_YET;
    if (way == WAY_NOT_YET) {
        check_put_off(&c->check, &rule, now_ms);
        checked_arrange(all, c);
        return;
    }
    c->host = a.at.host;
    check_asked(&c->check, &rule, spread, now_ms);
    if (way == WAY_NONE)
        checked_ended(all, c, a.tg, CHECK_UNREACHABLE);
    else
        checked_arrange(all, c);
}

/* ---- hearing ---- */

struct hearing {
    struct checks *all;
    uint32_t host;
    const struct packet_in *in;
    struct bytes reset, scratch;
};

static void keep_reset(struct hearing *h)
{
    if (h->scratch.n && !h->reset.n)
        bytes_put(&h->reset, h->scratch.data, h->scratch.n);
    bytes_clear(&h->scratch);
}

/* A port may be a target of several groups; the answer is to one of them. */
static bool hear(void *aux, const struct object *target)
{
    struct hearing *h = aux;
    struct aim a;
    struct checked *c = checked_find(h->all, target->number);
    if (!c || !aim(h->all, c, &a) || a.at.host != h->host || a.at.ofport != h->in->in_port)
        return true;
    enum probe_answer answer = probe_judge(&a.probe, h->in->packet, h->in->packet_len, &h->scratch);
    keep_reset(h);
    if (answer == PROBE_NONE)
        return true;
    if (c->check.deadline_ms != INT64_MAX)
        checked_ended(h->all, c, a.tg, answer == PROBE_ALIVE ? CHECK_ALIVE : CHECK_REFUSED);
    return false;
}

void checks_packet_in(struct controller *c, uint32_t host, const struct packet_in *in)
{
    uint32_t port;
    struct hearing h = { .all = c->checks, .host = host, .in = in, .reset = BYTES_INIT, .scratch = BYTES_INIT };
    if (!c->checks || !userdata_get_checked(in->userdata, in->userdata_len, &port))
        return;
    model_each_referrer(c->model, port, OBJECT_TARGET, hear, &h);
    if (h.reset.n)
        send_frame(c, host, in->in_port, &h.reset);
    bytes_done(&h.reset);
    bytes_done(&h.scratch);
}
