/* See fake_switch.h. */
#include "tests/unit/fake_switch.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {
    HELLO = 0,
    ERROR = 1,
    ECHO_REQUEST = 2,
    ECHO_REPLY = 3,
    EXPERIMENTER = 4,
    FEATURES_REQUEST = 5,
    FEATURES_REPLY = 6,
    PACKET_OUT = 13,
    MULTIPART_REQUEST = 18,
    MULTIPART_REPLY = 19,
    BARRIER_REQUEST = 20,
    BARRIER_REPLY = 21,
    SET_ASYNC = 28,
    BUNDLE_CONTROL = 33,
    BUNDLE_ADD = 34
};

void
fake_switch_send(struct fake_switch *f, uint8_t version, uint8_t type, uint32_t xid, const void *body, size_t n)
{
    struct bytes b = BYTES_INIT;
    bytes_put_u8(&b, version);
    bytes_put_u8(&b, type);
    bytes_put_be16(&b, (uint16_t) (8 + n));
    bytes_put_be32(&b, xid);
    bytes_put(&b, body, n);
    bufferevent_write(f->bev, b.data, b.n);
    bytes_done(&b);
}

static void
send_error(struct fake_switch *f, uint32_t xid, uint16_t type, uint16_t code)
{
    const uint8_t body[] = { type >> 8, type & 255, code >> 8, code & 255 };
    fake_switch_send(f, 6, ERROR, xid, body, sizeof body);
}

/* As a switch does: with the beginning of what it refuses. */
static void
refuse(struct fake_switch *f, uint32_t xid, const uint8_t *message, size_t n)
{
    uint8_t body[4 + 64] = { 0, 1, 0, 3 };
    size_t quoted = n < 64 ? n : 64;
    memcpy(body + 4, message, quoted);
    fake_switch_send(f, 6, ERROR, xid, body, 4 + quoted);
}

static void
send_features(struct fake_switch *f, uint32_t xid)
{
    struct bytes b = BYTES_INIT;
    bytes_put_be64(&b, f->dpid);
    bytes_put_be32(&b, 0);
    bytes_put_u8(&b, 254);
    bytes_extend_zero(&b, 11);
    fake_switch_send(f, 6, FEATURES_REPLY, xid, b.data, b.n);
    bytes_done(&b);
}

void
fake_switch_pass(struct fake_switch *f)
{
    f->keeps_barriers = false;
    for (unsigned i = 0; i < f->n_kept_barriers; i++)
        fake_switch_send(f, 6, BARRIER_REPLY, f->kept_barriers[i], NULL, 0);
    f->n_kept_barriers = 0;
}

void
fake_switch_confirm(struct fake_switch *f)
{
    if (f->is_commit_kept)
        fake_switch_send(f, 6, BUNDLE_CONTROL, f->kept_xid, f->kept_commit, sizeof f->kept_commit);
    f->is_commit_kept = f->keeps_commits = false;
}

/* One table with a flow in it, so that a dump is asked for; no flows, groups or meters are reported. */
static void
answer_multipart(struct fake_switch *f, const uint8_t *message, uint32_t xid)
{
    uint16_t type = (uint16_t) (message[8] << 8 | message[9]);
    uint8_t body[8 + 24] = { message[8], message[9] };
    if (type == 3) {
        if (f->is_deaf_to_tables)
            return;
        body[8] = 7;
        body[15] = 1;
        fake_switch_send(f, 6, MULTIPART_REPLY, xid, body, sizeof body);
        return;
    }
    for (unsigned i = 1; type <= 1 && i < f->n_multipart_parts; i++) {
        body[3] = 1;
        fake_switch_send(f, 6, MULTIPART_REPLY, xid, body, 8);
    }
    body[3] = 0;
    fake_switch_send(f, 6, MULTIPART_REPLY, xid, body, 8);
}

static void
answer_commit(struct fake_switch *f, const uint8_t *message, uint32_t xid)
{
    uint8_t body[8];
    memcpy(body, message + 8, sizeof body);
    body[5] = 5;
    if (f->n_commits_to_lose) {
        f->n_commits_to_lose--;
        send_error(f, xid, 17, 2);
    } else if (f->saw_bad || f->saw_nameless) {
        if (f->saw_bad)
            send_error(f, f->bad_xid, 5, 1);
        send_error(f, xid, 17, 13);
    } else {
        f->n_commits++;
        f->n_flows_committed += f->n_bundled;
        if (f->n_bundled > f->largest_bundle)
            f->largest_bundle = f->n_bundled;
        memcpy(f->kept_commit, body, sizeof body);
        f->kept_xid = xid;
        f->is_commit_kept = true;
        if (!f->keeps_commits)
            fake_switch_confirm(f);
    }
    f->n_bundled = 0;
}

static void
answer_bundle_control(struct fake_switch *f, const uint8_t *message, uint32_t xid)
{
    uint8_t type = message[13], body[8];
    if (type == 0) {
        memcpy(body, message + 8, sizeof body);
        body[5] = 1;
        f->n_bundled = 0;
        f->saw_bad = f->saw_nameless = false;
        fake_switch_send(f, 6, BUNDLE_CONTROL, xid, body, sizeof body);
    } else if (type == 4) {
        answer_commit(f, message, xid);
    } else if (type == 6) {
        f->n_discards++;
    }
}

static bool
is_of_refused_object(const struct fake_switch *f, const uint8_t *flow_mod)
{
    uint32_t number = (uint32_t) flow_mod[12] << 24 | (uint32_t) flow_mod[13] << 16 | (uint32_t) flow_mod[14] << 8 | flow_mod[15];
    return number && (number == f->refuses_flows_of[0] || number == f->refuses_flows_of[1]);
}

static void
take_bundle_add(struct fake_switch *f, const uint8_t *message, size_t n, uint32_t xid)
{
    const uint8_t *inner = message + 16;
    bool is_flow = n >= 16 + 48 && inner[1] == 14;
    uint16_t priority = is_flow ? (uint16_t) (inner[30] << 8 | inner[31]) : 0;
    if ((priority && priority == f->refuses_when_added) || (is_flow && is_of_refused_object(f, inner))) {
        send_error(f, xid, 5, 1);
        return;
    }
    if (priority && priority == f->refuses_when_committed) {
        f->saw_bad = true;
        f->bad_xid = xid;
    }
    if (priority && priority == f->spoils_commit_namelessly)
        f->saw_nameless = true;
    f->n_bundled++;
}

static void
answer(struct fake_switch *f, const uint8_t *message, size_t n)
{
    uint32_t xid = (uint32_t) message[4] << 24 | (uint32_t) message[5] << 16 | (uint32_t) message[6] << 8 | message[7];
    f->n_messages[message[1] & 63]++;
    if (message[1] == ERROR && n >= 12 && !message[8] && !message[9])
        f->n_hello_failed++;
    if (message[1] == EXPERIMENTER && n >= 24 && message[15] == 20) {
        f->n_controller_ids++;
        f->controller_id = (uint16_t) (message[22] << 8 | message[23]);
    }
    if (message[1] == EXPERIMENTER && n >= 24 && message[15] == 32) {
        f->n_ct_flushes++;
        f->n_commits_at_ct_flush = f->n_commits;
        f->ct_flush_len = n < sizeof f->ct_flush ? n : sizeof f->ct_flush;
        memcpy(f->ct_flush, message, f->ct_flush_len);
    }
    if (message[1] == EXPERIMENTER && n >= 24 && message[15] == 29 && f->n_flushed_zones < 16)
        f->flushed_zones[f->n_flushed_zones++] = (uint16_t) (message[22] << 8 | message[23]);
    if (message[1] == PACKET_OUT) {
        f->packet_out_len = n < sizeof f->packet_out ? n : sizeof f->packet_out;
        memcpy(f->packet_out, message, f->packet_out_len);
    }
    if (f->is_silent)
        return;
    if (message[1] == EXPERIMENTER && n >= 24 && message[15] == 32 && f->refuses_ct_flush)
        refuse(f, xid, message, n);
    if (message[1] == FEATURES_REQUEST)
        send_features(f, xid);
    else if (message[1] == ECHO_REQUEST)
        fake_switch_send(f, 6, ECHO_REPLY, xid, message + 8, n - 8);
    else if (message[1] == MULTIPART_REQUEST)
        answer_multipart(f, message, xid);
    else if (message[1] == BARRIER_REQUEST && f->keeps_barriers && f->n_kept_barriers < 16)
        f->kept_barriers[f->n_kept_barriers++] = xid;
    else if (message[1] == BARRIER_REQUEST)
        fake_switch_send(f, 6, BARRIER_REPLY, xid, NULL, 0);
    else if (message[1] == SET_ASYNC && f->refuses_set_async)
        send_error(f, xid, 15, 0);
    else if (message[1] == BUNDLE_CONTROL)
        answer_bundle_control(f, message, xid);
    else if (message[1] == BUNDLE_ADD)
        take_bundle_add(f, message, n, xid);
}

static void
on_read(struct bufferevent *bev, void *aux)
{
    struct fake_switch *f = aux;
    struct evbuffer *input = bufferevent_get_input(bev);
    uint8_t header[8];
    while (evbuffer_copyout(input, header, 8) == 8) {
        size_t n = (size_t) header[2] << 8 | header[3];
        if (n < 8 || evbuffer_get_length(input) < n)
            break;
        answer(f, evbuffer_pullup(input, (ev_ssize_t) n), n);
        evbuffer_drain(input, n);
    }
}

static void
on_event(struct bufferevent *bev, short what, void *aux)
{
    struct fake_switch *f = aux;
    f->is_closed = true;
}

void
fake_switch_start(struct fake_switch *f, struct event_base *base, int fd)
{
    static const uint8_t bitmap[] = { 0, 1, 0, 8, 0, 0, 0, 0 };
    evutil_make_socket_nonblocking(fd);
    f->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(f->bev, on_read, NULL, on_event, f);
    bufferevent_enable(f->bev, EV_READ | EV_WRITE);
    if (f->is_silent)
        return;
    uint8_t body[8];
    memcpy(body, bitmap, sizeof body);
    body[7] = (uint8_t) f->hello_versions;
    fake_switch_send(f, f->hello_versions ? 6 : 1, HELLO, 1, body, f->hello_versions ? sizeof body : 0);
}

void
fake_switch_stop(struct fake_switch *f)
{
    if (f->bev)
        bufferevent_free(f->bev);
    f->bev = NULL;
}
