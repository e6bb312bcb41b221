/* When something happened, on vnetd's own monotonic clock. Hosts' clocks are never compared with vnetd's or each other's: an agent says how long ago
 * something was, as of sending, so a moment is late by the time that its report was on its way (milliseconds), and never early. Pure. */
#ifndef CONTROLLER_INSTANCE_MOMENT_H
#define CONTROLLER_INSTANCE_MOMENT_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

#define MOMENT_UNKNOWN INT64_MIN
#define MOMENT_AGE_MAX_MS (100LL * 366 * 86400 * 1000) /* more makes no sense */

static inline bool
moment_is_known(int64_t at_ms)
{
    return at_ms != MOMENT_UNKNOWN;
}

/* Unknown without an age that makes sense: an integer of milliseconds. */
static inline int64_t
moment_read(const json_t *object, const char *age_key, int64_t now_ms)
{
    int64_t age_ms = json_member_int(object, age_key, -1);
    return age_ms >= 0 && age_ms <= MOMENT_AGE_MAX_MS ? now_ms - age_ms : MOMENT_UNKNOWN;
}

/* The same moment for people, now_ms being wall_ms since 1970; null: unknown. New reference. */
static inline json_t *
moment_json(int64_t at_ms, int64_t now_ms, int64_t wall_ms)
{
    return moment_is_known(at_ms) ? json_time(wall_ms - (now_ms - at_ms)) : json_null();
}

#endif
