/* A port's own rows: what it sends and what is sent to it passes conntrack in a zone of its own, once, on its own host, and is judged by its
 * groups; and wherever its VPC is its address is known to be of these groups.
 *
 * What conntrack lets go may come out in the context of another packet (fragments that it has put together: see eip.md). So SG trusts
 * neither registers nor metadata, only the zone and the headers, and sets all context anew that anything after it goes by. */
#include "vnet/feature/sg/sg_private.h"

#include "vnet/pipeline/priority.h"

static bool
is_filtered(const struct view *view, const struct port *port)
{
    return !sg_set_is_open(view, port->sg_set);
}

/* A port that is not filtered may still talk to a balancer: the feature lb tracks those packets, in the port's zone. 0: it cannot. */
static uint16_t
zone_if_watched(struct block *b, const struct port_facts *f)
{
    return f->vpc->is_balanced ? block_zone(b, f->port->o.number) : 0;
}

void
sg_set_context(struct block *b, const struct port_facts *f)
{
    act_set(b->fb, of_field_whole(OF_METADATA), f->vpc->vni);
    act_set(b->fb, LAYOUT_PORT, f->port->o.number);
    act_set(b->fb, LAYOUT_SUBNET, f->subnet->o.number);
    act_set(b->fb, LAYOUT_RTB, f->subnet->rtb);
}

/* Until the host has stored a zone nothing passes. */
static void
track_end(struct block *b, const struct port_facts *f)
{
    uint16_t zone = block_zone(b, f->port->o.number);
    if (zone)
        act_ct(b->fb, &(struct flow_ct){ .zone = zone, .table = STAGE_SG, .nat = f->vpc->is_balanced ? FLOW_NAT_KNOWN : FLOW_NAT_NONE });
    block_flow_end(b);
}

void
sg_leave_end(struct block *b, const struct port_facts *f)
{
    if (is_filtered(b->view, f->port)) {
        track_end(b, f);
        return;
    }
    uint16_t zone = zone_if_watched(b, f);
    sg_set_context(b, f);
    if (zone)
        act_set(b->fb, LAYOUT_SG_STATE, SG_WATCHED | SG_ZONE(zone));
    act_goto(b->fb, STAGE_GATEWAY);
    block_flow_end(b);
}

void
sg_deliver_end(struct block *b, const struct port_facts *f)
{
    if (is_filtered(b->view, f->port)) {
        track_end(b, f);
        return;
    }
    uint16_t zone = zone_if_watched(b, f);
    if (zone) {
        act_set(b->fb, LAYOUT_OUT_PORT, f->at.ofport);
        act_set(b->fb, LAYOUT_SG_STATE, SG_ZONE(zone));
        act_goto(b->fb, STAGE_LB_BACK);
    } else {
        act_output(b->fb, f->at.ofport);
    }
    block_flow_end(b);
}

void
sg_prepare(struct block *b, const struct port_facts *f)
{
    if (is_filtered(b->view, f->port) || f->vpc->is_balanced)
        block_zone(b, f->port->o.number);
}

/* ---- SG ---- */

static void
begin(struct block *b, uint16_t zone, uint16_t priority)
{
    match_u64(block_flow(b, STAGE_SG, priority), of_field_whole(OF_CT_ZONE), zone);
}

/* The first packet's sender began the connection; its replies go the other way. */
static void
end(struct block *b, bool is_inbound, bool is_reply)
{
    act_set(b->fb, LAYOUT_SG_STATE, (is_inbound != is_reply ? SG_INGRESS : 0) | (is_inbound ? SG_INBOUND : 0));
    act_goto(b->fb, STAGE_SG_JUDGE);
    block_flow_end(b);
}

static void
outbound_row(struct block *b, const struct port_facts *f, uint16_t zone, bool is_reply)
{
    begin(b, zone, PRIORITY_SG_OUTBOUND);
    match_eth_src(b->fb, f->port->mac);
    match_ct_state(b->fb, OF_CT_TRK | (is_reply ? OF_CT_RPL : 0), OF_CT_TRK | OF_CT_INV | OF_CT_RPL);
    sg_set_context(b, f);
    end(b, false, is_reply);
}

/* It may come from the port itself, by its own public address; so the input port is forgotten. Nobody is told of what is not delivered from here: its
 * original destination does not matter. */
static void
set_inbound_context(struct block *b, const struct port_facts *f)
{
    act_set(b->fb, of_field_whole(OF_METADATA), f->vpc->vni);
    act_set(b->fb, LAYOUT_PORT, f->port->o.number);
    act_set(b->fb, of_field_whole(OF_IN_PORT), 0);
    act_set(b->fb, LAYOUT_OUT_PORT, f->at.ofport);
}

static void
inbound_row(struct block *b, const struct port_facts *f, uint16_t zone, bool is_reply)
{
    begin(b, zone, PRIORITY_SG_INBOUND);
    match_eth_dst(b->fb, f->port->mac);
    match_ct_state(b->fb, OF_CT_TRK | (is_reply ? OF_CT_RPL : 0), OF_CT_TRK | OF_CT_INV | OF_CT_RPL);
    set_inbound_context(b, f);
    end(b, true, is_reply);
}

static void
invalid_row(struct block *b, const struct port_facts *f, uint16_t zone)
{
    begin(b, zone, PRIORITY_SG_INVALID);
    match_ct_state(b->fb, OF_CT_TRK | OF_CT_INV, OF_CT_TRK | OF_CT_INV);
    act_set(b->fb, LAYOUT_PORT, f->port->o.number);
    act_set(b->fb, LAYOUT_REASON, REASON_SG);
    act_goto(b->fb, STAGE_REJECT);
    block_flow_end(b);
}

/* The context may be that of what went to a balancer on its way to a target: who is told that this one is too big must not be told of that. (What
 * is judged has forgotten it.) */
static void
set_unjudged_context(struct block *b, const struct port_facts *f)
{
    sg_set_context(b, f);
    act_set(b->fb, LAYOUT_ORIGINAL_DST4, 0);
    act_set(b->fb, LAYOUT_ORIGINAL_DST_PORT, 0);
}

/* Of a port that is not filtered: as if a rule had allowed it, and what conntrack finds invalid is none of its business. */
static void
unjudged_row(struct block *b, const struct port_facts *f, uint16_t zone, bool is_inbound)
{
    begin(b, zone, is_inbound ? PRIORITY_SG_INBOUND : PRIORITY_SG_OUTBOUND);
    match_ct_state(b->fb, OF_CT_TRK, OF_CT_TRK);
    if (is_inbound) {
        match_eth_dst(b->fb, f->port->mac);
        set_inbound_context(b, f);
    } else {
        match_eth_src(b->fb, f->port->mac);
        set_unjudged_context(b, f);
    }
    act_set(b->fb, LAYOUT_SG_STATE, SG_UNJUDGED | (is_inbound ? SG_INBOUND : 0));
    act_goto(b->fb, STAGE_SG_DONE);
    block_flow_end(b);
}

/* ---- SG_GROUP ---- */

static void
group_row(struct block *b, const struct port *port)
{
    match_u64(block_flow(b, STAGE_SG_GROUP, PRIORITY_ROW), LAYOUT_PORT, port->o.number);
    for (size_t i = 0; i < port->sg.n; i++) {
        act_set(b->fb, LAYOUT_SG_GROUP, port->sg.v[i]);
        act_resubmit(b->fb, STAGE_SG_MATCH);
    }
    block_flow_end(b);
}

static void
filtered_rows(struct block *b, const struct port_facts *f)
{
    uint16_t zone = block_zone(b, f->port->o.number);
    if (!zone)
        return;
    group_row(b, f->port);
    for (int is_reply = 0; is_reply <= 1; is_reply++) {
        outbound_row(b, f, zone, is_reply);
        inbound_row(b, f, zone, is_reply);
    }
    invalid_row(b, f, zone);
}

static void
local_rows(struct block *b, const struct port_facts *f)
{
    uint16_t zone;
    bool filters = is_filtered(b->view, f->port);
    block_zone_follows(b, f->port->o.number, filters);
    if (filters) {
        filtered_rows(b, f);
    } else if ((zone = zone_if_watched(b, f)) != 0) {
        unjudged_row(b, f, zone, true);
        unjudged_row(b, f, zone, false);
    }
}

/* ---- SG_PEER ---- */

/* Of the other end's groups one after the other: which rules name it, and allow the packet. */
static void
pass_for_each(struct block *b, const struct port *port, bool is_ingress)
{
    for (size_t i = 0; i < port->sg.n; i++) {
        if (!sg_is_peer(b->view, port->sg.v[i], is_ingress))
            continue;
        act_set(b->fb, LAYOUT_SG_PEER, port->sg.v[i]);
        act_resubmit(b->fb, STAGE_SG_GROUP);
    }
}

static void
peer_rows(struct block *b, const struct port_facts *f, bool is_ingress)
{
    if (!sg_any_is_peer(b->view, &f->port->sg, is_ingress))
        return;
    for (size_t i = 0; i < f->port->ips.n; i++) {
        struct ip ip = f->port->ips.v[i];
        if (ip.family != IP_V4)
            continue;
        struct flow_builder *fb = block_flow(b, STAGE_SG_PEER, PRIORITY_ROW);
        match_family(fb, IP_V4);
        match_u64(fb, LAYOUT_VNI, f->vpc->vni);
        match_u64(fb, LAYOUT_SG_INGRESS, is_ingress);
        match_u64(fb, of_field_whole(is_ingress ? OF_CT_NW_SRC : OF_CT_NW_DST), ip4_u32(ip));
        pass_for_each(b, f->port, is_ingress);
        block_flow_end(b);
    }
}

void
sg_port_flows(struct block *b, uint32_t number)
{
    struct port_facts f;
    if (!port_facts_get(b->view, number, &f))
        return;
    peer_rows(b, &f, true);
    peer_rows(b, &f, false);
    if (f.at.host == b->host && f.at.ofport)
        local_rows(b, &f);
}
