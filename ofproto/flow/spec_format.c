/* Specs as text, in Open vSwitch's own words, for people: errors, differences, explanations. */
#include "ofproto/flow/spec.h"

#include <stdlib.h>
#include <string.h>

#include <openvswitch/dynamic-string.h>
#include <openvswitch/match.h>
#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-print.h>
#include <openvswitch/ofpbuf.h>

#include "ofproto/flow/wire.h"
#include "ofproto/flow/wire_private.h"

static bool
flow_format(const struct spec *s, struct ds *out)
{
    struct match match;
    struct ofpbuf ofpacts;
    ofpbuf_init(&ofpacts, 512);
    bool ok = wire_decode_match(spec_key(s), s->key_len, &match) && wire_decode_instructions(spec_body(s), s->body_len, &ofpacts);
    if (ok) {
        ds_put_format(out, "table=%u, %s", s->table, s->tells_removal ? "send_flow_rem " : "");
        size_t before = out->length;
        match_format(&match, NULL, out, s->priority);
        ds_put_cstr(out, out->length > before ? " actions=" : "actions=");
        struct ofpact_format_params params = { .s = out };
        ofpacts_format(ofpacts.data, ofpacts.size, &params);
    }
    ofpbuf_uninit(&ofpacts);
    return ok;
}

/* Groups and meters: what the library prints of a message that would add it, from its name on, on one line. */
static bool
mod_format(const struct spec *s, struct ds *out)
{
    static const char before[] = " ADD ";
    struct bytes b = BYTES_INIT;
    wire_put_mod(&b, s, WIRE_ADD, false, 0);
    char *text = ofp_to_string(b.data, b.n, NULL, NULL, 1);
    bytes_done(&b);

    for (char *p = text; *p; p++)
        if (*p == '\n')
            *p = ' ';
    char *start = strstr(text, before);
    if (start) {
        size_t n = strlen(start);
        while (n && start[n - 1] == ' ')
            start[--n] = '\0';
        ds_put_cstr(out, start + strlen(before));
    }
    free(text);
    return start != NULL;
}

char *
spec_format(const struct spec *s, struct arena *arena)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    bool ok = s->kind == SPEC_FLOW ? flow_format(s, &out) : mod_format(s, &out);
    char *text = ok ? arena_strdup(arena, ds_cstr(&out))
                    : arena_printf(arena, "table=%u, priority=%u, id=%u, unreadable (%u and %u bytes)", s->table, s->priority, s->id,
                                   s->key_len, s->body_len);
    ds_destroy(&out);
    return text;
}
