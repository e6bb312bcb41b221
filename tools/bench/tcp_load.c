/* Loads a path with TCP and prints what came of it, one "word number" a line:
 *
 *   tcp_load serve PORT                                             until it is killed
 *   tcp_load connections IP PORT SOURCES AT-A-TIME COUNT SECONDS    short ones: a byte there, a byte back, over
 *   tcp_load round-trips IP PORT SECONDS at-rest|at-once OTHER-IP   a byte there and back, again and again, on one connection to each
 *                                                                   address in turn, so that both meet the same machine; at rest:
 *                                                                   less what the server held it
 *   tcp_load stream IP PORT SECONDS OTHER-IP [SOURCE OTHER-SOURCE]  as much as goes through one connection, to each in turn a block; from
 *                                                                   these addresses, so that it may be twice the same that it goes to
 *
 * SOURCES is ADDRESS/NUMBER: connections come from so many addresses in turn, all of which must be local. They end with a reset, so that no port
 * is kept by TIME_WAIT; it is printed how many were all the same, and
 * how much was sent again, for then the rate is not the path's. */
#include "tools/bench/tcp_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SILENCE_MS 5000 /* nothing for so long: the path is broken */
#define ROUNDS_MAX 1000000

void
load_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("tcp_load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

double
load_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* Without sleeping, which is not as exact. */
void
load_hold(double since)
{
    while (load_now() - since < TCP_LOAD_HOLD_S)
        continue;
}

int
load_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)))
        load_die("no socket: %s", strerror(errno));
    return fd;
}

static struct sockaddr_in
endpoint(const char *ip, const char *port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t) atoi(port)) };
    if (inet_pton(AF_INET, ip, &sin.sin_addr) != 1 || !sin.sin_port)
        load_die("'%s' port '%s' is no endpoint", ip, port);
    return sin;
}

/* ---- short connections ---- */

struct run {
    struct sockaddr_in server;
    uint32_t first_source, n_sources;
    unsigned long at_a_time, count;
    int epoll;
    unsigned long n_begun, n_done;
};

static void
sources_parse(struct run *r, const char *text)
{
    char ip[INET_ADDRSTRLEN];
    struct in_addr address;
    if (sscanf(text, "%15[0-9.]/%u", ip, &r->n_sources) != 2 || !r->n_sources || inet_pton(AF_INET, ip, &address) != 1)
        load_die("'%s' is not ADDRESS/NUMBER", text);
    r->first_source = ntohl(address.s_addr);
}

/* The port is chosen when the other end is known; else no two addresses' connections could share one. */
static void
connection_begin(struct run *r)
{
    struct sockaddr_in source = { .sin_family = AF_INET };
    int fd = load_socket();
    source.sin_addr.s_addr = htonl(r->first_source + (uint32_t) (r->n_begun++ % r->n_sources));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){ 1 }, sizeof(int));
    if (bind(fd, (struct sockaddr *) &source, sizeof source))
        load_die("cannot send from %s: %s", inet_ntoa(source.sin_addr), strerror(errno));
    if (connect(fd, (struct sockaddr *) &r->server, sizeof r->server) && errno != EINPROGRESS)
        load_die("connect: %s", strerror(errno));
    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLOUT, .data.fd = fd }))
        load_die("epoll: %s", strerror(errno));
}

static void
connection_go_on(struct run *r, const struct epoll_event *event)
{
    int fd = event->data.fd;
    char byte = TCP_LOAD_ECHO;
    if (event->events & EPOLLOUT) {
        if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
            load_die("connection %lu: %s", r->n_done, strerror(errno));
        epoll_ctl(r->epoll, EPOLL_CTL_MOD, fd, &(struct epoll_event){ .events = EPOLLIN, .data.fd = fd });
        return;
    }
    if (recv(fd, &byte, 1, 0) != 1 || byte != TCP_LOAD_ECHO)
        load_die("connection %lu was not answered: %s", r->n_done, strerror(errno));
    close(fd);
    r->n_done++;
    if (r->n_begun < r->count)
        connection_begin(r);
}

/* A number of the namespace: word 'field' of the nth line that begins with 'prefix', which is word 0. */
static unsigned long
counter(const char *path, const char *prefix, unsigned nth, unsigned field)
{
    char line[1024], *rest;
    unsigned long value = 0;
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, prefix, strlen(prefix)) || --nth)
            continue;
        char *word = strtok_r(line, " \n", &rest);
        while (word && field--)
            word = strtok_r(NULL, " \n", &rest);
        value = word ? strtoul(word, NULL, 10) : 0;
        break;
    }
    if (f)
        fclose(f);
    return value;
}

static unsigned long
retransmissions(void)
{
    return counter("/proc/self/net/snmp", "Tcp:", 2, 12);
}

static unsigned long
time_waits(void)
{
    return counter("/proc/self/net/sockstat", "TCP:", 1, 6);
}

static void
connections(struct run *r, double seconds)
{
    struct epoll_event events[64];
    unsigned long sent_again = retransmissions(), waiting = time_waits();
    double start = load_now();
    for (unsigned long i = 0; i < r->at_a_time && i < r->count; i++)
        connection_begin(r);
    while (r->n_done < r->count && load_now() - start < seconds) {
        int n = epoll_wait(r->epoll, events, 64, SILENCE_MS);
        if (n <= 0)
            load_die("no answer for %d ms, after %lu connections", SILENCE_MS, r->n_done);
        for (int i = 0; i < n; i++)
            connection_go_on(r, &events[i]);
    }
    double took = load_now() - start;
    printf("per_second %.1f\nconnections %lu\nretransmissions %lu\ntime_wait %ld\n", (double) r->n_done / took, r->n_done,
           retransmissions() - sent_again, (long) (time_waits() - waiting));
}

/* ---- one connection ---- */

static const struct sockaddr_in any_source = { .sin_family = AF_INET };

static void
await(int fd, short what)
{
    struct pollfd p = { .fd = fd, .events = what };
    if (poll(&p, 1, SILENCE_MS) != 1)
        load_die("nothing moves for %d ms", SILENCE_MS);
}

static int
connected(const struct sockaddr_in *server, const struct sockaddr_in *source)
{
    int fd = load_socket(), status = 0;
    socklen_t n = sizeof status;
    if (bind(fd, (const struct sockaddr *) source, sizeof *source))
        load_die("cannot send from %s: %s", inet_ntoa(source->sin_addr), strerror(errno));
    if (connect(fd, (const struct sockaddr *) server, sizeof *server) && errno != EINPROGRESS)
        load_die("connect: %s", strerror(errno));
    await(fd, POLLOUT);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &n) || status)
        load_die("connect: %s", strerror(status));
    return fd;
}

static int
compare(const void *a_, const void *b_)
{
    double a = *(const double *) a_, b = *(const double *) b_;
    return (a > b) - (a < b);
}

static double
round_trip(int fd, bool is_at_rest)
{
    char byte = is_at_rest ? TCP_LOAD_LATE : TCP_LOAD_ECHO;
    if (is_at_rest)
        load_hold(load_now());
    double before = load_now();
    if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
        load_die("send: %s", strerror(errno));
    await(fd, POLLIN);
    if (recv(fd, &byte, 1, 0) != 1)
        load_die("recv: %s", strerror(errno));
    return (load_now() - before - (is_at_rest ? TCP_LOAD_HOLD_S : 0)) * 1e6;
}

static double
median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

static void
round_trips(const struct sockaddr_in servers[2], double seconds, bool is_at_rest)
{
    double *took[2], start = load_now();
    int fds[2];
    size_t n = 0;
    for (int i = 0; i < 2; i++) {
        took[i] = calloc(ROUNDS_MAX, sizeof **took);
        fds[i] = connected(&servers[i], &any_source);
        if (!took[i])
            load_die("no memory");
    }
    do {
        for (int i = 0; i < 2; i++)
            took[i][n] = round_trip(fds[i], is_at_rest);
    } while (++n < ROUNDS_MAX && load_now() - start < seconds);
    printf("microseconds %.2f\nother %.2f\nround_trips %zu\n", median(took[0], n), median(took[1], n), n);
    for (int i = 0; i < 2; i++) {
        free(took[i]);
        close(fds[i]);
    }
}

/* Sends a block and waits until the server has all of it: seconds. */
static double
block(int fd)
{
    static char data[TCP_LOAD_BLOCK];
    char byte;
    double before = load_now();
    memset(data, TCP_LOAD_SINK, sizeof data);
    for (size_t sent = 0; sent < sizeof data;) {
        ssize_t n = send(fd, data + sent, sizeof data - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t) n;
        else if (errno == EAGAIN)
            await(fd, POLLOUT);
        else
            load_die("send: %s", strerror(errno));
    }
    await(fd, POLLIN);
    if (recv(fd, &byte, 1, 0) != 1)
        load_die("recv: %s", strerror(errno));
    return load_now() - before;
}

static void
stream(const struct sockaddr_in servers[2], const struct sockaddr_in sources[2], double seconds)
{
    unsigned long sent_again = retransmissions();
    double start = load_now(), took[2] = { 0 };
    int fds[2];
    size_t n = 0;
    for (int i = 0; i < 2; i++)
        fds[i] = connected(&servers[i], &sources[i]);
    for (; load_now() - start < seconds; n++)
        for (int i = 0; i < 2; i++)
            took[i] += block(fds[i]);
    printf("mbit_per_second %.2f\nother %.2f\nretransmissions %lu\n", (double) n * TCP_LOAD_BLOCK * 8 / took[0] / 1e6,
           (double) n * TCP_LOAD_BLOCK * 8 / took[1] / 1e6, retransmissions() - sent_again);
    for (int i = 0; i < 2; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
        close(fds[i]);
    }
}

int
main(int argc, char *argv[])
{
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "serve") && argc == 3)
        load_serve((uint16_t) atoi(argv[2]));
    if (!strcmp(what, "connections") && argc == 8) {
        struct run r = { .server = endpoint(argv[2], argv[3]), .epoll = epoll_create1(0) };
        sources_parse(&r, argv[4]);
        r.at_a_time = strtoul(argv[5], NULL, 10);
        r.count = strtoul(argv[6], NULL, 10);
        connections(&r, atof(argv[7]));
        return 0;
    }
    bool is_stream = !strcmp(what, "stream") && (argc == 6 || argc == 8);
    if (!is_stream && (strcmp(what, "round-trips") || argc != 7))
        load_die("see tools/bench/tcp_load.c for its arguments");
    struct sockaddr_in servers[2] = { endpoint(argv[2], argv[3]), endpoint(argv[is_stream ? 5 : 6], argv[3]) };
    struct sockaddr_in sources[2] = { any_source, any_source };
    for (int i = 0; i < 2 && is_stream && argc == 8; i++)
        if (inet_pton(AF_INET, argv[6 + i], &sources[i].sin_addr) != 1)
            load_die("'%s' is no address", argv[6 + i]);
    if (is_stream)
        stream(servers, sources, atof(argv[4]));
    else
        round_trips(servers, atof(argv[4]), !strcmp(argv[5], "at-rest"));
    return 0;
}
