/* Makes a switch forget connections: of a zone, or those that match. Open vSwitch answers neither unless it refuses; a refusal changes
 * nothing and is only logged. Called by the session's owner, by of_handshake.c (probe) and by of_framing.c (is this error about it?).
 *
 * Before 3.3 it knows no marks and labels in a match, and early 3.1 and 3.2 do not refuse them but pass over them, so that far too much would
 * be forgotten. So each connection begins with a probe: connections that cannot be, with a property that no switch knows. Only one that
 * refuses it is ever asked by mark or label. The answer to the barrier behind it says that it was not refused, or has been. */
#define LOG_MODULE "openflow"
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "ofproto/session/of_session_private.h"

#include <openvswitch/ofp-ct.h>
#include <openvswitch/ofp-msgs.h>
#include <openvswitch/ofpbuf.h>

#define NXT_CT_FLUSH_ZONE 29
#define NXT_CT_FLUSH 32

static bool
may_send(const struct of_session *s)
{
    return s->state >= OF_STATE_IDENTIFIED && s->state != OF_STATE_CLOSED;
}

void
of_session_flush_zone(struct of_session *s, uint16_t zone)
{
    if (!may_send(s))
        return;
    struct bytes b = BYTES_INIT;
    size_t offset = of_message_begin_nicira(&b, NXT_CT_FLUSH_ZONE, of_session_xids(s, 1));
    bytes_extend_zero(&b, 6);
    bytes_put_be16(&b, zone);
    of_message_end(&b, offset);
    of_session_send(s, &b);
}

uint32_t
of_session_barrier(struct of_session *s)
{
    if (!may_send(s))
        return 0;
    struct bytes b = BYTES_INIT;
    uint32_t xid = of_session_xids(s, 1);
    of_message_empty(&b, OF_BARRIER_REQUEST, xid);
    of_session_send(s, &b);
    return xid;
}

/* ---- by match ---- */

/* IPv4 as Open vSwitch writes it here: mapped into IPv6. */
static struct in6_addr
address_of(struct ip ip)
{
    struct in6_addr a = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
    if (ip.family == IP_V4)
        memcpy(&a.s6_addr[12], ip.b, 4);
    else
        memcpy(&a, ip.b, sizeof a);
    return a;
}

static bool
is_icmp(const struct of_ct_match *m)
{
    return m->proto == IPPROTO_ICMP || m->proto == IPPROTO_ICMPV6;
}

static struct ofp_ct_match
library_match(const struct of_ct_match *m)
{
    struct ofp_ct_match match = {
        .ip_proto = m->proto,
        .mark = m->mark & m->mark_mask,
        .mark_mask = m->mark_mask,
        .labels.u64.lo = m->label & m->label_mask,
        .labels_mask.u64.lo = m->label_mask,
    };
    match.tuple_orig.src_port = htons(m->src_port); /* of ICMP the identifier */
    if (is_icmp(m)) {
        match.tuple_orig.icmp_type = m->dst_port >> 8;
        match.tuple_orig.icmp_code = m->dst_port & 0xff;
    } else {
        match.tuple_orig.dst_port = htons(m->dst_port);
    }
    if (m->src.family != IP_NONE)
        match.tuple_orig.src = address_of(m->src);
    if (m->dst.family != IP_NONE)
        match.tuple_orig.dst = address_of(m->dst);
    return match;
}

/* To Open vSwitch an empty match is all connections of all zones. */
static bool
is_meant(const struct of_ct_match *m)
{
    return m->has_zone || m->proto || m->src.family != IP_NONE || m->dst.family != IP_NONE || m->src_port || m->dst_port || m->mark_mask
           || m->label_mask;
}

static struct ofpbuf *
flush_encode(const struct of_ct_match *m)
{
    struct ofp_ct_match match = library_match(m);
    uint16_t zone = m->zone;
    return ofp_ct_match_encode(&match, m->has_zone ? &zone : NULL, OFP15_VERSION);
}

static uint32_t
flush_send(struct of_session *s, struct ofpbuf *take)
{
    uint32_t xid = of_session_xids(s, 1);
    ofpmsg_update_length(take);
    struct ofp_header *header = take->data;
    header->xid = htonl(xid);
    struct bytes b = BYTES_INIT;
    bytes_put(&b, take->data, take->size);
    ofpbuf_delete(take);
    of_session_send(s, &b);
    return xid;
}

bool
of_session_flush_ct(struct of_session *s, const struct of_ct_match *m)
{
    assert(is_meant(m));
    if (!may_send(s))
        return false;
    if ((m->mark_mask || m->label_mask) && !s->does_refuse_unknown_ct) {
        if (s->is_ct_known)
            log_info_limited(&s->log, "switch %s: cannot forget connections by mark or label: Open vSwitch 3.3 can", s->name);
        return false;
    }
    flush_send(s, flush_encode(m));
    return true;
}

bool
of_session_is_ct_known(const struct of_session *s)
{
    return s->is_ct_known;
}

#define UNKNOWN_PROPERTY 0xfffe

void
of_conntrack_probe(struct of_session *s)
{
    static const uint8_t property[8] = { UNKNOWN_PROPERTY >> 8, UNKNOWN_PROPERTY & 0xff, 0, 4 };
    const struct ip nobody = ip4(UINT32_MAX);
    struct of_ct_match none = { .has_zone = true,
                                .zone = UINT16_MAX,
                                .proto = IPPROTO_RAW,
                                .src = nobody,
                                .dst = nobody,
                                .src_port = UINT16_MAX,
                                .dst_port = UINT16_MAX };
    struct ofpbuf *message = flush_encode(&none);
    ofpbuf_put(message, property, sizeof property);
    s->ct_probe_xid = flush_send(s, message);

    s->ct_barrier_xid = of_session_barrier(s);
}

bool
of_conntrack_probe_refused(struct of_session *s, uint32_t xid)
{
    if (!s->ct_probe_xid || xid != s->ct_probe_xid)
        return false;
    s->does_refuse_unknown_ct = true;
    return true;
}

bool
of_conntrack_barrier(struct of_session *s, uint32_t xid)
{
    if (!s->ct_barrier_xid || xid != s->ct_barrier_xid)
        return false;
    s->is_ct_known = true;
    if (s->ops->ct_known)
        s->ops->ct_known(s->aux, s);
    return true;
}

/* An error quotes the beginning of the message that it is about. */
bool
of_conntrack_error(struct of_session *s, const uint8_t *message, size_t n, const struct of_error *e)
{
    static const uint8_t nicira[] = { 0, 0, 0x23, 0x20 };
    struct bytes_reader r;
    reader_init(&r, message, n);
    reader_take(&r, OF_HEADER_BYTES + 4); /* its header, type and code */
    reader_u8(&r);
    uint8_t type = reader_u8(&r);
    reader_take(&r, 6);
    const uint8_t *vendor = reader_take(&r, sizeof nicira);
    uint32_t subtype = reader_be32(&r);
    if (r.bad || type != OF_EXPERIMENTER || memcmp(vendor, nicira, sizeof nicira) || subtype != NXT_CT_FLUSH)
        return false;
    log_info_limited(&s->log, "switch %s: does not forget connections by such a match: %s", s->name, e->text);
    return true;
}
