/* Is vnetd well, in figures: /healthz and /metrics (Prometheus text format 0.0.4). */
#include <event2/buffer.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/heap.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/commit.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"
#include "controller/store/store.h"

void
api_healthz(struct call *call)
{
    const char *trouble = store_trouble(call->controller->store);
    call_text(call, *trouble ? 503 : 200, "text/plain", *trouble ? trouble : "ok\n");
}

static void
line(struct evbuffer *out, const char *name, const char *type, const char *help, double value)
{
    evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name, value);
}

static void
object_lines(struct evbuffer *out, const struct model *m)
{
    evbuffer_add_printf(out, "# HELP vnet_objects Objects of intent.\n# TYPE vnet_objects gauge\n");
    for (const struct object_class *c = object_class_next(NULL); c; c = object_class_next(c))
        if (!c->is_hidden)
            evbuffer_add_printf(out, "vnet_objects{type=\"%s\"} %zu\n", c->name, model_count(m, c->type));
}

/* A host's name is at most 63 characters of a harmless alphabet: no escaping is needed. */
static void
host_lines(struct evbuffer *out, const struct hosts *hosts, const char *name, const char *type, const char *help,
           double (*value)(const struct hypervisor *))
{
    evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    for (const struct hypervisor *h = hosts_first(hosts); h; h = hosts_next(hosts, h))
        if (h->number)
            evbuffer_add_printf(out, "%s{host=\"%s\"} %.17g\n", name, h->name, value(h));
}

static double
is_connected(const struct hypervisor *h)
{
    return host_is_connected(h);
}

static double
is_realised(const struct hypervisor *h)
{
    return host_is_realised(h);
}

static double
n_flows(const struct hypervisor *h)
{
    return h->table ? (double) flow_table_n_desired(h->table) : 0;
}

static double
mods_sent(const struct hypervisor *h)
{
    return (double) host_mods_sent(h);
}

static double
packet_ins(const struct hypervisor *h)
{
    return h->of ? (double) of_session_counters(h->of)->packet_ins : 0;
}

static struct agent_beats
agent_beats(const struct hypervisor *h)
{
    return agents_beats(hosts_controller(h->all)->agents, h->number);
}

static double
has_agent(const struct hypervisor *h)
{
    return agents_is_present(hosts_controller(h->all)->agents, h->number);
}

static double
agent_beats_total(const struct hypervisor *h)
{
    return (double) agent_beats(h).n;
}

static double
agent_heap_bytes(const struct hypervisor *h)
{
    return (double) agent_beats(h).heap_bytes;
}

void
api_metrics(struct call *call)
{
    struct error err;
    const struct controller *c = call->controller;
    if (!principal_may(&call->principal, VERB_READ, NULL, &err)) {
        call_error(call, &err, -1);
        return;
    }
    const struct commit_counters *commits = commits_counters(c->commits);
    const struct store_counters *store = store_counters(c->store);
    struct evbuffer *out = evbuffer_new();
    line(out, "vnet_revision", "counter", "Revision of the store.", (double) model_revision(c->model));
    line(out, "vnet_transactions_total", "counter", "Transactions committed.", (double) commits->committed);
    line(out, "vnet_transactions_refused_total", "counter", "Transactions refused.", (double) commits->refused);
    line(out, "vnet_store_commits_total", "counter", "Commits made durable.", (double) store->commits);
    line(out, "vnet_store_failures_total", "counter", "Commits the store refused.", (double) store->failed);
    line(out, "vnet_store_commit_seconds_total", "counter", "Time spent making commits durable.", (double) store->commit_us_total / 1e6);
    line(out, "vnet_heap_bytes", "gauge", "Heap in use.", (double) heap_in_use());
    line(out, "vnet_start_time_seconds", "gauge", "When vnetd started, since 1970.", (double) c->started_ms / 1e3);
    object_lines(out, c->model);
    host_lines(out, c->hosts, "vnet_host_connected", "gauge", "OVSDB and OpenFlow are up.", is_connected);
    host_lines(out, c->hosts, "vnet_host_realised", "gauge", "Everything that concerns it is installed.", is_realised);
    host_lines(out, c->hosts, "vnet_host_flows", "gauge", "Flows it should hold.", n_flows);
    host_lines(out, c->hosts, "vnet_host_mods_sent_total", "counter", "Modifications sent.", mods_sent);
    host_lines(out, c->hosts, "vnet_host_packet_ins_total", "counter", "Packets it sent for an answer.", packet_ins);
    host_lines(out, c->hosts, "vnet_host_agent", "gauge", "Its agent is there.", has_agent);
    host_lines(out, c->hosts, "vnet_host_agent_beats_total", "counter", "Beats of its agent, since that came.", agent_beats_total);
    host_lines(out, c->hosts, "vnet_host_agent_heap_bytes", "gauge", "Heap in use by its agent, at its last beat.", agent_heap_bytes);
    evbuffer_add(out, "", 1);
    call_text(call, 200, "text/plain; version=0.0.4", (const char *) evbuffer_pullup(out, -1));
    evbuffer_free(out);
}
