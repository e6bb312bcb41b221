/* How a target group is as a whole, for those that choose targets and for those that tell of it. */
#ifndef VNET_FEATURE_LB_LB_HEALTH_H
#define VNET_FEATURE_LB_LB_HEALTH_H 1

#include "vnet/pipeline/feature.h"

/* Of its targets that could get connections: of some weight, and not draining. */
struct lb_health {
    size_t n_healthy, n_unhealthy;
};
struct lb_health lb_health_of(const struct view *, uint32_t tg);

/* None is healthy and one at least is known not to be: all get connections, the new ones too, of which nothing is known. (While nothing is known
 * of any, none does.) */
bool lb_fails_open(const struct lb_health *);

/* May a target of the group in this state keep the connections that it has? An unhealthy one may while no other could take them. */
bool lb_keeps(const struct lb_health *, enum target_state);

#endif
