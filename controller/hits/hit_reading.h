/* Readings of the flows that count from switches: rounds over all hosts, one host after the other, at a pace that leaves a switch at least nine tenths
 * of its time; and questions. Behind rule_hits.h; nobody else's. */
#ifndef CONTROLLER_HITS_HIT_READING_H
#define CONTROLLER_HITS_HIT_READING_H 1

#include "controller/hits/rule_hits.h"
#include "vnet/model/model.h"

struct hit_rounds;

struct hit_rounds *hit_rounds_new(struct controller *, struct rule_hits *);
void hit_rounds_free(struct hit_rounds *);

struct hit_question {
    const uint32_t *rules; /* borrowed during the call */
    size_t n;
    rule_hits_done *done;
    void *aux;
};
void hit_rounds_ask(struct hit_rounds *, const struct hit_question *);

/* What it tells (rule_hits.c): a flow, and the end of a reading that showed all flows that a host has for objects of a type that are numbered so. */
struct hits_of {
    uint32_t host;
    enum object_type type;
    uint32_t first, last;
};
void rule_hits_flow_seen(struct rule_hits *, uint32_t host, uint64_t reading, const struct wire_flow *);
void rule_hits_host_read(struct rule_hits *, uint64_t reading, const struct hits_of *);

#endif
