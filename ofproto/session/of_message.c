/* Small OpenFlow 1.5 messages, written by hand, and errors put into words. Called by the other files of a session. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ofproto/session/of_session_private.h"

#include <openflow/openflow.h>
#include <openvswitch/ofp-errors.h>

#define NICIRA_VENDOR 0x00002320u

size_t
of_message_begin(struct bytes *b, enum of_type type, uint32_t xid)
{
    size_t offset = b->n;
    bytes_put_u8(b, OF_VERSION);
    bytes_put_u8(b, (uint8_t) type);
    bytes_put_be16(b, 0);
    bytes_put_be32(b, xid);
    return offset;
}

void
of_message_end(struct bytes *b, size_t offset)
{
    uint16_t length = htons((uint16_t) (b->n - offset));
    memcpy(b->data + offset + 2, &length, sizeof length);
}

void
of_message_empty(struct bytes *b, enum of_type type, uint32_t xid)
{
    of_message_end(b, of_message_begin(b, type, xid));
}

size_t
of_message_begin_nicira(struct bytes *b, uint32_t subtype, uint32_t xid)
{
    size_t offset = of_message_begin(b, OF_EXPERIMENTER, xid);
    bytes_put_be32(b, NICIRA_VENDOR);
    bytes_put_be32(b, subtype);
    return offset;
}

void
of_message_bundle_control(struct bytes *b, uint32_t bundle, uint16_t type, uint32_t xid)
{
    size_t offset = of_message_begin(b, OF_BUNDLE_CONTROL, xid);
    bytes_put_be32(b, bundle);
    bytes_put_be16(b, type);
    bytes_put_be16(b, OFPBF_ATOMIC | OFPBF_ORDERED);
    of_message_end(b, offset);
}

/* The library wants messages aligned, and errors are rare enough for a copy. */
void
of_message_error(const uint8_t *message, size_t n, struct of_error *e)
{
    memset(e, 0, sizeof *e);
    void *copy = mem_dup(message, n);
    enum ofperr code = n >= OF_HEADER_BYTES + 4 ? ofperr_decode_msg(copy, NULL) : 0;
    free(copy);

    e->is_bundle_message_failed = code == OFPERR_OFPBFC_MSG_FAILED;
    e->is_bundle_gone = code == OFPERR_OFPBFC_TIMEOUT || code == OFPERR_OFPBFC_BAD_ID;
    if (code)
        snprintf(e->text, sizeof e->text, "%s (%s)", ofperr_get_name(code), ofperr_get_description(code));
    else if (n >= OF_HEADER_BYTES + 4)
        snprintf(e->text, sizeof e->text, "OpenFlow error type %u code %u", message[8] * 256u + message[9],
                 message[10] * 256u + message[11]);
    else
        snprintf(e->text, sizeof e->text, "an error without a type");
}
