/* Modifications of a switch, straight from a spec's bytes: nothing is encoded twice. (OpenFlow 1.5.1: 7.3.4.2 flow
 * mod, 7.3.4.3 group mod, 7.3.4.5 meter mod, 7.3.9 bundles.) */
#include "ofproto/flow/wire.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "ofproto/flow/field.h"
#include "ofproto/flow/spec_private.h"
#include "ofproto/flow/wire_private.h"

void
wire_put_header(struct bytes *b, uint8_t type, uint16_t length, uint32_t xid)
{
    struct ofp_header h = { .version = OFP15_VERSION, .type = type, .length = htons(length), .xid = htonl(xid) };
    bytes_put(b, &h, sizeof h);
}

void
wire_put_match(struct bytes *b, const void *key, size_t key_len)
{
    struct ofp11_match_header h = {
        .type = htons(OFPMT_OXM),
        .length = htons(WIRE_MATCH_HEADER + key_len),
    };
    uint8_t *p = bytes_extend(b, wire_match_size(key_len));
    memcpy(p, &h, sizeof h);
    if (key_len)
        memcpy(p + sizeof h, key, key_len);
    memset(p + sizeof h + key_len, 0, wire_pad(sizeof h + key_len));
}

static void
put_flow_mod(struct bytes *b, const struct spec *s, enum wire_command command, uint16_t length, uint32_t xid)
{
    bool is_delete = command == WIRE_DELETE;
    struct ofp11_flow_mod fm = {
        .cookie = is_delete ? 0 : htobe64(s->cookie),
        .table_id = s->table,
        .command = is_delete ? OFPFC_DELETE_STRICT : OFPFC_ADD,
        .priority = htons(s->priority),
        .flags = htons(!is_delete && s->tells_removal ? OFPFF_SEND_FLOW_REM : 0),
        .buffer_id = htonl(UINT32_MAX),
        .out_port = htonl(OF_PORT_ANY),
        .out_group = htonl(OFPG_ANY),
    };
    wire_put_header(b, WIRE_FLOW_MOD, length, xid);
    bytes_put(b, &fm, sizeof fm);
    wire_put_match(b, spec_key(s), s->key_len);
    if (!is_delete)
        bytes_put(b, spec_body(s), s->body_len);
}

#define GROUP_HEAD_BYTES 4 /* of a group's body: type, zeros */

/* How many of the bytes after a group's head are buckets; properties follow, whose type no bucket has for its length. */
static size_t
buckets_size(const uint8_t *p, size_t n)
{
    size_t at = 0;
    while (n - at >= sizeof(struct ofp15_bucket)) {
        size_t length = (size_t) p[at] << 8 | p[at + 1];
        if (length == OFPGPT15_EXPERIMENTER || length < sizeof(struct ofp15_bucket) || length > n - at)
            break;
        at += length;
    }
    return at;
}

static void
put_group_mod(struct bytes *b, const struct spec *s, enum ofp15_group_mod_command command, uint16_t length, uint32_t xid)
{
    const uint8_t *body = spec_body(s);
    struct ofp15_group_mod gm = {
        .command = htons(command),
        .type = body[0],
        .group_id = htonl(s->id),
        .command_bucket_id = htonl(OFPG15_BUCKET_ALL),
    };
    if (command != OFPGC15_DELETE)
        gm.bucket_array_len = htons(buckets_size(body + GROUP_HEAD_BYTES, s->body_len - GROUP_HEAD_BYTES));
    wire_put_header(b, WIRE_GROUP_MOD, length, xid);
    bytes_put(b, &gm, sizeof gm);
    if (command != OFPGC15_DELETE)
        bytes_put(b, body + GROUP_HEAD_BYTES, s->body_len - GROUP_HEAD_BYTES);
}

#define METER_HEAD_BYTES 4 /* of a meter's body: flags, zeros */

static void
put_meter_mod(struct bytes *b, const struct spec *s, enum ofp13_meter_mod_command command, uint16_t length, uint32_t xid)
{
    const uint8_t *body = spec_body(s);
    struct ofp13_meter_mod mm = { .command = htons(command), .meter_id = htonl(s->id) };
    if (command != OFPMC13_DELETE)
        memcpy(&mm.flags, body, sizeof mm.flags);
    wire_put_header(b, WIRE_METER_MOD, length, xid);
    bytes_put(b, &mm, sizeof mm);
    if (command != OFPMC13_DELETE)
        bytes_put(b, body + METER_HEAD_BYTES, s->body_len - METER_HEAD_BYTES);
}

static size_t
mod_size(const struct spec *s, enum wire_command command)
{
    bool is_delete = command == WIRE_DELETE;
    size_t size = sizeof(struct ofp_header);
    switch ((enum spec_kind) s->kind) {
    case SPEC_FLOW: return size + sizeof(struct ofp11_flow_mod) + wire_match_size(s->key_len) + (is_delete ? 0 : s->body_len);
    case SPEC_GROUP:
        assert(s->body_len >= GROUP_HEAD_BYTES);
        return size + sizeof(struct ofp15_group_mod) + (is_delete ? 0 : s->body_len - GROUP_HEAD_BYTES);
    case SPEC_METER:
        assert(s->body_len >= METER_HEAD_BYTES);
        return size + sizeof(struct ofp13_meter_mod) + (is_delete ? 0 : s->body_len - METER_HEAD_BYTES);
    }
    return 0;
}

void
wire_put_mod(struct bytes *b, const struct spec *s, enum wire_command command, bool is_modify, uint32_t xid)
{
    size_t size = mod_size(s, command);
    assert(size && size <= LIMIT_OPENFLOW_MESSAGE);
    switch ((enum spec_kind) s->kind) {
    case SPEC_FLOW: put_flow_mod(b, s, command, size, xid); break;
    case SPEC_GROUP:
        put_group_mod(b, s, command == WIRE_DELETE ? OFPGC15_DELETE : is_modify ? OFPGC15_MODIFY : OFPGC15_ADD, size, xid);
        break;
    case SPEC_METER:
        put_meter_mod(b, s, command == WIRE_DELETE ? OFPMC13_DELETE : is_modify ? OFPMC13_MODIFY : OFPMC13_ADD, size, xid);
        break;
    }
}

void
wire_put_bundle_mod(struct bytes *b, uint32_t bundle, const struct spec *s, enum wire_command command, bool is_modify, uint32_t xid)
{
    struct ofp14_bundle_ctrl_msg ctrl = {
        .bundle_id = htonl(bundle),
        .flags = htons(OFPBF_ATOMIC | OFPBF_ORDERED),
    };
    size_t size = sizeof(struct ofp_header) + sizeof ctrl + mod_size(s, command);
    assert(size <= LIMIT_OPENFLOW_MESSAGE);
    wire_put_header(b, WIRE_BUNDLE_ADD_MESSAGE, size, xid);
    bytes_put(b, &ctrl, sizeof ctrl);
    wire_put_mod(b, s, command, is_modify, xid);
}
