/* Requests that change intent, one at a time: model -> store -> model shows it -> hosts compile. A request that fails changes
 * nothing. Large requests are applied in turns of the loop, so that nothing else waits for them; the check of the whole at
 * the end is one turn, and so is the commit with what follows from it, which nobody may see half of. */
#ifndef CONTROLLER_COMMIT_H
#define CONTROLLER_COMMIT_H 1

#include "base/json.h"
#include "vnet/model/principal.h"

struct controller;
struct commits;

struct commit_result {
    bool ok;
    struct error err;      /* when not ok */
    int op;                /* the operation it is about; -1: the whole */
    const json_t *results; /* as asked for: one object per operation: id, type, name, object */
    const json_t *changes; /* dry run: what would change */
    uint64_t revision;
    uint64_t seq;          /* of the change; 0: nothing was done */
    const uint32_t *hosts; /* concerned: they want more than before */
    size_t n_hosts;
    const char *replayed; /* an answer remembered under the idempotency key; nothing was done now */
};

typedef void commit_done(void *aux, const struct commit_result *);

/* What a result says: of a large batch, most of the work is to say it. */
enum commit_results {
    COMMIT_RESULTS_OBJECTS, /* id, type, name and, after add and set, the object */
    COMMIT_RESULTS_NAMES,   /* id, type, name */
    COMMIT_RESULTS_NONE,    /* there are none: the array is empty */
};

struct commit_request {
    json_t *ops; /* array; a reference is taken over */
    struct principal principal;
    const char *tenant; /* copied; NULL: "default" */
    bool is_dry_run;
    bool is_sweep; /* see transaction_origin */
    enum commit_results results;
    const char *idempotency_key; /* copied; NULL none */
    const char *scope, *digest;  /* with a key: whose it is; of the request. Copied */
    commit_done *done;           /* always called, from the loop; results are borrowed */
    void *aux;
};

struct commits *commits_new(struct controller *);
void commits_free(struct commits *); /* requests still there are told 'unavailable' */
void commit_submit(struct commits *, const struct commit_request *);

struct commit_counters {
    uint64_t committed, refused, replayed;
};
const struct commit_counters *commits_counters(const struct commits *);

/* The body that a transaction's answer and its remembered copy share: revision and results. New reference. */
json_t *commit_answer(uint64_t revision, const json_t *results);

#endif
