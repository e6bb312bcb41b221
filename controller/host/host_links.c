/* Where hosts connect to: listeners as the options say, and all sessions that have come by them, whether their host is known yet or not. What is said on
 * a session is host_ovsdb.c's and host_openflow.c's. */
#include "controller/host/host_links.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"

#define LOG_MODULE "host"
#include "base/log.h"

struct links {
    struct hosts *hosts;
    struct listening {
        struct links *all;
        struct endpoint_listener *listener;
    } listeners[2 * OPTION_LISTENERS_MAX];
    size_t n_listeners;
    struct link *first;
};

struct links *
links_new(struct hosts *hosts)
{
    struct links *all = mem_zalloc(sizeof *all);
    all->hosts = hosts;
    return all;
}

void
links_free(struct links *all)
{
    for (size_t i = 0; i < all->n_listeners; i++)
        endpoint_listener_free(all->listeners[i].listener);
    free(all);
}

/* ---- sessions ---- */

static struct link *
link_new(struct listening *l)
{
    struct links *all = l->all;
    struct link *link = mem_zalloc(sizeof *link);
    link->all = all->hosts;
    link->listener = l->listener;
    link->next = all->first;
    if (link->next)
        link->next->prev = link;
    all->first = link;
    return link;
}

void
link_free(struct link *link)
{
    if (link->prev)
        link->prev->next = link->next;
    else
        hosts_links(link->all)->first = link->next;
    if (link->next)
        link->next->prev = link->prev;
    endpoint_listener_released(link->listener);
    flow_table_free(link->table);
    free(link);
}

static void
accepted_ovsdb(void *aux, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    struct link *link = link_new(aux);
    link->db = ovsdb_session_new(hosts_controller(link->all)->base, bev, peer, &host_ovsdb_ops, link);
}

static void
accepted_openflow(void *aux, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    struct link *link = link_new(aux);
    link->of = of_session_new(hosts_controller(link->all)->base, bev, peer, &host_openflow_ops, link);
}

bool
links_close(struct links *all)
{
    for (struct link *link = all->first; link; link = link->next) {
        if (link->db)
            ovsdb_session_close(link->db, "vnetd is stopping");
        if (link->of)
            of_session_close(link->of, "vnetd is stopping");
    }
    return all->first;
}

/* ---- listeners ---- */

static bool
listen_one(struct links *all, const char *option, const char *method, endpoint_accepted *accepted, struct error *err)
{
    struct endpoint e;
    struct controller *c = hosts_controller(all->hosts);
    if (!endpoint_parse(method, &e, err))
        return error_prefix(err, "--%s", option);
    if (e.kind == ENDPOINT_UNIX)
        return error_set(err, ERROR_INVALID, "--%s=%s: switches connect by pssl:PORT[:IP] or ptcp:PORT[:IP]", option, method);
    struct listening *l = &all->listeners[all->n_listeners];
    l->all = all;
    l->listener = endpoint_listen(c->base, &e, c->tls, e.kind == ENDPOINT_TLS ? "host" : NULL, accepted, l, err);
    if (!l->listener)
        return error_prefix(err, "--%s", option);
    if (e.kind == ENDPOINT_TCP)
        log_warn("--%s=%s is unauthenticated: whoever reaches it can pose as a host", option, method);
    all->n_listeners++;
    return true;
}

bool
hosts_listen(struct hosts *hosts, struct error *err)
{
    struct links *all = hosts_links(hosts);
    const struct options *o = hosts_controller(hosts)->options;
    /* OpenFlow first: hosts_openflow_port() goes by the option's index. */
    for (size_t i = 0; i < o->openflow.n; i++)
        if (!listen_one(all, "openflow", o->openflow.v[i], accepted_openflow, err))
            return false;
    for (size_t i = 0; i < o->ovsdb.n; i++)
        if (!listen_one(all, "ovsdb", o->ovsdb.v[i], accepted_ovsdb, err))
            return false;
    return true;
}

uint16_t
hosts_openflow_port(const struct hosts *hosts, size_t option)
{
    return endpoint_listener_port(hosts_links(hosts)->listeners[option].listener);
}

uint16_t
hosts_ovsdb_port(const struct hosts *hosts)
{
    const struct options *o = hosts_controller(hosts)->options;
    for (size_t i = 0; i < o->ovsdb.n; i++)
        if (!strncmp(o->ovsdb.v[i], "pssl:", 5))
            return endpoint_listener_port(hosts_links(hosts)->listeners[o->openflow.n + i].listener);
    return 0;
}
