/* What a host's OVSDB session tells: who it is, which interfaces it has, that its configuration stands. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "controller/commit.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"
#include "controller/instance/instances.h"
#include "controller/waiter.h"

#define LOG_MODULE "host"
#include "base/log.h"

static struct log_limit refusals = LOG_LIMIT(20);

/* ---- joining ---- */

static bool
check_certificate(const struct ovsdb_session *s, const char *system_id, struct error *err)
{
    const struct endpoint_peer *peer = ovsdb_session_peer(s);
    if (peer->kind != ENDPOINT_TLS || !strcmp(peer->cn, system_id))
        return true;
    return error_set(err, ERROR_FORBIDDEN, "system-id '%s' does not match the certificate's name '%s' (%s)", system_id, peer->cn,
                     peer->address);
}

/* Another machine with the name of a connected host. */
static bool
check_identity(struct hypervisor *h, struct ovsdb_session *s, const struct ovsdb_facts *facts, struct error *err)
{
    if (!h->db || h->db == s || uuid_equal(h->facts.row, facts->row))
        return true;
    const char *old = ovsdb_session_peer(h->db)->address, *new = ovsdb_session_peer(s)->address;
    host_set_error(h, HOST_ERROR_CLAIMED, "another host at %s claims the same system-id '%s' and was refused (this one is at %s)", new,
                   h->name, old);
    return error_set(err, ERROR_CONFLICT, "system-id '%s' is in use by the host at %s", h->name, old);
}

static bool
check_encap_ip(struct hosts *all, const struct hypervisor *h, const struct ovsdb_facts *facts, struct error *err)
{
    for (struct hypervisor *other = hosts_first(all); other; other = hosts_next(all, other)) {
        if (other == h || !other->db || !other->has_facts || !ip_equal(other->facts.encap_ip, facts->encap_ip))
            continue;
        char ip[IP_STRLEN];
        host_set_error(other, HOST_ERROR_CLAIMED, "host '%s' claims the same vnet-encap-ip %s and was refused", facts->system_id,
                       ip_format(facts->encap_ip, ip));
        return error_set(err, ERROR_CONFLICT, "vnet-encap-ip %s of host '%s' is in use by host '%s'", ip, facts->system_id, other->name);
    }
    return true;
}

struct joining {
    struct hosts *all;
    char name[OVSDB_NAME_MAX];
};

/* A host whose object cannot be made is sent away, and tries again when it comes back. */
static void
object_created(void *aux, const struct commit_result *result)
{
    struct joining *j = aux;
    struct hypervisor *h = host_by_name(j->all, j->name);
    if (!result->ok && h && !h->number && h->db) {
        char *reason = mem_printf("its object could not be created: %s", result->err.text);
        log_warn_limited(&refusals, "host '%s': %s", j->name, reason);
        ovsdb_session_close(h->db, reason);
        free(reason);
    }
    free(j);
}

/* The host's object is made by a transaction like any other; hosts_object_added() goes on from there. */
static void
create_object(struct hypervisor *h)
{
    char owner[HOST_NAME_MAX + 1] = "";
    struct joining *j = mem_zalloc(sizeof *j);
    j->all = h->all;
    snprintf(j->name, sizeof j->name, "%s", h->name);
    gethostname(owner, sizeof owner - 1);
    struct commit_request request = {
        .ops = json_pack("[{s:s,s:s,s:s,s:{s:s}}]", "op", "add", "type", "host", "name", h->name, "values", "owner", owner),
        .principal = { .role = PRINCIPAL_ADMIN, .name = "vnetd" },
        .done = object_created,
        .aux = j,
    };
    commit_submit(hosts_controller(h->all)->commits, &request);
}

static void
adopt(struct hypervisor *h, struct ovsdb_session *s, struct link *link)
{
    if (h->db && h->db != s) {
        ((struct link *) ovsdb_session_aux(h->db))->host = NULL;
        ovsdb_session_close(h->db, "the host connected again");
    }
    if (h->db != s) {
        h->is_underlay_down = false;
        h->has_facts = h->has_ports = h->has_interfaces = h->is_configured = false;
        host_zones_unread(h);
        host_forget_views(h);
        log_info("host '%s': connected from %s", h->name, ovsdb_session_peer(s)->address);
    }
    bool is_new = h->db != s;
    h->db = s;
    link->host = h;
    if (is_new && h->number)
        bindings_host_unread(hosts_controller(h->all)->bindings, h->number);
}

/* Something we rely on is wrong, but the host stays connected so that it can be put right. */
static bool
tolerate(struct hypervisor *h, const struct ovsdb_facts *facts)
{
    if (!facts->error[0])
        return false;
    host_set_error(h, HOST_ERROR_FACTS, "%s", facts->error);
    return true;
}

/* Another bridge is to be the integration bridge: nothing that was said of the old one holds for it. */
static void
leave_bridge(struct hypervisor *h)
{
    h->is_configured = h->has_ports = false;
    host_end_openflow(h, "vnet-bridge names another bridge now");
}

static bool
host_facts(void *aux, struct ovsdb_session *s, const struct ovsdb_facts *facts, struct error *err)
{
    struct link *link = aux;
    struct hosts *all = link->all;
    if (!facts->system_id[0])
        return error_set(err, ERROR_INVALID, "%s: %s", ovsdb_session_peer(s)->address, facts->error);
    if (link->host && strcmp(link->host->name, facts->system_id))
        return error_set(err, ERROR_CONFLICT, "host '%s' changed its system-id to '%s'; it must connect anew", link->host->name,
                         facts->system_id);
    if (!check_certificate(s, facts->system_id, err))
        return false;
    struct hypervisor *h = host_by_name(all, facts->system_id);
    if (h && !check_identity(h, s, facts, err))
        return false;
    if (!facts->error[0] && !check_encap_ip(all, h, facts, err))
        return false;
    h = host_get_or_add(all, facts->system_id);
    adopt(h, s, link);
    if (!h->number)
        create_object(h);
    if (tolerate(h, facts))
        return true;
    if (h->has_facts && strcmp(h->facts.bridge, facts->bridge))
        leave_bridge(h);
    host_set_facts(h, facts);
    host_clear_error(h, HOST_ERROR_FACTS);
    host_clear_error(h, HOST_ERROR_CLAIMED); /* what others claim may be free now */
    if (h->number) {
        host_tell_runtime(h);
        host_want(h);
        instances_host_connected(hosts_controller(all)->instances, h->number);
        agents_check_mtu(hosts_controller(all)->agents, h->number);
        feed_object(hosts_controller(all)->feed, h->number);
    }
    return true;
}

/* ---- interfaces, ports, configuration ---- */

static void
host_interfaces(void *aux, struct ovsdb_session *s, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone,
                size_t n_gone, bool is_first)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (!h || !h->number)
        return;
    bindings_update(hosts_controller(h->all)->bindings, h->number, changed, n_changed, gone, n_gone, is_first);
    h->has_interfaces = true;
    host_consider_reconcile(h);
}

static void
host_ports(void *aux, struct ovsdb_session *s, const struct ovsdb_ports *ports)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (!h)
        return;
    h->ports = *ports;
    h->has_ports = true;
    host_tell_runtime(h);
    host_consider_reconcile(h);
}

static void
host_uplinks(void *aux, struct ovsdb_session *s, const struct ovsdb_uplink_state *states)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (!h)
        return;
    host_uplinks_told(h, states);
    host_tell_runtime(h);
}

static void
host_peer(void *aux, struct ovsdb_session *s, uint32_t number, enum ovsdb_peer_state state)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (h)
        host_saw_peer(h, number, state);
}

static void
host_underlay(void *aux, struct ovsdb_session *s, bool is_down)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (!h)
        return;
    h->is_underlay_down = is_down;
    hosts_judge_gateways(h->all);
}

static void
host_zones(void *aux, struct ovsdb_session *s, const struct ovsdb_zone *zones, size_t n)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (!h || !h->number)
        return;
    host_zones_told(h, zones, n);
    host_consider_reconcile(h);
}

static void
host_configured(void *aux, struct ovsdb_session *s, bool ok, const char *reason)
{
    struct hypervisor *h = ((struct link *) aux)->host;
    if (!h)
        return;
    h->is_configured = ok;
    if (ok)
        host_clear_error(h, HOST_ERROR_CONFIG);
    else
        host_set_error(h, HOST_ERROR_CONFIG, "its bridge could not be configured: %s", reason);
    host_expect_switch(h);
    host_consider_reconcile(h);
}

/* Its database is not connected any more. */
static void
host_lost_ovsdb(struct hypervisor *h)
{
    struct controller *c = hosts_controller(h->all);
    if (!h->number) {
        host_free(h); /* it has never been more than a name */
        return;
    }
    host_zones_unread(h);
    hosts_judge_gateways(h->all);
    bindings_host_unread(c->bindings, h->number);
    waiters_check(c->waiters, h->number);
    feed_object(c->feed, h->number);
    instances_host_quiet(c->instances);
}

static void
host_ovsdb_closed(void *aux, struct ovsdb_session *s, const char *reason)
{
    struct link *link = aux;
    struct hypervisor *h = link->host;
    if (h && h->db == s) {
        log_info("host '%s': OVSDB connection closed: %s", h->name, reason);
        h->db = NULL;
        h->quiet_wall_ms = controller_wall_ms();
        host_expect_switch(h);
        if (!hosts_are_closing(link->all))
            host_lost_ovsdb(h);
    } else {
        log_warn_limited(&refusals, "OVSDB connection from %s closed: %s", ovsdb_session_peer(s)->address, reason);
    }
    link_free(link);
}

const struct ovsdb_session_ops host_ovsdb_ops = {
    .facts = host_facts,
    .interfaces = host_interfaces,
    .ports = host_ports,
    .uplinks = host_uplinks,
    .peer = host_peer,
    .underlay = host_underlay,
    .zones = host_zones,
    .configured = host_configured,
    .closed = host_ovsdb_closed,
};
