/* A target, on every host that holds its VPC: how a connection that has just been given to it is translated, and that it still is one for
 * connections that it has. */
#include "vnet/feature/lb/lb_private.h"

#include "vnet/pipeline/priority.h"

static struct flow_builder *
begin(struct block *b, enum stage stage, const struct target_facts *f)
{
    struct flow_builder *fb = block_flow(b, stage, PRIORITY_TARGET_ROW);
    match_family(fb, IP_V4);
    match_u64(fb, LAYOUT_TARGET, f->target->o.number);
    flow_tell_removal(fb); /* its counts are the target's */
    return fb;
}

/* Every packet here is the first of a connection. The tables that follow see its destination as it was: they go by the next hop. */
static void
new_row(struct block *b, const struct target_facts *f)
{
    struct flow_builder *fb = begin(b, STAGE_LB_NEW, f);
    const struct flow_ct_set sets[] = { { .field = LAYOUT_CT_BALANCED, .value = 1 },
                                        { .field = LAYOUT_CT_TARGET, .value = f->target->o.number } };
    act_ct(fb, &(struct flow_ct){
                   .zone_field = of_field_whole(OF_CT_ZONE),
                   .table = FLOW_CT_NO_TABLE,
                   .is_commit = true,
                   .nat = FLOW_NAT_DST,
                   .ip = port_ip4(f->at.port),
                   .port_lo = f->port,
                   .port_hi = f->port,
                   .sets = sets,
                   .n_sets = 2,
               });
    act_set(fb, LAYOUT_NEXT_HOP4, ip4_u32(port_ip4(f->at.port)));
    act_resubmit(fb, STAGE_NEIGHBOUR);
    block_flow_end(b);
}

/* What is on its way to the target is translated already. From outside the router has had it. */
static void
onward_rows(struct block *b, const struct target_facts *f)
{
    struct flow_builder *fb = begin(b, STAGE_LB_TARGET, f);
    match_u64(fb, LAYOUT_SG_INBOUND, 0);
    match_u64(fb, LAYOUT_EXTERNAL, 0);
    act_ct_clear(fb);
    act_resubmit(fb, STAGE_GATEWAY);
    block_flow_end(b);

    fb = begin(b, STAGE_LB_TARGET, f);
    match_u64(fb, LAYOUT_SG_INBOUND, 0);
    match_u64(fb, LAYOUT_EXTERNAL, 1);
    act_ct_clear(fb);
    act_move(fb, of_field_whole(OF_IPV4_DST), LAYOUT_NEXT_HOP4);
    act_resubmit(fb, STAGE_NEIGHBOUR);
    block_flow_end(b);
}

static void
back_row(struct block *b, const struct target_facts *f, bool is_external)
{
    struct flow_builder *fb = begin(b, STAGE_LB_TARGET, f);
    match_u64(fb, LAYOUT_SG_INBOUND, 1);
    match_u64(fb, LAYOUT_EXTERNAL, is_external);
    lb_back_end(b, is_external);
}

/* Its group is looked at only if that matters. */
static bool
is_kept(const struct view *view, const struct target_facts *f)
{
    enum target_state state = runtime_target_state(view->runtime, f->target->o.number);
    if (state != TARGET_UNHEALTHY)
        return true;
    struct lb_health group = lb_health_of(view, f->tg->o.number);
    return lb_keeps(&group, state);
}

void
lb_flows_target(struct block *b, uint32_t number)
{
    struct target_facts f;
    if (!target_facts_get(b->view, number, &f) || port_ip4(f.at.port).family != IP_V4)
        return;
    new_row(b, &f);
    back_row(b, &f, false);
    back_row(b, &f, true);
    if (is_kept(b->view, &f))
        onward_rows(b, &f);
}
