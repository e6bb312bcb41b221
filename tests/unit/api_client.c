#include "tests/unit/api_client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "controller/api/connection.h"
#include "controller/api/http.h"
#include "controller/api/route.h"

#define NOBODY 65534
#define SILENCE_MS 3000

struct api_client *
api_client_new(struct controller_lab *lab, bool as_nobody)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct api_client *c = mem_zalloc(sizeof *c);
    c->lab = lab;
    c->received = mem_zalloc(1);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", strchr(lab->api, ':') + 1);
    assert_true(c->fd >= 0 && !chmod(lab->dir, 0755));
    assert_true(!as_nobody || !seteuid(NOBODY));
    int failed = connect(c->fd, (struct sockaddr *) &address, sizeof address);
    assert_true(!as_nobody || !seteuid(0));
    assert_false(failed);
    return c;
}

/* ---- as somebody else ---- */

static void
on_request(void *aux, struct connection *connection)
{
    struct api_client *c = aux;
    call_dispatch(call_new(&c->lab->c, connection, c->principal, "test", ""));
}

static void
on_bad(void *aux, struct connection *connection, const struct error *err)
{
    fail_msg("%s", err->text);
}

static void
on_drained(void *aux, struct connection *connection)
{
    call_drained(connection_user(connection));
}

static void
on_gone(void *aux, struct connection *connection)
{
    call_gone(connection_user(connection));
}

static void
on_closed(void *aux, struct connection *connection)
{
    struct api_client *c = aux;
    c->other_side = NULL;
}

struct api_client *
api_client_as(struct controller_lab *lab, const struct principal *principal)
{
    static const struct connection_ops ops = {
        .request = on_request, .bad = on_bad, .drained = on_drained, .gone = on_gone, .closed = on_closed
    };
    int fds[2];
    struct api_client *c = mem_zalloc(sizeof *c);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    evutil_make_socket_nonblocking(fds[1]);
    *c = (struct api_client){ .lab = lab, .fd = fds[0], .received = mem_zalloc(1), .principal = principal };
    c->other_side =
        connection_new(lab->c.base, bufferevent_socket_new(lab->c.base, fds[1], BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS),
                       LIMIT_REQUEST_BYTES, &ops, c);
    return c;
}

static bool
has_no_other_side(void *aux)
{
    return !((struct api_client *) aux)->other_side;
}

void
api_client_free(struct api_client *c)
{
    shutdown(c->fd, SHUT_RDWR);
    if (c->principal)
        assert_true(controller_lab_until(c->lab, has_no_other_side, c));
    close(c->fd);
    free(c->received);
    free(c);
}

/* Takes in what has come. True if anything has, or the end. */
static bool
receive(struct api_client *c)
{
    char bytes[65536];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        c->is_closed = true;
        return true;
    }
    c->received = mem_realloc(c->received, c->n + (size_t) n + 1);
    memcpy(c->received + c->n, bytes, (size_t) n);
    c->n += (size_t) n;
    c->received[c->n] = '\0';
    return true;
}

/* Lets vnetd work until 'holds', or for as long as anything moves. */
static bool
wait_for(struct api_client *c, bool (*holds)(const struct api_client *, const void *aux), const void *aux)
{
    int64_t end_ms = controller_now_ms() + SILENCE_MS;
    while (!holds(c, aux) && !c->is_closed && controller_now_ms() < end_ms) {
        event_base_loopexit(c->lab->c.base, &(struct timeval){ .tv_usec = 1000 });
        event_base_loop(c->lab->c.base, EVLOOP_ONCE);
        if (receive(c))
            end_ms = controller_now_ms() + SILENCE_MS;
    }
    return holds(c, aux);
}

size_t
api_client_send(struct api_client *c, const void *bytes, size_t n)
{
    size_t sent = 0;
    int64_t end_ms = controller_now_ms() + 500;
    while (sent < n && controller_now_ms() < end_ms) {
        ssize_t now = send(c->fd, (const char *) bytes + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (now < 0 && errno != EAGAIN)
            break;
        if (now > 0) {
            sent += (size_t) now;
            end_ms = controller_now_ms() + 500;
        }
        controller_lab_turn(c->lab);
    }
    return sent;
}

void
api_client_say(struct api_client *c, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    assert_int_equal(api_client_send(c, text, (size_t) n), n);
    free(text);
}

static bool
has_text(const struct api_client *c, const void *text)
{
    return strstr(c->received, text);
}

bool
api_client_hears(struct api_client *c, const char *text)
{
    return wait_for(c, has_text, text);
}

static bool
never(const struct api_client *c, const void *aux)
{
    return false;
}

bool
api_client_is_cut(struct api_client *c)
{
    wait_for(c, never, NULL);
    return c->is_closed;
}

/* ---- answers ---- */

static size_t
length_of(const char *head)
{
    const char *length = strstr(head, "Content-Length: ");
    return length ? strtoull(length + 16, NULL, 10) : 0;
}

static bool
has_answer(const struct api_client *c, const void *aux)
{
    const char *end = strstr(c->received, "\r\n\r\n");
    return end && (size_t) (end + 4 - c->received) + length_of(c->received) <= c->n;
}

struct answer
api_client_answer(struct api_client *c)
{
    if (!wait_for(c, has_answer, NULL))
        fail_msg("no answer but '%.200s'", c->received);
    size_t head = (size_t) (strstr(c->received, "\r\n\r\n") + 4 - c->received), body = length_of(c->received);
    struct answer a = {
        .status = atoi(c->received + strlen("HTTP/1.1 ")),
        .head = mem_printf("%.*s", (int) head, c->received),
        .body = mem_printf("%.*s", (int) body, c->received + head),
    };
    memmove(c->received, c->received + head + body, c->n - head - body + 1);
    c->n -= head + body;
    return a;
}

void
answer_done(struct answer *a)
{
    free(a->head);
    free(a->body);
}

struct answer
api_client_ask(struct api_client *c, const char *method, const char *path, const char *body)
{
    char *text = mem_strdup(body ? body : "");
    for (char *p = text; *p; p++)
        if (*p == '\'')
            *p = '"';
    api_client_say(c, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", method, path, strlen(text), text);
    free(text);
    return api_client_answer(c);
}

int
api_status(struct controller_lab *lab, const char *method, const char *path, const char *body)
{
    struct api_client *c = api_client_new(lab, false);
    struct answer a = api_client_ask(c, method, path, body);
    int status = a.status;
    answer_done(&a);
    api_client_free(c);
    return status;
}
