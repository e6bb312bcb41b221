/* Work that blocks, done in a thread beside the loop, with a deadline: the loop never waits, and a call that hangs (libvirtd stopped, a hook
 * that hangs) costs a thread, not the agent.
 *
 *     submitted -> RUNNING -> done(job, true)                           in time
 *                     |-----> done(job, false) ... discard(job)         late: 'discard' comes when it ends after all
 *
 * Jobs run one after the other. When one is late, those behind it get a new thread. All calls and callbacks are on the loop; only 'run' is
 * not. The program has called evthread_use_pthreads(). */
#ifndef AGENT_WORKER_H
#define AGENT_WORKER_H 1

#include <event2/event.h>
#include <stdbool.h>

struct worker;

struct worker_job {
    void (*run)(struct worker_job *);
    void (*done)(struct worker_job *, bool in_time);
    void (*discard)(struct worker_job *); /* after done(job, false); frees */
    unsigned deadline_ms;                 /* from when it is submitted */

    /* The worker's own. */
    struct worker_job *next;
    struct worker_lane *lane;
    struct event *overdue;
    bool is_apart, is_late;
};

struct worker *worker_new(struct event_base *);
/* It must be idle. */
void worker_free(struct worker *);
/* Nothing waits, runs, or is still to be told. */
bool worker_is_idle(struct worker *);

/* The job must stay until done() or, after a late one, discard(). */
void worker_submit(struct worker *, struct worker_job *);
/* In a thread of its own: done(job, true) whenever it ends. Past its deadline it only counts as one that hangs. */
void worker_submit_apart(struct worker *, struct worker_job *);

/* Threads that hang: in jobs that are late. */
unsigned worker_n_late(const struct worker *);

#endif
