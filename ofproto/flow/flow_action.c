/* The builder's actions, in libopenvswitch's form until flow_end() encodes them. */
#include "ofproto/flow/flow_builder.h"

#include <assert.h>

#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-packet.h>
#include <openvswitch/ofp-port.h>

#include "ofproto/flow/flow_builder_private.h"

#define ETHERTYPE_VLAN 0x8100

/* The list that the next action joins. */
static struct ofpbuf *
actions(struct flow_builder *fb)
{
    assert(!fb->has_goto);
    return &fb->ofpacts;
}

void
act_output(struct flow_builder *fb, uint32_t ofport)
{
    struct ofpact_output *a = ofpact_put_OUTPUT(actions(fb));
    enum ofperr error = ofputil_port_from_ofp11(htonl(ofport), &a->port);
    assert(!error);
    a->max_len = 0;
}

void
act_output_in_port(struct flow_builder *fb)
{
    act_output(fb, OF_PORT_IN_PORT);
}

void
act_output_field(struct flow_builder *fb, struct of_field port)
{
    struct ofpact_output_reg *a = ofpact_put_OUTPUT_REG(actions(fb));
    a->src = field_subfield(port);
    a->max_len = UINT16_MAX;
}

/* OpenFlow forbids to set its own 32-bit input port; Open vSwitch's older 16-bit field may be set. */
static void
set_in_port(struct flow_builder *fb, uint64_t ofport)
{
    ovs_be16 port = htons(ofport);
    assert(ofport <= UINT16_MAX);
    ofpact_put_set_field(actions(fb), mf_from_id(MFF_IN_PORT), &port, NULL);
}

static void
put_set_field(struct ofpbuf *list, struct of_field f, uint64_t value)
{
    const struct mf_field *mf = field_mf(f.id);
    uint64_t mask = field_mask(f);
    union mf_value v, m;
    assert(mf->writable && f.ofs + f.bits <= of_field_bits(f.id) && !(value & ~(mask >> f.ofs)));
    field_value_set(mf, &v, value << f.ofs);
    field_value_set(mf, &m, mask);
    ofpact_put_set_field(list, mf, &v, f.bits == mf->n_bits ? NULL : &m);
}

static void
put_move(struct ofpbuf *list, struct of_field from, struct of_field to)
{
    assert(from.bits == to.bits);
    struct ofpact_reg_move *a = ofpact_put_REG_MOVE(list);
    a->src = field_subfield(from);
    a->dst = field_subfield(to);
    assert(a->dst.field->writable);
}

/* Parts of a connection's entry, which only a commit writes. */
static bool
is_of_entry(enum of_field_id id)
{
    return id == OF_CT_MARK || id == OF_CT_LABEL;
}

void
act_set(struct flow_builder *fb, struct of_field f, uint64_t value)
{
    if (f.id == OF_IN_PORT) {
        assert(f.bits == of_field_bits(f.id));
        set_in_port(fb, value);
        return;
    }
    assert(!is_of_entry(f.id));
    put_set_field(actions(fb), f, value);
}

void
act_set_mac(struct flow_builder *fb, enum of_field_id id, struct mac mac)
{
    assert(of_field_bits(id) == 48);
    act_set(fb, of_field_whole(id), mac_to_u64(mac));
}

void
act_set_ip(struct flow_builder *fb, enum of_field_id id, struct ip ip)
{
    assert(of_field_bits(id) == 32 && ip.family == IP_V4);
    act_set(fb, of_field_whole(id), ip4_u32(ip));
}

void
act_move(struct flow_builder *fb, struct of_field from, struct of_field to)
{
    assert(!is_of_entry(to.id));
    put_move(actions(fb), from, to);
}

void
act_dec_ttl(struct flow_builder *fb)
{
    struct ofpbuf *list = actions(fb);
    uint16_t controller_id = 0;
    ofpact_put_DEC_TTL(list)->n_controllers = 1;
    ofpbuf_put(list, &controller_id, sizeof controller_id);
    struct ofpact_cnt_ids *a = list->header;
    ofpact_finish_DEC_TTL(list, &a);
}

void
act_meter(struct flow_builder *fb, uint32_t meter)
{
    ofpact_put_METER(actions(fb))->meter_id = meter;
}

void
act_group(struct flow_builder *fb, uint32_t group)
{
    ofpact_put_GROUP(actions(fb))->group_id = group;
}

void
act_check_pkt_larger(struct flow_builder *fb, uint16_t bytes, struct of_field bit)
{
    assert(bit.bits == 1);
    struct ofpact_check_pkt_larger *a = ofpact_put_CHECK_PKT_LARGER(actions(fb));
    a->pkt_len = bytes;
    a->dst = field_subfield(bit);
}

static void
put_controller(struct flow_builder *fb, uint16_t controller_id, const void *userdata, size_t n, bool is_pausing)
{
    struct ofpbuf *list = actions(fb);
    struct ofpact_controller *a = ofpact_put_CONTROLLER(list);
    assert(n && n <= UINT16_MAX / 2); /* userdata is what makes it an NXAST_CONTROLLER2 */
    a->max_len = UINT16_MAX;
    a->controller_id = controller_id;
    a->reason = OFPR_ACTION;
    a->pause = is_pausing;
    a->meter_id = NX_CTLR_NO_METER;
    a->userdata_len = n;
    ofpbuf_put(list, userdata, n);
    a = list->header;
    ofpact_finish_CONTROLLER(list, &a);
}

void
act_controller(struct flow_builder *fb, uint16_t controller_id, const void *userdata, size_t n)
{
    put_controller(fb, controller_id, userdata, n, false);
}

void
act_controller_pause(struct flow_builder *fb, uint16_t controller_id, const void *userdata, size_t n)
{
    put_controller(fb, controller_id, userdata, n, true);
}

void
act_push_vlan(struct flow_builder *fb, uint16_t vid)
{
    const struct mf_field *mf = mf_from_id(MFF_VLAN_VID);
    ovs_be16 value = htons(vid | OFPVID12_PRESENT);
    assert(vid && vid < 4096);
    ofpact_put_PUSH_VLAN(actions(fb))->ethertype = htons(ETHERTYPE_VLAN);
    ofpact_put_set_field(actions(fb), mf, &value, NULL);
}

void
act_pop_vlan(struct flow_builder *fb)
{
    ofpact_put_STRIP_VLAN(actions(fb));
}

static void
put_nat(struct ofpbuf *list, const struct flow_ct *ct)
{
    struct ofpact_nat *nat = ofpact_put_NAT(list);
    if (ct->nat == FLOW_NAT_KNOWN)
        return;
    assert(ct->is_commit && ct->ip.family == IP_V4);
    nat->flags = ct->nat == FLOW_NAT_SRC ? NX_NAT_F_SRC : NX_NAT_F_DST;
    nat->range_af = AF_INET;
    nat->range.addr.ipv4.min = nat->range.addr.ipv4.max = htonl(ip4_u32(ct->ip));
    nat->range.proto.min = ct->port_lo;
    nat->range.proto.max = ct->port_hi;
}

static void
put_sets(struct ofpbuf *list, const struct flow_ct *ct)
{
    for (size_t i = 0; i < ct->n_sets; i++) {
        const struct flow_ct_set *set = &ct->sets[i];
        assert(ct->is_commit && is_of_entry(set->field.id));
        if (set->from.bits)
            put_move(list, set->from, set->field);
        else
            put_set_field(list, set->field, set->value);
    }
}

static void
set_zone(struct ofpact_conntrack *a, const struct flow_ct *ct)
{
    if (!ct->zone_field.bits) {
        a->zone_imm = ct->zone;
        return;
    }
    assert(ct->zone_field.bits == 16 && !ct->zone && !is_of_entry(ct->zone_field.id));
    a->zone_src = field_subfield(ct->zone_field);
}

void
act_ct(struct flow_builder *fb, const struct flow_ct *wanted)
{
    struct ofpbuf *list = actions(fb);
    struct ofpact_conntrack *ct = ofpact_put_CT(list);
    size_t at = list->size - sizeof *ct;
    assert(wanted->is_commit || !wanted->is_forced);
    set_zone(ct, wanted);
    ct->recirc_table = wanted->table;
    ct->flags = (wanted->is_commit ? NX_CT_F_COMMIT : 0) | (wanted->is_forced ? NX_CT_F_FORCE : 0);
    if (wanted->nat != FLOW_NAT_NONE)
        put_nat(list, wanted);
    put_sets(list, wanted);
    ct = list->header = ofpbuf_at_assert(list, at, sizeof *ct); /* those are parts of it, not the next ones */
    ofpact_finish_CT(list, &ct);
}

void
act_ct_clear(struct flow_builder *fb)
{
    ofpact_put_CT_CLEAR(actions(fb));
}

void
act_conjunction(struct flow_builder *fb, uint32_t id, uint8_t clause, uint8_t n_clauses)
{
    assert(clause >= 1 && clause <= n_clauses && n_clauses >= 2);
    struct ofpact_conjunction *a = ofpact_put_CONJUNCTION(actions(fb));
    a->id = id;
    a->clause = clause - 1;
    a->n_clauses = n_clauses;
}

void
act_resubmit(struct flow_builder *fb, uint8_t table)
{
    struct ofpact_resubmit *a = ofpact_put_RESUBMIT(actions(fb));
    a->in_port = OFPP_IN_PORT;
    a->table_id = table;
}

void
act_goto(struct flow_builder *fb, uint8_t table)
{
    assert(table > fb->table);
    ofpact_put_GOTO_TABLE(actions(fb))->table_id = table;
    fb->has_goto = true;
}
