/* What endpoint.c (places, sockets, acceptance) and endpoint_tls.c (handshakes) share. */
#ifndef OFPROTO_SESSION_ENDPOINT_PRIVATE_H
#define OFPROTO_SESSION_ENDPOINT_PRIVATE_H 1

#include <event2/listener.h>
#include <sys/types.h>

#include "base/log.h"
#include "ofproto/session/endpoint.h"

struct tls_handshake;

struct endpoint_listener {
    struct event_base *base;
    struct evconnlistener *socket;
    struct event *resume; /* accepts again after a pause for want of descriptors */
    struct endpoint place;
    char name[128]; /* for log lines: "pssl:6653" */
    SSL_CTX *ssl;
    char *required_ou;
    bool allows_anonymous;
    endpoint_accepted *accepted;
    void *aux;
    unsigned n_accepted; /* handed over and not released */
    unsigned n_handshakes;
    struct tls_handshake *oldest, *newest;
    dev_t unix_dev; /* the socket file that is ours to remove */
    ino_t unix_ino;
    struct log_limit log;
};

/* Hands a finished connection to the owner. */
void endpoint_deliver(struct endpoint_listener *, struct bufferevent *, const struct endpoint_peer *);

/* Takes 'fd' and starts a handshake that ends in endpoint_deliver() or in a log line. */
void endpoint_tls_start(struct endpoint_listener *, int fd, const struct endpoint_peer *);
void endpoint_tls_stop_all(struct endpoint_listener *);

#endif
