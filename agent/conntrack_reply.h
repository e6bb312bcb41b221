/* The answer of a daemon of Open vSwitch to one command on its unixctl socket, read as it comes, byte by byte: a dump may have tens of megabytes,
 * and neither is it held nor are guests kept waiting meanwhile. Pure.
 *
 *     {"id":1,"result":"LINE\nLINE\n","error":null}         or        {"id":1,"error":"TEXT"}
 */
#ifndef AGENT_CONNTRACK_REPLY_H
#define AGENT_CONNTRACK_REPLY_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CONNTRACK_REPLY_MAX (64 << 20) /* bytes */
#define CONNTRACK_LINE_MAX 1024        /* several times what a connection takes */

/* A line of the result, without its end. False with *err: no more of it. */
typedef bool conntrack_line(void *aux, const char *line, size_t n, struct error *err);

struct conntrack_reply {
    conntrack_line *each;
    void *aux;
    enum {
        REPLY_BEGIN,
        REPLY_KEY, /* or the end, if none has been */
        REPLY_IN_KEY,
        REPLY_COLON,
        REPLY_VALUE,
        REPLY_IN_STRING,
        REPLY_IN_ESCAPE,
        REPLY_IN_UNICODE,
        REPLY_IN_WORD, /* null, a number */
        REPLY_COMMA,   /* or the end */
        REPLY_DONE
    } state;
    enum { REPLY_MEMBER_OTHER, REPLY_MEMBER_RESULT, REPLY_MEMBER_ERROR } member;
    bool has_result, has_error;
    unsigned unicode, n_unicode;
    size_t n_key, n_line, n_bytes;
    char key[16], line[CONNTRACK_LINE_MAX];
};

void conntrack_reply_init(struct conntrack_reply *, conntrack_line *each, void *aux);
/* False with *err: it is not such an answer, or it is an error. */
bool conntrack_reply_push(struct conntrack_reply *, const char *bytes, size_t n, struct error *) MUST_CHECK;
/* All of it has come, and it has a result. */
bool conntrack_reply_is_whole(const struct conntrack_reply *);

#endif
