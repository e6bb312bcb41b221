/* A balancer's own rows. Its address: the router answers ARP for it, so that what goes to it is always routed, and a port that is not filtered
 * has it looked up. Its elastic IP: translated at the holder, in the balancer's zone there; the target's host remembers by which elastic
 * IP a connection came, so that its answers go back that way, whatever route or elastic IP the target has itself. */
#include "vnet/feature/lb/lb_private.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "vnet/feature/uplink/uplink.h"
#include "vnet/model/public_mac.h"
#include "vnet/model/router_mac.h"
#include "vnet/pipeline/priority.h"

#define ARP_REQUEST 1

static void
arp_row(struct block *b, const struct lb *lb)
{
    struct flow_builder *fb = block_flow(b, STAGE_ARP, PRIORITY_ARP_GATEWAY);
    match_u64(fb, LAYOUT_SUBNET, lb->subnet);
    match_arp(fb, ARP_REQUEST);
    match_arp_tpa(fb, ip_prefix_host(lb->ip));
    act_set_mac(fb, OF_ETH_DST, ROUTER_MAC);
    act_goto(fb, STAGE_FORWARD);
    block_flow_end(b);
}

static void
watched_row(struct block *b, const struct lb *lb, uint32_t vni)
{
    struct flow_builder *fb = block_flow(b, STAGE_GATEWAY, PRIORITY_GATEWAY_BALANCER);
    match_u64(fb, LAYOUT_VNI, vni);
    match_u64(fb, LAYOUT_WATCHED, 1);
    match_eth_dst(fb, ROUTER_MAC);
    match_ip_dst(fb, ip_prefix_host(lb->ip));
    lb_track_watched_end(b);
}

/* ---- at the elastic IP's holder ---- */

static void
public_in_row(struct block *b, const struct placement *p, uint16_t zone)
{
    struct flow_builder *fb = block_flow(b, STAGE_PUBLIC_IN, PRIORITY_PUBLIC_ROW);
    match_ip_dst(fb, ip_prefix_host(p->eip->ip));
    act_set_mac(fb, OF_ETH_DST, public_mac_of_ip(p->eip->ip));
    lb_track_end(b, zone);
}

static void
nat_out_row(struct block *b, const struct placement *p, uint16_t zone)
{
    struct flow_builder *fb = block_flow(b, STAGE_NAT_OUT, PRIORITY_NAT_ROW);
    match_u64(fb, LAYOUT_VNI, p->vpc->vni);
    match_eth_dst(fb, public_mac_of_ip(p->eip->ip));
    match_ip_src(fb, p->vpc->cidr);
    lb_track_end(b, zone);
}

/* Tracked: from outside to a target (state 0), a target's answer (OF_CT_RPL), or new (OF_CT_NEW). The holder's own address on the inside is its public
 * MAC. */
static void
begin_tracked(struct block *b, const struct placement *p, uint16_t zone, uint32_t state)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG, PRIORITY_SG_INBOUND + (state == OF_CT_NEW));
    match_u64(fb, of_field_whole(OF_CT_ZONE), zone);
    match_eth_dst(fb, public_mac_of_ip(p->eip->ip));
    match_family(fb, IP_V4);
    match_ct_state(fb, OF_CT_TRK | state, OF_CT_TRK | OF_CT_INV | OF_CT_RPL | state);
    act_set(fb, of_field_whole(OF_IN_PORT), 0);
    act_set_mac(fb, OF_ETH_SRC, public_mac_of_ip(p->eip->ip));
    act_set(fb, LAYOUT_POOL, p->pool->o.number);
}

/* All context is set anew, as in sg_port.c; whether its size has been looked at, where anybody asks. */
static void
set_context(struct block *b, const struct placement *p)
{
    act_set(b->fb, of_field_whole(OF_METADATA), p->vpc->vni);
    act_set(b->fb, LAYOUT_PORT, 0);
    act_set(b->fb, LAYOUT_ORIGINAL_DST4, 0);
    act_set(b->fb, LAYOUT_ORIGINAL_DST_PORT, 0);
    public_size_forget(b, p->pool);
}

static void
tracked_end(struct block *b, const struct placement *p, uint16_t state)
{
    set_context(b, p);
    act_set(b->fb, LAYOUT_SG_STATE, state);
    act_goto(b->fb, STAGE_SG_DONE);
    block_flow_end(b);
}

static void
tracked_rows(struct block *b, const struct placement *p, uint16_t zone)
{
    begin_tracked(b, p, zone, 0);
    tracked_end(b, p, SG_EXTERNAL);

    begin_tracked(b, p, zone, OF_CT_RPL);
    match_ip_src(b->fb, ip_prefix_host(p->eip->ip));
    act_set(b->fb, LAYOUT_ANSWERED, 0); /* a reset for a target leaves as any answer */
    tracked_end(b, p, SG_EXTERNAL | SG_INBOUND);
}

/* ---- what a target says in a connection that its holder does not know ---- */

/* A place where a target listens, and what was dialled to get there. */
struct way {
    struct ip ip;
    uint16_t port, dialled;
};

struct ways {
    const struct view *view;
    const struct listener *listener; /* that is looked at */
    struct way *v;
    size_t n, cap;
};

static void
note_target(void *aux, uint32_t number)
{
    struct ways *w = aux;
    const struct target *target = model_target(w->view->model, number);
    const struct port *port = model_port(w->view->model, target->port);
    struct ip ip = port ? port_ip4(port) : (struct ip){ .family = IP_NONE };
    if (ip.family != IP_V4)
        return;
    w->v = mem_grow(w->v, &w->cap, w->n + 1, sizeof *w->v);
    w->v[w->n++] = (struct way){ ip, target_listens_at(model_tg(w->view->model, target->tg), target), w->listener->port };
}

static void
note_listener(void *aux, uint32_t number)
{
    struct ways *w = aux;
    w->listener = model_listener(w->view->model, number);
    if (w->listener->proto == L4_TCP)
        lb_each_target(w->view, w->listener->tg, note_target, w);
}

static int
place_order(const void *a_, const void *b_)
{
    const struct way *a = a_, *b = b_;
    int order = ip_compare(a->ip, b->ip);
    return order ? order : a->port - b->port;
}

/* The address has come here amid the connection, or this switch has restarted. Nothing is remembered of it: it goes out as its listener would have it, so
 * that the client acknowledges it; and that is known as any segment of the client's. */
static void
unknown_row(struct block *b, const struct placement *p, uint16_t zone, const struct way *way)
{
    begin_tracked(b, p, zone, OF_CT_NEW);
    match_ip_src(b->fb, ip_prefix_host(way->ip));
    match_l4_src(b->fb, IP_V4, L4_TCP, way->port, UINT16_MAX);
    set_context(b, p);
    act_set_ip(b->fb, OF_IPV4_SRC, p->eip->ip);
    act_set(b->fb, of_field_whole(OF_TCP_SRC), way->dialled);
    lb_back_end(b, true);
}

/* Where several listeners lead to one place nobody can tell which one the client has dialled. */
static void
unknown_rows(struct block *b, const struct placement *p, uint16_t zone)
{
    struct ways w = { .view = b->view };
    size_t next;
    lb_each_listener(b->view, p->lb->o.number, note_listener, &w);
    if (w.n)
        qsort(w.v, w.n, sizeof *w.v, place_order);
    for (size_t i = 0; i < w.n; i = next) {
        bool is_one = true;
        for (next = i + 1; next < w.n && !place_order(&w.v[i], &w.v[next]); next++)
            is_one = is_one && w.v[next].dialled == w.v[i].dialled;
        if (is_one)
            unknown_row(b, p, zone, &w.v[i]);
    }
    free(w.v);
}

static void
holder_rows(struct block *b, const struct placement *p)
{
    uint16_t zone = block_zone(b, p->lb->o.number);
    if (!zone)
        return;
    block_zone_follows(b, p->lb->o.number, true);
    public_in_row(b, p, zone);
    nat_out_row(b, p, zone);
    tracked_rows(b, p, zone);
    unknown_rows(b, p, zone);
}

/* ---- where the targets are ---- */

static struct flow_builder *
arrival_flow(struct block *b, const struct placement *p, bool is_new)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG_DONE, is_new ? PRIORITY_DONE_LISTENER : PRIORITY_DONE_ORIGIN + 1);
    match_family(fb, IP_V4);
    match_u64(fb, LAYOUT_VNI, p->vpc->vni);
    match_u64(fb, LAYOUT_SG_INBOUND, 1);
    match_eth_src(fb, public_mac_of_ip(p->eip->ip));
    match_ct_state(fb, OF_CT_TRK | (is_new ? OF_CT_NEW : 0), OF_CT_TRK | OF_CT_INV | OF_CT_NEW);
    return fb;
}

static void
arrival_end(struct block *b)
{
    act_set_mac(b->fb, OF_ETH_SRC, ROUTER_MAC);
    act_output_field(b->fb, LAYOUT_OUT_PORT);
    block_flow_end(b);
}

static void
arrival_rows(struct block *b, const struct placement *p)
{
    const struct flow_ct_set sets[] = { { .field = LAYOUT_CT_ORIGINATED, .value = 1 },
                                        { .field = LAYOUT_CT_ORIGIN, .value = p->eip->o.number } };
    struct flow_builder *fb = arrival_flow(b, p, true);
    act_ct(fb, &(struct flow_ct){
                   .zone_field = of_field_whole(OF_CT_ZONE), .table = FLOW_CT_NO_TABLE, .is_commit = true, .sets = sets, .n_sets = 2 });
    arrival_end(b);
    arrival_flow(b, p, false);
    arrival_end(b);

    fb = block_flow(b, STAGE_LB_BACK, PRIORITY_ROW + 2);
    match_u64(fb, LAYOUT_VNI, p->vpc->vni);
    match_eth_src(fb, public_mac_of_ip(p->eip->ip));
    match_family(fb, IP_V4);
    lb_track_watched_end(b);
}

static void
return_row(struct block *b, const struct placement *p)
{
    struct flow_builder *fb = block_flow(b, STAGE_EGRESS, PRIORITY_EGRESS_ORIGIN);
    match_u64(fb, LAYOUT_ORIGIN, p->eip->o.number);
    match_u64(fb, LAYOUT_VNI, p->vpc->vni);
    match_family(fb, IP_V4);
    egress_end(b, p);
}

void
lb_flows_balancer(struct block *b, uint32_t number)
{
    const struct lb *lb = model_lb(b->view->model, number);
    const struct vpc *vpc = lb ? model_vpc(b->view->model, lb->vpc) : NULL;
    struct placement p;
    if (!vpc)
        return;
    arp_row(b, lb);
    watched_row(b, lb, vpc->vni);
    if (!placement_of(b->view, number, &p) || !p.lb)
        return;
    if (p.holder->number == b->host)
        holder_rows(b, &p);
    arrival_rows(b, &p);
    return_row(b, &p);
}
