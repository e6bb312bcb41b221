/* One API client's connection: HTTP/1.1 requests read one after the other, each within limits of size and time, and answers
 * written. Knows no resource and no JSON.
 *
 *     HEAD ----> BODY ----> HANDLING -----reply-----> WRITING ----> HEAD ...
 *      |          |         (owner works, or streams)    |
 *      +----------+--- bad(): the owner replies ---------+----> LINGERING ----> closed()
 *
 * A request is read only when the answer before it is on its way, so that a client that does not read cannot make us hold much. What a client
 * sends while it waits stays in the kernel but for a little.
 *
 * Why not libevent's evhttp (2.1): it cannot bound its connections, reads ahead without bound while a request is answered, does not notice
 * a client that leaves meanwhile, and answers its own errors in HTML. */
#ifndef CONTROLLER_API_CONNECTION_H
#define CONTROLLER_API_CONNECTION_H 1

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "controller/api/http_head.h"

struct connection;

/* All are called from the loop. */
struct connection_ops {
    /* A whole request is there: head and body are valid until the reply. */
    void (*request)(void *aux, struct connection *);
    /* What came is no request that we take: reply with this error; the connection ends after it. */
    void (*bad)(void *aux, struct connection *, const struct error *);
    /* At most 'drained_bytes' of an answer begun with connection_begin() are not with the client yet. */
    void (*drained)(void *aux, struct connection *);
    /* The client went while its request was handled: nothing of the connection may be used any more. */
    void (*gone)(void *aux, struct connection *);
    /* The connection is freed after this. Not called by connection_free(). */
    void (*closed)(void *aux, struct connection *);
};

/* 'take' is reading-disabled, without callbacks (endpoint_accepted). */
struct connection *connection_new(struct event_base *, struct bufferevent *take, size_t body_max, const struct connection_ops *, void *aux);
void connection_free(struct connection *); /* at once; not from an op */

/* There is no room for this client: it is told so by bad(), whatever it sends. Right after connection_new(). */
void connection_refuse(struct connection *, const struct error *);

const struct http_head *connection_head(const struct connection *);
struct evbuffer *connection_body(struct connection *);
void connection_set_user(struct connection *, void *user);
void *connection_user(const struct connection *);

/* A client that waits is known to have gone when it ends its sending side; otherwise that is only the end of its requests. */
void connection_expect_long(struct connection *);

/* 'fields' are further header lines, each with CRLF. The body's bytes are moved out of 'body'. Ends the request: head and body are no longer
 * valid. */
void connection_reply(struct connection *, int status, const char *fields, struct evbuffer *body);
/* An answer whose length is not known yet: begin, then write at will. False: more than 'unread_max' bytes wait for the client, nothing was
 * written. */
void connection_begin(struct connection *, int status, const char *fields, size_t drained_bytes);
bool connection_write(struct connection *, const char *text, size_t n, size_t unread_max) MUST_CHECK;
size_t connection_unread(const struct connection *); /* bytes that wait for the client */
void connection_end(struct connection *);

/* Cuts the connection off in the middle of an answer, without a call of gone(). */
void connection_drop(struct connection *);

#endif
