/* The health of all targets: probes are sent and heard here, states become facts of the runtime, and removed targets go when they have
 * drained. Follows intent and facts level-triggered: after each change it looks what the targets concerned are now.
 *
 *     intent, bindings --> checks.c --due--> check_probe.c --packet-out--> target's host --> target
 *                             ^                    ^                                          |
 *                          check.c <--how it ended-+<------------------packet-in--------------+
 *                             | another state
 *                             +--> runtime, store, compiler (EVENT_TARGET), log, feed, check_flush.c
 *
 * Everything is found by number or by time; a probe costs no look at another target. */
#ifndef CONTROLLER_CHECK_CHECKS_H
#define CONTROLLER_CHECK_CHECKS_H 1

#include "base/json.h"
#include "ofproto/flow/packet_in.h"
#include "vnet/pipeline/feature.h"

struct controller;
struct checks;

struct checks *checks_new(struct controller *);
void checks_free(struct checks *);

/* A target's record of an earlier run ("target/NUMBER"); once everything is loaded: begins. What changes before is seen then. */
void checks_remember(struct checks *, uint32_t target, const char *value);
void checks_begin(struct checks *);

/* A target of an earlier run that is gone, and of which not all hosts of its VPC have forgotten the UDP connections ("flush/NUMBER"). */
void checks_remember_gone(struct checks *, uint32_t target, uint32_t vpc);

/* After model, runtime and compiler know of it, and hosts concerned want more. */
void checks_changed(struct checks *, const struct vnet_event *);

/* Something has come from a switch, anyone's; the last one has gone. While none is heard states stay. */
void checks_heard(struct checks *);
void checks_cut_off(struct checks *);

/* What a port sent to its gateway that may answer a probe. Hostile until checked. */
void checks_packet_in(struct controller *, uint32_t host, const struct packet_in *);

/* Columns of a target, "health", "reason" and "changes", and of a listener, "fail_open"; null: another column. New reference. */
json_t *checks_target_column(const struct controller *, const struct target *, const char *name);
json_t *checks_listener_column(const struct controller *, const struct listener *, const char *name);

#endif
