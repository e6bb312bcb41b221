/* The one exchange of a join, with a server that is known by the fingerprint in the token only. */
#ifndef AGENT_JOIN_FETCH_H
#define AGENT_JOIN_FETCH_H 1

#include <stdbool.h>

#include "base/error.h"

struct join_question {
    const char *token, *name, *request;
};

struct join_answer {
    char *certificate, *ca, *manager; /* PEM, PEM, "ssl:192.0.2.100:6640" */
    char *local_ip;                   /* ours, by which the server was reached */
};

/* The token is sent only once the server has proven to have the key that its fingerprint is of. */
bool join_fetch(const char *server, const struct join_question *, struct join_answer *, struct error *) MUST_CHECK;
void join_answer_done(struct join_answer *);

#endif
