/* A client of the HTTP API as rude as a test wants: bytes to vnetd's unix socket and back, in the same event loop. */
#ifndef TESTS_UNIT_API_CLIENT_H
#define TESTS_UNIT_API_CLIENT_H 1

#include "tests/unit/controller_lab.h"

struct api_client {
    struct controller_lab *lab;
    int fd;
    char *received; /* what is not taken yet; a 0 after it */
    size_t n;
    bool is_closed;                /* by vnetd */
    struct connection *other_side; /* of api_client_as() */
    const struct principal *principal;
};

struct answer {
    int status;
    char *head, *body; /* owned */
};

/* As root, or as nobody (only root can pose so). */
struct api_client *api_client_new(struct controller_lab *, bool as_nobody);
/* As this principal, on a pair of sockets: what TLS would say of a client. The principal must outlive the client. */
struct api_client *api_client_as(struct controller_lab *, const struct principal *);
void api_client_free(struct api_client *);

/* Sends all of it, or until vnetd closes or takes no more. Returns how much went. */
size_t api_client_send(struct api_client *, const void *, size_t n);
void api_client_say(struct api_client *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Until so much has come; false: it does not. */
bool api_client_hears(struct api_client *, const char *text);
bool api_client_is_cut(struct api_client *);

/* The next whole answer (with Content-Length); the test fails if there is none. answer_done() it. */
struct answer api_client_answer(struct api_client *);
void answer_done(struct answer *);

/* A request of its own on the connection, and its answer. body NULL: none; ' for ". */
struct answer api_client_ask(struct api_client *, const char *method, const char *path, const char *body);
/* Likewise on a connection of its own, when the answer's status is all that matters. */
int api_status(struct controller_lab *, const char *method, const char *path, const char *body);

#endif
