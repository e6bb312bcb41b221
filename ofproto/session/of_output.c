/* What goes to the switch: messages with their numbers, and the packets that the owner sends, unless too much waits already. Called by the
 * other files of a session. */
#include <stdlib.h>
#include <sys/socket.h>

#include "ofproto/session/of_session_private.h"

#define PACKET_OUT_BACKLOG_BYTES (1 << 20)
#define COPY_MAX_BYTES 4096 /* what is longer goes to the output without a copy */

size_t
of_session_backlog(const struct of_session *s)
{
    size_t n = evbuffer_get_length(bufferevent_get_output(s->bev));
    return n > s->commit.sent_bytes ? n - s->commit.sent_bytes : 0;
}

static void
free_sent(const void *data, size_t n, void *whole)
{
    free(whole);
}

/* Most messages fit the socket: written at once they cost no turn of the loop, and none of the calls that ask for one. What was
 * written; the connection's end is found by the loop. */
static size_t
send_now(struct of_session *s, const uint8_t *data, size_t n)
{
    if (s->peer.kind != ENDPOINT_TCP || evbuffer_get_length(bufferevent_get_output(s->bev)))
        return 0;
    ssize_t done = send(bufferevent_getfd(s->bev), data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    return done > 0 ? (size_t) done : 0;
}

void
of_session_send(struct of_session *s, struct bytes *b)
{
    struct evbuffer *output = bufferevent_get_output(s->bev);
    size_t done = s->state == OF_STATE_CLOSED ? b->n : send_now(s, b->data, b->n), left = b->n - done;
    if (left > COPY_MAX_BYTES && !evbuffer_add_reference(output, b->data + done, left, free_sent, b->data)) {
        *b = (struct bytes) BYTES_INIT;
        return;
    }
    if (left)
        evbuffer_add(output, b->data + done, left);
    bytes_done(b);
}

uint32_t
of_session_xids(struct of_session *s, uint32_t n)
{
    if (s->next_xid > UINT32_MAX - n)
        s->next_xid = 1;
    uint32_t first = s->next_xid;
    s->next_xid += n;
    return first;
}

bool
of_session_packet_out(struct of_session *s, uint32_t out_port, const uint8_t *packet, size_t n)
{
    if (s->state < OF_STATE_IDENTIFIED || s->state == OF_STATE_CLOSED || of_session_backlog(s) > PACKET_OUT_BACKLOG_BYTES)
        return false;
    struct bytes b = BYTES_INIT;
    packet_out_encode(&b, out_port, packet, n, of_session_xids(s, 1));
    of_session_send(s, &b);
    return true;
}

void
of_session_resume(struct of_session *s, const struct packet_in *in, const uint8_t *packet, size_t n)
{
    if (s->state < OF_STATE_IDENTIFIED || s->state == OF_STATE_CLOSED || !packet_resume_fits(in, n)
        || of_session_backlog(s) > PACKET_OUT_BACKLOG_BYTES)
        return;
    struct bytes b = BYTES_INIT;
    packet_resume_encode(&b, in, packet, n, of_session_xids(s, 1));
    of_session_send(s, &b);
}
