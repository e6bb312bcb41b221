/* Which claims there are on a port, and which of them is to hold it: who holds it goes on until its interface is gone, or until its host is away and
 * one that is connected claims the port, too; then the first in line follows. Looks only: what comes of it is binding.c's. */
#include <stddef.h>

#include "controller/controller.h"
#include "controller/host/binding_private.h"
#include "controller/host/host.h"
#include "controller/host/iface_name.h"

void
each_claim(const struct bindings *b, const struct object *port, void (*each)(void *aux, struct claim *), void *aux)
{
    struct iface_names names = iface_names_of(b->controller->model, port);
    for (size_t i = 0; i < IFACE_NAMES; i++) {
        const struct iface *iface = names.v[i][0] ? iface_find(&b->claims, names.v[i]) : NULL;
        for (struct claim *c = iface ? iface->claims : NULL; c; c = c->next)
            each(aux, c);
    }
}

/* ---- the holder ---- */

/* Its host says so on its present connection. */
static bool
claim_is_live(const struct bindings *b, const struct claim *c)
{
    const struct hypervisor *h = host_by_number(b->controller->hosts, c->host);
    return h && h->db && !c->is_remembered;
}

/* Its host is away, not only about to be read. */
static bool
claim_is_orphaned(const struct bindings *b, const struct claim *c)
{
    const struct hypervisor *h = host_by_number(b->controller->hosts, c->host);
    return !h || (!h->db && !b->is_young);
}

struct election {
    const struct bindings *b;
    struct claim *holder, *first, *first_live;
    bool holder_stands;
};

static void
election_see(void *aux, struct claim *c)
{
    struct election *e = aux;
    if (c == e->holder)
        e->holder_stands = true;
    if (!e->first || c->order < e->first->order)
        e->first = c;
    if (claim_is_live(e->b, c) && (!e->first_live || c->order < e->first_live->order))
        e->first_live = c;
}

struct claim *
elect_claim(const struct bindings *b, const struct object *port, struct claim *holder)
{
    struct election e = { .b = b, .holder = holder };
    each_claim(b, port, election_see, &e);
    if (e.holder_stands && (!claim_is_orphaned(b, holder) || !e.first_live))
        return holder;
    return e.first_live ? e.first_live : e.first;
}

/* ---- by host ---- */

struct claim_search {
    uint32_t host;
    struct claim *found;
};

static void
claim_search_see(void *aux, struct claim *c)
{
    struct claim_search *s = aux;
    if (c->host == s->host)
        s->found = c;
}

struct claim *
claim_of(const struct bindings *b, const struct object *port, uint32_t host)
{
    struct claim_search s = { host, NULL };
    each_claim(b, port, claim_search_see, &s);
    return s.found;
}

static void
elsewhere_see(void *aux, struct claim *c)
{
    struct claim_search *s = aux;
    if (c->host != s->host)
        s->found = c;
}

uint32_t
bindings_claimed_elsewhere(const struct bindings *b, uint32_t port, uint32_t but)
{
    const struct object *o = model_get(b->controller->model, port, OBJECT_PORT);
    struct claim_search s = { but, NULL };
    if (o)
        each_claim(b, o, elsewhere_see, &s);
    return s.found ? s.found->host : 0;
}
