/* Which packets of a switch are taken and which are dropped, so that what guests can cause costs a bounded amount and none of them keeps the
 * others' from being answered. A pure machine that is told the time.
 *
 * Each kind of packet-in has a common bucket: what guests ask for holds back no answers that somebody waits for. Besides, each owner has a
 * small share of its own. The owner of a packet is whose flows sent it: all that those say of it (cookie, metadata, userdata), and nothing
 * of the packet itself, which its sender could vary. The shares are a table of fixed size, in sets that a hash chooses; an owner keeps
 * its place while its share is in use. Where a set is full of such, the common bucket alone decides.
 *
 * In t seconds all together are at most PACKET_IN_KINDS * (t + 1) * LIMIT_PACKET_INS_PER_SECOND of the buckets and
 * PACKET_IN_SHARES * (t * LIMIT_PACKET_INS_PER_OWNER + LIMIT_PACKET_IN_BURST_PER_OWNER) of the shares. */
#ifndef OFPROTO_SESSION_PACKET_IN_LIMIT_H
#define OFPROTO_SESSION_PACKET_IN_LIMIT_H 1

#include "ofproto/flow/packet_in.h"

#define PACKET_IN_KINDS 16 /* by the first byte of the cookie */
#define PACKET_IN_SETS 32
#define PACKET_IN_PLACES 16 /* in a set */
#define PACKET_IN_SHARES (PACKET_IN_SETS * PACKET_IN_PLACES)

struct packet_in_limit {
    struct packet_in_bucket {
        unsigned tokens;
        int64_t filled_ms;
    } kinds[PACKET_IN_KINDS];
    struct packet_in_share {
        uint64_t owner;  /* a hash */
        int64_t full_ms; /* when none of it will be in use any more: its place is free from then on */
    } shares[PACKET_IN_SETS][PACKET_IN_PLACES];
    uint64_t seed;
};

/* 'seed' is random, so that nobody knows whose shares are in one set. Times are of one clock that does not go back, from 0 on. */
void packet_in_limit_init(struct packet_in_limit *, uint64_t seed, int64_t now_ms);
/* Is it to be taken? It counts then. */
bool packet_in_limit_take(struct packet_in_limit *, const struct packet_in *, int64_t now_ms);

#endif
