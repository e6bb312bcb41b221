/* A trace in words: what each flow that was hit means to the tenant, and the same as JSON for programs. */
#include <stdarg.h>
#include <stdio.h>

#include "controller/trace_private.h"

/* What belongs to no tenant is everybody's to know of. */
static bool
may_see(const struct trace *t, const struct object *o)
{
    return !o->tenant || !t->network->may_see || t->network->may_see(t->network->aux, o);
}

const char *
trace_object(const struct trace *t, enum object_type type, uint32_t number)
{
    const struct model *m = t->network->view.model;
    const struct object *o = model_get(m, number, type);
    if (o && !may_see(t, o))
        return arena_printf(t->arena, "another tenant's %s", object_class(o->type)->name);
    return o ? object_label(m, o, t->arena) : NULL;
}

static bool
may_see_flow(const struct trace *t, const struct spec *spec)
{
    const struct object *o =
        cookie_number(spec->cookie) ? model_get(t->network->view.model, cookie_number(spec->cookie), cookie_type(spec->cookie)) : NULL;
    return !o || may_see(t, o);
}

const char *
trace_host(const struct trace *t, uint32_t number)
{
    const char *name = trace_object(t, OBJECT_HOST, number);
    return name ? name : arena_printf(t->arena, "number %u", number);
}

const char *
trace_owner(const struct trace *t, const struct spec *spec)
{
    return spec && cookie_number(spec->cookie) ? trace_object(t, cookie_type(spec->cookie), cookie_number(spec->cookie)) : NULL;
}

void
trace_line(struct trace *t, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    json_array_append_new(t->lines, json_string(line));
}

static void
step_words(const struct trace *t, const struct exec_step *step, char *text, size_t size)
{
    const struct feature *f = step->spec ? feature_by_number(cookie_feature(step->spec->cookie)) : NULL;
    text[0] = '\0';
    if (!step->spec)
        snprintf(text, size, "nothing here takes it");
    else if (!may_see_flow(t, step->spec))
        snprintf(text, size, "%s", trace_owner(t, step->spec));
    else if (f && f->explain)
        f->explain(&t->network->view, step->spec, text, size);
}

static const char *
output_words(const struct trace *t, const struct exec_output *o)
{
    switch (o->kind) {
    case EXEC_PORT: return arena_printf(t->arena, "port %u", o->port);
    case EXEC_IN_PORT: return "in_port";
    case EXEC_CONTROLLER: return "controller";
    case EXEC_DROP: break;
    }
    return "drop";
}

static json_t *
outputs_json(const struct trace *t, const struct exec_result *r, size_t step)
{
    const char *text = NULL;
    for (size_t i = 0; i < r->n_outputs; i++) {
        if (r->outputs[i].step != step)
            continue;
        const char *words = output_words(t, &r->outputs[i]);
        text = text ? arena_printf(t->arena, "%s, %s", text, words) : words;
    }
    return text ? json_string(text) : json_null();
}

void
trace_tell(struct trace *t, const struct exec_result *r)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct exec_step *step = &r->steps[i];
        const char *stage = stage_name(step->table);
        char text[256];
        step_words(t, step, text, sizeof text);
        if (*text)
            trace_line(t, "  %-11s %s", stage ? stage : "?", text);
        json_array_append_new(
            t->hops,
            json_pack("{s:s,s:i,s:s?,s:s,s:o,s:o}", "host", trace_host(t, t->host), "table", step->table, "stage", stage, "text", text,
                      "flow", step->spec && may_see_flow(t, step->spec) ? json_string(spec_format(step->spec, t->arena)) : json_null(),
                      "output", outputs_json(t, r, i)));
    }
}
