/* Typed resources: GET of a list or of one object, from the request to the answer. Which objects these are: lookup.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/api/lookup.h"
#include "controller/api/page.h"
#include "controller/columns.h"
#include "controller/controller.h"
#include "controller/counters.h"
#include "controller/hits/rule_hits.h"

/* An id would not do: the object may be gone by then. */
static void
link_next(struct lookup *l)
{
    char after[32];
    snprintf(after, sizeof after, "number:%u", l->last);
    page_link_next(l->call, after);
}

/* The object may have gone while its counters were read. */
static void
answer_single(struct lookup *l, const struct columns_wanted *wanted)
{
    struct error err;
    const struct object *o = l->n ? model_get(l->call->controller->model, l->numbers[0], l->class->type) : NULL;
    if (o) {
        call_json(l->call, 200, columns_object(l->call->controller, o, wanted));
        return;
    }
    error_set(&err, ERROR_UNKNOWN, "%s '%.200s' does not exist", l->class->name, l->call->path[1]);
    call_error(l->call, &err, -1);
}

/* One of which nothing is known may have been hit. */
static bool
is_never_hit(const struct lookup *l, uint32_t rule)
{
    struct hits hits;
    bool is_known = rule_hits_of(l->call->controller->hits, rule, &hits) || l->are_hits_read;
    return is_known && !hits.packets;
}

/* Objects may have gone while counters were read. */
static bool
is_shown(const struct lookup *l, const struct object *o)
{
    return o && (!l->is_unused || is_never_hit(l, o->number));
}

/* All found, or as many as may go out at once: so many of them. */
static size_t
page_fill(struct page *page, const struct lookup *l, const struct columns_wanted *wanted)
{
    size_t n;
    const struct controller *c = l->call->controller;
    for (n = 0; n < l->n && !page_is_full(page); n++) {
        const struct object *o = model_get(c->model, l->numbers[n], l->class->type);
        if (is_shown(l, o))
            page_put(page, columns_object(c, o, wanted));
    }
    return n;
}

static void
answer_page(struct lookup *l, const struct columns_wanted *wanted)
{
    struct error err;
    struct page page;
    page_init(&page, UINT64_MAX);
    size_t n = page_fill(&page, l, wanted);
    if (n < l->n && l->n_names) {
        error_set(&err, ERROR_TOO_LARGE, "these %zu objects are more than %d bytes: ask for fewer names at a time", l->n_names, PAGE_BYTES);
        call_error(l->call, &err, -1);
        page_done(&page);
        return;
    }
    if (n < l->n)
        l->last = l->numbers[n - 1];
    if (n < l->n || l->is_cut)
        link_next(l);
    page_answer(&page, l->call);
}

static void
lookup_answer(void *aux, const struct drop_counts *drops)
{
    struct lookup *l = aux;
    struct columns_wanted wanted = { .names = l->n_columns ? l->columns : NULL,
                                     .n = l->n_columns,
                                     .drops = drops,
                                     .are_hits_read = l->are_hits_read,
                                     .names_hosts = call_may_see_hosts(l->call) };
    if (l->is_single)
        answer_single(l, &wanted);
    else
        answer_page(l, &wanted);
    lookup_free(l);
}

static void
drops_read(void *aux, const struct drop_counts *drops)
{
    struct lookup *l = aux;
    if (lookup_judges_drops(l))
        lookup_narrow(l, drops);
    lookup_answer(l, drops);
}

static bool
wants_column(const struct lookup *l, const char *name)
{
    if (!object_field(l->class, name))
        return false;
    for (size_t i = 0; i < l->n_columns; i++)
        if (!strcmp(l->columns[i], name))
            return true;
    return !l->n_columns;
}

static bool
wants_drops(const struct lookup *l)
{
    return lookup_judges_drops(l) || wants_column(l, "drops") || wants_column(l, "exhausted");
}

static bool
wants_hits(const struct lookup *l)
{
    return l->is_unused || wants_column(l, "connections") || wants_column(l, "packets") || wants_column(l, "bytes")
           || wants_column(l, "last_hit");
}

static void
hits_read(void *aux, bool is_complete)
{
    struct lookup *l = aux;
    l->are_hits_read = is_complete;
    lookup_answer(l, NULL);
}

static void
lookup_fail(struct lookup *l, const struct error *err)
{
    call_error(l->call, err, -1);
    lookup_free(l);
}

static void
lookup_run(struct lookup *l)
{
    struct error err;
    bool ok = lookup_parse(l, &err) && lookup_find(l, &err);
    if (!ok)
        lookup_fail(l, &err);
    else if (wants_drops(l))
        drop_counts_read(l->call->controller, l->numbers, l->n, drops_read, l);
    else if (wants_hits(l))
        rule_hits_read(l->call->controller->hits, l->numbers, l->n, hits_read, l);
    else
        lookup_answer(l, NULL);
}

void
api_list(struct call *call)
{
    lookup_run(lookup_new(call));
}

void
api_get(struct call *call)
{
    struct lookup *l = lookup_new(call);
    l->is_single = true;
    l->wanted_names[l->n_names++] = call->path[1];
    lookup_run(l);
}
