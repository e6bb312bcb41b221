#include "vnet/model/marks.h"

#include <stdlib.h>

#include "base/alloc.h"

struct marked {
    uint32_t *v;
    size_t n, cap;
};

static uint32_t
marked_by(const struct object *o)
{
    const void *p = o;
    if (o->type == OBJECT_SG_RULE)
        return ((const struct sg_rule *) p)->peer;
    return o->type == OBJECT_LB ? ((const struct lb *) p)->vpc : 0;
}

static void
note(void *aux, const struct change *c)
{
    struct marked *marked = aux;
    uint32_t number = !c->before == !c->after ? 0 : marked_by(c->after ? c->after : c->before);
    if (!number)
        return;
    marked->v = mem_grow(marked->v, &marked->cap, marked->n + 1, sizeof *marked->v);
    marked->v[marked->n++] = number;
}

static bool
mark_group(struct transaction *t, const struct sg *before, struct error *err)
{
    uint32_t number = before->o.number;
    bool is_ingress_peer = view_count_of(t->model, VIEW_STAGED, number, COUNT_INGRESS_PEER) != 0;
    bool is_egress_peer = view_count_of(t->model, VIEW_STAGED, number, COUNT_EGRESS_PEER) != 0;
    if (before->is_ingress_peer == is_ingress_peer && before->is_egress_peer == is_egress_peer)
        return true;
    struct sg *after = (struct sg *) (void *) object_clone(&before->o);
    after->is_ingress_peer = is_ingress_peer;
    after->is_egress_peer = is_egress_peer;
    return transaction_replace(t, &before->o, &after->o, err);
}

static bool
mark_vpc(struct transaction *t, const struct vpc *before, struct error *err)
{
    bool is_balanced = view_count_of(t->model, VIEW_STAGED, before->o.number, COUNT_BALANCER) != 0;
    if (before->is_balanced == is_balanced)
        return true;
    struct vpc *after = (struct vpc *) (void *) object_clone(&before->o);
    after->is_balanced = is_balanced;
    return transaction_replace(t, &before->o, &after->o, err);
}

static bool
mark(struct transaction *t, uint32_t number, struct error *err)
{
    const struct sg *sg = view_sg(t->model, VIEW_STAGED, number);
    const struct vpc *vpc = view_vpc(t->model, VIEW_STAGED, number);
    return (!sg || mark_group(t, sg, err)) && (!vpc || mark_vpc(t, vpc, err));
}

bool
marks_keep(struct transaction *t, struct error *err)
{
    struct marked marked = { NULL, 0, 0 };
    bool ok = true;
    transaction_each_staged(t, note, &marked);
    for (size_t i = 0; ok && i < marked.n; i++)
        ok = mark(t, marked.v[i], err);
    free(marked.v);
    return ok;
}
