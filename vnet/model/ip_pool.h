/* Which IPv4 addresses are taken, per owner (a subnet, later a pool of public addresses): a set of runs, kept as few as can be, so that
 * a /8 costs no more than a /24, and any operation O(log n) of the runs. The lowest free address comes first.
 *
 * Owners need no making: one without taken addresses takes no memory. */
#ifndef VNET_MODEL_IP_POOL_H
#define VNET_MODEL_IP_POOL_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/tree.h"

struct ip_pool {
    struct tree runs;
};

void ip_pool_init(struct ip_pool *);
void ip_pool_done(struct ip_pool *);

bool ip_pool_is_taken(const struct ip_pool *, uint32_t owner, uint32_t ip);
bool ip_pool_take(struct ip_pool *, uint32_t owner, uint32_t ip); /* false: it is taken already */
bool ip_pool_give(struct ip_pool *, uint32_t owner, uint32_t ip); /* false: it is free already */

/* The lowest free address of first..last; false: all are taken. */
bool ip_pool_find_free(const struct ip_pool *, uint32_t owner, uint32_t first, uint32_t last, uint32_t *ip);

#endif
