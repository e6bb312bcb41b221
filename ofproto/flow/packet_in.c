/* NXT_PACKET_IN2, and NXT_RESUME: properties in a row, of which one holds the registers as OXM TLVs. The packet is a guest's and the
 * message a switch's: everything is read within its length, and what we do not know is passed over. */
#include "ofproto/flow/packet_in.h"

#include <assert.h>
#include <string.h>

#include <openflow/nicira-ext.h>

#include "base/limits.h"
#include "ofproto/flow/wire_private.h"

#define PROPERTY_HEADER 4

/* OXM classes and fields (ovs-fields(7)). */
#define OXM_CLASS_NXM1 0x0001
#define OXM_CLASS_BASIC 0x8000
#define OXM_CLASS_PACKET_REGS 0x8001
#define OXM_CLASS_EXPERIMENTER 0xffff
#define OXM_BASIC_IN_PORT 0
#define OXM_BASIC_METADATA 2
#define OXM_NXM1_REG_LAST 15
#define OXM_NXM1_XXREG_FIRST 111
#define OXM_NXM1_XXREG_LAST 114
#define N_REGS 16

/* 'n' registers from 'first' on. */
static bool
regs_read(struct packet_in *pi, unsigned first, unsigned n, struct bytes_reader *value)
{
    if (first + n > N_REGS || reader_left(value) != n * sizeof *pi->reg)
        return false;
    for (unsigned i = 0; i < n; i++)
        pi->reg[first + i] = reader_be32(value);
    return true;
}

static bool
field_read(struct packet_in *pi, uint16_t class, uint8_t field, struct bytes_reader *value)
{
    if (class == OXM_CLASS_BASIC && field == OXM_BASIC_IN_PORT)
        pi->in_port = reader_be32(value);
    else if (class == OXM_CLASS_BASIC && field == OXM_BASIC_METADATA)
        pi->metadata = reader_be64(value);
    else if (class == OXM_CLASS_NXM1 && field <= OXM_NXM1_REG_LAST)
        return regs_read(pi, field, 1, value);
    else if (class == OXM_CLASS_NXM1 && field >= OXM_NXM1_XXREG_FIRST && field <= OXM_NXM1_XXREG_LAST)
        return regs_read(pi, (field - OXM_NXM1_XXREG_FIRST) * 4, 4, value);
    else if (class == OXM_CLASS_PACKET_REGS)
        return regs_read(pi, field * 2, 2, value);
    return !value->bad;
}

/* One TLV: class (16 bits), field (7), has-mask (1), length (8), value and perhaps a mask of the same size. */
static bool
oxm_read(struct packet_in *pi, struct bytes_reader *r)
{
    uint16_t class = reader_be16(r);
    uint8_t field = reader_u8(r), length = reader_u8(r);
    bool has_mask = field & 1;
    const uint8_t *p = reader_take(r, length);
    if (!p)
        return false;
    if (class == OXM_CLASS_EXPERIMENTER)
        return true;
    if (has_mask && length % 2)
        return false;

    struct bytes_reader value;
    reader_init(&value, p, has_mask ? length / 2 : length);
    return field_read(pi, class, field >> 1, &value);
}

static bool
property_read(struct packet_in *pi, uint16_t type, struct bytes_reader *value)
{
    switch (type) {
    case NXPINT_PACKET:
        pi->packet_len = reader_left(value);
        pi->packet = reader_take(value, pi->packet_len);
        break;
    case NXPINT_FULL_LEN: pi->total_len = reader_be32(value); break;
    case NXPINT_TABLE_ID: pi->table = reader_u8(value); break;
    case NXPINT_COOKIE:
        reader_be32(value); /* 64-bit values are aligned within their property */
        pi->cookie = reader_be64(value);
        break;
    case NXPINT_USERDATA:
        pi->userdata_len = reader_left(value);
        pi->userdata = reader_take(value, pi->userdata_len);
        break;
    case NXPINT_CONTINUATION:
        pi->continuation_len = 1; /* there is one; packet_in_decode() says how much goes back */
        break;
    case NXPINT_METADATA:
        while (reader_left(value))
            if (!oxm_read(pi, value))
                return false;
        break;
    default: break;
    }
    return !value->bad;
}

static bool
properties_read(struct packet_in *pi, struct bytes_reader *r)
{
    while (reader_left(r)) {
        uint16_t type = reader_be16(r);
        size_t length = reader_be16(r);
        if (length < PROPERTY_HEADER)
            return false;
        const uint8_t *p = reader_take(r, length - PROPERTY_HEADER);
        reader_take(r, wire_pad(length));
        if (r->bad)
            return false;

        struct bytes_reader value;
        reader_init(&value, p, length - PROPERTY_HEADER);
        if (!property_read(pi, type, &value))
            return false;
    }
    return true;
}

bool
packet_in_decode(const uint8_t *message, size_t n, struct packet_in *pi, struct error *err)
{
    struct bytes_reader r;
    reader_init(&r, message, n);
    uint8_t version = reader_u8(&r), type = reader_u8(&r);
    uint16_t length = reader_be16(&r);
    reader_be32(&r); /* xid */
    uint32_t vendor = reader_be32(&r), subtype = reader_be32(&r);
    if (r.bad || version != OFP15_VERSION || type != WIRE_EXPERIMENTER || length != n || vendor != NX_VENDOR_ID
        || subtype != WIRE_NXT_PACKET_IN2)
        return error_set(err, ERROR_PROTOCOL,
                         "message of %zu bytes (type %u, length %u, vendor %#x, subtype %u) is no "
                         "packet-in of the form NXT_PACKET_IN2",
                         n, type, length, vendor, subtype);

    memset(pi, 0, sizeof *pi);
    pi->cookie = UINT64_MAX;
    const size_t header_len = n - reader_left(&r);
    if (!properties_read(pi, &r))
        return error_set(err, ERROR_PROTOCOL, "packet-in of %zu bytes has a property that does not fit into its length", n);
    if (!pi->packet)
        return error_set(err, ERROR_PROTOCOL, "packet-in of %zu bytes carries no packet", n);
    if (pi->total_len < pi->packet_len)
        pi->total_len = pi->packet_len;
    if (pi->continuation_len) {
        pi->continuation = message + header_len;
        pi->continuation_len = n - header_len;
    }
    return true;
}

/* ---- going on ---- */

static void
property_put(struct bytes *b, uint16_t type, const uint8_t *value, size_t n)
{
    bytes_put_be16(b, type);
    bytes_put_be16(b, (uint16_t) (PROPERTY_HEADER + n));
    bytes_put(b, value, n);
    bytes_extend_zero(b, wire_pad(PROPERTY_HEADER + n));
}

/* What the switch reads from a resume: where it stopped, and the fields as they were. The rest was for us. */
static bool
is_given_back(uint16_t type)
{
    return type == NXPINT_METADATA || type == NXPINT_CONTINUATION || type == NXPINT_TABLE_ID || type == NXPINT_COOKIE
           || type == NXPINT_REASON;
}

/* The new packet takes the old one's place among the properties, with other padding perhaps. */
bool
packet_resume_fits(const struct packet_in *pi, size_t n)
{
    size_t others = pi->continuation_len - pi->packet_len;
    return pi->continuation && n <= LIMIT_OPENFLOW_MESSAGE
           && WIRE_EXPERIMENTER_HEADER + others + n + wire_pad(n) + 8 <= LIMIT_OPENFLOW_MESSAGE;
}

void
packet_resume_encode(struct bytes *b, const struct packet_in *pi, const uint8_t *packet, size_t n, uint32_t xid)
{
    struct bytes properties = BYTES_INIT;
    struct bytes_reader r;
    assert(packet_resume_fits(pi, n));
    property_put(&properties, NXPINT_PACKET, packet, n);
    reader_init(&r, pi->continuation, pi->continuation_len);
    while (reader_left(&r)) { /* well formed: packet_in_decode() has read them */
        uint16_t type = reader_be16(&r);
        size_t length = reader_be16(&r) - PROPERTY_HEADER;
        const uint8_t *value = reader_take(&r, length);
        reader_take(&r, wire_pad(PROPERTY_HEADER + length));
        if (is_given_back(type))
            property_put(&properties, type, value, length);
    }

    size_t size = WIRE_EXPERIMENTER_HEADER + properties.n;
    assert(size <= LIMIT_OPENFLOW_MESSAGE);
    wire_put_header(b, WIRE_EXPERIMENTER, size, xid);
    bytes_put_be32(b, NX_VENDOR_ID);
    bytes_put_be32(b, WIRE_NXT_RESUME);
    bytes_put(b, properties.data, properties.n);
    bytes_done(&properties);
}
