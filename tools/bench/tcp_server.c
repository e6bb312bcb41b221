/* The server of tcp_load: any number of connections, in one thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/bench/tcp_load.h"

#define BACKLOG 4096
#define FDS_MAX 65536

static int
listener(uint16_t port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = load_socket();
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) || bind(fd, (struct sockaddr *) &sin, sizeof sin)
        || listen(fd, BACKLOG))
        load_die("cannot listen at port %u: %s", port, strerror(errno));
    return fd;
}

static void
watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (fd >= FDS_MAX || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        load_die("cannot watch connection %d: %s", fd, strerror(errno));
}

static void
accept_all(int epoll, int fd, char kinds[], size_t left[])
{
    int client;
    while ((client = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        watch(epoll, client);
        kinds[client] = '\0';
        left[client] = TCP_LOAD_BLOCK;
    }
}

static bool
answer_blocks(int fd, size_t *left, size_t n)
{
    static const char byte = TCP_LOAD_SINK;
    bool ok = true;
    for (; n >= *left; *left = TCP_LOAD_BLOCK) {
        n -= *left;
        ok = ok && send(fd, &byte, 1, MSG_NOSIGNAL) == 1;
    }
    *left -= n;
    return ok;
}

/* False: the connection has ended. 'left': of a block. */
static bool
answer(int fd, char *kind, size_t *left)
{
    static char data[1 << 18];
    ssize_t n = recv(fd, data, sizeof data, 0);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    if (!*kind)
        *kind = data[0];
    if (*kind == TCP_LOAD_LATE)
        load_hold(load_now());
    return *kind == TCP_LOAD_SINK ? answer_blocks(fd, left, (size_t) n) : send(fd, data, (size_t) n, MSG_NOSIGNAL) == n;
}

void
load_serve(uint16_t port)
{
    static char kinds[FDS_MAX];
    static size_t left[FDS_MAX];
    struct epoll_event events[64];
    int server = listener(port), epoll = epoll_create1(0);
    watch(epoll, server);
    for (;;) {
        int n = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == server)
                accept_all(epoll, server, kinds, left);
            else if (!answer(fd, &kinds[fd], &left[fd]))
                close(fd);
        }
    }
}
