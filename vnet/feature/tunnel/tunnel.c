/* Between hosts: from whom packets are taken, to whom and how they are sent. Blocks of type host are about a peer, or, with the host's own
 * number, count what is refused; blocks of type vpc let a VPC's packets in. */
#include <stdio.h>

#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

#define N_ENCAPS 2
#define ETHERNET_HEADER 14

/* By whichever tunnel port it came, one of this peer's own (those carry BFD) too: only tunnels have a tunnel's source. */
static void
peer_in_row(struct block *b, const struct runtime_host *peer)
{
    struct flow_builder *fb = block_flow(b, STAGE_ADMIT, PRIORITY_ADMIT_PEER);
    match_u64(fb, of_field_whole(OF_TUN_SRC), ip4_u32(peer->encap_ip));
    act_goto(fb, STAGE_TUNNEL_IN);
    block_flow_end(b);
}

static uint16_t
path_mtu(const struct runtime_host *a, const struct runtime_host *b)
{
    uint16_t mtu = a->mtu < b->mtu ? a->mtu : b->mtu;
    return mtu > LAYOUT_TUNNEL_OVERHEAD ? mtu - LAYOUT_TUNNEL_OVERHEAD : 0;
}

static struct flow_builder *
peer_out_flow(struct block *b, uint16_t priority, const struct runtime_host *peer)
{
    struct flow_builder *fb = block_flow(b, STAGE_TUNNEL_OUT, priority);
    match_u64(fb, LAYOUT_HOST, peer->number);
    act_set_ip(fb, OF_TUN_DST, peer->encap_ip);
    act_move(fb, LAYOUT_VNI, (struct of_field){ OF_TUN_ID, 0, 24 });
    return fb;
}

/* What has come from a physical network has had its size looked at there, for the same path (public_path_mtu()): it fits, or is in pieces that do. */
static void
peer_out_rows(struct block *b, const struct runtime_host *peer)
{
    uint32_t ofport = b->here->tunnel_port[peer->encap];
    uint16_t mtu = path_mtu(b->here, peer);
    unsigned frame = mtu + ETHERNET_HEADER;
    if (!ofport)
        return;

    struct flow_builder *fb = peer_out_flow(b, PRIORITY_ROW, peer);
    act_set(fb, of_field_whole(OF_REG13), (uint32_t) mtu << LAYOUT_PATH_MTU.ofs | (ofport & UINT16_MAX));
    act_check_pkt_larger(fb, frame < UINT16_MAX ? frame : UINT16_MAX, LAYOUT_TOO_BIG);
    act_goto(fb, STAGE_SIZE);
    block_flow_end(b);
    if (!b->here->n_uplinks)
        return;

    fb = peer_out_flow(b, PRIORITY_TUNNEL_OUT_FITS, peer);
    match_u64(fb, LAYOUT_FROM_UPLINK, 1);
    act_set(fb, LAYOUT_OUT_PORT, ofport);
    act_set(fb, LAYOUT_TOO_BIG, 0);
    act_goto(fb, STAGE_SIZE);
    block_flow_end(b);
}

static void
counted_drop(struct block *b)
{
    block_flow_end(b);
}

/* Each row here counts under the reason 'tunnel'. */
static void
own_rows(struct block *b)
{
    for (unsigned i = 0; i < N_ENCAPS; i++) {
        if (!b->here->tunnel_port[i])
            continue;
        struct flow_builder *fb = block_flow(b, STAGE_ADMIT, PRIORITY_ADMIT_TUNNEL);
        match_in_port(fb, b->here->tunnel_port[i]);
        counted_drop(b);
    }

    block_flow(b, STAGE_TUNNEL_IN, PRIORITY_MISS);
    counted_drop(b);

    struct flow_builder *fb = block_flow(b, STAGE_FORWARD, PRIORITY_FORWARD_TUNNEL);
    match_u64(fb, LAYOUT_FROM_TUNNEL, 1);
    counted_drop(b);
}

static void
host_flows(struct block *b, uint32_t number)
{
    const struct runtime_host *peer = runtime_host(b->view->runtime, number);
    if (!peer)
        return;
    if (number == b->host) {
        own_rows(b);
    } else if (peer->encap_ip.family == IP_V4) {
        peer_in_row(b, peer);
        peer_out_rows(b, peer);
    }
}

static void
vpc_flows(struct block *b, uint32_t number)
{
    const struct vpc *vpc = model_vpc(b->view->model, number);
    if (!vpc)
        return;

    struct flow_builder *fb = block_flow(b, STAGE_TUNNEL_IN, PRIORITY_ROW);
    match_u64(fb, of_field_whole(OF_TUN_ID), vpc->vni);
    match_family(fb, IP_V4);
    act_set(fb, of_field_whole(OF_METADATA), vpc->vni | UINT64_C(1) << LAYOUT_FROM_TUNNEL.ofs);
    act_goto(fb, STAGE_FORWARD);
    block_flow_end(b);
}

static void
tunnel_flows(struct block *b, uint8_t type, uint32_t number)
{
    if (type == OBJECT_HOST)
        host_flows(b, number);
    else
        vpc_flows(b, number);
}

struct peer_touch {
    struct touch_list *list;
    uint32_t host;
};

static void
touch_peer(void *aux, const struct runtime_host *peer)
{
    const struct peer_touch *t = aux;
    touch_add(t->list, FEATURE_TUNNEL, OBJECT_HOST, peer->number, (struct touch){ TOUCH_HOST, t->host });
}

static void
tunnel_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    touch_object(event, OBJECT_VPC, list, FEATURE_TUNNEL);
    if (event->kind != EVENT_HOST)
        return;

    struct peer_touch t = { list, event->number };
    runtime_each_host(view->runtime, touch_peer, &t);
    touch_add(list, FEATURE_TUNNEL, OBJECT_HOST, event->number, (struct touch){ TOUCH_EVERYWHERE, 0 });
}

struct peer_emission {
    block_emit *emit;
    void *aux;
};

static void
emit_host(void *aux, const struct runtime_host *host)
{
    const struct peer_emission *e = aux;
    e->emit(e->aux, OBJECT_HOST, host->number);
}

static void
tunnel_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    struct peer_emission e = { emit, aux };
    if (vpc)
        emit(aux, OBJECT_VPC, vpc);
    else
        runtime_each_host(view->runtime, emit_host, &e);
}

static void
tunnel_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words owner = words_owner(view, spec);
    if (spec->table == STAGE_TUNNEL_OUT)
        snprintf(text, size, "it goes by tunnel to host %s", owner.text);
    else if (cookie_type(spec->cookie) == OBJECT_VPC)
        snprintf(text, size, "it belongs to VPC %s", owner.text);
    else if (spec->table == STAGE_ADMIT && spec->priority == PRIORITY_ADMIT_PEER)
        snprintf(text, size, "it comes by tunnel from host %s", owner.text);
    else
        snprintf(text, size, "host %s takes nothing like it from a tunnel", owner.text);
}

const struct feature feature_tunnel = {
    .name = "tunnel",
    .number = FEATURE_TUNNEL,
    .touches = tunnel_touches,
    .blocks = tunnel_blocks,
    .flows = tunnel_flows,
    .explain = tunnel_explain,
};
