/* A rule's rows: in SG_MATCH one for each run of ports; in SG_RULE the one that is credited with what those find.
 *
 * A packet passes SG_MATCH once for each of the local port's groups with each of the other end's that rules name, and once for each of the local
 * port's without (sg_judge.c), so that no row depends on the combinations of groups that there are. Where several rules allow a packet the narrowest
 * is credited: by its peer (a group, then the longer prefix), then all protocols, one protocol, ports, then by how many ports.
 *
 * Within a pass, where all rules are of one group, that is a matter of priority: by the peer, then by the rule's run of ports in powers of two. Of
 * two rules whose runs are alike in powers of two the one with more ports has no row where the other's would take all its packets; elsewhere, if the
 * two meet, the other's row is within its own, and the longer mask has the higher priority. Between passes it is a matter of the rules' ranks, each a
 * number that is greater the narrower the rule is. */
#include "vnet/feature/sg/sg_private.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "vnet/pipeline/presence.h"
#include "vnet/pipeline/priority.h"

#define PEER_RANK_GROUP 33 /* of a priority */
#define L4_RANK_ALL 0
#define L4_RANK_PROTOCOL 1
#define L4_RANK_PORTS 2
#define PORT_BITS 16
#define L4_RANKS (L4_RANK_PORTS + (PORT_BITS + 1) * (PORT_BITS + 1))
#define ICMP_TYPE_BITS 8
#define PREFIX_BITS 6  /* of a rank: length of a prefix, */
#define NARROW_BITS 20 /* and protocol and number of ports */

/* Ports by their leading bits: (port & mask) == value. */
struct port_row {
    uint16_t value;
    uint8_t bits; /* leading ones of the mask */
};

static bool
is_icmp(const struct l4_match *m)
{
    return m->proto == IPPROTO_ICMP || m->proto == IPPROTO_ICMPV6;
}

static bool
has_ports(const struct l4_match *m)
{
    return m->proto >= 0 && m->lo >= 0;
}

static unsigned
run_size(const struct l4_match *m)
{
    return (unsigned) (m->hi - m->lo + 1);
}

/* Bits of a port that a run of that many leaves open: of 1 none, of 2 one, of 3 or 4 two. */
static unsigned
open_bits(const struct l4_match *m)
{
    unsigned bits = 0;
    while (1u << bits < run_size(m))
        bits++;
    return bits;
}

static uint16_t
port_mask(unsigned bits)
{
    return (uint16_t) (0xffff0000u >> bits);
}

/* The row that begins at 'from', the longest that stays in the run. */
static struct port_row
port_row_at(const struct l4_match *m, unsigned from)
{
    unsigned open = 0;
    while (open < PORT_BITS && !(from & 1u << open) && from + (2u << open) - 1 <= (unsigned) m->hi)
        open++;
    return (struct port_row){ (uint16_t) from, (uint8_t) (PORT_BITS - open) };
}

static bool
has_ports_of(const struct l4_match *m, struct port_row row)
{
    unsigned last = row.value | (uint16_t) ~port_mask(row.bits);
    return row.value >= m->lo && last <= (unsigned) m->hi;
}

static unsigned
l4_rank(const struct l4_match *m, struct port_row row)
{
    if (m->proto < 0)
        return L4_RANK_ALL;
    if (!has_ports(m))
        return L4_RANK_PROTOCOL;
    if (is_icmp(m)) {
        unsigned given = m->hi < 0 ? ICMP_TYPE_BITS : PORT_BITS;
        return L4_RANK_PORTS + given * (PORT_BITS + 1);
    }
    return L4_RANK_PORTS + (PORT_BITS - open_bits(m)) * (PORT_BITS + 1) + row.bits;
}

/* Greater the fewer packets there are by protocol and ports: 5 bits by powers of two, 15 for how many fewer than that. So the usual rules, and above all
 * those that let everything out, as each group's first one does, end in many zeros, and are soon found to be as narrow as each other. */
static uint32_t
l4_narrowness(const struct l4_match *m)
{
    if (m->proto < 0)
        return 0;
    if (!has_ports(m))
        return 1u << (PORT_BITS - 1);
    unsigned open = is_icmp(m) ? (m->hi < 0 ? ICMP_TYPE_BITS : 0) : open_bits(m), fewer = is_icmp(m) ? 0 : (1u << open) - run_size(m);
    return (2 + PORT_BITS - open) << (PORT_BITS - 1) | fewer;
}

/* How narrow it is among those that name a group as well, or addresses as well. Its highest bits are the register's, for they are compared first; the
 * lowest ones stay 0. */
static uint32_t
rule_rank(const struct sg_rule *rule)
{
    uint32_t l4 = l4_narrowness(&rule->match) << (32 - NARROW_BITS);
    return rule->peer ? l4 : (uint32_t) rule->cidr.len << (32 - PREFIX_BITS) | l4 >> PREFIX_BITS;
}

static unsigned
peer_rank(const struct sg_rule *rule)
{
    return rule->peer ? PEER_RANK_GROUP : rule->cidr.len;
}

/* ---- who is credited ---- */

/* One row that a rule would have. */
struct rule_row {
    const struct sg_rule *rule;
    struct port_row ports;
    const struct sg_rule **rivals; /* those that may be credited with a row's packets instead */
    size_t n_rivals, cap_rivals;
};

/* Only then can it have the same row as another rule of its group: no two of them say the same. */
bool
sg_rule_may_have_rivals(const struct sg_rule *rule)
{
    return has_ports(&rule->match) && !is_icmp(&rule->match) && rule->match.lo < rule->match.hi;
}

static bool
is_same_but_ports(const struct sg_rule *a, const struct sg_rule *b)
{
    return a->is_ingress == b->is_ingress && a->match.proto == b->match.proto && a->peer == b->peer
           && (a->peer || ip_prefix_equal(a->cidr, b->cidr));
}

/* Of two rules that would have the same packets the one with fewer ports, then the older, has them. */
static bool
is_before(const struct sg_rule *a, const struct sg_rule *b)
{
    unsigned size_a = run_size(&a->match), size_b = run_size(&b->match);
    return size_a != size_b ? size_a < size_b : a->o.number < b->o.number;
}

/* Rows of rules that are alike in the bits they leave open can only be the same if the rules have a port in common. */
bool
sg_rule_may_take_from(const struct sg_rule *a, const struct sg_rule *b)
{
    return a != b && sg_rule_may_have_rivals(a) && sg_rule_may_have_rivals(b) && is_same_but_ports(a, b) && a->match.lo <= b->match.hi
           && b->match.lo <= a->match.hi && open_bits(&a->match) == open_bits(&b->match) && is_before(a, b);
}

static void
note_rival(void *aux, const struct sg_rule *other)
{
    struct rule_row *row = aux;
    if (!sg_rule_may_take_from(other, row->rule))
        return;
    row->rivals = mem_grow(row->rivals, &row->cap_rivals, row->n_rivals + 1, sizeof(*row->rivals));
    row->rivals[row->n_rivals++] = other;
}

/* Runs of ports are cut where their bits are, so of two rows that have a port in common one is within the other: would a rival's take all packets
 * that this one does? */
static bool
is_credited(const struct rule_row *row)
{
    for (size_t i = 0; i < row->n_rivals; i++)
        if (has_ports_of(&row->rivals[i]->match, row->ports))
            return false;
    return true;
}

/* ---- rows ---- */

static void
match_peer(struct flow_builder *fb, const struct rule_row *row)
{
    const struct sg_rule *rule = row->rule;
    struct of_field address = of_field_whole(rule->is_ingress ? OF_CT_NW_SRC : OF_CT_NW_DST);
    match_u64(fb, LAYOUT_SG_PEER, rule->peer);
    if (!rule->peer && rule->cidr.len)
        match_masked(fb, address, ip4_u32(rule->cidr.ip), UINT32_MAX << (32 - rule->cidr.len) & UINT32_MAX);
}

/* Conntrack keeps an ICMP message's type and code where others have their ports (ovs-fields(7), ct_tp_src). */
static void
match_l4(struct flow_builder *fb, const struct rule_row *row)
{
    const struct l4_match *m = &row->rule->match;
    if (m->proto < 0)
        return;
    match_u64(fb, of_field_whole(OF_CT_NW_PROTO), (uint64_t) m->proto);
    if (!has_ports(m))
        return;
    if (is_icmp(m)) {
        match_u64(fb, of_field_whole(OF_CT_TP_SRC), (uint64_t) m->lo);
        if (m->hi >= 0)
            match_u64(fb, of_field_whole(OF_CT_TP_DST), (uint64_t) m->hi);
    } else {
        match_masked(fb, of_field_whole(OF_CT_TP_DST), row->ports.value, port_mask(row->ports.bits));
    }
}

static void
row_add(struct block *b, const struct rule_row *row)
{
    const struct sg_rule *rule = row->rule;
    unsigned priority = PRIORITY_SG_MATCH + peer_rank(rule) * L4_RANKS + l4_rank(&rule->match, row->ports);
    if (!is_credited(row))
        return;
    struct flow_builder *fb = block_flow(b, STAGE_SG_MATCH, (uint16_t) priority);
    match_family(fb, IP_V4);
    match_u64(fb, LAYOUT_SG_GROUP, rule->sg);
    match_u64(fb, LAYOUT_SG_INGRESS, rule->is_ingress);
    match_peer(fb, row);
    match_l4(fb, row);
    act_set(fb, LAYOUT_SG_CANDIDATE, rule->o.number);
    act_set(fb, LAYOUT_SG_RANK, rule_rank(rule));
    act_resubmit(fb, STAGE_SG_NARROWER);
    block_flow_end(b);
}

static void
rows_of_rule(struct block *b, struct rule_row *row)
{
    const struct l4_match *m = &row->rule->match;
    if (!has_ports(m) || is_icmp(m)) {
        row_add(b, row);
        return;
    }
    for (unsigned from = (unsigned) m->lo; from <= (unsigned) m->hi; from += 1u << (PORT_BITS - row->ports.bits)) {
        row->ports = port_row_at(m, from);
        row_add(b, row);
    }
}

static void
credit_row(struct block *b, const struct sg_rule *rule)
{
    struct flow_builder *fb = block_flow(b, STAGE_SG_RULE, PRIORITY_ROW);
    match_u64(fb, LAYOUT_SG_FOUND, rule->o.number);
    act_goto(fb, STAGE_SG_DONE);
    flow_tell_removal(fb);
    block_flow_end(b);
}

void
sg_rule_flows(struct block *b, uint32_t number)
{
    const struct sg_rule *rule = model_sg_rule(b->view->model, number);
    struct rule_row row = { .rule = rule };
    if (!rule || (!rule->peer && rule->cidr.ip.family != IP_V4) || !presence_holds(b->view->groups, b->host, rule->sg))
        return;
    if (sg_rule_may_have_rivals(rule))
        sg_each_rule(b->view, rule->sg, note_rival, &row);
    rows_of_rule(b, &row);
    credit_row(b, rule);
    free(row.rivals);
}
