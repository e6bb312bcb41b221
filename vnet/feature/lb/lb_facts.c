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

struct health {
    const struct view *view;
    bool is_any_not_unhealthy;
};

static void
note_health(void *aux, uint32_t number)
{
    struct health *h = aux;
    const struct target *target = model_target(h->view->model, number);
    if (target->weight && !target->drain_until_ms)
        h->is_any_not_unhealthy |= runtime_target_state(h->view->runtime, number) != TARGET_UNHEALTHY;
}

static bool
fails_open(const struct view *view, uint32_t tg)
{
    struct health h = { view, false };
    lb_each_target(view, tg, note_health, &h);
    return !h.is_any_not_unhealthy;
}

bool
target_is_chosen(const struct view *view, const struct target_facts *f)
{
    if (!f->target->weight || f->target->drain_until_ms)
        return false;
    enum target_state state = runtime_target_state(view->runtime, f->target->o.number);
    return state == TARGET_HEALTHY || (state == TARGET_UNHEALTHY && fails_open(view, f->tg->o.number));
}

bool
target_is_kept(const struct view *view, const struct target_facts *f)
{
    enum target_state state = runtime_target_state(view->runtime, f->target->o.number);
    return state != TARGET_UNHEALTHY || fails_open(view, f->tg->o.number);
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
