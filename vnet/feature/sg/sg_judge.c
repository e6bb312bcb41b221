/* How the rule that is credited with a packet is found, in rows that all ports share.
 *
 *     SG_JUDGE - SG_PEER - SG_GROUP - SG_MATCH - SG_NARROWER - SG_COMPARE, and back: for each group of the other end's and of the port's
 *              - SG_GROUP - SG_MATCH - SG_NARROWER - SG_COMPARE, and back:           for each group of the port's
 *              - SG_RULE
 *
 * The first round looks for rules that name a group of the other end's. Only if there is none the second one does for those that name addresses:
 * they are all wider. A row of SG_MATCH says which rule it is of, and how narrow that is: its rank, a number whose highest bit is the leftmost
 * (sg_rule.c). OpenFlow cannot compare two registers. But it can match two bits of each: where they differ they tell which number is greater,
 * where they do not the next two are looked at. Of two rules of the same rank the one that was found first is kept. */
#include "vnet/feature/sg/sg_private.h"

#include "vnet/pipeline/priority.h"

#define STEP_BITS 2 /* compared at once */

static struct of_field
leftmost(struct of_field f, uint8_t bits)
{
    return (struct of_field){ f.id, (uint8_t) (f.ofs + f.bits - bits), bits };
}

static struct of_field
rightmost(struct of_field f, uint8_t bits)
{
    return (struct of_field){ f.id, f.ofs, bits };
}

/* What was found by a group makes SG_PEER no group's number: nothing is found by addresses then. What else is left in registers would tell
 * connections apart that conntrack's next pass need not; and where the rest of a rank was an original destination may be looked for. */
static void
judge_row(struct block *b)
{
    static const struct of_field forgotten[] = { LAYOUT_SG_PEER, LAYOUT_SG_CANDIDATE,  LAYOUT_SG_RANK,
                                                 LAYOUT_SG_REST, LAYOUT_SG_FOUND_REST, LAYOUT_SG_FOUND_RANK };
    struct flow_builder *fb = block_flow(b, STAGE_SG_JUDGE, PRIORITY_MISS);
    act_set(fb, LAYOUT_SG_FOUND, 0);
    act_resubmit(fb, STAGE_SG_PEER);
    act_move(fb, LAYOUT_SG_FOUND, LAYOUT_SG_PEER);
    act_resubmit(fb, STAGE_SG_GROUP);
    for (size_t i = 0; i < sizeof forgotten / sizeof forgotten[0]; i++)
        act_set(fb, forgotten[i], 0);
    act_resubmit(fb, STAGE_SG_RULE);
    block_flow_end(b);
}

static void
take_end(struct block *b)
{
    act_move(b->fb, LAYOUT_SG_CANDIDATE, LAYOUT_SG_FOUND);
    act_move(b->fb, LAYOUT_SG_RANK, LAYOUT_SG_FOUND_RANK);
    block_flow_end(b);
}

static void
narrower_rows(struct block *b)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG_NARROWER, PRIORITY_ROW);
    match_u64(fb, LAYOUT_SG_FOUND, 0);
    take_end(b);

    fb = block_flow(b, STAGE_SG_NARROWER, PRIORITY_MISS);
    act_move(fb, LAYOUT_SG_RANK, LAYOUT_SG_REST);
    act_move(fb, LAYOUT_SG_FOUND_RANK, LAYOUT_SG_FOUND_REST);
    act_resubmit(fb, STAGE_SG_COMPARE);
    block_flow_end(b);
}

/* The leftmost bits of both. */
static void
compare_row(struct block *b, unsigned rank, unsigned found)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG_COMPARE, PRIORITY_ROW);
    match_u64(fb, leftmost(LAYOUT_SG_REST, STEP_BITS), rank);
    match_u64(fb, leftmost(LAYOUT_SG_FOUND_REST, STEP_BITS), found);
    if (rank > found)
        take_end(b);
    else
        block_flow_end(b);
}

/* The bits at the right are 0 in every rank, and stay. */
static void
shift(struct flow_builder *fb, struct of_field f)
{
    act_move(fb, rightmost(f, f.bits - STEP_BITS), leftmost(f, f.bits - STEP_BITS));
}

static void
compare_rows(struct block *b)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG_COMPARE, PRIORITY_COMPARE_EQUAL);
    match_u64(fb, LAYOUT_SG_REST, 0);
    match_u64(fb, LAYOUT_SG_FOUND_REST, 0);
    block_flow_end(b);

    for (unsigned rank = 0; rank < 1u << STEP_BITS; rank++)
        for (unsigned found = 0; found < 1u << STEP_BITS; found++)
            if (rank != found)
                compare_row(b, rank, found);

    fb = block_flow(b, STAGE_SG_COMPARE, PRIORITY_MISS);
    shift(fb, LAYOUT_SG_REST);
    shift(fb, LAYOUT_SG_FOUND_REST);
    act_resubmit(fb, STAGE_SG_COMPARE);
    block_flow_end(b);
}

void
sg_judge_rows(struct block *b)
{
    judge_row(b);
    narrower_rows(b);
    compare_rows(b);
}
