/* HTTP to vnetd, on the loop: requests with an answer each, and one stream of instructions. By libcurl: TLS, unix sockets, connections that
 * are kept. */
#ifndef AGENT_API_CLIENT_H
#define AGENT_API_CLIENT_H 1

#include <event2/event.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"

struct api_client;
struct api_call;

struct api_server {
    const char *server;          /* unix:FILE, https://HOST:PORT, http://HOST:PORT */
    const char *key, *cert, *ca; /* for https */
};

/* Strings are borrowed. */
struct api_client *api_client_new(struct event_base *, const struct api_server *, struct error *) MUST_CHECK;
void api_client_free(struct api_client *); /* calls that are open end with an error */

/* body is borrowed, NULL with *err (vnetd's own, or why there is no answer). Called from the loop, exactly once. */
typedef void api_answer(void *aux, const json_t *body, const struct error *err);
/* 'take_body' NULL: GET. */
void api_client_call(struct api_client *, const char *path, json_t *take_body, unsigned timeout_ms, api_answer *, void *aux);

/* Server-sent events: 'event' for each; 'end' once, when the stream ends however it does, after which it may be opened again. */
struct api_stream_ops {
    void (*event)(void *aux, const char *name, const char *data);
    void (*end)(void *aux, const struct error *err);
};
struct api_call *api_client_stream(struct api_client *, const char *path, const struct api_stream_ops *, void *aux);
/* Not from one of its own callbacks: ends it now, with this as the reason ('end' is called). The call is gone then, as after each end. */
void api_call_give_up(struct api_call *, const char *why);

#endif
