/* See network.h. */
#include "tools/bench/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tools/bench/real_switch.h"

json_t *
network_port_op(unsigned i)
{
    char name[16], subnet[16];
    snprintf(name, sizeof name, "p%u", i);
    snprintf(subnet, sizeof subnet, "s%u", i / NETWORK_SUBNET_PORTS);
    return json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "op", "add", "type", "port", "name", name, "values", "subnet", subnet, "sg", "none");
}

json_t *
network_ops(unsigned n_ports)
{
    json_t *ops = json_pack("[{s:s, s:s, s:s, s:{s:s}}]", "op", "add", "type", "vpc", "name", "v", "values", "cidr", "10.0.0.0/8");
    for (unsigned i = 0; i <= n_ports / NETWORK_SUBNET_PORTS; i++) {
        char name[16], cidr[24];
        snprintf(name, sizeof name, "s%u", i);
        snprintf(cidr, sizeof cidr, "10.%u.%u.0/20", i / 16, i % 16 * 16);
        json_array_append_new(ops, json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "op", "add", "type", "subnet", "name", name, "values", "vpc",
                                             "v", "cidr", cidr));
    }
    for (unsigned i = 0; i < n_ports; i++)
        json_array_append_new(ops, network_port_op(i));
    return ops;
}

void
network_start(struct network *n, const struct bench *b, const char *name, unsigned n_ports)
{
    *n = (struct network){ .bench = b, .n_ports = n_ports };
    daemon_start(&n->daemon, b, name);
    daemon_do(&n->daemon, network_ops(n_ports));
}

unsigned
network_host_of(const struct network *n, unsigned port)
{
    return port % n->n_hosts;
}

json_t *
network_wish(const char *type, const char *name, const char *column, const char *value)
{
    return json_pack("{s:s, s:s, s:{s:s}, s:i}", "type", type, "name", name, "where", column, value, "timeout", 120);
}

static void
wait_host(const struct network *n, const char *name, const char *column)
{
    struct daemon_wait w;
    daemon_wait_begin(&n->daemon, &w, network_wish("host", name, column, "true"));
    daemon_wait_finish(&n->daemon, &w, column);
}

void
network_wait_host(const struct network *n, unsigned host)
{
    wait_host(n, n->hosts[host].name, "connected");
    wait_host(n, n->hosts[host].name, "realised");
}

void
network_wait_realised(const struct network *n)
{
    for (unsigned i = 0; i < n->n_hosts; i++)
        wait_host(n, n->hosts[i].name, "connected");
    for (unsigned i = 0; i < n->n_hosts; i++)
        wait_host(n, n->hosts[i].name, "realised");
}

static bool
all_have_bridges(const void *aux)
{
    const struct network *n = aux;
    for (unsigned i = 0; i < n->n_hosts; i++)
        if (!sim_host_dpid(&n->hosts[i]))
            return false;
    return true;
}

static void
hosts_join(struct network *n, unsigned n_hosts, bool have_switches)
{
    n->n_hosts = n_hosts;
    n->hosts = mem_zalloc(n_hosts * sizeof *n->hosts);
    for (unsigned i = 0; i < n_hosts; i++) {
        sim_host_init(&n->hosts[i], n->bench, i, have_switches);
        if (n->uplink)
            sim_host_add_uplink(&n->hosts[i], n->uplink);
        sim_host_connect(&n->hosts[i], &n->daemon);
    }
    bench_wait(n->bench, all_have_bridges, n, "every host gets its bridge");
}

void
network_add_hosts(struct network *n, unsigned n_hosts)
{
    char name[16];
    hosts_join(n, n_hosts, true);
    network_wait_realised(n);
    for (unsigned p = 0; p < n->n_ports; p++) {
        snprintf(name, sizeof name, "p%u", p);
        sim_host_plug(&n->hosts[network_host_of(n, p)], name, 1 + p / n_hosts);
    }
    for (unsigned i = 0; i < n_hosts && i < n->n_ports; i++) {
        struct daemon_wait w; /* the last port of each host */
        snprintf(name, sizeof name, "p%u", n->n_ports - 1 - i);
        daemon_wait_begin(&n->daemon, &w, network_wish("port", name, "state", "active"));
        daemon_wait_finish(&n->daemon, &w, "all ports are bound");
    }
    network_wait_realised(n);
}

void
network_add_real(struct network *n, struct real_switch *sw)
{
    hosts_join(n, 2, false);
    real_switch_start(sw, n->bench, sim_host_dpid(&n->hosts[0]));
}

void
network_plug_elsewhere(struct network *n, unsigned first, unsigned last)
{
    char name[16];
    struct daemon_wait w;
    for (unsigned p = first; p < last; p++) {
        snprintf(name, sizeof name, "p%u", p);
        sim_host_plug(&n->hosts[1], name, 1 + p);
    }
    daemon_wait_begin(&n->daemon, &w, network_wish("port", name, "state", "building"));
    daemon_wait_finish(&n->daemon, &w, "all ports are bound");
    network_wait_quiet(n);
}

void
network_stop(struct network *n)
{
    for (unsigned i = 0; i < n->n_hosts; i++)
        sim_host_done(&n->hosts[i]);
    free(n->hosts);
    daemon_stop(&n->daemon);
}

/* ---- what there is, and what has come ---- */

#define QUIET_MS 30

struct quiet {
    const struct network *network;
    double cpu_ms;
    bool is_so;
};

static void
look(evutil_socket_t fd, short what, void *aux)
{
    struct quiet *q = aux;
    double cpu_ms = daemon_cpu_ms(&q->network->daemon);
    q->is_so = cpu_ms - q->cpu_ms < QUIET_MS / 30.0;
    q->cpu_ms = cpu_ms;
}

static bool
is_quiet(const void *aux)
{
    return ((const struct quiet *) aux)->is_so;
}

void
network_wait_quiet(const struct network *n)
{
    struct quiet q = { n, 0, false };
    struct event *timer = event_new(n->bench->base, -1, EV_PERSIST, look, &q);
    event_add(timer, &(struct timeval){ .tv_usec = QUIET_MS * 1000 });
    bench_wait(n->bench, is_quiet, &q, "vnetd comes to rest");
    event_free(timer);
}

uint64_t
network_flows(const struct network *n)
{
    json_t *hosts = daemon_get(&n->daemon, "/v1/host?columns=flows"), *host;
    uint64_t flows = 0;
    size_t i;
    json_array_foreach (hosts, i, host)
        flows += (uint64_t) json_member_int(host, "flows", 0);
    json_decref(hosts);
    return flows;
}

uint64_t
network_host_flows(const struct network *n, unsigned host)
{
    char *path = mem_printf("/v1/host/%s?columns=flows", n->hosts[host].name);
    json_t *row = daemon_get(&n->daemon, path);
    int64_t flows = json_member_int(row, "flows", 0);
    json_decref(row);
    free(path);
    return (uint64_t) flows;
}

void
network_mark(const struct network *n, uint64_t before[])
{
    for (unsigned i = 0; i < n->n_hosts; i++)
        before[i] = n->hosts[i].of.n_commits;
}

struct mark {
    const struct network *network;
    const uint64_t *before;
};

static bool
all_have_committed(const void *aux)
{
    const struct mark *m = aux;
    for (unsigned i = 0; i < m->network->n_hosts; i++)
        if (m->network->hosts[i].has_switch && m->network->hosts[i].of.n_commits <= m->before[i])
            return false;
    return true;
}

void
network_wait_commits(const struct network *n, const uint64_t before[])
{
    struct mark m = { n, before };
    bench_wait(n->bench, all_have_committed, &m, "every host commits the change");
}
