/* Between the files of the store. */
#ifndef CONTROLLER_STORE_STORE_PRIVATE_H
#define CONTROLLER_STORE_STORE_PRIVATE_H 1

#include <pthread.h>
#include <sqlite3.h>

#include "controller/store/store.h"

/* One thing for the worker to write. Owned by the queue it is in. */
struct job {
    struct job *next;
    enum { JOB_COMMIT, JOB_FACT, JOB_REMOVE_TOMBSTONE } kind;

    /* JOB_COMMIT */
    struct job_row {
        uint32_t number;
        uint8_t type;
        char *document;                  /* NULL: delete */
    } *rows;
    size_t n_rows;
    struct model_sequences sequences;    /* after; the revision before is one less */
    char *who, *summary, *key, *scope, *digest, *answer;
    int64_t wall_ms;
    store_committed *done;
    void *aux;
    bool ok;                             /* set by the worker */
    struct error err;
    int64_t took_us;

    /* JOB_FACT, JOB_REMOVE_TOMBSTONE */
    char *fact_key, *fact_value;         /* value NULL: delete */
    uint32_t number;
};

void job_free(struct job *);

/* The worker: a thread with a database of its own, jobs in, finished commits out. */
struct worker;
/* 'finished' is called on the event loop for each JOB_COMMIT, in order; the job is freed after it. */
typedef void worker_finished(void *aux, struct job *);
struct worker *worker_new(struct event_base *, sqlite3 *take, worker_finished *, void *aux);
void worker_submit(struct worker *, struct job *take);
void worker_stop(struct worker *);       /* writes what is queued, delivers nothing more, closes the database */

/* Opens FILE with our settings; *err names it. */
sqlite3 *schema_open(const char *file, struct error *) MUST_CHECK;
/* Creates or migrates; refuses corrupt files and newer majors. */
bool schema_prepare(sqlite3 *, const char *file, struct error *) MUST_CHECK;
/* Runs one statement without results. */
bool schema_exec(sqlite3 *, const char *sql, struct error *) MUST_CHECK;

#endif
