/* What one host says of one domain, read from an agent's report. Pure. */
#ifndef CONTROLLER_INSTANCE_SIGHTING_H
#define CONTROLLER_INSTANCE_SIGHTING_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/list.h"
#include "base/uuid.h"
#include "controller/instance/moment.h"

#define SIGHTING_NAME_MAX 255 /* of a domain; libvirt sets no limit of its own that matters */
#define SIGHTING_PORTS_MAX 64
#define SIGHTING_EVENTS_MAX 16

enum instance_state { INSTANCE_RUNNING, INSTANCE_MIGRATING, INSTANCE_PAUSED, INSTANCE_CRASHED, INSTANCE_OFF, N_INSTANCE_STATES };

struct sighting {
    struct sighting *next;    /* of the same instance, other hosts */
    struct list_node of_host; /* those of the same host */
    struct instance *instance;
    uint32_t host;
    struct uuid id;
    char *name;
    enum instance_state state;
    char reason[64], event[64]; /* "" none */
    int64_t since_ms, event_ms; /* moments (moment.h) */
    int64_t since_wall_ms;      /* the former as it is shown, since 1970 */
    struct sighting_event {
        char what[64];
        int64_t at_ms;
        int64_t number;            /* in its agent's run; 0: none */
    } events[SIGHTING_EVENTS_MAX]; /* since the last report that was answered, the oldest first */
    size_t n_events;
    struct uuid run;                       /* of the agent; zero: it does not say */
    int64_t events_until;                  /* number of the last event of that run that has been taken */
    bool is_persistent;                    /* it is defined; else it is gone when it stops */
    struct uuid ports[SIGHTING_PORTS_MAX]; /* its interfaces' ids */
    size_t n_ports;
    json_t *counters; /* of its interfaces, as told; NULL: none yet */
    bool is_kept;     /* while a full report is taken */
};

/* What came at now_ms of vnetd's monotonic clock; 'run' is the reader's to set. NULL with *err: what is wrong with it. */
struct sighting *sighting_read(const json_t *, int64_t now_ms, struct error *) MUST_CHECK;
void sighting_free(struct sighting *);

/* Leaves out the events of 's' that 'old' (NULL: none) of the same host had: they come again when the answer to a report was lost. */
void sighting_forget_known(struct sighting *s, const struct sighting *old);

/* Does the host say that the domain runs elsewhere now, or is about to? */
bool sighting_has_left(const struct sighting *);

const char *instance_state_word(enum instance_state);

#endif
