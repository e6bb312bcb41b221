/* TLS on accepted connections: settings, handshake, and who the certificate says is there. Called by endpoint.c only,
 * besides endpoint_tls_new().
 *
 * Invariants: nobody reaches endpoint_deliver() without a certificate of our CA, one CN, one OU and, if one is required, the right OU; but for
 * listeners that take peers without any. A handshake ends within LIMIT_HANDSHAKE_MS. Who begins more of them than one address may, or than all may,
 * ends the oldest of that address, or of all. No session is ever resumed, so that each connection proves itself anew. */
#define LOG_MODULE "endpoint"
#include "ofproto/session/endpoint_private.h"

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

struct tls_handshake {
    struct endpoint_listener *listener;
    struct tls_handshake *older, *newer;
    struct bufferevent *bev;
    struct event *deadline;
    struct endpoint_peer peer;
};

/* ---- settings ---- */

static bool
load_error(const char *what, const char *file, struct error *err)
{
    unsigned long code = ERR_peek_last_error();
    const char *why = code ? ERR_reason_error_string(code) : NULL;
    error_set(err, ERROR_INVALID, "cannot load the %s from '%s': %s; `vnetctl pki init` makes keys and certificates", what, file,
              why ? why : "unknown error");
    ERR_clear_error();
    return false;
}

static bool
load_files(SSL_CTX *ctx, const char *key, const char *cert, const char *ca, struct error *err)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        return load_error("certificate", cert, err);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return load_error("private key", key, err);
    if (SSL_CTX_check_private_key(ctx) != 1) {
        ERR_clear_error();
        return error_set(err, ERROR_INVALID, "the private key '%s' does not belong to the certificate '%s'", key, cert);
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca);
    if (!names)
        return load_error("CA certificate", ca, err);
    SSL_CTX_set_client_CA_list(ctx, names);
    if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1)
        return load_error("CA certificate", ca, err);
    return true;
}

SSL_CTX *
endpoint_tls_new(const char *key, const char *cert, const char *ca, struct error *err)
{
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) {
        error_set(err, ERROR_INTERNAL, "OpenSSL cannot be used");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (load_files(ctx, key, cert, ca, err))
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

/* ---- the certificate ---- */

/* The only value of 'nid' in the subject, as UTF-8 of less than 'size' bytes without a 0. */
static bool
subject_value(const X509_NAME *subject, int nid, char *out, size_t size)
{
    int at = X509_NAME_get_index_by_NID(subject, nid, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, nid, at) >= 0)
        return false;

    unsigned char *text = NULL;
    int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    bool ok = n > 0 && (size_t) n < size && !memchr(text, 0, (size_t) n);
    if (ok) {
        memcpy(out, text, (size_t) n);
        out[n] = '\0';
    }
    OPENSSL_free(text);
    return ok;
}

bool
endpoint_tls_identify(SSL *ssl, const char *required_ou, struct endpoint_peer *peer, struct error *err)
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    long verdict = SSL_get_verify_result(ssl);
    if (!cert || verdict != X509_V_OK) {
        X509_free(cert);
        return error_set(err, ERROR_FORBIDDEN, "its certificate is not of our CA (%s)",
                         cert ? X509_verify_cert_error_string(verdict) : "none was presented");
    }
    const X509_NAME *subject = X509_get_subject_name(cert);
    bool is_named = subject_value(subject, NID_commonName, peer->cn, sizeof peer->cn)
                    && subject_value(subject, NID_organizationalUnitName, peer->ou, sizeof peer->ou);
    X509_free(cert);
    if (!is_named)
        return error_set(err, ERROR_FORBIDDEN, "its certificate must have one CN and one OU of 1 to 64 characters");

    char cn[256], ou[256];
    text_escape(cn, sizeof cn, peer->cn);
    text_escape(ou, sizeof ou, peer->ou);
    if (required_ou && strcmp(required_ou, peer->ou))
        return error_set(err, ERROR_FORBIDDEN, "its certificate (CN=%s) has OU=%s; OU=%s is needed here", cn, ou, required_ou);
    return true;
}

/* ---- the handshake ---- */

static void
handshake_unlink(struct tls_handshake *h)
{
    struct endpoint_listener *l = h->listener;
    *(h->older ? &h->older->newer : &l->oldest) = h->newer;
    *(h->newer ? &h->newer->older : &l->newest) = h->older;
    l->n_handshakes--;
}

/* The bufferevent is the caller's afterwards. */
static struct bufferevent *
handshake_free(struct tls_handshake *h)
{
    struct bufferevent *bev = h->bev;
    handshake_unlink(h);
    event_free(h->deadline);
    bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
    free(h);
    return bev;
}

static void
handshake_refuse(struct tls_handshake *h, const char *why)
{
    log_warn_limited(&h->listener->log, "%s: refusing %s: %s", h->listener->name, h->peer.address, why);
    bufferevent_free(handshake_free(h));
}

static void
handshake_failed(struct tls_handshake *h, short what)
{
    SSL *ssl = bufferevent_openssl_get_ssl(h->bev);
    long verdict = SSL_get_verify_result(ssl);
    unsigned long code = bufferevent_get_openssl_error(h->bev);
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    char why[256];

    if (verdict != X509_V_OK)
        reason = X509_verify_cert_error_string(verdict);
    if (!reason)
        reason = what & BEV_EVENT_EOF ? "the peer closed the connection" : "the connection broke";
    snprintf(why, sizeof why, "TLS handshake failed: %s", reason);
    handshake_refuse(h, why);
}

static bool
is_anonymous(const SSL *ssl)
{
    return !SSL_get0_peer_certificate(ssl);
}

static void
on_handshake_event(struct bufferevent *bev, short what, void *aux)
{
    struct tls_handshake *h = aux;
    struct endpoint_listener *l = h->listener;
    struct endpoint_peer peer = h->peer;
    struct error err;

    if (!(what & BEV_EVENT_CONNECTED)) {
        handshake_failed(h, what);
    } else if (!(l->allows_anonymous && is_anonymous(bufferevent_openssl_get_ssl(bev)))
               && !endpoint_tls_identify(bufferevent_openssl_get_ssl(bev), l->required_ou, &peer, &err)) {
        handshake_refuse(h, err.text);
    } else if (l->n_accepted >= LIMIT_SESSIONS) {
        handshake_refuse(h, "there are too many connections already");
    } else {
        handshake_free(h);
        endpoint_deliver(l, bev, &peer);
    }
}

static void
on_deadline(evutil_socket_t fd, short what, void *aux)
{
    handshake_refuse(aux, "the TLS handshake was not finished in time");
}

static void
make_room(struct endpoint_listener *l, const char *ip)
{
    unsigned n = 0;
    struct tls_handshake *first = NULL;
    for (struct tls_handshake *h = l->newest; h; h = h->older) {
        if (strcmp(h->peer.ip, ip))
            continue;
        first = h;
        n++;
    }
    if (n >= LIMIT_HANDSHAKES_OF_ONE)
        handshake_refuse(first, "too many handshakes of its address are unfinished and its is the oldest");
    else if (l->n_handshakes >= LIMIT_HANDSHAKES)
        handshake_refuse(l->oldest, "too many handshakes are unfinished and its is the oldest");
}

void
endpoint_tls_start(struct endpoint_listener *l, int fd, const struct endpoint_peer *peer)
{
    make_room(l, peer->ip);

    SSL *ssl = SSL_new(l->ssl);
    if (ssl && l->allows_anonymous)
        SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    struct bufferevent *bev =
        ssl ? bufferevent_openssl_socket_new(l->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)
            : NULL;
    if (!bev) {
        SSL_free(ssl);
        close(fd);
        return;
    }
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);

    struct tls_handshake *h = mem_zalloc(sizeof *h);
    h->listener = l;
    h->bev = bev;
    h->peer = *peer;
    h->older = l->newest;
    *(h->older ? &h->older->newer : &l->oldest) = h;
    l->newest = h;
    l->n_handshakes++;
    h->deadline = evtimer_new(l->base, on_deadline, h);
    event_add(h->deadline, &(struct timeval){ .tv_sec = LIMIT_HANDSHAKE_MS / 1000, .tv_usec = LIMIT_HANDSHAKE_MS % 1000 * 1000 });
    bufferevent_setcb(bev, NULL, NULL, on_handshake_event, h);
}

void
endpoint_tls_stop_all(struct endpoint_listener *l)
{
    while (l->oldest)
        bufferevent_free(handshake_free(l->oldest));
}
