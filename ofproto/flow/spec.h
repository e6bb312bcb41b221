/* A spec is the immutable value of one thing a switch holds: a flow, a group or a meter, in canonical bytes. Two
 * specs mean the same if and only if their bytes are equal.
 *
 * Canonical is what Open vSwitch itself puts into OpenFlow 1.5 replies: of a flow, 'key' is the OXM TLVs of the match
 * in OVS's order (no header, no padding) and 'body' the instructions; of a group, 'body' is the group type (1 byte),
 * 3 zero bytes and the buckets and properties of OpenFlow 1.5; of a meter, flags (2), 2 zero bytes and the bands. */
#ifndef OFPROTO_FLOW_SPEC_H
#define OFPROTO_FLOW_SPEC_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum spec_kind { SPEC_FLOW, SPEC_GROUP, SPEC_METER };

struct spec {
    uint64_t cookie;    /* the block it belongs to; see vnet/pipeline/layout.h. Of a group or meter: not sent */
    uint32_t id;        /* group or meter number; 0 for flows */
    uint16_t priority;  /* flows */
    uint8_t table;      /* flows */
    uint8_t kind;       /* enum spec_kind */
    bool is_shared;     /* flows of a shared stage: several blocks contribute actions, see flow_table.h */
    bool tells_removal; /* flows: when it is removed the switch says so, with its last counts; it is never overwritten */
    uint16_t key_len, body_len;
    uint8_t bytes[]; /* key, then body */
};

static inline const uint8_t *
spec_key(const struct spec *s)
{
    return s->bytes;
}
static inline const uint8_t *
spec_body(const struct spec *s)
{
    return s->bytes + s->key_len;
}
static inline size_t
spec_size(const struct spec *s)
{
    return sizeof *s + s->key_len + s->body_len;
}

uint32_t spec_key_hash(const struct spec *); /* over kind, table, priority, id, key */
bool spec_key_equal(const struct spec *, const struct spec *);
uint64_t spec_value_hash(const struct spec *); /* over cookie and tells_removal (flows) and body; never 0 */

/* Open vSwitch's text form, as `ovs-ofctl dump-flows --no-stats` prints it: "table=0, priority=100,ip ... actions=...". */
char *spec_format(const struct spec *, struct arena *);

#endif
