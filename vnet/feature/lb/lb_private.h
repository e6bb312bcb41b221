/* What the files of load balancers share. */
#ifndef VNET_FEATURE_LB_LB_PRIVATE_H
#define VNET_FEATURE_LB_LB_PRIVATE_H 1

#include "vnet/feature/lb/lb_health.h"
#include "vnet/pipeline/placement.h"
#include "vnet/pipeline/port_facts.h"

/* A target with what it hangs on. */
struct target_facts {
    const struct target *target;
    const struct tg *tg;
    struct port_facts at;
    uint16_t port; /* where it listens */
};
bool target_facts_get(const struct view *, uint32_t target, struct target_facts *);

/* Does it get new connections? As long as one target of its group is healthy only those that are; if none is, all (fail open). */
bool target_is_chosen(const struct view *, const struct lb_health *group, const struct target *);

/* Calls 'each' for the targets of a group or of a port, the listeners of a group or of a balancer, the balancers of a VPC. */
typedef void lb_each(void *aux, uint32_t number);
void lb_each_target(const struct view *, uint32_t of, lb_each *, void *aux);
void lb_each_listener(const struct view *, uint32_t of, lb_each *, void *aux);
void lb_each_of_vpc(const struct view *, uint32_t vpc, lb_each *, void *aux);

/* The flows of a balancer's own block (its address, its elastic IP), a listener's, a target's, a port's that is a target. */
void lb_flows_balancer(struct block *, uint32_t lb);
void lb_flows_listener(struct block *, uint32_t listener);
void lb_flows_target(struct block *, uint32_t target);
void lb_flows_port(struct block *, uint32_t port);

/* Ends a row of SG_DONE for a connection whose target is chosen: on to LB_TARGET. */
void lb_chosen_end(struct block *, bool is_inbound);

/* Ends a row of LB_TARGET for an answer: to the client's port, or outside. */
void lb_back_end(struct block *, bool is_external);

/* Sends a row's packet through conntrack in that zone, to SG; translated as its connection is. */
void lb_track_end(struct block *, uint16_t zone);
/* The same in the zone of the row's port, which is not filtered: LAYOUT_ZONE. */
void lb_track_watched_end(struct block *);

void lb_touches(const struct view *, const struct vnet_event *, struct touch_list *);

#endif
