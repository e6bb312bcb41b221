/* Elastic IPs: translated one to one at their holder, both ways, without conntrack, so that they move between hosts with their connections
 * alive. Two things cannot be done by a flow that sets an address: later fragments (Open vSwitch would take their payload for a
 * transport header), which conntrack reassembles and translates in the VPC's zone; and the packet quoted by an ICMP error, which
 * the responder translates while the error waits. See eip.md for the rows.
 *
 * The rows of a public address itself (ARP, size) are here also for one that is a NAT gateway's. */
#include <stdio.h>

#include "vnet/feature/eip/eip_private.h"
#include "vnet/feature/sg/sg.h"
#include "vnet/feature/uplink/uplink.h"
#include "vnet/model/public_mac.h"
#include "vnet/model/router_mac.h"
#include "vnet/packet/userdata.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

/* What of one address reaches a responder of ours. */
#define ANSWER_PPS 100
#define ANSWER_BURST 100

#define ANY_FRAGMENT OF_FRAG_ANY, OF_FRAG_ANY

/* ---- the way out ---- */

static struct flow_builder *
nat_out_flow(struct block *b, uint16_t priority, const struct placement *p, struct ip source)
{
    struct flow_builder *fb = block_flow(b, STAGE_NAT_OUT, priority);
    match_u64(fb, LAYOUT_VNI, p->vpc->vni);
    match_eth_dst(fb, public_mac_of_ip(p->eip->ip));
    match_ip_src(fb, ip_prefix_host(source));
    return fb;
}

/* The router's part is done here, with the rest: what leaves by its port's own address is changed once. */
static void
nat_out_end(struct block *b, const struct placement *p)
{
    act_dec_ttl(b->fb);
    act_set_mac(b->fb, OF_ETH_SRC, public_mac_of_ip(p->eip->ip));
    act_set(b->fb, LAYOUT_POOL, p->pool->o.number);
    public_size_forget(b, p->pool);
    act_goto(b->fb, STAGE_PUBLIC_IN);
    block_flow_end(b);
}

static void
act_translate_quote(struct block *b, uint32_t meter, const struct icmp_inner *inner)
{
    struct bytes userdata = BYTES_INIT;
    userdata_put_inner(&userdata, inner);
    act_meter(b->fb, meter);
    act_controller_pause(b->fb, LAYOUT_CONTROLLER_ID, userdata.data, userdata.n);
    bytes_done(&userdata);
}

static void
nat_out_rows(struct block *b, const struct placement *p)
{
    struct ip private = port_ip4(p->port), public = p->eip->ip;
    struct flow_builder *fb = nat_out_flow(b, PRIORITY_NAT_ROW, p, private);
    act_set_ip(fb, OF_IPV4_SRC, public);
    nat_out_end(b, p);

    for (size_t i = 0; i < N_ICMP_ERROR_TYPES; i++) {
        fb = nat_out_flow(b, PRIORITY_NAT_ERROR, p, private);
        match_icmp(fb, IP_V4, icmp_error_types[i], -1);
        act_translate_quote(b, p->eip->o.number, &(struct icmp_inner){ ICMP_INNER_DST, private, public });
        act_set_ip(fb, OF_IPV4_SRC, public);
        nat_out_end(b, p);
    }

    for (size_t i = 0; i < N_ICMP_QUOTING_TYPES; i++) {
        match_icmp(nat_out_flow(b, PRIORITY_NAT_QUOTE, p, private), IP_V4, icmp_quoting_types[i], -1);
        block_flow_end(b);
    }
}

/* Fragments that conntrack lets go may come out in the context of another packet: its metadata, registers and input port, even of another
 * zone's. Only the headers and the zone are their own, so a row for them matches both, and trusts nothing else. */
static void
match_tracked(struct flow_builder *fb, uint16_t zone)
{
    match_ct_state(fb, OF_CT_TRK, OF_CT_TRK | OF_CT_INV);
    match_u64(fb, of_field_whole(OF_CT_ZONE), zone);
}

static void
nat_out_fragment_rows(struct block *b, const struct placement *p, uint16_t zone)
{
    struct ip private = port_ip4(p->port), public = p->eip->ip;
    struct flow_builder *fb = nat_out_flow(b, PRIORITY_NAT_STRAY, p, private);
    match_ip_frag(fb, IP_V4, ANY_FRAGMENT);
    block_flow_end(b);
    if (!zone) /* it cannot be translated, so the row above drops it */
        return;

    fb = nat_out_flow(b, PRIORITY_NAT_FRAGMENT, p, private);
    match_ip_frag(fb, IP_V4, ANY_FRAGMENT);
    match_ct_state(fb, 0, OF_CT_TRK | OF_CT_INV);
    act_ct(fb, &(struct flow_ct){ .zone = zone, .table = STAGE_NAT_OUT, .is_commit = true, .nat = FLOW_NAT_SRC, .ip = public });
    block_flow_end(b);

    fb = nat_out_flow(b, PRIORITY_NAT_TRACKED, p, public);
    match_tracked(fb, zone);
    act_ct_clear(fb);
    act_set(fb, of_field_whole(OF_IN_PORT), 0);
    nat_out_end(b, p);
}

/* ---- the way in ---- */

static struct flow_builder *
public_in_flow(struct block *b, uint16_t priority, const struct placement *p)
{
    struct flow_builder *fb = block_flow(b, STAGE_PUBLIC_IN, priority);
    match_ip_dst(fb, ip_prefix_host(p->eip->ip));
    return fb;
}

static void
too_big_row(struct block *b, const struct placement *p, uint8_t fragment, uint8_t mask)
{
    struct flow_builder *fb = public_in_flow(b, PRIORITY_PUBLIC_TOO_BIG, p);
    struct bytes userdata = BYTES_INIT;
    struct icmp_error error = {
        .kind = ICMP_FRAGMENTATION_NEEDED,
        .router = public_mac_of_ip(p->eip->ip),
        .gateway = p->eip->ip,
        .prefix_len = 32,
    };
    match_u64(fb, LAYOUT_FROM_UPLINK, 1);
    match_u64(fb, LAYOUT_TOO_BIG, 1);
    match_ip_frag(fb, IP_V4, fragment, mask);
    userdata_put_error(&userdata, &error);
    act_meter(fb, p->eip->o.number);
    act_controller_pause(fb, LAYOUT_CONTROLLER_ID, userdata.data, userdata.n);
    bytes_done(&userdata);
    act_set(fb, LAYOUT_TOO_BIG, 0);
    act_set(fb, LAYOUT_ANSWERED, 1);
    act_resubmit(fb, STAGE_PUBLIC_IN);
    block_flow_end(b);
}

/* What is too big for the guest goes to the responder before anything is translated, and comes back here: as the answer to its sender, or,
 * if that lets it be taken apart, as fragments. What is a fragment already is looked at when it has been translated; but if the guest may
 * have security groups, whose conntrack does not take its small pieces, its sender is told, too. */
static void
too_big_rows(struct block *b, const struct placement *p)
{
    too_big_row(b, p, 0, OF_FRAG_ANY);
    if (!p->port || p->port->has_sg)
        too_big_row(b, p, OF_FRAG_ANY, OF_FRAG_ANY | OF_FRAG_LATER);

    struct flow_builder *fb = block_flow(b, STAGE_PUBLIC_IN, PRIORITY_PUBLIC_ANSWER);
    match_ip_src(fb, ip_prefix_host(p->eip->ip));
    match_u64(fb, LAYOUT_FROM_UPLINK, 1);
    match_u64(fb, LAYOUT_ANSWERED, 1);
    if (p->pool->vlan)
        act_push_vlan(fb, p->pool->vlan);
    act_output_in_port(fb);
    block_flow_end(b);
}

/* From outside nothing comes with an address of the inside: rules that trust those would be fooled. */
static void
bogon_row(struct block *b, const struct placement *p)
{
    struct flow_builder *fb = public_in_flow(b, PRIORITY_PUBLIC_BOGON, p);
    match_u64(fb, LAYOUT_FROM_UPLINK, 1);
    match_ip_src(fb, p->vpc->cidr);
    block_flow_end(b);
}

static void
public_in_rows(struct block *b, const struct placement *p)
{
    struct ip private = port_ip4(p->port), public = p->eip->ip;
    for (size_t i = 0; i < N_ICMP_ERROR_TYPES; i++) {
        struct flow_builder *fb = public_in_flow(b, PRIORITY_PUBLIC_ERROR, p);
        match_icmp(fb, IP_V4, icmp_error_types[i], -1);
        act_translate_quote(b, p->eip->o.number, &(struct icmp_inner){ ICMP_INNER_SRC, public, private });
        act_goto(fb, STAGE_NAT_IN);
        block_flow_end(b);
    }

    struct flow_builder *fb = public_in_flow(b, PRIORITY_PUBLIC_ROW, p);
    act_goto(fb, STAGE_NAT_IN);
    block_flow_end(b);
}

/* Without a zone NAT_IN drops it. */
static void
public_in_fragment_row(struct block *b, const struct placement *p, uint16_t zone)
{
    struct flow_builder *fb = public_in_flow(b, PRIORITY_PUBLIC_FRAGMENT, p);
    match_ip_frag(fb, IP_V4, ANY_FRAGMENT);
    act_set(fb, of_field_whole(OF_METADATA), p->vpc->vni);
    act_set_mac(fb, OF_ETH_DST, p->port->mac);
    act_ct(fb, &(struct flow_ct){ .zone = zone, .table = STAGE_NAT_IN, .is_commit = true, .nat = FLOW_NAT_DST, .ip = port_ip4(p->port) });
    block_flow_end(b);
}

/* To the guest, from the router. A guest may talk to its own public address, so it may be the port that the packet came from. */
static void
nat_in_end(struct block *b, const struct placement *p)
{
    act_set_mac(b->fb, OF_ETH_SRC, ROUTER_MAC);
    act_set_mac(b->fb, OF_ETH_DST, p->port->mac);
    if (p->at.host == b->host) {
        act_set(b->fb, of_field_whole(OF_IN_PORT), 0);
        sg_deliver_end(b, &(struct port_facts){ p->port, p->subnet, p->vpc, p->at });
        return;
    }
    act_set(b->fb, LAYOUT_VNI_AND_TUNNEL, p->vpc->vni); /* whether it has come from a physical network stays known */
    act_set(b->fb, LAYOUT_HOST, p->at.host);
    act_goto(b->fb, STAGE_TUNNEL_OUT);
    block_flow_end(b);
}

/* What conntrack did not translate matches no row: the destination's MAC says whose it is. */
static struct flow_builder *
nat_in_translated(struct block *b, uint16_t priority, const struct placement *p)
{
    struct flow_builder *fb = block_flow(b, STAGE_NAT_IN, priority);
    match_u64(fb, LAYOUT_VNI, p->vpc->vni);
    match_eth_dst(fb, p->port->mac);
    match_ip_dst(fb, ip_prefix_host(port_ip4(p->port)));
    return fb;
}

static void
nat_in_fragment_rows(struct block *b, const struct placement *p, uint16_t zone, uint16_t mtu)
{
    match_tracked(nat_in_translated(b, PRIORITY_NAT_TRACKED, p), zone);
    public_fragment_end(b, mtu);

    match_ct_state(nat_in_translated(b, PRIORITY_NAT_SPLIT, p), 0, OF_CT_TRK | OF_CT_INV);
    public_fragment_split(b, p, mtu);
    nat_in_end(b, p);

    match_ct_state(nat_in_translated(b, PRIORITY_NAT_FITS, p), 0, OF_CT_TRK | OF_CT_INV);
    nat_in_end(b, p);
}

static void
nat_in_rows(struct block *b, const struct placement *p)
{
    struct flow_builder *fb = block_flow(b, STAGE_NAT_IN, PRIORITY_NAT_ROW);
    match_ip_dst(fb, ip_prefix_host(p->eip->ip));
    act_set_ip(fb, OF_IPV4_DST, port_ip4(p->port));
    nat_in_end(b, p);

    for (size_t i = 0; i < N_ICMP_QUOTING_TYPES; i++) {
        fb = block_flow(b, STAGE_NAT_IN, PRIORITY_NAT_QUOTE);
        match_ip_dst(fb, ip_prefix_host(p->eip->ip));
        match_icmp(fb, IP_V4, icmp_quoting_types[i], -1);
        block_flow_end(b);
    }

    /* No fragment gets here but translated: this one has expired (+inv, not +trk) or could not be. */
    fb = block_flow(b, STAGE_NAT_IN, PRIORITY_NAT_STRAY);
    match_ip_dst(fb, ip_prefix_host(p->eip->ip));
    match_ip_frag(fb, IP_V4, ANY_FRAGMENT);
    block_flow_end(b);
}

/* ---- blocks ---- */

static void
holder_rows(struct block *b, const struct placement *p)
{
    uint16_t mtu = public_path_mtu(b, p);
    block_add(b, meter_spec(b->arena, b->cookie, p->eip->o.number, ANSWER_PPS, ANSWER_BURST));
    public_address_rows(b, p, mtu);
    too_big_rows(b, p);
    bogon_row(b, p);
    eip_narrow_rows(b, p);
    if (!p->port)
        return;

    uint16_t zone = block_zone(b, p->vpc->o.number);
    nat_out_rows(b, p);
    nat_out_fragment_rows(b, p, zone);
    public_in_rows(b, p);
    nat_in_rows(b, p);
    if (!zone)
        return;
    public_in_fragment_row(b, p, zone);
    nat_in_fragment_rows(b, p, zone, mtu);
}

/* The host that it has just left: until all the outside knows, what still comes here is translated here and goes to its port's host, and what hosts
 * that are behind send here leaves here. Only ARP is the new holder's. */
static bool
is_trail(const struct block *b, const struct placement *p)
{
    return p->port && p->at.host != b->host && runtime_trail(b->view->runtime, p->eip->o.number) == b->host;
}

static void
neighbour_row(struct block *b, const struct placement *p, uint32_t uplink)
{
    struct flow_builder *fb = block_flow(b, STAGE_PUBLIC_OUT, PRIORITY_PUBLIC_OUT_NEIGHBOUR);
    match_u64(fb, LAYOUT_POOL, p->pool->o.number);
    match_ip_dst(fb, ip_prefix_host(p->eip->ip));
    uplink_out_end(b, p->pool, uplink, public_mac_of_ip(p->eip->ip));
}

static void
egress_row(struct block *b, const struct placement *p)
{
    struct flow_builder *fb = block_flow(b, STAGE_EGRESS, PRIORITY_ROW);
    match_u64(fb, LAYOUT_WAY_OUT, 0);
    match_u64(fb, LAYOUT_PORT, p->port->o.number);
    match_ip_src(fb, ip_prefix_host(port_ip4(p->port)));
    egress_end(b, p);
}

static void
eip_flows(struct block *b, uint8_t type, uint32_t number)
{
    struct placement p;
    if (!placement_get(b->view, number, &p))
        return;
    uint32_t uplink = runtime_uplink_port(b->here, p.pool->uplink);
    if (p.holder->number == b->host) {
        holder_rows(b, &p);
    } else if (uplink && is_trail(b, &p)) {
        struct placement left = p;
        left.uplink = uplink;
        holder_rows(b, &left);
    } else if (uplink) {
        neighbour_row(b, &p, uplink);
    }
    if (p.port && p.at.host == b->host)
        egress_row(b, &p);
}

static void
touch_eip(void *list, uint32_t number)
{
    touch_add(list, FEATURE_EIP, OBJECT_EIP, number, (struct touch){ TOUCH_EVERYWHERE, 0 });
}

/* A host knows addresses as neighbours where it has the pool's network itself. */
static void
touch_neighbours(const struct view *view, uint32_t host, struct touch_list *list)
{
    for (const struct object *o = NULL; (o = model_next(view->model, OBJECT_EIP, o ? o->number : 0)) != NULL;)
        touch_add(list, FEATURE_EIP, OBJECT_EIP, o->number, (struct touch){ TOUCH_HOST, host });
}

static void
touch_on(struct touch_list *list, uint32_t number, uint32_t host)
{
    if (host)
        touch_add(list, FEATURE_EIP, OBJECT_EIP, number, (struct touch){ TOUCH_HOST, host });
}

struct trail_touch {
    struct touch_list *list;
    uint32_t host;
};

static void
touch_trail(void *aux, uint32_t number)
{
    const struct trail_touch *t = aux;
    touch_on(t->list, number, t->host);
}

static void
eip_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    placement_affected(view, event, touch_eip, list);
    if (event->kind == EVENT_TRAIL) {
        touch_on(list, event->number, event->before.host);
        touch_on(list, event->number, event->after.host);
    }
    if (event->kind == EVENT_HOST && placement_depends(event->host_before, event->host_after))
        runtime_each_trail_on(view->runtime, event->number, touch_trail, &(struct trail_touch){ list, event->number });
    if (event->kind == EVENT_HOST && placement_uplinks_differ(event->host_before, event->host_after))
        touch_neighbours(view, event->number, list);
}

static void
eip_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    if (vpc)
        return;
    for (const struct object *o = NULL; (o = model_next(view->model, OBJECT_EIP, o ? o->number : 0)) != NULL;)
        emit(aux, OBJECT_EIP, o->number);
}

static void
eip_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words eip = words_owner(view, spec);
    struct placement p;
    bool is_placed = placement_get(view, cookie_number(spec->cookie), &p);
    const char *what = is_placed && p.port ? words_object(view, OBJECT_PORT, p.port->o.number).text : "its owner";
    if ((spec->table == STAGE_NAT_OUT || spec->table == STAGE_NAT_IN) && spec->priority == PRIORITY_NAT_QUOTE) {
        snprintf(text, size, "elastic IP %s lets no ICMP redirect or source quench pass", eip.text);
        return;
    }
    switch (spec->table) {
    case STAGE_UPLINK_IN: snprintf(text, size, "elastic IP %s is held here", eip.text); break;
    case STAGE_TUNNEL_IN: snprintf(text, size, "it leaves by elastic IP %s", eip.text); break;
    case STAGE_EGRESS:
        snprintf(text, size, "it leaves by elastic IP %s, which host %s holds", eip.text,
                 is_placed ? words_object(view, OBJECT_HOST, p.holder->number).text : "?");
        break;
    case STAGE_NAT_OUT: snprintf(text, size, "its source becomes %s", eip.text); break;
    case STAGE_NAT_IN: snprintf(text, size, "its destination %s becomes %s", eip.text, what); break;
    case STAGE_PUBLIC_IN:
        if (spec->priority == PRIORITY_PUBLIC_TOO_BIG)
            snprintf(text, size, "it is too big for the guest");
        else if (spec->priority == PRIORITY_PUBLIC_ANSWER)
            snprintf(text, size, "its sender is told so");
        else if (spec->priority == PRIORITY_PUBLIC_BOGON)
            snprintf(text, size, "it comes from outside with an address of the VPC");
        else
            snprintf(text, size, "it is for elastic IP %s", eip.text);
        break;
    case STAGE_PUBLIC_OUT:
        if (spec->priority == PRIORITY_PUBLIC_OUT_TOO_BIG)
            snprintf(text, size, "it is too big for the physical network");
        else
            snprintf(text, size, "elastic IP %s is on the same physical network", eip.text);
        break;
    default: *text = '\0';
    }
}

const struct feature feature_eip = {
    .name = "eip",
    .number = FEATURE_EIP,
    .touches = eip_touches,
    .blocks = eip_blocks,
    .flows = eip_flows,
    .resume = eip_resume,
    .explain = eip_explain,
};
