#include "tests/fuzz/answering.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#define ANSWERS_MAX 4 /* then connections are closed unanswered */

static bool
request_read(int fd)
{
    char text[8192];
    size_t n = 0;
    while (n < sizeof text - 1) {
        ssize_t got = read(fd, text + n, sizeof text - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t) got;
        text[n] = '\0';
        if (strstr(text, "\r\n\r\n"))
            return true;
    }
    return true;
}

static void
all_write(int fd, const void *data, size_t n)
{
    const char *p = data;
    for (ssize_t done; n && (done = send(fd, p, n, MSG_NOSIGNAL)) > 0; n -= (size_t) done)
        p += done;
}

static void
connection_serve(const struct answering *d, int fd)
{
    char head[128], rest[4096];
    if (!request_read(fd))
        return;
    if (d->n < 5 || memcmp(d->answer, "HTTP/", 5)) {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", d->n);
        all_write(fd, head, strlen(head));
    }
    all_write(fd, d->answer, d->n);
    shutdown(fd, SHUT_WR);
    while (read(fd, rest, sizeof rest) > 0)
        continue;
}

static void *
answering_run(void *aux)
{
    const struct answering *d = aux;
    for (int i = 0, fd; (fd = accept(d->listener, NULL, NULL)) >= 0; i++) {
        if (i < ANSWERS_MAX)
            connection_serve(d, fd);
        close(fd);
    }
    return NULL;
}

static void
listen_unix(struct answering *d)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strcpy(d->dir, "/tmp/vnet-fuzz.XXXXXX");
    FUZZ_CLAIM(mkdtemp(d->dir));
    snprintf(d->path, sizeof d->path, "%s/api", d->dir);
    strcpy(address.sun_path, d->path);
    d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_CLAIM(!bind(d->listener, (struct sockaddr *) &address, sizeof address));
}

static void
listen_tcp(struct answering *d)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof address;
    d->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_CLAIM(!bind(d->listener, (struct sockaddr *) &address, sizeof address));
    FUZZ_CLAIM(!getsockname(d->listener, (struct sockaddr *) &address, &n));
    d->port = ntohs(address.sin_port);
}

void
answering_start(struct answering *d, enum answering_place place, const uint8_t *answer, size_t n)
{
    *d = (struct answering){ .answer = answer, .n = n };
    if (place == ANSWERING_UNIX)
        listen_unix(d);
    else
        listen_tcp(d);
    FUZZ_CLAIM(!listen(d->listener, 16) && !pthread_create(&d->thread, NULL, answering_run, d));
}

void
answering_stop(struct answering *d)
{
    shutdown(d->listener, SHUT_RDWR);
    pthread_join(d->thread, NULL);
    close(d->listener);
    if (d->port)
        return;
    unlink(d->path);
    rmdir(d->dir);
}
