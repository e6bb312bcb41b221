/* Between packets as callers know them (numbers by field) and libopenvswitch's 'struct flow'. The fields' list names an Ethernet type
 * before what depends on it, and so on, so that one pass in its order finds each field's prerequisites settled. */
#include <assert.h>
#include <string.h>

#include "ofproto/flow/exec_private.h"
#include "ofproto/flow/flow_builder_private.h"

void
exec_packet_to_flow(const struct exec_packet *packet, struct flow *flow)
{
    union mf_value value;
    memset(flow, 0, sizeof *flow);
    for (enum of_field_id id = 0; id < N_OF_FIELDS; id++) {
        const struct mf_field *mf = field_mf(id);
        if (!packet->field[id] || !mf_are_prereqs_ok(mf, flow, NULL))
            continue;
        memset(&value, 0, sizeof value);
        field_value_set(mf, &value, packet->field[id]);
        mf_set_flow_value(mf, &value, flow);
    }
}

void
exec_packet_from_flow(struct exec_packet *packet, const struct flow *flow)
{
    union mf_value value;
    for (enum of_field_id id = 0; id < N_OF_FIELDS; id++) {
        const struct mf_field *mf = field_mf(id);
        packet->field[id] = 0;
        if (!mf_are_prereqs_ok(mf, flow, NULL))
            continue;
        mf_get_value(mf, flow, &value);
        packet->field[id] = field_value_get(mf, &value);
    }
}

uint64_t
exec_packet_get(const struct exec_packet *packet, struct of_field f)
{
    return (packet->field[f.id] & field_mask(f)) >> f.ofs;
}

void
exec_packet_set(struct exec_packet *packet, struct of_field f, uint64_t value)
{
    uint64_t mask = field_mask(f);
    assert(!(value & ~(mask >> f.ofs)));
    packet->field[f.id] = (packet->field[f.id] & ~mask) | value << f.ofs;
}
