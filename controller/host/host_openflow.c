/* What a host's OpenFlow session tells: whose bridge it is, what is installed, what was refused, packets that want answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/check/checks.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/hits/rule_hits.h"
#include "controller/host/binding.h"
#include "controller/host/handover.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"
#include "controller/instance/migrations.h"
#include "controller/outside.h"
#include "controller/refusals.h"
#include "controller/retired.h"
#include "controller/store/store.h"
#include "controller/waiter.h"
#include "vnet/pipeline/words.h"

#define LOG_MODULE "host"
#include "base/log.h"

static struct log_limit refusals = LOG_LIMIT(20);

static struct hypervisor *
host_by_dpid(const struct hosts *all, uint64_t dpid)
{
    struct hypervisor *h = host_by_number(all, (uint32_t) dpid);
    return h && h->dpid == dpid ? h : NULL;
}

static bool
host_identify(void *aux, struct of_session *s, uint64_t dpid, struct error *err)
{
    struct link *link = aux;
    const struct endpoint_peer *peer = of_session_peer(s);
    struct hypervisor *h = host_by_dpid(link->all, dpid);
    if (!h)
        return error_set(err, ERROR_UNKNOWN, "datapath id %016llx is no host's: only bridges that vnetd has made may connect",
                         (unsigned long long) dpid);
    if (peer->kind == ENDPOINT_TLS && strcmp(peer->cn, h->name))
        return error_set(err, ERROR_FORBIDDEN, "datapath id %016llx is that of host '%s', but the certificate is that of '%s'",
                         (unsigned long long) dpid, h->name, peer->cn);
    if (h->ending)
        return error_set(err, ERROR_UNAVAILABLE, "host '%s': its previous connection is still being closed", h->name);
    host_end_openflow(h, "its bridge connected again");
    of_session_set_controller_id(s, agents_controller_id(hosts_controller(link->all)->agents, h->number));
    of_session_set_generation(s, store_generation(hosts_controller(link->all)->store));
    h->of = s;
    h->n_connections++;
    h->connected_ms = controller_now_ms();
    hosts_count_switch(h->all, 1);
    link->host = h;
    host_expect_switch(h);
    hosts_judge_gateways(h->all);
    host_consider_reconcile(h);
    return true;
}

/* The connection's part of the state is over; what was sent on it still counts. */
static void
host_lose_openflow(struct hypervisor *h)
{
    h->sent_before += of_session_counters(h->of)->mods_sent;
    h->is_reconciling = false;
    h->lost_ms = controller_now_ms();
    h->of = NULL;
    handovers_host_lost(hosts_controller(h->all)->handovers, h);
    if (!hosts_count_switch(h->all, -1) && !hosts_are_closing(h->all))
        checks_cut_off(hosts_controller(h->all)->checks);
    host_expect_switch(h);
    rule_hits_disconnected(hosts_controller(h->all)->hits, h->number);
    hosts_judge_gateways(h->all);
}

void
host_end_openflow(struct hypervisor *h, const char *reason)
{
    struct of_session *s = h->of;
    if (!s)
        return;
    struct link *link = of_session_aux(s);
    host_lose_openflow(h);
    link->host = NULL;
    link->ending = &h->ending;
    h->ending = link;
    of_session_close(s, reason);
}

/* The session of a host that went on without it is gone. */
static void
host_ended_openflow(struct link *link)
{
    struct hypervisor *h = CONTAINER_OF(link->ending, struct hypervisor, ending);
    struct controller *c = hosts_controller(h->all);
    h->ending = NULL;
    if (hosts_are_closing(h->all))
        return;
    waiters_check(c->waiters, h->number);
    feed_object(c->feed, h->number);
    host_consider_reconcile(h);
}

/* Whose flow: an object as its tenant knows it, or what a host has for itself. */
static struct words
words_of_cookie(const struct controller *c, uint64_t cookie)
{
    struct words w = { "the host's own set" };
    const struct view view = { .model = c->model, .runtime = c->runtime };
    const struct object_class *class = object_class(cookie_type(cookie));
    if (class)
        snprintf(w.text, sizeof w.text, "%s %.120s", class->name, words_object(&view, cookie_type(cookie), cookie_number(cookie)).text);
    return w;
}

static void
host_say_refused(struct hypervisor *h, uint64_t cookie, const char *reason)
{
    h->refused = cookie;
    host_set_error(h, HOST_ERROR_REFUSED, "its switch refused a flow of %s: %s", words_of_cookie(hosts_controller(h->all), cookie).text,
                   reason);
}

/* What was refused and is in place now, or is no longer wanted. */
static void
host_accepted(struct hypervisor *h)
{
    struct controller *c = hosts_controller(h->all);
    bool is_named = false;
    const char *reason;
    uint64_t cookie;
    while (flow_table_next_accepted(h->table, &cookie)) {
        is_named = is_named || cookie == h->refused;
        if (refusals_remove(c->refusals, h->number, cookie) && cookie_type(cookie) == OBJECT_PORT)
            bindings_accepted(c->bindings, h->number, cookie_number(cookie));
    }
    if (!flow_table_n_refused(h->table))
        host_clear_error(h, HOST_ERROR_REFUSED);
    else if (is_named && (reason = refusals_of_host(c->refusals, h->number, &cookie)))
        host_say_refused(h, cookie, reason);
}

static void
host_committed(void *aux, struct of_session *s, uint64_t seq)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (!h || h->of != s)
        return;
    bool was_realised = host_is_realised(h);
    h->confirmed_seq = handovers_confirmed(hosts_controller(h->all)->handovers, h, seq);
    host_lost_zones_confirmed(h);
    host_accepted(h);
    bindings_confirmed(hosts_controller(h->all)->bindings, h->number);
    waiters_check(hosts_controller(h->all)->waiters, h->number);
    retired_check(hosts_controller(h->all)->retired);
    if (host_is_realised(h) != was_realised)
        feed_object(hosts_controller(h->all)->feed, h->number);
}

static void
host_refused(void *aux, struct of_session *s, uint64_t cookie, const char *reason)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (!h)
        return;
    struct controller *c = hosts_controller(h->all);
    refusals_add(c->refusals, h->number, cookie, reason);
    if (cookie_type(cookie) == OBJECT_PORT)
        bindings_refused(c->bindings, h->number, cookie_number(cookie), reason);
    host_say_refused(h, cookie, reason);
}

static void
host_packet_in(void *aux, struct of_session *s, const struct packet_in *packet)
{
    const struct hypervisor *h = ((struct link *) aux)->host;
    const struct feature *feature = feature_by_number(cookie_feature(packet->cookie));
    struct bytes answer = BYTES_INIT;
    if (packet->continuation) {
        for (unsigned i = 0; feature_resume(packet, i, &answer); i++, bytes_clear(&answer))
            of_session_resume(s, packet, answer.data, answer.n);
    } else if (h && feature == &feature_migrate) {
        migrations_spoken(hosts_controller(h->all)->migrations, h->number, cookie_number(packet->cookie));
    } else if (h && feature == &feature_uplink) {
        outside_packet_in(hosts_controller(h->all), h->number, packet);
    } else if (h && feature == &feature_lb_check) {
        checks_packet_in(hosts_controller(h->all), h->number, packet);
    } else if (feature && feature->answer && feature->answer(packet, &answer)) {
        of_session_packet_out(s, packet->in_port, answer.data, answer.n);
    }
    bytes_done(&answer);
}

static void
host_flow_removed(void *aux, struct of_session *s, const struct wire_flow *flow)
{
    const struct hypervisor *h = ((struct link *) aux)->host;
    if (h && h->of == s && h->number)
        rule_hits_flow_removed(hosts_controller(h->all)->hits, h->number, flow);
}

static void
host_heard(void *aux, struct of_session *s)
{
    const struct link *link = aux;
    if (link->host && link->host->of == s)
        checks_heard(hosts_controller(link->all)->checks);
}

static void
host_ct_known(void *aux, struct of_session *s)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (h && h->of == s && h->is_reconciling)
        host_lost_zones_flush(h);
}

static void
host_passed(void *aux, struct of_session *s, uint32_t barrier)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (h && h->of == s)
        host_zones_passed(h, barrier);
}

static void
host_openflow_closed(void *aux, struct of_session *s, const char *reason)
{
    struct link *link = aux;
    struct hypervisor *h = link->host;
    if (h && h->of == s) {
        log_info("host '%s': OpenFlow connection closed: %s", h->name, reason);
        host_lose_openflow(h);
        if (!hosts_are_closing(link->all)) {
            waiters_check(hosts_controller(h->all)->waiters, h->number);
            feed_object(hosts_controller(h->all)->feed, h->number);
        }
    } else {
        log_warn_limited(&refusals, "OpenFlow connection from %s closed: %s", of_session_peer(s)->address, reason);
    }
    if (link->ending)
        host_ended_openflow(link);
    link_free(link);
}

const struct of_session_ops host_openflow_ops = {
    .identify = host_identify,
    .committed = host_committed,
    .refused = host_refused,
    .packet_in = host_packet_in,
    .flow_removed = host_flow_removed,
    .heard = host_heard,
    .ct_known = host_ct_known,
    .passed = host_passed,
    .closed = host_openflow_closed,
};
