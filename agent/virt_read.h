/* What libvirt says of a domain when asked: state, XML. Every function here blocks, and is called from a worker's thread. */
#ifndef AGENT_VIRT_READ_H
#define AGENT_VIRT_READ_H 1

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "agent/domain_xml.h"
#include "base/json.h"

/* Words as the API has them (controller/instance/sighting.h). */
struct virt_domain {
    struct uuid id;
    bool is_gone;               /* only 'id' is set */
    char *name;                 /* NULL: not known */
    char *unread;               /* why libvirt cannot tell of it now: only 'id' is set, and the name, if that is known. NULL: it can */
    const char *state, *reason; /* "running", "booted" */
    int run;                    /* libvirt's id of it while it runs; -1: it does not */
    bool is_active, is_persistent;
    enum virt_move { VIRT_STAYS, VIRT_LEAVES, VIRT_COMES } move; /* it migrates to another host, or comes from one and does not run yet */
    struct domain_doc *doc;                                      /* NULL: its XML could not be read */
    json_t *counters; /* CPU time, memory, and by device what its interfaces have carried; NULL: not asked for, or it does not run */
};

void virt_domain_done(struct virt_domain *);

/* False: the connection is of no use any more (*err says why). A domain that is not there is gone, which is no error; nor is one that libvirt cannot tell
 * of while the connection is alive. */
bool virt_read_one(virConnectPtr, struct uuid, struct virt_domain *, struct error *) MUST_CHECK;
/* Which there are, in one call: '*ids' is the caller's, of '*n'. */
bool virt_list(virConnectPtr, struct uuid **ids, size_t *n, struct error *) MUST_CHECK;
/* Only counters of those that run. */
bool virt_read_counters(virConnectPtr, struct virt_domain **list, size_t *n, struct error *) MUST_CHECK;

/* Event and detail as words: "resumed migrated". 'buf' of 64 bytes. */
const char *virt_event_words(int event, int detail, char buf[64]);

#endif
