/* Rules that another rule of the same group and direction makes needless, since it lets through all that they do. */
#include "vnet/model/index.h"

#define PORT_MAX 65535

static bool
proto_covers(const struct l4_match *outer, const struct l4_match *inner)
{
    return outer->proto < 0 || outer->proto == inner->proto;
}

/* Both of one protocol, or the outer of any. */
static bool
ports_cover(const struct l4_match *outer, const struct l4_match *inner)
{
    if (outer->lo < 0)
        return true;
    if (l4_is_icmp(outer->proto))
        return outer->lo == inner->lo && (outer->hi < 0 || outer->hi == inner->hi);
    return outer->lo <= (inner->lo < 0 ? 0 : inner->lo) && outer->hi >= (inner->lo < 0 ? PORT_MAX : inner->hi);
}

/* The members of a group have addresses of the VPC. */
static bool
peer_covers(const struct model *m, const struct sg_rule *outer, const struct sg_rule *inner)
{
    if (outer->peer || !inner->peer)
        return outer->peer == inner->peer && (outer->peer || ip_prefix_covers(outer->cidr, inner->cidr));
    const struct sg *sg = model_sg(m, inner->sg);
    const struct vpc *vpc = sg ? model_vpc(m, sg->vpc) : NULL;
    return vpc && ip_prefix_covers(outer->cidr, vpc->cidr);
}

static bool
rule_covers(const struct model *m, const struct sg_rule *outer, const struct sg_rule *inner)
{
    return outer->sg == inner->sg && outer->is_ingress == inner->is_ingress && proto_covers(&outer->match, &inner->match)
           && ports_cover(&outer->match, &inner->match) && peer_covers(m, outer, inner);
}

struct shading {
    const struct model *m;
    const struct sg_rule *rule;
    bool is_shadowed;
};

/* Of two that let through the same, the later is needless. */
static bool
is_not_over(void *shading, const struct object *o)
{
    struct shading *s = shading;
    const struct sg_rule *other = (const struct sg_rule *) (const void *) o;
    s->is_shadowed = other != s->rule && rule_covers(s->m, other, s->rule)
                     && (other->o.number < s->rule->o.number || !rule_covers(s->m, s->rule, other));
    return !s->is_shadowed;
}

bool
model_rule_is_shadowed(const struct model *m, const struct sg_rule *rule)
{
    struct shading s = { m, rule, false };
    model_each_referrer(m, rule->sg, OBJECT_SG_RULE, is_not_over, &s);
    return s.is_shadowed;
}
