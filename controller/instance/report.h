/* What a host's agent reports of its domains (controller/api/README.md), read whole before anything of it is taken. Pure. */
#ifndef CONTROLLER_INSTANCE_REPORT_H
#define CONTROLLER_INSTANCE_REPORT_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/uuid.h"
#include "controller/instance/sighting.h"

#define REPORT_INSTANCES_MAX 10000 /* that are there, and that are gone */

struct report {
    bool is_full;           /* what is not in it is gone */
    struct uuid run;        /* of the agent; zero: it does not say */
    struct sighting **seen; /* owned */
    size_t n_seen;
    struct uuid *gone; /* sorted by bytes; none of them is seen */
    size_t n_gone;
};

/* What came at now_ms of vnetd's monotonic clock. False with *err: what is wrong with it. Either way, report_done() is due. */
bool report_read(struct report *, const json_t *, int64_t now_ms, struct error *) MUST_CHECK;
void report_done(struct report *);

#endif
