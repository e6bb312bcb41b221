/* What others see of health: columns of targets and listeners. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/check/checks_private.h"
#include "vnet/feature/lb/lb_health.h"

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
    struct view view = { .model = c->model, .runtime = c->runtime };
    struct lb_health group = lb_health_of(&view, listener->tg);
    return json_boolean(lb_fails_open(&group));
}
