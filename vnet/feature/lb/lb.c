/* Load balancers: chosen, translated and remembered at the client's own host, in the pass through conntrack that security groups make; from
 * outside at the holder of the balancer's elastic IP. See lb.md for the rows and for which zone holds what. */
#include "vnet/feature/lb/lb_private.h"

#include <stdio.h>

#include "vnet/model/router_mac.h"
#include "vnet/packet/icmp.h"
#include "vnet/packet/tcp.h"
#include "vnet/packet/userdata.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

/* Resets of one VPC's connections, on one host. */
#define RESET_PPS 100
#define RESET_BURST 100

/* ---- what all balancers share ---- */

static struct flow_builder *
done_flow(struct block *b, uint16_t priority)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG_DONE, priority);
    match_family(fb, IP_V4);
    return fb;
}

void
lb_chosen_end(struct block *b, bool is_inbound)
{
    act_move(b->fb, LAYOUT_CT_TARGET, LAYOUT_TARGET);
    if (!is_inbound) {
        act_move(b->fb, of_field_whole(OF_CT_NW_DST), LAYOUT_ORIGINAL_DST4);
        act_move(b->fb, of_field_whole(OF_CT_TP_DST), LAYOUT_ORIGINAL_DST_PORT);
    }
    act_goto(b->fb, STAGE_LB_TARGET);
    block_flow_end(b);
}

void
lb_back_end(struct block *b, bool is_external)
{
    if (is_external) {
        act_ct_clear(b->fb);
        act_resubmit(b->fb, STAGE_PUBLIC_IN);
    } else {
        act_output_field(b->fb, LAYOUT_OUT_PORT);
    }
    block_flow_end(b);
}

static void
chosen_row(struct block *b, bool is_inbound)
{
    struct flow_builder *fb = done_flow(b, PRIORITY_DONE_BALANCED);
    match_ct_state(fb, OF_CT_TRK, OF_CT_TRK | OF_CT_INV);
    match_u64(fb, LAYOUT_CT_BALANCED, 1);
    match_u64(fb, LAYOUT_SG_INBOUND, is_inbound);
    lb_chosen_end(b, is_inbound);
}

static void
done_rows(struct block *b)
{
    chosen_row(b, false);
    chosen_row(b, true);

    struct flow_builder *fb = done_flow(b, PRIORITY_DONE_EXTERNAL);
    match_u64(fb, LAYOUT_EXTERNAL, 1);
    block_flow_end(b);

    fb = done_flow(b, PRIORITY_DONE_ORIGIN);
    match_ct_state(fb, OF_CT_TRK, OF_CT_TRK | OF_CT_INV);
    match_u64(fb, LAYOUT_CT_ORIGINATED, 1);
    match_u64(fb, LAYOUT_SG_INBOUND, 0);
    act_move(fb, LAYOUT_CT_ORIGIN, LAYOUT_ORIGIN);
    act_ct_clear(fb);
    act_set_mac(fb, OF_ETH_SRC, ROUTER_MAC);
    act_dec_ttl(fb);
    act_resubmit(fb, STAGE_EGRESS);
    block_flow_end(b);
}

static void
shared_rows(struct block *b)
{
    done_rows(b);

    block_flow(b, STAGE_LB_BACK, PRIORITY_MISS);
    act_output_field(b->fb, LAYOUT_OUT_PORT);
    block_flow_end(b);

    for (int is_external = 0; is_external <= 1; is_external++) {
        struct flow_builder *fb = block_flow(b, STAGE_LB_TARGET, PRIORITY_TARGET_BACK);
        match_u64(fb, LAYOUT_SG_INBOUND, 1);
        match_u64(fb, LAYOUT_EXTERNAL, is_external);
        lb_back_end(b, is_external);
    }
}

/* ---- what a VPC's balancers share ---- */

/* Its target is gone: who still sends to it is told. The reset is the target's as far as conntrack knows, and passes it on its way back: so it
 * comes from the balancer, and the connection has ended there, too. If nothing has become of the packet it ends here when it comes again. */
static void
reset_row(struct block *b, const struct vpc *vpc)
{
    struct flow_builder *fb = block_flow(b, STAGE_LB_TARGET, PRIORITY_TARGET_RESET);
    struct bytes userdata = BYTES_INIT;
    match_u64(fb, LAYOUT_VNI, vpc->vni);
    match_u64(fb, LAYOUT_SG_INBOUND, 0);
    match_u64(fb, LAYOUT_ANSWERED, 0);
    match_ip_proto(fb, IP_V4, L4_TCP);
    act_move(fb, of_field_whole(OF_CT_ZONE), LAYOUT_ZONE);
    userdata_put_reset(&userdata);
    act_meter(fb, vpc->o.number);
    act_controller_pause(fb, LAYOUT_CONTROLLER_ID, userdata.data, userdata.n);
    bytes_done(&userdata);
    act_set(fb, LAYOUT_ANSWERED, 1);
    act_ct_clear(fb); /* or conntrack would take the packet for translated */
    act_ct(fb, &(struct flow_ct){ .zone_field = LAYOUT_ZONE, .table = STAGE_SG, .nat = FLOW_NAT_KNOWN });
    block_flow_end(b);
}

/* An ICMP error, to or from a port that is not filtered: only conntrack knows whether it is about a balanced connection. To one it may come from
 * whoever was on the way. What one sends to a balancer is tracked anyhow; what leaves the VPC may have to go as its connection came. */
static void
error_rows(struct block *b, const struct vpc *vpc, uint8_t type)
{
    struct flow_builder *fb = block_flow(b, STAGE_LB_BACK, PRIORITY_ROW);
    match_u64(fb, LAYOUT_VNI, vpc->vni);
    match_icmp(fb, IP_V4, type, -1);
    lb_track_watched_end(b);

    fb = block_flow(b, STAGE_GATEWAY, PRIORITY_GATEWAY_TARGET);
    match_u64(fb, LAYOUT_VNI, vpc->vni);
    match_u64(fb, LAYOUT_WATCHED, 1);
    match_eth_dst(fb, ROUTER_MAC);
    match_icmp(fb, IP_V4, type, -1);
    lb_track_watched_end(b);
}

static void
vpc_flows(struct block *b, uint32_t number)
{
    const struct vpc *vpc = model_vpc(b->view->model, number);
    if (!vpc || !vpc->is_balanced)
        return;
    block_add(b, meter_spec(b->arena, b->cookie, number, RESET_PPS, RESET_BURST));
    reset_row(b, vpc);
    for (size_t i = 0; i < N_ICMP_ERROR_TYPES; i++)
        error_rows(b, vpc, icmp_error_types[i]);

    struct flow_builder *fb = block_flow(b, STAGE_GATEWAY, PRIORITY_GATEWAY_LOCAL);
    match_u64(fb, LAYOUT_VNI, vpc->vni);
    match_u64(fb, LAYOUT_WATCHED, 1);
    match_eth_dst(fb, ROUTER_MAC);
    match_ip_dst(fb, vpc->cidr);
    act_goto(fb, STAGE_ROUTE);
    block_flow_end(b);
}

/* ---- the feature ---- */

static void
lb_flows(struct block *b, uint8_t type, uint32_t number)
{
    switch (type) {
    case OBJECT_NONE: shared_rows(b); break;
    case OBJECT_VPC: vpc_flows(b, number); break;
    case OBJECT_LB: lb_flows_balancer(b, number); break;
    case OBJECT_LISTENER: lb_flows_listener(b, number); break;
    case OBJECT_TARGET: lb_flows_target(b, number); break;
    default: lb_flows_port(b, number); break;
    }
}

struct emission {
    const struct view *view;
    block_emit *emit;
    void *aux;
};

static void
emit_listener(void *aux, uint32_t number)
{
    const struct emission *e = aux;
    e->emit(e->aux, OBJECT_LISTENER, number);
}

static void
emit_balancer(void *aux, uint32_t number)
{
    const struct emission *e = aux;
    e->emit(e->aux, OBJECT_LB, number);
    lb_each_listener(e->view, number, emit_listener, aux);
}

static void
emit_target(void *aux, uint32_t number)
{
    const struct emission *e = aux;
    e->emit(e->aux, OBJECT_TARGET, number);
    e->emit(e->aux, OBJECT_PORT, model_target(e->view->model, number)->port);
}

static bool
emit_group(void *aux, const struct object *tg)
{
    const struct emission *e = aux;
    lb_each_target(e->view, tg->number, emit_target, aux);
    return true;
}

static void
lb_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    struct emission e = { view, emit, aux };
    if (!vpc) {
        emit(aux, OBJECT_NONE, 0);
        return;
    }
    emit(aux, OBJECT_VPC, vpc);
    lb_each_of_vpc(view, vpc, emit_balancer, &e);
    model_each_referrer(view->model, vpc, OBJECT_TG, emit_group, &e);
}

static bool
lb_resume(const struct packet_in *in, unsigned i, struct bytes *out)
{
    if (i || !userdata_is_reset(in->userdata, in->userdata_len))
        return false;
    return tcp_put_reset(out, in->packet, in->packet_len);
}

static const char *
shared_words(const struct spec *spec)
{
    if (spec->table == STAGE_LB_BACK)
        return "it is of no balanced connection";
    if (spec->table == STAGE_LB_TARGET)
        return "the answer of a target that is gone";
    return spec->priority == PRIORITY_DONE_EXTERNAL ? "the load balancer does not listen there"
           : spec->priority == PRIORITY_DONE_ORIGIN ? "it goes back by the elastic IP that its connection came by"
                                                    : "a load balancer has chosen its target before";
}

static void
lb_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words owner = words_owner(view, spec);
    uint8_t type = cookie_type(spec->cookie);
    if (!cookie_number(spec->cookie))
        snprintf(text, size, "%s", shared_words(spec));
    else if (spec->kind == SPEC_METER)
        snprintf(text, size, "resets in VPC %s are limited", owner.text);
    else if (type == OBJECT_TARGET)
        snprintf(text, size, spec->table == STAGE_LB_NEW ? "the load balancer chooses target %s" : "its target is %s", owner.text);
    else if (type == OBJECT_LISTENER)
        snprintf(text, size,
                 spec->priority == PRIORITY_DONE_COUNTED ? "it is of a connection by listener %s" : "listener %s chooses a target",
                 owner.text);
    else if (type == OBJECT_LB)
        snprintf(text, size, "it is for load balancer %s, or has come by it", owner.text);
    else if (spec->table == STAGE_LB_TARGET)
        snprintf(text, size, "its target is gone; the sender is told by a reset");
    else if (type == OBJECT_VPC && spec->priority == PRIORITY_GATEWAY_LOCAL)
        snprintf(text, size, "it stays in VPC %s", owner.text);
    else if (type == OBJECT_VPC)
        snprintf(text, size, "it is an ICMP error, which may be of a balanced connection in VPC %s", owner.text);
    else
        snprintf(text, size, "it may be an answer of %s by a load balancer's choice", owner.text);
}

const struct feature feature_lb = {
    .name = "lb",
    .number = FEATURE_LB,
    .touches = lb_touches,
    .blocks = lb_blocks,
    .flows = lb_flows,
    .resume = lb_resume,
    .explain = lb_explain,
};
