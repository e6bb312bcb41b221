#include "vnet/model/sg_peer.h"

#include <stdlib.h>

#include "base/alloc.h"

struct peers {
    uint32_t *v;
    size_t n, cap;
};

static void
note_peer(void *aux, const struct change *c)
{
    struct peers *peers = aux;
    const struct object *o = c->after ? c->after : c->before;
    const struct sg_rule *rule = c->type == OBJECT_SG_RULE ? (const struct sg_rule *) (const void *) o : NULL;
    if (!rule || !rule->peer || (c->before && c->after))
        return;
    peers->v = mem_grow(peers->v, &peers->cap, peers->n + 1, sizeof *peers->v);
    peers->v[peers->n++] = rule->peer;
}

static bool
mark(struct transaction *t, uint32_t group, struct error *err)
{
    const struct sg *before = view_sg(t->model, VIEW_STAGED, group);
    bool is_ingress_peer = view_count_peers(t->model, VIEW_STAGED, group, true) != 0;
    bool is_egress_peer = view_count_peers(t->model, VIEW_STAGED, group, false) != 0;
    if (!before || (before->is_ingress_peer == is_ingress_peer && before->is_egress_peer == is_egress_peer))
        return true;
    struct sg *after = (struct sg *) (void *) object_clone(&before->o);
    after->is_ingress_peer = is_ingress_peer;
    after->is_egress_peer = is_egress_peer;
    return transaction_replace(t, &before->o, &after->o, err);
}

bool
sg_peers_mark(struct transaction *t, struct error *err)
{
    struct peers peers = { NULL, 0, 0 };
    bool ok = true;
    transaction_each_staged(t, note_peer, &peers);
    for (size_t i = 0; ok && i < peers.n; i++)
        ok = mark(t, peers.v[i], err);
    free(peers.v);
    return ok;
}
