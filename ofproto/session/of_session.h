/* One bridge's OpenFlow 1.5 connection: handshake, keep-alive, read-back, bundles, packet-ins. It keeps a switch equal
 * to a flow table and knows nothing of what the flows are for.
 *
 *     HELLO ----> FEATURES ----> IDENTIFIED ----> READING ----> CURRENT <----> COMMITTING
 *    (version)   (datapath id)   (waits for       (flows,      (nothing to    (one batch: meters, one
 *                                 of_session_     groups,       send)          bundle, commit reply)
 *                                 reconcile)      meters)
 *     any state --error, silence, close--> CLOSED
 *
 * IDENTIFIED lasts until the owner says that its view is complete (an incomplete view never deletes). One batch is in flight at a
 * time; what changes meanwhile is the next batch (newest state wins). A message that is refused is left out, reported with
 * its cookie, and the rest is sent again; 'committed' comes only after a clean commit reply. What was refused is tried again by itself, less and
 * less often (of_retry.c); it is reported only once.
 * Sequence numbers are the owner's: committed(seq) says that all that was desired when flush(seq) was called is installed, less what was
 * refused. After what was refused has been tried again it comes once more, with the same number. */
#ifndef OFPROTO_SESSION_OF_SESSION_H
#define OFPROTO_SESSION_OF_SESSION_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "ofproto/flow/flow_table.h"
#include "ofproto/flow/packet_in.h"
#include "ofproto/session/endpoint.h"

struct of_session;

struct of_session_ops {
    /* The switch said its datapath id. True: ours (the session then waits for of_session_reconcile()). False with *err: the
     * session is closed. */
    bool (*identify)(void *aux, struct of_session *, uint64_t dpid, struct error *);
    void (*committed)(void *aux, struct of_session *, uint64_t seq);
    /* The switch refused one spec: 'reason' is a sentence with OpenFlow's error name. */
    void (*refused)(void *aux, struct of_session *, uint64_t cookie, const char *reason);
    void (*packet_in)(void *aux, struct of_session *, const struct packet_in *);
    /* The switch has removed a flow that tells its removal (spec.h), some time ago; valid during the call. NULL: nobody cares. */
    void (*flow_removed)(void *aux, struct of_session *, const struct wire_flow *);
    /* Something has come from the switch, once it is identified. NULL: nobody cares. */
    void (*heard)(void *aux, struct of_session *);
    /* of_session_is_ct_known() has become true, before anything was read or committed. NULL: nobody cares. */
    void (*ct_known)(void *aux, struct of_session *);
    /* The switch has answered an of_session_barrier(). NULL: nobody cares. */
    void (*passed)(void *aux, struct of_session *, uint32_t barrier);
    /* Last call; the session is freed after it. 'reason' is a sentence. Also called for sessions never identified;
     * of those only the owner logs the end, limited, since strangers can cause it. */
    void (*closed)(void *aux, struct of_session *, const char *reason);
};

/* Takes ownership of the connection (as endpoint_accepted delivers it). 'ops' must outlive the session. */
struct of_session *of_session_new(struct event_base *, struct bufferevent *take, const struct endpoint_peer *,
                                  const struct of_session_ops *, void *aux);
void of_session_close(struct of_session *, const char *reason); /* calls closed() from the loop, not from here */

void *of_session_aux(const struct of_session *);
void of_session_set_aux(struct of_session *, void *aux); /* e.g. from identify() */
const struct endpoint_peer *of_session_peer(const struct of_session *);
uint64_t of_session_dpid(const struct of_session *);
const char *of_session_state_name(const struct of_session *);

/* Starts READING, then keeps the switch equal to 'table' (borrowed until closed()). Call once, when the view is complete and
 * 'table' holds what is desired now; 'seq' as for flush. */
void of_session_reconcile(struct of_session *, struct flow_table *table, uint64_t seq);

/* 'table' has changed and is complete up to 'seq' (never falling). Cheap; the difference is sent from the loop, at most
 * OF_SESSION_BATCH specs a batch. */
void of_session_flush(struct of_session *, uint64_t seq);
/* More of the table is ready to be sent, but it is not complete up to a new seq yet (a first fill, sent while it compiles). */
void of_session_push(struct of_session *);
#define OF_SESSION_BATCH 8192

/* Reads flows, and what else is wanted, from the switch beside everything else; one reading at a time is in flight, others queue (up to 16, then false).
 * 'each' gets the flows (pointers valid during the call), 'done' ends it: ok is false if the connection went. */
struct of_session_read {
    uint8_t table;         /* 0xff: all, one after another ('tables' lists them) */
    const uint8_t *tables; /* with 0xff: the tables to read; static */
    uint8_t n_tables;
    bool want_groups_and_meters;
    bool want_meter_stats;
    uint32_t meter;               /* statistics of this one; 0: of all */
    uint64_t cookie, cookie_mask; /* flows only */
    void (*each_flow)(void *aux, const struct wire_flow *);
    void (*each_spec)(void *aux, const struct spec *); /* groups and meters */
    void (*each_meter)(void *aux, const struct wire_meter_stats *);
    void (*done)(void *aux, bool ok);
    void *aux;
};
bool of_session_read(struct of_session *, const struct of_session_read *);

/* Asks for a sign of life (an echo), unless that was just done and nothing has come since: heard() follows if the switch is there. */
void of_session_poke(struct of_session *);

/* Sends a packet out of a port. False: it is dropped, since the connection is backed up or closed. */
bool of_session_packet_out(struct of_session *, uint32_t out_port, const uint8_t *packet, size_t n);
/* A packet that waits in the switch goes on as this one. Dropped likewise, or if it does not wait or the message would be too long. */
void of_session_resume(struct of_session *, const struct packet_in *, const uint8_t *packet, size_t n);
/* Forgets all connections of a conntrack zone (NXT_CT_FLUSH_ZONE), in order with what is sent before and after. */
void of_session_flush_zone(struct of_session *, uint16_t zone);
/* passed() comes with the number that this returns, once the switch has done all that was sent before (OpenFlow 1.5.1, 7.3.7). 0: the connection is
 * not up. */
uint32_t of_session_barrier(struct of_session *);

/* Which connections: all that is given must be so. Addresses and ports are those of the connection's first packet, untranslated. Of ICMP,
 * src_port is the identifier and dst_port type << 8 | code, and both must be right: Open vSwitch leaves neither open. */
struct of_ct_match {
    bool has_zone;
    uint16_t zone;
    uint8_t proto;               /* 0: any */
    struct ip src, dst;          /* IP_NONE: any */
    uint16_t src_port, dst_port; /* 0: any, but for ICMP */
    uint32_t mark, mark_mask;
    uint64_t label, label_mask; /* the low half */
};
/* Forgets those connections (NXT_CT_FLUSH), in order with what is sent before and after. At least something must be given. With protocol,
 * both addresses and ports, and neither mark nor label, the switch looks up one entry (in zone 0 without a zone), else it looks at all.
 * False: it was not sent, because the connection is not up, or the switch takes no mark or label here (before Open vSwitch 3.3), or that is not
 * known yet. */
bool of_session_flush_ct(struct of_session *, const struct of_ct_match *);
/* Is it known whether this switch takes marks and labels there? Soon after identify(). */
bool of_session_is_ct_known(const struct of_session *);

/* Asks for the primary role with this generation id (OpenFlow 1.5.1, 6.3.7) in the handshake; a switch that has heard a newer one refuses,
 * and the session ends. 0, as at first: the role stays equal. Call before identify() returns. */
void of_session_set_generation(struct of_session *, uint64_t generation);

/* Which controller id this connection has (NXT_SET_CONTROLLER_ID); responder flows send to id 1. Set at handshake to 1. */
void of_session_set_controller_id(struct of_session *, uint16_t);

struct of_session_counters {
    uint64_t mods_sent; /* flow, group and meter modifications */
    uint64_t bundles, refused, packet_ins, packet_ins_dropped, errors;
};
const struct of_session_counters *of_session_counters(const struct of_session *);

#endif
