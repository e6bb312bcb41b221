/* From the first byte to a switch that is known and configured: version, datapath id, what we want to be told. Called
 * by of_session.c and of_framing.c.
 *
 * Invariant: nothing but HELLO and FEATURES_REQUEST is sent before the owner has said that the switch is ours; what is
 * sent then concerns this connection only, never the switch's tables. */
#define LOG_MODULE "openflow"
#include <stdio.h>
#include <string.h>

#include "ofproto/session/of_session_private.h"

#include <openflow/nicira-ext.h>
#include <openflow/openflow.h>

#define HELLO_VERSIONBITMAP 1
#define HELLO_FAILED 0 /* error type; code 0: incompatible */
#define NXT_SET_PACKET_IN_FORMAT 16
#define NXT_SET_CONTROLLER_ID 20
#define PACKET_IN2 2 /* the format with userdata */
#define N_ASYNC_PROPERTIES 12
#define ASYNC_PACKET_IN_PRIMARY 1
#define ASYNC_FLOW_REMOVED_PRIMARY 5
#define ROLE_PRIMARY 2

void
of_handshake_start(struct of_session *s)
{
    struct bytes b = BYTES_INIT;
    size_t hello = of_message_begin(&b, OF_HELLO, of_session_xids(s, 1));
    bytes_put_be16(&b, HELLO_VERSIONBITMAP);
    bytes_put_be16(&b, 8);
    bytes_put_be32(&b, 1u << OF_VERSION);
    of_message_end(&b, hello);
    of_session_send(s, &b);
}

/* The versions that a HELLO offers, as a bitmap. Without an element for them: its header's and all before. */
static uint32_t
offered_versions(const uint8_t *message, size_t n)
{
    struct bytes_reader r;
    reader_init(&r, message, n);
    uint8_t version = reader_u8(&r);
    reader_take(&r, OF_HEADER_BYTES - 1);

    while (reader_left(&r) >= 4) {
        uint16_t type = reader_be16(&r);
        uint16_t length = reader_be16(&r);
        if (type == HELLO_VERSIONBITMAP && length >= 8)
            return reader_be32(&r);
        if (length < 4 || !reader_take(&r, (size_t) (length + 7) / 8 * 8 - 4))
            break;
    }
    return version >= 31 ? UINT32_MAX : (2u << version) - 1;
}

static void
refuse_version(struct of_session *s, uint8_t version)
{
    static const char text[] = "OpenFlow 1.5 is needed";
    struct bytes b = BYTES_INIT;
    size_t error = of_message_begin(&b, OF_ERROR, of_session_xids(s, 1));
    b.data[error] = version < OF_VERSION ? version : OF_VERSION;
    bytes_put_be16(&b, HELLO_FAILED);
    bytes_put_be16(&b, 0);
    bytes_put(&b, text, sizeof text - 1);
    of_message_end(&b, error);
    of_session_send(s, &b);
    of_session_fail_after_goodbye(s, "the switch does not offer OpenFlow 1.5: add OpenFlow15 to its bridge's protocols");
}

void
of_handshake_hello(struct of_session *s, const uint8_t *message, size_t n)
{
    if (s->state != OF_STATE_HELLO) {
        of_session_fail(s, "the switch said HELLO twice");
        return;
    }
    if (!(offered_versions(message, n) & 1u << OF_VERSION)) {
        refuse_version(s, message[0]);
        return;
    }
    struct bytes b = BYTES_INIT;
    of_message_empty(&b, OF_FEATURES_REQUEST, of_session_xids(s, 1));
    of_session_send(s, &b);
    of_session_set_state(s, OF_STATE_FEATURES);
}

/* ---- what this connection shall carry ---- */

static void
put_controller_id(struct of_session *s, struct bytes *b)
{
    size_t message = of_message_begin_nicira(b, NXT_SET_CONTROLLER_ID, of_session_xids(s, 1));
    bytes_extend_zero(b, 6);
    bytes_put_be16(b, s->controller_id);
    of_message_end(b, message);
}

static void
put_config(struct of_session *s, struct bytes *b)
{
    size_t message = of_message_begin(b, OF_SET_CONFIG, of_session_xids(s, 1));
    bytes_put_be16(b, OFPC_FRAG_NORMAL);
    bytes_put_be16(b, UINT16_MAX); /* whole packets; 0 would also silence some connections */
    of_message_end(b, message);

    message = of_message_begin_nicira(b, NXT_SET_PACKET_IN_FORMAT, of_session_xids(s, 1));
    bytes_put_be32(b, PACKET_IN2);
    of_message_end(b, message);
}

static uint32_t
wanted_reasons(unsigned type)
{
    switch (type) {
    case ASYNC_PACKET_IN_PRIMARY: return 1u << OFPR_ACTION | OFPR14_ACTION_BITS;
    case ASYNC_FLOW_REMOVED_PRIMARY: return 1u << OFPRR_DELETE | 1u << OFPRR_GROUP_DELETE;
    default: return 0;
    }
}

/* Of all that a switch tells unasked, only packets that a flow sends here, and the end of flows that tell it: ports are the database's
 * business. */
static void
put_async(struct of_session *s, struct bytes *b)
{
    size_t message = of_message_begin(b, OF_SET_ASYNC, of_session_xids(s, 1));
    for (unsigned type = 0; type < N_ASYNC_PROPERTIES; type++) {
        bytes_put_be16(b, (uint16_t) type);
        bytes_put_be16(b, 8);
        bytes_put_be32(b, wanted_reasons(type));
    }
    of_message_end(b, message);
}

static void
put_role(struct of_session *s, struct bytes *b)
{
    s->role_xid = of_session_xids(s, 1);
    size_t message = of_message_begin(b, OF_ROLE_REQUEST, s->role_xid);
    bytes_put_be32(b, ROLE_PRIMARY);
    bytes_put_be32(b, 0); /* short id: not used */
    bytes_put_be64(b, s->generation);
    of_message_end(b, message);
}

static void
configure(struct of_session *s)
{
    struct bytes b = BYTES_INIT;
    if (s->generation)
        put_role(s, &b);
    put_config(s, &b);
    put_async(s, &b);
    put_controller_id(s, &b);
    of_session_send(s, &b);
    of_conntrack_probe(s);
    s->is_configured = true;
}

void
of_handshake_send_controller_id(struct of_session *s)
{
    struct bytes b = BYTES_INIT;
    put_controller_id(s, &b);
    of_session_send(s, &b);
}

void
of_handshake_features(struct of_session *s, const uint8_t *message, size_t n)
{
    struct error err;
    struct bytes_reader r;
    reader_init(&r, message + OF_HEADER_BYTES, n - OF_HEADER_BYTES);
    uint64_t dpid = reader_be64(&r);
    reader_take(&r, 5); /* n_buffers, n_tables */
    uint8_t auxiliary = reader_u8(&r);

    if (s->state != OF_STATE_FEATURES)
        return;
    if (r.bad || auxiliary) {
        of_session_fail(s, r.bad ? "its features reply is too short" : "it is an auxiliary connection");
        return;
    }
    s->dpid = dpid;
    of_session_rename(s);
    of_session_set_state(s, OF_STATE_IDENTIFIED);
    if (!s->ops->identify(s->aux, s, dpid, &err))
        of_session_fail(s, "%s", err.text);
    else if (s->state != OF_STATE_CLOSED)
        configure(s);
}
