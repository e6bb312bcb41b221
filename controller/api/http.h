/* HTTP on top of libevent: listeners, who asks, dispatch, answers. Knows no resource. */
#ifndef CONTROLLER_API_HTTP_H
#define CONTROLLER_API_HTTP_H 1

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <sys/queue.h>

#include "base/json.h"
#include "vnet/model/principal.h"

struct api;

/* One request being answered. It may outlive its connection: then answers go nowhere. */
struct call {
    struct api *api;
    struct controller *controller;
    struct evhttp_request *request;      /* NULL: the client has gone */
    struct principal principal;
    struct evkeyvalq query;
    const char *tenant;                  /* of the query; "default" */
    char path[3][LIMIT_NAME * 4];        /* decoded parts after /v1/: type, name */
    size_t n_path;
    void (*gone)(void *aux);             /* called once if the client goes before the answer; may be NULL */
    void *aux;
};

/* Parameter of the query; NULL if absent. */
const char *call_query(const struct call *, const char *name);

/* The body as a JSON object: a new reference, or NULL with *err. An empty body is an empty object. */
json_t *call_body(const struct call *, struct error *) MUST_CHECK;

/* The answer may take this long: until then the connection's silence is no fault. */
void call_patience(struct call *, double seconds);

/* Exactly one of these ends a call and frees it. 'take' is dereferenced. */
void call_json(struct call *, int status, json_t *take);
void call_text(struct call *, int status, const char *type, const char *text);
void call_error(struct call *, const struct error *, int op);            /* op -1: none */
void call_empty(struct call *, int status);

/* Begins an answer that goes on for as long as the client listens (event streams). False: it has gone. */
bool call_stream_begin(struct call *, const char *type);
/* False: the client has gone or does not read; end the call. */
bool call_stream_write(struct call *, const char *text);
void call_stream_end(struct call *);

#endif
