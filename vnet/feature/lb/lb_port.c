/* A port that is a target. Everywhere in its VPC: its packets may be answers by a balancer's choice, so a port that is not filtered has them
 * looked up. On its own host: its answers may have to go back by a balancer's elastic IP; and it may have been balanced to itself.
 *
 * Hairpin: Linux drops what comes from its own address, so the balancer's becomes the source, in the balancer's zone on this host:
 *
 *     t:c -> lb:80   zone of t     t:c -> t:8080   zone of lb   lb:c -> t:8080  delivered
 *     t:8080 -> lb:c zone of lb    t:8080 -> t:c   zone of t    lb:80 -> t:c    delivered                                     */
#include "vnet/feature/lb/lb_private.h"

#include "vnet/feature/sg/sg.h"
#include "vnet/model/router_mac.h"
#include "vnet/model/services.h"
#include "vnet/packet/icmp.h"
#include "vnet/pipeline/priority.h"

void
lb_track_end(struct block *b, uint16_t zone)
{
    act_ct(b->fb, &(struct flow_ct){ .zone = zone, .table = STAGE_SG, .nat = FLOW_NAT_KNOWN });
    block_flow_end(b);
}

/* ---- answers, for ports that are not filtered ---- */

static void
match_service(struct flow_builder *fb, const struct port_facts *f, const struct service *s)
{
    match_ip_src(fb, ip_prefix_host(port_ip4(f->port)));
    match_l4_src(fb, IP_V4, s->proto, s->port, UINT16_MAX);
}

void
lb_track_watched_end(struct block *b)
{
    act_ct(b->fb, &(struct flow_ct){ .zone_field = LAYOUT_ZONE, .table = STAGE_SG, .nat = FLOW_NAT_KNOWN });
    block_flow_end(b);
}

/* Fragments have no ports to be told by. */
static void
fragments_back_row(struct block *b, const struct port_facts *f)
{
    struct flow_builder *fb = block_flow(b, STAGE_LB_BACK, PRIORITY_ROW + 1);
    match_u64(fb, LAYOUT_VNI, f->vpc->vni);
    match_ip_src(fb, ip_prefix_host(port_ip4(f->port)));
    match_ip_frag(fb, IP_V4, OF_FRAG_ANY, OF_FRAG_ANY);
    lb_track_watched_end(b);
}

static void
back_row(struct block *b, const struct port_facts *f, const struct service *s)
{
    struct flow_builder *fb = block_flow(b, STAGE_LB_BACK, PRIORITY_ROW);
    match_u64(fb, LAYOUT_VNI, f->vpc->vni);
    match_service(fb, f, s);
    lb_track_watched_end(b);
}

/* It leaves the VPC: perhaps by the elastic IP that its connection came by. */
static void
leaving_row(struct block *b, const struct port_facts *f, const struct service *s)
{
    struct flow_builder *fb = block_flow(b, STAGE_GATEWAY, PRIORITY_GATEWAY_TARGET);
    match_u64(fb, LAYOUT_VNI, f->vpc->vni);
    match_u64(fb, LAYOUT_WATCHED, 1);
    match_eth_dst(fb, ROUTER_MAC);
    match_service(fb, f, s);
    lb_track_watched_end(b);
}

static void
leaving_fragments_row(struct block *b, const struct port_facts *f)
{
    struct flow_builder *fb = block_flow(b, STAGE_GATEWAY, PRIORITY_GATEWAY_TARGET);
    match_u64(fb, LAYOUT_VNI, f->vpc->vni);
    match_u64(fb, LAYOUT_WATCHED, 1);
    match_eth_dst(fb, ROUTER_MAC);
    match_ip_src(fb, ip_prefix_host(port_ip4(f->port)));
    match_ip_frag(fb, IP_V4, OF_FRAG_ANY, OF_FRAG_ANY);
    lb_track_watched_end(b);
}

/* ---- hairpin ---- */

/* A target's port, a balancer whose address it may see itself by, and that one's zone. */
struct hairpin {
    const struct port_facts *f;
    const struct lb *lb;
    uint16_t zone;
};

static void
hairpin_there_row(struct block *b, const struct hairpin *h)
{
    struct flow_builder *fb = block_flow(b, STAGE_FORWARD, PRIORITY_FORWARD_HAIRPIN);
    match_u64(fb, LAYOUT_VNI, h->f->vpc->vni);
    match_eth_dst(fb, h->f->port->mac);
    match_ip_src(fb, ip_prefix_host(port_ip4(h->f->port)));
    match_u64(fb, LAYOUT_ORIGINAL_DST4, ip4_u32(h->lb->ip));
    act_ct(fb, &(struct flow_ct){ .zone = h->zone, .table = STAGE_SG, .is_commit = true, .nat = FLOW_NAT_SRC, .ip = h->lb->ip });
    block_flow_end(b);
}

/* It is its own: whatever its groups say, nobody else's packet gets here. */
static void
hairpin_arrives_row(struct block *b, const struct hairpin *h)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG, PRIORITY_SG_INBOUND);
    match_u64(fb, of_field_whole(OF_CT_ZONE), h->zone);
    match_eth_dst(fb, h->f->port->mac);
    match_ct_state(fb, OF_CT_TRK | OF_CT_SNAT, OF_CT_TRK | OF_CT_INV | OF_CT_RPL | OF_CT_SNAT);
    act_set(fb, of_field_whole(OF_IN_PORT), 0);
    act_output(fb, h->f->at.ofport);
    block_flow_end(b);
}

static struct flow_builder *
hairpin_answer_flow(struct block *b, const struct hairpin *h)
{
    struct flow_builder *fb = block_flow(b, STAGE_ADMIT, PRIORITY_ADMIT_HAIRPIN);
    match_in_port(fb, h->f->at.ofport);
    match_eth_src(fb, h->f->port->mac);
    match_ip_dst(fb, ip_prefix_host(h->lb->ip));
    return fb;
}

static void
hairpin_answer_row(struct block *b, const struct hairpin *h, const struct service *s)
{
    match_service(hairpin_answer_flow(b, h), h->f, s);
    lb_track_end(b, h->zone);
}

/* By UDP, where nobody listens. */
static void
hairpin_error_rows(struct block *b, const struct hairpin *h)
{
    for (size_t i = 0; i < N_ICMP_ERROR_TYPES; i++) {
        struct flow_builder *fb = hairpin_answer_flow(b, h);
        match_ip_src(fb, ip_prefix_host(port_ip4(h->f->port)));
        match_icmp(fb, IP_V4, icmp_error_types[i], -1);
        lb_track_end(b, h->zone);
    }
}

static void
hairpin_fragments_row(struct block *b, const struct hairpin *h)
{
    struct flow_builder *fb = hairpin_answer_flow(b, h);
    match_ip_src(fb, ip_prefix_host(port_ip4(h->f->port)));
    match_ip_frag(fb, IP_V4, OF_FRAG_ANY, OF_FRAG_ANY);
    lb_track_end(b, h->zone);
}

/* Translated back it is the port's own connection's answer, and comes to it from the router. What is not: an ordinary packet of the port. */
static void
hairpin_returns_rows(struct block *b, const struct hairpin *h, uint16_t own_zone)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG, PRIORITY_SG_OUTBOUND + 1);
    match_u64(fb, of_field_whole(OF_CT_ZONE), h->zone);
    match_eth_src(fb, h->f->port->mac);
    match_family(fb, IP_V4);
    match_ct_state(fb, OF_CT_TRK | OF_CT_RPL, OF_CT_TRK | OF_CT_INV | OF_CT_RPL);
    act_ct_clear(fb);
    act_set_mac(fb, OF_ETH_SRC, ROUTER_MAC);
    act_set_mac(fb, OF_ETH_DST, h->f->port->mac);
    lb_track_end(b, own_zone);

    fb = block_flow(b, STAGE_SG, PRIORITY_SG_OUTBOUND);
    match_u64(fb, of_field_whole(OF_CT_ZONE), h->zone);
    match_eth_src(fb, h->f->port->mac);
    match_family(fb, IP_V4);
    match_ct_state(fb, OF_CT_TRK, OF_CT_TRK);
    act_ct_clear(fb);
    lb_track_end(b, own_zone);
}

static void
hairpin_rows(struct block *b, const struct port_facts *f, const struct services *s, size_t i)
{
    struct hairpin h = { f, model_lb(b->view->model, s->v[i].lb), block_zone(b, s->v[i].lb) };
    uint16_t own_zone = block_zone(b, f->port->o.number);
    if (!h.zone || !own_zone)
        return;
    hairpin_answer_row(b, &h, &s->v[i]);
    for (size_t j = 0; j < i; j++)
        if (s->v[j].lb == s->v[i].lb)
            return; /* the rest is the balancer's, not the service's */
    hairpin_error_rows(b, &h);
    hairpin_fragments_row(b, &h);
    hairpin_there_row(b, &h);
    hairpin_arrives_row(b, &h);
    hairpin_returns_rows(b, &h, own_zone);
}

static void
services_rows(struct block *b, const struct port_facts *f, const struct services *s)
{
    bool is_here = f->at.host == b->host && f->at.ofport;
    fragments_back_row(b, f);
    if (is_here)
        leaving_fragments_row(b, f);
    for (size_t i = 0; i < s->n; i++) {
        if (!s->v[i].lb)
            back_row(b, f, &s->v[i]);
        if (is_here && !s->v[i].lb)
            leaving_row(b, f, &s->v[i]);
        if (is_here && s->v[i].lb)
            hairpin_rows(b, f, s, i);
    }
}

void
lb_flows_port(struct block *b, uint32_t number)
{
    struct services s = { 0 };
    struct port_facts f;
    if (!port_facts_get(b->view, number, &f) || !f.vpc->is_balanced || port_ip4(f.port).family != IP_V4)
        return;
    services_of_port(b->view->model, number, &s);
    if (s.n)
        services_rows(b, &f, &s);
    services_done(&s);
}
