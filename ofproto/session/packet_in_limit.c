#include "ofproto/session/packet_in_limit.h"

#include <string.h>

#include "base/limits.h"
#include "base/map.h"

#define SHARE_MS (1000 / LIMIT_PACKET_INS_PER_OWNER) /* for one packet */

static uint64_t
owner_hash(const struct packet_in_limit *l, const struct packet_in *in)
{
    const uint64_t flows[] = { in->cookie, in->metadata };
    return hash_bytes64(in->userdata, in->userdata_len, hash_bytes64(flows, sizeof flows, l->seed));
}

/* The owner's, or one that is free; NULL: all of its set are in use by others. */
static struct packet_in_share *
share_find(struct packet_in_limit *l, uint64_t owner, int64_t now_ms)
{
    struct packet_in_share *set = l->shares[owner % PACKET_IN_SETS], *spare = NULL;
    for (unsigned i = 0; i < PACKET_IN_PLACES; i++) {
        if (set[i].owner == owner)
            return &set[i];
        if (set[i].full_ms <= now_ms)
            spare = &set[i];
    }
    return spare;
}

static bool
share_take(struct packet_in_limit *l, uint64_t owner, int64_t now_ms)
{
    struct packet_in_share *share = share_find(l, owner, now_ms);
    if (!share)
        return false;
    int64_t full_ms = (share->full_ms > now_ms ? share->full_ms : now_ms) + SHARE_MS;
    if (full_ms - now_ms > LIMIT_PACKET_IN_BURST_PER_OWNER * SHARE_MS)
        return false;
    *share = (struct packet_in_share){ owner, full_ms };
    return true;
}

static bool
bucket_take(struct packet_in_bucket *b, int64_t now_ms)
{
    int64_t tokens = (now_ms - b->filled_ms) * LIMIT_PACKET_INS_PER_SECOND / 1000;
    if (tokens > 0) {
        tokens += b->tokens;
        b->tokens = tokens < LIMIT_PACKET_INS_PER_SECOND ? (unsigned) tokens : LIMIT_PACKET_INS_PER_SECOND;
        b->filled_ms = now_ms;
    }
    if (!b->tokens)
        return false;
    b->tokens--;
    return true;
}

void
packet_in_limit_init(struct packet_in_limit *l, uint64_t seed, int64_t now_ms)
{
    memset(l, 0, sizeof *l);
    l->seed = seed;
    for (unsigned i = 0; i < PACKET_IN_KINDS; i++)
        l->kinds[i] = (struct packet_in_bucket){ LIMIT_PACKET_INS_PER_SECOND, now_ms };
}

bool
packet_in_limit_take(struct packet_in_limit *l, const struct packet_in *in, int64_t now_ms)
{
    return share_take(l, owner_hash(l, in), now_ms) || bucket_take(&l->kinds[(in->cookie >> 56) % PACKET_IN_KINDS], now_ms);
}
