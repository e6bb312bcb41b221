/* Targets, listeners and balancers as the model and the health checks have them. */
#include "vnet/feature/lb/lb_private.h"

bool
target_facts_get(const struct view *view, uint32_t number, struct target_facts *f)
{
    f->target = model_target(view->model, number);
    f->tg = f->target ? model_tg(view->model, f->target->tg) : NULL;
    if (!f->tg || !port_facts_get(view, f->target->port, &f->at))
        return false;
    f->port = f->target->target_port ? f->target->target_port : f->tg->port;
    return true;
}

/* ---- who is chosen ---- */

struct counted {
    const struct view *view;
    struct lb_health health;
};

static void
count(void *aux, uint32_t number)
{
    struct counted *c = aux;
    const struct target *target = model_target(c->view->model, number);
    enum target_state state = runtime_target_state(c->view->runtime, number);
    if (!target->weight || target->drain_until_ms)
        return;
    c->health.n_healthy += state == TARGET_HEALTHY;
    c->health.n_unhealthy += state == TARGET_UNHEALTHY;
}

struct lb_health
lb_health_of(const struct view *view, uint32_t tg)
{
    struct counted c = { .view = view };
    lb_each_target(view, tg, count, &c);
    return c.health;
}

bool
lb_fails_open(const struct lb_health *group)
{
    return !group->n_healthy && group->n_unhealthy;
}

bool
lb_keeps(const struct lb_health *group, enum target_state state)
{
    return state != TARGET_UNHEALTHY || !group->n_healthy;
}

bool
target_is_chosen(const struct view *view, const struct lb_health *group, const struct target *target)
{
    if (!target->weight || target->drain_until_ms)
        return false;
    return lb_fails_open(group) || runtime_target_state(view->runtime, target->o.number) == TARGET_HEALTHY;
}

/* ---- who refers to whom ---- */

struct visit {
    const struct view *view;
    lb_each *each;
    void *aux;
};

static bool
visit(void *aux, const struct object *o)
{
    const struct visit *v = aux;
    v->each(v->aux, o->number);
    return true;
}

void
lb_each_target(const struct view *view, uint32_t of, lb_each *each, void *aux)
{
    struct visit v = { view, each, aux };
    model_each_referrer(view->model, of, OBJECT_TARGET, visit, &v);
}

void
lb_each_listener(const struct view *view, uint32_t of, lb_each *each, void *aux)
{
    struct visit v = { view, each, aux };
    model_each_referrer(view->model, of, OBJECT_LISTENER, visit, &v);
}

static bool
visit_subnet(void *aux, const struct object *subnet)
{
    const struct visit *v = aux;
    model_each_referrer(v->view->model, subnet->number, OBJECT_LB, visit, aux);
    return true;
}

void
lb_each_of_vpc(const struct view *view, uint32_t vpc, lb_each *each, void *aux)
{
    struct visit v = { view, each, aux };
    model_each_referrer(view->model, vpc, OBJECT_SUBNET, visit_subnet, &v);
}
