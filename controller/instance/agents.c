#include "controller/instance/agents.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/host.h"
#include "controller/instance/counting.h"
#include "controller/instance/instances.h"
#include "controller/store/store.h"
#include "vnet/pipeline/layout.h"

#define LOG_MODULE "host"
#include "base/log.h"

/* After a start, an agent that answered is not taken for gone at once: both would answer when it comes. */
#define YOUTH_S 5

static struct log_limit silences = LOG_LIMIT(20);

struct agents {
    struct controller *controller;
    struct map by_host;
    struct remembered *remembered; /* agents of an earlier run, while that is young */
    struct event *grow_up;
};

struct remembered {
    struct remembered *next;
    uint32_t host;
};

struct agent_session {
    struct map_node by_host;
    struct agents *all;
    uint32_t host;
    const struct agent_ops *ops;
    void *aux;
    bool is_answering;
    bool must_beat;
    unsigned n_unanswered; /* beats of ours, since it last answered one */
    struct agent_beats beats;
    json_t *underlay; /* NULL: not told yet */
};

/* ---- who answers ---- */

static struct agent_session *session_find(const struct agents *, uint32_t host);

static bool
is_remembered(const struct agents *all, uint32_t host)
{
    for (const struct remembered *r = all->remembered; r; r = r->next)
        if (r->host == host)
            return true;
    return false;
}

uint16_t
agents_controller_id(const struct agents *all, uint32_t host)
{
    const struct agent_session *s = session_find(all, host);
    bool is_left = s ? s->is_answering : is_remembered(all, host);
    return is_left ? LAYOUT_CONTROLLER_ID_VNETD : LAYOUT_CONTROLLER_ID;
}

static void
take_id(const struct agents *all, uint32_t host)
{
    const struct hypervisor *h = host_by_number(all->controller->hosts, host);
    if (h && h->of)
        of_session_set_controller_id(h->of, agents_controller_id(all, host));
}

static void
store_answering(const struct agents *all, uint32_t host, bool is_answering)
{
    char *key = mem_printf("agent/%u", host);
    store_put_fact(all->controller->store, key, is_answering ? "answers" : NULL);
    free(key);
}

void
agents_set_answering(struct agents *all, uint32_t host, bool is_answering)
{
    struct agent_session *s = session_find(all, host);
    if (!s || s->is_answering == is_answering)
        return;
    s->is_answering = is_answering;
    store_answering(all, host, is_answering);
    take_id(all, host);
}

void
agents_remember(struct agents *all, uint32_t host)
{
    struct remembered *r = mem_zalloc(sizeof *r);
    *r = (struct remembered){ all->remembered, host };
    all->remembered = r;
}

static void
forget_remembered(struct agents *all)
{
    while (all->remembered) {
        struct remembered *r = all->remembered;
        all->remembered = r->next;
        free(r);
    }
}

static void
grow_up(evutil_socket_t fd, short what, void *aux)
{
    struct agents *all = aux;
    struct remembered *r = all->remembered;
    all->remembered = NULL;
    for (struct remembered *next; r; r = next) {
        next = r->next;
        take_id(all, r->host);
        free(r);
    }
}

/* ---- who is there ---- */

struct agents *
agents_new(struct controller *c)
{
    struct agents *all = mem_zalloc(sizeof *all);
    struct timeval youth = { YOUTH_S, 0 };
    all->controller = c;
    map_init(&all->by_host);
    all->grow_up = evtimer_new(c->base, grow_up, all);
    evtimer_add(all->grow_up, &youth);
    return all;
}

void
agents_free(struct agents *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_host) {
        struct agent_session *s = CONTAINER_OF(n, struct agent_session, by_host);
        json_decref(s->underlay);
        free(s);
    }
    map_done(&all->by_host);
    forget_remembered(all);
    event_free(all->grow_up);
    free(all);
}

static struct agent_session *
session_find(const struct agents *all, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &all->by_host, hash_u32(host)) {
        struct agent_session *s = CONTAINER_OF(n, struct agent_session, by_host);
        if (s->host == host)
            return s;
    }
    return NULL;
}

static void
send_away(struct agent_session *s)
{
    void *aux = s->aux;
    const struct agent_ops *ops = s->ops;
    agents_leave(s);
    ops->drop(aux);
}

struct agent_session *
agents_enter(struct agents *all, uint32_t host, const struct agent_ops *ops, void *aux)
{
    struct agent_session *old = session_find(all, host), *s = mem_zalloc(sizeof *s);
    if (old)
        send_away(old);
    *s = (struct agent_session){ .all = all, .host = host, .ops = ops, .aux = aux };
    map_insert(&all->by_host, &s->by_host, hash_u32(host));
    counting_agent_came(all->controller->counting, host);
    feed_object(all->controller->feed, host);
    return s;
}

void
agents_leave(struct agent_session *s)
{
    struct agents *all = s->all;
    uint32_t host = s->host;
    map_remove(&all->by_host, &s->by_host);
    json_decref(s->underlay);
    free(s);
    counting_agent_went(all->controller->counting, host);
    take_id(all, host);
    feed_object(all->controller->feed, host);
    struct hypervisor *h = host_by_number(all->controller->hosts, host);
    if (h)
        h->quiet_wall_ms = controller_wall_ms();
    instances_host_quiet(all->controller->instances);
}

void
agents_tell(const struct agents *all, uint32_t host, const char *event, const char *data)
{
    const struct agent_session *s = session_find(all, host);
    if (s)
        s->ops->tell(s->aux, event, data);
}

bool
agents_is_present(const struct agents *all, uint32_t host)
{
    return session_find(all, host) != NULL;
}

/* ---- does it hang ---- */

void
agents_expect_beats(struct agent_session *s)
{
    s->must_beat = true;
}

void
agents_beat(struct agent_session *s)
{
    const struct hypervisor *h = host_by_number(s->all->controller->hosts, s->host);
    if (s->must_beat && s->n_unanswered >= AGENTS_BEATS_MISSED) {
        log_warn_limited(&silences, "host '%s': its agent is silent, %u beats are not answered; it is taken for away", h ? h->name : "",
                         s->n_unanswered);
        send_away(s);
        return;
    }
    s->n_unanswered++;
    s->ops->tell(s->aux, "beat", "{}");
}

void
agents_take_beat(struct agents *all, uint32_t host, const json_t *beat)
{
    struct agent_session *s = session_find(all, host);
    int64_t heap_bytes = json_member_int(beat, "heap_bytes", 0);
    if (!s)
        return;
    s->n_unanswered = 0;
    s->beats.n++;
    s->beats.heap_bytes = heap_bytes > 0 ? heap_bytes : 0;
}

struct agent_beats
agents_beats(const struct agents *all, uint32_t host)
{
    const struct agent_session *s = session_find(all, host);
    return s ? s->beats : (struct agent_beats){ .n = 0 };
}

/* ---- what it says of its host ---- */

void
agents_check_mtu(const struct agents *all, uint32_t host)
{
    const struct agent_session *s = session_find(all, host);
    struct hypervisor *h = host_by_number(all->controller->hosts, host);
    char encap_ip[IP_STRLEN];
    int64_t mtu = s ? json_member_int(s->underlay, "mtu", 0) : 0;
    if (!h || !h->has_facts)
        return;
    if (s && s->underlay && !*json_member_string(s->underlay, "device"))
        host_set_error(h, HOST_ERROR_UNDERLAY,
                       "no device of the host has its vnet-encap-ip %s, so that its tunnels carry nothing; set external_ids:vnet-encap-ip "
                       "to an address that it has",
                       ip_format(h->facts.encap_ip, encap_ip));
    else if (mtu && mtu < h->facts.mtu)
        host_set_error(h, HOST_ERROR_UNDERLAY,
                       "its vnet-mtu is %u, but the device with its vnet-encap-ip has an MTU of %lld; set "
                       "external_ids:vnet-mtu to that",
                       h->facts.mtu, (long long) mtu);
    else
        host_clear_error(h, HOST_ERROR_UNDERLAY);
}

void
agents_set_underlay(struct agents *all, uint32_t host, const json_t *underlay)
{
    struct agent_session *s = session_find(all, host);
    int64_t mtu = json_member_int(underlay, "mtu", 0);
    const char *device = json_member_string(underlay, "device");
    if (!s || !device || mtu < 0 || mtu > UINT16_MAX)
        return;
    json_decref(s->underlay);
    s->underlay = json_pack("{s:s,s:I,s:b}", "device", device, "mtu", (json_int_t) mtu, "up", json_member_bool(underlay, "up", false));
    agents_check_mtu(all, host);
    hosts_judge_gateways(all->controller->hosts);
    feed_object(all->controller->feed, host);
}

bool
agents_underlay_is_down(const struct agents *all, uint32_t host)
{
    const struct agent_session *s = session_find(all, host);
    return s && s->underlay && *json_member_string(s->underlay, "device") && !json_member_bool(s->underlay, "up", true);
}

json_t *
agents_underlay(const struct agents *all, uint32_t host)
{
    const struct agent_session *s = session_find(all, host);
    return s && s->underlay ? json_incref(s->underlay) : json_null();
}
