/* Who dials in over TLS. The first byte chooses: what is dialled, by whom the certificate is signed, or that the rest is sent as it is, before
 * any handshake. Else the rest is the certificate's subject: for each name a byte for its field, one for its encoding, one for its length. */
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ofproto/session/endpoint.h"

#define TURNS_MAX 200

enum { IS_RAW = 1, ANY_OU = 2, ALLOWS_ANONYMOUS = 4, IS_ANONYMOUS = 8, IS_STRANGER = 16, IS_CUT = 32 };

static EVP_PKEY *key; /* everybody's */
static X509 *ca;
static SSL_CTX *server;

struct scene {
    struct event_base *base;
    struct endpoint_listener *listener;
    struct bufferevent *client; /* NULL: it is gone */
    uint8_t choice;
    bool is_over;
};

/* ---- certificates ---- */

static X509 *
cert_new(X509_NAME *subject, X509_NAME *issuer)
{
    X509 *cert = X509_new();
    bool is_authority = X509_NAME_cmp(subject, issuer) == 0;
    X509_EXTENSION *constraints = X509V3_EXT_nconf_nid(NULL, NULL, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_subject_name(cert, subject);
    X509_set_issuer_name(cert, issuer);
    X509_set_pubkey(cert, key);
    FUZZ_CLAIM(X509_add_ext(cert, constraints, -1) && X509_sign(cert, key, EVP_sha256()));
    X509_EXTENSION_free(constraints);
    return cert;
}

static X509_NAME *
name_new(const char *cn)
{
    X509_NAME *name = X509_NAME_new();
    FUZZ_CLAIM(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *) cn, -1, -1, 0));
    return name;
}

static X509_NAME *
name_of_input(const uint8_t *data, size_t n)
{
    static const int fields[] = { NID_commonName, NID_organizationalUnitName, NID_organizationName };
    static const int encodings[] = { MBSTRING_UTF8,    MBSTRING_ASC,     V_ASN1_UTF8STRING,
                                     V_ASN1_BMPSTRING, V_ASN1_T61STRING, V_ASN1_UNIVERSALSTRING };
    X509_NAME *name = X509_NAME_new();
    while (n >= 3) {
        int field = fields[data[0] % 3], encoding = encodings[data[1] % 6], length = data[2] < n - 3 ? data[2] : (int) n - 3;
        X509_NAME_add_entry_by_NID(name, field, encoding, data + 3, length, -1, 0);
        data += 3 + length;
        n -= 3 + (size_t) length;
    }
    ERR_clear_error();
    return name;
}

static void
file_write(const char *dir, const char *name, bool is_key, char path[64])
{
    snprintf(path, 64, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    FUZZ_CLAIM(f && (is_key ? PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) : PEM_write_X509(f, ca)));
    fclose(f);
}

/* Files that cannot be used are named. */
static SSL_CTX *
settings_new(void)
{
    char dir[] = "/tmp/vnet-fuzz.XXXXXX", key_path[64], ca_path[64];
    struct error err;
    FUZZ_CLAIM(mkdtemp(dir));
    file_write(dir, "key.pem", true, key_path);
    file_write(dir, "ca.pem", false, ca_path);
    SSL_CTX *ctx = endpoint_tls_new(key_path, ca_path, ca_path, &err);
    FUZZ_CLAIM(ctx);
    FUZZ_CLAIM(!endpoint_tls_new(key_path, key_path, ca_path, &err) && strstr(err.text, key_path));
    FUZZ_CLAIM(!endpoint_tls_new(ca_path, ca_path, ca_path, &err) && strstr(err.text, ca_path));
    FUZZ_CLAIM(!endpoint_tls_new(key_path, ca_path, key_path, &err) && strstr(err.text, key_path));
    unlink(key_path);
    unlink(ca_path);
    FUZZ_CLAIM(!rmdir(dir));
    return ctx;
}

/* ---- both sides ---- */

static void
on_accepted(void *aux, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    struct scene *s = aux;
    bool is_named = *peer->cn && *peer->ou;
    FUZZ_CLAIM(is_named || (s->choice & ALLOWS_ANONYMOUS && s->choice & IS_ANONYMOUS));
    FUZZ_CLAIM(!is_named || (!(s->choice & (IS_STRANGER | IS_ANONYMOUS | IS_RAW)) && (s->choice & ANY_OU || !strcmp(peer->ou, "host"))));
    bufferevent_free(bev);
    endpoint_listener_released(s->listener);
    s->is_over = true;
}

static void
on_client_event(struct bufferevent *bev, short what, void *aux)
{
    struct scene *s = aux;
    if (what & BEV_EVENT_CONNECTED)
        return;
    bufferevent_free(bev);
    s->client = NULL;
    s->is_over = true;
}

static SSL *
client_ssl(const struct scene *s, const uint8_t *data, size_t n)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    X509_NAME *subject = name_of_input(data, n), *stranger = name_new("stranger");
    X509 *cert = cert_new(subject, s->choice & IS_STRANGER ? stranger : X509_get_subject_name(ca));
    if (!(s->choice & IS_ANONYMOUS))
        FUZZ_CLAIM(SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    X509_free(cert);
    X509_NAME_free(stranger);
    X509_NAME_free(subject);
    return ssl;
}

static void
dial(struct scene *s, const uint8_t *data, size_t n)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(endpoint_listener_port(s->listener)),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_CLAIM(!connect(fd, (const struct sockaddr *) &to, sizeof to));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)); /* leaves no port in TIME_WAIT */
    evutil_make_socket_nonblocking(fd);
    if (s->choice & IS_RAW) {
        s->client = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
        bufferevent_write(s->client, data, n);
    } else {
        s->client = bufferevent_openssl_socket_new(s->base, fd, client_ssl(s, data, n), BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
    }
    bufferevent_setcb(s->client, NULL, NULL, on_client_event, s);
    bufferevent_enable(s->client, EV_READ | EV_WRITE);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    log_init("fuzz");
    log_console(false);
    signal(SIGPIPE, SIG_IGN);
    key = EVP_EC_gen("P-256");
    X509_NAME *name = name_new("authority");
    ca = cert_new(name, name);
    X509_NAME_free(name);
    server = settings_new();
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct scene s = { .choice = fuzz_take_byte(&data, &n) };
    struct endpoint e;
    struct error err;
    s.base = event_base_new();
    FUZZ_CLAIM(endpoint_parse("pssl:0:127.0.0.1", &e, &err));
    s.listener = endpoint_listen(s.base, &e, server, s.choice & ANY_OU ? NULL : "host", on_accepted, &s, &err);
    FUZZ_CLAIM(s.listener);
    if (s.choice & ALLOWS_ANONYMOUS)
        endpoint_listener_allow_anonymous(s.listener);
    dial(&s, data, n);
    for (int i = 0; !s.is_over && i < (s.choice & (IS_RAW | IS_CUT) ? 8 : TURNS_MAX); i++) {
        event_base_loopexit(s.base, &(struct timeval){ .tv_usec = 1000 });
        event_base_loop(s.base, EVLOOP_ONCE);
    }
    if (s.client && s.choice & IS_CUT) {
        bufferevent_free(s.client);
        s.client = NULL;
        event_base_loop(s.base, EVLOOP_NONBLOCK);
    }
    endpoint_listener_free(s.listener);
    if (s.client)
        bufferevent_free(s.client);
    event_base_loop(s.base, EVLOOP_NONBLOCK);
    event_base_free(s.base);
    return 0;
}
