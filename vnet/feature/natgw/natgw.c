/* NAT gateways: many private addresses behind one public one, translated by conntrack at the host that holds that, in a zone of the NAT
 * gateway's own. Only what conntrack has translated leaves; what it could not (no free port) is dropped and counted. See natgw.md. */
#include <stdio.h>

#include "vnet/feature/uplink/uplink.h"
#include "vnet/model/public_mac.h"
#include "vnet/model/router_mac.h"
#include "vnet/packet/userdata.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

#define ICMP_REPLY 0
#define ICMP_REQUEST 8

/* ct_mark of connections whose echoes have another identifier outside. */
#define DISGUISED 1

static void
egress_row(struct block *b, const struct placement *p)
{
    struct flow_builder *fb = block_flow(b, STAGE_EGRESS, PRIORITY_ROW);
    match_u64(fb, LAYOUT_WAY_OUT, p->natgw->o.number);
    match_ip_src(fb, p->vpc->cidr);
    egress_end(b, p);
}

static struct flow_builder *
nat_out_flow(struct block *b, uint16_t priority, const struct placement *p)
{
    struct flow_builder *fb = block_flow(b, STAGE_NAT_OUT, priority);
    match_u64(fb, LAYOUT_VNI, p->vpc->vni);
    match_eth_dst(fb, public_mac_of_ip(p->eip->ip));
    return fb;
}

static void
act_disguise_echo(struct block *b, const struct placement *p, enum icmp_echo_side side)
{
    struct bytes userdata = BYTES_INIT;
    userdata_put_echo(&userdata, side);
    act_meter(b->fb, p->eip->o.number);
    act_controller_pause(b->fb, LAYOUT_CONTROLLER_ID, userdata.data, userdata.n);
    bytes_done(&userdata);
}

/* Another guest asks the same destination under the same identifier, which Open vSwitch's own conntrack does not translate: this one's goes
 * out disguised. */
static void
echo_out_row(struct block *b, const struct placement *p, uint16_t zone)
{
    static const struct flow_ct_set mark = { .field = { OF_CT_MARK, 0, 32 }, .value = DISGUISED };
    struct flow_builder *fb = nat_out_flow(b, PRIORITY_NATGW_ECHO, p);
    match_ip_src(fb, p->vpc->cidr);
    match_icmp(fb, IP_V4, ICMP_REQUEST, -1);
    match_ip_frag(fb, IP_V4, 0, OF_FRAG_ANY);
    match_ct_state(fb, OF_CT_TRK, OF_CT_TRK | OF_CT_INV);
    match_u64(fb, LAYOUT_ANSWERED, 0);
    act_disguise_echo(b, p, ICMP_ECHO_SRC);
    act_set(fb, LAYOUT_ANSWERED, 1);
    act_ct_clear(fb);
    act_ct(
        fb,
        &(struct flow_ct){
            .zone = zone, .table = STAGE_NAT_OUT, .is_commit = true, .nat = FLOW_NAT_SRC, .ip = p->eip->ip, .sets = &mark, .n_sets = 1 });
    block_flow_end(b);
}

static void
out_rows(struct block *b, const struct placement *p, uint16_t zone)
{
    struct flow_builder *fb = nat_out_flow(b, PRIORITY_NAT_ROW, p);
    match_ip_src(fb, p->vpc->cidr);
    match_ct_state(fb, 0, OF_CT_TRK | OF_CT_INV);
    act_ct(fb, &(struct flow_ct){
                   .zone = zone,
                   .table = STAGE_NAT_OUT,
                   .is_commit = true,
                   .nat = FLOW_NAT_SRC,
                   .ip = p->eip->ip,
                   .port_lo = p->natgw->ports.lo,
                   .port_hi = p->natgw->ports.hi,
               });
    block_flow_end(b);

    fb = nat_out_flow(b, PRIORITY_NAT_TRACKED, p);
    match_ip_src(fb, ip_prefix_host(p->eip->ip));
    match_u64(fb, of_field_whole(OF_CT_ZONE), zone); /* reassembled fragments come out in any packet's context: see eip.md */
    match_ct_state(fb, OF_CT_TRK | OF_CT_SNAT, OF_CT_TRK | OF_CT_SNAT | OF_CT_INV);
    act_ct_clear(fb);
    act_set(fb, of_field_whole(OF_IN_PORT), 0);
    act_set_mac(fb, OF_ETH_SRC, public_mac_of_ip(p->eip->ip));
    act_set(fb, LAYOUT_POOL, p->pool->o.number);
    public_size_forget(b, p->pool);
    act_goto(fb, STAGE_PUBLIC_IN);
    block_flow_end(b);

    echo_out_row(b, p, zone);
    fb = nat_out_flow(b, PRIORITY_NATGW_EXHAUSTED, p);
    match_family(fb, IP_V4);
    match_ct_state(fb, OF_CT_TRK, OF_CT_TRK);
    block_flow_end(b);
}

static struct flow_builder *
nat_in_flow(struct block *b, uint16_t priority, const struct placement *p)
{
    struct flow_builder *fb = block_flow(b, STAGE_NAT_IN, priority);
    match_u64(fb, LAYOUT_VNI, p->vpc->vni);
    match_eth_dst(fb, public_mac_of_ip(p->eip->ip));
    match_ip_dst(fb, p->vpc->cidr);
    return fb;
}

static void
match_tracked(struct flow_builder *fb, uint16_t zone)
{
    match_u64(fb, of_field_whole(OF_CT_ZONE), zone);
    match_ct_state(fb, OF_CT_TRK, OF_CT_TRK | OF_CT_INV);
}

static void
nat_in_end(struct block *b)
{
    act_set_mac(b->fb, OF_ETH_SRC, ROUTER_MAC);
    act_move(b->fb, of_field_whole(OF_IPV4_DST), LAYOUT_NEXT_HOP4);
    act_resubmit(b->fb, STAGE_NEIGHBOUR);
    block_flow_end(b);
}

/* What is no answer to a connection of the zone comes out as it was, and matches nothing. */
static void
in_rows(struct block *b, const struct placement *p, uint16_t zone)
{
    struct flow_builder *fb = block_flow(b, STAGE_PUBLIC_IN, PRIORITY_PUBLIC_ROW);
    match_ip_dst(fb, ip_prefix_host(p->eip->ip));
    act_set(fb, of_field_whole(OF_METADATA), p->vpc->vni);
    act_set_mac(fb, OF_ETH_DST, public_mac_of_ip(p->eip->ip)); /* it may come from a neighbour's address held here */
    act_ct(fb, &(struct flow_ct){ .zone = zone, .table = STAGE_NAT_IN, .nat = FLOW_NAT_KNOWN });
    block_flow_end(b);

    match_tracked(nat_in_flow(b, PRIORITY_NAT_ROW, p), zone);
    act_ct_clear(b->fb);
    nat_in_end(b);

    fb = nat_in_flow(b, PRIORITY_NAT_ERROR, p);
    match_tracked(fb, zone);
    match_icmp(fb, IP_V4, ICMP_REPLY, -1);
    match_ip_frag(fb, IP_V4, 0, OF_FRAG_ANY);
    match_u64(fb, of_field_whole(OF_CT_MARK), DISGUISED);
    act_ct_clear(fb);
    act_disguise_echo(b, p, ICMP_ECHO_DST);
    nat_in_end(b);
}

static void
in_fragment_rows(struct block *b, const struct placement *p, uint16_t zone)
{
    uint16_t mtu = public_path_mtu(b, p);
    struct flow_builder *fb = nat_in_flow(b, PRIORITY_NAT_TRACKED, p);
    match_tracked(fb, zone);
    match_ip_frag(fb, IP_V4, OF_FRAG_ANY, OF_FRAG_ANY);
    public_fragment_end(b, mtu);

    match_ct_state(nat_in_flow(b, PRIORITY_NAT_SPLIT, p), 0, OF_CT_TRK | OF_CT_INV);
    public_fragment_split(b, p, mtu);
    nat_in_end(b);

    match_ct_state(nat_in_flow(b, PRIORITY_NAT_FITS, p), 0, OF_CT_TRK | OF_CT_INV);
    nat_in_end(b);
}

/* Conntrack would translate what they quote, but nobody beyond a router has a use for them; no elastic IP lets them pass either. */
static void
quote_rows(struct block *b, const struct placement *p, uint16_t zone)
{
    for (size_t i = 0; i < N_ICMP_QUOTING_TYPES; i++) {
        struct flow_builder *fb = nat_out_flow(b, PRIORITY_NAT_QUOTE, p);
        match_ip_src(fb, p->vpc->cidr);
        match_icmp(fb, IP_V4, icmp_quoting_types[i], -1);
        block_flow_end(b);

        fb = nat_in_flow(b, PRIORITY_NAT_QUOTE, p);
        match_tracked(fb, zone);
        match_icmp(fb, IP_V4, icmp_quoting_types[i], -1);
        block_flow_end(b);
    }
}

/* What conntrack could not put together is no matter of ports. */
static void
stray_rows(struct block *b, const struct placement *p)
{
    struct flow_builder *fb = nat_out_flow(b, PRIORITY_NAT_STRAY, p);
    match_ip_frag(fb, IP_V4, OF_FRAG_ANY, OF_FRAG_ANY);
    match_ct_state(fb, OF_CT_INV, OF_CT_INV);
    block_flow_end(b);

    fb = block_flow(b, STAGE_NAT_IN, PRIORITY_NAT_STRAY);
    match_ip_dst(fb, ip_prefix_host(p->eip->ip));
    match_ip_frag(fb, IP_V4, OF_FRAG_ANY, OF_FRAG_ANY);
    match_ct_state(fb, OF_CT_INV, OF_CT_INV);
    block_flow_end(b);
}

static void
natgw_flows(struct block *b, uint8_t type, uint32_t number)
{
    struct placement p;
    if (!placement_of(b->view, number, &p) || !p.natgw)
        return;
    egress_row(b, &p);
    if (p.holder->number != b->host)
        return;
    uint16_t zone = block_zone(b, number);
    if (!zone)
        return;
    block_zone_follows(b, number, true);
    out_rows(b, &p, zone);
    in_rows(b, &p, zone);
    in_fragment_rows(b, &p, zone);
    quote_rows(b, &p, zone);
    stray_rows(b, &p);
}

struct natgw_touch {
    const struct view *view;
    struct touch_list *list;
};

static void
touch_natgw(const struct natgw_touch *t, uint32_t number)
{
    uint32_t vpc = view_vpc_of(t->view, OBJECT_NATGW, number);
    if (vpc)
        touch_add(t->list, FEATURE_NATGW, OBJECT_NATGW, number, (struct touch){ TOUCH_VPC, vpc });
}

static void
touch_attached(const struct natgw_touch *t, const struct eip *eip)
{
    if (eip && eip->attached.kind == TARGET_NATGW)
        touch_natgw(t, eip->attached.number);
}

static void
touch_affected(void *aux, uint32_t eip)
{
    const struct natgw_touch *t = aux;
    touch_attached(t, model_eip(t->view->model, eip));
}

static void
natgw_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    struct natgw_touch t = { view, list };
    const struct change *eip = event_object(event, OBJECT_EIP);
    touch_object(event, OBJECT_NATGW, list, FEATURE_NATGW);
    placement_affected(view, event, touch_affected, &t);
    if (eip)
        touch_attached(&t, (const void *) eip->before);
}

struct natgw_emission {
    const struct view *view;
    block_emit *emit;
    void *aux;
};

static bool
emit_of_subnet(void *aux, const struct object *subnet)
{
    const struct natgw_emission *e = aux;
    blocks_referring(e->view, subnet->number, OBJECT_NATGW, e->emit, e->aux);
    return true;
}

static void
natgw_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    struct natgw_emission e = { view, emit, aux };
    if (vpc)
        model_each_referrer(view->model, vpc, OBJECT_SUBNET, emit_of_subnet, &e);
}

static void
natgw_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words natgw = words_owner(view, spec);
    if (spec->priority == PRIORITY_NATGW_EXHAUSTED && spec->table == STAGE_NAT_OUT)
        snprintf(text, size, "NAT gateway %s has no free port for it", natgw.text);
    else if (spec->priority == PRIORITY_NATGW_ECHO && spec->table == STAGE_NAT_OUT)
        snprintf(text, size, "NAT gateway %s gives it another identifier", natgw.text);
    else if (spec->priority == PRIORITY_NAT_QUOTE && (spec->table == STAGE_NAT_OUT || spec->table == STAGE_NAT_IN))
        snprintf(text, size, "NAT gateway %s lets no ICMP redirect or source quench pass", natgw.text);
    else if (spec->table == STAGE_EGRESS)
        snprintf(text, size, "it leaves by NAT gateway %s", natgw.text);
    else if (spec->table == STAGE_NAT_OUT)
        snprintf(text, size, "NAT gateway %s translates its source", natgw.text);
    else
        snprintf(text, size, "NAT gateway %s looks for its connection", natgw.text);
}

const struct feature feature_natgw = {
    .name = "natgw",
    .number = FEATURE_NATGW,
    .touches = natgw_touches,
    .blocks = natgw_blocks,
    .flows = natgw_flows,
    .explain = natgw_explain,
};
