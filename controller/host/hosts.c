#include "controller/host/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/binding.h"
#include "controller/store/store.h"
#include "controller/waiter.h"

#define LOG_MODULE "host"
#include "base/log.h"

/* A turn of compiling ends after this long, so that no host's first fill delays the others. */
#define COMPILE_TURN_MS 5
#define COMPILE_STEP 64

struct hosts {
    struct controller *controller;
    struct map by_number, by_name;
    struct listening {
        struct hosts *all;
        struct endpoint_listener *listener;
    } listeners[2 * OPTION_LISTENERS_MAX];
    size_t n_listeners;
};

struct hosts *hosts_new(struct controller *c)
{
    struct hosts *all = mem_zalloc(sizeof *all);
    all->controller = c;
    map_init(&all->by_number);
    map_init(&all->by_name);
    return all;
}

struct controller *hosts_controller(const struct hosts *all)
{
    return all->controller;
}

/* ---- registry ---- */

struct hypervisor *host_by_number(const struct hosts *all, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &all->by_number, hash_u32(number)) {
        struct hypervisor *h = CONTAINER_OF(n, struct hypervisor, by_number);
        if (h->number == number)
            return h;
    }
    return NULL;
}

struct hypervisor *host_by_name(const struct hosts *all, const char *name)
{
    MAP_FOR_EACH_HASH (n, &all->by_name, hash_string(name)) {
        struct hypervisor *h = CONTAINER_OF(n, struct hypervisor, by_name);
        if (!strcmp(h->name, name))
            return h;
    }
    return NULL;
}

struct hypervisor *hosts_first(const struct hosts *all)
{
    struct map_node *n = map_first(&all->by_name);
    return n ? CONTAINER_OF(n, struct hypervisor, by_name) : NULL;
}

struct hypervisor *hosts_next(const struct hosts *all, const struct hypervisor *h)
{
    struct map_node *n = map_next(&all->by_name, &h->by_name);
    return n ? CONTAINER_OF(n, struct hypervisor, by_name) : NULL;
}

static void compile_turn(evutil_socket_t fd, short what, void *aux);

struct hypervisor *host_get_or_add(struct hosts *all, const char *name)
{
    struct hypervisor *h = host_by_name(all, name);
    if (h)
        return h;
    h = mem_zalloc(sizeof *h);
    h->all = all;
    h->name = mem_strdup(name);
    h->compile = event_new(all->controller->base, -1, 0, compile_turn, h);
    map_insert(&all->by_name, &h->by_name, hash_string(name));
    return h;
}

void host_detach(struct hypervisor *h)
{
    if (!h->table)
        return;
    compiler_detach(h->all->controller->compiler, h->number);
    host_end_openflow(h, "its flows are no longer computed");
    if (h->ending)
        h->ending->table = h->table;
    else
        flow_table_free(h->table);
    h->table = NULL;
}

static void host_free(struct hypervisor *h)
{
    struct hosts *all = h->all;
    if (h->db) {
        ((struct link *) ovsdb_session_aux(h->db))->host = NULL;
        ovsdb_session_close(h->db, "the host was deleted");
    }
    host_detach(h);
    host_end_openflow(h, "the host was deleted");
    if (h->ending)
        h->ending->ending = NULL;
    if (h->number)
        map_remove(&all->by_number, &h->by_number);
    map_remove(&all->by_name, &h->by_name);
    event_free(h->compile);
    free(h->name);
    free(h);
}

void host_set_error(struct hypervisor *h, const char *format, ...)
{
    char text[sizeof h->error];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!strcmp(text, h->error))
        return;
    memcpy(h->error, text, sizeof text);
    if (*text)
        log_warn("host '%s': %s", h->name, text);
    if (h->number)
        feed_object(h->all->controller->feed, h->number);
}

bool host_is_connected(const struct hypervisor *h)
{
    return h->db && h->has_facts && h->of && h->is_reconciling;
}

bool host_is_realised(const struct hypervisor *h)
{
    return h->number && h->confirmed_seq >= h->wanted_seq;
}

uint64_t host_mods_sent(const struct hypervisor *h)
{
    return h->sent_before + (h->of ? of_session_counters(h->of)->mods_sent : 0);
}

/* ---- objects ---- */

void hosts_object_added(struct hosts *all, uint32_t number)
{
    const struct hypervisor *existing = host_by_number(all, number);
    const struct model *m = all->controller->model;
    const struct host *object = model_host(m, number);
    if (existing || !object)
        return;
    struct hypervisor *h = host_get_or_add(all, object->o.name);
    h->number = number;
    h->dpid = object->dpid;
    map_insert(&all->by_number, &h->by_number, hash_u32(number));
    if (h->db && h->has_facts) {
        host_tell_runtime(h);
        hosts_want_all(all);
    }
}

void hosts_object_changed(struct hosts *all, uint32_t number)
{
    struct hypervisor *h = host_by_number(all, number);
    if (h)
        host_want(h);
}

static void forget_facts(struct hosts *all, uint32_t number)
{
    char *key = mem_printf("host/%u", number);
    store_put_fact(all->controller->store, key, NULL);
    free(key);
}

static void runtime_forget(struct hypervisor *h)
{
    struct controller *c = h->all->controller;
    const struct runtime_host *known = runtime_host(c->runtime, h->number);
    if (!known)
        return;
    struct runtime_host before = *known;
    struct vnet_event event = { .kind = EVENT_HOST, .number = h->number, .host_before = &before };
    runtime_remove_host(c->runtime, h->number);
    controller_fact_changed(c, &event);
    forget_facts(h->all, h->number);
}

void hosts_object_removed(struct hosts *all, uint32_t number)
{
    struct hypervisor *h = host_by_number(all, number);
    if (!h)
        return;
    bindings_host_removed(all->controller->bindings, number);
    host_detach(h);
    runtime_forget(h);
    host_free(h);
    waiters_check(all->controller->waiters, number);
    hosts_want_all(all);
}

/* ---- facts to the runtime ---- */

static bool runtime_host_equal(const struct runtime_host *a, const struct runtime_host *b)
{
    return ip_equal(a->encap_ip, b->encap_ip) && a->encap == b->encap && a->mtu == b->mtu
        && a->tunnel_port[ENCAP_GENEVE] == b->tunnel_port[ENCAP_GENEVE]
        && a->tunnel_port[ENCAP_VXLAN] == b->tunnel_port[ENCAP_VXLAN];
}

static void runtime_tell(struct hypervisor *h, const struct runtime_host *after)
{
    struct controller *c = h->all->controller;
    const struct runtime_host *known = runtime_host(c->runtime, h->number);
    struct runtime_host before = known ? *known : (struct runtime_host) { 0 };
    if (known && runtime_host_equal(&before, after))
        return;
    struct vnet_event event = { .kind = EVENT_HOST, .number = h->number, .host_before = known ? &before : NULL,
                                .host_after = after };
    runtime_set_host(c->runtime, after);
    host_attach(h);
    controller_fact_changed(c, &event);
}

static void store_facts(const struct hypervisor *h, const struct runtime_host *r)
{
    char ip[IP_STRLEN];
    char *key = mem_printf("host/%u", h->number);
    char *value = mem_printf("%s %u %u %u %u", ip_format(r->encap_ip, ip), (unsigned) r->encap, r->mtu,
                             r->tunnel_port[ENCAP_GENEVE], r->tunnel_port[ENCAP_VXLAN]);
    store_put_fact(h->all->controller->store, key, value);
    free(key);
    free(value);
}

/* Only one host can be reached at an address: a disconnected one that was there last has lost it. */
static void evict_encap_ip(struct hypervisor *h)
{
    struct hosts *all = h->all;
    for (struct hypervisor *other = hosts_first(all); other; other = hosts_next(all, other)) {
        const struct runtime_host *r = other->number ? runtime_host(all->controller->runtime, other->number) : NULL;
        if (other != h && r && ip_equal(r->encap_ip, h->facts.encap_ip)) {
            host_set_error(other, "its vnet-encap-ip is now used by host '%s'", h->name);
            host_detach(other);
            runtime_forget(other);
        }
    }
}

void host_tell_runtime(struct hypervisor *h)
{
    if (!h->number || !h->has_facts)
        return;
    struct runtime_host r = {
        .number = h->number,
        .encap_ip = h->facts.encap_ip,
        .encap = strcmp(h->facts.encap_type, "vxlan") ? ENCAP_GENEVE : ENCAP_VXLAN,
        .mtu = h->facts.mtu,
    };
    const struct runtime_host *known = runtime_host(h->all->controller->runtime, h->number);
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
}

void hosts_remember(struct hosts *all, uint32_t number, const char *value)
{
    struct hypervisor *h = host_by_number(all, number);
    struct runtime_host r = { .number = number };
    char ip[IP_STRLEN];
    unsigned encap, mtu;
    if (!h || sscanf(value, "%45s %u %u %u %u", ip, &encap, &mtu, &r.tunnel_port[0], &r.tunnel_port[1]) != 5
        || !ip_parse(ip, &r.encap_ip) || encap > ENCAP_VXLAN || mtu > UINT16_MAX)
        return;
    r.encap = encap;
    r.mtu = mtu;
    runtime_tell(h, &r);
}

/* ---- the OVSDB configuration ---- */

/* The port that bridges are to connect to by this scheme: of the first --openflow of that kind. 0: there is none. */
static uint16_t openflow_port(const struct hosts *all, enum endpoint_kind kind)
{
    const struct options *o = all->controller->options;
    for (size_t i = 0; i < o->openflow.n; i++) {
        struct endpoint e;
        struct error unused;
        if (endpoint_parse(o->openflow.v[i], &e, &unused) && e.kind == kind)
            return endpoint_listener_port(all->listeners[i].listener);
    }
    return 0;
}

static void put_target(char *target, size_t size, enum endpoint_kind kind, const char *ip, uint16_t port)
{
    bool is_v6 = strchr(ip, ':');
    snprintf(target, size, "%s:%s%s%s:%u", kind == ENDPOINT_TLS ? "ssl" : "tcp", is_v6 ? "[" : "", ip, is_v6 ? "]" : "", port);
}

/* Controller addresses: the host's own list, else --advertise, else the address that its OVSDB session came to. */
static bool controller_targets(const struct hypervisor *h, struct ovsdb_wanted *wanted)
{
    const struct controller *c = h->all->controller;
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
        put_target(wanted->controllers[i], sizeof wanted->controllers[i], peer->kind,
                   ip_format(object->controllers.v[i], text), port);
    return true;
}

static void encaps_in_use(const struct hosts *all, bool use[2])
{
    use[ENCAP_GENEVE] = use[ENCAP_VXLAN] = false;
    for (const struct hypervisor *h = hosts_first(all); h; h = hosts_next(all, h)) {
        const struct runtime_host *r = h->number ? runtime_host(all->controller->runtime, h->number) : NULL;
        if (r)
            use[r->encap] = true;
    }
}

void host_want(struct hypervisor *h)
{
    if (!h->db || !h->has_facts || !h->number)
        return;
    bool use[2];
    encaps_in_use(h->all, use);
    struct ovsdb_wanted wanted = { .dpid = h->dpid, .geneve = use[ENCAP_GENEVE], .vxlan = use[ENCAP_VXLAN] };
    if (!controller_targets(h, &wanted)) {
        host_set_error(h, "it came over %s, but no --openflow listener of that scheme exists",
                       ovsdb_session_peer(h->db)->kind == ENDPOINT_TLS ? "TLS" : "TCP");
        return;
    }
    ovsdb_session_want(h->db, &wanted);
}

void hosts_want_all(struct hosts *all)
{
    for (struct hypervisor *h = hosts_first(all); h; h = hosts_next(all, h))
        host_want(h);
}

/* ---- compiling and sending ---- */

void host_attach(struct hypervisor *h)
{
    if (h->table || !h->number)
        return;
    h->table = flow_table_new();
    compiler_attach(h->all->controller->compiler, h->number, h->table);
    host_concern(h, h->all->controller->seq);
}

void host_concern(struct hypervisor *h, uint64_t seq)
{
    if (seq > h->wanted_seq)
        h->wanted_seq = seq;
    if (h->table)
        event_active(h->compile, 0, 0);
}

static void report_conflict(void *aux, uint64_t cookie, const struct error *err)
{
    struct hypervisor *h = aux;
    host_set_error(h, "flows of object %u conflict: %s", cookie_number(cookie), err->text);
}

static void compile_turn(evutil_socket_t fd, short what, void *aux)
{
    struct hypervisor *h = aux;
    struct controller *c = h->all->controller;
    int64_t end_ms = controller_now_ms() + COMPILE_TURN_MS;
    bool more = true;
    if (!h->table)
        return;
    while (more && controller_now_ms() < end_ms)
        more = compiler_run(c->compiler, h->number, COMPILE_STEP, report_conflict, h);
    if (more) {
        if (h->is_reconciling)
            of_session_push(h->of);
        event_active(h->compile, 0, 0);
        return;
    }
    if (h->is_reconciling)
        of_session_flush(h->of, h->wanted_seq);
    else
        host_consider_reconcile(h);
}

/* Ready: its own database has been read whole and its tunnels have numbers, so the view of it is complete. */
static bool is_view_complete(const struct hypervisor *h)
{
    const struct runtime_host *r = runtime_host(h->all->controller->runtime, h->number);
    bool use[2];
    encaps_in_use(h->all, use);
    return h->has_facts && h->has_interfaces && h->has_ports && h->is_configured && r
        && (!use[ENCAP_GENEVE] || r->tunnel_port[ENCAP_GENEVE]) && (!use[ENCAP_VXLAN] || r->tunnel_port[ENCAP_VXLAN]);
}

void host_consider_reconcile(struct hypervisor *h)
{
    struct controller *c = h->all->controller;
    if (h->is_reconciling || h->ending || !h->of || !h->db || !h->table || !is_view_complete(h)
        || compiler_is_dirty(c->compiler, h->number))
        return;
    h->is_reconciling = true;
    of_session_reconcile(h->of, h->table, h->wanted_seq);
    feed_object(c->feed, h->number);
}

/* ---- listening ---- */

static struct link *link_new(struct listening *l)
{
    struct link *link = mem_zalloc(sizeof *link);
    link->all = l->all;
    link->listener = l->listener;
    return link;
}

static void accepted_ovsdb(void *aux, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    struct listening *l = aux;
    ovsdb_session_new(l->all->controller->base, bev, peer, &host_ovsdb_ops, link_new(l));
}

static void accepted_openflow(void *aux, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    struct listening *l = aux;
    of_session_new(l->all->controller->base, bev, peer, &host_openflow_ops, link_new(l));
}

static bool listen_one(struct hosts *all, const char *option, const char *method, endpoint_accepted *accepted,
                       struct error *err)
{
    struct endpoint e;
    if (!endpoint_parse(method, &e, err))
        return error_prefix(err, "--%s", option);
    if (e.kind == ENDPOINT_UNIX)
        return error_set(err, ERROR_INVALID, "--%s=%s: switches connect by pssl:PORT[:IP] or ptcp:PORT[:IP]", option, method);
    struct listening *l = &all->listeners[all->n_listeners];
    l->all = all;
    l->listener = endpoint_listen(all->controller->base, &e, all->controller->tls,
                                  e.kind == ENDPOINT_TLS ? "host" : NULL, accepted, l, err);
    if (!l->listener)
        return error_prefix(err, "--%s", option);
    if (e.kind == ENDPOINT_TCP)
        log_warn("--%s=%s is unauthenticated: whoever reaches it can pose as a host", option, method);
    all->n_listeners++;
    return true;
}

bool hosts_listen(struct hosts *all, struct error *err)
{
    const struct options *o = all->controller->options;
    /* OpenFlow first: openflow_port() finds a listener at its option's index. */
    for (size_t i = 0; i < o->openflow.n; i++)
        if (!listen_one(all, "openflow", o->openflow.v[i], accepted_openflow, err))
            return false;
    for (size_t i = 0; i < o->ovsdb.n; i++)
        if (!listen_one(all, "ovsdb", o->ovsdb.v[i], accepted_ovsdb, err))
            return false;
    return true;
}

void hosts_free(struct hosts *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->n_listeners; i++)
        endpoint_listener_free(all->listeners[i].listener);
    for (struct hypervisor *h = hosts_first(all), *next; h; h = next) {
        next = hosts_next(all, h);
        host_free(h);
    }
    map_done(&all->by_number);
    map_done(&all->by_name);
    free(all);
}
