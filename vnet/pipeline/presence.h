/* Which hosts hold which VPCs: counts, for each host and VPC, the ports bound there. Remembers where it counted a port, so that it can
 * be taken back when the port and all that it hung on are gone. The compiler's. A second one counts, in place of VPCs, the
 * security groups that ports have.
 *
 *                first port comes            last port goes
 *     (nothing) -----------------> holding -----------------> leaving --presence_take_leaving()--> (nothing)
 *                                     ^                          |
 *                                     +------ a port comes ------+
 *
 * A leaving host is still found by presence_each_host(): the VPC's blocks are on it until they are compiled away. */
#ifndef VNET_PIPELINE_PRESENCE_H
#define VNET_PIPELINE_PRESENCE_H 1

#include <stdbool.h>
#include <stdint.h>

struct presence;

struct presence *presence_new(void);
void presence_free(struct presence *);

/* One reason for one host to hold one VPC. */
struct presence_reason {
    uint32_t number; /* of a port, or of what else wants its VPC there */
    uint32_t group;  /* of the port's security groups, each is a reason of its own; 0: the port itself */
    bool is_twin;    /* the port's second place */
};

/* It is on this host in this VPC now; host or VPC 0: nowhere. True if the host came to hold the VPC by that. */
bool presence_place(struct presence *, struct presence_reason, uint32_t host, uint32_t vpc);
/* The host it was last placed on; 0: none. */
uint32_t presence_host_of(const struct presence *, struct presence_reason);

bool presence_holds(const struct presence *, uint32_t host, uint32_t vpc);
bool presence_is_leaving_any(const struct presence *, uint32_t host);

/* A VPC that the host is leaving, forgotten by this call; 0: none is left. */
uint32_t presence_take_leaving(struct presence *, uint32_t host);

/* Hosts of a VPC, leaving ones included; VPCs of a host without those it is leaving. 'each' must not change the presence. */
void presence_each_host(const struct presence *, uint32_t vpc, void (*each)(void *aux, uint32_t host), void *aux);
void presence_each_vpc(const struct presence *, uint32_t host, void (*each)(void *aux, uint32_t vpc), void *aux);

#endif
