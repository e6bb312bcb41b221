/* One connection to the daemon: HTTP over a unix socket, TCP or TLS. Answers are JSON documents; the daemon's errors and the network's
 * come back as 'struct error'. */
#ifndef VNETCTL_HTTP_H
#define VNETCTL_HTTP_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "tools/vnetctl/options.h"

struct http;

struct http_request {
    const char *method; /* "GET", "POST" */
    const char *path;   /* with query */
    const void *body;   /* JSON; NULL none */
    size_t n_body;
    int64_t timeout_ms; /* of the whole exchange */
};

struct http_answer {
    json_t *body;     /* a reference of the caller's */
    char *next;       /* path of the next page; NULL none; free() it */
    int64_t error_op; /* on failure: index of the operation at fault, or -1 */
};

/* Connects at the first request. Strings of the options are borrowed. */
struct http *http_new(const struct options *, struct error *) MUST_CHECK;
void http_free(struct http *); /* NULL is fine */

/* On false the answer holds only 'error_op'. */
bool http_exchange(struct http *, const struct http_request *, struct http_answer *, struct error *) MUST_CHECK;

/* ---- http_tls.c: who the server must be. A CURL handle, as void so that this header needs no curl. ---- */

struct http_tls {
    char refused_ou[80]; /* what the server's certificate says, if that was why it was refused */
    bool is_refused;
};

/* The chain must end in the CA of the options and the certificate's OU be "vnetd"; names of machines do not matter. */
bool http_tls_configure(void *curl, const struct options *, struct http_tls *, struct error *) MUST_CHECK;

#endif
