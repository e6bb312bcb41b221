/* What the files of the builder share: the builder's state, and the fields as libopenvswitch knows them.
 * Private to ofproto/flow: libopenvswitch's names stay inside. */
#ifndef OFPROTO_FLOW_FLOW_BUILDER_PRIVATE_H
#define OFPROTO_FLOW_FLOW_BUILDER_PRIVATE_H 1

#include <stdbool.h>
#include <stdint.h>

#include <openvswitch/match.h>
#include <openvswitch/meta-flow.h>
#include <openvswitch/ofp-group.h>
#include <openvswitch/ofpbuf.h>

#include "ofproto/flow/field.h"
#include "ofproto/flow/flow_builder.h"

struct group_under_way {
    struct ofputil_group_mod mod;
    struct ofputil_bucket *bucket; /* whose actions are being put; NULL before the first */
    uint64_t cookie;
};

struct flow_builder {
    struct match match;
    struct ofpbuf ofpacts; /* the actions, in libopenvswitch's form */
    struct ofpbuf encoded; /* flow_end()'s workplace */
    uint64_t cookie;
    uint16_t priority;
    uint8_t table;
    bool is_shared;
    bool tells_removal;
    bool has_goto;                 /* nothing may follow */
    struct group_under_way *group; /* NULL: a flow is */
};

const struct mf_field *field_mf(enum of_field_id);
struct mf_subfield field_subfield(struct of_field);
uint64_t field_mask(struct of_field); /* its bits in the whole field */

/* Numbers to and from a field's bytes, for fields of up to 64 bits. */
void field_value_set(const struct mf_field *, union mf_value *, uint64_t);
uint64_t field_value_get(const struct mf_field *, const union mf_value *);

#endif
