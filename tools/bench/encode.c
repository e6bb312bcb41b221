/* Compiling and encoding, from a model into a sink, on one core; against libopenvswitch encoding the very same flow mods in a bare loop,
 * wrapped as bundle messages as ours are. */
#include "tools/bench/library_loop.h"
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
    int64_t ns;
    size_t n = scene_compile(scene, sink_batch, &sink, &ns);
    bytes_done(&sink.bytes);
    return (double) n / ((double) ns / 1e9);
}

static void
library_batch(void *aux, const struct flow_table_send *sends, size_t n)
{
    struct bytes b = BYTES_INIT;
    for (size_t i = 0; i < n; i++) {
        if (sends[i].spec->kind != SPEC_FLOW)
            continue;
        bytes_clear(&b);
        wire_put_mod(&b, sends[i].spec, sends[i].command, false, 0);
        library_loop_add(aux, b.data);
    }
    bytes_done(&b);
}

void
measure_encode(const struct bench *b)
{
    struct scene scene;
    struct library_loop *library = library_loop_new();
    struct samples ours = { .n = 0 }, reference = { .n = 0 }, ratio = { .n = 0 };
    scene_init(&scene, N_PORTS);
    scene_compile(&scene, library_batch, library, NULL);
    for (unsigned i = 0; i < N_PAIRS; i++) {
        samples_add(&ours, ours_per_second(&scene));
        samples_add(&reference, library_loop_run(library));
        samples_add(&ratio, ours.v[i] / reference.v[i]);
    }
    library_loop_free(library);
    scene_done(&scene);
    figure_print(b, &(struct figure){ .name = "2  compile and encode into a sink, one core | bare encoding",
                                      .unit = "flows/s",
                                      .value = samples_median(&ours),
                                      .reference = samples_median(&reference),
                                      .ratio = samples_median(&ratio),
                                      .bar = BAR_AT_LEAST,
                                      .limit = 0.3 });
}
