#include "agent/api_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "tools/vnetctl/http.h"

#define CONNECT_MS 3000
#define ANSWER_MAX (16 << 20)
#define STREAM_LINE_MAX (1 << 20)
/* At once: the stream, reports, beats and the hooks of 40 domains that start (libvirtd and another of its daemons have 20 workers each). vnetd
 * takes LIMIT_CLIENTS_OF_ONE. */
#define CONNECTIONS_MAX 48
#define CONNECTIONS_KEPT 8 /* with those that nobody uses for now */

struct api_client {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    struct curl_slist *headers;
    struct options options; /* as vnetctl's TLS wants them */
    char *url;              /* "http://localhost" */
    struct api_call *calls;
};

struct api_call {
    struct api_call *next;
    struct api_client *client;
    CURL *curl;
    char *body;
    struct bytes received;
    char why[CURL_ERROR_SIZE];
    struct http_tls tls;
    api_answer *answer;
    const struct api_stream_ops *stream; /* NULL: a request */
    char *event_name;                    /* of the event whose lines are coming */
    void *aux;
};

/* ---- receiving ---- */

static void
stream_line(struct api_call *call, char *line)
{
    if (!strncmp(line, "event: ", 7)) {
        free(call->event_name);
        call->event_name = mem_strdup(line + 7);
    } else if (!strncmp(line, "data: ", 6) && call->event_name) {
        call->stream->event(call->aux, call->event_name, line + 6);
    }
}

/* Whole lines are taken, the rest waits. */
static void
stream_take(struct api_call *call)
{
    char *text = (char *) call->received.data, *end;
    size_t used = 0;
    while ((end = memchr(text + used, '\n', call->received.n - used))) {
        *end = '\0';
        stream_line(call, text + used);
        used = (size_t) (end - text) + 1;
    }
    call->received.n -= used;
    memmove(text, text + used, call->received.n);
}

static size_t
on_body(char *data, size_t size, size_t n, void *aux)
{
    struct api_call *call = aux;
    if (call->received.n + size * n > (call->stream ? STREAM_LINE_MAX : ANSWER_MAX))
        return 0;
    bytes_put(&call->received, data, size * n);
    if (call->stream)
        stream_take(call);
    return size * n;
}

/* ---- ending ---- */

static void
call_free(struct api_call *call)
{
    struct api_call **p = &call->client->calls;
    while (*p != call)
        p = &(*p)->next;
    *p = call->next;
    curl_multi_remove_handle(call->client->multi, call->curl);
    curl_easy_cleanup(call->curl);
    bytes_done(&call->received);
    free(call->event_name);
    free(call->body);
    free(call);
}

static bool
transfer_error(const struct api_call *call, CURLcode code, struct error *err)
{
    const char *server = call->client->options.server;
    if (call->tls.is_refused)
        return error_set(err, ERROR_UNAVAILABLE, "%s: the server's certificate has OU '%s', that of a daemon has 'vnetd'", server,
                         call->tls.refused_ou);
    return error_set(err, code == CURLE_OPERATION_TIMEDOUT ? ERROR_TIMEOUT : ERROR_UNAVAILABLE, "%s: %s", server,
                     *call->why ? call->why : curl_easy_strerror(code));
}

static enum error_code
code_by_name(const char *name)
{
    for (int i = 0; name && i < N_ERROR_CODES; i++)
        if (!strcmp(error_code_name(i), name))
            return i;
    return ERROR_PROTOCOL;
}

/* The body of an answer, or NULL with *err. */
static json_t *
read_answer(const struct api_call *call, CURLcode code, struct error *err)
{
    long status = 0;
    curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK) {
        transfer_error(call, code, err);
        return NULL;
    }
    json_t *body = json_parse((const char *) call->received.data, call->received.n, "the answer", err);
    if (body && status >= 200 && status < 300)
        return body;
    const json_t *error = json_object_get(body, "error");
    const char *message = json_member_string(error, "message");
    error_set(err, code_by_name(json_member_string(error, "code")), "%s", message ? message : "vnetd's answer is none of vnetd's");
    json_decref(body);
    return NULL;
}

static void
call_ended(struct api_call *call, CURLcode code)
{
    struct error err = { .text = "" };
    json_t *body = read_answer(call, code, &err);
    api_answer *answer = call->answer;
    const struct api_stream_ops *stream = call->stream;
    void *aux = call->aux;
    if (stream && !err.text[0])
        error_set(&err, ERROR_UNAVAILABLE, "vnetd ended the stream");
    call_free(call);
    if (stream)
        stream->end(aux, &err);
    else
        answer(aux, body, &err);
    json_decref(body);
}

static void
look_for_ended(struct api_client *client)
{
    int n;
    for (CURLMsg *m; (m = curl_multi_info_read(client->multi, &n));) {
        struct api_call *call;
        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **) &call);
        call_ended(call, code);
    }
}

/* ---- curl on the loop ---- */

static void
on_socket_ready(evutil_socket_t fd, short what, void *aux)
{
    struct api_client *client = aux;
    int running, action = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(client->multi, fd, action, &running);
    look_for_ended(client);
}

static void
on_timer(evutil_socket_t fd, short what, void *aux)
{
    struct api_client *client = aux;
    int running;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    look_for_ended(client);
}

static int
watch_socket(CURL *curl, curl_socket_t fd, int what, void *aux, void *socket_event)
{
    struct api_client *client = aux;
    if (socket_event)
        event_free(socket_event);
    struct event *event = NULL;
    if (what != CURL_POLL_REMOVE) {
        short wanted = (short) ((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
        event = event_new(client->base, fd, wanted | EV_PERSIST, on_socket_ready, client);
        event_add(event, NULL);
    }
    curl_multi_assign(client->multi, fd, event);
    return 0;
}

static int
set_timer(CURLM *multi, long ms, void *aux)
{
    struct api_client *client = aux;
    struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    if (ms < 0)
        event_del(client->timer);
    else
        event_add(client->timer, &tv);
    return 0;
}

/* ---- asking ---- */

static struct api_call *
call_new(struct api_client *client, const char *path)
{
    struct error unused;
    struct api_call *call = mem_zalloc(sizeof *call);
    const char *server = client->options.server;
    call->client = client;
    call->next = client->calls;
    client->calls = call;
    call->curl = curl_easy_init();
    if (!call->curl)
        abort();
    char *url = mem_printf("%s%s", client->url, path);
    curl_easy_setopt(call->curl, CURLOPT_URL, url);
    free(url);
    curl_easy_setopt(call->curl, CURLOPT_PRIVATE, call);
    curl_easy_setopt(call->curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(call->curl, CURLOPT_USERAGENT, "vnet-agent");
    curl_easy_setopt(call->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(call->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(call->curl, CURLOPT_CONNECTTIMEOUT_MS, (long) CONNECT_MS);
    curl_easy_setopt(call->curl, CURLOPT_ERRORBUFFER, call->why);
    curl_easy_setopt(call->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(call->curl, CURLOPT_WRITEDATA, call);
    if (!strncmp(server, "unix:", 5))
        curl_easy_setopt(call->curl, CURLOPT_UNIX_SOCKET_PATH, server + 5);
    else if (!strncmp(server, "https:", 6) && !http_tls_configure(call->curl, &client->options, &call->tls, &unused))
        abort(); /* api_client_new() has tried it */
    return call;
}

void
api_client_call(struct api_client *client, const char *path, json_t *take_body, unsigned timeout_ms, api_answer *answer, void *aux)
{
    struct api_call *call = call_new(client, path);
    call->answer = answer;
    call->aux = aux;
    curl_easy_setopt(call->curl, CURLOPT_TIMEOUT_MS, (long) timeout_ms);
    if (take_body) {
        call->body = json_text(take_body);
        json_decref(take_body);
        curl_easy_setopt(call->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(call->curl, CURLOPT_POSTFIELDSIZE, (long) strlen(call->body));
        curl_easy_setopt(call->curl, CURLOPT_POSTFIELDS, call->body);
    }
    curl_multi_add_handle(client->multi, call->curl);
}

struct api_call *
api_client_stream(struct api_client *client, const char *path, const struct api_stream_ops *ops, void *aux)
{
    struct api_call *call = call_new(client, path);
    call->stream = ops;
    call->aux = aux;
    curl_easy_setopt(call->curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(call->curl, CURLOPT_TCP_KEEPIDLE, 5L);
    curl_easy_setopt(call->curl, CURLOPT_TCP_KEEPINTVL, 2L);
    curl_multi_add_handle(client->multi, call->curl);
    return call;
}

void
api_call_give_up(struct api_call *call, const char *why)
{
    snprintf(call->why, sizeof call->why, "%s", why);
    call_ended(call, CURLE_OPERATION_TIMEDOUT);
}

/* ---- lifetime ---- */

static bool
check_server(struct api_client *client, struct error *err)
{
    struct http_tls tls;
    const char *server = client->options.server;
    bool is_unix = !strncmp(server, "unix:", 5), is_tls = !strncmp(server, "https://", 8);
    if (!is_unix && !is_tls && strncmp(server, "http://", 7))
        return error_set(err, ERROR_INVALID, "--server=%s: give unix:FILE or https://HOST:PORT", server);
    size_t n = strlen(server);
    client->url = is_unix ? mem_strdup("http://localhost") : mem_printf("%.*s", (int) (server[n - 1] == '/' ? n - 1 : n), server);
    if (!is_tls)
        return true;
    CURL *curl = curl_easy_init();
    bool ok = http_tls_configure(curl, &client->options, &tls, err);
    curl_easy_cleanup(curl);
    return ok;
}

struct api_client *
api_client_new(struct event_base *base, const struct api_server *server, struct error *err)
{
    struct api_client *client = mem_zalloc(sizeof *client);
    client->base = base;
    client->options.server = server->server;
    client->options.key = server->key;
    client->options.certificate = server->cert;
    client->options.ca = server->ca;
    client->timer = evtimer_new(base, on_timer, client);
    client->multi = curl_multi_init();
    client->headers = curl_slist_append(NULL, "Content-Type: application/json");
    client->headers = curl_slist_append(client->headers, "Expect:");
    curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long) CONNECTIONS_MAX);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long) CONNECTIONS_KEPT);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    if (check_server(client, err))
        return client;
    api_client_free(client);
    return NULL;
}

void
api_client_free(struct api_client *client)
{
    if (!client)
        return;
    while (client->calls)
        api_call_give_up(client->calls, "the agent ends");
    curl_multi_cleanup(client->multi);
    event_free(client->timer);
    curl_slist_free_all(client->headers);
    free(client->url);
    free(client);
}
