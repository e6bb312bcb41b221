/* Which flow of a table takes a packet: the first match by falling priority. A flow with conjunction() actions takes no packet itself: where
 * flows of one priority meet every clause of a conjunction, the flow that matches its conj_id decides. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openvswitch/match.h>

#include "base/alloc.h"
#include "ofproto/flow/exec_private.h"
#include "ofproto/flow/wire.h"
#include "ofproto/flow/wire_private.h"

/* A clause of a conjunction that the packet meets. */
struct clause {
    uint32_t id;
    uint8_t number, of;
};

struct lookup {
    struct exec *exec;
    const struct spec *const *specs;
    size_t n_specs;
    struct flow flow;       /* the packet as flows see it */
    struct clause *clauses; /* of the priority being looked at */
    size_t n_clauses, cap_clauses;
};

static bool
decode_failed(struct exec *x, const struct spec *s)
{
    return error_set(x->err, ERROR_INTERNAL, "a flow of table %u with cookie %#" PRIx64 " cannot be decoded", s->table, s->cookie);
}

static bool
flow_matches(const struct flow *flow, const struct match *match)
{
    const uint8_t *packet = (const uint8_t *) flow, *want = (const uint8_t *) &match->flow;
    const uint8_t *masks = (const uint8_t *) &match->wc.masks;
    for (size_t i = 0; i < sizeof *flow; i += sizeof(uint64_t)) {
        uint64_t p, w, m;
        memcpy(&p, packet + i, sizeof p);
        memcpy(&w, want + i, sizeof w);
        memcpy(&m, masks + i, sizeof m);
        if ((p ^ w) & m)
            return false;
    }
    return true;
}

/* Decodes the actions too if the packet matches. */
static bool
spec_match(struct lookup *l, const struct spec *s, struct ofpbuf *ofpacts, bool *is_match)
{
    struct match match;
    if (!wire_decode_match(spec_key(s), s->key_len, &match))
        return decode_failed(l->exec, s);
    *is_match = flow_matches(&l->flow, &match);
    if (!*is_match)
        return true;
    ofpbuf_clear(ofpacts);
    return wire_decode_instructions(spec_body(s), s->body_len, ofpacts) || decode_failed(l->exec, s);
}

/* Open vSwitch gives a flow only conjunctions, or none. */
static bool
is_conjunctive(const struct ofpbuf *ofpacts)
{
    const struct ofpact *a;
    OFPACT_FOR_EACH (a, ofpacts->data, ofpacts->size) {
        if (a->type == OFPACT_CONJUNCTION)
            return true;
    }
    return false;
}

static void
clauses_add(struct lookup *l, const struct ofpbuf *ofpacts)
{
    const struct ofpact *a;
    OFPACT_FOR_EACH (a, ofpacts->data, ofpacts->size) {
        if (a->type != OFPACT_CONJUNCTION)
            continue;
        const struct ofpact_conjunction *c = ofpact_get_CONJUNCTION(a);
        l->clauses = mem_grow(l->clauses, &l->cap_clauses, l->n_clauses + 1, sizeof *l->clauses);
        l->clauses[l->n_clauses++] = (struct clause){ c->id, c->clause, c->n_clauses };
    }
}

static bool
is_complete(const struct lookup *l, const struct clause *c)
{
    uint64_t met = 0;
    assert(c->of >= 1 && c->of <= 64); /* the decoder refuses others */
    for (size_t i = 0; i < l->n_clauses; i++) {
        if (l->clauses[i].id == c->id && l->clauses[i].of == c->of)
            met |= UINT64_C(1) << l->clauses[i].number;
    }
    return met == UINT64_MAX >> (64 - c->of);
}

static bool
is_key_equal(const struct spec *a, const struct spec *b)
{
    return a->key_len == b->key_len && !memcmp(spec_key(a), spec_key(b), a->key_len);
}

/* Once a conjunction is met, Open vSwitch does not see flows below a conjunctive one that has the same match. */
static bool
is_hidden(const struct lookup *l, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (is_key_equal(l->specs[j], l->specs[i]))
            return true;
    }
    return false;
}

/* The highest flow that is not conjunctive, with conj_id set. */
static bool
lookup_plain(struct lookup *l, const struct spec **found, struct ofpbuf *ofpacts)
{
    *found = NULL;
    for (size_t i = 0; i < l->n_specs; i++) {
        bool is_match;
        if (!spec_match(l, l->specs[i], ofpacts, &is_match))
            return false;
        if (is_match && !is_conjunctive(ofpacts) && !is_hidden(l, i)) {
            *found = l->specs[i];
            return true;
        }
    }
    return true;
}

static bool
lookup_conjunctions(struct lookup *l, const struct spec **found, struct ofpbuf *ofpacts)
{
    *found = NULL;
    for (size_t i = 0; i < l->n_clauses && !*found; i++) {
        if (!is_complete(l, &l->clauses[i]))
            continue;
        l->flow.conj_id = l->clauses[i].id;
        if (!lookup_plain(l, found, ofpacts))
            return false;
        l->flow.conj_id = 0;
    }
    l->n_clauses = 0;
    return true;
}

static bool
lookup_run(struct lookup *l, const struct spec **found, struct ofpbuf *ofpacts)
{
    *found = NULL;
    for (size_t i = 0; i < l->n_specs; i++) {
        bool is_match, is_last = i + 1 == l->n_specs || l->specs[i + 1]->priority != l->specs[i]->priority;
        if (!spec_match(l, l->specs[i], ofpacts, &is_match))
            return false;
        if (is_match && !is_conjunctive(ofpacts)) {
            *found = l->specs[i];
            return true;
        }
        if (is_match)
            clauses_add(l, ofpacts);
        if (is_last && l->n_clauses && !lookup_conjunctions(l, found, ofpacts))
            return false;
        if (*found)
            return true;
    }
    return true;
}

bool
exec_lookup(struct exec *x, uint8_t table, const struct spec **found, struct ofpbuf *ofpacts)
{
    struct lookup l = { .exec = x, .flow = x->flow };
    l.specs = flow_table_by_priority(x->table, table, &l.n_specs);
    /* Open vSwitch's way with fragments unless told otherwise: even a first one shows no ports. */
    if (l.flow.nw_frag & FLOW_NW_FRAG_ANY)
        l.flow.tp_src = l.flow.tp_dst = 0;
    bool ok = lookup_run(&l, found, ofpacts);
    free(l.clauses);
    return ok;
}
