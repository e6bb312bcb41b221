/* What vnetd itself says through a host's switch: is the host ready for it, and out it goes. And when: timers of the monotonic clock. */
#ifndef CONTROLLER_HOST_HOST_REACH_H
#define CONTROLLER_HOST_HOST_REACH_H 1

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct controller;

/* Has the host installed all that it wanted at 'seq' (and is it connected)? Then its packets are answered. What it keeps of public addresses that move
 * away (holdback.h) counts as done: it is in the way of nothing else. */
bool host_is_ready(const struct controller *, uint32_t host, uint64_t seq);
/* The same of its switch alone: its database may be away. */
bool switch_is_ready(const struct controller *, uint32_t host, uint64_t seq);
/* What a host must confirm for the present state to be installed. */
uint64_t host_ready_seq(const struct controller *, uint32_t host);

/* Out of that port of its bridge. False: there is no way now. */
bool send_frame(const struct controller *, uint32_t host, uint32_t ofport, const struct bytes *frame);

void timer_at(struct event *timer, int64_t due_ms); /* arms it; INT64_MAX: disarms */

#endif
