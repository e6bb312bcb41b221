/* What Open vSwitch's ofproto/trace is asked about a packet and what it tells, beside what the executor did. */
#ifndef TESTS_UNIT_EXEC_TRACE_H
#define TESTS_UNIT_EXEC_TRACE_H 1

#include "tests/unit/exec_set.h"

#define STORY_MAX 256

/* What a packet meets, in an order: cookies of flows, and ports it leaves by (OF_PORT_CONTROLLER among them). */
struct story {
    uint64_t cookies[STORY_MAX];
    uint32_t ports[STORY_MAX];
    size_t n_cookies, n_ports;
};

/* The question: a flow, and options. */
const char *packet_text(struct arena *, const struct exec_packet *);
const char *lookups_text(struct arena *, const struct exec_packet *);

void story_of_result(struct story *, const struct exec_result *);
void story_of_trace(struct story *, const char *trace);
/* Open vSwitch tells of what was tracked after all the rest. */
void story_sort(struct story *);
/* Which bucket the switch's hash chose, counted in those that have a weight; 0 if it did not meet the group. */
uint32_t bucket_of_trace(const char *trace);

/* 'what' is shown when they differ. */
void assert_same_story(const struct story *ours, const struct story *theirs, const char *what);
void assert_same_packet(struct arena *, const struct exec_packet *before, const struct exec_packet *after, const char *trace);

#endif
