/* A storm: random changes to a virtual network, after which each host must have what a fresh compile gives. */
#ifndef TESTS_UNIT_VNET_STORM_H
#define TESTS_UNIT_VNET_STORM_H 1

#include "tests/unit/random.h"
#include "tests/unit/vnet_lab.h"

struct storm {
    struct lab *lab;
    struct random random;
    json_t *(*op)(struct storm *); /* any operation; it may be refused */
    const char *const *hosts;      /* their names */
    unsigned n_hosts, n_ports;     /* ports are p0, p1, ... */
    unsigned n_done;               /* transactions that passed */
};

static inline unsigned
pick(struct storm *s, unsigned n)
{
    return random_below(&s->random, n);
}

/* One that passes, if one of ten does. */
static inline void
storm_transaction(struct storm *s)
{
    struct error err;
    bool is_done = false;
    for (unsigned tries = 0; tries < 10 && !is_done; tries++) {
        json_t *ops = json_array();
        for (unsigned n = 1 + pick(s, 2); n; n--)
            json_array_append_new(ops, s->op(s));
        is_done = lab_try(s->lab, ops, &err);
        json_decref(ops);
    }
    s->n_done += is_done;
}

/* A port comes to a host, perhaps without an OpenFlow port yet, or goes. */
static inline void
storm_bind(struct storm *s)
{
    char name[16];
    unsigned i = pick(s, s->n_ports);
    snprintf(name, sizeof name, "p%u", i);
    lab_bind(s->lab, name, pick(s, 5) ? s->hosts[pick(s, s->n_hosts)] : NULL, pick(s, 20) ? 10 + i : 0);
}

/* After a step: some host compiles some of its blocks; now and then all do, and are compared. */
static inline void
storm_settle(struct storm *s, unsigned step)
{
    struct error err;
    compiler_run(s->lab->compiler, s->lab->hosts[pick(s, s->n_hosts)].number, pick(s, 4), NULL, NULL);
    if (pick(s, 3))
        return;
    lab_run(s->lab);
    if (!lab_is_consistent(s->lab, &err))
        fail_msg("step %u: %s", step, err.text);
}

#endif
