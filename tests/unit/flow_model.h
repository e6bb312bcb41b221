/* What a flow table is compared with: lists of specs by block, and a switch that is an array; and specs to fill it. */
#ifndef TESTS_UNIT_FLOW_MODEL_H
#define TESTS_UNIT_FLOW_MODEL_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "ofproto/flow/flow_builder.h"
#include "ofproto/flow/flow_table.h"
#include "tests/unit/random.h"

#define N_BLOCKS 12
#define BLOCK_MAX 8
#define BATCH_MAX 64
#define COOKIE(BLOCK) (0x0700000000000000ULL + 1 + (BLOCK))

struct model {
    struct arena *arena; /* all specs of a run */
    struct flow_builder *fb;
    const struct spec *blocks[N_BLOCKS][BLOCK_MAX];
    size_t n[N_BLOCKS];
    const struct spec *installed[400];
    size_t n_installed;
    struct flow_table *t;
    struct flow_table_send sent[BATCH_MAX];
    const struct spec *sent_specs[BATCH_MAX];
    size_t n_sent;
    struct random random;
};

struct model *model_new(struct random);
void model_free(struct model *);

/* A spec's key follows from 'key' or 'id', its body from 'value'; specs of equal keys are for the same place in the switch. */
const struct spec *plain_spec(struct model *, unsigned block, unsigned key, unsigned value);
const struct spec *shared_spec(struct model *, unsigned block, unsigned key, unsigned value);
const struct spec *group_spec(struct model *, unsigned block, unsigned id, unsigned value);

bool same(const struct spec *, const struct spec *);
/* The one of an equal key; NULL: none. */
const struct spec *find(const struct spec *const specs[], size_t n, const struct spec *);
struct wire_flow as_read_back(const struct spec *);

/* For flow_table_each(). */
struct collected {
    const struct spec *specs[400];
    size_t n;
};
void collect(void *collected, const struct spec *);

#endif
