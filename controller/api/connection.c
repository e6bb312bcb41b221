#include "controller/api/connection.h"

#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/alloc.h"
#include "base/limits.h"

#define LOG_MODULE "api"
#include "base/log.h"

#define HEAD_S 60 /* from the first wait for a request to its last header line */
#define BODY_S 600
#define WRITE_S 60 /* without the client reading anything */
#define LINGER_S 3 /* for the client to read the last answer, while it still sends */
#define SINGLE_READ_BYTES (256 << 10)
#define AHEAD_BYTES (64 << 10) /* read while an answer is on its way, to see the end of the connection behind it */

enum connection_state {
    CONNECTION_HEAD,
    CONNECTION_BODY,
    CONNECTION_HANDLING,
    CONNECTION_WRITING,
    CONNECTION_LINGERING,
    CONNECTION_CLOSED
};

struct connection {
    struct bufferevent *bev;
    const struct connection_ops *ops;
    void *aux, *user;
    enum connection_state state;
    struct event *timer;
    struct event *close; /* frees the connection, from the loop */

    struct http_head head;
    size_t head_bytes;
    struct evbuffer *body;
    size_t body_max;
    uint64_t left; /* bytes of the body, or of the chunk, still to come */
    enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER } chunk;

    bool is_eof;  /* the client sends no more */
    bool is_long; /* and then it does not wait any longer either */
    bool is_last; /* the answer is the last one */
    bool is_streaming, is_chunking;
};

static void
wait_at_most(struct connection *c, long seconds)
{
    struct timeval tv = { seconds, 0 };
    evtimer_add(c->timer, &tv);
}

static void
set_state(struct connection *c, enum connection_state state)
{
    static const char *const names[] = { "HEAD", "BODY", "HANDLING", "WRITING", "LINGERING", "CLOSED" };
    log_dbg("connection %p: %s -> %s", (void *) c, names[c->state], names[state]);
    c->state = state;
    switch (state) {
    case CONNECTION_HEAD: wait_at_most(c, HEAD_S); break;
    case CONNECTION_BODY: wait_at_most(c, BODY_S); break;
    case CONNECTION_LINGERING: wait_at_most(c, LINGER_S); break;
    default: evtimer_del(c->timer);
    }
}

void
connection_drop(struct connection *c)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    set_state(c, CONNECTION_CLOSED);
    bufferevent_disable(c->bev, EV_READ | EV_WRITE);
    bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
    event_active(c->close, 0, 0);
}

/* The client is no longer there, or no longer worth waiting for. */
static void
client_left(struct connection *c)
{
    bool was_handling = c->state == CONNECTION_HANDLING;
    connection_drop(c);
    if (was_handling)
        c->ops->gone(c->aux, c);
}

static void
refuse(struct connection *c, const struct error *err)
{
    c->is_last = true;
    set_state(c, CONNECTION_HANDLING);
    c->ops->bad(c->aux, c, err);
}

/* ---- reading ---- */

/* A line, or NULL: not whole yet, or more than a header may have, which has been refused. */
static char *
take_line(struct connection *c, size_t *n)
{
    struct error err;
    struct evbuffer *in = bufferevent_get_input(c->bev);
    char *line = evbuffer_readln(in, n, EVBUFFER_EOL_CRLF);
    size_t bytes = c->head_bytes + (line ? *n + 2 : evbuffer_get_length(in));
    if (bytes > LIMIT_REQUEST_HEADER_BYTES) {
        free(line);
        error_set(&err, ERROR_TOO_LARGE, "the request's header has more than %d bytes", LIMIT_REQUEST_HEADER_BYTES);
        refuse(c, &err);
        return NULL;
    }
    if (line)
        c->head_bytes = bytes;
    return line;
}

static void
request_complete(struct connection *c)
{
    set_state(c, CONNECTION_HANDLING);
    c->ops->request(c->aux, c);
}

static void
head_complete(struct connection *c)
{
    struct error err;
    bool ok = http_head_finish(&c->head, &err);
    if (ok && c->head.content_length > c->body_max)
        ok = error_set(&err, ERROR_TOO_LARGE, "the request's body has %llu bytes; at most %zu are taken",
                       (unsigned long long) c->head.content_length, c->body_max);
    if (!ok) {
        refuse(c, &err);
        return;
    }
    c->is_last = c->head.is_last;
    c->left = c->head.content_length;
    c->chunk = CHUNK_SIZE;
    if (!c->head.is_chunked && !c->left) {
        request_complete(c);
        return;
    }
    set_state(c, CONNECTION_BODY);
    if (c->head.expects_continue && !evbuffer_get_length(bufferevent_get_input(c->bev)))
        evbuffer_add_printf(bufferevent_get_output(c->bev), "HTTP/1.1 100 Continue\r\n\r\n");
}

/* False: wait for more. */
static bool
read_head(struct connection *c)
{
    size_t n;
    struct error err;
    char *line = take_line(c, &n);
    if (!line)
        return false;
    if (!n) {
        free(line);
        if (c->head.line) /* empty lines before a request are of no account */
            head_complete(c);
    } else if (!http_head_line(&c->head, line, n, &err)) {
        refuse(c, &err);
    }
    return true;
}

static bool
read_bytes(struct connection *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t n = evbuffer_get_length(in);
    if (n > c->left)
        n = (size_t) c->left;
    evbuffer_remove_buffer(in, c->body, n);
    c->left -= n;
    return n;
}

static void
chunk_begin(struct connection *c, const char *line)
{
    struct error err;
    size_t room = c->body_max - evbuffer_get_length(c->body);
    if (!http_chunk_size(line, UINT64_MAX, &c->left)) {
        error_set(&err, ERROR_INVALID, "the request's body is not well chunked");
        refuse(c, &err);
    } else if (c->left > room) {
        error_set(&err, ERROR_TOO_LARGE, "the request's body has more than %zu bytes", c->body_max);
        refuse(c, &err);
    } else {
        c->chunk = c->left ? CHUNK_DATA : CHUNK_TRAILER;
    }
}

static bool
read_chunked(struct connection *c)
{
    size_t n;
    struct error err;
    if (c->chunk == CHUNK_DATA) {
        bool has_read = read_bytes(c);
        if (!c->left)
            c->chunk = CHUNK_END;
        return has_read;
    }
    if (c->chunk == CHUNK_SIZE)
        c->head_bytes = 0; /* the limit is on trailers, and on each line here */
    char *line = take_line(c, &n);
    if (!line)
        return false;
    if (c->chunk == CHUNK_SIZE) {
        chunk_begin(c, line);
    } else if (c->chunk == CHUNK_TRAILER) {
        if (!n)
            request_complete(c);
    } else if (n) {
        error_set(&err, ERROR_INVALID, "the request's body is not well chunked");
        refuse(c, &err);
    } else {
        c->chunk = CHUNK_SIZE;
    }
    free(line);
    return true;
}

static bool
read_body(struct connection *c)
{
    if (c->head.is_chunked)
        return read_chunked(c);
    bool has_read = read_bytes(c);
    if (!c->left)
        request_complete(c);
    return has_read;
}

static void
read_requests(struct connection *c)
{
    bool more = true;
    while (more && c->state <= CONNECTION_BODY)
        more = c->state == CONNECTION_HEAD ? read_head(c) : read_body(c);
    if (c->state <= CONNECTION_BODY && c->is_eof)
        connection_drop(c);
}

static void
on_read(struct bufferevent *bev, void *aux)
{
    struct connection *c = aux;
    struct evbuffer *in = bufferevent_get_input(bev);
    if (c->state == CONNECTION_LINGERING)
        evbuffer_drain(in, evbuffer_get_length(in));
    else if (c->state <= CONNECTION_BODY)
        read_requests(c);
    else if (evbuffer_get_length(in) >= AHEAD_BYTES) /* not a watermark: one that is passed keeps the loop busy */
        bufferevent_disable(bev, EV_READ);
}

/* ---- writing ---- */

static void
put_head(struct connection *c, struct evbuffer *out, int status, const char *fields, const char *length)
{
    char date[40];
    struct tm tm;
    time_t now = time(NULL);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n%s%s%s\r\n", status, http_phrase(status), date, fields, length,
                        c->is_last       ? "Connection: close\r\n"
                        : c->head.is_1_0 ? "Connection: keep-alive\r\n"
                                         : "");
}

static bool
is_without_body(const struct connection *c, int status)
{
    return status == 204 || (c->head.method && !strcmp(c->head.method, "HEAD"));
}

/* The answer is on its way: what was asked may go. */
static void
request_done(struct connection *c)
{
    http_head_done(&c->head);
    evbuffer_drain(c->body, evbuffer_get_length(c->body));
    c->head_bytes = 0;
    c->user = NULL;
    c->is_long = c->is_streaming = c->is_chunking = false;
    set_state(c, CONNECTION_WRITING);
}

/* Most answers fit the socket: written at once they cost no turn of the loop. What does not fit waits for its turn; that the connection
 * has ended is found there too. */
static void
write_now(struct connection *c, struct evbuffer *answer)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    if (!bufferevent_openssl_get_ssl(c->bev) && !evbuffer_get_length(out))
        (void) evbuffer_write(answer, bufferevent_getfd(c->bev));
    evbuffer_add_buffer(out, answer);
    if (!evbuffer_get_length(out))
        bufferevent_trigger(c->bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}

void
connection_reply(struct connection *c, int status, const char *fields, struct evbuffer *body)
{
    char length[48] = "";
    if (status != 204)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", evbuffer_get_length(body));
    struct evbuffer *answer = evbuffer_new();
    put_head(c, answer, status, fields, length);
    if (!is_without_body(c, status))
        evbuffer_add_buffer(answer, body);
    request_done(c);
    write_now(c, answer);
    evbuffer_free(answer);
}

void
connection_begin(struct connection *c, int status, const char *fields, size_t drained_bytes)
{
    bufferevent_setwatermark(c->bev, EV_WRITE, drained_bytes, 0);
    c->is_streaming = true;
    c->is_chunking = !c->head.is_1_0;
    c->is_last = true; /* how an answer of unknown length ends is clear to everyone then */
    put_head(c, bufferevent_get_output(c->bev), status, fields, c->is_chunking ? "Transfer-Encoding: chunked\r\n" : "");
}

bool
connection_write(struct connection *c, const char *text, size_t n, size_t unread_max)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    if (evbuffer_get_length(out) > unread_max)
        return false;
    if (c->is_chunking)
        evbuffer_add_printf(out, "%zx\r\n", n);
    evbuffer_add(out, text, n);
    if (c->is_chunking)
        evbuffer_add(out, "\r\n", 2);
    return true;
}

size_t
connection_unread(const struct connection *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->bev));
}

void
connection_end(struct connection *c)
{
    bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
    if (c->is_chunking)
        evbuffer_add_printf(bufferevent_get_output(c->bev), "0\r\n\r\n");
    request_done(c);
}

/* The output has drained, a stream's to its mark. */
static void
on_write(struct bufferevent *bev, void *aux)
{
    struct connection *c = aux;
    if (c->state == CONNECTION_HANDLING && c->is_streaming)
        c->ops->drained(c->aux, c);
    if (c->state != CONNECTION_WRITING || evbuffer_get_length(bufferevent_get_output(bev)))
        return;
    if (!c->is_last) {
        set_state(c, CONNECTION_HEAD);
        bufferevent_enable(bev, EV_READ);
        read_requests(c);
    } else if (c->is_eof) {
        connection_drop(c);
    } else {
        struct evbuffer *in = bufferevent_get_input(bev);
        set_state(c, CONNECTION_LINGERING);
        shutdown(bufferevent_getfd(bev), SHUT_WR);
        bufferevent_enable(bev, EV_READ);
        evbuffer_drain(in, evbuffer_get_length(in));
    }
}

/* ---- events ---- */

static void
on_event(struct bufferevent *bev, short what, void *aux)
{
    struct connection *c = aux;
    if (what & BEV_EVENT_CONNECTED)
        return;
    bool is_half =
        (what & BEV_EVENT_EOF) && !c->is_long && !c->is_streaming && (c->state == CONNECTION_HANDLING || c->state == CONNECTION_WRITING);
    c->is_eof = true;
    if (!is_half)
        client_left(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *aux)
{
    client_left(aux);
}

static void
on_close(evutil_socket_t fd, short what, void *aux)
{
    struct connection *c = aux;
    c->ops->closed(c->aux, c);
    connection_free(c);
}

/* ---- lifetime ---- */

struct connection *
connection_new(struct event_base *base, struct bufferevent *take, size_t body_max, const struct connection_ops *ops, void *aux)
{
    struct timeval write_timeout = { WRITE_S, 0 };
    struct connection *c = mem_zalloc(sizeof *c);
    *c = (struct connection){ .bev = take, .body_max = body_max, .ops = ops, .aux = aux, .body = evbuffer_new() };
    http_head_init(&c->head);
    c->timer = evtimer_new(base, on_timer, c);
    c->close = event_new(base, -1, 0, on_close, c);
    bufferevent_setcb(take, on_read, on_write, on_event, c);
    bufferevent_set_max_single_read(take, SINGLE_READ_BYTES);
    bufferevent_set_timeouts(take, NULL, &write_timeout);
    bufferevent_enable(take, EV_READ | EV_WRITE);
    set_state(c, CONNECTION_HEAD);
    return c;
}

void
connection_refuse(struct connection *c, const struct error *err)
{
    refuse(c, err);
}

void
connection_free(struct connection *c)
{
    bufferevent_free(c->bev);
    event_free(c->timer);
    event_free(c->close);
    http_head_done(&c->head);
    evbuffer_free(c->body);
    free(c);
}

const struct http_head *
connection_head(const struct connection *c)
{
    return &c->head;
}

struct evbuffer *
connection_body(struct connection *c)
{
    return c->body;
}

void
connection_set_user(struct connection *c, void *user)
{
    c->user = user;
}

void *
connection_user(const struct connection *c)
{
    return c->user;
}

void
connection_expect_long(struct connection *c)
{
    c->is_long = true;
}
