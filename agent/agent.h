/* vnet-agent as one struct: what its parts share, and who tells whom.
 *
 *     libvirt --virt--> domains <--hook_server-- vnet-hook
 *                          |
 *     local_host ------> link --------> vnetd
 *          |
 *       answers <------> the bridge
 *          |
 *       numbers --------> local_host      (which OpenFlow port an interface gets again)
 *       conntrack -----> ovs-vswitchd
 *
 * since (since when domains are as they are) and numbers are kept in the --state-dir.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H 1

#include <event2/event.h>

#include "agent/agent_options.h"
#include "agent/answers.h"
#include "agent/conntrack.h"
#include "agent/domains.h"
#include "agent/hook_server.h"
#include "agent/link.h"
#include "agent/local_host.h"
#include "agent/numbers.h"
#include "agent/since.h"
#include "agent/underlay.h"
#include "agent/virt.h"
#include "agent/worker.h"

struct agent {
    struct event_base *base;
    const struct agent_options *options;
    struct domains domains;
    struct worker *worker;
    struct virt *virt;
    struct vnetd_link *link;
    struct hook_server *hooks;
    struct local_host *local;
    struct answers *answers;
    struct numbers *numbers;
    struct since *since;
    struct conntrack *conntrack;
    struct underlay *underlay; /* NULL: the kernel tells nothing */
    struct event *look_again;  /* while a domain migrates: whether it still does */
};

/* Everything but the loop. False with *err: nothing is left behind. */
bool agent_start(struct agent *, const struct agent_options *, struct error *) MUST_CHECK;
void agent_stop(struct agent *);

/* agent_hook.c: what a hook says. */
void agent_on_hook(void *agent, struct hook_call *, const struct hook_message *);

int64_t agent_now_ms(void); /* monotonic: no other clock is read here, a host's may be wrong */

#endif
