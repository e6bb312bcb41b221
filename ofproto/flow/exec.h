/* Runs an abstract packet through a host's desired flow table, as Open vSwitch would once the table is installed: the answer to 'what
 * happens to this packet', without a switch. Pure.
 *
 * Kept to OpenFlow as Open vSwitch has it: a table miss drops; a packet does not leave by the port it came in by, unless IN_PORT says
 * so; a field is only set if the packet has it; transport ports of fragments are not matched; a group's bucket works on a copy; what
 * follows a packet-size check in its list of actions sees only the branch that holds. Conjunctive flows are evaluated. Meters let
 * everything pass. A lookup in the connection tracker finds what the caller says that it shall (ct_next), else nothing: the packet is then
 * the first of its connection and is translated as its flow asks. What a commit writes into the connection's entry is seen where that ct
 * goes on. A ct without a table shows nothing to later lookups in tables; only if it translates does it use what the caller says. A packet
 * that waits for the controller goes on as it is. What it cannot follow (NORMAL) is an error, never a guess. */
#ifndef OFPROTO_FLOW_EXEC_H
#define OFPROTO_FLOW_EXEC_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "ofproto/flow/field.h"
#include "ofproto/flow/flow_table.h"

/* What one lookup in the connection tracker finds. */
struct exec_ct {
    uint32_t state; /* OF_CT_*; OF_CT_TRK goes without saying. OF_CT_NEW alone: no port was free */
    uint32_t ip;    /* OF_CT_SNAT or OF_CT_DNAT, if the flow has NAT: what the source or destination becomes */
    uint16_t port;  /* likewise; 0: it stays */
    uint32_t mark;  /* of its entry, before a commit writes to it */
    uint64_t label; /* likewise; the low half */
};
#define EXEC_CT_MAX 8

/* Fields that the packet does not have (a TCP port of an ARP packet) are ignored on the way in and 0 on the way out. IPv6 is
 * opaque but for the fields of OF_FIELD_LIST. */
struct exec_packet {
    uint64_t field[N_OF_FIELDS];         /* by enum of_field_id, in host order */
    uint32_t bytes;                      /* its length, Ethernet header included */
    uint32_t bucket;                     /* which bucket of a select group takes it: modulo those of a weight, in the group's order */
    struct exec_ct ct_next[EXEC_CT_MAX]; /* for its next lookups, in order; in outputs, those not yet used */
    uint8_t n_ct_next;
};

/* One lookup, in the order in which they were made. */
struct exec_step {
    const struct spec *spec; /* what decided; NULL: nothing matched */
    uint8_t table;
};

enum exec_output_kind { EXEC_PORT, EXEC_IN_PORT, EXEC_CONTROLLER, EXEC_DROP };

struct exec_output {
    enum exec_output_kind kind;
    uint32_t port;          /* EXEC_PORT: OpenFlow's number; EXEC_IN_PORT: the one it goes back to */
    uint16_t controller_id; /* EXEC_CONTROLLER */
    uint16_t userdata_len;
    const uint8_t *userdata;   /* EXEC_CONTROLLER: NULL if there is none */
    size_t step;               /* whose flow did it */
    struct exec_packet packet; /* as it leaves */
};

struct exec_result {
    const struct exec_step *steps; /* at least one */
    size_t n_steps;
    const struct exec_output *outputs; /* at least one; EXEC_DROP only if it is the only one */
    size_t n_outputs;
    struct exec_packet after; /* when all was done, as Open vSwitch's tables see it */
};

/* Starts in table 0. The result lives in 'arena', its specs in 'table' until that is next changed. */
bool exec_run(struct flow_table *table, const struct exec_packet *, struct arena *, struct exec_result *, struct error *) MUST_CHECK;

/* The value of a field, or of some of its bits. */
uint64_t exec_packet_get(const struct exec_packet *, struct of_field);
void exec_packet_set(struct exec_packet *, struct of_field, uint64_t value);

#endif
