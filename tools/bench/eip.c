/* 10,000 elastic IPs on 20 hosts that all have the pool's physical network: what it costs vnetd to attach one more, against the same hosts with
 * 100. Every host is concerned: the holder translates, the others know the way to it. */
#include <stdio.h>

#include "tools/bench/network.h"

#define N_HOSTS 20
#define N_LARGE 10000
#define N_SMALL 100
#define N_PAIRS 15
#define ATTACHED 8 /* of a sample: they outweigh what else happens */

static char *
address(unsigned i, char text[24])
{
    snprintf(text, 24, "100.64.%u.%u", (i + 2) / 256, (i + 2) % 256); /* behind the network's own and the gateway's */
    return text;
}

/* 'attached': to port pI, else to nothing. */
static json_t *
attach_op(unsigned i, bool is_attached)
{
    char ip[24], target[24];
    json_t *value = json_null();
    snprintf(target, sizeof target, "port:p%u", i);
    if (is_attached)
        value = json_string(target);
    return json_pack("{s:s, s:s, s:s, s:{s:o}}", "op", "set", "type", "eip", "name", address(i, ip), "values", "attached", value);
}

/* All ports have an address, the first n theirs. */
static json_t *
public_ops(unsigned n, unsigned n_attached)
{
    char ip[24];
    json_t *ops =
        json_pack("[{s:s, s:s, s:{s:s}}, {s:s, s:s, s:{s:s, s:s, s:s}}, {s:s, s:s, s:s, s:{s:s, s:s}}]", "op", "add", "type", "igw",
                  "values", "vpc", "v", "op", "add", "type", "route", "values", "rtb", "v", "prefix", "0.0.0.0/0", "target", "igw", "op",
                  "add", "type", "pool", "name", "inet", "values", "cidr", "100.64.0.0/16", "uplink", "public");
    for (unsigned i = 0; i < n; i++) {
        json_array_append_new(
            ops, json_pack("{s:s, s:s, s:{s:s, s:s}}", "op", "add", "type", "eip", "values", "pool", "inet", "ip", address(i, ip)));
        if (i < n_attached)
            json_array_append_new(ops, attach_op(i, true));
    }
    return ops;
}

static void
start(struct network *n, const struct bench *b, const char *name, unsigned n_attached)
{
    network_start(n, b, name, n_attached + ATTACHED);
    n->uplink = "public";
    daemon_do(&n->daemon, public_ops(n_attached + ATTACHED, n_attached));
    network_add_hosts(n, N_HOSTS);
    network_wait_quiet(n);
}

static void
change_wait(struct network *n, unsigned i, bool is_attached)
{
    uint64_t before[N_HOSTS];
    network_mark(n, before);
    daemon_do(&n->daemon, json_pack("[o]", attach_op(i, is_attached)));
    network_wait_commits(n, before);
}

/* Milliseconds of vnetd's CPU for one address attached, from the request until all hosts have committed it. */
static double
attach_cpu(struct network *n)
{
    network_wait_quiet(n);
    double before = daemon_cpu_ms(&n->daemon);
    for (unsigned i = 0; i < ATTACHED; i++)
        change_wait(n, n->n_ports - 1 - i, true);
    network_wait_quiet(n);
    double cpu = daemon_cpu_ms(&n->daemon) - before;
    for (unsigned i = 0; i < ATTACHED; i++)
        change_wait(n, n->n_ports - 1 - i, false);
    return cpu / ATTACHED;
}

void
measure_eip(const struct bench *b)
{
    struct network large, small;
    struct samples at_large = { .n = 0 }, at_small = { .n = 0 };
    start(&large, b, "large", N_LARGE);
    start(&small, b, "small", N_SMALL);
    attach_cpu(&large);
    attach_cpu(&small);
    for (unsigned i = 0; i < N_PAIRS; i++) {
        samples_add(&at_large, attach_cpu(&large));
        samples_add(&at_small, attach_cpu(&small));
    }
    figure_print(b, &(struct figure){ .name = "   flows on 20 hosts together, 10,000 elastic IPs",
                                      .unit = "flows",
                                      .value = (double) network_flows(&large) });
    network_stop(&small);
    network_stop(&large);
    figure_print(b, &(struct figure){ .name = "   CPU of one elastic IP attached, 20 hosts, 10,000 of them | 100",
                                      .unit = "ms",
                                      .value = samples_median(&at_large),
                                      .reference = samples_median(&at_small),
                                      .bar = BAR_AT_MOST,
                                      .limit = 1.3 });
}
