/* A security group of 10,000 members on 20 hosts and one of ten on the same hosts, each with 1,000 rules, half of which name the group itself:
 * what it costs vnetd that a port joins, and how many flows every host is sent. And the same of a port that joins both at once, so that it is the
 * first one with this combination; and of a rule more, where there are 1,000 and where there are ten. */
#include <stdio.h>

#include "tools/bench/network.h"

#define N_HOSTS 20
#define N_LARGE 10000
#define N_SMALL 10
#define N_RULES 1000
#define N_FEW_RULES 10
#define N_PAIRS 15
#define N_RULE_PAIRS 9
#define N_JOINING 8                       /* of a sample: they outweigh what else happens; ports, or rules */
#define FIRST_SMALL N_LARGE               /* on hosts 0 to 9 */
#define FIRST_FEW (N_LARGE + N_SMALL)     /* on hosts 10 to 19, in a group of few rules */
#define FIRST_JOINING (N_LARGE + N_HOSTS) /* on hosts 0 to 7, where both groups have members */
#define N_PORTS (FIRST_JOINING + N_JOINING)

static json_t *
group_op(unsigned port, const char *group)
{
    char name[16];
    snprintf(name, sizeof name, "p%u", port);
    return json_pack("{s:s, s:s, s:s, s:{s:s}}", "op", "set", "type", "port", "name", name, "values", "sg", group);
}

/* Of one port, or of two. */
static json_t *
rule_op(const char *group, unsigned i, bool has_run)
{
    char ports[16], peer[24];
    snprintf(ports, sizeof ports, has_run ? "%u-%u" : "%u", 1024 + i, 1025 + i);
    snprintf(peer, sizeof peer, i % 2 ? "sg:%s" : "10.128.0.0/9", group);
    return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "op", "add", "type", "sg-rule", "values", "sg", group, "direction",
                     "ingress", "proto", "tcp", "ports", ports, "peer", peer);
}

static const char *
group_at_first(unsigned port)
{
    return port < N_LARGE ? "large" : port < FIRST_FEW ? "small" : port < FIRST_JOINING ? "few" : "none";
}

static json_t *
groups_ops(void)
{
    static const struct {
        const char *name;
        unsigned n_rules;
    } groups[] = { { "large", N_RULES }, { "small", N_RULES }, { "few", N_FEW_RULES } };
    json_t *ops = json_array();
    for (unsigned g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        json_array_append_new(
            ops, json_pack("{s:s, s:s, s:s, s:{s:s}}", "op", "add", "type", "sg", "name", groups[g].name, "values", "vpc", "v"));
        for (unsigned i = 0; i < groups[g].n_rules; i++)
            json_array_append_new(ops, rule_op(groups[g].name, i, false));
    }
    for (unsigned p = 0; p < N_PORTS; p++)
        json_array_append_new(ops, group_op(p, group_at_first(p)));
    return ops;
}

/* ---- joining ---- */

struct mods {
    uint64_t own, other; /* what the port's own host was sent, and the most that another was */
};

static void
set_group(struct network *n, unsigned port, const char *group)
{
    uint64_t before[N_HOSTS];
    json_t *ops = json_array();
    network_mark(n, before);
    json_array_append_new(ops, group_op(port, group));
    daemon_do(&n->daemon, ops);
    network_wait_commits(n, before);
}

/* Milliseconds of vnetd's CPU for one port that joins, until all hosts have committed it. */
static double
join_cpu(struct network *n, const char *group)
{
    double before = daemon_cpu_ms(&n->daemon);
    for (unsigned i = 0; i < N_JOINING; i++)
        set_group(n, FIRST_JOINING + i, group);
    network_wait_quiet(n);
    double cpu = daemon_cpu_ms(&n->daemon) - before;
    for (unsigned i = 0; i < N_JOINING; i++)
        set_group(n, FIRST_JOINING + i, "none");
    network_wait_quiet(n);
    return cpu / N_JOINING;
}

static struct mods
join_mods(struct network *n, const char *group)
{
    uint64_t before[N_HOSTS];
    struct mods mods = { 0, 0 };
    for (unsigned h = 0; h < N_HOSTS; h++)
        before[h] = n->hosts[h].of.n_mods;
    set_group(n, FIRST_JOINING, group);
    network_wait_quiet(n);
    for (unsigned h = 0; h < N_HOSTS; h++) {
        uint64_t sent = n->hosts[h].of.n_mods - before[h];
        if (h == network_host_of(n, FIRST_JOINING))
            mods.own = sent;
        else if (sent > mods.other)
            mods.other = sent;
    }
    set_group(n, FIRST_JOINING, "none");
    network_wait_quiet(n);
    return mods;
}

/* Of one alone. */
static double
one_cpu(struct network *n, const char *groups)
{
    double before = daemon_cpu_ms(&n->daemon);
    set_group(n, FIRST_JOINING, groups);
    network_wait_quiet(n);
    double cpu = daemon_cpu_ms(&n->daemon) - before;
    set_group(n, FIRST_JOINING, "none");
    network_wait_quiet(n);
    return cpu;
}

static void
print_first(struct network *n, const struct bench *b, const struct mods *at_known)
{
    struct samples first = { .n = 0 }, known = { .n = 0 };
    struct mods mods = join_mods(n, "large,small");
    for (unsigned i = 0; i < N_PAIRS; i++) {
        samples_add(&first, one_cpu(n, "large,small"));
        samples_add(&known, one_cpu(n, "large"));
    }
    figure_print(b, &(struct figure){ .name = "   CPU of a member with a combination that never was, 1,000 rules | that was",
                                      .unit = "ms",
                                      .value = samples_median(&first),
                                      .reference = samples_median(&known),
                                      .bar = BAR_AT_MOST,
                                      .limit = 2 });
    figure_print(b, &(struct figure){ .name = "   flow mods of that for the member's own host | that was",
                                      .unit = "flows",
                                      .value = (double) mods.own,
                                      .reference = (double) at_known->own,
                                      .bar = BAR_AT_MOST,
                                      .limit = 1.1 });
    figure_print(b, &(struct figure){ .name = "   flow mods of that for each other host | that was",
                                      .unit = "flows",
                                      .value = (double) mods.other,
                                      .reference = (double) at_known->other });
}

/* ---- a rule more ---- */

/* Milliseconds of vnetd's CPU for one, until the ten hosts of the group's ports have confirmed it. 'port': no rule of the group has it or the next ones (3 for each). */
static double
rule_cpu(struct network *n, const char *group, unsigned port, bool has_run)
{
    double before = daemon_cpu_ms(&n->daemon);
    for (unsigned i = 0; i < N_JOINING; i++) {
        json_t *ops = json_array();
        json_array_append_new(ops, rule_op(group, port + 3 * i, has_run));
        daemon_do(&n->daemon, ops);
    }
    network_wait_quiet(n);
    return (daemon_cpu_ms(&n->daemon) - before) / N_JOINING;
}

/* Flow mods of one for a host that has a port of the group. */
static uint64_t
rule_mods(struct network *n, unsigned group_port, const char *group, unsigned port)
{
    json_t *ops = json_array();
    unsigned host = network_host_of(n, group_port);
    uint64_t before = n->hosts[host].of.n_mods;
    json_array_append_new(ops, rule_op(group, port, false));
    daemon_do(&n->daemon, ops);
    network_wait_quiet(n);
    return n->hosts[host].of.n_mods - before;
}

static void
print_rule_cpu(struct network *n, const struct bench *b, const char *name, unsigned port, bool has_run)
{
    struct samples many = { .n = 0 }, few = { .n = 0 };
    for (unsigned i = 0; i < N_RULE_PAIRS; i++) {
        port += 3 * N_JOINING;
        samples_add(&many, rule_cpu(n, "small", port, has_run));
        samples_add(&few, rule_cpu(n, "few", port, has_run));
    }
    figure_print(b, &(struct figure){ .name = name,
                                      .unit = "ms",
                                      .value = samples_median(&many),
                                      .reference = samples_median(&few),
                                      .bar = has_run ? BAR_NONE : BAR_AT_MOST,
                                      .limit = 1.5 });
}

static void
print_rule(struct network *n, const struct bench *b)
{
    unsigned port = 2 * N_RULES;
    uint64_t at_many = rule_mods(n, FIRST_SMALL, "small", port), at_few = rule_mods(n, FIRST_FEW, "few", port);
    print_rule_cpu(n, b, "   CPU of one rule more in a group of 1,000 rules, on 10 hosts | of 10 rules", port, false);
    print_rule_cpu(n, b, "   the same of one with a run of ports | of 10 rules", 2 * port, true);
    figure_print(b, &(struct figure){ .name = "   flow mods of that for a host with the group | of 10 rules",
                                      .unit = "flows",
                                      .value = (double) at_many,
                                      .reference = (double) at_few });
}

void
measure_sg(const struct bench *b)
{
    struct network n;
    struct samples large = { .n = 0 }, small = { .n = 0 };
    network_start(&n, b, "sg", N_PORTS);
    daemon_do(&n.daemon, groups_ops());
    network_add_hosts(&n, N_HOSTS);
    network_wait_quiet(&n);

    join_mods(&n, "large"); /* its zone is stored */
    struct mods at_large = join_mods(&n, "large"), at_small = join_mods(&n, "small");
    for (unsigned i = 0; i < N_PAIRS; i++) {
        samples_add(&large, join_cpu(&n, "large"));
        samples_add(&small, join_cpu(&n, "small"));
    }
    figure_print(b, &(struct figure){ .name = "   CPU of one member more, 1,000 rules, 20 hosts, 10,000 members | 10",
                                      .unit = "ms",
                                      .value = samples_median(&large),
                                      .reference = samples_median(&small),
                                      .bar = BAR_AT_MOST,
                                      .limit = 2 });
    figure_print(b, &(struct figure){ .name = "   flow mods of that for the member's own host",
                                      .unit = "flows",
                                      .value = (double) at_large.own,
                                      .reference = (double) at_small.own });
    figure_print(b, &(struct figure){ .name = "   flow mods of that for each other host",
                                      .unit = "flows",
                                      .value = (double) at_large.other,
                                      .reference = (double) at_small.other });
    print_first(&n, b, &at_large);
    print_rule(&n, b);
    network_stop(&n);
}
