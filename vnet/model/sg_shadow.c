/* Rules that others of the same group and direction make needless: those that outlast it together let through all that it does. Of two rules
 * the wider outlasts the other, of two as wide the older. Whatever lets a packet through, the one of them that outlasts all others is not
 * shadowed; so all that are can go at once.
 *
 * A question goes down the rule's addresses half by half, with the ports that nobody has yet and the rules that have only some of the addresses.
 * These lie in the order of their addresses, so that each half has its own side by side. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
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

/* A rule of a group; those that outlast it have a lower rank. */
struct entry {
    const struct sg_rule *rule;
    struct part part;
    double width;
    size_t rank;
};

/* A group's rules of both directions, by where their addresses begin, the wider prefix first, then by ports. */
struct group {
    struct map_node by_number;
    uint32_t number;
    const struct model *m;
    struct entry *entries;
    size_t n, cap;
};

struct sg_shadows {
    const struct model *m;
    struct map groups;
    unsigned left; /* steps, of all questions */
};

struct gap {
    int lo, hi;
};

/* One question: what outlasts the rule and has some of its addresses, cut to these, in the order of the group. */
struct shading {
    struct part *parts;
    size_t n, cap, n_whole; /* the first of them have all of the addresses */
    unsigned left;          /* steps */
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

static int
compare_last(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->width != y->width)
        return x->width > y->width ? -1 : 1;
    return x->rule->o.number < y->rule->o.number ? -1 : x->rule->o.number > y->rule->o.number;
}

static int
compare_parts(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    int order = ip_compare(x->peer.ip, y->peer.ip);
    if (!order)
        order = x->peer.len - y->peer.len;
    return order ? order : x->lo - y->lo;
}

static int
compare_places(const void *a, const void *b)
{
    return compare_parts(&((const struct entry *) a)->part, &((const struct entry *) b)->part);
}

/* ---- a group's rules ---- */

static bool
note_rule(void *group, const struct object *o)
{
    struct group *g = group;
    const struct sg_rule *rule = (const struct sg_rule *) (const void *) o;
    struct entry e = { .rule = rule, .part = part_of(g->m, rule), .width = width(g->m, rule) };
    e.part.peer.ip = ip_prefix_first(e.part.peer);
    g->entries = mem_grow(g->entries, &g->cap, g->n + 1, sizeof *g->entries);
    g->entries[g->n++] = e;
    return true;
}

static struct group *
group_add(struct sg_shadows *s, uint32_t number)
{
    struct group *g = mem_zalloc(sizeof *g);
    g->number = number;
    g->m = s->m;
    map_insert(&s->groups, &g->by_number, hash_u32(number));
    model_each_referrer(s->m, number, OBJECT_SG_RULE, note_rule, g);
    if (!g->n)
        return g;
    qsort(g->entries, g->n, sizeof *g->entries, compare_last);
    for (size_t i = 0; i < g->n; i++)
        g->entries[i].rank = i;
    qsort(g->entries, g->n, sizeof *g->entries, compare_places);
    return g;
}

static const struct group *
group_of(struct sg_shadows *s, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &s->groups, hash_u32(number)) {
        struct group *g = CONTAINER_OF(n, struct group, by_number);
        if (g->number == number)
            return g;
    }
    return group_add(s, number);
}

/* The first entry that does not come before 'part'; g->n: none. */
static size_t
place_of(const struct group *g, const struct part *part)
{
    size_t first = 0, end = g->n;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (compare_parts(&g->entries[middle].part, part) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static const struct entry *
entry_of(const struct group *g, const struct sg_rule *rule)
{
    struct part part = part_of(g->m, rule);
    part.peer.ip = ip_prefix_first(part.peer);
    for (size_t i = place_of(g, &part); i < g->n; i++)
        if (g->entries[i].rule == rule)
            return &g->entries[i];
    return NULL;
}

/* ---- one question ---- */

static bool
spend(struct shading *s, size_t steps)
{
    if (s->left < steps) {
        s->left = 0;
        return false;
    }
    s->left -= (unsigned) steps;
    return true;
}

static bool
may_shade(const struct entry *e, const struct entry *of)
{
    const struct sg_rule *rule = of->rule, *other = e->rule;
    return e->rank < of->rank && e->part.lo <= of->part.hi && e->part.hi >= of->part.lo && other->is_ingress == rule->is_ingress
           && (!other->peer || other->peer == rule->peer) && (other->match.proto < 0 || other->match.proto == rule->match.proto);
}

/* Those of the group whose addresses are within 'peer' and, if 'is_exact', as many. False: there were no steps left. */
static bool
note_parts(struct shading *s, const struct group *g, const struct entry *of, struct ip_prefix peer, bool is_exact)
{
    struct ip last = is_exact ? peer.ip : ip_prefix_last(peer);
    for (size_t i = place_of(g, &(const struct part){ peer, 0, 0 }); i < g->n; i++) {
        const struct entry *e = &g->entries[i];
        if (ip_compare(e->part.peer.ip, last) > 0 || (is_exact && e->part.peer.len != peer.len))
            return true;
        if (!spend(s, 1))
            return false;
        if (!may_shade(e, of))
            continue;
        s->parts = mem_grow(s->parts, &s->cap, s->n + 1, sizeof *s->parts);
        s->parts[s->n++] = e->part;
        if (e->part.peer.len <= of->part.peer.len)
            s->n_whole = s->n;
    }
    return true;
}

/* First those with more addresses, then those with as many and fewer. */
static bool
find_parts(struct shading *s, const struct group *g, const struct entry *of)
{
    bool ok = true;
    struct ip_prefix peer = of->part.peer;
    for (peer.len = 0; ok && peer.len < of->part.peer.len; peer.len++)
        ok = note_parts(s, g, of, (struct ip_prefix){ ip_prefix_first(peer), peer.len }, true);
    if (!ok || !note_parts(s, g, of, of->part.peer, false))
        return false;
    for (size_t i = 0; i < s->n_whole; i++)
        s->parts[i].peer = of->part.peer;
    if (s->n_whole)
        qsort(s->parts, s->n_whole, sizeof *s->parts, compare_parts);
    return true;
}

/* What is left of the gaps by those that have all of the addresses. The room is for as many as both. */
static size_t
gaps_left(const struct part *parts, size_t n, const struct gap *gaps, size_t n_gaps, struct gap *left)
{
    size_t n_left = 0;
    for (size_t i = 0; i < n_gaps; i++) {
        int next = gaps[i].lo;
        for (size_t j = 0; j < n && next <= gaps[i].hi && parts[j].lo <= gaps[i].hi; j++) {
            if (parts[j].lo > next)
                left[n_left++] = (struct gap){ next, parts[j].lo - 1 };
            if (parts[j].hi >= next)
                next = parts[j].hi + 1;
        }
        if (next <= gaps[i].hi)
            left[n_left++] = (struct gap){ next, gaps[i].hi };
    }
    return n_left;
}

static bool
has_one_that_leaves_none(const struct part *parts, size_t n, const struct gap *gaps, size_t n_gaps)
{
    for (size_t i = 0; i < n; i++)
        if (parts[i].lo <= gaps[0].lo && parts[i].hi >= gaps[n_gaps - 1].hi)
            return true;
    return false;
}

/* Of those from 'first' on the first that is in the upper half of the addresses that have 'len' bits in common. */
static size_t
upper_half(const struct shading *s, size_t first, size_t end, unsigned len)
{
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (s->parts[middle].peer.ip.b[len / 8] & 0x80 >> len % 8)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

/* Do the parts from 'first' to 'end', all within the first 'len' bits that they have in common, leave none of the gaps? What they do not together
 * they may half by half. */
static bool
cover(struct shading *s, unsigned len, size_t first, size_t end, const struct gap *gaps, size_t n_gaps)
{
    size_t narrower = first;
    while (narrower < end && s->parts[narrower].peer.len == len)
        narrower++;
    size_t n = narrower - first;
    if (first == end || !spend(s, 1 + n * n_gaps))
        return false;
    if (has_one_that_leaves_none(s->parts + first, n, gaps, n_gaps))
        return true;
    struct gap *left = n ? mem_alloc((n + n_gaps) * sizeof *left) : NULL;
    if (n) {
        n_gaps = gaps_left(s->parts + first, n, gaps, n_gaps, left);
        gaps = left;
    }
    bool is_covered = !n_gaps;
    if (n_gaps && narrower < end) {
        size_t middle = upper_half(s, narrower, end, len);
        is_covered = cover(s, len + 1, narrower, middle, gaps, n_gaps) && cover(s, len + 1, middle, end, gaps, n_gaps);
    }
    free(left);
    return is_covered;
}

/* ---- what others see ---- */

struct sg_shadows *
sg_shadows_new(const struct model *m, unsigned steps)
{
    struct sg_shadows *s = mem_zalloc(sizeof *s);
    s->m = m;
    s->left = steps;
    map_init(&s->groups);
    return s;
}

void
sg_shadows_free(struct sg_shadows *s)
{
    if (!s)
        return;
    MAP_FOR_EACH_SAFE (n, next, &s->groups) {
        struct group *g = CONTAINER_OF(n, struct group, by_number);
        free(g->entries);
        free(g);
    }
    map_done(&s->groups);
    free(s);
}

bool
sg_shadows_has(struct sg_shadows *all, const struct sg_rule *rule)
{
    const struct group *g = group_of(all, rule->sg);
    const struct entry *e = entry_of(g, rule);
    unsigned may = all->left < SG_SHADOW_STEPS ? all->left : SG_SHADOW_STEPS;
    struct shading s = { .left = may };
    bool is_shadowed = e && find_parts(&s, g, e) && cover(&s, e->part.peer.len, 0, s.n, &(const struct gap){ e->part.lo, e->part.hi }, 1);
    all->left -= may - s.left;
    free(s.parts);
    return is_shadowed;
}
