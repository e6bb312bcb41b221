/* Physical networks: which of a host's ports lead to one (blocks of type host, the host's own), and each pool's way out (blocks of type
 * pool): the upstream gateway's MAC, as far as it is known, and the packets by which it is learnt. */
#include "vnet/feature/uplink/uplink.h"

#include <stdio.h>

#include "vnet/model/public_mac.h"
#include "vnet/model/router_mac.h"
#include "vnet/packet/userdata.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

#define ETHERNET_HEADER 14
#define ARP_REQUEST 1
#define ARP_REPLY 2

/* What the outside can make us look at. */
#define LEARN_PPS 20
#define LEARN_BURST 20

/* ---- shared with eip and natgw ---- */

struct flow_builder *
uplink_in_flow(struct block *b, uint16_t priority, const struct pool *pool, uint32_t uplink)
{
    struct flow_builder *fb = block_flow(b, STAGE_UPLINK_IN, priority);
    match_in_port(fb, uplink);
    if (pool->vlan)
        match_vlan_id(fb, pool->vlan);
    else
        match_no_vlan(fb);
    return fb;
}

void
uplink_out_end(struct block *b, const struct pool *pool, uint32_t uplink, struct mac neighbour)
{
    act_set_mac(b->fb, OF_ETH_DST, neighbour);
    if (pool->vlan)
        act_push_vlan(b->fb, pool->vlan);
    act_output(b->fb, uplink);
    block_flow_end(b);
}

static void
lower_mtu(void *aux, const struct runtime_host *host)
{
    uint16_t *mtu = aux;
    if (host->mtu < *mtu)
        *mtu = host->mtu;
}

uint16_t
public_path_mtu(const struct block *b, const struct placement *p)
{
    uint16_t mtu = b->here->mtu;
    const struct runtime_host *other = p->port ? runtime_host(b->view->runtime, p->at.host) : NULL;
    if (other)
        lower_mtu(&mtu, other);
    else
        runtime_each_host(b->view->runtime, lower_mtu, &mtu);
    return mtu > LAYOUT_TUNNEL_OVERHEAD ? mtu - LAYOUT_TUNNEL_OVERHEAD : 0;
}

static void
act_check_fits(struct flow_builder *fb, uint16_t mtu)
{
    unsigned frame = mtu + ETHERNET_HEADER;
    act_check_pkt_larger(fb, frame < UINT16_MAX ? frame : UINT16_MAX, LAYOUT_TOO_BIG);
}

void
public_fragment_end(struct block *b, uint16_t mtu)
{
    act_ct_clear(b->fb);
    act_check_fits(b->fb, mtu);
    act_resubmit(b->fb, STAGE_NAT_IN);
    block_flow_end(b);
}

void
public_fragment_split(struct block *b, const struct placement *p, uint16_t mtu)
{
    struct bytes userdata = BYTES_INIT;
    userdata_put_split(&userdata, mtu);
    match_u64(b->fb, LAYOUT_TOO_BIG, 1);
    act_meter(b->fb, p->eip->o.number);
    act_controller_pause(b->fb, LAYOUT_CONTROLLER_ID, userdata.data, userdata.n);
    bytes_done(&userdata);
}

/* The base feature's answer to ARP takes the MAC to tell from eth_dst. */
static void
arp_answer_row(struct block *b, const struct placement *p)
{
    struct flow_builder *fb = uplink_in_flow(b, PRIORITY_ROW, p->pool, p->uplink);
    match_arp(fb, ARP_REQUEST);
    match_arp_tpa(fb, ip_prefix_host(p->eip->ip));
    act_set_mac(fb, OF_ETH_DST, public_mac_of_ip(p->eip->ip));
    act_goto(fb, STAGE_FORWARD);
    block_flow_end(b);
}

/* What the VPC's hosts send to the holder by tunnel. What leaves by its port's own address comes as the guest has sent it to the router, and
 * nothing else comes so. */
static void
from_tunnel_row(struct block *b, const struct placement *p)
{
    struct mac mac = public_mac_of_ip(p->eip->ip);
    struct flow_builder *fb = block_flow(b, STAGE_TUNNEL_IN, PRIORITY_TUNNEL_IN_PUBLIC);
    match_u64(fb, of_field_whole(OF_TUN_ID), p->vpc->vni);
    if (p->port) {
        match_eth_dst(fb, ROUTER_MAC);
        match_ip_src(fb, ip_prefix_host(port_ip4(p->port)));
        act_set_mac(fb, OF_ETH_DST, mac);
    } else {
        match_eth_dst(fb, mac);
        match_family(fb, IP_V4);
    }
    act_set(fb, of_field_whole(OF_METADATA), p->vpc->vni | UINT64_C(1) << LAYOUT_FROM_TUNNEL.ofs);
    act_goto(fb, STAGE_NAT_OUT);
    block_flow_end(b);
}

void
public_address_rows(struct block *b, const struct placement *p, uint16_t mtu)
{
    struct mac mac = public_mac_of_ip(p->eip->ip);
    if (p->holder->number == b->host)
        arp_answer_row(b, p);

    struct flow_builder *fb = uplink_in_flow(b, PRIORITY_ROW, p->pool, p->uplink);
    match_eth_dst(fb, mac);
    match_ip_dst(fb, ip_prefix_host(p->eip->ip));
    if (p->pool->vlan)
        act_pop_vlan(fb);
    act_set(fb, LAYOUT_FROM_UPLINK, 1);
    act_set(fb, LAYOUT_PATH_MTU, mtu);
    act_check_fits(fb, mtu);
    act_goto(fb, STAGE_PUBLIC_IN);
    block_flow_end(b);

    from_tunnel_row(b, p);
}

void
egress_end(struct block *b, const struct placement *p)
{
    bool is_here = p->holder->number == b->host;
    if (is_here || !p->port)
        act_set_mac(b->fb, OF_ETH_DST, public_mac_of_ip(p->eip->ip));
    if (is_here) {
        act_goto(b->fb, STAGE_NAT_OUT);
    } else {
        act_set(b->fb, LAYOUT_HOST, p->holder->number);
        act_goto(b->fb, STAGE_TUNNEL_OUT);
    }
    block_flow_end(b);
}

/* ---- the feature's own ---- */

static void
host_flows(struct block *b)
{
    for (unsigned i = 0; i < b->here->n_uplinks; i++) {
        struct flow_builder *fb = block_flow(b, STAGE_ADMIT, PRIORITY_ADMIT_UPLINK);
        match_in_port(fb, b->here->uplinks[i].ofport);
        act_goto(fb, STAGE_UPLINK_IN);
        block_flow_end(b);
    }
}

static void
end_learnt(struct block *b, uint32_t pool)
{
    struct bytes userdata = BYTES_INIT;
    userdata_put_pool(&userdata, pool);
    act_meter(b->fb, pool);
    act_controller(b->fb, LAYOUT_CONTROLLER_ID, userdata.data, userdata.n);
    act_controller(b->fb, LAYOUT_CONTROLLER_ID_VNETD, userdata.data, userdata.n);
    bytes_done(&userdata);
    block_flow_end(b);
}

/* Answers of the gateway to us, and what it announces to all. */
static void
learn_rows(struct block *b, const struct pool *pool, uint32_t uplink)
{
    struct flow_builder *fb = uplink_in_flow(b, PRIORITY_UPLINK_IN_LEARN, pool, uplink);
    match_arp(fb, ARP_REPLY);
    match_arp_spa(fb, ip_prefix_host(pool->gateway));
    end_learnt(b, pool->o.number);

    fb = uplink_in_flow(b, PRIORITY_UPLINK_IN_LEARN, pool, uplink);
    match_arp(fb, ARP_REQUEST);
    match_arp_spa(fb, ip_prefix_host(pool->gateway));
    match_arp_tpa(fb, ip_prefix_host(pool->gateway));
    end_learnt(b, pool->o.number);
}

void
public_size_forget(struct block *b, const struct pool *pool)
{
    if (!runtime_narrow_uplink(b->here, pool->uplink))
        return;
    act_set(b->fb, LAYOUT_PATH_MTU, 0);
    act_set(b->fb, LAYOUT_TOO_BIG, 0);
}

/* What leaves here may be longer than what the network takes: it comes back marked. What becomes of it is the address's to say (feature eip). */
static void
size_row(struct block *b, uint32_t pool, uint16_t mtu)
{
    struct flow_builder *fb = block_flow(b, STAGE_PUBLIC_OUT, PRIORITY_PUBLIC_OUT_SIZE);
    match_u64(fb, LAYOUT_POOL, pool);
    match_u64(fb, LAYOUT_PATH_MTU, 0);
    act_set(fb, LAYOUT_PATH_MTU, mtu);
    act_check_fits(fb, mtu);
    act_resubmit(fb, STAGE_PUBLIC_OUT);
    block_flow_end(b);
}

static void
pool_flows(struct block *b, uint32_t number)
{
    const struct pool *pool = model_pool(b->view->model, number);
    uint32_t uplink = pool ? runtime_uplink_port(b->here, pool->uplink) : 0;
    struct mac gateway;
    if (!uplink)
        return;

    block_add(b, meter_spec(b->arena, b->cookie, number, LEARN_PPS, LEARN_BURST));
    learn_rows(b, pool, uplink);
    if (runtime_narrow_uplink(b->here, pool->uplink))
        size_row(b, number, runtime_narrow_uplink(b->here, pool->uplink));
    if (runtime_gateway_mac(b->view->runtime, number, &gateway)) {
        struct flow_builder *fb = block_flow(b, STAGE_PUBLIC_OUT, PRIORITY_PUBLIC_OUT_POOL);
        match_u64(fb, LAYOUT_POOL, number);
        uplink_out_end(b, pool, uplink, gateway);
    }
}

static void
uplink_flows(struct block *b, uint8_t type, uint32_t number)
{
    if (type == OBJECT_POOL)
        pool_flows(b, number);
    else if (number == b->host)
        host_flows(b);
}

static void
uplink_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    const struct change *pool = event_object(event, OBJECT_POOL);
    const struct touch everywhere = { TOUCH_EVERYWHERE, 0 };
    if (pool)
        touch_add(list, FEATURE_UPLINK, OBJECT_POOL, pool->number, everywhere);
    if (event->kind == EVENT_GATEWAY_MAC)
        touch_add(list, FEATURE_UPLINK, OBJECT_POOL, event->number, everywhere);
    if (event->kind != EVENT_HOST || !placement_depends(event->host_before, event->host_after))
        return;

    const struct touch there = { TOUCH_HOST, event->number };
    touch_add(list, FEATURE_UPLINK, OBJECT_HOST, event->number, there);
    for (const struct object *o = NULL; (o = model_next(view->model, OBJECT_POOL, o ? o->number : 0)) != NULL;)
        touch_add(list, FEATURE_UPLINK, OBJECT_POOL, o->number, there);
}

static void
uplink_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    if (vpc)
        return;
    emit(aux, OBJECT_HOST, host);
    for (const struct object *o = NULL; (o = model_next(view->model, OBJECT_POOL, o ? o->number : 0)) != NULL;)
        emit(aux, OBJECT_POOL, o->number);
}

static void
uplink_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words owner = words_owner(view, spec);
    if (spec->table == STAGE_ADMIT)
        snprintf(text, size, "it comes from the outside to host %s", owner.text);
    else if (spec->table == STAGE_PUBLIC_OUT && spec->priority == PRIORITY_PUBLIC_OUT_SIZE)
        snprintf(text, size, "the network of pool %s takes smaller packets than guests may send", owner.text);
    else if (spec->table == STAGE_PUBLIC_OUT)
        snprintf(text, size, "it leaves to the upstream gateway of pool %s", owner.text);
    else
        snprintf(text, size, "the upstream gateway of pool %s is learnt", owner.text);
}

const struct feature feature_uplink = {
    .name = "uplink",
    .number = FEATURE_UPLINK,
    .touches = uplink_touches,
    .blocks = uplink_blocks,
    .flows = uplink_flows,
    .explain = uplink_explain,
};
