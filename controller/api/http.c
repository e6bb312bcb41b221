#include "controller/api/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/controller.h"
#include "ofproto/session/endpoint.h"

#define LOG_MODULE "api"
#include "base/log.h"

/* A client that neither sends the rest of its request nor takes its answer is cut off after this long. */
#define CLIENT_TIMEOUT_S 60

struct api_listener {
    struct api *api;
    struct evhttp *http;
    enum endpoint_kind kind;
};

struct api {
    struct controller *controller;
    struct api_listener listeners[OPTION_LISTENERS_MAX];
    size_t n_listeners;
};

static const struct api_route routes[] = {
    { "POST", "transactions", 1, api_transaction },
    { "POST", "sync", 1, api_sync },
    { "GET", "events", 1, api_events },
    { "POST", "wait", 1, api_wait },
    { "GET", "verify", 1, api_verify },
    { "POST", "trace", 1, api_trace },
    { "GET", "show", 1, api_show },
    { "GET", "schema", 1, api_schema },
    { "GET", NULL, 1, api_list },
    { "POST", NULL, 1, api_add },
    { "GET", NULL, 2, api_get },
    { "PATCH", NULL, 2, api_set },
    { "DELETE", NULL, 2, api_del },
};

/* ---- who asks ---- */

static bool principal_of(const struct api_listener *l, struct bufferevent *bev, struct principal *p, struct error *err)
{
    *p = (struct principal) { .role = PRINCIPAL_ADMIN };
    if (l->kind == ENDPOINT_TCP) {
        snprintf(p->name, sizeof p->name, "tcp");
        return true;
    }
    if (l->kind == ENDPOINT_TLS) {
        struct endpoint_peer peer;
        return endpoint_tls_identify(bufferevent_openssl_get_ssl(bev), NULL, &peer, err)
            && principal_from_certificate(peer.cn, peer.ou, p, err);
    }
    struct ucred cred;
    socklen_t size = sizeof cred;
    if (getsockopt(bufferevent_getfd(bev), SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
        return error_set(err, ERROR_FORBIDDEN, "who asks cannot be told: %s", strerror(errno));
    p->role = cred.uid ? PRINCIPAL_READER : PRINCIPAL_ADMIN;
    snprintf(p->name, sizeof p->name, "uid %u", (unsigned) cred.uid);
    return true;
}

/* ---- calls ---- */

const char *call_query(const struct call *call, const char *name)
{
    return evhttp_find_header(&call->query, name);
}

json_t *call_body(const struct call *call, struct error *err)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(call->request);
    size_t n = evbuffer_get_length(in);
    if (!n)
        return json_object();
    json_t *body = json_parse((const char *) evbuffer_pullup(in, -1), n, "request body", err);
    if (body && !json_is_object(body)) {
        error_set(err, ERROR_INVALID, "request body: must be a JSON object");
        json_decref(body);
        return NULL;
    }
    return body;
}

void call_patience(struct call *call, double seconds)
{
    evhttp_connection_set_timeout(evhttp_request_get_connection(call->request), CLIENT_TIMEOUT_S + (int) seconds);
}

static void call_free(struct call *call)
{
    if (call->request)
        evhttp_connection_set_closecb(evhttp_request_get_connection(call->request), NULL, NULL);
    evhttp_clear_headers(&call->query);
    free(call);
}

/* The connection went while the call waits for something. libevent frees the request with it, unless it has parted the two: as it does
 * when the client leaves in the middle of an answer. */
static void call_gone(struct evhttp_connection *connection, void *aux)
{
    struct call *call = aux;
    if (!evhttp_request_get_connection(call->request))
        evhttp_request_free(call->request);
    call->request = NULL;
    if (call->gone)
        call->gone(call->aux);
}

static void send_reply(struct call *call, int status, const char *type, struct evbuffer *body)
{
    struct evhttp_request *request = call->request;
    if (request) {
        struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
        if (type)
            evhttp_add_header(headers, "Content-Type", type);
        evhttp_add_header(headers, "Cache-Control", "no-store");
    }
    call_free(call);
    if (request)
        evhttp_send_reply(request, status, NULL, body);
    evbuffer_free(body);
}

void call_text(struct call *call, int status, const char *type, const char *text)
{
    struct evbuffer *body = evbuffer_new();
    evbuffer_add(body, text, strlen(text));
    send_reply(call, status, type, body);
}

void call_json(struct call *call, int status, json_t *take)
{
    struct evbuffer *body = evbuffer_new();
    char *text = json_text(take);
    evbuffer_add(body, text, strlen(text));
    evbuffer_add(body, "\n", 1);
    free(text);
    json_decref(take);
    send_reply(call, status, "application/json", body);
}

void call_empty(struct call *call, int status)
{
    send_reply(call, status, NULL, evbuffer_new());
}

void call_error(struct call *call, const struct error *err, int op)
{
    json_t *error = json_pack("{s:s,s:s}", "code", error_code_name(err->code), "message", err->text);
    if (!error)
        error = json_pack("{s:s,s:s}", "code", error_code_name(err->code), "message", "the request is not UTF-8");
    if (op >= 0)
        json_object_set_new(error, "op", json_integer(op));
    call_json(call, error_code_http(err->code), json_pack("{s:o}", "error", error));
}

/* ---- streams ---- */

bool call_stream_begin(struct call *call, const char *type)
{
    if (!call->request)
        return false;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(call->request);
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    /* A stream is silent for as long as nothing happens. */
    call_patience(call, 24 * 3600);
    evhttp_send_reply_start(call->request, 200, "OK");
    return call->request;
}

bool call_stream_write(struct call *call, const char *text)
{
    if (!call->request)
        return false;
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(call->request));
    if (evbuffer_get_length(bufferevent_get_output(bev)) > LIMIT_CLIENT_BUFFER_BYTES)
        return false;
    struct evbuffer *chunk = evbuffer_new();
    evbuffer_add(chunk, text, strlen(text));
    evhttp_send_reply_chunk(call->request, chunk);
    evbuffer_free(chunk);
    return call->request;
}

void call_stream_end(struct call *call)
{
    struct evhttp_request *request = call->request;
    call_free(call);
    if (request)
        evhttp_send_reply_end(request);
}

/* ---- dispatch ---- */

/* Splits /v1/TYPE[/NAME], decoding each part (so that a name may hold an encoded '/'). */
static bool split_path(struct call *call, const char *path, struct error *err)
{
    if (strncmp(path, "/v1/", 4))
        return error_set(err, ERROR_UNKNOWN, "'%.100s': paths begin with /v1/", path);
    path += 4;
    while (*path && call->n_path < 3) {
        size_t n = strcspn(path, "/"), decoded_n;
        char *raw = mem_printf("%.*s", (int) n, path);
        char *decoded = evhttp_uridecode(raw, 0, &decoded_n);
        free(raw);
        bool fits = decoded && decoded_n == strlen(decoded) && decoded_n < sizeof call->path[0];
        if (fits)
            memcpy(call->path[call->n_path++], decoded, decoded_n + 1);
        free(decoded);
        if (!fits)
            return error_set(err, ERROR_INVALID, "'%.100s': a part of the path is too long or not well encoded", path);
        path += n + (path[n] == '/');
    }
    return true;
}

static const char *method_name(enum evhttp_cmd_type method)
{
    switch (method) {
    case EVHTTP_REQ_GET: return "GET";
    case EVHTTP_REQ_POST: return "POST";
    case EVHTTP_REQ_PATCH: return "PATCH";
    case EVHTTP_REQ_DELETE: return "DELETE";
    default: return "";
    }
}

static const struct api_route *route_find(const struct call *call)
{
    const char *method = method_name(evhttp_request_get_command(call->request));
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct api_route *r = &routes[i];
        if (!strcmp(r->method, method) && r->n_parts == call->n_path
            && (r->first ? !strcmp(r->first, call->path[0]) : object_class_by_name(call->path[0]) != NULL))
            return r;
    }
    return NULL;
}

static void dispatch(struct call *call, const char *path)
{
    struct error err;
    if (!strcmp(path, "/healthz")) {
        api_healthz(call);
    } else if (!strcmp(path, "/metrics")) {
        api_metrics(call);
    } else if (!split_path(call, path, &err)) {
        call_error(call, &err, -1);
    } else {
        const struct api_route *r = route_find(call);
        if (r) {
            r->handle(call);
            return;
        }
        error_set(&err, ERROR_UNKNOWN, "%s %.200s: no such resource; GET /v1/schema lists the types",
                  method_name(evhttp_request_get_command(call->request)), path);
        call_error(call, &err, -1);
    }
}

static void on_request(struct evhttp_request *request, void *aux)
{
    struct api_listener *l = aux;
    struct error err;
    struct call *call = mem_zalloc(sizeof *call);
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    *call = (struct call) { .api = l->api, .controller = l->api->controller, .request = request };
    TAILQ_INIT(&call->query);
    evhttp_connection_set_closecb(connection, call_gone, call);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *query = uri ? evhttp_uri_get_query(uri) : NULL;
    if (!uri || !evhttp_uri_get_path(uri) || (query && evhttp_parse_query_str(query, &call->query) < 0)) {
        error_set(&err, ERROR_INVALID, "the request's address is not well formed");
        call_error(call, &err, -1);
        return;
    }
    if (!principal_of(l, evhttp_connection_get_bufferevent(connection), &call->principal, &err)) {
        call_error(call, &err, -1);
        return;
    }
    const char *tenant = call_query(call, "tenant");
    call->tenant = tenant ? tenant : "default";
    dispatch(call, evhttp_uri_get_path(uri));
}

/* ---- listening ---- */

static struct bufferevent *tls_connection(struct event_base *base, void *aux)
{
    SSL *ssl = SSL_new(aux);
    return bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                          BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
}

static bool listen_one(struct api *api, const char *method, struct error *err)
{
    struct endpoint e;
    struct controller *c = api->controller;
    if (!endpoint_parse(method, &e, err))
        return error_prefix(err, "--api");
    struct evconnlistener *socket = endpoint_listener_socket(c->base, &e, err);
    if (!socket)
        return error_prefix(err, "--api");
    struct api_listener *l = &api->listeners[api->n_listeners++];
    *l = (struct api_listener) { .api = api, .http = evhttp_new(c->base), .kind = e.kind };
    evhttp_set_max_headers_size(l->http, LIMIT_REQUEST_HEADER_BYTES);
    evhttp_set_max_body_size(l->http, LIMIT_REQUEST_BYTES);
    evhttp_set_timeout(l->http, CLIENT_TIMEOUT_S);
    evhttp_set_allowed_methods(l->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE);
    evhttp_set_gencb(l->http, on_request, l);
    if (e.kind == ENDPOINT_TLS)
        evhttp_set_bevcb(l->http, tls_connection, c->tls);
    if (e.kind == ENDPOINT_TCP)
        log_warn("--api=%s is unauthenticated: whoever reaches it is admin", method);
    evhttp_bind_listener(l->http, socket);
    return true;
}

struct api *api_new(struct controller *c, struct error *err)
{
    struct api *api = mem_zalloc(sizeof *api);
    api->controller = c;
    for (size_t i = 0; i < c->options->api.n; i++) {
        if (!listen_one(api, c->options->api.v[i], err)) {
            api_free(api);
            return NULL;
        }
    }
    return api;
}

void api_free(struct api *api)
{
    if (!api)
        return;
    for (size_t i = 0; i < api->n_listeners; i++)
        evhttp_free(api->listeners[i].http);
    free(api);
}
