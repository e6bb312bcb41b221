#include "vnet/pipeline/feature.h"

#include "base/alloc.h"

static const struct feature *const features[] = {
#define X(ID, NUMBER, NAME) &feature_##NAME,
    FEATURE_LIST(X)
#undef X
};

const struct feature *
feature_by_number(uint8_t number)
{
    static const struct feature *const by_number[FEATURE_MAX] = {
#define X(ID, NUMBER, NAME) [NUMBER] = &feature_##NAME,
        FEATURE_LIST(X)
#undef X
    };
    return number < FEATURE_MAX ? by_number[number] : NULL;
}

const struct feature *const *
feature_list(unsigned *n)
{
    *n = sizeof features / sizeof features[0];
    return features;
}

bool
feature_resume(const struct packet_in *in, unsigned i, struct bytes *out)
{
    for (unsigned f = 0; f < sizeof features / sizeof features[0]; f++)
        if (features[f]->resume && features[f]->resume(in, i, out))
            return true;
    return false;
}

struct flow_builder *
block_flow(struct block *b, enum stage stage, uint16_t priority)
{
    flow_begin(b->fb, stage, priority, b->cookie);
    return b->fb;
}

void
block_flow_end(struct block *b)
{
    block_add(b, flow_end(b->fb, b->arena));
}

void
block_add(struct block *b, const struct spec *spec)
{
    b->specs = mem_grow(b->specs, &b->cap, b->n + 1, sizeof *b->specs);
    b->specs[b->n++] = spec;
}

uint16_t
block_zone(struct block *b, uint32_t number)
{
    uint16_t zone = runtime_zone(b->view->runtime, b->host, number);
    if (!zone && b->zone_wanted)
        b->zone_wanted(b->zone_aux, b->cookie, b->host, number);
    return zone;
}

void
block_zone_follows(struct block *b, uint32_t number, bool follows)
{
    if (b->zone_follows)
        b->zone_follows(b->zone_aux, b->host, number, follows);
}

static uint32_t
vpc_of_rtb(const struct model *m, uint32_t number)
{
    const struct rtb *rtb = model_rtb(m, number);
    return rtb ? rtb->vpc : 0;
}

static uint32_t
vpc_of_sg(const struct model *m, uint32_t number)
{
    const struct sg *sg = model_sg(m, number);
    return sg ? sg->vpc : 0;
}

uint32_t
view_vpc_of(const struct view *view, uint8_t type, uint32_t number)
{
    const struct model *m = view->model;
    switch (type) {
    case OBJECT_VPC: return model_vpc(m, number) ? number : 0;
    case OBJECT_SUBNET: {
        const struct subnet *subnet = model_subnet(m, number);
        return subnet ? subnet->vpc : 0;
    }
    case OBJECT_PORT: {
        const struct port *port = model_port(m, number);
        return port ? port->vpc : 0;
    }
    case OBJECT_RTB: return vpc_of_rtb(m, number);
    case OBJECT_ROUTE: {
        const struct route *route = model_route(m, number);
        return route ? vpc_of_rtb(m, route->rtb) : 0;
    }
    case OBJECT_IGW: {
        const struct igw *igw = model_igw(m, number);
        return igw ? igw->vpc : 0;
    }
    case OBJECT_NATGW: {
        const struct natgw *natgw = model_natgw(m, number);
        return natgw ? natgw->vpc : 0;
    }
    case OBJECT_SG: return vpc_of_sg(m, number);
    case OBJECT_SG_RULE: {
        const struct sg_rule *rule = model_sg_rule(m, number);
        return rule ? vpc_of_sg(m, rule->sg) : 0;
    }
    case OBJECT_SG_SET: {
        const struct sg_set *set = model_sg_set(m, number);
        return set ? set->vpc : 0;
    }
    case OBJECT_LB: {
        const struct lb *lb = model_lb(m, number);
        return lb ? lb->vpc : 0;
    }
    case OBJECT_LISTENER: {
        const struct listener *listener = model_listener(m, number);
        return listener ? listener->vpc : 0;
    }
    case OBJECT_TG: {
        const struct tg *tg = model_tg(m, number);
        return tg ? tg->vpc : 0;
    }
    case OBJECT_TARGET: {
        const struct target *target = model_target(m, number);
        return target ? target->vpc : 0;
    }
    default: return 0;
    }
}
