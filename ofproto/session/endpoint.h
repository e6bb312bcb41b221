/* Listening places and connections in Open vSwitch's syntax, for OpenFlow, OVSDB and the API alike: who dialled in,
 * over what, and proven to be whom. Methods: punix:FILE, ptcp:PORT[:IP], pssl:PORT[:IP]. */
#ifndef OFPROTO_SESSION_ENDPOINT_H
#define OFPROTO_SESSION_ENDPOINT_H 1

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum endpoint_kind { ENDPOINT_UNIX, ENDPOINT_TCP, ENDPOINT_TLS };

struct endpoint {
    enum endpoint_kind kind;
    char path[108]; /* ENDPOINT_UNIX */
    char ip[46];    /* "" is every address */
    uint16_t port;
};

/* 'text' is an option's value; *err names it. Passive methods only. */
bool endpoint_parse(const char *text, struct endpoint *, struct error *) MUST_CHECK;

/* Who is on the other side. With TLS, from the verified certificate; CN and OU as cli.md's pki writes them. */
struct endpoint_peer {
    enum endpoint_kind kind;
    char address[64];    /* "192.0.2.11:40312", or "unix" */
    char ip[46];         /* peer's IP, "" for unix */
    char local_ip[46];   /* our address that it came to */
    uint32_t uid;        /* ENDPOINT_UNIX: SO_PEERCRED */
    char cn[65], ou[65]; /* ENDPOINT_TLS */
};

/* A server's TLS settings: certificate, key, CA; peers must present a certificate of that CA; TLS 1.2 or later.
 * NULL with *err (naming the file and `vnetctl pki init`) if they cannot be loaded. Caller frees with SSL_CTX_free(). */
SSL_CTX *endpoint_tls_new(const char *key, const char *cert, const char *ca, struct error *) MUST_CHECK;

/* Accepts connections and, with TLS, finishes the handshake and checks OU ('required_ou', or NULL for any) within LIMIT_HANDSHAKE_MS before
 * 'accepted' is called; who begins too many only ends his own, or the oldest. 'accepted' owns the bufferevent (created with BEV_OPT_CLOSE_ON_FREE,
 * reading disabled, no callbacks set). At most LIMIT_SESSIONS connections are accepted and not yet freed: pair each 'accepted' with
 * endpoint_listener_released(). The program ignores SIGPIPE. */
struct endpoint_listener;
typedef void endpoint_accepted(void *aux, struct bufferevent *, const struct endpoint_peer *);
struct endpoint_listener *endpoint_listen(struct event_base *, const struct endpoint *, SSL_CTX *, const char *required_ou,
                                          endpoint_accepted *, void *aux, struct error *) MUST_CHECK;
/* TLS: peers without a certificate are taken too, with cn and ou ""; what they may is for the owner to say. One that is presented must be of our CA. */
void endpoint_listener_allow_anonymous(struct endpoint_listener *);
void endpoint_listener_released(struct endpoint_listener *);
void endpoint_listener_free(struct endpoint_listener *);
uint16_t endpoint_listener_port(const struct endpoint_listener *); /* when PORT was 0 */

/* ---- for servers that accept by themselves (the HTTP API) ---- */
struct evconnlistener;
/* Binds and listens as endpoint_listen() does (stale unix sockets, modes, options); the caller sets what accepts. */
struct evconnlistener *endpoint_listener_socket(struct event_base *, const struct endpoint *, struct error *) MUST_CHECK;
/* cn and ou of a finished TLS handshake, from the verified certificate; required_ou as above. */
bool endpoint_tls_identify(SSL *, const char *required_ou, struct endpoint_peer *, struct error *) MUST_CHECK;

#endif
