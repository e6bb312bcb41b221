#include "agent/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"

/* One thread and what it has to do. */
struct worker_lane {
    struct worker *worker;
    struct worker_lane *next;
    pthread_t thread;
    pthread_cond_t wake;
    struct worker_job *first, **last; /* waiting */
    struct worker_job *running;
    bool is_ending;
};

struct worker {
    struct event_base *base;
    pthread_mutex_t mutex;            /* over everything below */
    struct worker_lane *lanes, *main; /* main: where jobs go; NULL: none yet */
    struct worker_job *finished, **finished_last;
    struct event *collect;
    unsigned n_late;
};

static struct worker_job *
take_job(struct worker_lane *lane)
{
    while (!lane->first && !lane->is_ending)
        pthread_cond_wait(&lane->wake, &lane->worker->mutex);
    struct worker_job *job = lane->first;
    if (job && !(lane->first = job->next))
        lane->last = &lane->first;
    lane->running = job;
    return job;
}

static void
put_finished(struct worker *w, struct worker_job *job)
{
    job->next = NULL;
    *w->finished_last = job;
    w->finished_last = &job->next;
    event_active(w->collect, 0, 0);
}

static void *
lane_main(void *aux)
{
    struct worker_lane *lane = aux;
    struct worker *w = lane->worker;
    pthread_mutex_lock(&w->mutex);
    for (struct worker_job *job; (job = take_job(lane));) {
        pthread_mutex_unlock(&w->mutex);
        job->run(job);
        pthread_mutex_lock(&w->mutex);
        lane->running = NULL;
        put_finished(w, job);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* Signals are the loop's. */
static struct worker_lane *
lane_new(struct worker *w)
{
    sigset_t all, before;
    struct worker_lane *lane = mem_zalloc(sizeof *lane);
    lane->worker = w;
    lane->last = &lane->first;
    lane->next = w->lanes;
    w->lanes = lane;
    pthread_cond_init(&lane->wake, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&lane->thread, NULL, lane_main, lane))
        abort();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return lane;
}

static void
lane_unlink_and_free(struct worker_lane *lane)
{
    struct worker_lane **p = &lane->worker->lanes;
    while (*p != lane)
        p = &(*p)->next;
    *p = lane->next;
    pthread_join(lane->thread, NULL);
    pthread_cond_destroy(&lane->wake);
    free(lane);
}

/* ---- the loop's side ---- */

static void
lane_push(struct worker_lane *lane, struct worker_job *job)
{
    job->lane = lane;
    job->next = NULL;
    *lane->last = job;
    lane->last = &job->next;
    pthread_cond_signal(&lane->wake);
}

/* What waits behind a late job goes on in a new lane; the old one ends with its job. */
static void
lane_replace(struct worker_lane *lane)
{
    struct worker *w = lane->worker;
    lane->is_ending = true;
    w->main = lane_new(w);
    for (struct worker_job *job = lane->first, *next; job; job = next) {
        next = job->next;
        lane_push(w->main, job);
    }
    lane->first = NULL;
    lane->last = &lane->first;
}

/* Takes a job out of the lane's queue; false: it is not there. */
static bool
lane_withdraw(struct worker_lane *lane, struct worker_job *job)
{
    for (struct worker_job **p = &lane->first; *p; p = &(*p)->next) {
        if (*p != job)
            continue;
        *p = job->next;
        if (!*p)
            lane->last = p;
        return true;
    }
    return false;
}

static void
on_overdue(evutil_socket_t fd, short what, void *aux)
{
    struct worker_job *job = aux;
    struct worker *w = job->lane->worker;
    pthread_mutex_lock(&w->mutex);
    bool is_running = job->lane->running == job, is_waiting = !is_running && lane_withdraw(job->lane, job);
    if (is_running) {
        job->is_late = true;
        w->n_late++;
        lane_replace(job->lane);
    }
    pthread_mutex_unlock(&w->mutex);
    if (!is_running && !is_waiting)
        return; /* it has just ended */
    event_free(job->overdue);
    job->overdue = NULL;
    job->done(job, false);
    if (is_waiting)
        job->discard(job);
}

static void
on_overdue_apart(evutil_socket_t fd, short what, void *aux)
{
    struct worker_job *job = aux;
    job->is_late = true;
    job->lane->worker->n_late++;
}

static void
collect_one(struct worker *w, struct worker_job *job)
{
    struct worker_lane *lane = job->lane;
    bool is_over = lane != w->main;
    if (job->overdue)
        event_free(job->overdue);
    job->overdue = NULL;
    if (job->is_late)
        w->n_late--;
    if (job->is_late && !job->is_apart)
        job->discard(job);
    else
        job->done(job, true);
    if (is_over)
        lane_unlink_and_free(lane);
}

static void
on_collect(evutil_socket_t fd, short what, void *aux)
{
    struct worker *w = aux;
    pthread_mutex_lock(&w->mutex);
    struct worker_job *job = w->finished;
    w->finished = NULL;
    w->finished_last = &w->finished;
    pthread_mutex_unlock(&w->mutex);
    for (struct worker_job *next; job; job = next) {
        next = job->next;
        collect_one(w, job);
    }
}

struct worker *
worker_new(struct event_base *base)
{
    struct worker *w = mem_zalloc(sizeof *w);
    w->base = base;
    w->finished_last = &w->finished;
    w->collect = event_new(base, -1, EV_PERSIST, on_collect, w);
    pthread_mutex_init(&w->mutex, NULL);
    return w;
}

static void
set_deadline(struct worker *w, struct worker_job *job, bool is_apart)
{
    struct timeval tv = { job->deadline_ms / 1000, job->deadline_ms % 1000 * 1000 };
    job->is_late = false;
    job->is_apart = is_apart;
    job->overdue = evtimer_new(w->base, is_apart ? on_overdue_apart : on_overdue, job);
    evtimer_add(job->overdue, &tv);
}

void
worker_submit(struct worker *w, struct worker_job *job)
{
    set_deadline(w, job, false);
    pthread_mutex_lock(&w->mutex);
    if (!w->main)
        w->main = lane_new(w);
    lane_push(w->main, job);
    pthread_mutex_unlock(&w->mutex);
}

void
worker_submit_apart(struct worker *w, struct worker_job *job)
{
    set_deadline(w, job, true);
    pthread_mutex_lock(&w->mutex);
    struct worker_lane *lane = lane_new(w);
    lane_push(lane, job);
    lane->is_ending = true;
    pthread_mutex_unlock(&w->mutex);
}

unsigned
worker_n_late(const struct worker *w)
{
    return w->n_late;
}

bool
worker_is_idle(struct worker *w)
{
    bool is_idle = true;
    pthread_mutex_lock(&w->mutex);
    for (const struct worker_lane *lane = w->lanes; lane; lane = lane->next)
        is_idle = is_idle && lane == w->main && !lane->running && !lane->first;
    is_idle = is_idle && !w->finished;
    pthread_mutex_unlock(&w->mutex);
    return is_idle;
}

void
worker_free(struct worker *w)
{
    pthread_mutex_lock(&w->mutex);
    for (struct worker_lane *lane = w->lanes; lane; lane = lane->next) {
        lane->is_ending = true;
        pthread_cond_signal(&lane->wake);
    }
    pthread_mutex_unlock(&w->mutex);
    while (w->lanes)
        lane_unlink_and_free(w->lanes);
    event_free(w->collect);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}
