/* What stands before an HTTP/1.1 request's body (RFC 9112), taken line by line from a stranger: method, address, fields. Pure: no
 * connection, no clock. What is ambiguous about a request's length is refused, never guessed. */
#ifndef CONTROLLER_API_HTTP_HEAD_H
#define CONTROLLER_API_HTTP_HEAD_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define HTTP_FIELDS_MAX 64

struct http_head {
    char *line;                /* the first line, cut into strings; owns what the next three point to */
    const char *method, *path; /* the path as it came: not decoded */
    const char *query;         /* likewise, without '?'; NULL: none */
    struct http_field {
        char *name;        /* owned */
        const char *value; /* within the same string */
    } fields[HTTP_FIELDS_MAX];
    size_t n_fields;

    /* After http_head_finish(). */
    bool is_1_0, is_last; /* is_last: the connection ends after the answer */
    bool is_chunked, expects_continue;
    uint64_t content_length; /* not chunked */
};

void http_head_init(struct http_head *);
void http_head_done(struct http_head *);

/* The next line, without its end; 'take' (malloc'ed, n bytes and a 0) is taken over. */
bool http_head_line(struct http_head *, char *take, size_t n, struct error *) MUST_CHECK;
/* All lines are there. */
bool http_head_finish(struct http_head *, struct error *) MUST_CHECK;

/* NULL: absent. Names are compared without regard to case. */
const char *http_head_field(const struct http_head *, const char *name);

/* Decodes %XX (and '+' as a space, if so asked) of raw[0..n). New string, or NULL if it is not well encoded, or no UTF-8, or holds a
 * zero byte. */
char *http_decode(const char *raw, size_t n, bool is_plus_space);

/* The size that a chunk's first line gives; false: malformed, or more than 'max'. */
bool http_chunk_size(const char *line, uint64_t max, uint64_t *size);

/* What a status is called in an answer's first line. */
const char *http_phrase(int status);

#endif
