/* Works changes off: compiles dirty blocks into their host's flow table. */
#include "vnet/pipeline/compiler_private.h"

bool
compiler_is_dirty(const struct compiler *c, uint32_t host)
{
    const struct attached *a = attached_find(c, host);
    return a
           && (!dirty_is_empty(&a->dirty) || !dirty_is_empty(&a->in_the_way) || !dirty_is_empty(&a->retry)
               || presence_is_leaving_any(c->presence, host) || presence_is_leaving_any(c->groups, host));
}

bool
compiler_is_unzoned(const struct compiler *c, uint32_t host)
{
    const struct attached *a = attached_find(c, host);
    return a && !dirty_is_empty(&a->unzoned);
}

static bool
block_compile(struct compiler *c, struct attached *a, uint64_t cookie, struct error *err)
{
    struct block *b = &c->block;
    uint8_t type = cookie_type(cookie);
    uint32_t number = cookie_number(cookie), vpc = view_vpc_of(&c->view, type, number);
    const struct runtime_host *known = runtime_host(c->view.runtime, a->host), unknown = { .number = a->host };

    b->host = a->host;
    b->here = known ? known : &unknown;
    b->cookie = cookie;
    b->n = 0;
    arena_reset(b->arena);
    dirty_drop(&a->unzoned, cookie);
    if (!vpc || presence_holds(c->presence, a->host, vpc))
        feature_by_number(cookie_feature(cookie))->flows(b, type, number);
    b->here = NULL;
    return flow_table_set_block(a->table, cookie, b->specs, b->n, err);
}

/* Blocks may change places (two ports swap their OpenFlow ports): each waits for the other to let go. So those in the way of each other
 * are all taken out before they are compiled again. */
static void
take_out_conflicted(struct attached *a)
{
    struct error ignored;
    while (!dirty_is_empty(&a->in_the_way)) {
        uint64_t cookie = dirty_take(&a->in_the_way);
        bool is_removed = flow_table_set_block(a->table, cookie, NULL, 0, &ignored);
        (void) is_removed; /* nothing is in the way of nothing */
        dirty_add(&a->retry, cookie);
    }
}

/* One of them may have what another block wants. */
static void
let_all_go(struct attached *a)
{
    while (!dirty_is_empty(&a->held))
        dirty_take(&a->held);
    while (!dirty_is_empty(&a->waiting))
        dirty_add(&a->dirty, dirty_take(&a->waiting));
}

static void
run_block(struct compiler *c, struct attached *a, uint64_t cookie)
{
    struct error ignored; /* it is tried again when what is in its way has been taken out */
    if (dirty_has(&a->held, cookie)) {
        dirty_add(&a->waiting, cookie);
    } else if (!block_compile(c, a, cookie, &ignored)) {
        dirty_add(&a->in_the_way, cookie);
        let_all_go(a);
    }
}

/* What is to be done before blocks are taken from the queue. */
static void
queue_prepare(struct compiler *c, struct attached *a)
{
    uint32_t vpc, group;
    compiler_orphanages_clear(c);
    while ((vpc = presence_take_leaving(c->presence, a->host)) != 0)
        compiler_dirty_all(c, a, vpc);
    while ((group = presence_take_leaving(c->groups, a->host)) != 0)
        compiler_dirty_group(c, a, group);
    while (!dirty_is_empty(&a->dirty) && !dirty_is_empty(&a->refused))
        dirty_add(&a->dirty, dirty_take(&a->refused));
}

bool
compiler_run(struct compiler *c, uint32_t host, size_t max, void (*conflict)(void *aux, uint64_t cookie, const struct error *), void *aux)
{
    struct attached *a = attached_find(c, host);
    if (!a)
        return false;

    queue_prepare(c, a);
    for (size_t i = 0; i < max; i++) {
        struct error err;
        if (!dirty_is_empty(&a->dirty)) {
            run_block(c, a, dirty_take(&a->dirty));
            continue;
        }

        take_out_conflicted(a);
        if (dirty_is_empty(&a->retry))
            break;
        uint64_t cookie = dirty_take(&a->retry);
        if (!block_compile(c, a, cookie, &err)) {
            dirty_add(&a->refused, cookie);
            if (conflict)
                conflict(aux, cookie, &err);
        }
    }
    return compiler_is_dirty(c, host);
}
