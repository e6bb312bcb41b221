#include "controller/api/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/http.h"
#include "controller/api/page.h"
#include "controller/columns.h"
#include "controller/controller.h"

struct lookup *
lookup_new(struct call *call)
{
    struct lookup *l = mem_zalloc(sizeof *l);
    l->call = call;
    l->limit = PAGE_ROWS;
    l->class = object_class_by_name(call->path[0]);
    return l;
}

void
lookup_free(struct lookup *l)
{
    for (size_t i = 0; i < l->n_conditions; i++)
        condition_done(&l->conditions[i]);
    free(l->columns_text);
    free(l->numbers);
    free(l);
}

/* ---- what is asked for ---- */

static bool
add_condition(struct lookup *l, const char *text, struct error *err)
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
add_columns(struct lookup *l, const char *text, struct error *err)
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
add_after(struct lookup *l, const char *text, struct error *err)
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

/* Their names are known to be right (route.c). */
static bool
add_parameter(struct lookup *l, const struct call_parameter *p, struct error *err)
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

bool
lookup_parse(struct lookup *l, struct error *err)
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
take(struct lookup *l, const struct object *o)
{
    l->numbers = mem_grow(l->numbers, &l->cap, l->n + 1, sizeof *l->numbers);
    l->numbers[l->n++] = o->number;
}

static bool
find_tenant(const struct lookup *l, uint32_t *tenant, struct error *err)
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
passes_condition(const struct lookup *l, const struct object *o, const struct condition *c, const struct drop_counts *drops)
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
passes_conditions(const struct lookup *l, const struct object *o, const struct drop_counts *drops)
{
    for (size_t i = 0; i < l->n_conditions; i++)
        if (column_is_counted(l->conditions[i].column) == !!drops && !passes_condition(l, o, &l->conditions[i], drops))
            return false;
    return true;
}

bool
lookup_judges_drops(const struct lookup *l)
{
    for (size_t i = 0; i < l->n_conditions; i++)
        if (column_is_counted(l->conditions[i].column))
            return true;
    return false;
}

static bool
passes(const struct lookup *l, const struct object *o)
{
    return passes_conditions(l, o, NULL) && (!l->shadows || sg_shadows_has(l->shadows, (const struct sg_rule *) o));
}

static bool
find_named(struct lookup *l, const char *name, struct error *err)
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
is_full(const struct lookup *l)
{
    return l->n == (lookup_judges_drops(l) ? PAGE_ROWS : l->limit);
}

/* False: it is for the next page. */
static bool
look_at(struct lookup *l, const struct object *o, size_t n_looks)
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
find_page(struct lookup *l, struct error *err)
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

bool
lookup_find(struct lookup *l, struct error *err)
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

void
lookup_narrow(struct lookup *l, const struct drop_counts *drops)
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
