/* Making and finding specs, for the files of this folder. */
#ifndef OFPROTO_FLOW_SPEC_PRIVATE_H
#define OFPROTO_FLOW_SPEC_PRIVATE_H 1

#include "base/limits.h"
#include "ofproto/flow/spec.h"

/* Match and instructions of one flow (or a group's or meter's body) still fit a modification inside a bundle message. */
#define SPEC_BYTES_MAX (LIMIT_OPENFLOW_MESSAGE - 128)

/* A spec in 'arena' with head's fields, and key and body of the lengths that head gives. */
struct spec *spec_put(struct arena *, const struct spec *head, const void *key, const void *body);
struct spec *spec_alloc(struct arena *, const struct spec *head); /* its bytes are yet to be written */

/* What tells one spec from another, without a spec: for lookups by bytes of a message. */
struct spec_id {
    const uint8_t *key;
    uint32_t id;
    uint16_t key_len;
    uint16_t priority;
    uint8_t table;
    uint8_t kind;
};
struct spec_id spec_id_of(const struct spec *);
uint32_t spec_id_hash(const struct spec_id *);
bool spec_id_is(const struct spec_id *, const struct spec *);

/* spec_value_hash() of bytes that are not in a spec; of 'head' kind, cookie and tells_removal count. */
uint64_t spec_bytes_hash(const struct spec *head, const void *body, size_t n);

#endif
