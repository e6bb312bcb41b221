/* Requests for what a switch holds. (OpenFlow 1.5.1: 7.3.5.2 flows, 7.3.5.9 groups, 7.3.5.12 and 13 meters.) */
#include <arpa/inet.h>
#include <endian.h>

#include "ofproto/flow/field.h"
#include "ofproto/flow/wire.h"
#include "ofproto/flow/wire_private.h"

static void
put_request(struct bytes *b, uint16_t type, size_t body_len, uint32_t xid)
{
    struct ofp11_stats_msg {
        ovs_be16 type, flags;
        uint8_t pad[4];
    } head = { .type = htons(type) };
    wire_put_header(b, WIRE_MULTIPART_REQUEST, sizeof(struct ofp_header) + sizeof head + body_len, xid);
    bytes_put(b, &head, sizeof head);
}

void
wire_put_flow_stats_request(struct bytes *b, uint8_t table, uint64_t cookie, uint64_t cookie_mask, uint32_t xid)
{
    struct ofp11_flow_stats_request r = {
        .table_id = table,
        .out_port = htonl(OF_PORT_ANY),
        .out_group = htonl(OFPG_ANY),
        .cookie = htobe64(cookie & cookie_mask),
        .cookie_mask = htobe64(cookie_mask),
    };
    put_request(b, WIRE_MULTIPART_FLOW_DESC, sizeof r + wire_match_size(0), xid);
    bytes_put(b, &r, sizeof r);
    wire_put_match(b, NULL, 0);
}

void
wire_put_group_desc_request(struct bytes *b, uint32_t xid)
{
    struct ofp15_group_desc_request r = { .group_id = htonl(OFPG_ALL) };
    put_request(b, WIRE_MULTIPART_GROUP_DESC, sizeof r, xid);
    bytes_put(b, &r, sizeof r);
}

void
wire_put_meter_config_request(struct bytes *b, uint32_t xid)
{
    struct ofp13_meter_multipart_request r = { .meter_id = htonl(OFPM13_ALL) };
    put_request(b, WIRE_MULTIPART_METER_DESC, sizeof r, xid);
    bytes_put(b, &r, sizeof r);
}

void
wire_put_meter_stats_request(struct bytes *b, uint32_t meter, uint32_t xid)
{
    struct ofp13_meter_multipart_request r = { .meter_id = htonl(meter ? meter : OFPM13_ALL) };
    put_request(b, WIRE_MULTIPART_METER_STATS, sizeof r, xid);
    bytes_put(b, &r, sizeof r);
}
