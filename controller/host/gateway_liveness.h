/* Which gateways are dead, from what others see of them by BFD. Pure.
 *
 * A gateway is dead when more of those that see it say down than say up. One whose own link broke sees everybody down, so the gateways
 * that most others have lost are judged first, and what they say of others no longer counts. Two that only accuse each other stay as
 * they were, and so does a gateway of which nobody says anything; one that was dead and is reached again accuses nobody who reaches it. When all
 * would be dead, those of which nobody says anything
 * and that vnetd still reaches count as alive: better a place that may work.
 *
 * BFD is up at both ends of a path or at neither. So where one end says down and the other still says up, the other is dead and that is its last
 * word, or it is about to say the same. If that would save it the verdict is doubtful: it is to be waited for, for a moment. */
#ifndef CONTROLLER_HOST_GATEWAY_LIVENESS_H
#define CONTROLLER_HOST_GATEWAY_LIVENESS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gateway_state {
    uint32_t host;
    bool is_connected;
    bool is_dead;     /* as last known; as judged */
    bool is_doubtful; /* as judged: it would not be dead if it said of those that have lost it what they say of it */
};

/* What a connected host, whose own link is not down, says of a gateway that it once saw up. */
struct gateway_view {
    uint32_t observer, gateway;
    bool is_up;
};

/* Gateways rise by 'host', each once; views of others are ignored. */
void gateway_liveness_judge(struct gateway_state *, size_t n, const struct gateway_view *, size_t n_views);

#endif
