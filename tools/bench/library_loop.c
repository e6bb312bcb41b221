/* See library_loop.h. */
#include "tools/bench/library_loop.h"

#include <stdlib.h>

#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-bundle.h>
#include <openvswitch/ofp-flow.h>
#include <openvswitch/ofpbuf.h>

#include "base/alloc.h"
#include "tools/bench/bench.h"

struct library_loop {
    struct ofputil_flow_mod *mods;
    struct ofpbuf *actions;
    size_t n, cap_mods, cap_actions;
};

struct library_loop *
library_loop_new(void)
{
    return mem_zalloc(sizeof(struct library_loop));
}

void
library_loop_free(struct library_loop *l)
{
    for (size_t i = 0; i < l->n; i++) {
        minimatch_destroy(&l->mods[i].match);
        ofpbuf_uninit(&l->actions[i]);
    }
    free(l->mods);
    free(l->actions);
    free(l);
}

void
library_loop_add(struct library_loop *l, const void *flow_mod)
{
    l->mods = mem_grow(l->mods, &l->cap_mods, l->n + 1, sizeof *l->mods);
    l->actions = mem_grow(l->actions, &l->cap_actions, l->n + 1, sizeof *l->actions);
    ofpbuf_init(&l->actions[l->n], 64);
    if (ofputil_decode_flow_mod(&l->mods[l->n], flow_mod, OFPUTIL_P_OF15_OXM, NULL, NULL, &l->actions[l->n], OFPP_MAX, 255))
        bench_die("libopenvswitch does not understand a flow mod of ours");
    l->n++;
}

double
library_loop_run(const struct library_loop *l)
{
    int64_t start = bench_now_ns();
    for (size_t i = 0; i < l->n; i++) {
        struct ofpbuf *mod = ofputil_encode_flow_mod(&l->mods[i], OFPUTIL_P_OF15_OXM);
        struct ofputil_bundle_add_msg add = { 1, OFPBF_ATOMIC | OFPBF_ORDERED, mod->data };
        ofpbuf_delete(ofputil_encode_bundle_add(OFP15_VERSION, &add));
        ofpbuf_delete(mod);
    }
    return (double) l->n / ((double) (bench_now_ns() - start) / 1e9);
}
