/* GET /v1/instance: virtual machines as the hypervisors report them. No objects of the model: listed and filtered here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/api/page.h"
#include "controller/controller.h"
#include "controller/instance/instances.h"
#include "controller/instance/migrations.h"
#include "vnet/model/model_json.h"

#define NAMES_MAX 256

/* A page being filled: of all that the caller may see, in order, or of those that it names. */
struct listing {
    struct call *call;
    uint64_t limit;
    size_t n_names;
    const char *after_name; /* it begins behind this one, which may be gone; NULL: at the first */
    struct uuid after;
    const struct instance **all;
    size_t n, next; /* of 'all', the first that is not looked at */
    struct page page;
};

static const char *const columns[] = { "id", "name", "host", "state", "ports", "since", "last_event", "reason" };

static bool
is_column(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (strlen(columns[i]) == n && !strncmp(columns[i], name, n))
            return true;
    return false;
}

static bool
check_column(const char *name, size_t n, struct error *err)
{
    return is_column(name, n)
           || error_set(err, ERROR_INVALID,
                        "column '%.*s' is unknown; an instance has id, name, host, state, ports, since, "
                        "last_event, reason",
                        (int) (n < 60 ? n : 60), name);
}

bool
api_instance_check_column(const char *column, struct error *err)
{
    return check_column(column, strlen(column), err);
}

static bool
check_columns(const char *text, struct error *err)
{
    for (const char *at = text;; at += strcspn(at, ",") + 1) {
        size_t n = strcspn(at, ",");
        if (n && !check_column(at, n, err))
            return false;
        if (!at[n])
            return true;
    }
}

static bool
may_see_port(void *aux, uint32_t port)
{
    const struct call *call = aux;
    const struct object *o = model_get(call->controller->model, port, OBJECT_PORT);
    return o && call_may_see(call, o);
}

/* By an instance's ports; NULL: it may see all. */
static instances_may_see *
may_see_port_of(const struct call *call)
{
    return call->principal.role == PRINCIPAL_TENANT ? may_see_port : NULL;
}

static bool
may_list(const struct call *call, struct error *err)
{
    return call->principal.role != PRINCIPAL_HOST || principal_may(&call->principal, VERB_READ, NULL, err);
}

/* An id, or what a Link header has, since the instance may be gone by then: ID/NAME. */
static bool
read_after(struct listing *l, const char *text, struct error *err)
{
    char id[UUID_STRLEN];
    const struct instance *i = instances_called(l->call->controller->instances, text, may_see_port_of(l->call), l->call);
    snprintf(id, sizeof id, "%s", text);
    if (i) {
        l->after = instance_id(i);
        l->after_name = instance_name(i);
        return true;
    }
    l->after_name = strlen(text) >= UUID_STRLEN ? text + UUID_STRLEN : "";
    return (*l->after_name && text[UUID_STRLEN - 1] == '/' && uuid_parse(id, &l->after))
           || error_set(err, ERROR_UNKNOWN, "after='%.100s': no instance has this id", text);
}

static bool
read_where(const char *text, struct error *err)
{
    if (!strchr(text, '='))
        return error_set(err, ERROR_INVALID, "where='%.100s': write where=COLUMN=VALUE", text);
    return check_column(text, strcspn(text, "="), err);
}

static bool
read_parameter(struct listing *l, const struct call_parameter *p, struct error *err)
{
    if (!strcmp(p->name, "columns"))
        return check_columns(p->value, err);
    if (!strcmp(p->name, "where"))
        return read_where(p->value, err);
    if (!strcmp(p->name, "limit"))
        return page_limit_parse(p->value, &l->limit, err);
    if (!strcmp(p->name, "after"))
        return read_after(l, p->value, err);
    if (!strcmp(p->name, "name") && ++l->n_names > NAMES_MAX)
        return error_set(err, ERROR_INVALID, "at most %d names in one request", NAMES_MAX);
    return true;
}

/* Name or id is among those asked for. */
static bool
is_named(const struct listing *l, const struct instance *instance)
{
    for (size_t i = 0; i < l->call->n_parameters; i++) {
        const struct call_parameter *p = &l->call->parameters[i];
        if (!strcmp(p->name, "name") && instance_is_called(instance, p->value))
            return true;
    }
    return !l->n_names;
}

static bool
passes(const struct call *call, const json_t *row)
{
    bool ok = true;
    for (size_t i = 0; ok && i < call->n_parameters; i++) {
        const struct call_parameter *p = &call->parameters[i];
        if (strcmp(p->name, "where"))
            continue;
        size_t n = strcspn(p->value, "=");
        char *column = mem_printf("%.*s", (int) n, p->value);
        ok = filter_matches(&(struct filter){ column, p->value + n + 1 }, row);
        free(column);
    }
    return ok;
}

static json_t *
only_columns(const struct call *call, const json_t *row)
{
    const char *wanted = call_query(call, "columns");
    if (!wanted || !*wanted)
        return json_incref((json_t *) row);
    json_t *out = json_object();
    for (const char *at = wanted; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] != 0)) {
        char *name = mem_printf("%.*s", (int) strcspn(at, ","), at);
        json_object_set(out, name, json_object_get(row, name));
        free(name);
    }
    return out;
}

/* Each name asked for must be there. */
static bool
check_names(const struct listing *l, struct error *err)
{
    for (size_t i = 0; i < l->call->n_parameters; i++) {
        size_t k = 0;
        const struct call_parameter *p = &l->call->parameters[i];
        if (strcmp(p->name, "name"))
            continue;
        while (k < l->n && !instance_is_called(l->all[k], p->value))
            k++;
        if (k == l->n)
            return error_set(err, ERROR_UNKNOWN, "instance '%.200s' does not exist", p->value);
    }
    return true;
}

static const struct instance *
find(struct call *call, const char *name)
{
    return instances_called(call->controller->instances, name, may_see_port_of(call), call);
}

json_t *
api_instance_row(struct call *call, const char *name)
{
    struct error unused;
    const struct instance *i = may_list(call, &unused) ? find(call, name) : NULL;
    return i ? instance_json(call->controller->instances, i) : NULL;
}

/* One, with what only it shows. */
void
api_instance(struct call *call)
{
    struct error err;
    const struct controller *c = call->controller;
    bool ok = may_list(call, &err);
    const struct instance *i = ok ? find(call, call->path[1]) : NULL;
    if (i) {
        json_t *row = instance_json(c->instances, i);
        json_object_set_new(row, "counters", instances_counters(c->instances, instance_id(i)));
        json_object_set_new(row, "migrations", migrations_json(c->migrations, instance_id(i)));
        call_json(call, 200, row);
        return;
    }
    if (ok)
        error_set(&err, ERROR_UNKNOWN, "instance '%.200s' does not exist", call->path[1]);
    call_error(call, &err, -1);
}

/* ---- a page ---- */

/* The first behind where it begins. */
static size_t
first_of(const struct listing *l)
{
    size_t first = 0, end = l->after_name ? l->n : 0;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (instance_compare(l->all[middle], l->after_name, l->after) <= 0)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* False: it is for the next page. */
static bool
look_at(struct listing *l, const struct instance *i)
{
    json_t *row = is_named(l, i) ? instance_json(l->call->controller->instances, i) : NULL;
    bool is_found = row && passes(l->call, row), is_room = !page_is_full(&l->page);
    if (is_found && is_room)
        page_put(&l->page, only_columns(l->call, row));
    json_decref(row);
    return !is_found || is_room;
}

/* What is named comes whole. */
static void
fill(struct listing *l)
{
    size_t n_looks = 0;
    l->next = first_of(l);
    while (l->next < l->n && (l->n_names || n_looks++ < PAGE_LOOKS) && look_at(l, l->all[l->next]))
        l->next++;
}

static void
link_next(const struct listing *l)
{
    char id[UUID_STRLEN];
    const struct instance *last = l->all[l->next - 1];
    char *after = mem_printf("%s/%s", uuid_format(instance_id(last), id), instance_name(last));
    page_link_next(l->call, after);
    free(after);
}

static bool
read_parameters(struct listing *l, struct error *err)
{
    for (size_t i = 0; i < l->call->n_parameters; i++)
        if (!read_parameter(l, &l->call->parameters[i], err))
            return false;
    if (l->n_names) {
        l->limit = UINT64_MAX;
        l->after_name = NULL;
    }
    return true;
}

static bool
list(struct listing *l, struct error *err)
{
    if (!may_list(l->call, err) || !read_parameters(l, err))
        return false;
    l->all = instances_by_name(l->call->controller->instances, may_see_port_of(l->call), l->call, &l->n);
    if (!check_names(l, err))
        return false;
    page_init(&l->page, l->limit);
    fill(l);
    if (l->next < l->n && l->n_names)
        return error_set(err, ERROR_TOO_LARGE, "these %zu instances are more than %d bytes: ask for fewer names at a time", l->n_names,
                         PAGE_BYTES);
    return true;
}

void
api_instances(struct call *call)
{
    struct error err;
    struct listing l = { .call = call, .limit = PAGE_ROWS };
    if (!list(&l, &err)) {
        page_done(&l.page);
        call_error(call, &err, -1);
    } else {
        if (l.next < l.n)
            link_next(&l);
        page_answer(&l.page, call);
    }
    free(l.all);
}
