/* Random flows and packets for the executor and for Open vSwitch. Few values, so that flows and packets meet. */
#ifndef TESTS_UNIT_EXEC_SET_H
#define TESTS_UNIT_EXEC_SET_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "tests/unit/exec_samples.h"
#include "tests/unit/random.h"

#define N_TABLES 5
#define N_PORTS 4
#define N_GROUPS 3
#define SELECT_GROUP (N_GROUPS + 1)
#define SELECT_BUCKETS 5
#define NAT_IP 0xcb007105
#define ZONE 2

struct set {
    struct random *random;
    struct flow_builder *fb;
    struct arena *arena;
    struct flow_table *table;
    uint64_t cookie;
    FILE *flows, *groups;
    bool is_tracking; /* with ct(), all of one form, and with VLAN tags */
    struct flow_ct ct;
};

/* Between the two, 'fb' builds a flow, which then enters the table and the file. */
void set_begin(struct set *, uint8_t table, uint16_t priority);
void set_end(struct set *);

void set_put_groups(struct set *);
void set_put_flows(struct set *);
struct exec_packet set_packet(struct set *);

static inline uint32_t
below(struct set *s, uint32_t n)
{
    return random_below(s->random, n);
}

static inline bool
one_in(struct set *s, uint32_t n)
{
    return !below(s, n);
}

static inline uint32_t
some_ip(struct set *s)
{
    static const uint32_t ips[] = { 0x0a000001, 0x0a000002, 0x0a000102, 0x0a010203, 0xc0a80001 };
    return ips[below(s, 5)];
}

static inline uint64_t
some_mac(struct set *s)
{
    return 0x020000000000 + below(s, 3);
}

static inline uint16_t
some_l4(struct set *s)
{
    static const uint16_t ports[] = { 53, 80, 81, 1000 };
    return ports[below(s, 4)];
}

#endif
