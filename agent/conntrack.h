/* How many connections that balancers have given to targets are open on this host: the switch's conntrack, read by ovs-vswitchd's unixctl
 * socket while vnetd wants to know. A dump keeps the main thread of ovs-vswitchd busy, so it is asked every ten seconds at most, and for
 * at most one hundredth of the time.
 *
 *     IDLE --wanted--> ASKING --its end, five seconds at most--> WAITING --ten seconds, or 100 times what it took--> ASKING
 *       ^                 |                                         |
 *       +-----------------+------------- no longer wanted ----------+
 */
#ifndef AGENT_CONNTRACK_H
#define AGENT_CONNTRACK_H 1

#include <event2/event.h>
#include <stdbool.h>

#include "base/json.h"

#define CONNTRACK_EVERY_MS 10000
#define CONNTRACK_DEADLINE_MS 5000
#define CONNTRACK_REST 100 /* times as long as an answer took passes before the next question */

struct conntrack;

/* 'take' is what vnetd is told: {"every_ms", "counts"} (controller/api/README.md), or null: not known. */
typedef void conntrack_counted(void *aux, json_t *take);
/* 'folder': where Open vSwitch's sockets and pid files are. */
struct conntrack *conntrack_new(struct event_base *, const char *folder, conntrack_counted *, void *aux);
void conntrack_free(struct conntrack *);

/* Of the bridge: "system" or "netdev". Nothing is asked before. */
void conntrack_set_datapath(struct conntrack *, const char *type);
void conntrack_set_wanted(struct conntrack *, bool);

#endif
