/* From what a host says of itself to what others need to know of it (vnet/pipeline/runtime.h), remembered in the store; and the OVSDB
 * configuration that it should have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/facts_text.h"
#include "controller/host/host.h"
#include "controller/host/host_peers.h"
#include "controller/store/store.h"
#include "vnet/pipeline/placement.h"

#define BFD_MS 100 /* a peer is down after three of these without a word */

static void
forget_facts(struct hosts *all, uint32_t number)
{
    char *key = mem_printf("host/%u", number);
    store_put_fact(hosts_controller(all)->store, key, NULL);
    free(key);
}

void
host_forget_runtime(struct hypervisor *h)
{
    struct controller *c = hosts_controller(h->all);
    const struct runtime_host *known = runtime_host(c->runtime, h->number);
    if (!known)
        return;
    struct runtime_host before = *known;
    struct vnet_event event = { .kind = EVENT_HOST, .number = h->number, .host_before = &before };
    runtime_remove_host(c->runtime, h->number);
    controller_fact_changed(c, &event);
    forget_facts(h->all, h->number);
    hosts_count_encap(h->all, before.encap, -1);
}

/* ---- facts to the runtime ---- */

static bool
uplinks_equal(const struct runtime_host *a, const struct runtime_host *b)
{
    bool are_equal = a->n_uplinks == b->n_uplinks;
    for (size_t i = 0; are_equal && i < a->n_uplinks; i++)
        are_equal = a->uplinks[i].ofport == b->uplinks[i].ofport && !strcmp(a->uplinks[i].network, b->uplinks[i].network)
                    && a->uplinks[i].is_down == b->uplinks[i].is_down && a->uplinks[i].mtu == b->uplinks[i].mtu;
    return are_equal;
}

static bool
runtime_host_equal(const struct runtime_host *a, const struct runtime_host *b)
{
    return ip_equal(a->encap_ip, b->encap_ip) && a->encap == b->encap && a->mtu == b->mtu
           && a->tunnel_port[ENCAP_GENEVE] == b->tunnel_port[ENCAP_GENEVE] && a->tunnel_port[ENCAP_VXLAN] == b->tunnel_port[ENCAP_VXLAN]
           && a->is_gateway == b->is_gateway && a->is_dead == b->is_dead && uplinks_equal(a, b);
}

static void
runtime_tell(struct hypervisor *h, const struct runtime_host *after)
{
    struct controller *c = hosts_controller(h->all);
    const struct runtime_host *known = runtime_host(c->runtime, h->number);
    struct runtime_host before = known ? *known : (struct runtime_host){ 0 };
    if (known && runtime_host_equal(&before, after))
        return;
    struct vnet_event event = { .kind = EVENT_HOST, .number = h->number, .host_before = known ? &before : NULL, .host_after = after };
    runtime_set_host(c->runtime, after);
    host_attach(h);
    controller_fact_changed(c, &event);
    if (known && before.encap == after->encap)
        return;
    hosts_count_encap(h->all, after->encap, 1);
    if (event.host_before)
        hosts_count_encap(h->all, before.encap, -1);
}

static void
store_facts(const struct hypervisor *h, const struct runtime_host *r)
{
    char *key = mem_printf("host/%u", h->number);
    char *value = facts_text(r);
    store_put_fact(hosts_controller(h->all)->store, key, value);
    free(key);
    free(value);
}

/* Only one host can be reached at an address: a disconnected one that was there last has lost it. */
static void
evict_encap_ip(struct hypervisor *h)
{
    struct hosts *all = h->all;
    for (struct hypervisor *other = hosts_first(all); other; other = hosts_next(all, other)) {
        const struct runtime_host *r = other->number ? runtime_host(hosts_controller(all)->runtime, other->number) : NULL;
        if (other != h && r && ip_equal(r->encap_ip, h->facts.encap_ip)) {
            host_set_error(other, HOST_ERROR_FACTS, "its vnet-encap-ip is now used by host '%s'", h->name);
            host_detach(other);
            host_forget_runtime(other);
        }
    }
}

/* While a patch port that is there has no number the last one stands: its switch is about to be there again, and addresses shall not move for that. */
static void
tell_uplinks(struct hypervisor *h, const struct runtime_host *known, struct runtime_host *r)
{
    for (size_t i = 0; i < h->facts.n_uplinks; i++) {
        struct runtime_uplink u = host_uplink_state(h, &h->facts.uplinks[i], known);
        uint32_t last = h->ports.is_patch_due[i] ? u.ofport : 0;
        u.ofport = h->has_ports && h->ports.patch[i] ? h->ports.patch[i] : last;
        facts_uplink_add(r, &u, h->facts.uplinks[i].network);
    }
}

static size_t
uplink_find(const struct ovsdb_facts *facts, const struct ovsdb_uplink *uplink)
{
    size_t i = 0;
    while (i < facts->n_uplinks && (strcmp(facts->uplinks[i].network, uplink->network) || strcmp(facts->uplinks[i].bridge, uplink->bridge)))
        i++;
    return i;
}

void
host_set_facts(struct hypervisor *h, const struct ovsdb_facts *facts)
{
    bool is_new = !h->facts.system_id[0], is_same_bridge = !strcmp(h->facts.bridge, facts->bridge);
    struct ovsdb_ports ports = h->ports;
    for (size_t i = 0; i < OVSDB_UPLINKS_MAX; i++) {
        size_t was = i < facts->n_uplinks && is_same_bridge ? uplink_find(&h->facts, &facts->uplinks[i]) : h->facts.n_uplinks;
        bool is_same = was < h->facts.n_uplinks;
        ports.patch[i] = is_same ? h->ports.patch[was] : 0;
        ports.is_patch_due[i] = is_new || (is_same && (h->ports.patch[was] || h->ports.is_patch_due[was]));
    }
    h->facts = *facts;
    h->ports = ports;
    h->has_facts = true;
}

bool
host_set_dead(struct hypervisor *h, bool is_dead)
{
    const struct runtime_host *known = runtime_host(hosts_controller(h->all)->runtime, h->number);
    if (!known || known->is_dead == is_dead)
        return false;
    struct runtime_host r = *known;
    r.is_dead = is_dead;
    store_facts(h, &r);
    runtime_tell(h, &r);
    feed_object(hosts_controller(h->all)->feed, h->number);
    return true;
}

void
host_tell_runtime(struct hypervisor *h)
{
    if (!h->number || !h->has_facts)
        return;
    struct runtime_host r = {
        .number = h->number,
        .encap_ip = h->facts.encap_ip,
        .encap = strcmp(h->facts.encap_type, "vxlan") ? ENCAP_GENEVE : ENCAP_VXLAN,
        .mtu = h->facts.mtu,
        .is_gateway = h->facts.is_gateway,
    };
    const struct runtime_host *known = runtime_host(hosts_controller(h->all)->runtime, h->number);
    r.is_dead = r.is_gateway && known && known->is_dead;
    tell_uplinks(h, known, &r);
    if (h->has_ports) {
        r.tunnel_port[ENCAP_GENEVE] = h->ports.geneve;
        r.tunnel_port[ENCAP_VXLAN] = h->ports.vxlan;
    } else if (known) {
        memcpy(r.tunnel_port, known->tunnel_port, sizeof r.tunnel_port);
    }
    evict_encap_ip(h);
    if (!known || !runtime_host_equal(known, &r))
        store_facts(h, &r);
    runtime_tell(h, &r);
    host_report_uplinks(h);
}

void
hosts_remember(struct hosts *all, uint32_t number, const char *value)
{
    struct hypervisor *h = host_by_number(all, number);
    struct runtime_host r = { .number = number };
    if (h && facts_text_parse(value, &r))
        runtime_tell(h, &r);
}

/* ---- the OVSDB configuration ---- */

/* The port that bridges are to connect to by this scheme: of the first --openflow of that kind. 0: there is none. */
static uint16_t
openflow_port(const struct hosts *all, enum endpoint_kind kind)
{
    const struct options *o = hosts_controller(all)->options;
    for (size_t i = 0; i < o->openflow.n; i++) {
        struct endpoint e;
        struct error unused;
        if (endpoint_parse(o->openflow.v[i], &e, &unused) && e.kind == kind)
            return hosts_openflow_port(all, i);
    }
    return 0;
}

static void
put_target(char *target, size_t size, enum endpoint_kind kind, const char *ip, uint16_t port)
{
    bool is_v6 = strchr(ip, ':');
    snprintf(target, size, "%s:%s%s%s:%u", kind == ENDPOINT_TLS ? "ssl" : "tcp", is_v6 ? "[" : "", ip, is_v6 ? "]" : "", port);
}

/* Controller addresses: the host's own list, else --advertise, else the address that its OVSDB session came to. */
static bool
controller_targets(const struct hypervisor *h, struct ovsdb_wanted *wanted)
{
    const struct controller *c = hosts_controller(h->all);
    const struct endpoint_peer *peer = ovsdb_session_peer(h->db);
    const struct host *object = model_host(c->model, h->number);
    uint16_t port = openflow_port(h->all, peer->kind);
    size_t n = sizeof wanted->controllers / sizeof *wanted->controllers;
    char text[IP_STRLEN];
    if (!port)
        return false;
    if (!object || !object->controllers.n)
        put_target(wanted->controllers[0], sizeof wanted->controllers[0], peer->kind,
                   c->options->advertise ? c->options->advertise : peer->local_ip, port);
    for (size_t i = 0; object && i < object->controllers.n && i < n; i++)
        put_target(wanted->controllers[i], sizeof wanted->controllers[i], peer->kind, ip_format(object->controllers.v[i], text), port);
    return true;
}

void
host_want(struct hypervisor *h)
{
    if (!h->db || !h->has_facts || !h->number)
        return;
    struct ovsdb_wanted wanted = {
        .dpid = h->dpid,
        .geneve = hosts_use_encap(h->all, ENCAP_GENEVE),
        .vxlan = hosts_use_encap(h->all, ENCAP_VXLAN),
    };
    if (!controller_targets(h, &wanted)) {
        host_set_error(h, HOST_ERROR_LISTENER, "it came over %s, but no --openflow listener of that scheme exists",
                       ovsdb_session_peer(h->db)->kind == ENDPOINT_TLS ? "TLS" : "TCP");
        return;
    }
    host_clear_error(h, HOST_ERROR_LISTENER);
    wanted.bfd_ms = BFD_MS;
    wanted.peers = host_peers_list(hosts_peers(h->all), h->number, &wanted.n_peers);
    host_keep_views(h, wanted.peers, wanted.n_peers);
    ovsdb_session_want(h->db, &wanted);
    free(wanted.peers);
}
