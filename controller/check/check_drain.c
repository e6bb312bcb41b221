/* Removed targets that keep their connections for a while, by the time when each goes. What has drained is removed by a transaction like any
 * other, which leaves alone what has been added again meanwhile. */
#include <stdlib.h>

#include "base/alloc.h"
#include "controller/check/checks_private.h"
#include "controller/commit.h"

#define LOG_MODULE "check"
#include "base/log.h"

#define SWEEP_MAX 100 /* in one transaction */
#define AGAIN_MS 1000 /* after one that failed */
#define LOOK_MS 60000 /* at least so often, since the wall clock may be set */

struct drains {
    struct controller *controller;
    struct tree by_drain;
    struct event *timer;
    bool is_sweeping;
    struct log_limit lines;
};

struct drain_key {
    int64_t ms;
    uint32_t number;
};

static void drains_tick(evutil_socket_t fd, short what, void *aux);

static struct checked *
checked_at(const struct tree_node *n)
{
    return CONTAINER_OF(n, struct checked, by_drain);
}

static int
compare_drain(const void *key_, const struct tree_node *n)
{
    const struct drain_key *key = key_;
    const struct checked *c = checked_at(n);
    if (key->ms != c->drain_until_ms)
        return key->ms < c->drain_until_ms ? -1 : 1;
    return key->number < c->number ? -1 : key->number > c->number;
}

struct drains *
drains_new(struct controller *c)
{
    struct drains *d = mem_zalloc(sizeof *d);
    *d = (struct drains){ .controller = c, .lines = LOG_LIMIT(10) };
    tree_init(&d->by_drain, compare_drain);
    d->timer = evtimer_new(c->base, drains_tick, d);
    return d;
}

void
drains_free(struct drains *d)
{
    event_free(d->timer);
    free(d);
}

static void
arm(struct drains *d, int64_t ms)
{
    event_add(d->timer, &(struct timeval){ ms / 1000, ms % 1000 * 1000 });
}

static void
arrange(struct drains *d)
{
    const struct tree_node *first = tree_first(&d->by_drain);
    if (!first || d->is_sweeping) {
        event_del(d->timer);
        return;
    }
    int64_t left_ms = checked_at(first)->drain_until_ms - controller_wall_ms();
    arm(d, left_ms < 0 ? 0 : left_ms < LOOK_MS ? left_ms : LOOK_MS);
}

void
drains_look(struct drains *d, struct checked *c, int64_t until_ms)
{
    if (c->drain_until_ms == until_ms)
        return;
    if (c->drain_until_ms)
        tree_remove(&d->by_drain, &c->by_drain);
    c->drain_until_ms = until_ms;
    if (until_ms)
        tree_insert(&d->by_drain, &(struct drain_key){ until_ms, c->number }, &c->by_drain);
    arrange(d);
}

/* Those that were due and are still there are due again. */
static void
swept(void *aux, const struct commit_result *result)
{
    struct drains *d = aux;
    d->is_sweeping = false;
    if (result->ok) {
        arrange(d);
        return;
    }
    log_warn_limited(&d->lines, "targets that have drained could not be removed: %s", result->err.text);
    arm(d, AGAIN_MS);
}

static json_t *
removal(const struct controller *c, uint32_t number)
{
    char id[UUID_STRLEN];
    const struct object *o = model_get(c->model, number, OBJECT_TARGET);
    return o ? json_pack("{s:s,s:s,s:s,s:b}", "op", "del", "type", "target", "name", uuid_format(o->id, id), "if_exists", 1) : NULL;
}

static void
drains_tick(evutil_socket_t fd, short what, void *aux)
{
    struct drains *d = aux;
    json_t *ops = json_array();
    int64_t now_ms = controller_wall_ms();
    for (const struct tree_node *n = tree_first(&d->by_drain); n && json_array_size(ops) < SWEEP_MAX; n = tree_next(n)) {
        if (checked_at(n)->drain_until_ms > now_ms)
            break;
        json_t *op = removal(d->controller, checked_at(n)->number);
        if (op)
            json_array_append_new(ops, op);
    }
    if (!json_array_size(ops)) {
        json_decref(ops);
        arrange(d);
        return;
    }
    d->is_sweeping = true;
    commit_submit(d->controller->commits, &(struct commit_request){
                                              .ops = ops,
                                              .principal = { .role = PRINCIPAL_ADMIN, .name = "vnetd" },
                                              .is_sweep = true,
                                              .done = swept,
                                              .aux = d,
                                          });
}
