/* A small desired table with each kind of spec, for what compares it with what a switch says. */
#ifndef TESTS_FUZZ_FLOW_WISHES_H
#define TESTS_FUZZ_FLOW_WISHES_H 1

#include "ofproto/flow/flow_table.h"

#define FLOW_WISH_COOKIE(N) (0x0100000000000000ULL | (N)) /* blocks 1 (flows), 2 (a group), 3 (a meter) */

void flow_wishes_set(struct flow_table *, struct arena *);

/* The specs themselves; returns how many. */
#define FLOW_WISHES 5
size_t flow_wishes(struct arena *, const struct spec *specs[FLOW_WISHES]);

#endif
