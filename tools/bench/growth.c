/* The best peer's figures, at the same work (ports over subnets of one VPC, three hosts), with simulated switches: what it measured stands in
 * the reference column for its versions 23.03 / 25.03 / 26.03. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/network.h"

#define N_HOSTS 3
#define N_ADDS 20

struct size {
    unsigned n_ports;
    const char *add, *cpu, *bind, *build, *flows, *memory; /* the peer's */
};

static const struct size sizes[] = {
    { 100, "52 / 21 / 24 ms", "69 / 29 / 33 ms", NULL, NULL, NULL, NULL },
    { 1000, "267 / 97 / 95 ms", "346 / 172 / 150 ms", NULL, NULL, "28035/31590/32531", NULL },
    { 5000, "2137 / 576 / 490 ms", "2661 / 1078 / 946 ms", "1082 / 1363 / 827 ms", "19.7 / 17.2 / 15.1 s", "120035/135590/136531",
      "635 / 694 / 635 MB" },
};

static void
print(const struct network *n, const char *what, const char *unit, double value, const char *peer)
{
    char name[80];
    snprintf(name, sizeof name, "   %s, %u ports", what, n->n_ports);
    if (peer)
        figure_print(n->bench, &(struct figure){ .name = name, .unit = unit, .value = value, .peer = peer });
}

/* What one more port brings to each host. */
struct increments {
    uint64_t before[N_HOSTS], wanted[N_HOSTS];
};

struct adding {
    const struct network *n;
    const struct increments *i;
};

static bool
all_have_it(const void *aux)
{
    const struct adding *a = aux;
    for (unsigned h = 0; h < N_HOSTS; h++)
        if (a->n->hosts[h].of.n_mods < a->i->before[h] + a->i->wanted[h])
            return false;
    return true;
}

static void
add(struct network *n, unsigned port, const struct increments *i)
{
    char name[16];
    struct adding a = { n, i };
    snprintf(name, sizeof name, "p%u", port);
    json_t *ops = json_array();
    json_array_append_new(ops, network_port_op(port));
    daemon_do(&n->daemon, ops);
    sim_host_plug(&n->hosts[0], name, 1 + port);
    bench_wait(n->bench, all_have_it, &a, "every host has the port");
}

static void
increments_mark(const struct network *n, struct increments *i)
{
    for (unsigned h = 0; h < N_HOSTS; h++)
        i->before[h] = n->hosts[h].of.n_mods;
}

/* The first one tells how many modifications there are: when vnetd has come to rest, all have arrived. */
static void
increments_learn(struct network *n, unsigned port, struct increments *i)
{
    *i = (struct increments){ .wanted = { 1, 1, 1 } };
    increments_mark(n, i);
    add(n, port, i);
    network_wait_quiet(n);
    for (unsigned h = 0; h < N_HOSTS; h++)
        i->wanted[h] = n->hosts[h].of.n_mods - i->before[h];
}

static void
measure_add(struct network *n, const struct size *size)
{
    struct samples took = { .n = 0 }, cpu = { .n = 0 };
    struct increments i;
    increments_learn(n, size->n_ports, &i);
    for (unsigned k = 1; k <= N_ADDS; k++) {
        network_wait_quiet(n);
        double cpu_before = daemon_cpu_ms(&n->daemon);
        increments_mark(n, &i);
        int64_t start = bench_now_ns();
        add(n, size->n_ports + k, &i);
        samples_add(&took, (double) (bench_now_ns() - start) / 1e6);
        network_wait_quiet(n);
        samples_add(&cpu, daemon_cpu_ms(&n->daemon) - cpu_before);
    }
    print(n, "add one port until every host has it", "ms", samples_median(&took), size->add);
    print(n, "CPU of that (vnetd)", "ms", samples_median(&cpu), size->cpu);
}

static void
measure_active(struct network *n, const struct size *size)
{
    struct samples took = { .n = 0 };
    char name[16];
    for (unsigned k = 0; size->bind && k < N_ADDS; k++) {
        unsigned port = size->n_ports + 100 + k;
        json_t *ops = json_array();
        json_array_append_new(ops, network_port_op(port));
        daemon_do(&n->daemon, ops);
        network_wait_quiet(n);
        struct daemon_wait w;
        snprintf(name, sizeof name, "p%u", port);
        daemon_wait_begin(&n->daemon, &w, network_wish("port", name, "state", "active"));
        network_wait_quiet(n);
        int64_t start = bench_now_ns();
        sim_host_plug(&n->hosts[0], name, 1 + port);
        daemon_wait_finish(&n->daemon, &w, "the port is active");
        samples_add(&took, (double) (w.done_ns - start) / 1e6);
    }
    if (size->bind)
        print(n, "bind one port until it is active", "ms", samples_median(&took), size->bind);
}

static void
measure_size(const struct bench *b, const struct size *size)
{
    struct network n;
    int64_t start = bench_now_ns();
    network_start(&n, b, "growth", size->n_ports);
    network_add_hosts(&n, N_HOSTS);
    print(&n, "build from nothing, three hosts confirmed", "s", (double) (bench_now_ns() - start) / 1e9, size->build);
    network_wait_quiet(&n);
    print(&n, "flows on a host", "flows", (double) network_host_flows(&n, 0), size->flows);
    print(&n, "memory of vnetd (peer: database and compiler)", "MB", daemon_memory_bytes(&n.daemon) / 1e6, size->memory);
    measure_add(&n, size);
    measure_active(&n, size);
    network_stop(&n);
}

void
measure_growth(const struct bench *b)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        measure_size(b, &sizes[i]);
}
