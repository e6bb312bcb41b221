/* The store's one writing thread. Jobs go in from the event loop, are written in order, as many in one SQLite transaction as wait, and
 * come back to the event loop. Between worker_new() and worker_free() the file is the thread's alone. */
#ifndef CONTROLLER_STORE_STORE_WORKER_H
#define CONTROLLER_STORE_STORE_WORKER_H 1

#include <event2/event.h>

#include "controller/store/store_file.h"

enum job_kind { JOB_BATCH, JOB_FACT, JOB_TOMBSTONE };

struct job {
    struct job *next;
    enum job_kind kind;
    struct store_batch *batch; /* JOB_BATCH */
    char *key, *value;         /* JOB_FACT; value NULL deletes */
    uint32_t number;           /* JOB_TOMBSTONE */
    store_committed *done;     /* may be NULL */
    void *aux;

    bool ok; /* when it comes back */
    struct error err;
    uint64_t us; /* that its group took */
};

void job_free(struct job *);

struct worker;

/* 'returned' is called on the loop for each job, in order of submission; it frees the job. */
struct worker *worker_new(struct event_base *, struct store_file *, void (*returned)(void *aux, struct job *), void *aux);
/* Writes what was submitted, then ends; jobs not returned yet are freed without a call. */
void worker_free(struct worker *);
void worker_submit(struct worker *, struct job *take);
/* In the same order, but the thread may begin some milliseconds later: it does not compete with what the loop does at once. */
void worker_submit_soon(struct worker *, struct job *take);

#endif
