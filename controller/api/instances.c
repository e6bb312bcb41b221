/* GET /v1/instance: virtual machines as the hypervisors report them. No objects of the model: listed and filtered here. */
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/controller.h"
#include "controller/instance/instances.h"
#include "controller/instance/migrations.h"
#include "controller/instance/orphan_removal.h"
#include "controller/instance/orphans.h"
#include "vnet/model/model_json.h"

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
check_parameter(const struct call_parameter *p, struct error *err)
{
    if (!strcmp(p->name, "columns"))
        return check_columns(p->value, err);
    if (strcmp(p->name, "where"))
        return true;
    if (!strchr(p->value, '='))
        return error_set(err, ERROR_INVALID, "where='%.100s': write where=COLUMN=VALUE", p->value);
    return check_column(p->value, strcspn(p->value, "="), err);
}

/* Name or id is among those asked for. */
static bool
is_named(const struct call *call, const json_t *row)
{
    bool is_asked = false;
    for (size_t i = 0; i < call->n_parameters; i++) {
        const struct call_parameter *p = &call->parameters[i];
        if (strcmp(p->name, "name"))
            continue;
        is_asked = true;
        if (!strcmp(p->value, json_member_string(row, "name")) || !strcmp(p->value, json_member_string(row, "id")))
            return true;
    }
    return !is_asked;
}

static bool
passes(const struct call *call, const json_t *row)
{
    bool ok = is_named(call, row);
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

static bool
may_see_port(void *aux, uint32_t port)
{
    const struct call *call = aux;
    const struct object *o = model_get(call->controller->model, port, OBJECT_PORT);
    return o && call_may_see(call, o);
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
check_names(const struct call *call, const json_t *rows, struct error *err)
{
    for (size_t i = 0; i < call->n_parameters; i++) {
        size_t k, n_found = 0;
        const json_t *row;
        const struct call_parameter *p = &call->parameters[i];
        if (strcmp(p->name, "name"))
            continue;
        json_array_foreach (rows, k, row)
            n_found += !strcmp(p->value, json_member_string(row, "name")) || !strcmp(p->value, json_member_string(row, "id"));
        if (!n_found)
            return error_set(err, ERROR_UNKNOWN, "instance '%.200s' does not exist", p->value);
    }
    return true;
}

/* All that the caller may see; NULL with *err: it may see none. */
static json_t *
visible_rows(struct call *call, struct error *err)
{
    enum principal_role role = call->principal.role;
    if (role == PRINCIPAL_HOST && !principal_may(&call->principal, VERB_READ, NULL, err))
        return NULL;
    return instances_json(call->controller->instances, role == PRINCIPAL_TENANT ? may_see_port : NULL, call);
}

static json_t *
find_row(const json_t *rows, const char *name)
{
    size_t i;
    json_t *row, *found = NULL;
    json_array_foreach (rows, i, row)
        if (!strcmp(json_member_string(row, "name"), name) || !strcmp(json_member_string(row, "id"), name))
            found = row;
    return json_incref(found);
}

json_t *
api_instance_row(struct call *call, const char *name)
{
    struct error unused;
    json_t *rows = visible_rows(call, &unused), *found = find_row(rows, name);
    json_decref(rows);
    return found;
}

/* One, with what only it shows. */
void
api_instance(struct call *call)
{
    struct error err;
    struct uuid id;
    json_t *rows = visible_rows(call, &err), *found = find_row(rows, call->path[1]);
    if (found && uuid_parse(json_member_string(found, "id"), &id)) {
        json_object_set_new(found, "counters", instances_counters(call->controller->instances, id));
        json_object_set_new(found, "migrations", migrations_json(call->controller->migrations, id));
        call_json(call, 200, json_incref(found));
    } else {
        if (rows)
            error_set(&err, ERROR_UNKNOWN, "instance '%.200s' does not exist", call->path[1]);
        call_error(call, &err, -1);
    }
    json_decref(rows);
    json_decref(found);
}

void
api_instances(struct call *call)
{
    struct error err;
    size_t i;
    json_t *row, *found = json_array();
    bool ok = true;
    for (i = 0; ok && i < call->n_parameters; i++)
        ok = check_parameter(&call->parameters[i], &err);
    json_t *rows = ok ? visible_rows(call, &err) : NULL;
    ok = rows && check_names(call, rows, &err);
    json_array_foreach (rows, i, row)
        if (ok && passes(call, row))
            json_array_append_new(found, only_columns(call, row));
    json_decref(rows);
    if (ok) {
        call_json(call, 200, found);
        return;
    }
    json_decref(found);
    call_error(call, &err, -1);
}

/* Of all tenants and hosts: for who looks after the whole. */
void
api_orphans(struct call *call)
{
    struct error err;
    if (principal_may(&call->principal, VERB_READ, NULL, &err))
        call_json(call, 200, orphans_json(call->controller));
    else
        call_error(call, &err, -1);
}

static void
on_removed(void *aux, json_t *take_removed, json_t *take_left)
{
    call_json(aux, 200, json_pack("{s:o,s:o}", "removed", take_removed, "left", take_left));
}

static void
on_asker_gone(void *aux)
{
    orphan_removal_hurry(aux);
}

/* 'ids', or 'all': true. */
static bool
read_orphans(const json_t *body, const json_t **ids, struct error *err)
{
    bool is_all = json_member_bool(body, "all", false);
    *ids = json_object_get(body, "ids");
    if (is_all ? !*ids : json_is_array(*ids) && json_array_size(*ids))
        return true;
    return error_set(err, ERROR_INVALID, "give either \"ids\", an array of ids or names of orphans, or \"all\": true");
}

void
api_orphans_remove(struct call *call)
{
    struct error err;
    const json_t *ids;
    json_t *body = call_body(call, "ids all", &err);
    bool ok = body && principal_may(&call->principal, VERB_ADMIN, NULL, &err) && read_orphans(body, &ids, &err);
    struct orphan_removal *removal = ok ? orphans_remove(call->controller, ids, on_removed, call, &err) : NULL;
    json_decref(body);
    if (!removal) {
        call_error(call, &err, -1);
        return;
    }
    call->gone = on_asker_gone;
    call->aux = removal;
    call_waits(call);
}
