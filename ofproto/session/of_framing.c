/* Cuts a connection's input into OpenFlow messages and hands each to the part of the session that it concerns. Called by
 * of_session.c when bytes have come.
 *
 * Invariants: a message is complete and its length believed before anybody sees it; after a bounded amount of work the
 * rest waits for the loop's next round, so that one talkative switch delays no other. */
#define LOG_MODULE "openflow"
#include <string.h>

#include "ofproto/session/of_session_private.h"

#define NICIRA_VENDOR 0x00002320u
#define NXT_PACKET_IN2 30
#define BUDGET_MESSAGES 128
#define BUDGET_BYTES (256 << 10)
#define ECHO_BACKLOG_BYTES (4 << 20) /* a peer that asks and does not read the answers */

/* ---- packets ---- */

static void
dispatch_packet_in(struct of_session *s, const uint8_t *message, size_t n)
{
    struct packet_in in;
    struct error err;

    s->counters.packet_ins++;
    if (s->state < OF_STATE_IDENTIFIED) {
        s->counters.packet_ins_dropped++;
    } else if (!packet_in_decode(message, n, &in, &err)) {
        s->counters.packet_ins_dropped++;
        log_warn_limited(&s->log, "switch %s: dropped a packet-in: %s", s->name, err.text);
    } else if (!packet_in_limit_take(&s->packet_ins, &in, of_session_now_ms())) {
        s->counters.packet_ins_dropped++;
    } else {
        s->ops->packet_in(s->aux, s, &in);
    }
}

static void
dispatch_flow_removed(struct of_session *s, const uint8_t *message, size_t n)
{
    struct wire_flow flow;
    struct error err;
    if (s->state < OF_STATE_IDENTIFIED || !s->ops->flow_removed)
        return;
    if (wire_flow_removed(message, n, &flow, &err))
        s->ops->flow_removed(s->aux, s, &flow);
    else
        log_warn_limited(&s->log, "switch %s: %s", s->name, err.text);
}

static void
dispatch_experimenter(struct of_session *s, const uint8_t *message, size_t n)
{
    struct bytes_reader r;
    reader_init(&r, message + OF_HEADER_BYTES, n - OF_HEADER_BYTES);
    uint32_t vendor = reader_be32(&r), subtype = reader_be32(&r);
    if (!r.bad && vendor == NICIRA_VENDOR && subtype == NXT_PACKET_IN2)
        dispatch_packet_in(s, message, n);
}

/* ---- the rest ---- */

static void
dispatch_echo(struct of_session *s, const uint8_t *message, size_t n)
{
    if (of_session_backlog(s) > ECHO_BACKLOG_BYTES) {
        of_session_fail(s, "the switch does not read its connection");
        return;
    }
    struct bytes b = BYTES_INIT;
    bytes_put(&b, message, n);
    b.data[0] = OF_VERSION;
    b.data[1] = OF_ECHO_REPLY;
    of_session_send(s, &b);
}

static void
dispatch_error(struct of_session *s, const uint8_t *message, size_t n, uint32_t xid)
{
    struct of_error e;
    if (of_conntrack_probe_refused(s, xid))
        return;
    of_message_error(message, n, &e);
    s->counters.errors++;
    if (s->state == OF_STATE_HELLO || s->state == OF_STATE_FEATURES)
        of_session_fail(s, "the switch refused the handshake: %s", e.text);
    else if (s->role_xid && xid == s->role_xid)
        of_session_fail(s, "the switch refused the primary role: another vnetd with a newer store has it (%s)", e.text);
    else if (!of_commit_error(s, xid, &e) && !of_reader_error(s, xid, &e) && !of_conntrack_error(s, message, n, &e))
        log_warn_limited(&s->log, "switch %s: unexpected error: %s", s->name, e.text);
}

static void
dispatch(struct of_session *s, const uint8_t *message, size_t n, uint32_t xid)
{
    switch (message[1]) {
    case OF_HELLO: of_handshake_hello(s, message, n); break;
    case OF_ERROR: dispatch_error(s, message, n, xid); break;
    case OF_ECHO_REQUEST: dispatch_echo(s, message, n); break;
    case OF_EXPERIMENTER: dispatch_experimenter(s, message, n); break;
    case OF_FEATURES_REPLY: of_handshake_features(s, message, n); break;
    case OF_PACKET_IN: /* not the format that was asked for: it cannot say which flow sent it */
        s->counters.packet_ins++;
        s->counters.packet_ins_dropped++;
        break;
    case OF_FLOW_REMOVED: dispatch_flow_removed(s, message, n); break;
    case OF_MULTIPART_REPLY: of_reader_reply(s, message, n, xid); break;
    case OF_BARRIER_REPLY:
        if (of_conntrack_barrier(s, xid))
            break;
        of_commit_barrier(s, xid);
        if (s->ops->passed)
            s->ops->passed(s->aux, s, xid);
        break;
    case OF_BUNDLE_CONTROL: of_commit_control(s, message, n, xid); break;
    default: /* echo replies have done their work by coming; the rest is not for us */ break;
    }
}

/* Until the versions are settled only a HELLO or the refusal of ours may come. */
static bool
is_header_acceptable(struct of_session *s, const uint8_t header[OF_HEADER_BYTES], size_t length)
{
    uint8_t version = header[0], type = header[1];
    if (length < OF_HEADER_BYTES)
        of_session_fail(s, "the switch sent a message of %zu bytes; a header has %d", length, OF_HEADER_BYTES);
    else if (s->state == OF_STATE_HELLO && type != OF_HELLO && type != OF_ERROR)
        of_session_fail(s, "the peer's first message is not a HELLO of OpenFlow");
    else if (version != OF_VERSION && type != OF_HELLO && type != OF_ERROR)
        of_session_fail(s, "the switch sent a message of OpenFlow version 0x%02x after 0x%02x was agreed", version, OF_VERSION);
    else
        return true;
    return false;
}

/* True if a message was there and more may be. */
static bool
framing_step(struct of_session *s, struct evbuffer *input, size_t *budget)
{
    uint8_t header[OF_HEADER_BYTES];
    if (evbuffer_copyout(input, header, sizeof header) < (ev_ssize_t) sizeof header)
        return false;

    struct bytes_reader r;
    reader_init(&r, header + 2, 6);
    size_t length = reader_be16(&r);
    uint32_t xid = reader_be32(&r);
    if (!is_header_acceptable(s, header, length) || evbuffer_get_length(input) < length)
        return false;

    dispatch(s, evbuffer_pullup(input, (ev_ssize_t) length), length, xid);
    if (s->state == OF_STATE_CLOSED)
        return false;
    evbuffer_drain(input, length);
    *budget -= length < *budget ? length : *budget;
    return true;
}

void
of_framing_run(struct of_session *s)
{
    struct evbuffer *input = bufferevent_get_input(s->bev);
    size_t budget = BUDGET_BYTES;

    for (unsigned n = 0; s->state != OF_STATE_CLOSED && framing_step(s, input, &budget); n++) {
        if (!budget || n >= BUDGET_MESSAGES) {
            of_session_continue(s);
            break;
        }
    }
    s->input_seen = evbuffer_get_length(input);
}
