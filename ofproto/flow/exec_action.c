/* A list of actions, executed in order on the packet: those of flow_builder.h. Any other is an error: a packet is followed truly or not
 * at all. */
#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include <openvswitch/meta-flow.h>
#include <openvswitch/ofp-port.h>

#include "ofproto/flow/exec_private.h"

static bool
not_followed(struct exec *x, const char *what)
{
    return error_set(x->err, ERROR_INTERNAL, "a flow of table %u has the action %s, which cannot be traced", x->in_table, what);
}

static void
send_to_port(struct exec *x, ofp_port_t port)
{
    ofp_port_t in_port = x->flow.in_port.ofp_port;
    bool is_back = port == OFPP_IN_PORT;
    if (is_back || port != in_port)
        exec_output(x, is_back ? EXEC_IN_PORT : EXEC_PORT, ntohl(ofputil_port_to_ofp11(is_back ? in_port : port)));
}

static bool
output(struct exec *x, ofp_port_t port)
{
    switch (port) {
    case OFPP_CONTROLLER: exec_output(x, EXEC_CONTROLLER, 0); return true;
    case OFPP_NONE: return true;
    case OFPP_TABLE: return not_followed(x, "output:TABLE");
    case OFPP_NORMAL: return not_followed(x, "output:NORMAL");
    case OFPP_FLOOD: return not_followed(x, "output:FLOOD");
    case OFPP_ALL: return not_followed(x, "output:ALL");
    default: send_to_port(x, port); return true;
    }
}

static bool
output_field(struct exec *x, const struct ofpact_output_reg *a)
{
    uint64_t port = mf_get_subfield(&a->src, &x->flow);
    return port > UINT16_MAX || output(x, (ofp_port_t) port);
}

static void
set_field(struct exec *x, const struct ofpact_set_field *a)
{
    if (mf_are_prereqs_ok(a->field, &x->flow, NULL))
        mf_set_flow_value_masked(a->field, a->value, ofpact_set_field_mask(a), &x->flow);
}

static void
move(struct exec *x, const struct ofpact_reg_move *a)
{
    struct flow_wildcards unused;
    flow_wildcards_init_catchall(&unused);
    mf_subfield_copy(&a->src, &a->dst, &x->flow, &unused);
}

static void
to_controller(struct exec *x, const struct ofpact_controller *a)
{
    struct exec_output *o = exec_output(x, EXEC_CONTROLLER, 0);
    o->controller_id = a->controller_id;
    o->userdata_len = a->userdata_len;
    if (a->userdata_len)
        o->userdata = arena_memdup(x->arena, a->userdata, a->userdata_len);
}

/* False: it is used up, and this list of actions ends. */
static bool
dec_ttl(struct exec *x, const struct ofpact_cnt_ids *a)
{
    bool is_ip = x->flow.dl_type == htons(0x0800) || x->flow.dl_type == htons(0x86dd);
    if (is_ip && x->flow.nw_ttl <= 1) {
        for (unsigned i = 0; i < a->n_controllers; i++)
            exec_output(x, EXEC_CONTROLLER, 0)->controller_id = a->cnt_ids[i];
        return false;
    }
    if (is_ip)
        x->flow.nw_ttl--;
    return true;
}

/* The rest of the list belongs to the check; what it did to the packet is forgotten after it. */
static bool
check_pkt_larger(struct exec *x, const struct ofpact_check_pkt_larger *a, const struct ofpact *end)
{
    const struct exec_copy before = exec_keep(x);
    const struct ofpact *rest = ofpact_next(&a->ofpact);
    union mf_subvalue is_larger = { .u8_val = x->bytes > a->pkt_len };
    mf_write_subfield_flow(&a->dst, &is_larger, &x->flow);
    bool ok = exec_actions(x, rest, (const uint8_t *) end - (const uint8_t *) rest);
    exec_put_back(x, &before);
    return ok;
}

static bool
resubmit(struct exec *x, const struct ofpact_resubmit *a)
{
    if (a->in_port != OFPP_IN_PORT || a->with_ct_orig)
        return not_followed(x, "resubmit with another port or tuple");
    return exec_table(x, a->table_id == 0xff ? x->in_table : a->table_id);
}

#define VLAN_TAG_BYTES 4

static void
push_vlan(struct exec *x, ovs_be16 ethertype)
{
    struct flow *f = &x->flow;
    memmove(&f->vlans[1], &f->vlans[0], sizeof f->vlans - sizeof f->vlans[0]);
    f->vlans[0].tpid = ethertype;
    f->vlans[0].tci = htons(OFPVID12_PRESENT);
    x->bytes += VLAN_TAG_BYTES;
}

static void
pop_vlan(struct exec *x)
{
    struct flow *f = &x->flow;
    size_t n = sizeof f->vlans / sizeof f->vlans[0];
    if (!(f->vlans[0].tci & htons(OFPVID12_PRESENT)))
        return;
    memmove(&f->vlans[0], &f->vlans[1], sizeof f->vlans - sizeof f->vlans[0]);
    memset(&f->vlans[n - 1], 0, sizeof f->vlans[0]);
    x->bytes -= VLAN_TAG_BYTES;
}

/* '*goes_on' false: nothing after it in the list is executed. */
static bool
execute(struct exec *x, const struct ofpact *a, const struct ofpact *end, bool *goes_on)
{
    switch (a->type) {
    case OFPACT_OUTPUT: return output(x, ofpact_get_OUTPUT(a)->port);
    case OFPACT_OUTPUT_REG: return output_field(x, ofpact_get_OUTPUT_REG(a));
    case OFPACT_SET_FIELD: set_field(x, ofpact_get_SET_FIELD(a)); return true;
    case OFPACT_REG_MOVE: move(x, ofpact_get_REG_MOVE(a)); return true;
    case OFPACT_DEC_TTL: *goes_on = dec_ttl(x, ofpact_get_DEC_TTL(a)); return true;
    case OFPACT_CONTROLLER: to_controller(x, ofpact_get_CONTROLLER(a)); return true;
    case OFPACT_CHECK_PKT_LARGER: *goes_on = false; return check_pkt_larger(x, ofpact_get_CHECK_PKT_LARGER(a), end);
    case OFPACT_GROUP: return exec_group(x, ofpact_get_GROUP(a)->group_id);
    case OFPACT_RESUBMIT: return resubmit(x, ofpact_get_RESUBMIT(a));
    case OFPACT_GOTO_TABLE: return exec_table(x, ofpact_get_GOTO_TABLE(a)->table_id);
    case OFPACT_CT: return exec_track(x, ofpact_get_CT(a));
    case OFPACT_CT_CLEAR: exec_track_clear(x); return true;
    case OFPACT_PUSH_VLAN: push_vlan(x, ofpact_get_PUSH_VLAN(a)->ethertype); return true;
    case OFPACT_STRIP_VLAN: pop_vlan(x); return true;
    case OFPACT_METER:
    case OFPACT_NOTE:
    case OFPACT_CONJUNCTION: return true;
    default: return not_followed(x, ofpact_name(a->type));
    }
}

bool
exec_actions(struct exec *x, const struct ofpact *ofpacts, size_t bytes)
{
    const struct ofpact *a, *end = ofpact_end(ofpacts, bytes);
    bool goes_on = true;
    OFPACT_FOR_EACH (a, ofpacts, bytes) {
        if (!execute(x, a, end, &goes_on))
            return false;
        if (!goes_on)
            break;
    }
    return true;
}
