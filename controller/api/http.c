#include "controller/api/http.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/api/connection.h"
#include "controller/chores.h"
#include "controller/controller.h"

/* ---- what is asked ---- */

const char *
call_query(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->n_parameters; i++)
        if (!strcmp(call->parameters[i].name, name))
            return call->parameters[i].value;
    return NULL;
}

bool
call_flag(const struct call *call, const char *name)
{
    const char *value = call_query(call, name);
    return value && (!strcmp(value, "true") || !strcmp(value, "1"));
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
