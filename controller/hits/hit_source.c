#include "controller/hits/hit_source.h"

#include "vnet/pipeline/feature.h"
#include "vnet/pipeline/priority.h"

static const struct hit_source sources[HIT_SOURCES] = {
    { OBJECT_SG_RULE, FEATURE_SG, { STAGE_SG_RULE }, 1 },
    { OBJECT_TARGET, FEATURE_LB, { STAGE_LB_NEW, STAGE_LB_TARGET }, 2 },
    { OBJECT_LISTENER, FEATURE_LB, { STAGE_SG_DONE }, 1 },
};

const struct hit_source *
hit_source_at(size_t i)
{
    return &sources[i];
}

const struct hit_source *
hit_source_of(enum object_type type)
{
    for (size_t i = 0; i < HIT_SOURCES; i++)
        if (sources[i].type == type)
            return &sources[i];
    return NULL;
}

static bool
is_in(const struct hit_source *source, uint8_t table)
{
    for (size_t i = 0; i < source->n_tables; i++)
        if (source->tables[i] == table)
            return true;
    return false;
}

bool
hit_source_flow(const struct wire_flow *flow, struct hit_flow_of *of)
{
    uint32_t number = cookie_number(flow->cookie);
    const struct hit_source *source = hit_source_of(cookie_type(flow->cookie));
    if (!source || flow->cookie != cookie_make(source->feature, source->type, number) || !is_in(source, flow->table))
        return false;
    *of = (struct hit_flow_of){
        .type = source->type,
        .number = number,
        .is_new = flow->table == STAGE_LB_NEW || (flow->table == STAGE_SG_DONE && flow->priority == PRIORITY_DONE_LISTENER),
    };
    return true;
}
