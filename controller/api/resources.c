/* Typed resources: list and get. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/api/page.h"
#include "controller/columns.h"
#include "controller/controller.h"
#include "controller/counters.h"
#include "controller/hits/rule_hits.h"
#include "vnet/model/condition.h"

#define CONDITIONS_MAX 16
#define COLUMNS_MAX 64
#define NAMES_MAX 256

/* A GET being answered: what is asked for, and the objects found, while their counters are read. */
struct listing {
    struct call *call;
    const struct object_class *class;
    struct condition conditions[CONDITIONS_MAX];
    size_t n_conditions;
    const char *columns[COLUMNS_MAX];
    size_t n_columns;
    char *columns_text; /* what 'columns' points into */
    const char *wanted_names[NAMES_MAX];
    size_t n_names;
    bool is_all_tenants, is_single, is_cut;
    bool is_unused, is_shadowed; /* only rules that were never hit, or that others make needless */
    struct sg_shadows *shadows;  /* while such are found */
    bool are_hits_read;          /* of all rules found, from all hosts that have their flows */
    uint64_t limit;
    uint32_t after, last; /* of the page: where it begins, and where the next one does if this is cut */

    uint32_t *numbers;
    size_t n, cap;
};

static void
listing_free(struct listing *l)
{
    for (size_t i = 0; i < l->n_conditions; i++)
        condition_done(&l->conditions[i]);
    free(l->columns_text);
    free(l->numbers);
    free(l);
}

static void
listing_fail(struct listing *l, const struct error *err)
{
    call_error(l->call, err, -1);
    listing_free(l);
}

/* ---- what is asked for ---- */

static bool
add_condition(struct listing *l, const char *text, struct error *err)
{
    const char *equal = strchr(text, '=');
    if (!equal)
        return error_set(err, ERROR_INVALID, "where='%.100s': write where=COLUMN=VALUE", text);
    if (l->n_conditions == CONDITIONS_MAX)
        return error_set(err, ERROR_INVALID, "at most %d conditions in one request", CONDITIONS_MAX);
    char *column = mem_printf("%.*s", (int) (equal - text), text);
    bool ok = condition_init(&l->conditions[l->n_conditions++], l->call->controller->model, l->class, column, equal + 1, err);
    free(column);
    return ok;
}

static bool
add_columns(struct listing *l, const char *text, struct error *err)
{
    l->columns_text = mem_strdup(text);
    for (char *save = NULL, *name = strtok_r(l->columns_text, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        if (l->n_columns == COLUMNS_MAX)
            return error_set(err, ERROR_INVALID, "at most %d columns in one request", COLUMNS_MAX);
        l->columns[l->n_columns++] = name;
    }
    return columns_check(l->class, l->columns, l->n_columns, err);
}

/* An object's id, or what a Link header has instead, since the object may be gone by then. */
static bool
add_after(struct listing *l, const char *text, struct error *err)
{
    struct uuid id;
    const struct object *o = uuid_parse(text, &id) ? model_get_id(l->call->controller->model, id) : NULL;
    unsigned number;
    int n = 0;
    if (o && o->type == l->class->type && call_may_see(l->call, o))
        l->after = o->number;
    else if (sscanf(text, "number:%10u%n", &number, &n) == 1 && !text[n])
        l->after = number;
    else
        return error_set(err, ERROR_UNKNOWN, "after='%.100s': no %s has this id", text, l->class->name);
    return true;
}

/* Their names are known to be right (http.c). */
static bool
add_parameter(struct listing *l, const struct call_parameter *p, struct error *err)
{
    if (!strcmp(p->name, "columns"))
        return !*p->value || add_columns(l, p->value, err);
    if (!strcmp(p->name, "where"))
        return add_condition(l, p->value, err);
    if (!strcmp(p->name, "limit"))
        return page_limit_parse(p->value, &l->limit, err);
    if (!strcmp(p->name, "after"))
        return add_after(l, p->value, err);
    if (l->class->type != OBJECT_SG_RULE && (!strcmp(p->name, "unused") || !strcmp(p->name, "shadowed")))
        return error_set(err, ERROR_INVALID, "parameter '%s' is unknown of %s: only an sg-rule is unused or shadowed", p->name,
                         l->class->name);
    if (strcmp(p->name, "name"))
        return true;
    if (l->n_names == NAMES_MAX)
        return error_set(err, ERROR_INVALID, "at most %d names in one request", NAMES_MAX);
    l->wanted_names[l->n_names++] = p->value;
    return true;
}

static bool
listing_parse(struct listing *l, struct error *err)
{
    for (size_t i = 0; i < l->call->n_parameters; i++)
        if (!add_parameter(l, &l->call->parameters[i], err))
            return false;
    l->is_all_tenants = call_flag(l->call, "all_tenants");
    l->is_unused = call_flag(l->call, "unused");
    l->is_shadowed = call_flag(l->call, "shadowed");
    return true;
}

/* ---- finding ---- */

static void
take(struct listing *l, const struct object *o)
{
    l->numbers = mem_grow(l->numbers, &l->cap, l->n + 1, sizeof *l->numbers);
    l->numbers[l->n++] = o->number;
}

static bool
find_tenant(const struct listing *l, uint32_t *tenant, struct error *err)
{
    const struct call *call = l->call;
    *tenant = model_tenant(call->controller->model, call->tenant);
    if (!principal_may(&call->principal, VERB_READ, call->tenant, err))
        return false;
    if (!*tenant)
        return error_set(err, ERROR_UNKNOWN, "tenant '%.100s' does not exist", call->tenant);
    return true;
}

static bool
passes_condition(const struct listing *l, const struct object *o, const struct condition *c, const struct drop_counts *drops)
{
    char name[64];
    const char *const names[] = { name };
    snprintf(name, sizeof name, "%.*s", (int) strcspn(c->column, ":"), c->column);
    struct columns_wanted wanted = { .names = names, .n = 1, .drops = drops, .names_hosts = call_may_see_hosts(l->call) };
    json_t *row = c->is_by_id ? NULL : columns_object(l->call->controller, o, &wanted);
    bool ok = condition_holds(c, o, row);
    json_decref(row);
    return ok;
}

/* Those on counters can only be judged once these are read: 'drops' is NULL before that, and they are left for later. */
static bool
passes_conditions(const struct listing *l, const struct object *o, const struct drop_counts *drops)
{
    for (size_t i = 0; i < l->n_conditions; i++)
        if (column_is_counted(l->conditions[i].column) == !!drops && !passes_condition(l, o, &l->conditions[i], drops))
            return false;
    return true;
}

static bool
judges_drops(const struct listing *l)
{
    for (size_t i = 0; i < l->n_conditions; i++)
        if (column_is_counted(l->conditions[i].column))
            return true;
    return false;
}

static bool
passes(const struct listing *l, const struct object *o)
{
    return passes_conditions(l, o, NULL) && (!l->shadows || sg_shadows_has(l->shadows, (const struct sg_rule *) o));
}

static bool
find_named(struct listing *l, const char *name, struct error *err)
{
    const struct model *m = l->call->controller->model;
    uint32_t tenant = 0;
    if (l->class->has_tenant && !find_tenant(l, &tenant, err))
        return false;
    const struct object *o = model_find(m, l->class->type, tenant, name);
    if (!o || !call_may_see(l->call, o))
        return error_set(err, ERROR_UNKNOWN, "%s '%.200s' does not exist%s%.100s%s", l->class->name, name,
                         l->class->has_tenant ? " in tenant '" : "", l->class->has_tenant ? l->call->tenant : "",
                         l->class->has_tenant ? "'" : "");
    if (passes(l, o))
        take(l, o);
    return true;
}

/* Filters on counters are judged later, and leave at most as many. */
static bool
is_full(const struct listing *l)
{
    return l->n == (judges_drops(l) ? PAGE_ROWS : l->limit);
}

/* False: it is for the next page. */
static bool
look_at(struct listing *l, const struct object *o, size_t n_looks)
{
    bool is_found = n_looks < PAGE_LOOKS && passes(l, o);
    l->is_cut = n_looks == PAGE_LOOKS || (is_found && is_full(l));
    if (l->is_cut)
        return false;
    if (is_found)
        take(l, o);
    l->last = o->number;
    return true;
}

static bool
find_page(struct listing *l, struct error *err)
{
    const struct model *m = l->call->controller->model;
    uint32_t tenant = 0;
    size_t n_looks = 0;
    bool by_tenant = l->class->has_tenant && !l->is_all_tenants;
    if (by_tenant && !find_tenant(l, &tenant, err))
        return false;
    const struct object *o;
    l->last = l->after;
    for (uint32_t after = l->after; (o = model_next(m, l->class->type, after)); after = o->number) {
        if ((by_tenant && o->tenant != tenant) || !call_may_see(l->call, o))
            continue;
        if (!look_at(l, o, n_looks++))
            break;
    }
    return true;
}

static bool
find(struct listing *l, struct error *err)
{
    bool ok = true;
    if (l->is_shadowed)
        l->shadows = sg_shadows_new(l->call->controller->model, SG_SHADOWS_STEPS);
    for (size_t i = 0; ok && i < l->n_names; i++)
        ok = find_named(l, l->wanted_names[i], err);
    if (ok && !l->n_names)
        ok = find_page(l, err);
    sg_shadows_free(l->shadows);
    l->shadows = NULL;
    return ok;
}

/* What is left of what was found when filters on counters are judged, too. */
static void
narrow(struct listing *l, const struct drop_counts *drops)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct object *o = model_get(l->call->controller->model, l->numbers[i], l->class->type);
        if (!o || !passes_conditions(l, o, drops))
            continue;
        if (!l->n_names && n == l->limit) {
            l->is_cut = true;
            l->last = l->numbers[n - 1];
            break;
        }
        l->numbers[n++] = l->numbers[i];
    }
    l->n = n;
}

/* ---- answering ---- */

/* An id would not do: the object may be gone by then. */
static void
link_next(struct listing *l)
{
    char after[32];
    snprintf(after, sizeof after, "number:%u", l->last);
    page_link_next(l->call, after);
}

/* The object may have gone while its counters were read. */
static void
answer_single(struct listing *l, const struct columns_wanted *wanted)
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
is_never_hit(const struct listing *l, uint32_t rule)
{
    struct hits hits;
    bool is_known = rule_hits_of(l->call->controller->hits, rule, &hits) || l->are_hits_read;
    return is_known && !hits.packets;
}

/* Objects may have gone while counters were read. */
static bool
is_shown(const struct listing *l, const struct object *o)
{
    return o && (!l->is_unused || is_never_hit(l, o->number));
}

/* All found, or as many as may go out at once: so many of them. */
static size_t
page_fill(struct page *page, const struct listing *l, const struct columns_wanted *wanted)
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
answer_page(struct listing *l, const struct columns_wanted *wanted)
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
listing_answer(void *aux, const struct drop_counts *drops)
{
    struct listing *l = aux;
    struct columns_wanted wanted = { .names = l->n_columns ? l->columns : NULL,
                                     .n = l->n_columns,
                                     .drops = drops,
                                     .are_hits_read = l->are_hits_read,
                                     .names_hosts = call_may_see_hosts(l->call) };
    if (l->is_single)
        answer_single(l, &wanted);
    else
        answer_page(l, &wanted);
    listing_free(l);
}

static void
drops_read(void *aux, const struct drop_counts *drops)
{
    struct listing *l = aux;
    if (judges_drops(l))
        narrow(l, drops);
    listing_answer(l, drops);
}

static bool
wants_column(const struct listing *l, const char *name)
{
    if (!object_field(l->class, name))
        return false;
    for (size_t i = 0; i < l->n_columns; i++)
        if (!strcmp(l->columns[i], name))
            return true;
    return !l->n_columns;
}

static bool
wants_drops(const struct listing *l)
{
    return judges_drops(l) || wants_column(l, "drops") || wants_column(l, "exhausted");
}

static bool
wants_hits(const struct listing *l)
{
    return l->is_unused || wants_column(l, "connections") || wants_column(l, "packets") || wants_column(l, "bytes")
           || wants_column(l, "last_hit");
}

static void
hits_read(void *aux, bool is_complete)
{
    struct listing *l = aux;
    l->are_hits_read = is_complete;
    listing_answer(l, NULL);
}

static void
listing_run(struct listing *l)
{
    struct error err;
    bool ok = listing_parse(l, &err) && find(l, &err);
    if (!ok)
        listing_fail(l, &err);
    else if (wants_drops(l))
        drop_counts_read(l->call->controller, l->numbers, l->n, drops_read, l);
    else if (wants_hits(l))
        rule_hits_read(l->call->controller->hits, l->numbers, l->n, hits_read, l);
    else
        listing_answer(l, NULL);
}

static struct listing *
listing_new(struct call *call)
{
    struct listing *l = mem_zalloc(sizeof *l);
    l->call = call;
    l->limit = PAGE_ROWS;
    l->class = object_class_by_name(call->path[0]);
    return l;
}

void
api_list(struct call *call)
{
    listing_run(listing_new(call));
}

void
api_get(struct call *call)
{
    struct listing *l = listing_new(call);
    l->is_single = true;
    l->wanted_names[l->n_names++] = call->path[1];
    listing_run(l);
}
