/* A packet that a flow sent to us, decoded from NXT_PACKET_IN2, and the answer as OFPT_PACKET_OUT. */
#ifndef OFPROTO_FLOW_PACKET_IN_H
#define OFPROTO_FLOW_PACKET_IN_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

struct packet_in {
    const uint8_t *packet;   /* from the Ethernet header on; points into the message */
    size_t packet_len;       /* bytes present */
    size_t total_len;        /* of the packet on the wire */
    const uint8_t *userdata; /* as act_controller() gave it */
    size_t userdata_len;
    uint32_t in_port;
    uint64_t cookie;
    uint8_t table;
    uint32_t reg[16]; /* pipeline registers when the flow ran */
    uint64_t metadata;
    const uint8_t *continuation; /* NULL: it does not wait in the switch; else what packet_resume_encode() gives back */
    size_t continuation_len;
};

bool packet_in_decode(const uint8_t *message, size_t n, struct packet_in *, struct error *) MUST_CHECK;

/* Appends a packet-out that sends 'packet' to 'out_port'. */
void packet_out_encode(struct bytes *, uint32_t out_port, const uint8_t *packet, size_t n, uint32_t xid);

/* Appends an NXT_RESUME (OVS's nicira-ext.h): a packet that waits goes on where it stopped, as 'packet'. It must wait, and the message
 * must not be too long: packet_resume_fits(). */
bool packet_resume_fits(const struct packet_in *, size_t n);
void packet_resume_encode(struct bytes *, const struct packet_in *, const uint8_t *packet, size_t n, uint32_t xid);

#endif
