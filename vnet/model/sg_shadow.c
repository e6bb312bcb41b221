/* Rules that others of the same group and direction make needless: those that outlast it together let through all that it does. Of two rules
 * the wider outlasts the other, of two as wide the older. Whatever lets a packet through, the one of them that outlasts all others is not
 * shadowed; so all that are can go at once. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "vnet/model/index.h"

#define PORT_MAX 65535
#define CODES 256
#define PROTOCOLS 256
#define GROUP_SHARE 0.75 /* a group is less than its VPC, whose addresses its members have */

/* What one rule lets through of another's protocol: from or to these addresses, with these ports, or ICMP's types and codes as one number. */
struct part {
    struct ip_prefix peer;
    int lo, hi;
};

struct shading {
    const struct model *m;
    const struct sg_rule *rule;
    struct part whole; /* the rule's */
    struct part *parts;
    size_t n, cap;
};

static struct ip_prefix
vpc_of(const struct model *m, const struct sg_rule *rule)
{
    const struct sg *sg = model_sg(m, rule->sg);
    const struct vpc *vpc = sg ? model_vpc(m, sg->vpc) : NULL;
    return vpc ? vpc->cidr : (struct ip_prefix){ .len = 0 };
}

static struct part
part_of(const struct model *m, const struct sg_rule *rule)
{
    const struct l4_match *match = &rule->match;
    struct part part = { rule->peer ? vpc_of(m, rule) : rule->cidr, 0, PORT_MAX };
    if (match->lo < 0)
        return part;
    part.lo = l4_is_icmp(match->proto) ? match->lo * CODES + (match->hi < 0 ? 0 : match->hi) : match->lo;
    part.hi = !l4_is_icmp(match->proto) ? match->hi : match->hi < 0 ? part.lo + CODES - 1 : part.lo;
    return part;
}

static double
width(const struct model *m, const struct sg_rule *rule)
{
    struct part part = part_of(m, rule);
    int bits = part.peer.ip.family == IP_V4 ? 32 : 128;
    return ldexp(part.hi - part.lo + 1, bits - part.peer.len) * (rule->match.proto < 0 ? PROTOCOLS : 1) * (rule->peer ? GROUP_SHARE : 1);
}

static bool
outlasts(const struct model *m, const struct sg_rule *a, const struct sg_rule *b)
{
    double of_a = width(m, a), of_b = width(m, b);
    return of_a != of_b ? of_a > of_b : a->o.number < b->o.number;
}

static bool
note_part(void *shading, const struct object *o)
{
    struct shading *s = shading;
    const struct sg_rule *rule = s->rule, *other = (const struct sg_rule *) (const void *) o;
    if (other == rule || other->sg != rule->sg || other->is_ingress != rule->is_ingress || (other->peer && other->peer != rule->peer)
        || (other->match.proto >= 0 && other->match.proto != rule->match.proto) || !outlasts(s->m, other, rule))
        return true;
    struct part part = part_of(s->m, other);
    if (!ip_prefix_overlaps(part.peer, s->whole.peer))
        return true;
    s->parts = mem_grow(s->parts, &s->cap, s->n + 1, sizeof *s->parts);
    s->parts[s->n++] = part;
    return true;
}

static int
compare_parts(const void *a, const void *b)
{
    return ((const struct part *) a)->lo - ((const struct part *) b)->lo;
}

/* Those that have all of the addresses, one after the other, leave no port out. */
static bool
have_all_ports(const struct shading *s, struct ip_prefix peer)
{
    int next = s->whole.lo;
    for (size_t i = 0; i < s->n && s->parts[i].lo <= next; i++)
        if (s->parts[i].hi >= next && ip_prefix_covers(s->parts[i].peer, peer))
            next = s->parts[i].hi + 1;
    return next > s->whole.hi;
}

static bool
have_parts_of(const struct shading *s, struct ip_prefix peer)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->parts[i].peer.len > peer.len && ip_prefix_covers(peer, s->parts[i].peer))
            return true;
    return false;
}

/* Half by half, where it takes more than those that have all of the addresses. */
static bool
cover(const struct shading *s, struct ip_prefix peer)
{
    if (have_all_ports(s, peer))
        return true;
    if (!have_parts_of(s, peer))
        return false;
    struct ip_prefix half = peer;
    half.len++;
    if (!cover(s, half))
        return false;
    half.ip.b[peer.len / 8] |= 0x80 >> peer.len % 8;
    return cover(s, half);
}

bool
model_rule_is_shadowed(const struct model *m, const struct sg_rule *rule)
{
    struct shading s = { .m = m, .rule = rule, .whole = part_of(m, rule) };
    model_each_referrer(m, rule->sg, OBJECT_SG_RULE, note_part, &s);
    if (s.n)
        qsort(s.parts, s.n, sizeof *s.parts, compare_parts);
    s.whole.peer.ip = ip_prefix_first(s.whole.peer);
    bool is_shadowed = cover(&s, s.whole.peer);
    free(s.parts);
    return is_shadowed;
}
