/* Which port is where: claims by interfaces of hosts, at most one of which is the binding.
 *
 * An interface claims the port that its iface-id names (UUID, TENANT/NAME, or NAME of tenant 'default'). The first claim holds until its row
 * goes, or its host is disconnected and a connected one still claims it; then it goes to the end of the line. Claims are remembered across vnetd's restarts as
 * facts, until the host's own OVSDB says what is so. */
#ifndef CONTROLLER_HOST_BINDING_H
#define CONTROLLER_HOST_BINDING_H 1

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "ofproto/ovsdb/ovsdb_session.h"
#include "vnet/model/model.h"

struct controller;
struct bindings;

struct bindings *bindings_new(struct controller *);
void bindings_free(struct bindings *);

/* What a host's OVSDB says has changed; 'is_first': of that connection, so that claims of that host not among 'changed' are gone. */
void bindings_update(struct bindings *, uint32_t host, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone,
                     size_t n_gone, bool is_first);
/* A claim of an earlier run, and when all are there: who holds what, as it was then. A host that has not connected yet keeps its ports for
 * some seconds, whoever else claims them; then bindings_grown_up(). */
void bindings_remember(struct bindings *, uint32_t host, const char *iface_id, uint32_t ofport, uint64_t order);
void bindings_remembered(struct bindings *);
void bindings_grown_up(struct bindings *);
bool bindings_are_grown_up(const struct bindings *);
/* A host's agent says that an interface with this iface-id is about to appear: the port is bound there, without an OpenFlow port yet, so that
 * everything else can be in place before. Forgotten after 'seconds' unless it appears. 'is_incoming': a guest that still runs elsewhere is about to
 * move here; then its port stays bound there, and this place is armed. */
void bindings_expect(struct bindings *, uint32_t host, const char *iface_id, unsigned seconds, bool is_incoming);
/* The guest runs on this host now: the port is bound here, if an interface of the host claims it, and the host that it left sends on to here for
 * some seconds. False: it cannot be yet, none of its interfaces there has an OpenFlow port; migrations_interface() is told when one comes. */
bool bindings_move(struct bindings *, uint32_t port, uint32_t host);
/* Nothing is about to come to this host after all. */
void bindings_not_incoming(struct bindings *, uint32_t port, uint32_t host);
/* Nor is what was expected there, if it has not appeared. */
void bindings_not_expected(struct bindings *, uint32_t port, uint32_t host);
/* Does the host show an interface with this iface-id? */
bool bindings_show(const struct bindings *, uint32_t host, const char *iface_id);
/* A host other than 'but' that shows an interface of the port, or is told that one comes; 0: none. */
uint32_t bindings_claimed_elsewhere(const struct bindings *, uint32_t port, uint32_t but);
/* Each interface that a host shows, and the port that it names; 0: none. */
void bindings_each_claim(const struct bindings *, void (*each)(void *aux, uint32_t host, const char *iface_id, uint32_t port), void *aux);
/* Is a guest about to move to this host, and what does that host still have to confirm for it? */
enum arming { ARMING_NOT, ARMING_BUILDING, ARMING_DONE };
enum arming bindings_arming(const struct bindings *, uint32_t port, uint32_t host);
/* A host's connection ended, or another began: what it showed is from before, until it is shown again. */
void bindings_host_unread(struct bindings *, uint32_t host);
void bindings_host_removed(struct bindings *, uint32_t host);

/* A port appeared or changed in the model (call after the commit), or is about to go (before it: the model still shows it). */
void bindings_port_changed(struct bindings *, uint32_t port);
void bindings_port_removing(struct bindings *, uint32_t port);

/* The host's switch refused a spec of this port, which is in error if it is there; and: it refuses nothing of it any more. */
void bindings_refused(struct bindings *, uint32_t host, uint32_t port, const char *reason);
void bindings_accepted(struct bindings *, uint32_t host, uint32_t port);
/* A host confirmed up to its made_seq: ports that waited for it are active. */
void bindings_confirmed(struct bindings *, uint32_t host);
/* The host's switch is about to be read back: its ports are active only when it has confirmed what it wants now. */
void bindings_reread(struct bindings *, uint32_t host);

enum port_state { PORT_UNBOUND, PORT_BUILDING, PORT_ACTIVE, PORT_ERROR };
const char *port_state_word(enum port_state);

struct port_status {
    enum port_state state;
    uint32_t host;      /* 0: unbound */
    const char *reason; /* PORT_ERROR; else NULL */
};
struct port_status bindings_status(const struct bindings *, uint32_t port);
/* Names of the other hosts that claim the port: new reference to an array. */
json_t *bindings_claimed_by(const struct bindings *, uint32_t port);

#endif
