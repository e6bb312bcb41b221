#include "controller/instance/migration_record.h"

#include <stdio.h>
#include <string.h>

void
record_init(struct migration_record *r)
{
    *r = (struct migration_record){ MOMENT_UNKNOWN, MOMENT_UNKNOWN, MOMENT_UNKNOWN, MOMENT_UNKNOWN,
                                    MOMENT_UNKNOWN, MOMENT_UNKNOWN, .n_steps = 0 };
}

/* The same once more, with nothing between: of fifty rounds of copying memory one step is made. */
static bool
is_repeat(const struct record_step *s, bool is_at_known, const char *host, const char *what)
{
    return s->is_at_known == is_at_known && !strncmp(s->host, host, sizeof s->host - 1) && !strncmp(s->what, what, sizeof s->what - 1);
}

void
record_note(struct migration_record *r, int64_t at_ms, int64_t now_ms, const char *host, const char *what)
{
    bool is_at_known = moment_is_known(at_ms);
    int64_t order_ms = is_at_known ? at_ms : now_ms;
    size_t i = r->n_steps;
    while (i && r->steps[i - 1].at_ms > order_ms)
        i--;
    if (i && is_repeat(&r->steps[i - 1], is_at_known, host, what)) {
        r->steps[i - 1].count++;
        if (r->steps[i - 1].last_ms < order_ms)
            r->steps[i - 1].last_ms = order_ms;
        return;
    }
    if (r->n_steps == RECORD_STEPS_MAX)
        return;
    memmove(&r->steps[i + 1], &r->steps[i], (r->n_steps++ - i) * sizeof *r->steps);
    struct record_step *s = &r->steps[i];
    *s = (struct record_step){ .at_ms = order_ms, .last_ms = order_ms, .count = 1, .is_at_known = is_at_known };
    snprintf(s->host, sizeof s->host, "%s", host);
    snprintf(s->what, sizeof s->what, "%s", what);
}

static json_t *
span(int64_t from, int64_t to)
{
    return moment_is_known(from) && moment_is_known(to) && to >= from ? json_integer(to - from) : json_null();
}

/* The first sign that it runs at the new place. */
static int64_t
runs_since(const struct migration_record *r)
{
    if (moment_is_known(r->resumed_ms) && moment_is_known(r->spoke_ms))
        return r->resumed_ms < r->spoke_ms ? r->resumed_ms : r->spoke_ms;
    return moment_is_known(r->resumed_ms) ? r->resumed_ms : r->spoke_ms;
}

static json_t *
step_json(const struct record_step *s, int64_t now_ms, int64_t wall_ms)
{
    json_t *at = moment_json(s->is_at_known ? s->at_ms : MOMENT_UNKNOWN, now_ms, wall_ms);
    json_t *last = moment_json(s->is_at_known ? s->last_ms : MOMENT_UNKNOWN, now_ms, wall_ms);
    return json_pack("{s:o,s:s,s:s,s:i,s:o}", "at", at, "host", s->host, "what", s->what, "count", (int) s->count, "last", last);
}

void
record_put_json(const struct migration_record *r, json_t *object, int64_t now_ms, int64_t wall_ms)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < r->n_steps; i++)
        json_array_append_new(steps, step_json(&r->steps[i], now_ms, wall_ms));
    json_object_set_new(object, "began", moment_json(r->began_ms, now_ms, wall_ms));
    json_object_set_new(object, "guest_pause_ms", span(r->suspended_ms, r->resumed_ms));
    json_object_set_new(object, "our_share_ms", span(runs_since(r), r->open_ms));
    json_object_set_new(object, "settled_ms", span(runs_since(r), r->settled_ms));
    json_object_set_new(object, "timeline", steps);
}
