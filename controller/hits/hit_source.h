/* Whose flows count: rules of security groups, balancers' targets and listeners. Behind rule_hits.h; nobody else's. */
#ifndef CONTROLLER_HITS_HIT_SOURCE_H
#define CONTROLLER_HITS_HIT_SOURCE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofproto/flow/wire.h"
#include "vnet/model/model.h"

#define HIT_SOURCES 3
#define HIT_TABLES 2

/* Where a type's flows are; their cookies name the object. */
struct hit_source {
    enum object_type type;
    uint8_t feature;
    uint8_t tables[HIT_TABLES];
    size_t n_tables;
};
const struct hit_source *hit_source_at(size_t i);         /* i < HIT_SOURCES */
const struct hit_source *hit_source_of(enum object_type); /* NULL: nothing of that type is counted */

/* What a flow counts. */
struct hit_flow_of {
    enum object_type type;
    uint32_t number;
    bool is_new; /* the first packets of connections, which a balancer gives to a target */
};
bool hit_source_flow(const struct wire_flow *, struct hit_flow_of *);

#endif
