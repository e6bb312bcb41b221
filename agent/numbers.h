/* OpenFlow port numbers that guests' interfaces keep while vnetd is away. A guest that is stopped and started gets a new interface and so a new
 * number, but what stands in the switch knows the old one: the guest would be cut off until vnetd is back. So each port's last number is
 * remembered, across restarts of the agent too, and asked for again.
 *
 *     FINE --another number than before, vnetd away--> ASKED --its flows stand, nobody has the number--> REQUESTED --it has it--> FINE
 *       ^                                                |                                                   |
 *       +--------- there are no such flows, or the number is taken: the new one is its number ---------------+
 *
 * Its device must be up first, and vswitchd know that: who makes an interface plugs it and then sets it up, and vswitchd, taking it out and putting it in
 * again to renumber it, writes the device's flags back as it knew them.
 * While vnetd is there nothing is asked for: it places flows wherever the interface is. Flows count only if they ask for the guest's own MAC behind that
 * number, so that a memory that has grown old leads into nobody else's network. Does no I/O but for its file: its owner asks and is told. */
#ifndef AGENT_NUMBERS_H
#define AGENT_NUMBERS_H 1

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "ofproto/ovsdb/ovsdb_session.h"

struct numbers;

/* What is asked of the owner. */
struct numbers_ops {
    /* Who is let in by the switch's flows: numbers_flow() for each, then numbers_read(). False: not now; numbers_look() when it may be tried again. */
    bool (*read)(void *aux);
    /* Has an interface of the bridge that number? */
    bool (*is_taken)(void *aux, uint32_t number);
    void (*request)(void *aux, const char *interface, const char *iface_id, uint32_t number);
};

/* 'file': where they are remembered. One that cannot be read or written is logged, and remembered is only what this agent sees itself. */
struct numbers *numbers_new(struct event_base *, const char *file, const struct numbers_ops *, void *aux);
void numbers_free(struct numbers *);

/* What the host's database says, as ovsdb_session_ops.interfaces. */
void numbers_interfaces(struct numbers *, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone, size_t n_gone,
                        bool is_first);
/* vnetd came, or it went, or does not answer. Neither is known at first. */
void numbers_set_vnetd(struct numbers *, bool is_up);
void numbers_look(struct numbers *);
void numbers_flow(struct numbers *, uint32_t number, struct mac sender);
void numbers_read(struct numbers *, bool ok);

/* Until each port has an interface with the number that its flows know, or the time is over. is_ready is false too if one of them was never
 * seen on this host. Called once; from within this call if there is nothing to wait for. */
typedef void numbers_waited(void *aux, bool is_ready);
void numbers_wait(struct numbers *, const char *const *iface_ids, size_t n, unsigned timeout_ms, numbers_waited *, void *aux);

#endif
