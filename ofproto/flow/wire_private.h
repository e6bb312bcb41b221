/* OpenFlow 1.5 messages that are put together and taken apart by hand. */
#ifndef OFPROTO_FLOW_WIRE_PRIVATE_H
#define OFPROTO_FLOW_WIRE_PRIVATE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openflow/openflow.h>

#include "base/bytes.h"

/* Message types of OpenFlow 1.5 (7.1.1) and multipart types (7.3.5). */
#define WIRE_EXPERIMENTER 4
#define WIRE_FLOW_REMOVED 11
#define WIRE_PACKET_OUT 13
#define WIRE_FLOW_MOD 14
#define WIRE_GROUP_MOD 15
#define WIRE_MULTIPART_REQUEST 18
#define WIRE_MULTIPART_REPLY 19
#define WIRE_METER_MOD 29
#define WIRE_BUNDLE_ADD_MESSAGE 34

#define WIRE_EXPERIMENTER_HEADER 16 /* OpenFlow's, vendor and subtype */
#define WIRE_NXT_RESUME 28
#define WIRE_NXT_PACKET_IN2 30 /* subtype of Nicira's WIRE_EXPERIMENTER */

#define WIRE_MULTIPART_FLOW_DESC 1
#define WIRE_MULTIPART_GROUP_DESC 7
#define WIRE_MULTIPART_METER_STATS 9
#define WIRE_MULTIPART_METER_DESC 10
#define WIRE_MULTIPART_MORE 1 /* flag of a reply */

#define WIRE_MATCH_HEADER 4 /* of struct ofp11_match_header: type, length */

static inline size_t
wire_pad(size_t n)
{
    return -n & 7;
}

/* Appends the header of a message of 'length' bytes in all. */
void wire_put_header(struct bytes *, uint8_t type, uint16_t length, uint32_t xid);

/* Appends 'key' (OXM TLVs) as a match of OpenFlow 1.2 and later, padded. */
void wire_put_match(struct bytes *, const void *key, size_t key_len);
static inline size_t
wire_match_size(size_t key_len)
{
    return WIRE_MATCH_HEADER + key_len + wire_pad(WIRE_MATCH_HEADER + key_len);
}

/* Through libopenvswitch; false if it does not understand the bytes. */
struct match;
struct ofpbuf;
bool wire_decode_match(const uint8_t *key, size_t key_len, struct match *);
bool wire_decode_instructions(const uint8_t *body, size_t body_len, struct ofpbuf *ofpacts);

#endif
