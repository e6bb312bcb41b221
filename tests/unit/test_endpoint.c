/* Places to listen at and who may come in: syntax, sockets of every kind, certificates good and bad. */
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "ofproto/session/endpoint.h"
#include "tests/unit/test_pki.h"

/* ---- a listener and what came to it ---- */

struct world {
    struct event_base *base;
    struct endpoint_listener *listener;
    char dir[40];
    int n_accepted;
    struct endpoint_peer peer;
    struct bufferevent *accepted;
    bool client_is_done, client_failed;
};

static void
on_accepted(void *aux, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    struct world *w = aux;
    w->n_accepted++;
    w->peer = *peer;
    if (w->accepted)
        bufferevent_free(w->accepted);
    w->accepted = bev;
}

static int
setup(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);
    w->base = event_base_new();
    strcpy(w->dir, "/tmp/vnet-test-XXXXXX");
    *state = w;
    return mkdtemp(w->dir) ? 0 : -1;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    char *command = mem_printf("rm -rf '%s'", w->dir);
    endpoint_listener_free(w->listener);
    if (w->accepted)
        bufferevent_free(w->accepted);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    event_base_free(w->base);
    int status = system(command);
    free(command);
    free(w);
    return status;
}

static bool
wait_for(struct world *w, const bool *claim, int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t end = t.tv_sec * 1000 + t.tv_nsec / 1000000 + ms;
    for (;;) {
        clock_gettime(CLOCK_MONOTONIC, &t);
        int64_t left = end - (t.tv_sec * 1000 + t.tv_nsec / 1000000);
        if (*claim || left <= 0)
            return *claim;
        event_base_loopexit(w->base, &(struct timeval){ .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 });
        event_base_loop(w->base, EVLOOP_ONCE);
    }
}

static bool
wait_for_accepted(struct world *w)
{
    for (int i = 0; i < 2000 && !w->n_accepted; i++)
        event_base_loop(w->base, EVLOOP_ONCE);
    return w->n_accepted > 0;
}

static void
listen_at(struct world *w, const char *text, SSL_CTX *ssl, const char *ou)
{
    struct endpoint e;
    struct error err = { 0 };
    bool parsed = endpoint_parse(text, &e, &err);
    assert_true(parsed);
    w->listener = endpoint_listen(w->base, &e, ssl, ou, on_accepted, w, &err);
    if (!w->listener)
        print_error("%s\n", err.text);
    assert_non_null(w->listener);
}

static int
dial_v4(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &a, sizeof a), 0);
    return fd;
}

static int
dial_unix(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    strcpy(a.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &a, sizeof a), 0);
    return fd;
}

/* ---- syntax ---- */

static void
places_are_parsed(void **state)
{
    struct endpoint e;
    struct error err;
    assert_true(endpoint_parse("punix:/run/vnet/vnetd.sock", &e, &err));
    assert_int_equal(e.kind, ENDPOINT_UNIX);
    assert_string_equal(e.path, "/run/vnet/vnetd.sock");
    assert_true(endpoint_parse("ptcp:6640", &e, &err));
    assert_int_equal(e.kind, ENDPOINT_TCP);
    assert_int_equal(e.port, 6640);
    assert_string_equal(e.ip, "");
    assert_true(endpoint_parse("pssl:0:192.0.2.7", &e, &err));
    assert_int_equal(e.kind, ENDPOINT_TLS);
    assert_string_equal(e.ip, "192.0.2.7");
    assert_true(endpoint_parse("pssl:65535:[2001:db8:0::1]", &e, &err));
    assert_string_equal(e.ip, "2001:db8::1");
}

static void
what_is_no_place_is_refused_by_name(void **state)
{
    static const char *const bad[] = {
        "",
        "punix:",
        "ptcp:",
        "ptcp:x",
        "ptcp:65536",
        "ptcp:-1",
        "ptcp: 1",
        "ptcp:1:",
        "ptcp:1:host",
        "ptcp:1:1.2.3",
        "ptcp:1:::1",
        "ptcp:1:[::1",
        "ptcp:1:[]",
        "ptcp:1:[1.2.3.4]",
        "ptcp:1x",
        "tcp:1.2.3.4:1",
        "ssl:1",
        "unix:/a",
        "ptcp:99999999999999999999",
        "ptcp:1:[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]",
        "punix:/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct endpoint e;
        struct error err = { 0 };
        assert_false(endpoint_parse(bad[i], &e, &err));
        assert_non_null(strstr(err.text, bad[i]));
    }
}

/* ---- plain sockets ---- */

static void
a_tcp_peer_is_known_by_its_address(void **state)
{
    struct world *w = *state;
    listen_at(w, "ptcp:0:127.0.0.1", NULL, NULL);
    uint16_t port = endpoint_listener_port(w->listener);
    assert_int_not_equal(port, 0);
    int fd = dial_v4(port);
    assert_true(wait_for_accepted(w));
    assert_int_equal(w->peer.kind, ENDPOINT_TCP);
    assert_string_equal(w->peer.ip, "127.0.0.1");
    assert_string_equal(w->peer.local_ip, "127.0.0.1");
    assert_int_equal(strncmp(w->peer.address, "127.0.0.1:", 10), 0);
    assert_int_equal(bufferevent_get_enabled(w->accepted) & EV_READ, 0);
    close(fd);
}

static void
every_address_means_both_families_and_ipv4_keeps_its_form(void **state)
{
    struct world *w = *state;
    listen_at(w, "ptcp:0", NULL, NULL);
    int fd = dial_v4(endpoint_listener_port(w->listener));
    assert_true(wait_for_accepted(w));
    assert_string_equal(w->peer.ip, "127.0.0.1");
    assert_string_equal(w->peer.local_ip, "127.0.0.1");
    close(fd);
}

static void
an_ipv6_peer_is_written_in_brackets(void **state)
{
    struct world *w = *state;
    listen_at(w, "ptcp:0:[::1]", NULL, NULL);
    struct sockaddr_in6 a = { .sin6_family = AF_INET6,
                              .sin6_port = htons(endpoint_listener_port(w->listener)),
                              .sin6_addr = in6addr_loopback };
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &a, sizeof a), 0);
    assert_true(wait_for_accepted(w));
    assert_string_equal(w->peer.ip, "::1");
    assert_int_equal(strncmp(w->peer.address, "[::1]:", 6), 0);
    close(fd);
}

static void
a_port_in_use_is_a_conflict(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };
    listen_at(w, "ptcp:0:127.0.0.1", NULL, NULL);
    struct endpoint e = { .kind = ENDPOINT_TCP, .ip = "127.0.0.1", .port = endpoint_listener_port(w->listener) };
    assert_null(endpoint_listen(w->base, &e, NULL, NULL, on_accepted, w, &err));
    assert_int_equal(err.code, ERROR_CONFLICT);
}

static void
a_unix_peer_is_known_by_its_uid_and_anybody_may_connect(void **state)
{
    struct world *w = *state;
    struct stat st;
    char *path = mem_printf("%s/sock", w->dir), *text = mem_printf("punix:%s", path);
    listen_at(w, text, NULL, NULL);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
    int fd = dial_unix(path);
    assert_true(wait_for_accepted(w));
    assert_int_equal(w->peer.kind, ENDPOINT_UNIX);
    assert_int_equal(w->peer.uid, getuid());
    assert_string_equal(w->peer.address, "unix");
    close(fd);
    endpoint_listener_free(w->listener);
    w->listener = NULL;
    assert_int_not_equal(stat(path, &st), 0);
    free(path);
    free(text);
}

static void
a_stale_socket_is_replaced_and_a_live_one_is_not(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };
    struct endpoint e;
    char *path = mem_printf("%s/sock", w->dir), *text = mem_printf("punix:%s", path);
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    strcpy(a.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &a, sizeof a), 0);
    close(fd);

    listen_at(w, text, NULL, NULL);
    assert_true(endpoint_parse(text, &e, &err));
    assert_null(endpoint_listen(w->base, &e, NULL, NULL, on_accepted, w, &err));
    assert_int_equal(err.code, ERROR_CONFLICT);
    fd = dial_unix(path);
    assert_true(wait_for_accepted(w));
    close(fd);
    free(path);
    free(text);
}

static void
a_file_that_is_no_socket_is_left_alone(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };
    struct endpoint e = { .kind = ENDPOINT_UNIX };
    struct stat st;
    snprintf(e.path, sizeof e.path, "%s/precious", w->dir);
    fclose(fopen(e.path, "w"));
    assert_null(endpoint_listen(w->base, &e, NULL, NULL, on_accepted, w, &err));
    assert_non_null(strstr(err.text, "not a socket"));
    assert_int_equal(stat(e.path, &st), 0);
}

/* ---- certificates ---- */

static SSL_CTX *
server_ctx(struct world *w, const struct identity *ca, struct error *err)
{
    struct identity server = identity_new(ca, "vnetd", "vnetd", NULL);
    char key[80], cert[80], ca_cert[80];
    identity_write(w->dir, "vnetd", &server);
    identity_write(w->dir, "ca", ca);
    identity_free(&server);
    snprintf(key, sizeof key, "%s/vnetd-key.pem", w->dir);
    snprintf(cert, sizeof cert, "%s/vnetd-cert.pem", w->dir);
    snprintf(ca_cert, sizeof ca_cert, "%s/ca-cert.pem", w->dir);
    return endpoint_tls_new(key, cert, ca_cert, err);
}

static void
on_client_event(struct bufferevent *bev, short what, void *aux)
{
    struct world *w = aux;
    if (what & (BEV_EVENT_ERROR | BEV_EVENT_EOF))
        w->client_failed = w->client_is_done = true;
}

/* Connects with this certificate, or none, and at most this TLS version; true if the listener accepted. */
static bool
tls_dial(struct world *w, const struct identity *id, int max_version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (id) {
        SSL_CTX_use_certificate(ctx, id->cert);
        SSL_CTX_use_PrivateKey(ctx, id->key);
    }
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_max_proto_version(ctx, max_version);
    struct bufferevent *bev = bufferevent_openssl_socket_new(w->base, dial_v4(endpoint_listener_port(w->listener)), SSL_new(ctx),
                                                             BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    evutil_make_socket_nonblocking(bufferevent_getfd(bev));
    w->client_is_done = w->client_failed = false;
    w->n_accepted = 0;
    bufferevent_setcb(bev, NULL, NULL, on_client_event, w);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    for (int i = 0; i < 2000 && !w->n_accepted && !w->client_is_done; i++)
        event_base_loop(w->base, EVLOOP_ONCE);
    bufferevent_free(bev);
    SSL_CTX_free(ctx);
    return w->n_accepted == 1;
}

static void
a_host_with_our_certificate_comes_in_and_is_known_by_it(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };
    struct identity ca = identity_new(NULL, "ca", "ca", NULL), host = identity_new(&ca, "hv1", "host", NULL);
    SSL_CTX *ssl = server_ctx(w, &ca, &err);
    assert_non_null(ssl);
    listen_at(w, "pssl:0:127.0.0.1", ssl, "host");
    assert_true(tls_dial(w, &host, TLS1_3_VERSION));
    assert_int_equal(w->peer.kind, ENDPOINT_TLS);
    assert_string_equal(w->peer.cn, "hv1");
    assert_string_equal(w->peer.ou, "host");
    assert_true(tls_dial(w, &host, TLS1_2_VERSION));
    SSL_CTX_free(ssl);
    identity_free(&ca);
    identity_free(&host);
}

static void
strangers_are_kept_out(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };
    struct identity ca = identity_new(NULL, "ca", "ca", NULL), other = identity_new(NULL, "ca", "ca", NULL);
    struct identity client = identity_new(&ca, "hv1", "admin", NULL), forged = identity_new(&other, "hv1", "host", NULL);
    struct identity nameless = identity_new(&ca, NULL, "host", NULL), kindless = identity_new(&ca, "hv1", NULL, NULL);
    struct identity double_named = identity_new(&ca, "hv1", "host", "hv2"), own = identity_new(NULL, "hv1", "host", NULL);
    struct identity host = identity_new(&ca, "hv1", "host", NULL);
    SSL_CTX *ssl = server_ctx(w, &ca, &err);
    assert_non_null(ssl);
    listen_at(w, "pssl:0:127.0.0.1", ssl, "host");

    assert_false(tls_dial(w, &client, TLS1_3_VERSION));
    assert_false(tls_dial(w, &forged, TLS1_3_VERSION));
    assert_false(tls_dial(w, &nameless, TLS1_3_VERSION));
    assert_false(tls_dial(w, &kindless, TLS1_3_VERSION));
    assert_false(tls_dial(w, &double_named, TLS1_3_VERSION));
    assert_false(tls_dial(w, &own, TLS1_3_VERSION));
    assert_false(tls_dial(w, NULL, TLS1_3_VERSION));
    assert_false(tls_dial(w, &host, TLS1_1_VERSION));
    assert_true(tls_dial(w, &host, TLS1_3_VERSION));

    SSL_CTX_free(ssl);
    struct identity *all[] = { &ca, &other, &client, &forged, &nameless, &kindless, &double_named, &own, &host };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        identity_free(all[i]);
}

static void
without_a_required_kind_any_of_our_certificates_comes_in(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };
    struct identity ca = identity_new(NULL, "ca", "ca", NULL), client = identity_new(&ca, "ann", "tenant:blue", NULL);
    SSL_CTX *ssl = server_ctx(w, &ca, &err);
    assert_non_null(ssl);
    listen_at(w, "pssl:0:127.0.0.1", ssl, NULL);
    assert_true(tls_dial(w, &client, TLS1_3_VERSION));
    assert_string_equal(w->peer.ou, "tenant:blue");
    SSL_CTX_free(ssl);
    identity_free(&ca);
    identity_free(&client);
}

static void
garbage_instead_of_a_handshake_ends_the_connection(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };
    struct identity ca = identity_new(NULL, "ca", "ca", NULL);
    SSL_CTX *ssl = server_ctx(w, &ca, &err);
    assert_non_null(ssl);
    listen_at(w, "pssl:0:127.0.0.1", ssl, "host");
    struct bufferevent *bev = bufferevent_socket_new(w->base, dial_v4(endpoint_listener_port(w->listener)), BEV_OPT_CLOSE_ON_FREE);
    evutil_make_socket_nonblocking(bufferevent_getfd(bev));
    bufferevent_setcb(bev, NULL, NULL, on_client_event, w);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    bufferevent_write(bev, "GET / HTTP/1.0\r\n\r\n", 18);
    assert_true(wait_for(w, &w->client_is_done, 5000));
    assert_int_equal(w->n_accepted, 0);
    bufferevent_free(bev);
    SSL_CTX_free(ssl);
    identity_free(&ca);
}

static void
a_handshake_that_does_not_come_ends_in_time(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };
    struct identity ca = identity_new(NULL, "ca", "ca", NULL);
    SSL_CTX *ssl = server_ctx(w, &ca, &err);
    assert_non_null(ssl);
    listen_at(w, "pssl:0:127.0.0.1", ssl, "host");
    struct bufferevent *bev = bufferevent_socket_new(w->base, dial_v4(endpoint_listener_port(w->listener)), BEV_OPT_CLOSE_ON_FREE);
    evutil_make_socket_nonblocking(bufferevent_getfd(bev));
    bufferevent_setcb(bev, NULL, NULL, on_client_event, w);
    bufferevent_enable(bev, EV_READ);
    assert_false(wait_for(w, &w->client_is_done, 8000));
    assert_true(wait_for(w, &w->client_is_done, 5000));
    bufferevent_free(bev);
    SSL_CTX_free(ssl);
    identity_free(&ca);
}

static int
dial_from(const char *ip, uint16_t port)
{
    struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET, .sin_port = htons(port) };
    inet_pton(AF_INET, ip, &from.sin_addr);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &from, sizeof from), 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &to, sizeof to), 0);
    return fd;
}

static bool
is_cut(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
    return !n || (n < 0 && errno == ECONNRESET);
}

static void
until_cut(struct world *w, int fd)
{
    for (int i = 0; i < 5000 && !is_cut(fd); i++) {
        event_base_loopexit(w->base, &(struct timeval){ .tv_usec = 1000 });
        event_base_dispatch(w->base);
    }
    assert_true(is_cut(fd));
}

/* One that came before them all is left alone, and who has a certificate comes in. */
static void
who_begins_too_many_handshakes_ends_only_their_own(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };
    int crowd[LIMIT_HANDSHAKES_OF_ONE + 2];
    const size_t n = sizeof crowd / sizeof *crowd;
    struct identity ca = identity_new(NULL, "ca", "ca", NULL), host = identity_new(&ca, "hv1", "host", NULL);
    SSL_CTX *ssl = server_ctx(w, &ca, &err);
    assert_non_null(ssl);
    listen_at(w, "pssl:0:127.0.0.1", ssl, "host");
    int other = dial_from("127.0.0.2", endpoint_listener_port(w->listener));
    for (size_t i = 0; i < n; i++)
        crowd[i] = dial_from("127.0.0.3", endpoint_listener_port(w->listener));
    until_cut(w, crowd[0]);
    until_cut(w, crowd[1]);
    for (size_t i = 2; i < n; i++)
        assert_false(is_cut(crowd[i]));
    assert_false(is_cut(other));
    assert_true(tls_dial(w, &host, TLS1_3_VERSION));
    for (size_t i = 0; i < n; i++)
        close(crowd[i]);
    close(other);
    SSL_CTX_free(ssl);
    identity_free(&ca);
    identity_free(&host);
}

static void
missing_certificates_are_named_with_the_way_out(void **state)
{
    struct world *w = *state;
    struct error err = { 0 };
    struct endpoint e;
    assert_null(endpoint_tls_new("/nowhere/key.pem", "/nowhere/cert.pem", "/nowhere/ca.pem", &err));
    assert_non_null(strstr(err.text, "/nowhere/cert.pem"));
    assert_non_null(strstr(err.text, "vnetctl pki init"));
    assert_true(endpoint_parse("pssl:0:127.0.0.1", &e, &err));
    assert_null(endpoint_listen(w->base, &e, NULL, NULL, on_accepted, w, &err));
    assert_non_null(strstr(err.text, "vnetctl pki init"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_parsed),
        cmocka_unit_test(what_is_no_place_is_refused_by_name),
        cmocka_unit_test_setup_teardown(a_tcp_peer_is_known_by_its_address, setup, teardown),
        cmocka_unit_test_setup_teardown(every_address_means_both_families_and_ipv4_keeps_its_form, setup, teardown),
        cmocka_unit_test_setup_teardown(an_ipv6_peer_is_written_in_brackets, setup, teardown),
        cmocka_unit_test_setup_teardown(a_port_in_use_is_a_conflict, setup, teardown),
        cmocka_unit_test_setup_teardown(a_unix_peer_is_known_by_its_uid_and_anybody_may_connect, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stale_socket_is_replaced_and_a_live_one_is_not, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_socket_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_host_with_our_certificate_comes_in_and_is_known_by_it, setup, teardown),
        cmocka_unit_test_setup_teardown(strangers_are_kept_out, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_required_kind_any_of_our_certificates_comes_in, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_instead_of_a_handshake_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(a_handshake_that_does_not_come_ends_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(who_begins_too_many_handshakes_ends_only_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_certificates_are_named_with_the_way_out, setup, teardown),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
