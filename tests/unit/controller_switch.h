/* A host of a controller lab with both its sessions: OpenFlow with a scripted switch, OVSDB as far as a connected host needs it. It confirms
 * when the test says so. */
#ifndef TESTS_UNIT_CONTROLLER_SWITCH_H
#define TESTS_UNIT_CONTROLLER_SWITCH_H 1

#include "tests/unit/controller_lab.h"
#include "tests/unit/fake_switch.h"

struct controller_switch {
    struct controller_lab *lab;
    const char *host;
    struct fake_switch fake;
    struct of_session *session; /* NULL: not connected */
    bool is_identified;
};

/* Both its sessions are up; it has confirmed nothing. The host's object is there. */
void controller_switch_connect(struct controller_switch *, struct controller_lab *, const char *host, uint64_t dpid);
/* It has installed all that it wants. */
void controller_switch_confirm(struct controller_switch *);
void controller_switch_disconnect(struct controller_switch *); /* also of one that never was connected */

#endif
