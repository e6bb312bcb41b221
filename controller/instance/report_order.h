/* An agent numbers its reports, from its start on: one that it has given up on may come after a later one, over another connection, and says no more what
 * is so. Pure. */
#ifndef CONTROLLER_INSTANCE_REPORT_ORDER_H
#define CONTROLLER_INSTANCE_REPORT_ORDER_H 1

#include <stdbool.h>

#include "base/json.h"

struct hypervisor;

/* Has a later one of the same agent come from the host before? If not, this is the last one now. One without a number never is overtaken. */
bool report_order_is_overtaken(struct hypervisor *, const json_t *report);

#endif
