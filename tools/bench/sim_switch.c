/* The OpenFlow side of a host that is not there. It has no tables: dumps are empty, and every bundle is welcome. */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/bench/sim_host.h"

enum {
    HELLO = 0,
    ECHO_REQUEST = 2,
    ECHO_REPLY = 3,
    FEATURES_REQUEST = 5,
    FEATURES_REPLY = 6,
    FLOW_MOD = 14,
    GROUP_MOD = 15,
    MULTIPART_REQUEST = 18,
    MULTIPART_REPLY = 19,
    BARRIER_REQUEST = 20,
    BARRIER_REPLY = 21,
    METER_MOD = 29,
    BUNDLE_CONTROL = 33,
    BUNDLE_ADD = 34
};
enum { OPEN_REQUEST = 0, COMMIT_REQUEST = 4, DISCARD_REQUEST = 6 };

#define VERSION 6
#define HEADER 8

static void
say(struct sim_switch *s, uint8_t type, uint32_t xid, const void *body, size_t n)
{
    struct bytes b = BYTES_INIT;
    bytes_put_u8(&b, VERSION);
    bytes_put_u8(&b, type);
    bytes_put_be16(&b, (uint16_t) (HEADER + n));
    bytes_put_be32(&b, xid);
    bytes_put(&b, body, n);
    bufferevent_write(s->bev, b.data, b.n);
    bytes_done(&b);
}

static void
say_features(struct sim_switch *s, uint32_t xid)
{
    struct bytes b = BYTES_INIT;
    bytes_put_be64(&b, s->dpid);
    bytes_put_be32(&b, 0);
    bytes_put_u8(&b, 254);
    bytes_extend_zero(&b, 11);
    say(s, FEATURES_REPLY, xid, b.data, b.n);
    bytes_done(&b);
}

static void
on_bundle_control(struct sim_switch *s, const uint8_t *message, uint32_t xid)
{
    uint8_t body[8];
    memcpy(body, message + HEADER, sizeof body);
    uint8_t request = body[5]++; /* a reply's type is its request's and one */
    if (request == COMMIT_REQUEST) {
        s->n_mods += s->n_bundled;
        s->n_commits++;
    }
    if (request == OPEN_REQUEST || request == COMMIT_REQUEST || request == DISCARD_REQUEST)
        s->n_bundled = 0;
    say(s, BUNDLE_CONTROL, xid, body, sizeof body);
}

static void
on_message(struct sim_switch *s, const uint8_t *message, size_t n)
{
    uint32_t xid;
    uint8_t empty[8] = { 0 };
    memcpy(&xid, message + 4, sizeof xid);
    xid = ntohl(xid);
    switch (message[1]) {
    case BUNDLE_ADD: s->n_bundled++; break;
    case FEATURES_REQUEST: say_features(s, xid); break;
    case ECHO_REQUEST: say(s, ECHO_REPLY, xid, message + HEADER, n - HEADER); break;
    case MULTIPART_REQUEST:
        memcpy(empty, message + HEADER, 2);
        say(s, MULTIPART_REPLY, xid, empty, sizeof empty);
        break;
    case BARRIER_REQUEST: say(s, BARRIER_REPLY, xid, NULL, 0); break;
    case BUNDLE_CONTROL: on_bundle_control(s, message, xid); break;
    case METER_MOD: s->n_mods++; break;
    }
}

static void
on_input(struct bufferevent *bev, void *aux)
{
    struct sim_switch *s = aux;
    struct evbuffer *input = bufferevent_get_input(bev);
    size_t arrived = evbuffer_get_length(input), at = 0;
    evbuffer_remove(input, bytes_extend(&s->input, arrived), arrived);
    while (s->input.n - at >= HEADER) {
        const uint8_t *message = s->input.data + at;
        size_t n = (size_t) message[2] << 8 | message[3];
        if (n < HEADER)
            bench_die("vnetd sent a message of %zu bytes", n);
        if (s->input.n - at < n)
            break;
        on_message(s, message, n);
        at += n;
    }
    memmove(s->input.data, s->input.data + at, s->input.n - at);
    s->input.n -= at;
}

static void
on_event(struct bufferevent *bev, short what, void *aux)
{
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        sim_switch_done(aux);
}

void
sim_hurry(int fd)
{
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

struct bufferevent *
sim_connect(const struct bench *b, uint16_t port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
    struct bufferevent *bev = bufferevent_socket_new(b->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (bufferevent_socket_connect(bev, (struct sockaddr *) &sin, sizeof sin))
        bench_die("cannot connect to port %u", port);
    bufferevent_set_max_single_read(bev, 1 << 20);
    sim_hurry(bufferevent_getfd(bev));
    return bev;
}

void
sim_switch_connect(struct sim_switch *s, const struct bench *b, uint16_t port)
{
    static const uint8_t versions[] = { 0, 1, 0, 8, 0, 0, 0, 1 << VERSION };
    s->bev = sim_connect(b, port);
    bufferevent_setcb(s->bev, on_input, NULL, on_event, s);
    bufferevent_enable(s->bev, EV_READ | EV_WRITE);
    say(s, HELLO, 1, versions, sizeof versions);
}

void
sim_switch_pause(struct sim_switch *s, bool is_paused)
{
    if (is_paused)
        bufferevent_disable(s->bev, EV_READ);
    else
        bufferevent_enable(s->bev, EV_READ);
}

void
sim_switch_done(struct sim_switch *s)
{
    if (s->bev)
        bufferevent_free(s->bev);
    s->bev = NULL;
    bytes_done(&s->input);
    s->n_bundled = 0;
}
