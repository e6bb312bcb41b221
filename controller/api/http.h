/* Calls: a request and its answer, between connections and resources. Which resource is asked for: route.h. */
#ifndef CONTROLLER_API_HTTP_H
#define CONTROLLER_API_HTTP_H 1

#include "base/json.h"
#include "vnet/model/model.h"
#include "vnet/model/principal.h"

struct connection;
struct controller;

/* A parameter of the query, decoded. */
struct call_parameter {
    char *name, *value; /* owned */
};

/* One request being answered. It may outlive its connection: then answers go nowhere. */
struct call {
    struct controller *controller;
    struct connection *connection; /* NULL: the client has gone */
    struct principal principal;
    const char *local_ip;              /* our address that the client came to; "" unix */
    const char *scope;                 /* who asks, told apart from all others: "unix:0", "tls:tenant:acme:ci" */
    struct call_parameter *parameters; /* of the query */
    size_t n_parameters;
    const char *tenant;           /* of the query; "default" */
    char path[3][LIMIT_NAME * 4]; /* decoded parts after /v1/: type, name */
    size_t n_path;
    struct evbuffer *fields;    /* further header lines of the answer */
    void (*gone)(void *aux);    /* called once if the client goes before the answer; may be NULL */
    void (*drained)(void *aux); /* called when a stream's client has read: there may be room again; may be NULL */
    void *aux;
};

/* ---- for who keeps the connections ---- */
struct call *call_new(struct controller *, struct connection *, const struct principal *, const char *scope, const char *local_ip);
/* The connection went while the call waits for something. */
void call_gone(struct call *);
/* Little of the answer is still to be read. */
void call_drained(struct call *);

/* ---- for resources ---- */

/* Parameter of the query; NULL if absent. */
const char *call_query(const struct call *, const char *name);
/* Is a parameter given that is true? */
bool call_flag(const struct call *, const char *name);
/* The query as it came; NULL: none, or the client has gone. */
const char *call_raw_query(const struct call *);
/* Header field of the request; NULL if absent, or the client has gone. */
const char *call_header(const struct call *, const char *name);

/* The body as a JSON object with no other members than those named ("a b c"; NULL: any): a new reference, or NULL with *err. An empty body is an
 * empty object. */
json_t *call_body(const struct call *, const char *members, struct error *) MUST_CHECK;

/* The same in two steps, of which the second may be taken on another thread: the body's bytes, which are the caller's to free; and what they say. */
struct evbuffer *call_take_body(struct call *);
json_t *call_parse_body(struct evbuffer *, const char *members, struct error *) MUST_CHECK;

/* May the caller see objects of this tenant (0: of none), or this object? What it may not see does not exist for it. */
bool call_may_see_tenant(const struct call *, uint32_t tenant);
bool call_may_see(const struct call *, const struct object *);
bool call_may_see_hosts(const struct call *);

/* The answer takes a while; a client that leaves meanwhile is told to gone(). Set that first. */
void call_waits(struct call *);

/* A header line of the answer. */
void call_add_header(struct call *, const char *name, const char *value);

/* Exactly one of these ends a call and frees it. 'take' is dereferenced. */
void call_json(struct call *, int status, json_t *take);
/* Likewise, of what has a large array: written beside the loop. */
void call_json_aside(struct call *, int status, json_t *take);
void call_text(struct call *, int status, const char *type, const char *text);
void call_error(struct call *, const struct error *, int op); /* op -1: none */
void call_empty(struct call *, int status);

/* Begins an answer that goes on for as long as the client listens (event streams). */
void call_stream_begin(struct call *, const char *type);
/* False: the client has gone or does not read; end the call. */
bool call_stream_write(struct call *, const char *text) MUST_CHECK;
/* Whatever the client has read. For who asks call_stream_has_room() before there is more: a client that reads nothing at all is taken for gone after
 * a minute. */
void call_stream_put(struct call *, const void *, size_t n);
#define CALL_STREAM_BYTES (64 << 10)
/* Fewer than CALL_STREAM_BYTES are not read yet; else drained() tells. */
bool call_stream_has_room(const struct call *);
/* 'is_cut': what was begun is not whole. */
void call_stream_end(struct call *, bool is_cut);

#endif
