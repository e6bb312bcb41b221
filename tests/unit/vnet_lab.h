/* A whole virtual network without a daemon: model, facts, compiler and a flow table per host, driven by the API's operations. For tests;
 * what must not fail ends the program with a message. */
#ifndef TESTS_UNIT_VNET_LAB_H
#define TESTS_UNIT_VNET_LAB_H 1

#include "vnet/pipeline/compiler.h"

#define LAB_HOSTS 8

struct lab_host {
    uint32_t number;
    struct flow_table *table;
};

struct lab {
    struct model *model;
    struct runtime *runtime;
    struct compiler *compiler;
    struct lab_host hosts[LAB_HOSTS];
    unsigned n_hosts;
    uint64_t random;
    struct lab_wish {
        uint32_t host, number;
    } * wishes; /* for conntrack zones; granted by lab_run() */
    size_t n_wishes, cap_wishes;
    uint16_t n_zones;
};

struct lab *lab_new(void);
void lab_free(struct lab *);

/* One transaction of operations (a JSON array); compiles nothing. */
bool lab_try(struct lab *, const json_t *ops, struct error *);
/* As above from text with ' for ", and must succeed. */
void lab_do(struct lab *, const char *format, ...) __attribute__((format(printf, 2, 3)));

uint32_t lab_number(const struct lab *, enum object_type, const char *name); /* 0: none */
const char *lab_name(const struct lab *, uint32_t number, struct arena *);

/* A host with a flow table, known by these facts ('number' is filled in); later calls change the facts. */
uint32_t lab_host(struct lab *, const char *name, struct runtime_host facts);
struct runtime_host lab_facts(unsigned i); /* usual facts of the i-th host */
/* Gives facts an uplink and says whether the host is a gateway. */
struct runtime_host lab_with_uplink(struct runtime_host, const char *network, uint32_t ofport, bool is_gateway);
void lab_gateway_mac(struct lab *, const char *pool, struct mac);
void lab_forget_host(struct lab *, uint32_t host); /* its facts are unknown */
struct flow_table *lab_table(const struct lab *, uint32_t host);

void lab_bind_number(struct lab *, uint32_t port, struct binding);
void lab_set_twin(struct lab *, uint32_t port, struct twin);
void lab_set_trail(struct lab *, uint32_t eip, uint32_t host);
void lab_bind(struct lab *, const char *port, const char *host, uint32_t ofport); /* host NULL: nowhere */

/* Compiles everything, and grants the zones that blocks ask for; a conflict between blocks ends the program. */
void lab_run(struct lab *);
/* Each host's table is what a compile from nothing gives. */
bool lab_is_consistent(const struct lab *, struct error *);

#endif
