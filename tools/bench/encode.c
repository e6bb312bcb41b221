/* Compiling and encoding, from a model into a sink, on one core; against libopenvswitch encoding the very same flow mods in a bare loop,
 * wrapped as bundle messages as ours are. */
#include <stdlib.h>
#include <string.h>

#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-bundle.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofpbuf.h>

#include "base/alloc.h"
#include "tools/bench/scene.h"

#define N_PORTS 50000
#define N_PAIRS 5

struct sink {
    struct bytes bytes;
    uint32_t bundle;
};

static void
sink_batch(void *aux, const struct flow_table_send *sends, size_t n)
{
    struct sink *sink = aux;
    bytes_clear(&sink->bytes);
    sink->bundle++;
    for (size_t i = 0; i < n; i++) {
        if (sends[i].spec->kind == SPEC_METER)
            wire_put_mod(&sink->bytes, sends[i].spec, sends[i].command, sends[i].is_modify, (uint32_t) i);
        else
            wire_put_bundle_mod(&sink->bytes, sink->bundle, sends[i].spec, sends[i].command, sends[i].is_modify, (uint32_t) i);
    }
}

static double
ours_per_second(const struct scene *scene)
{
    struct sink sink = { BYTES_INIT, 0 };
    int64_t start = bench_now_ns();
    size_t n = scene_compile(scene, sink_batch, &sink);
    double seconds = (double) (bench_now_ns() - start) / 1e9;
    bytes_done(&sink.bytes);
    return (double) n / seconds;
}

/* ---- the reference ---- */

struct mods {
    struct ofputil_flow_mod *v;
    struct ofpbuf *actions;
    size_t n, cap, cap_actions;
};

static void
mods_batch(void *aux, const struct flow_table_send *sends, size_t n)
{
    struct mods *m = aux;
    struct bytes b = BYTES_INIT;
    for (size_t i = 0; i < n; i++) {
        if (sends[i].spec->kind != SPEC_FLOW)
            continue;
        bytes_clear(&b);
        wire_put_mod(&b, sends[i].spec, sends[i].command, false, 0);
        m->v = mem_grow(m->v, &m->cap, m->n + 1, sizeof *m->v);
        m->actions = mem_grow(m->actions, &m->cap_actions, m->n + 1, sizeof *m->actions);
        ofpbuf_init(&m->actions[m->n], 64);
        if (ofputil_decode_flow_mod(&m->v[m->n], (const struct ofp_header *) (const void *) b.data, OFPUTIL_P_OF15_OXM, NULL, NULL,
                                    &m->actions[m->n], OFPP_MAX, 255))
            bench_die("libopenvswitch does not understand a flow mod of ours");
        m->n++;
    }
    bytes_done(&b);
}

static double
reference_per_second(const struct mods *m)
{
    int64_t start = bench_now_ns();
    for (size_t i = 0; i < m->n; i++) {
        struct ofpbuf *mod = ofputil_encode_flow_mod(&m->v[i], OFPUTIL_P_OF15_OXM);
        struct ofputil_bundle_add_msg add = { 1, OFPBF_ATOMIC | OFPBF_ORDERED, mod->data };
        ofpbuf_delete(ofputil_encode_bundle_add(OFP15_VERSION, &add));
        ofpbuf_delete(mod);
    }
    return (double) m->n / ((double) (bench_now_ns() - start) / 1e9);
}

static void
mods_done(struct mods *m)
{
    for (size_t i = 0; i < m->n; i++) {
        minimatch_destroy(&m->v[i].match);
        ofpbuf_uninit(&m->actions[i]);
    }
    free(m->v);
    free(m->actions);
}

void
measure_encode(const struct bench *b)
{
    struct scene scene;
    struct mods mods = { NULL, NULL, 0, 0, 0 };
    struct samples ours = { .n = 0 }, reference = { .n = 0 }, ratio = { .n = 0 };
    scene_init(&scene, N_PORTS);
    scene_compile(&scene, mods_batch, &mods);
    for (unsigned i = 0; i < N_PAIRS; i++) {
        samples_add(&ours, ours_per_second(&scene));
        samples_add(&reference, reference_per_second(&mods));
        samples_add(&ratio, ours.v[i] / reference.v[i]);
    }
    mods_done(&mods);
    scene_done(&scene);
    figure_print(&(struct figure) { .name = "2  compile and encode into a sink, one core | bare encoding", .unit = "flows/s",
                                    .value = samples_median(&ours), .reference = samples_median(&reference),
                                    .ratio = samples_median(&ratio), .bar = BAR_AT_LEAST, .limit = 0.3 });
}
