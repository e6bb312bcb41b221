/* Answers to guests' questions (DHCP, ICMP errors), on the host itself: a connection to the bridge that takes the controller id to which flows send
 * them, and the same stateless responders that vnetd uses. Guests get their addresses while vnetd is away.
 *
 *     AWAY --the bridge's socket--> connected --the bridge is one of vnetd's--> answering
 *       ^                                                                         |
 *       +------------------- vswitchd went, or another bridge --------------------+
 */
#ifndef AGENT_ANSWERS_H
#define AGENT_ANSWERS_H 1

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct answers;

/* 'changed': it answers now, or no longer. 'folder': where Open vSwitch's sockets are. */
typedef void answers_changed(void *aux, bool is_answering);
struct answers *answers_new(struct event_base *, const char *folder, answers_changed *, void *aux);
void answers_free(struct answers *);

void answers_set_bridge(struct answers *, const char *bridge);

/* Reads which ports' flows stand in the bridge: 'each' for each row that lets one in, by its OpenFlow port and its guest's MAC, then 'done'; ok is
 * false if the connection went. False: there is none now, or it is busy. */
struct answers_reader {
    void (*each)(void *aux, uint32_t ofport, struct mac);
    void (*done)(void *aux, bool ok);
    void *aux;
};
bool answers_read_admitted(struct answers *, const struct answers_reader *);

#endif
