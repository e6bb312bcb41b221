/* The builder's frame: begin clears libopenvswitch's match and action list, end encodes both as Open vSwitch encodes
 * a flow in a reply and copies the bytes into a spec. The buffers are kept from flow to flow. */
#include "ofproto/flow/flow_builder.h"

#include <assert.h>
#include <stdlib.h>

#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-match.h>

#include "base/alloc.h"
#include "ofproto/flow/flow_builder_private.h"
#include "ofproto/flow/spec_private.h"

#define FIRST_BYTES 512
#define MATCH_HEADER_BYTES sizeof(struct ofp11_match_header)

struct flow_builder *
flow_builder_new(void)
{
    struct flow_builder *fb = mem_zalloc(sizeof *fb);
    ofpbuf_init(&fb->ofpacts, FIRST_BYTES);
    ofpbuf_init(&fb->encoded, FIRST_BYTES);
    match_init_catchall(&fb->match);
    return fb;
}

void
flow_builder_free(struct flow_builder *fb)
{
    if (!fb)
        return;
    assert(!fb->group);
    ofpbuf_uninit(&fb->ofpacts);
    ofpbuf_uninit(&fb->encoded);
    free(fb);
}

void
flow_begin(struct flow_builder *fb, uint8_t table, uint16_t priority, uint64_t cookie)
{
    assert(!fb->group);
    match_init_catchall(&fb->match);
    ofpbuf_clear(&fb->ofpacts);
    fb->table = table;
    fb->priority = priority;
    fb->cookie = cookie;
    fb->is_shared = false;
    fb->tells_removal = false;
    fb->has_goto = false;
}

void
flow_shared(struct flow_builder *fb)
{
    fb->is_shared = true;
}

void
flow_tell_removal(struct flow_builder *fb)
{
    fb->tells_removal = true;
}

/* Fields of a connection's original tuple want a match on a valid connection. Done last, since a match on ct_state that says
 * so already may come before or after them. */
static void
match_ct_prerequisites(struct match *m)
{
    const struct flow *wc = &m->wc.masks;
    bool has_ports = wc->ct_tp_src || wc->ct_tp_dst;
    if (!has_ports && !wc->ct_nw_src && !wc->ct_nw_dst && !wc->ct_nw_proto)
        return;

    assert(!has_ports || m->flow.ct_nw_proto);
    const uint32_t valid = OF_CT_NEW | OF_CT_EST | OF_CT_REL | OF_CT_RPL | OF_CT_SNAT | OF_CT_DNAT;
    if (!(m->flow.ct_state & valid)) {
        assert(!(m->flow.ct_state & OF_CT_INV));
        match_set_ct_state_masked(m, m->flow.ct_state | OF_CT_TRK, wc->ct_state | OF_CT_TRK | OF_CT_INV);
    }
}

const struct spec *
flow_end(struct flow_builder *fb, struct arena *arena)
{
    assert(!fb->group);
    match_ct_prerequisites(&fb->match);

    struct ofpbuf *b = &fb->encoded;
    ofpbuf_clear(b);
    size_t match_len = ofputil_put_ofp11_match(b, &fb->match, OFPUTIL_P_OF15_OXM);
    size_t body_ofs = b->size;
    ofpacts_put_openflow_instructions(fb->ofpacts.data, fb->ofpacts.size, b, OFP15_VERSION);
    assert(b->size <= SPEC_BYTES_MAX);

    struct spec head = {
        .cookie = fb->cookie,
        .priority = fb->priority,
        .table = fb->table,
        .kind = SPEC_FLOW,
        .is_shared = fb->is_shared,
        .tells_removal = fb->tells_removal,
        .key_len = match_len - MATCH_HEADER_BYTES,
        .body_len = b->size - body_ofs,
    };
    return spec_put(arena, &head, (const uint8_t *) b->data + MATCH_HEADER_BYTES, (const uint8_t *) b->data + body_ofs);
}
