/* Between specs and OpenFlow 1.5 bytes: modifications out, statistics in. Reading is strict about lengths: the bytes
 * are a stranger's. A flow read back is compared raw first; only one whose bytes differ from every known spec goes
 * through libopenvswitch's decoder into canonical form. (OpenFlow 1.5.1: 7.3.4.2 flow mod, 7.3.5.2 flow stats.) */
#ifndef OFPROTO_FLOW_WIRE_H
#define OFPROTO_FLOW_WIRE_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "ofproto/flow/spec.h"

/* ADD replaces (groups and meters: 'is_modify') and keeps counters, those of a flow that has another cookie too. */
enum wire_command { WIRE_ADD, WIRE_DELETE };

/* Appends one OFPT_FLOW_MOD, GROUP_MOD or METER_MOD for 's'. WIRE_DELETE of a flow is strict: its table, priority and match.
 * 'is_modify': the switch already has the group or meter of this number (OpenFlow has no add-or-replace for them). */
void wire_put_mod(struct bytes *, const struct spec *s, enum wire_command, bool is_modify, uint32_t xid);

/* As above, wrapped in OFPT_BUNDLE_ADD_MESSAGE (ordered, atomic; 7.3.9.6); inner and outer xid are equal. */
void wire_put_bundle_mod(struct bytes *, uint32_t bundle, const struct spec *s, enum wire_command, bool is_modify, uint32_t xid);

/* One flow of an OFPMP_FLOW_DESC/OFPMP_FLOW reply: pointers into the message. */
struct wire_flow {
    uint64_t cookie;
    uint64_t packets, bytes;
    uint32_t duration_s;
    uint32_t idle_s; /* seconds since last hit; UINT32_MAX if the switch did not say */
    uint16_t priority;
    uint8_t table;
    bool is_foreign;           /* it has timeouts, flags or an importance that we never give */
    bool tells_removal;        /* as in spec.h */
    const uint8_t *key, *body; /* as in spec.h, if the switch speaks canonically */
    uint16_t key_len, body_len;
};

/* Requests. 'table' 0xff: all. cookie_mask 0: all. */
void wire_put_flow_stats_request(struct bytes *, uint8_t table, uint64_t cookie, uint64_t cookie_mask, uint32_t xid);
void wire_put_group_desc_request(struct bytes *, uint32_t xid);
void wire_put_meter_config_request(struct bytes *, uint32_t xid);
void wire_put_meter_stats_request(struct bytes *, uint32_t meter, uint32_t xid); /* 0: of all */

/* Replies: calls 'each' for each entry of one multipart reply message (header included). '*more': further messages follow.
 * The flow form delivers raw pointers; the others canonical specs valid during the call. */
bool wire_each_flow(const uint8_t *message, size_t n, bool *more, void (*each)(void *aux, const struct wire_flow *), void *aux,
                    struct error *) MUST_CHECK;
bool wire_each_group(const uint8_t *message, size_t n, bool *more, void (*each)(void *aux, const struct spec *), void *aux,
                     struct error *) MUST_CHECK;
bool wire_each_meter(const uint8_t *message, size_t n, bool *more, void (*each)(void *aux, const struct spec *), void *aux,
                     struct error *) MUST_CHECK;

/* What a meter has seen. */
struct wire_meter_stats {
    uint32_t id;
    uint64_t packets; /* that came to it */
    uint64_t dropped; /* by its bands: ours has one, which drops */
};
bool wire_each_meter_stats(const uint8_t *message, size_t n, bool *more, void (*each)(void *aux, const struct wire_meter_stats *),
                           void *aux, struct error *) MUST_CHECK;

/* Which port and which sender the flow asks for, both without a mask. False: not for both. */
bool wire_flow_origin(const struct wire_flow *, uint32_t *in_port, struct mac *eth_src);

/* The last word about a flow that the switch has removed (OFPT_FLOW_REMOVED, header included): cookie, table, priority, key and counts; the
 * rest is as of a flow that has no instructions. Pointers into the message. (OpenFlow 1.5.1: 7.4.2.) */
bool wire_flow_removed(const uint8_t *message, size_t n, struct wire_flow *, struct error *) MUST_CHECK;

/* The same flow through the library's decoder and encoder: canonical whatever the switch's spelling. NULL if the library
 * does not understand it (then it is nothing of ours). */
const struct spec *wire_flow_canonical(const struct wire_flow *, struct arena *);

#endif
