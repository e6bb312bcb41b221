/* The connection to libvirtd: events as they come, domains read again whenever something may have happened to them, everything listed after
 * each (re)connection.
 *
 *     AWAY ---open---> OPENING ---> LISTING ---> UP
 *       ^                 |            |          |
 *       +---- closed, refused, silent, a call that is late ----+      then again after a growing wait
 *
 * Level-triggered: events only say what to look at. Calls into libvirt are a worker's jobs with a deadline each, which no number of domains makes
 * too short: they are listed by one call, and then read few at a time, with what events speak of in between. After a job that is late the
 * connection is left to itself and another one opened. */
#ifndef AGENT_VIRT_H
#define AGENT_VIRT_H 1

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/virt_read.h"
#include "agent/worker.h"
#include "base/uuid.h"

struct virt;

/* From the loop. */
struct virt_ops {
    /* Something happened; 'words': "resumed migrated", "device-added net1". The domain is read again by itself. */
    void (*event)(void *aux, struct uuid, const char *name, const char *words);
    /* The truth about one domain, or that it is gone. Takes over what is in it (doc, counters). */
    void (*read)(void *aux, struct virt_domain *take);
    /* All there are, asked for at 'begun_ms' (monotonic). Each is read after that. */
    void (*listed)(void *aux, const struct uuid *, size_t n, int64_t begun_ms);
    /* All that were listed have been read. */
    void (*whole)(void *aux);
    void (*counted)(void *aux, struct virt_domain *take, size_t n);
    void (*lost)(void *aux);
};

struct virt *virt_new(struct event_base *, struct worker *, const char *uri, const struct virt_ops *, void *aux);
/* Leaves the connection; nothing is told any more. Free it when the worker is idle. */
void virt_stop(struct virt *);
void virt_free(struct virt *);

/* The domain may have changed: read it soon. Cheap; many become one. */
void virt_look_at(struct virt *, struct uuid);
bool virt_is_up(const struct virt *); /* all has been listed and read on this connection */

#endif
