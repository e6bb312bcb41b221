#include "vnet/model/services.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "vnet/model/transaction_state.h"

struct collection {
    const struct model *m;
    enum view v;
    bool is_lasting;                /* not what drains */
    const struct listener *changed; /* as it is to be, not as it is; NULL: none */
    struct service at;              /* of the target that is looked at */
    struct services *services;
};

static void
service_add(struct services *s, struct service add)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].proto == add.proto && s->v[i].port == add.port && s->v[i].lb == add.lb)
            return;
    s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof *s->v);
    s->v[s->n++] = add;
}

static bool
note_listener(void *collection, const struct object *o)
{
    struct collection *c = collection;
    const struct listener *listener = (const void *) o;
    if (!c->changed || o->number != c->changed->o.number)
        service_add(c->services, (struct service){ c->at.proto, c->at.port, listener->lb });
    return true;
}

static bool
note_target(void *collection, const struct object *o)
{
    struct collection *c = collection;
    const struct target *target = (const void *) o;
    const struct tg *tg = view_tg(c->m, c->v, target->tg);
    if (!tg || (c->is_lasting && target->drain_until_ms))
        return true;
    c->at = (struct service){ tg->proto, target_listens_at(tg, target), 0 };
    service_add(c->services, c->at);
    view_each_referrer(c->m, c->v, tg->o.number, OBJECT_LISTENER, note_listener, c);
    if (c->changed && c->changed->tg == tg->o.number)
        service_add(c->services, (struct service){ c->at.proto, c->at.port, c->changed->lb });
    return true;
}

void
services_of_port(const struct model *m, uint32_t port, struct services *services)
{
    struct collection c = { .m = m, .v = VIEW_COMMITTED, .services = services };
    view_each_referrer(m, c.v, port, OBJECT_TARGET, note_target, &c);
}

void
services_done(struct services *services)
{
    free(services->v);
}

bool
services_check(const struct transaction *t, uint32_t port, const struct object *with, struct error *err)
{
    bool is_target = with->type == OBJECT_TARGET;
    struct services services = { 0 };
    struct collection c = {
        .m = t->model, .v = VIEW_STAGED, .is_lasting = true, .services = &services, .changed = is_target ? NULL : (const void *) with
    };
    char title[TITLE_MAX];
    view_each_referrer(c.m, c.v, port, OBJECT_TARGET, note_target, &c);
    if (is_target)
        note_target(&c, with);
    services_done(&services);
    if (services.n <= SERVICES_MAX)
        return true;
    return error_set(err, ERROR_EXHAUSTED,
                     "%s: %s would have %zu services, one for each place where it listens as a target and one more for "
                     "each load balancer that leads there; a port may have %d: remove other targets or listeners of its first",
                     is_target ? "port" : "tg", transaction_title(t, transaction_get(t, port, OBJECT_PORT), title), services.n,
                     SERVICES_MAX);
}
