/* The walk through the tables, and what becomes of it. */
#include "ofproto/flow/exec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ofproto/flow/exec_private.h"

bool
exec_deepen(struct exec *x)
{
    if (++x->depth <= EXEC_DEPTH_MAX)
        return true;
    return error_set(x->err, ERROR_INTERNAL, "table %u: more than %d tables and groups inside each other", x->in_table, EXEC_DEPTH_MAX);
}

struct exec_copy
exec_keep(const struct exec *x)
{
    struct exec_copy copy = { .flow = x->flow, .bytes = x->bytes };
    memcpy(copy.late, x->late, sizeof copy.late);
    return copy;
}

void
exec_put_back(struct exec *x, const struct exec_copy *copy)
{
    x->flow = copy->flow;
    x->bytes = copy->bytes;
    memcpy(x->late, copy->late, sizeof x->late);
}

static void
packet_now(const struct exec *x, const struct flow *flow, struct exec_packet *packet)
{
    exec_packet_from_flow(packet, flow);
    packet->bytes = x->bytes;
    packet->bucket = x->bucket;
    packet->n_ct_next = x->n_ct_next;
    memcpy(packet->ct_next, x->ct_next, sizeof packet->ct_next);
}

struct exec_output *
exec_output(struct exec *x, enum exec_output_kind kind, uint32_t port)
{
    x->outputs = mem_grow(x->outputs, &x->cap_outputs, x->n_outputs + 1, sizeof *x->outputs);
    struct exec_output *o = &x->outputs[x->n_outputs++];
    *o = (struct exec_output){ .kind = kind, .port = port, .step = x->in_step };
    struct flow leaves = x->flow;
    exec_entry_show_late(x, &leaves);
    packet_now(x, &leaves, &o->packet);
    return o;
}

static void
step_add(struct exec *x, uint8_t table, const struct spec *spec)
{
    x->steps = mem_grow(x->steps, &x->cap_steps, x->n_steps + 1, sizeof *x->steps);
    x->in_step = x->n_steps;
    x->steps[x->n_steps++] = (struct exec_step){ .table = table, .spec = spec };
}

bool
exec_table(struct exec *x, uint8_t table)
{
    uint8_t from_table = x->in_table;
    size_t from_step = x->in_step;
    const struct spec *spec;
    struct ofpbuf ofpacts;
    if (!exec_deepen(x))
        return false;
    if (++x->n_tables > EXEC_TABLES_MAX)
        return error_set(x->err, ERROR_INTERNAL, "table %u: more than %d lookups for one packet", table, EXEC_TABLES_MAX);

    ofpbuf_init(&ofpacts, 512);
    bool ok = exec_lookup(x, table, &spec, &ofpacts);
    if (ok) {
        step_add(x, table, spec);
        x->in_table = table;
        ok = !spec || exec_actions(x, ofpacts.data, ofpacts.size);
    }
    ofpbuf_uninit(&ofpacts);
    x->in_table = from_table;
    x->in_step = from_step;
    x->depth--;
    return ok;
}

bool
exec_run(struct flow_table *table, const struct exec_packet *packet, struct arena *arena, struct exec_result *result, struct error *err)
{
    struct exec x = { .table = table, .arena = arena, .err = err, .bytes = packet->bytes, .bucket = packet->bucket };
    assert(packet->n_ct_next <= EXEC_CT_MAX);
    x.n_ct_next = packet->n_ct_next;
    memcpy(x.ct_next, packet->ct_next, sizeof x.ct_next);
    exec_packet_to_flow(packet, &x.flow);
    bool ok = exec_table(&x, 0);
    if (ok) {
        if (!x.n_outputs) {
            x.in_step = x.n_steps - 1;
            exec_output(&x, EXEC_DROP, 0);
        }
        *result = (struct exec_result){
            .steps = arena_memdup(arena, x.steps, x.n_steps * sizeof *x.steps),
            .n_steps = x.n_steps,
            .outputs = arena_memdup(arena, x.outputs, x.n_outputs * sizeof *x.outputs),
            .n_outputs = x.n_outputs,
        };
        packet_now(&x, &x.flow, &result->after);
    }
    free(x.steps);
    free(x.outputs);
    return ok;
}
