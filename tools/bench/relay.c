/* See relay.h. */
#include "tools/bench/relay.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/bench/real_switch.h"
#include "tools/bench/sim_host.h"

static void
side_end(struct relay_side *side)
{
    if (side->bev)
        bufferevent_free(side->bev);
    *side = (struct relay_side){ NULL };
}

static void
connection_end(struct relay *r)
{
    side_end(&r->of_switch);
    side_end(&r->of_daemon);
}

/* ---- looking at what passes ---- */

static void
message_begun(struct relay *r, const struct relay_side *side)
{
    const uint8_t *m = side->header;
    if (side == &r->of_switch && m[1] == 6)
        r->connected_ns = bench_now_ns();
    if (side == &r->of_switch && m[1] == 33 && m[13] == RAW_BUNDLE_COMMIT + 1)
        r->n_commits++;
}

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Every message's first 16 bytes, or all it has, are collected. */
static void
side_see(struct relay *r, struct relay_side *side, const uint8_t *p, size_t n)
{
    while (n) {
        size_t length = side->n_header >= 8 ? (size_t) side->header[2] << 8 | side->header[3] : 8;
        size_t wanted = smaller(length, sizeof side->header);
        if (side->n_left) {
            size_t skipped = smaller(n, side->n_left);
            side->n_left -= skipped;
            p += skipped;
            n -= skipped;
            continue;
        }
        size_t taken = smaller(n, wanted - side->n_header);
        memcpy(side->header + side->n_header, p, taken);
        side->n_header += taken;
        p += taken;
        n -= taken;
        length = side->n_header >= 8 ? (size_t) side->header[2] << 8 | side->header[3] : SIZE_MAX;
        if (side->n_header == smaller(length, sizeof side->header)) {
            message_begun(r, side);
            side->n_left = length - side->n_header;
            side->n_header = 0;
        }
    }
}

static void
buffer_see(struct relay *r, struct relay_side *side, struct evbuffer *input)
{
    struct evbuffer_iovec v[64];
    int n = evbuffer_peek(input, -1, NULL, v, 64);
    for (int i = 0; i < n && i < 64; i++) {
        side_see(r, side, v[i].iov_base, v[i].iov_len);
        if (r->is_keeping && side == &r->of_daemon)
            bytes_put(&r->kept, v[i].iov_base, v[i].iov_len);
    }
    if (n > 64)
        bench_die("more than was thought possible waits in the relay");
}

static void
on_input(struct bufferevent *bev, void *aux)
{
    struct relay *r = aux;
    struct relay_side *from = bev == r->of_switch.bev ? &r->of_switch : &r->of_daemon;
    struct relay_side *to = from == &r->of_switch ? &r->of_daemon : &r->of_switch;
    struct evbuffer *input = bufferevent_get_input(bev);
    if (!to->bev)
        return;
    buffer_see(r, from, input);
    bufferevent_write_buffer(to->bev, input);
}

static void
on_event(struct bufferevent *bev, short what, void *aux)
{
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        connection_end(aux);
}

static void
side_begin(struct relay *r, struct relay_side *side, struct bufferevent *bev)
{
    side->bev = bev;
    bufferevent_setcb(bev, on_input, NULL, on_event, r);
    bufferevent_set_max_single_read(bev, 1 << 18);
    bufferevent_set_max_single_write(bev, 1 << 20);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void
let_through(struct relay *r)
{
    side_begin(r, &r->of_daemon, sim_connect(r->bench, r->daemon->openflow_port));
    on_input(r->of_switch.bev, r);
}

static void
on_accept(evutil_socket_t fd, short what, void *aux)
{
    struct relay *r = aux;
    int connection = accept(fd, NULL, NULL);
    if (connection < 0)
        return;
    evutil_make_socket_nonblocking(connection);
    sim_hurry(connection);
    connection_end(r);
    side_begin(r, &r->of_switch, bufferevent_socket_new(r->bench->base, connection, BEV_OPT_CLOSE_ON_FREE));
    if (r->is_open)
        let_through(r);
}

void
relay_start(struct relay *r, const struct bench *b, const struct daemon *d)
{
    *r = (struct relay){ .bench = b, .daemon = d, .port = bench_free_port() };
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(r->port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    evutil_make_listen_socket_reuseable(fd);
    if (bind(fd, (struct sockaddr *) &sin, sizeof sin) || listen(fd, 8))
        bench_die("the relay cannot listen on port %u", r->port);
    evutil_make_socket_nonblocking(fd);
    r->listener = event_new(b->base, fd, EV_READ | EV_PERSIST, on_accept, r);
    event_add(r->listener, NULL);
}

void
relay_stop(struct relay *r)
{
    connection_end(r);
    close(event_get_fd(r->listener));
    event_free(r->listener);
    bytes_done(&r->kept);
}

bool
relay_has_switch(const void *relay)
{
    return ((const struct relay *) relay)->of_switch.bev;
}

void
relay_open(struct relay *r)
{
    r->is_open = true;
    if (r->of_switch.bev && !r->of_daemon.bev)
        let_through(r);
}

void
relay_close(struct relay *r)
{
    r->is_open = false;
    connection_end(r);
}
