/* Packets that we send through a switch: OFPT_PACKET_OUT of OpenFlow 1.5 (7.3.6), one output action, nothing buffered. */
#include <arpa/inet.h>
#include <assert.h>

#include "base/limits.h"
#include "ofproto/flow/field.h"
#include "ofproto/flow/packet_in.h"
#include "ofproto/flow/wire_private.h"

#define ACTION_OUTPUT 0
struct action_output {
    ovs_be16 type, length;
    ovs_be32 port;
    ovs_be16 max_len;
    uint8_t pad[6];
};

void
packet_out_encode(struct bytes *b, uint32_t out_port, const uint8_t *packet, size_t n, uint32_t xid)
{
    /* OpenFlow wants the packet's input port as a match of its own. */
    const uint8_t in_port[] = { 0x80, 0x00, 0x00, 0x04, 0xff, 0xff, 0xff, OF_PORT_CONTROLLER & 0xff };
    struct action_output output = {
        .type = htons(ACTION_OUTPUT),
        .length = htons(sizeof output),
        .port = htonl(out_port),
    };
    struct ofp15_packet_out po = {
        .buffer_id = htonl(UINT32_MAX),
        .actions_len = htons(sizeof output),
    };
    size_t size = sizeof(struct ofp_header) + sizeof po + wire_match_size(sizeof in_port) + sizeof output + n;
    assert(size <= LIMIT_OPENFLOW_MESSAGE);
    wire_put_header(b, WIRE_PACKET_OUT, size, xid);
    bytes_put(b, &po, sizeof po);
    wire_put_match(b, in_port, sizeof in_port);
    bytes_put(b, &output, sizeof output);
    bytes_put(b, packet, n);
}
