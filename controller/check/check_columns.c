/* What others see of health: columns of targets and listeners, and how a group is as a whole. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/check/checks_private.h"

/* ---- a group ---- */

struct count {
    const struct runtime *runtime;
    struct group_health health;
};

static bool
count_target(void *aux, const struct object *o)
{
    struct count *c = aux;
    if (((const struct target *) (const void *) o)->drain_until_ms)
        return true;
    c->health.n++;
    c->health.n_unhealthy += runtime_target_state(c->runtime, o->number) == TARGET_UNHEALTHY;
    return true;
}

struct group_health
group_health(const struct controller *controller, uint32_t tg)
{
    struct count c = { .runtime = controller->runtime };
    model_each_referrer(controller->model, tg, OBJECT_TARGET, count_target, &c);
    return c.health;
}

/* ---- columns ---- */

static json_t *
changes_json(const struct check *check)
{
    json_t *list = json_array();
    for (unsigned i = 0; check && i < check->n_changes; i++) {
        const struct check_change *change = &check->changes[i];
        const char *reason = check_end_word(change->reason);
        json_t *at = json_time(change->at_ms);
        char *text = mem_printf("%s %s%s%s%s", json_is_string(at) ? json_string_value(at) : "?", target_state_word(change->state),
                                *reason ? " (" : "", reason, *reason ? ")" : "");
        json_array_append_new(list, json_string(text));
        json_decref(at);
        free(text);
    }
    return list;
}

json_t *
checks_target_column(const struct controller *controller, const struct target *target, const char *name)
{
    const struct checked *c = checked_find(controller->checks, target->o.number);
    if (!strcmp(name, "health"))
        return json_string(target->drain_until_ms ? "draining"
                                                  : target_state_word(runtime_target_state(controller->runtime, target->o.number)));
    if (!strcmp(name, "reason"))
        return c && c->check.reason != CHECK_ALIVE ? json_string(check_end_word(c->check.reason)) : json_null();
    return !strcmp(name, "changes") ? changes_json(c ? &c->check : NULL) : json_null();
}

json_t *
checks_listener_column(const struct controller *c, const struct listener *listener, const char *name)
{
    if (strcmp(name, "fail_open"))
        return json_null();
    struct group_health g = group_health(c, listener->tg);
    return json_boolean(g.n && g.n == g.n_unhealthy);
}
