/* See scene.h. */
#include "tools/bench/scene.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "ofproto/session/of_session.h"
#include "tools/bench/network.h"
#include "tools/bench/real_switch.h"

#define COMPILE_STEP 64

static void
give_bytes(void *aux, uint8_t *bytes, size_t n)
{
    uint64_t *state = aux;
    for (size_t i = 0; i < n; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t) (*state >> 56);
    }
}

static void
model_fill(struct model *m, json_t *take_ops)
{
    uint64_t state = 1;
    struct transaction_origin origin = {
        .principal = { .role = PRINCIPAL_ADMIN, .name = "bench" },
        .random = give_bytes,
        .random_aux = &state,
    };
    struct transaction *t = transaction_begin(m, &origin);
    struct error err;
    size_t i;
    json_t *op;
    json_array_foreach (take_ops, i, op) {
        if (!transaction_op(t, op, NULL, &err))
            bench_die("%s", err.text);
    }
    if (!transaction_finish(t, &err))
        bench_die("%s", err.text);
    transaction_commit(t);
    transaction_free(t);
    json_decref(take_ops);
}

void
scene_init(struct scene *s, unsigned n_ports)
{
    char name[16];
    s->model = model_new();
    s->runtime = runtime_new();
    json_t *ops = network_ops(n_ports);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "h%u", i);
        json_array_append_new(ops, json_pack("{s:s, s:s, s:s}", "op", "add", "type", "host", "name", name));
    }
    model_fill(s->model, ops);

    for (unsigned i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "h%u", i);
        s->hosts[i] = model_find(s->model, OBJECT_HOST, 0, name)->number;
        runtime_set_host(
            s->runtime,
            &(struct runtime_host){ .number = s->hosts[i], .encap_ip = ip4(0xc6120001 + i), .mtu = 1500, .tunnel_port = { 60001, 0 } });
    }
    const struct object *port = NULL;
    for (unsigned i = 0; (port = model_next(s->model, OBJECT_PORT, port ? port->number : 0)); i++)
        runtime_bind(s->runtime, port->number, (struct binding){ s->hosts[i > 0], 1 + i });
}

void
scene_done(struct scene *s)
{
    runtime_free(s->runtime);
    model_free(s->model);
}

static size_t
batch_take(struct flow_table *t, struct flow_table_send *sends, void (*batch)(void *, const struct flow_table_send *, size_t), void *aux)
{
    size_t n = flow_table_take(t, sends, OF_SESSION_BATCH);
    if (!n)
        return 0;
    batch(aux, sends, n);
    flow_table_committed(t);
    return n;
}

static void
on_conflict(void *aux, uint64_t cookie, const struct error *err)
{
    bench_die("%s", err->text);
}

size_t
scene_compile(const struct scene *s, void (*batch)(void *aux, const struct flow_table_send *, size_t n), void *aux, int64_t *ns)
{
    struct compiler *c = compiler_new(s->model, s->runtime);
    struct flow_table *t = flow_table_new();
    struct flow_table_send *sends = mem_alloc(OF_SESSION_BATCH * sizeof *sends);
    size_t n = 0, ready = 0;
    int64_t start = bench_now_ns();
    compiler_attach(c, s->hosts[0], t);
    for (bool more = true; more;) {
        more = compiler_run(c, s->hosts[0], COMPILE_STEP, on_conflict, NULL);
        ready = flow_table_n_desired(t) - n;
        while (ready >= OF_SESSION_BATCH || (!more && flow_table_has_unsent(t))) {
            size_t taken = batch_take(t, sends, batch, aux);
            n += taken;
            ready -= taken < ready ? taken : ready;
        }
    }
    if (ns)
        *ns = bench_now_ns() - start;
    free(sends);
    compiler_detach(c, s->hosts[0]);
    flow_table_free(t);
    compiler_free(c);
    return n;
}

struct encoding {
    struct bytes *bytes;
    unsigned n_commits;
};

static void
encode_batch(void *aux, const struct flow_table_send *sends, size_t n)
{
    struct encoding *e = aux;
    uint32_t bundle = ++e->n_commits;
    for (size_t i = 0; i < n; i++)
        if (sends[i].spec->kind == SPEC_METER)
            wire_put_mod(e->bytes, sends[i].spec, sends[i].command, sends[i].is_modify, 0);
    raw_put_bundle_control(e->bytes, bundle, RAW_BUNDLE_OPEN);
    for (size_t i = 0; i < n; i++)
        if (sends[i].spec->kind != SPEC_METER)
            wire_put_bundle_mod(e->bytes, bundle, sends[i].spec, sends[i].command, sends[i].is_modify, 0);
    raw_put_bundle_control(e->bytes, bundle, RAW_BUNDLE_COMMIT);
}

size_t
scene_encode(const struct scene *s, struct bytes *bytes, unsigned *n_commits)
{
    struct encoding e = { bytes, 0 };
    size_t n = scene_compile(s, encode_batch, &e, NULL);
    *n_commits = e.n_commits;
    return n;
}
