#include "agent/local_host.h"

#include <stdlib.h>
#include <string.h>

#include "agent/unix_connect.h"
#include "base/alloc.h"

#define LOG_MODULE "ovsdb"
#include "base/log.h"

#define AGAIN_MS 500

struct local_host {
    struct event_base *base;
    const char *file;
    struct ovsdb_session *session; /* NULL: not connected */
    struct event *again;
    const struct local_host_ops *ops;
    void *aux;
};

static struct log_limit losses = LOG_LIMIT(5);

static void
try_again(struct local_host *h, const char *why)
{
    struct timeval tv = { AGAIN_MS / 1000, AGAIN_MS % 1000 * 1000 };
    log_warn_limited(&losses, "the host's own database: %s; trying again", why);
    evtimer_add(h->again, &tv);
}

static bool
on_facts(void *aux, struct ovsdb_session *s, const struct ovsdb_facts *facts, struct error *err)
{
    const struct local_host *h = aux;
    if (facts->system_id[0])
        h->ops->facts(h->aux, facts);
    ovsdb_session_watch(s);
    return true;
}

static void
on_interfaces(void *aux, struct ovsdb_session *s, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone,
              size_t n_gone, bool is_first)
{
    const struct local_host *h = aux;
    h->ops->interfaces(h->aux, changed, n_changed, gone, n_gone, is_first);
}

static void
on_ports(void *aux, struct ovsdb_session *s, const struct ovsdb_ports *ports)
{
}

static void
on_peer(void *aux, struct ovsdb_session *s, uint32_t number, enum ovsdb_peer_state state)
{
}

static void
on_zones(void *aux, struct ovsdb_session *s, const struct ovsdb_zone *zones, size_t n)
{
}

static void
on_configured(void *aux, struct ovsdb_session *s, bool ok, const char *reason)
{
}

static void
on_closed(void *aux, struct ovsdb_session *s, const char *reason)
{
    struct local_host *h = aux;
    h->session = NULL;
    try_again(h, reason);
}

static const struct ovsdb_session_ops session_ops = {
    .facts = on_facts,
    .interfaces = on_interfaces,
    .ports = on_ports,
    .peer = on_peer,
    .zones = on_zones,
    .configured = on_configured,
    .closed = on_closed,
};

static void
on_again(evutil_socket_t fd, short what, void *aux)
{
    struct local_host *h = aux;
    struct error err;
    struct endpoint_peer peer = { .kind = ENDPOINT_UNIX, .address = "unix" };
    struct bufferevent *bev = unix_connect(h->base, h->file, &err);
    if (bev)
        h->session = ovsdb_session_new(h->base, bev, &peer, &session_ops, h);
    else
        try_again(h, err.text);
}

struct local_host *
local_host_new(struct event_base *base, const char *place, const struct local_host_ops *ops, void *aux, struct error *err)
{
    if (strncmp(place, "unix:", 5) || !place[5] || strlen(place + 5) > 107) {
        error_set(err, ERROR_INVALID, "--ovsdb=%s: give unix:FILE, the host's own ovsdb-server", place);
        return NULL;
    }
    struct local_host *h = mem_zalloc(sizeof *h);
    *h = (struct local_host){ .base = base, .file = place + 5, .ops = ops, .aux = aux };
    h->again = evtimer_new(base, on_again, h);
    event_active(h->again, 0, 0);
    return h;
}

void
local_host_request_ofport(struct local_host *h, const char *interface, const char *iface_id, uint32_t ofport)
{
    if (h->session)
        ovsdb_session_request_ofport(h->session, interface, iface_id, ofport);
}

bool
local_host_ofport_is_taken(const struct local_host *h, uint32_t ofport)
{
    return !h->session || ovsdb_session_ofport_is_taken(h->session, ofport);
}

/* The session's end is told from the loop: one turn of it is due after this. */
void
local_host_free(struct local_host *h)
{
    if (!h)
        return;
    if (h->session) {
        ovsdb_session_close(h->session, "the agent ends");
        event_base_loop(h->base, EVLOOP_NONBLOCK);
    }
    event_free(h->again);
    free(h);
}
