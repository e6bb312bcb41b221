/* What a switch says that it holds: multipart replies, taken apart within their lengths. Each entry says its own
 * length; an entry that lies about it ends the reading with an error. (OpenFlow 1.5.1: 7.3.5.2, 7.3.5.9, 7.3.5.12, 7.3.5.13.) */
#include "ofproto/flow/wire.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ofproto/flow/spec_private.h"
#include "ofproto/flow/wire_private.h"

static const char *
reply_name(uint16_t type)
{
    return type == WIRE_MULTIPART_FLOW_DESC ? "flow" : type == WIRE_MULTIPART_GROUP_DESC ? "group" : "meter";
}

/* Opens a multipart reply of 'type'; 'r' is then at its first entry. */
static bool
reply_open(const uint8_t *message, size_t n, uint16_t type, bool *more, struct bytes_reader *r, struct error *err)
{
    reader_init(r, message, n);
    uint8_t version = reader_u8(r), message_type = reader_u8(r);
    uint16_t length = reader_be16(r);
    reader_be32(r); /* xid */
    uint16_t multipart_type = reader_be16(r), flags = reader_be16(r);
    reader_be32(r); /* padding */
    if (r->bad || version != OFP15_VERSION || message_type != WIRE_MULTIPART_REPLY || length != n || multipart_type != type)
        return error_set(err, ERROR_PROTOCOL,
                         "%s reply of %zu bytes has version %u, type %u, length %u, part type %u; "
                         "expected an OpenFlow 1.5 multipart reply of type %u",
                         reply_name(type), n, version, message_type, length, multipart_type, type);
    *more = flags & WIRE_MULTIPART_MORE;
    return true;
}

/* Takes one entry whose first two bytes (at 'length_ofs') are its length into 'entry'. */
static bool
entry_take(struct bytes_reader *r, uint16_t type, size_t min, struct bytes_reader *entry, struct error *err)
{
    size_t left = reader_left(r);
    size_t length = left >= 2 ? (size_t) r->p[0] << 8 | r->p[1] : 0;
    if (length < min || length > left)
        return error_set(err, ERROR_PROTOCOL,
                         "%s reply has an entry of length %zu where %zu bytes are left; at least "
                         "%zu belong to it",
                         reply_name(type), length, left, min);
    reader_init(entry, reader_take(r, length), length);
    return true;
}

/* OXS TLVs (OpenFlow 1.5.1, 7.2.4): class, field, length. Fields that we do not know are passed over. */
#define OXS_CLASS_BASIC 0x8002

static void
stat_read(struct bytes_reader *stats, struct wire_flow *wf)
{
    uint16_t class = reader_be16(stats);
    uint8_t field = reader_u8(stats) >> 1, length = reader_u8(stats);
    const uint8_t *value = reader_take(stats, length);
    if (!value || class != OXS_CLASS_BASIC || length != sizeof(uint64_t))
        return;

    struct bytes_reader r;
    reader_init(&r, value, length);
    uint64_t number = reader_be64(&r);
    if (field == OFPXST_OFB_DURATION)
        wf->duration_s = number >> 32;
    else if (field == OFPXST_OFB_IDLE_TIME)
        wf->idle_s = number >> 32;
    else if (field == OFPXST_OFB_PACKET_COUNT)
        wf->packets = number;
    else if (field == OFPXST_OFB_BYTE_COUNT)
        wf->bytes = number;
}

static bool
stats_read(struct bytes_reader *entry, struct wire_flow *wf)
{
    reader_be16(entry); /* reserved */
    size_t length = reader_be16(entry);
    if (length < WIRE_MATCH_HEADER)
        return false;
    struct bytes_reader stats;
    const uint8_t *p = reader_take(entry, length - WIRE_MATCH_HEADER);
    if (!p || !reader_take(entry, wire_pad(length)))
        return false;
    reader_init(&stats, p, length - WIRE_MATCH_HEADER);
    while (reader_left(&stats))
        stat_read(&stats, wf);
    return !stats.bad;
}

static bool
match_read(struct bytes_reader *entry, struct wire_flow *wf)
{
    uint16_t type = reader_be16(entry);
    size_t length = reader_be16(entry);
    if (type != OFPMT_OXM || length < WIRE_MATCH_HEADER)
        return false;
    wf->key_len = length - WIRE_MATCH_HEADER;
    wf->key = reader_take(entry, wf->key_len);
    return reader_take(entry, wire_pad(length)) != NULL;
}

static bool
flow_read(struct bytes_reader *entry, struct wire_flow *wf)
{
    struct ofp15_flow_desc head;
    const uint8_t *p = reader_take(entry, sizeof head);
    if (!p)
        return false;
    memcpy(&head, p, sizeof head);
    *wf = (struct wire_flow){
        .cookie = be64toh(head.cookie),
        .priority = ntohs(head.priority),
        .table = head.table_id,
        .is_foreign = head.idle_timeout || head.hard_timeout || (head.flags & ~htons(OFPFF_SEND_FLOW_REM)) || head.importance,
        .tells_removal = head.flags & htons(OFPFF_SEND_FLOW_REM),
        .idle_s = UINT32_MAX,
    };
    if (!match_read(entry, wf) || !stats_read(entry, wf))
        return false;
    wf->body_len = reader_left(entry);
    wf->body = reader_take(entry, wf->body_len);
    return true;
}

bool
wire_each_flow(const uint8_t *message, size_t n, bool *more, void (*each)(void *aux, const struct wire_flow *), void *aux,
               struct error *err)
{
    struct bytes_reader r, entry;
    if (!reply_open(message, n, WIRE_MULTIPART_FLOW_DESC, more, &r, err))
        return false;
    while (reader_left(&r)) {
        struct wire_flow wf;
        if (!entry_take(&r, WIRE_MULTIPART_FLOW_DESC, sizeof(struct ofp15_flow_desc), &entry, err))
            return false;
        if (!flow_read(&entry, &wf))
            return error_set(err, ERROR_PROTOCOL,
                             "flow reply has an entry whose match or statistics do not fit into "
                             "its length");
        each(aux, &wf);
    }
    return true;
}

/* OXM TLVs: class, field and whether there is a mask, length (ovs-fields(7)). */
#define OXM_CLASS_BASIC 0x8000
#define OXM_BASIC_IN_PORT 0
#define OXM_BASIC_ETH_SRC 4

bool
wire_flow_origin(const struct wire_flow *wf, uint32_t *in_port, struct mac *eth_src)
{
    struct bytes_reader key;
    bool has_port = false, has_sender = false;
    reader_init(&key, wf->key, wf->key_len);
    while (reader_left(&key)) {
        uint16_t class = reader_be16(&key);
        uint8_t field = reader_u8(&key), length = reader_u8(&key);
        const uint8_t *p = reader_take(&key, length);
        if (!p)
            return false;
        if (class == OXM_CLASS_BASIC && field == OXM_BASIC_IN_PORT << 1 && length == sizeof *in_port) {
            *in_port = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
            has_port = true;
        } else if (class == OXM_CLASS_BASIC && field == OXM_BASIC_ETH_SRC << 1 && length == sizeof eth_src->b) {
            memcpy(eth_src->b, p, sizeof eth_src->b);
            has_sender = true;
        }
    }
    return has_port && has_sender;
}

bool
wire_flow_removed(const uint8_t *message, size_t n, struct wire_flow *wf, struct error *err)
{
    struct bytes_reader r;
    struct ofp15_flow_removed head;
    reader_init(&r, message, n);
    uint8_t version = reader_u8(&r), type = reader_u8(&r);
    uint16_t length = reader_be16(&r);
    reader_be32(&r); /* xid */
    const uint8_t *p = reader_take(&r, sizeof head);
    if (!p || version != OFP15_VERSION || type != WIRE_FLOW_REMOVED || length != n)
        return error_set(err, ERROR_PROTOCOL,
                         "message of %zu bytes has version %u, type %u, length %u; expected OpenFlow 1.5's "
                         "word about a removed flow",
                         n, version, type, length);
    memcpy(&head, p, sizeof head);
    *wf = (struct wire_flow){
        .cookie = be64toh(head.cookie),
        .priority = ntohs(head.priority),
        .table = head.table_id,
        .idle_s = UINT32_MAX,
        .tells_removal = true,
    };
    return (match_read(&r, wf) && stats_read(&r, wf))
           || error_set(err, ERROR_PROTOCOL, "the word about a removed flow has a match or statistics that do not fit into its length");
}

/* A spec whose bytes are written in place: one allocation for a whole reply. */
static struct spec *
scratch_spec(void)
{
    return mem_zalloc(sizeof(struct spec) + LIMIT_OPENFLOW_MESSAGE);
}

static bool
group_read(struct bytes_reader *entry, struct spec *s)
{
    struct ofp15_group_desc_stats head;
    const uint8_t *p = reader_take(entry, sizeof head);
    if (!p)
        return false;
    memcpy(&head, p, sizeof head);
    size_t left = reader_left(entry);
    if (ntohs(head.bucket_list_len) > left)
        return false;
    s->kind = SPEC_GROUP;
    s->id = ntohl(head.group_id);
    s->body_len = 4 + left;
    s->bytes[0] = head.type;
    if (left)
        memcpy(s->bytes + 4, reader_take(entry, left), left);
    return true;
}

bool
wire_each_group(const uint8_t *message, size_t n, bool *more, void (*each)(void *aux, const struct spec *), void *aux, struct error *err)
{
    struct bytes_reader r, entry;
    if (!reply_open(message, n, WIRE_MULTIPART_GROUP_DESC, more, &r, err))
        return false;
    struct spec *s = scratch_spec();
    bool ok = true;
    while (ok && reader_left(&r)) {
        ok = entry_take(&r, WIRE_MULTIPART_GROUP_DESC, sizeof(struct ofp15_group_desc_stats), &entry, err)
             && (group_read(&entry, s)
                 || error_set(err, ERROR_PROTOCOL, "group reply has an entry whose buckets do not fit into its length"));
        if (ok)
            each(aux, s);
    }
    free(s);
    return ok;
}

static void
meter_read(struct bytes_reader *entry, struct spec *s)
{
    reader_be16(entry); /* length, known to fit */
    const uint8_t *flags = reader_take(entry, 2);
    s->kind = SPEC_METER;
    s->id = reader_be32(entry);
    size_t left = reader_left(entry);
    s->body_len = 4 + left;
    memcpy(s->bytes, flags, 2);
    if (left)
        memcpy(s->bytes + 4, reader_take(entry, left), left);
}

bool
wire_each_meter(const uint8_t *message, size_t n, bool *more, void (*each)(void *aux, const struct spec *), void *aux, struct error *err)
{
    struct bytes_reader r, entry;
    if (!reply_open(message, n, WIRE_MULTIPART_METER_DESC, more, &r, err))
        return false;
    struct spec *s = scratch_spec();
    bool ok = true;
    while (ok && reader_left(&r)) {
        ok = entry_take(&r, WIRE_MULTIPART_METER_DESC, sizeof(struct ofp13_meter_config), &entry, err);
        if (ok) {
            meter_read(&entry, s);
            each(aux, s);
        }
    }
    free(s);
    return ok;
}

/* Here the length does not come first. */
static bool
meter_stats_read(struct bytes_reader *r, struct wire_meter_stats *m)
{
    const size_t head = sizeof(struct ofp13_meter_stats), band = sizeof(struct ofp13_meter_band_stats);
    size_t left = reader_left(r);
    *m = (struct wire_meter_stats){ .id = reader_be32(r) };
    size_t length = reader_be16(r);
    reader_take(r, 6 + 4); /* padding, flows */
    m->packets = reader_be64(r);
    reader_take(r, 8 + 4 + 4); /* bytes, duration */
    if (r->bad || length < head || length > left || (length - head) % band)
        return false;
    for (size_t i = 0; i < (length - head) / band; i++) {
        m->dropped += reader_be64(r);
        reader_take(r, 8);
    }
    return true;
}

bool
wire_each_meter_stats(const uint8_t *message, size_t n, bool *more, void (*each)(void *aux, const struct wire_meter_stats *), void *aux,
                      struct error *err)
{
    struct bytes_reader r;
    struct wire_meter_stats m;
    if (!reply_open(message, n, WIRE_MULTIPART_METER_STATS, more, &r, err))
        return false;
    while (reader_left(&r)) {
        if (!meter_stats_read(&r, &m))
            return error_set(err, ERROR_PROTOCOL, "meter statistics have an entry that does not fit into its length");
        each(aux, &m);
    }
    return true;
}
