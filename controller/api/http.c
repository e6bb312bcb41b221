#include "controller/api/http.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/api/api.h"
#include "controller/api/connection.h"
#include "controller/chores.h"
#include "controller/controller.h"

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

/* ---- what is asked ---- */

const char *
call_query(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->n_parameters; i++)
        if (!strcmp(call->parameters[i].name, name))
            return call->parameters[i].value;
    return NULL;
}

static bool
is_true(const char *value)
{
    return !strcmp(value, "true") || !strcmp(value, "1");
}

bool
call_flag(const struct call *call, const char *name)
{
    const char *value = call_query(call, name);
    return value && is_true(value);
}

const char *
call_raw_query(const struct call *call)
{
    return call->connection ? connection_head(call->connection)->query : NULL;
}

const char *
call_header(const struct call *call, const char *name)
{
    return call->connection ? http_head_field(connection_head(call->connection), name) : NULL;
}

static bool
is_listed(const char *members, const char *key)
{
    size_t n = strlen(key);
    for (const char *at = members; n && (at = strstr(at, key)); at += n)
        if ((at == members || at[-1] == ' ') && (!at[n] || at[n] == ' '))
            return true;
    return false;
}

static bool
check_members(const json_t *body, const char *members, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *) body, key, value)
        if (members && !is_listed(members, key))
            return error_set(err, ERROR_INVALID, "request body: '%.60s' is unknown; known are: %s", key, members);
    return true;
}

struct evbuffer *
call_take_body(struct call *call)
{
    struct evbuffer *bytes = evbuffer_new();
    evbuffer_add_buffer(bytes, connection_body(call->connection));
    return bytes;
}

json_t *
call_parse_body(struct evbuffer *in, const char *members, struct error *err)
{
    size_t n = evbuffer_get_length(in);
    if (!n)
        return json_object();
    json_t *body = json_parse((const char *) evbuffer_pullup(in, -1), n, "request body", err);
    if (!body)
        return NULL;
    if (!json_is_object(body))
        error_set(err, ERROR_INVALID, "request body: must be a JSON object");
    else if (check_members(body, members, err))
        return body;
    json_decref(body);
    return NULL;
}

json_t *
call_body(const struct call *call, const char *members, struct error *err)
{
    return call_parse_body(connection_body(call->connection), members, err);
}

bool
call_may_see_tenant(const struct call *call, uint32_t tenant)
{
    struct error unused;
    const struct object *o = tenant ? model_get(call->controller->model, tenant, OBJECT_TENANT) : NULL;
    return principal_may(&call->principal, VERB_READ, o ? o->name : NULL, &unused);
}

bool
call_may_see_hosts(const struct call *call)
{
    return call_may_see_tenant(call, 0);
}

bool
call_may_see(const struct call *call, const struct object *o)
{
    return object_class(o->type)->is_public || call_may_see_tenant(call, o->type == OBJECT_TENANT ? o->number : o->tenant);
}

void
call_waits(struct call *call)
{
    if (call->connection)
        connection_expect_long(call->connection);
}

/* ---- answers ---- */

static void
call_free(struct call *call)
{
    for (size_t i = 0; i < call->n_parameters; i++) {
        free(call->parameters[i].name);
        free(call->parameters[i].value);
    }
    free(call->parameters);
    if (call->connection)
        connection_set_user(call->connection, NULL);
    evbuffer_free(call->fields);
    free(call);
}

void
call_add_header(struct call *call, const char *name, const char *value)
{
    evbuffer_add_printf(call->fields, "%s: %s\r\n", name, value);
}

/* All header lines, as text; valid until the call ends. */
static const char *
fields_text(struct call *call, const char *type)
{
    if (type)
        call_add_header(call, "Content-Type", type);
    call_add_header(call, "Cache-Control", "no-store");
    evbuffer_add(call->fields, "", 1);
    return (const char *) evbuffer_pullup(call->fields, -1);
}

static void
send_reply(struct call *call, int status, const char *type, struct evbuffer *body)
{
    if (call->connection)
        connection_reply(call->connection, status, fields_text(call, type), body);
    evbuffer_free(body);
    call_free(call);
}

void
call_text(struct call *call, int status, const char *type, const char *text)
{
    struct evbuffer *body = evbuffer_new();
    evbuffer_add(body, text, strlen(text));
    send_reply(call, status, type, body);
}

static void
free_text(const void *text, size_t n, void *aux)
{
    free((void *) text);
}

static struct evbuffer *
json_bytes(json_t *take)
{
    struct evbuffer *body = evbuffer_new();
    char *text = json_text(take);
    evbuffer_add_reference(body, text, strlen(text), free_text, NULL);
    evbuffer_add(body, "\n", 1);
    json_decref(take);
    return body;
}

void
call_json(struct call *call, int status, json_t *take)
{
    send_reply(call, status, "application/json", json_bytes(take));
}

struct aside {
    struct call *call;
    int status;
    json_t *json;
    struct evbuffer *body;
};

static void
aside_write(void *aux)
{
    struct aside *a = aux;
    a->body = json_bytes(a->json);
}

static void
aside_send(void *aux)
{
    struct aside *a = aux;
    send_reply(a->call, a->status, "application/json", a->body);
    free(a);
}

void
call_json_aside(struct call *call, int status, json_t *take)
{
    struct aside *a = mem_zalloc(sizeof *a);
    *a = (struct aside){ .call = call, .status = status, .json = take };
    call->gone = NULL;
    chores_do(call->controller->chores, aside_write, aside_send, a);
}

void
call_empty(struct call *call, int status)
{
    send_reply(call, status, NULL, evbuffer_new());
}

/* What was asked may stand in the message, cut in the middle of a character. */
static json_t *
error_json(const struct error *err, int op)
{
    char text[ERROR_TEXT_MAX];
    text_escape(text, sizeof text, err->text);
    json_t *error = json_pack("{s:s,s:s}", "code", error_code_name(err->code), "message", text);
    if (op >= 0)
        json_object_set_new(error, "op", json_integer(op));
    return json_pack("{s:o}", "error", error);
}

void
call_error(struct call *call, const struct error *err, int op)
{
    call_json(call, error_code_http(err->code), error_json(err, op));
}

/* ---- streams ---- */

void
call_stream_begin(struct call *call, const char *type)
{
    if (call->connection)
        connection_begin(call->connection, 200, fields_text(call, type), CALL_STREAM_BYTES / 2);
}

bool
call_stream_write(struct call *call, const char *text)
{
    return call->connection && connection_write(call->connection, text, strlen(text), LIMIT_CLIENT_BUFFER_BYTES);
}

void
call_stream_put(struct call *call, const void *text, size_t n)
{
    /* Of any size: what is put is bounded before. */
    bool is_put = !call->connection || connection_write(call->connection, text, n, SIZE_MAX);
    (void) is_put;
}

bool
call_stream_has_room(const struct call *call)
{
    return call->connection && connection_unread(call->connection) < CALL_STREAM_BYTES;
}

void
call_stream_end(struct call *call, bool is_cut)
{
    if (call->connection && is_cut)
        connection_drop(call->connection);
    else if (call->connection)
        connection_end(call->connection);
    call_free(call);
}

/* ---- dispatch ---- */

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
check_parameter(const struct call *call, size_t i, const char *parameters, struct error *err)
{
    const struct call_parameter *p = &call->parameters[i];
    int kind = parameter_kind(parameters, p->name);
    if (kind < 0)
        return refuse_parameter(parameters, p->name, err);
    if (kind != '*' && call_query(call, p->name) != p->value)
        return error_set(err, ERROR_INVALID, "parameter '%s' is given twice", p->name);
    if (kind == '?' && !is_true(p->value) && strcmp(p->value, "false") && strcmp(p->value, "0"))
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

/* ---- a call's begin and end ---- */

struct call *
call_new(struct controller *c, struct connection *connection, const struct principal *principal, const char *scope, const char *local_ip)
{
    struct call *call = mem_zalloc(sizeof *call);
    *call = (struct call){ .controller = c,
                           .connection = connection,
                           .principal = *principal,
                           .scope = scope,
                           .local_ip = local_ip,
                           .tenant = "default",
                           .fields = evbuffer_new() };
    connection_set_user(connection, call);
    return call;
}

void
call_gone(struct call *call)
{
    call->connection = NULL;
    call->scope = NULL;
    call->local_ip = "";
    if (call->gone)
        call->gone(call->aux);
}

void
call_drained(struct call *call)
{
    if (call->drained)
        call->drained(call->aux);
}
