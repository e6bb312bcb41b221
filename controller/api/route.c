#include "controller/api/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/connection.h"
#include "controller/api/http.h"

/* How requests are found: by method, first part of the path, and how many parts there are; and what their queries may have besides 'tenant': names
 * with spaces between, "name*" may be given again and again, "name?" is true or false. All else is refused before 'handle' is called. */
struct api_route {
    const char *method, *first; /* first NULL: any type of object */
    unsigned n_parts;
    void (*handle)(struct call *);
    const char *parameters;
};

static const struct api_route routes[] = {
    { "POST", "transactions", 1, api_transaction, "" },
    { "POST", "sync", 1, api_sync, "" },
    { "GET", "events", 1, api_events, "after" },
    { "POST", "wait", 1, api_wait, "" },
    { "GET", "verify", 1, api_verify, "host timeout" },
    { "POST", "trace", 1, api_trace, "" },
    { "GET", "show", 1, api_show, "vpc all_tenants?" },
    { "GET", "schema", 1, api_schema, "" },
    { "POST", "host-token", 1, api_host_token, "" },
    { "POST", "join", 1, api_join, "" },
    { "POST", "agent", 2, api_agent, "host" },
    { "GET", "agent", 2, api_agent, "host beats?" },
    { "GET", "orphan", 1, api_orphans, "limit after" },
    { "POST", "orphan-del", 1, api_orphans_remove, "" },
    { "GET", "instance", 1, api_instances, "all_tenants? where* columns name* limit after" },
    { "GET", "instance", 2, api_instance, "" },
    { "GET", NULL, 1, api_list, "all_tenants? where* columns name* limit after unused? shadowed?" },
    { "POST", NULL, 1, api_add, "" },
    { "GET", NULL, 2, api_get, "columns" },
    { "PATCH", NULL, 2, api_set, "move?" },
    { "DELETE", NULL, 2, api_del, "" },
};

/* ---- the parts of an address ---- */

/* Splits NAME=VALUE[&...]. */
static bool
split_query(struct call *call, const char *query, struct error *err)
{
    size_t cap = 0;
    while (query && *query) {
        size_t n = strcspn(query, "&"), n_name = strcspn(query, "=&");
        struct call_parameter p = { http_decode(query, n_name, true), NULL };
        p.value = n > n_name ? http_decode(query + n_name + 1, n - n_name - 1, true) : mem_strdup("");
        call->parameters = mem_grow(call->parameters, &cap, call->n_parameters + 1, sizeof *call->parameters);
        call->parameters[call->n_parameters++] = p;
        if (!p.name || !p.value)
            return error_set(err, ERROR_INVALID, "the request's query is not well encoded at '%.100s'", query);
        query += n + (query[n] == '&');
    }
    return true;
}

/* Splits /v1/TYPE[/NAME], decoding each part (so that a name may hold an encoded '/'). */
static bool
split_path(struct call *call, const char *path, struct error *err)
{
    if (strncmp(path, "/v1/", 4))
        return error_set(err, ERROR_UNKNOWN, "'%.100s': paths begin with /v1/", path);
    path += 4;
    while (*path && call->n_path < 3) {
        size_t n = strcspn(path, "/");
        char *decoded = http_decode(path, n, false);
        bool fits = decoded && strlen(decoded) < sizeof call->path[0];
        if (fits)
            snprintf(call->path[call->n_path++], sizeof call->path[0], "%s", decoded);
        free(decoded);
        if (!fits)
            return error_set(err, ERROR_INVALID, "'%.100s': a part of the path is too long or not well encoded", path);
        path += n + (path[n] == '/');
    }
    return true;
}

/* ---- parameters ---- */

/* What follows the name in the list: '*', '?', ' ' or 0; -1: it is not there. */
static int
parameter_kind(const char *parameters, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = parameters; *at; at += strspn(at, " ")) {
        size_t n_known = strcspn(at, "*? ");
        if (n_known == n && !memcmp(at, name, n))
            return at[n];
        at += strcspn(at, " ");
    }
    return strcmp(name, "tenant") ? -1 : 0;
}

static bool
refuse_parameter(const char *parameters, const char *name, struct error *err)
{
    char known[200] = "tenant";
    for (const char *at = parameters; *at; at += strspn(at, " *?")) {
        size_t n = strcspn(at, "*? ");
        snprintf(known + strlen(known), sizeof known - strlen(known), ", %.*s", (int) n, at);
        at += n;
    }
    return error_set(err, ERROR_INVALID, "parameter '%.100s' is unknown here; known are: %s", name, known);
}

static bool
is_truth(const char *value)
{
    return !strcmp(value, "true") || !strcmp(value, "1") || !strcmp(value, "false") || !strcmp(value, "0");
}

static bool
check_parameter(const struct call *call, size_t i, const char *parameters, struct error *err)
{
    const struct call_parameter *p = &call->parameters[i];
    int kind = parameter_kind(parameters, p->name);
    if (kind < 0)
        return refuse_parameter(parameters, p->name, err);
    if (kind != '*' && call_query(call, p->name) != p->value)
        return error_set(err, ERROR_INVALID, "parameter '%s' is given twice", p->name);
    if (kind == '?' && !is_truth(p->value))
        return error_set(err, ERROR_INVALID, "parameter '%s=%.100s': write true or false (or 1 or 0)", p->name, p->value);
    return true;
}

static bool
check_parameters(const struct call *call, const char *parameters, struct error *err)
{
    for (size_t i = 0; i < call->n_parameters; i++)
        if (!check_parameter(call, i, parameters, err))
            return false;
    return true;
}

/* ---- finding ---- */

static const struct api_route *
route_find(const struct call *call, const char *method)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct api_route *r = &routes[i];
        if (!strcmp(r->method, method) && r->n_parts == call->n_path
            && (r->first ? !strcmp(r->first, call->path[0]) : object_class_by_name(call->path[0]) != NULL))
            return r;
    }
    return NULL;
}

static void
call_handle(struct call *call, const struct api_route *r)
{
    struct error err;
    if (check_parameters(call, r->parameters, &err))
        r->handle(call);
    else
        call_error(call, &err, -1);
}

void
call_dispatch(struct call *call)
{
    struct error err;
    const struct http_head *head = connection_head(call->connection);
    const struct api_route *r = NULL;
    bool is_get = !strcmp(head->method, "GET") || !strcmp(head->method, "HEAD");
    if (!split_query(call, head->query, &err)) {
        call_error(call, &err, -1);
        return;
    }
    const char *tenant = call_query(call, "tenant");
    call->tenant = tenant ? tenant : "default";
    if (is_get && !strcmp(head->path, "/healthz")) {
        api_healthz(call);
    } else if (is_get && !strcmp(head->path, "/metrics")) {
        api_metrics(call);
    } else if (!split_path(call, head->path, &err)) {
        call_error(call, &err, -1);
    } else if ((r = route_find(call, head->method))) {
        call_handle(call, r);
    } else {
        error_set(&err, ERROR_UNKNOWN, "%.20s %.200s: no such resource; GET /v1/schema lists the types", head->method, head->path);
        call_error(call, &err, -1);
    }
}
