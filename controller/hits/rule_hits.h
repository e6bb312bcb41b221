/* What each rule of a security group has let through, and what each target and listener of a balancer has had, on all hosts together and for ever:
 * read from the switches that have its flows, one host after the other all the time, and when somebody asks; and told by switches when they remove a
 * flow. Kept in the store, so that a later vnetd goes on with it. Nothing here is on the path of a change. */
#ifndef CONTROLLER_HITS_RULE_HITS_H
#define CONTROLLER_HITS_RULE_HITS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ofproto/flow/wire.h"

struct controller;
struct rule_hits;
struct change;

struct rule_hits *rule_hits_new(struct controller *);
void rule_hits_free(struct rule_hits *);

/* Of an earlier run (what follows "hits/": "HOST/NUMBER", "HOST/NUMBER/new"), once all objects are there. */
void rule_hits_remember(struct rule_hits *, const char *key, const char *value);
/* Before the store is closed: what is not stored yet. */
void rule_hits_store(struct rule_hits *);

/* A rule, target, listener or host went. What a host that is gone has counted stays. */
void rule_hits_changed(struct rule_hits *, const struct change *);
/* A host's switch has removed a flow, anyone's. */
void rule_hits_flow_removed(struct rule_hits *, uint32_t host, const struct wire_flow *);
void rule_hits_disconnected(struct rule_hits *, uint32_t host);

/* Reads what these rules (or targets, or listeners: all of one type) have counted from the hosts that have their flows, a few at a time, and calls
 * 'done', at once if there is nobody to ask. 'is_complete': every one of them has answered; what a host that did not answer has counted is as it was
 * last read. */
typedef void rule_hits_done(void *aux, bool is_complete);
void rule_hits_read(struct rule_hits *, const uint32_t *rules, size_t n, rule_hits_done *, void *aux);

/* As last read. False: nothing has ever been counted for it. */
struct hits {
    uint64_t connections; /* given to a target by a balancer */
    uint64_t packets, bytes;
    int64_t last_hit_ms; /* since 1970; 0: never */
};
bool rule_hits_of(const struct rule_hits *, uint32_t rule, struct hits *);

#endif
