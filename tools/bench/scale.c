/* 10,000 ports of one VPC on 20 hosts: what one port bound costs vnetd, against the same with 100 ports; and what memory it takes. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/network.h"

#define N_HOSTS 20
#define N_LARGE 10000
#define N_SMALL 100
#define N_PAIRS 15
#define BINDS 8 /* of a sample: they outweigh what else happens */

static void
plug_wait(struct network *n, unsigned port, size_t *plugged)
{
    uint64_t before[N_HOSTS];
    char name[16];
    snprintf(name, sizeof name, "p%u", port);
    network_mark(n, before);
    *plugged = sim_host_plug(&n->hosts[network_host_of(n, port)], name, 1 + port);
    network_wait_commits(n, before);
}

static void
unplug_wait(struct network *n, unsigned port, size_t plugged)
{
    uint64_t before[N_HOSTS];
    network_mark(n, before);
    sim_host_unplug(&n->hosts[network_host_of(n, port)], plugged);
    network_wait_commits(n, before);
}

/* Milliseconds of vnetd's CPU for one port bound, until all hosts have committed it. */
static double
bind_cpu(struct network *n)
{
    size_t plugged[BINDS];
    double before = daemon_cpu_ms(&n->daemon);
    for (unsigned i = 0; i < BINDS; i++)
        plug_wait(n, n->n_ports + i, &plugged[i]);
    network_wait_quiet(n);
    double cpu = daemon_cpu_ms(&n->daemon) - before;
    for (unsigned i = 0; i < BINDS; i++)
        unplug_wait(n, n->n_ports + i, plugged[i]);
    network_wait_quiet(n);
    return cpu / BINDS;
}

static void
measure_cpu(const struct bench *b, struct network *large, struct network *small)
{
    struct samples at_large = { .n = 0 }, at_small = { .n = 0 };
    bind_cpu(large);
    bind_cpu(small);
    for (unsigned i = 0; i < N_PAIRS; i++) {
        samples_add(&at_large, bind_cpu(large));
        samples_add(&at_small, bind_cpu(small));
    }
    figure_print(b, &(struct figure){ .name = "3  CPU of one port bound, 20 hosts, 10,000 ports | 100 ports",
                                      .unit = "ms",
                                      .value = samples_median(&at_large),
                                      .reference = samples_median(&at_small),
                                      .bar = BAR_AT_MOST,
                                      .limit = 1.3 });
}

static void
start(struct network *n, const struct bench *b, const char *name, unsigned n_ports)
{
    network_start(n, b, name, n_ports + BINDS);
    n->n_ports = n_ports; /* that are bound */
}

/* A restart forgets what only the request took. */
static double
memory_settled(struct network *n)
{
    daemon_restart(&n->daemon);
    return daemon_memory_bytes(&n->daemon);
}

static void
measure_memory(const struct bench *b, const struct network *n, double empty, double loaded)
{
    double full = daemon_memory_bytes(&n->daemon);
    uint64_t flows = network_flows(n);
    figure_print(b, &(struct figure){ .name = "6  memory of a port: model loaded, hosts away",
                                      .unit = "bytes",
                                      .value = (loaded - empty) / N_LARGE,
                                      .reference = 2048,
                                      .peer = "2 KB",
                                      .bar = BAR_AT_MOST,
                                      .limit = 1 });
    figure_print(b, &(struct figure){ .name = "6  memory of an installed flow: what 20 hosts and their flows add",
                                      .unit = "bytes",
                                      .value = (full - loaded) / (double) flows,
                                      .reference = 250,
                                      .peer = "250 bytes",
                                      .bar = BAR_AT_MOST,
                                      .limit = 1 });
    figure_print(b, &(struct figure){ .name = "   memory of vnetd, 10,000 ports on 20 hosts", .unit = "MB", .value = full / 1e6 });
    figure_print(b, &(struct figure){ .name = "   flows on those hosts together", .unit = "flows", .value = (double) flows });
}

void
measure_scale(const struct bench *b)
{
    struct network large, small;
    network_start(&small, b, "small", 0);
    double empty = memory_settled(&small);
    network_stop(&small);

    start(&large, b, "large", N_LARGE);
    double loaded = memory_settled(&large);
    network_add_hosts(&large, N_HOSTS);
    network_wait_quiet(&large);
    measure_memory(b, &large, empty, loaded);

    start(&small, b, "small", N_SMALL);
    network_add_hosts(&small, N_HOSTS);
    measure_cpu(b, &large, &small);
    network_stop(&small);
    network_stop(&large);
}
