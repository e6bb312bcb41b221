/* Who counts the open connections of load balancers, and how many there are. OpenFlow does not tell: a host's agent reads its conntrack, but only
 * while the host holds a VPC that has a balancer (a port of that VPC, or a balancer's elastic IP), since reading costs its switch time.
 *
 *                holds such a VPC, and its zones are known:            its report
 *                instruction "count", connections true
 *     (an agent) ------------------------------------------> wanted -----------------> known, for two of its rounds
 *         ^                                                     ^                          |
 *         +---- no longer holds one: connections false ---------+-----+--------------------+
 *                                                     too long no report, or: does not know
 *
 * How many there are is a number only while every connected host of the VPC is known; an agent that goes takes what it counted with it. */
#ifndef CONTROLLER_INSTANCE_COUNTING_H
#define CONTROLLER_INSTANCE_COUNTING_H 1

#include <stdint.h>

#include "base/json.h"
#include "controller/instance/open_counts.h"
#include "vnet/pipeline/feature.h"

struct controller;
struct counting;

struct counting *counting_new(struct controller *);
void counting_free(struct counting *);

void counting_agent_came(struct counting *, uint32_t host);
void counting_agent_went(struct counting *, uint32_t host);
/* After model, runtime and compiler know of it. */
void counting_changed(struct counting *, const struct vnet_event *);
/* The host has told which zones are whose. */
void counting_zones_told(struct counting *, uint32_t host);

/* What its agent has reported. */
void counting_take(struct counting *, uint32_t host, struct open_report *);

/* The column "open" of a target or a listener; null: not known. New reference. */
json_t *counting_of_target(const struct counting *, const struct target *);
json_t *counting_of_listener(const struct counting *, const struct listener *);

#endif
