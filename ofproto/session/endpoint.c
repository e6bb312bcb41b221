/* Places to listen at, their sockets, and the connections that come. Called by whoever serves switches, databases or
 * API clients; what is accepted is handed over with its peer's identity and is then the owner's.
 *
 * Invariants: n_accepted counts what was handed over and not released; a socket file is removed only if it is still the
 * one that was made here. Want of file descriptors pauses accepting instead of spinning. */
#define LOG_MODULE "endpoint"
#include "ofproto/session/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
#include "ofproto/session/endpoint_private.h"

#define BACKLOG 512
#define PAUSE_MS 200 /* without accepting, when descriptors have run out */
#define KEEPALIVE_IDLE_S 10
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES 3

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
};

/* ---- the syntax ---- */

static bool
syntax_error(const char *text, const char *why, struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "'%s' is not a place to listen at: %s "
                     "(punix:FILE, ptcp:PORT[:IP] or pssl:PORT[:IP])",
                     text, why);
}

/* "192.0.2.1" or "[2001:db8::1]" to its plain form. */
static bool
ip_from_text(const char *text, char ip[46])
{
    size_t n = strlen(text);
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, text, &v4) == 1)
        return inet_ntop(AF_INET, &v4, ip, 46) != NULL;
    if (n < 3 || n > 47 || text[0] != '[' || text[n - 1] != ']')
        return false;
    char inner[46];
    snprintf(inner, sizeof inner, "%.*s", (int) (n - 2), text + 1);
    return inet_pton(AF_INET6, inner, &v6) == 1 && inet_ntop(AF_INET6, &v6, ip, 46) != NULL;
}

static bool
parse_port_and_ip(const char *text, const char *rest, struct endpoint *e, struct error *err)
{
    char *end;
    errno = 0;
    unsigned long port = strtoul(rest, &end, 10);
    if (rest[0] < '0' || rest[0] > '9' || errno || port > 65535)
        return syntax_error(text, "the port must be a number from 0 to 65535", err);
    e->port = (uint16_t) port;
    if (!*end)
        return true;
    if (*end != ':' || !ip_from_text(end + 1, e->ip))
        return syntax_error(text, "after the port comes an address like 192.0.2.1 or [2001:db8::1], or nothing", err);
    return true;
}

bool
endpoint_parse(const char *text, struct endpoint *e, struct error *err)
{
    memset(e, 0, sizeof *e);
    if (!strncmp(text, "punix:", 6)) {
        size_t n = strlen(text + 6);
        if (!n || n >= sizeof e->path)
            return syntax_error(text, "the file's name must have 1 to 107 characters", err);
        e->kind = ENDPOINT_UNIX;
        memcpy(e->path, text + 6, n);
        return true;
    }
    e->kind = !strncmp(text, "pssl:", 5) ? ENDPOINT_TLS : ENDPOINT_TCP;
    if (e->kind == ENDPOINT_TCP && strncmp(text, "ptcp:", 5))
        return syntax_error(text, "its method is unknown", err);
    return parse_port_and_ip(text, text + 5, e, err);
}

static void
name_of_place(const struct endpoint *e, char *name, size_t size)
{
    if (e->kind == ENDPOINT_UNIX)
        snprintf(name, size, "punix:%s", e->path);
    else
        snprintf(name, size, strchr(e->ip, ':') ? "%s:%u%s[%s]" : "%s:%u%s%s", e->kind == ENDPOINT_TLS ? "pssl" : "ptcp", e->port,
                 e->ip[0] ? ":" : "", e->ip);
}

/* ---- sockets ---- */

static socklen_t
address_of_place(const struct endpoint *e, int family, union address *a)
{
    memset(a, 0, sizeof *a);
    a->any.sa_family = (sa_family_t) family;
    if (family == AF_INET) {
        a->v4.sin_port = htons(e->port);
        a->v4.sin_addr.s_addr = htonl(INADDR_ANY);
        if (e->ip[0])
            inet_pton(AF_INET, e->ip, &a->v4.sin_addr);
        return sizeof a->v4;
    }
    a->v6.sin6_port = htons(e->port);
    a->v6.sin6_addr = in6addr_any;
    if (e->ip[0])
        inet_pton(AF_INET6, e->ip, &a->v6.sin6_addr);
    return sizeof a->v6;
}

static int
bind_inet(const struct endpoint *e, int family)
{
    union address a;
    socklen_t n = address_of_place(e, family, &a);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;

    const int one = 1, zero = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, e->ip[0] ? &one : &zero, sizeof one);
    if (!bind(fd, &a.any, n))
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int
open_inet(const struct endpoint *e, const char *name, struct error *err)
{
    bool is_v6 = !e->ip[0] || strchr(e->ip, ':');
    int fd = bind_inet(e, is_v6 ? AF_INET6 : AF_INET);
    if (fd < 0 && !e->ip[0] && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        fd = bind_inet(e, AF_INET);
    if (fd < 0)
        error_set(err, errno == EADDRINUSE ? ERROR_CONFLICT : ERROR_UNAVAILABLE, "cannot listen at %s: %s%s", name, strerror(errno),
                  errno == EADDRINUSE ? "; another program listens there" : "");
    return fd;
}

/* A socket file without a program behind it is left over from one that was killed. */
static bool
remove_stale_socket(const struct endpoint *e, const union address *a, struct error *err)
{
    struct stat st;
    if (lstat(e->path, &st))
        return true;
    if (!S_ISSOCK(st.st_mode))
        return error_set(err, ERROR_CONFLICT, "cannot listen at punix:%s: the file exists and is not a socket", e->path);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool is_stale = fd >= 0 && connect(fd, &a->any, sizeof a->un) && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    if (!is_stale)
        return error_set(err, ERROR_CONFLICT, "cannot listen at punix:%s: another program listens there", e->path);
    if (unlink(e->path) && errno != ENOENT)
        return error_set(err, ERROR_UNAVAILABLE, "cannot remove the stale socket %s: %s", e->path, strerror(errno));
    return true;
}

/* Everybody may connect: what a peer may do is decided by its uid. */
static int
open_unix(struct endpoint_listener *l, struct error *err)
{
    union address a = { .un = { .sun_family = AF_UNIX } };
    memcpy(a.un.sun_path, l->place.path, sizeof a.un.sun_path);
    if (!remove_stale_socket(&l->place, &a, err))
        return -1;

    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !bind(fd, &a.any, sizeof a.un) && !chmod(l->place.path, 0666) && !lstat(l->place.path, &st)) {
        l->unix_dev = st.st_dev;
        l->unix_ino = st.st_ino;
        return fd;
    }
    error_set(err, ERROR_UNAVAILABLE, "cannot listen at %s: %s", l->name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static void
remove_own_socket(const struct endpoint_listener *l)
{
    struct stat st;
    if (l->place.kind == ENDPOINT_UNIX && l->unix_ino && !lstat(l->place.path, &st) && st.st_dev == l->unix_dev && st.st_ino == l->unix_ino)
        unlink(l->place.path);
}

/* ---- peers ---- */

/* The IP as text, IPv4 in its own form also on a socket of both families; returns the port. */
static uint16_t
ip_to_text(const union address *a, char ip[46])
{
    if (a->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a->v4.sin_addr, ip, 46);
        return ntohs(a->v4.sin_port);
    }
    if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
        inet_ntop(AF_INET, &a->v6.sin6_addr.s6_addr[12], ip, 46);
    else
        inet_ntop(AF_INET6, &a->v6.sin6_addr, ip, 46);
    return ntohs(a->v6.sin6_port);
}

static void
identify_inet(int fd, const union address *from, struct endpoint_peer *peer)
{
    union address local;
    socklen_t n = sizeof local;
    uint16_t port = ip_to_text(from, peer->ip);
    snprintf(peer->address, sizeof peer->address, strchr(peer->ip, ':') ? "[%s]:%u" : "%s:%u", peer->ip, port);
    if (!getsockname(fd, &local.any, &n))
        ip_to_text(&local, peer->local_ip);

    const int one = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S, probes = KEEPALIVE_PROBES;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static bool
identify_unix(int fd, struct endpoint_peer *peer)
{
    struct ucred cred;
    socklen_t n = sizeof cred;
    snprintf(peer->address, sizeof peer->address, "unix");
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n))
        return false;
    peer->uid = cred.uid;
    return true;
}

void
endpoint_deliver(struct endpoint_listener *l, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    l->n_accepted++;
    l->accepted(l->aux, bev, peer);
}

static void
accept_plain(struct endpoint_listener *l, int fd, const struct endpoint_peer *peer)
{
    struct bufferevent *bev = bufferevent_socket_new(l->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!bev) {
        close(fd);
        return;
    }
    endpoint_deliver(l, bev, peer);
}

static void
on_connection(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *from, int n, void *aux)
{
    struct endpoint_listener *l = aux;
    struct endpoint_peer peer = { .kind = l->place.kind };
    union address a = { .any.sa_family = AF_UNSPEC };

    memcpy(&a, from, (size_t) n < sizeof a ? (size_t) n : sizeof a);
    if (l->place.kind != ENDPOINT_UNIX)
        identify_inet(fd, &a, &peer);
    else if (!identify_unix(fd, &peer)) {
        close(fd);
        return;
    }
    if (l->n_accepted >= LIMIT_SESSIONS) {
        log_warn_limited(&l->log, "%s: refusing %s: there are %d connections already", l->name, peer.address, LIMIT_SESSIONS);
        close(fd);
        return;
    }
    if (l->place.kind == ENDPOINT_TLS)
        endpoint_tls_start(l, fd, &peer);
    else
        accept_plain(l, fd, &peer);
}

/* ---- the listener ---- */

static void
on_accept_error(struct evconnlistener *socket, void *aux)
{
    struct endpoint_listener *l = aux;
    log_warn_limited(&l->log, "%s: cannot accept a connection: %s", l->name, strerror(errno));
    evconnlistener_disable(l->socket);
    event_add(l->resume, &(struct timeval){ .tv_usec = PAUSE_MS * 1000 });
}

static void
on_resume(evutil_socket_t fd, short what, void *aux)
{
    struct endpoint_listener *l = aux;
    evconnlistener_enable(l->socket);
}

static bool
listener_open(struct endpoint_listener *l, struct error *err)
{
    if (l->place.kind == ENDPOINT_TLS && !l->ssl)
        return error_set(err, ERROR_INVALID, "cannot listen at %s without a certificate: `vnetctl pki init` makes one", l->name);
    int fd = l->place.kind == ENDPOINT_UNIX ? open_unix(l, err) : open_inet(&l->place, l->name, err);
    if (fd < 0)
        return false;

    l->resume = evtimer_new(l->base, on_resume, l);
    l->socket = evconnlistener_new(l->base, on_connection, l, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
    if (l->socket && l->resume) {
        evconnlistener_set_error_cb(l->socket, on_accept_error);
        return true;
    }
    error_set(err, ERROR_UNAVAILABLE, "cannot listen at %s: %s", l->name, strerror(errno));
    if (!l->socket)
        close(fd);
    return false;
}

struct endpoint_listener *
endpoint_listen(struct event_base *base, const struct endpoint *e, SSL_CTX *ssl, const char *required_ou, endpoint_accepted *accepted,
                void *aux, struct error *err)
{
    struct endpoint_listener *l = mem_zalloc(sizeof *l);
    l->base = base;
    l->place = *e;
    l->ssl = ssl;
    l->required_ou = required_ou ? mem_strdup(required_ou) : NULL;
    l->accepted = accepted;
    l->aux = aux;
    l->log = (struct log_limit) LOG_LIMIT(10);
    name_of_place(e, l->name, sizeof l->name);
    if (listener_open(l, err))
        return l;
    endpoint_listener_free(l);
    return NULL;
}

void
endpoint_listener_allow_anonymous(struct endpoint_listener *l)
{
    l->allows_anonymous = true;
}

void
endpoint_listener_released(struct endpoint_listener *l)
{
    if (l->n_accepted)
        l->n_accepted--;
}

void
endpoint_listener_free(struct endpoint_listener *l)
{
    if (!l)
        return;
    endpoint_tls_stop_all(l);
    if (l->socket)
        evconnlistener_free(l->socket);
    if (l->resume)
        event_free(l->resume);
    remove_own_socket(l);
    free(l->required_ou);
    free(l);
}

uint16_t
endpoint_listener_port(const struct endpoint_listener *l)
{
    union address a;
    socklen_t n = sizeof a;
    if (l->place.kind == ENDPOINT_UNIX || getsockname(evconnlistener_get_fd(l->socket), &a.any, &n))
        return 0;
    return ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

struct evconnlistener *
endpoint_listener_socket(struct event_base *base, const struct endpoint *e, struct error *err)
{
    struct endpoint_listener l = { .base = base, .place = *e };
    name_of_place(e, l.name, sizeof l.name);
    int fd = e->kind == ENDPOINT_UNIX ? open_unix(&l, err) : open_inet(e, l.name, err);
    if (fd < 0)
        return NULL;
    struct evconnlistener *socket = evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
    if (!socket) {
        error_set(err, ERROR_UNAVAILABLE, "cannot listen at %s: %s", l.name, strerror(errno));
        close(fd);
    }
    return socket;
}
