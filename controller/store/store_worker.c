/* The writing thread: a queue in, a queue out, and an eventfd that wakes the loop. A group of jobs is one SQLite transaction, so that
 * many small writes share one sync; within it each batch stands or falls by itself. */
#include "controller/store/store_worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

#define SOON_MS 20

struct queue {
    struct job *first, **last;
};

struct worker {
    struct store_file *file;
    void (*returned)(void *aux, struct job *);
    void *aux;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    struct queue in, out;
    bool is_stopping;

    int fd; /* eventfd: there is something in 'out' */
    struct event *event;
    struct event *soon; /* pending: 'in' has jobs that the thread was not woken for */
};

static void
queue_init(struct queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void
queue_put(struct queue *q, struct job *j)
{
    j->next = NULL;
    *q->last = j;
    q->last = &j->next;
}

/* The whole queue, which is empty then. */
static struct job *
queue_take(struct queue *q)
{
    struct job *first = q->first;
    queue_init(q);
    return first;
}

void
job_free(struct job *j)
{
    struct store_batch *b = j->batch;
    if (b) {
        free(b->who);
        free(b->summary);
        free(b->key);
        free(b->scope);
        free(b->digest);
        free(b->answer);
    }
    free(b);
    free(j->key);
    free(j->value);
    free(j);
}

/* ---- on the thread ---- */
static bool
job_write(struct store_file *f, struct job *j)
{
    switch (j->kind) {
    case JOB_BATCH: return store_file_put_batch(f, j->batch, &j->err);
    case JOB_FACT: return store_file_put_fact(f, j->key, j->value, &j->err);
    case JOB_TOMBSTONE: return store_file_del_tombstone(f, j->number, &j->err);
    }
    abort();
}

static bool
has_batch(const struct job *j)
{
    while (j && j->kind != JOB_BATCH)
        j = j->next;
    return j != NULL;
}

/* False: the whole group failed, and nothing of it is written. */
static bool
group_commit(struct store_file *f, struct job *first, struct error *err)
{
    if (!store_file_begin(f, has_batch(first), err))
        return false;
    for (struct job *j = first; j; j = j->next) {
        j->ok = job_write(f, j);
        if (!j->ok && sqlite3_get_autocommit(f->db)) {
            *err = j->err; /* a full disk, say: SQLite rolled the transaction back */
            return false;
        }
    }
    if (store_file_commit(f, err))
        return true;
    store_file_roll_back(f);
    return false;
}

static uint64_t
now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
group_write(struct store_file *f, struct job *first)
{
    struct error err;
    uint64_t started_us = now_us();
    bool ok = group_commit(f, first, &err);
    for (struct job *j = first; j; j = j->next) {
        j->us = now_us() - started_us;
        if (!ok) {
            j->ok = false;
            j->err = err;
        }
    }
}

static void
group_return(struct worker *w, struct job *first)
{
    pthread_mutex_lock(&w->mutex);
    for (struct job *j = first, *next; j; j = next) {
        next = j->next;
        queue_put(&w->out, j);
    }
    pthread_mutex_unlock(&w->mutex);
    uint64_t one = 1;
    if (write(w->fd, &one, sizeof one) < 0)
        abort(); /* an eventfd takes 2^64 - 2 of them */
}

static void *
worker_run(void *w_)
{
    struct worker *w = w_;
    for (;;) {
        pthread_mutex_lock(&w->mutex);
        while (!w->in.first && !w->is_stopping)
            pthread_cond_wait(&w->wake, &w->mutex);
        struct job *first = queue_take(&w->in);
        pthread_mutex_unlock(&w->mutex);
        if (!first)
            return NULL;
        group_write(w->file, first);
        group_return(w, first);
    }
}

/* ---- on the loop ---- */
static struct job *
take_returned(struct worker *w)
{
    pthread_mutex_lock(&w->mutex);
    struct job *first = queue_take(&w->out);
    pthread_mutex_unlock(&w->mutex);
    return first;
}

static void
on_returned(evutil_socket_t fd, short what, void *w_)
{
    struct worker *w = w_;
    uint64_t n;
    if (read(fd, &n, sizeof n) < 0)
        return;
    for (struct job *j = take_returned(w), *next; j; j = next) {
        next = j->next;
        w->returned(w->aux, j);
    }
}

static void
wake(struct worker *w)
{
    pthread_mutex_lock(&w->mutex);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
}

static void
on_soon(evutil_socket_t fd, short what, void *w)
{
    wake(w);
}

struct worker *
worker_new(struct event_base *base, struct store_file *file, void (*returned)(void *, struct job *), void *aux)
{
    struct worker *w = mem_zalloc(sizeof *w);
    w->file = file;
    w->returned = returned;
    w->aux = aux;
    queue_init(&w->in);
    queue_init(&w->out);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    w->event = event_new(base, w->fd, EV_READ | EV_PERSIST, on_returned, w);
    event_add(w->event, NULL);
    w->soon = evtimer_new(base, on_soon, w);

    sigset_t all, before; /* signals are the loop's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&w->thread, NULL, worker_run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (w->fd < 0 || failed)
        abort(); /* out of memory or descriptors at start */
    return w;
}

static void
put(struct worker *w, struct job *j)
{
    pthread_mutex_lock(&w->mutex);
    queue_put(&w->in, j);
    pthread_mutex_unlock(&w->mutex);
}

void
worker_submit(struct worker *w, struct job *j)
{
    put(w, j);
    wake(w);
}

void
worker_submit_soon(struct worker *w, struct job *j)
{
    put(w, j);
    if (!event_pending(w->soon, EV_TIMEOUT, NULL))
        event_add(w->soon, &(struct timeval){ .tv_usec = SOON_MS * 1000 });
}

void
worker_free(struct worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->mutex);
    w->is_stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);

    for (struct job *j = take_returned(w), *next; j; j = next) {
        next = j->next;
        job_free(j);
    }
    event_free(w->event);
    event_free(w->soon);
    close(w->fd);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}
