/* What follows when a target's state is another: it is logged and stored, whoever goes by it is told, and connections that now have to go
 * elsewhere are forgotten. */
#include "controller/check/checks_private.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "controller/check/check_record.h"
#include "controller/feed.h"
#include "controller/store/store.h"
#include "vnet/feature/lb/lb_health.h"

#define LOG_MODULE "check"
#include "base/log.h"

void
checked_keep(const struct checks *all, const struct checked *c, bool is_gone)
{
    char text[CHECK_RECORD_MAX];
    char *key = mem_printf("target/%u", c->number);
    store_put_fact(all->controller->store, key, !is_gone && check_record_write(&c->check, text) ? text : NULL);
    free(key);
}

static bool
tell_listener(void *feed, const struct object *listener)
{
    feed_object(feed, listener->number);
    return true;
}

void
checks_tell_listeners(const struct controller *c, uint32_t tg)
{
    model_each_referrer(c->model, tg, OBJECT_LISTENER, tell_listener, c->feed);
}

static const char *
upper_word(enum target_state state)
{
    static const char *const words[] = { [TARGET_INITIAL] = "INITIAL", [TARGET_HEALTHY] = "HEALTHY", [TARGET_UNHEALTHY] = "UNHEALTHY" };
    return words[state];
}

static void
log_change(const struct controller *controller, const struct checked *c, enum target_state before)
{
    struct arena *arena = arena_new();
    const struct object *o = model_get(controller->model, c->number, OBJECT_TARGET);
    const char *reason = c->check.state == TARGET_UNHEALTHY ? check_end_word(c->check.reason) : "";
    log_info("target '%s': %s -> %s%s%s%s", o ? object_label(controller->model, o, arena) : "?", upper_word(before),
             upper_word(c->check.state), *reason ? " (" : "", reason, *reason ? ")" : "");
    arena_free(arena);
}

static struct lb_health
group_health(const struct controller *c, const struct tg *tg)
{
    struct view view = { .model = c->model, .runtime = c->runtime };
    return lb_health_of(&view, tg->o.number);
}

/* What the unhealthy had while nobody else could take it has to go elsewhere now. */
static void
group_changed(const struct checks *all, const struct tg *tg, const struct lb_health *before)
{
    struct lb_health now = group_health(all->controller, tg);
    if (tg->proto == L4_UDP && lb_keeps(before, TARGET_UNHEALTHY) && !lb_keeps(&now, TARGET_UNHEALTHY))
        flushes_add_unhealthy(all->flushes, tg->o.number);
    if (lb_fails_open(&now) && !lb_fails_open(before))
        log_warn("target group '%s': no target is healthy, so connections go to all", tg->o.name);
    if (lb_fails_open(before) && !lb_fails_open(&now))
        log_info("target group '%s': connections no longer go to all targets", tg->o.name);
}

void
checked_changed(struct checks *all, struct checked *c, const struct tg *tg)
{
    struct controller *controller = all->controller;
    struct vnet_event event = { .kind = EVENT_TARGET, .number = c->number };
    enum target_state before = runtime_target_state(controller->runtime, c->number);
    struct lb_health group = group_health(controller, tg);
    log_change(controller, c, before);
    runtime_set_target_state(controller->runtime, c->number, c->check.state);
    checked_keep(all, c, false);
    controller_fact_changed(controller, &event);
    feed_object(controller->feed, c->number);
    checks_tell_listeners(controller, tg->o.number);
    group_changed(all, tg, &group);
    if (c->check.state == TARGET_UNHEALTHY && c->is_udp)
        flushes_add(all->flushes, c->vpc, c->number);
    if (c->check.state == TARGET_HEALTHY && !lb_keeps(&group, before) && !c->is_udp)
        flush_reset(controller, c);
}
