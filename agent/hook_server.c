#include "agent/hook_server.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "ofproto/session/endpoint.h"

#define LOG_MODULE "hook"
#include "base/log.h"

#define READ_S 10 /* a hook that sends nothing does not stay */
#define CALLS_MAX 256

struct hook_server {
    struct event_base *base;
    struct endpoint_listener *listener;
    hook_handler *handler;
    void *aux;
    struct hook_call *calls;
    unsigned n_calls;
    struct log_limit limit;
};

struct hook_call {
    struct hook_server *server;
    struct hook_call *next, *prev;
    struct bufferevent *bev;
    bool is_taken, is_answered; /* in between, the handler holds the call */
    bool is_gone;               /* nobody waits for the answer any more */
};

static void
call_free(struct hook_call *c)
{
    struct hook_server *s = c->server;
    *(c->prev ? &c->prev->next : &s->calls) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    s->n_calls--;
    bufferevent_free(c->bev);
    endpoint_listener_released(s->listener);
    free(c);
}

static void
on_written(struct bufferevent *bev, void *aux)
{
    struct hook_call *c = aux;
    if (c->is_answered && !evbuffer_get_length(bufferevent_get_output(bev)))
        call_free(c);
}

void
hook_call_answer(struct hook_call *c, const char *refusal)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    char text[HOOK_ANSWER_MAX - 16];
    if (c->is_gone) {
        call_free(c);
        return;
    }
    if (refusal) {
        text_escape(text, sizeof text, refusal);
        evbuffer_add_printf(out, "refused %s\n", text);
    } else {
        evbuffer_add_printf(out, "ok\n");
    }
    c->is_answered = true;
}

/* The sender is done: this is the message. */
static void
take_message(struct hook_call *c)
{
    struct hook_message m;
    struct error err;
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t n = evbuffer_get_length(in);
    const char *bytes = n ? (const char *) evbuffer_pullup(in, -1) : "";
    if (hook_message_parse(bytes, n, &m, &err)) {
        c->is_taken = true;
        c->server->handler(c->server->aux, c, &m);
        return;
    }
    log_warn_limited(&c->server->limit, "%s", err.text);
    call_free(c);
}

/* The end of its stream is the message's end; everything else ends the call, and one that the handler holds once it is answered. */
static void
on_event(struct bufferevent *bev, short what, void *aux)
{
    struct hook_call *c = aux;
    (void) bev;
    if ((what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING) && !c->is_taken)
        take_message(c);
    else if (c->is_taken && !c->is_answered)
        c->is_gone = true;
    else
        call_free(c);
}

static void
on_read(struct bufferevent *bev, void *aux)
{
    struct hook_call *c = aux;
    if (evbuffer_get_length(bufferevent_get_input(bev)) > HOOK_MESSAGE_MAX)
        call_free(c);
}

static bool
is_welcome(const struct hook_server *s, const struct endpoint_peer *peer)
{
    return (!peer->uid || peer->uid == geteuid()) && s->n_calls < CALLS_MAX;
}

static void
on_accepted(void *aux, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    struct hook_server *s = aux;
    struct timeval reading = { READ_S, 0 };
    if (!is_welcome(s, peer)) {
        log_warn_limited(&s->limit, "a hook of uid %u is refused: only root may speak for libvirt, %u at a time", peer->uid, CALLS_MAX);
        bufferevent_free(bev);
        endpoint_listener_released(s->listener);
        return;
    }
    struct hook_call *c = mem_zalloc(sizeof *c);
    *c = (struct hook_call){ .server = s, .next = s->calls, .bev = bev };
    if (s->calls)
        s->calls->prev = c;
    s->calls = c;
    s->n_calls++;
    bufferevent_setcb(bev, on_read, on_written, on_event, c);
    bufferevent_set_timeouts(bev, &reading, &reading);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

struct hook_server *
hook_server_new(struct event_base *base, const char *file, hook_handler *handler, void *aux, struct error *err)
{
    struct endpoint place = { .kind = ENDPOINT_UNIX };
    if (!*file || strlen(file) >= sizeof place.path) {
        error_set(err, ERROR_INVALID, "--socket=%s: the file's name must have 1 to %zu characters", file, sizeof place.path - 1);
        return NULL;
    }
    struct hook_server *s = mem_zalloc(sizeof *s);
    *s = (struct hook_server){ .base = base, .handler = handler, .aux = aux, .limit = LOG_LIMIT(10) };
    snprintf(place.path, sizeof place.path, "%s", file);
    s->listener = endpoint_listen(base, &place, NULL, NULL, on_accepted, s, err);
    if (s->listener)
        return s;
    free(s);
    return NULL;
}

void
hook_server_free(struct hook_server *s)
{
    if (!s)
        return;
    while (s->calls)
        call_free(s->calls);
    endpoint_listener_free(s->listener);
    free(s);
}
