/* Combinations of groups, and the rules of groups, as the model has them. */
#include "vnet/feature/sg/sg_private.h"

static const struct sg_set *
set_get(const struct view *view, uint32_t number)
{
    return (const struct sg_set *) (const void *) model_get(view->model, number, OBJECT_SG_SET);
}

bool
sg_set_is_open(const struct view *view, uint32_t number)
{
    const struct sg_set *set = set_get(view, number);
    bool allows_in = !set, allows_out = !set;
    for (size_t i = 0; set && i < set->groups.n; i++) {
        allows_in = allows_in || model_sg_allows_all(view->model, set->groups.v[i], true);
        allows_out = allows_out || model_sg_allows_all(view->model, set->groups.v[i], false);
    }
    return allows_in && allows_out;
}

bool
sg_is_peer(const struct view *view, uint32_t group, bool is_ingress)
{
    const struct sg *sg = model_sg(view->model, group);
    return sg && (is_ingress ? sg->is_ingress_peer : sg->is_egress_peer);
}

bool
sg_any_is_peer(const struct view *view, const struct number_list *groups, bool is_ingress)
{
    for (size_t i = 0; i < groups->n; i++)
        if (sg_is_peer(view, groups->v[i], is_ingress))
            return true;
    return false;
}

struct rule_visit {
    uint32_t group;
    void (*each)(void *aux, const struct sg_rule *);
    void *aux;
};

static bool
visit_rule(void *aux, const struct object *o)
{
    const struct rule_visit *v = aux;
    const struct sg_rule *rule = (const void *) o;
    if (rule->sg == v->group)
        v->each(v->aux, rule);
    return true;
}

void
sg_each_rule(const struct view *view, uint32_t group, void (*each)(void *aux, const struct sg_rule *), void *aux)
{
    struct rule_visit v = { group, each, aux };
    model_each_referrer(view->model, group, OBJECT_SG_RULE, visit_rule, &v);
}

struct set_visit {
    void (*each)(void *aux, const struct sg_set *);
    void *aux;
};

static bool
visit_set(void *aux, const struct object *o)
{
    const struct set_visit *v = aux;
    v->each(v->aux, (const void *) o);
    return true;
}

void
sg_each_set(const struct view *view, uint32_t group, void (*each)(void *aux, const struct sg_set *), void *aux)
{
    struct set_visit v = { each, aux };
    model_each_referrer(view->model, group, OBJECT_SG_SET, visit_set, &v);
}
