/* A network within this process: model, facts and compiler, no daemon; for measuring them alone and for encoding modifications ahead. Two
 * hosts: port p0 is on the first, all others on the second, so that the first holds two flows for each port of the VPC. */
#ifndef TOOLS_BENCH_SCENE_H
#define TOOLS_BENCH_SCENE_H 1

#include "base/bytes.h"
#include "tools/bench/bench.h"
#include "vnet/pipeline/compiler.h"

struct scene {
    struct model *model;
    struct runtime *runtime;
    uint32_t hosts[2];
};

void scene_init(struct scene *, unsigned n_ports);
void scene_done(struct scene *);

/* Compiles the first host's table and gives its modifications, in vnetd's batches and steps, to 'batch'. Returns how many there were, and
 * in '*ns' (may be NULL) how long that took. */
size_t scene_compile(const struct scene *, void (*batch)(void *aux, const struct flow_table_send *, size_t n), void *aux, int64_t *ns);

/* The same, encoded as bundles without a pause: opened, filled, committed. */
size_t scene_encode(const struct scene *, struct bytes *, unsigned *n_commits);

#endif
