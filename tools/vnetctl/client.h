/* What commands that ask the daemon work with: the connection, the options, and how long there is left. */
#ifndef VNETCTL_CLIENT_H
#define VNETCTL_CLIENT_H 1

#include "tools/vnetctl/http.h"
#include "tools/vnetctl/options.h"
#include "tools/vnetctl/url.h"

#define EXIT_UNCONFIRMED 65

struct client {
    const struct options *options;
    struct http *http;
    int64_t deadline_ms; /* by the monotonic clock */
    int exit_status;     /* what commands found out; 0 so far */
};

/* A command's own connection comes with the first request. */
bool client_init(struct client *, const struct options *, struct error *) MUST_CHECK;
void client_done(struct client *);

/* Whole seconds left until the deadline, at least 1: what the daemon is told. */
int client_seconds_left(const struct client *);

/* "/v1/WHAT" with the tenant of the options in its query. */
void client_url(const struct client *, struct url *, const char *what);

/* '*answer': a new reference. client_get() joins the pages of a listing. */
bool client_get(struct client *, const char *path, json_t **answer, struct error *) MUST_CHECK;
bool client_post(struct client *, const char *path, const json_t *body, json_t **answer, struct error *) MUST_CHECK;

/* As http_exchange(), bounded by the deadline. */
bool client_exchange(struct client *, struct http_request, struct http_answer *, struct error *) MUST_CHECK;

#endif
