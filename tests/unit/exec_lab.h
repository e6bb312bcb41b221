/* A flow table to run packets through, for tests of the executor; what is run leaves its result in the lab. */
#ifndef TESTS_UNIT_EXEC_LAB_H
#define TESTS_UNIT_EXEC_LAB_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "tests/unit/exec_samples.h"

#define REG(N) of_field_whole(OF_REG##N)

struct lab {
    struct flow_builder *fb;
    struct arena *arena;
    struct flow_table *table;
    uint64_t n;
    struct exec_result r;
    struct error err;
};

static inline int
lab_setup(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    lab->fb = flow_builder_new();
    lab->arena = arena_new();
    lab->table = flow_table_new();
    *state = lab;
    return 0;
}

static inline int
lab_teardown(void **state)
{
    struct lab *lab = *state;
    flow_table_free(lab->table);
    flow_builder_free(lab->fb);
    arena_free(lab->arena);
    free(lab);
    return 0;
}

static inline struct flow_builder *
lab_flow(struct lab *lab, uint8_t table, uint16_t priority)
{
    flow_begin(lab->fb, table, priority, ++lab->n);
    return lab->fb;
}

static inline void
lab_add(struct lab *lab, const struct spec *spec)
{
    assert_true(flow_table_set_block(lab->table, spec->cookie, &spec, 1, &lab->err));
}

/* Returns the flow's cookie. */
static inline uint64_t
lab_end(struct lab *lab)
{
    lab_add(lab, flow_end(lab->fb, lab->arena));
    return lab->n;
}

static inline bool
lab_run(struct lab *lab, struct exec_packet packet)
{
    return exec_run(lab->table, &packet, lab->arena, &lab->r, &lab->err);
}

static inline void
assert_output(const struct lab *lab, size_t i, enum exec_output_kind kind, uint32_t port)
{
    assert_true(i < lab->r.n_outputs);
    assert_int_equal(lab->r.outputs[i].kind, kind);
    assert_int_equal(lab->r.outputs[i].port, port);
}

static inline void
assert_dropped(const struct lab *lab)
{
    assert_int_equal(lab->r.n_outputs, 1);
    assert_output(lab, 0, EXEC_DROP, 0);
}

#endif
