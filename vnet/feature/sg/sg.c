/* Security groups: stateful, at the port's own host, one pass through conntrack on each side. Packets are judged by their connection's
 * original tuple, whichever way they go, so that a rule withdrawn cuts what it allowed with the commit. See sg.md for the rows. */
#include "vnet/feature/sg/sg_private.h"

#include <stdio.h>

#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

/* What is allowed goes on: from a port through the router, to a port out. */
static void
done_end(struct block *b, bool is_inbound)
{
    if (is_inbound) {
        act_output_field(b->fb, LAYOUT_OUT_PORT);
    } else {
        act_ct_clear(b->fb);
        act_resubmit(b->fb, STAGE_GATEWAY);
    }
    block_flow_end(b);
}

/* A new connection is remembered. */
static void
done_row(struct block *b, bool is_inbound, bool is_new)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG_DONE, PRIORITY_ROW);
    match_family(fb, IP_V4);
    match_u64(fb, LAYOUT_SG_INBOUND, is_inbound);
    match_ct_state(fb, OF_CT_TRK | (is_new ? OF_CT_NEW : 0), OF_CT_TRK | OF_CT_INV | OF_CT_NEW);
    if (is_new)
        act_ct(fb, &(struct flow_ct){ .zone_field = of_field_whole(OF_CT_ZONE), .table = FLOW_CT_NO_TABLE, .is_commit = true });
    done_end(b, is_inbound);
}

/* A port that is not filtered: nothing is remembered. */
static void
unjudged_row(struct block *b, bool is_inbound)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG_DONE, PRIORITY_DONE_UNJUDGED);
    match_family(fb, IP_V4);
    match_u64(fb, LAYOUT_UNJUDGED, 1);
    match_u64(fb, LAYOUT_SG_INBOUND, is_inbound);
    done_end(b, is_inbound);
}

static void
shared_rows(struct block *b)
{
    static const enum stage looked_up[] = { STAGE_SG_PEER, STAGE_SG_GROUP, STAGE_SG_MATCH };
    for (size_t i = 0; i < sizeof looked_up / sizeof looked_up[0]; i++) {
        block_flow(b, looked_up[i], PRIORITY_MISS); /* nothing is found, and back */
        block_flow_end(b);
    }
    sg_judge_rows(b);

    block_flow(b, STAGE_SG_RULE, PRIORITY_MISS);
    act_set(b->fb, LAYOUT_REASON, REASON_SG);
    act_goto(b->fb, STAGE_REJECT);
    block_flow_end(b);

    for (int i = 0; i < 4; i++)
        done_row(b, i & 1, i & 2);
    unjudged_row(b, false);
    unjudged_row(b, true);
}

static void
sg_flows(struct block *b, uint8_t type, uint32_t number)
{
    if (!number)
        shared_rows(b);
    else if (type == OBJECT_PORT)
        sg_port_flows(b, number);
    else
        sg_rule_flows(b, number);
}

struct emission {
    const struct view *view;
    block_emit *emit;
    void *aux;
};

static bool
emit_peers(void *aux, const struct object *o)
{
    const struct emission *e = aux;
    const struct sg_set *set = (const void *) o;
    if (sg_any_is_peer(e->view, &set->groups, true) || sg_any_is_peer(e->view, &set->groups, false))
        blocks_referring(e->view, o->number, OBJECT_PORT, e->emit, e->aux);
    return true;
}

/* Of ports that are elsewhere only those matter that rules may speak of. */
static void
sg_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    struct emission e = { view, emit, aux };
    if (vpc) {
        model_each_referrer(view->model, vpc, OBJECT_SG_SET, emit_peers, &e);
        return;
    }
    emit(aux, 0, 0);
    blocks_local_ports(view, host, emit, aux);
}

static void
emit_rule(void *aux, const struct sg_rule *rule)
{
    const struct emission *e = aux;
    e->emit(e->aux, OBJECT_SG_RULE, rule->o.number);
}

static void
sg_blocks_of_group(const struct view *view, uint32_t group, block_emit *emit, void *aux)
{
    struct emission e = { view, emit, aux };
    sg_each_rule(view, group, emit_rule, &e);
}

static const char *
shared_words(const struct spec *spec)
{
    switch (spec->table) {
    case STAGE_SG_PEER: return "the other end has no group that a rule names";
    case STAGE_SG_RULE: return "no rule allows it";
    case STAGE_SG_DONE: return "its security groups let it pass";
    default: return ""; /* on the way to the narrowest rule that allows it */
    }
}

static void
sg_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words owner = words_owner(view, spec);
    const struct sg_rule *rule = model_sg_rule(view->model, cookie_number(spec->cookie));
    if (!cookie_number(spec->cookie))
        snprintf(text, size, "%s", shared_words(spec));
    else if (spec->table == STAGE_SG && spec->priority == PRIORITY_SG_INVALID)
        snprintf(text, size, "it belongs to no connection that %s could have", owner.text);
    else if (spec->table == STAGE_SG)
        snprintf(text, size, "it is a packet of a connection of %s", owner.text);
    else if (spec->table == STAGE_SG_PEER)
        snprintf(text, size, "the other end is %s", owner.text);
    else if (spec->table == STAGE_SG_MATCH)
        snprintf(text, size, "rule %s is found", owner.text);
    else if (spec->table == STAGE_SG_RULE)
        snprintf(text, size, "rule %s of security group %s allows it", owner.text,
                 rule ? words_object(view, OBJECT_SG, rule->sg).text : "?");
}

const struct feature feature_sg = {
    .name = "sg",
    .number = FEATURE_SG,
    .touches = sg_touches,
    .blocks = sg_blocks,
    .blocks_of_group = sg_blocks_of_group,
    .flows = sg_flows,
    .explain = sg_explain,
};
