/* The flight recorder of one migration: what happened when, all on vnetd's monotonic line (moment.h), and how long its parts took. What is not
 * known, or came in another order than it can have happened, is null: no number is made up. Pure. */
#ifndef CONTROLLER_INSTANCE_MIGRATION_RECORD_H
#define CONTROLLER_INSTANCE_MIGRATION_RECORD_H 1

#include <stddef.h>

#include "controller/instance/moment.h"

#define RECORD_STEPS_MAX 48 /* more are left out */

struct record_step {
    int64_t at_ms, last_ms; /* the first time, and the last time that it happened before anything else did */
    unsigned count;         /* how often it did */
    bool is_at_known;       /* else at_ms is when it was heard of, and says only the order */
    char host[64], what[64];
};

struct migration_record {
    int64_t began_ms, suspended_ms, resumed_ms, spoke_ms, open_ms, settled_ms; /* or MOMENT_UNKNOWN */
    struct record_step steps[RECORD_STEPS_MAX];                                /* the oldest first */
    size_t n_steps;
};

void record_init(struct migration_record *);
/* What happened on a host ("": on none) at that moment, heard of at now_ms. */
void record_note(struct migration_record *, int64_t at_ms, int64_t now_ms, const char *host, const char *what);
/* Sets guest_pause_ms, our_share_ms, settled_ms, began and timeline of the object; now_ms is wall_ms since 1970. */
void record_put_json(const struct migration_record *, json_t *object, int64_t now_ms, int64_t wall_ms);

#endif
