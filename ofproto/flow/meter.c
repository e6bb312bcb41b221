/* Meters: how many packets a second may pass. */
#include <arpa/inet.h>
#include <string.h>

#include <openflow/openflow-1.3.h>

#include "ofproto/flow/flow_builder.h"
#include "ofproto/flow/spec_private.h"

const struct spec *
meter_spec(struct arena *arena, uint64_t cookie, uint32_t id, uint32_t rate_pps, uint32_t burst)
{
    struct {
        ovs_be16 flags;
        uint8_t zero[2];
        struct ofp13_meter_band_drop band;
    } body;
    memset(&body, 0, sizeof body);
    body.flags = htons(OFPMF13_PKTPS | OFPMF13_BURST | OFPMF13_STATS);
    body.band.type = htons(OFPMBT13_DROP);
    body.band.len = htons(sizeof body.band);
    body.band.rate = htonl(rate_pps);
    body.band.burst_size = htonl(burst);

    struct spec head = { .cookie = cookie, .id = id, .kind = SPEC_METER, .body_len = sizeof body };
    return spec_put(arena, &head, NULL, &body);
}
