/* One flow for each match and action helper of the builder, and groups of each kind, as a switch would take them: what a test of canonical
 * bytes must hold for, it must hold for all of these. Flows refer to group 1 and meter 1. */
#ifndef TESTS_UNIT_FLOW_SAMPLES_H
#define TESTS_UNIT_FLOW_SAMPLES_H 1

#include "ofproto/flow/flow_builder.h"

#define SAMPLE_GROUP 1
#define SAMPLE_METER 1

/* Returns how many were put into 'specs', all of different keys and cookies. */
size_t flow_samples(struct flow_builder *, struct arena *, const struct spec *specs[], size_t max);

/* Groups 1, 2 ...; the last one is as large as a message allows. */
#define GROUP_SAMPLES 8
void group_samples(struct flow_builder *, struct arena *, const struct spec *specs[GROUP_SAMPLES]);

#endif
