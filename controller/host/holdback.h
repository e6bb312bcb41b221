/* How far a host is that keeps blocks of public addresses which move away from it (handover.h). Its switch confirms all else meanwhile, so two numbers
 * are kept of it: up to where it has made what it was given (made_seq), and up to where it is whole (confirmed_seq), which is before the first
 * change of which it still keeps anything. What it keeps is counted here by the change since which it does: pure book-keeping on the host, handover.c says
 * when. */
#ifndef CONTROLLER_HOST_HOLDBACK_H
#define CONTROLLER_HOST_HOLDBACK_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hypervisor;

/* What is held back on a host since one change, by how many addresses; 'until' is what it must confirm when none does any more. */
struct holdback {
    struct holdback *next; /* of another change */
    uint64_t since, until; /* until 0: still held back */
    uint64_t moved;        /* the last change that moved one of them on; 0: none did */
    size_t n;
};

/* One address more is kept since a change (its sequence number), or one less: that it is gone is made when the host has confirmed 'until'. */
void holdback_begin(struct hypervisor *, uint64_t since);
void holdback_end(struct hypervisor *, uint64_t since, uint64_t until);
/* Another change, too, moves what is held back since that one. The host may be NULL. */
void holdback_moved(struct hypervisor *, uint64_t since, uint64_t seq);
/* Up to where the host is whole that has confirmed what was made up to 'seq'. What it has let go of by then is forgotten. */
uint64_t holdbacks_limit(struct hypervisor *, uint64_t seq);
/* Has the host confirmed all up to 'seq', and does it keep nothing any more of what 'change' moved away from it? What it keeps of other changes is not
 * asked about. */
bool host_has_made(const struct hypervisor *, uint64_t seq, uint64_t change);
void host_holdbacks_free(struct hypervisor *);

#endif
