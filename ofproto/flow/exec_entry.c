/* Connection tracking's smaller parts: the zone, what a commit writes into the connection's entry, and what becomes of a packet that is
 * translated without going on in a table. Called by exec_track.c.
 *
 * Open vSwitch's tables see nothing of the last: to them the packet has its old addresses until it comes back from the datapath; on the
 * wire it has the new ones, but where an action sets something else. So the new ones wait beside the packet for outputs and for the
 * tracker's next lookup. */
#include <netinet/in.h>

#include <openvswitch/meta-flow.h>

#include "ofproto/flow/exec_private.h"

uint16_t
exec_entry_zone(const struct exec *x, const struct ofpact_conntrack *ct)
{
    return ct->zone_src.field ? mf_get_subfield(&ct->zone_src, &x->flow) : ct->zone_imm;
}

/* The actions inside ct(), carried out on 'flow'; 'wc' gets the bits that they write. */
static bool
nested_execute(struct exec *x, const struct ofpact_conntrack *ct, struct flow *flow, struct flow_wildcards *wc)
{
    const struct ofpact *a;
    OFPACT_FOR_EACH (a, ct->actions, ofpact_ct_get_action_len(ct)) {
        if (a->type == OFPACT_SET_FIELD) {
            const struct ofpact_set_field *set = ofpact_get_SET_FIELD(a);
            mf_mask_field_masked(set->field, ofpact_set_field_mask(set), wc);
            mf_set_flow_value_masked(set->field, set->value, ofpact_set_field_mask(set), flow);
        } else if (a->type == OFPACT_REG_MOVE) {
            const struct ofpact_reg_move *move = ofpact_get_REG_MOVE(a);
            mf_subfield_copy(&move->src, &move->dst, flow, wc);
        } else if (a->type != OFPACT_NAT) {
            return error_set(x->err, ERROR_INTERNAL, "a flow of table %u has the action %s inside ct, which cannot be traced", x->in_table,
                             ofpact_name(a->type));
        }
    }
    return true;
}

bool
exec_entry_write(struct exec *x, const struct ofpact_conntrack *ct, struct exec_ct *found)
{
    struct flow flow = x->flow;
    struct flow_wildcards wc;
    flow_wildcards_init_catchall(&wc);
    if (!nested_execute(x, ct, &flow, &wc))
        return false;
    found->mark = (found->mark & ~wc.masks.ct_mark) | (flow.ct_mark & wc.masks.ct_mark);
    found->label = (found->label & ~wc.masks.ct_label.u64.lo) | (flow.ct_label.u64.lo & wc.masks.ct_label.u64.lo);
    return true;
}

void
exec_entry_translate_late(struct exec *x, const struct exec_ct *found)
{
    bool is_source = found->state & OF_CT_SNAT;
    struct exec_late *late = &x->late[is_source ? EXEC_LATE_SRC : EXEC_LATE_DST];
    const struct flow *f = &x->flow;
    if (!(found->state & (OF_CT_SNAT | OF_CT_DNAT)))
        return;
    *late = (struct exec_late){
        .is_set = true,
        .old_ip = is_source ? f->nw_src : f->nw_dst,
        .ip = htonl(found->ip),
        .old_port = is_source ? f->tp_src : f->tp_dst,
    };
    late->port = found->port && exec_has_ports(f) ? htons(found->port) : late->old_port;
}

static void
late_show(const struct exec_late *late, ovs_be32 *ip, ovs_be16 *port)
{
    if (!late->is_set)
        return;
    if (*ip == late->old_ip)
        *ip = late->ip;
    if (*port == late->old_port)
        *port = late->port;
}

void
exec_entry_show_late(const struct exec *x, struct flow *flow)
{
    late_show(&x->late[EXEC_LATE_SRC], &flow->nw_src, &flow->tp_src);
    late_show(&x->late[EXEC_LATE_DST], &flow->nw_dst, &flow->tp_dst);
}
