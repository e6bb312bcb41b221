/* A flow's bytes through libopenvswitch's decoder and encoder: two spellings of one flow come out the same. The bytes
 * may be a stranger's; the decoder is the one that Open vSwitch's own tools use on replies. */
#include <stdlib.h>
#include <string.h>

#include <openvswitch/match.h>
#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-match.h>
#include <openvswitch/ofpbuf.h>

#include "ofproto/flow/spec_private.h"
#include "ofproto/flow/wire.h"
#include "ofproto/flow/wire_private.h"

bool
wire_decode_match(const uint8_t *key, size_t key_len, struct match *match)
{
    struct bytes b = BYTES_INIT;
    wire_put_match(&b, key, key_len);
    struct ofpbuf in = ofpbuf_const_initializer(b.data, b.n);
    uint16_t padded;
    bool ok = !ofputil_pull_ofp11_match(&in, NULL, NULL, match, &padded);
    bytes_done(&b);
    return ok;
}

bool
wire_decode_instructions(const uint8_t *body, size_t body_len, struct ofpbuf *ofpacts)
{
    void *aligned = malloc(body_len ? body_len : 1);
    if (body_len)
        memcpy(aligned, body, body_len);
    struct ofpbuf in = ofpbuf_const_initializer(aligned, body_len);
    bool ok = !ofpacts_pull_openflow_instructions(&in, body_len, OFP15_VERSION, NULL, NULL, ofpacts);
    free(aligned);
    return ok;
}

static const struct spec *
canonical_put(const struct wire_flow *wf, const struct match *match, const struct ofpbuf *ofpacts, struct arena *arena)
{
    struct ofpbuf out;
    ofpbuf_init(&out, 512);
    size_t match_len = ofputil_put_ofp11_match(&out, match, OFPUTIL_P_OF15_OXM);
    size_t body_ofs = out.size;
    ofpacts_put_openflow_instructions(ofpacts->data, ofpacts->size, &out, OFP15_VERSION);

    const struct spec *s = NULL;
    if (out.size <= UINT16_MAX) {
        struct spec head = {
            .cookie = wf->cookie,
            .priority = wf->priority,
            .table = wf->table,
            .kind = SPEC_FLOW,
            .tells_removal = wf->tells_removal,
            .key_len = match_len - WIRE_MATCH_HEADER,
            .body_len = out.size - body_ofs,
        };
        const uint8_t *p = out.data;
        s = spec_put(arena, &head, p + WIRE_MATCH_HEADER, p + body_ofs);
    }
    ofpbuf_uninit(&out);
    return s;
}

const struct spec *
wire_flow_canonical(const struct wire_flow *wf, struct arena *arena)
{
    struct match match;
    struct ofpbuf ofpacts;
    ofpbuf_init(&ofpacts, 512);
    bool ok = wf->key_len <= SPEC_BYTES_MAX && wire_decode_match(wf->key, wf->key_len, &match)
              && wire_decode_instructions(wf->body, wf->body_len, &ofpacts);
    const struct spec *s = ok ? canonical_put(wf, &match, &ofpacts, arena) : NULL;
    ofpbuf_uninit(&ofpacts);
    return s;
}
