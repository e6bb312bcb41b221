#include "controller/chores.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"

struct chore {
    struct chore *next;
    void (*work)(void *aux);
    void (*done)(void *aux);
    void *aux;
};

struct queue {
    struct chore *first, **last;
};

struct chores {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    struct queue in, out;
    bool is_stopping;

    bool is_closed; /* the loop's */
    int fd;         /* eventfd: there is something in 'out' */
    struct event *event;
};

static void
queue_init(struct queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void
queue_put(struct queue *q, struct chore *c)
{
    c->next = NULL;
    *q->last = c;
    q->last = &c->next;
}

static struct chore *
queue_take(struct queue *q)
{
    struct chore *c = q->first;
    if (c && !(q->first = c->next))
        q->last = &q->first;
    return c;
}

/* ---- on the thread ---- */

static void *
run(void *all_)
{
    struct chores *all = all_;
    uint64_t one = 1;
    pthread_mutex_lock(&all->mutex);
    for (;;) {
        struct chore *c = queue_take(&all->in);
        if (!c && all->is_stopping)
            break;
        if (!c) {
            pthread_cond_wait(&all->wake, &all->mutex);
            continue;
        }
        pthread_mutex_unlock(&all->mutex);
        c->work(c->aux);
        pthread_mutex_lock(&all->mutex);
        queue_put(&all->out, c);
        if (write(all->fd, &one, sizeof one) < 0)
            abort(); /* an eventfd takes 2^64 - 2 of them */
    }
    pthread_mutex_unlock(&all->mutex);
    return NULL;
}

/* ---- on the loop ---- */

static void
tell(struct chores *all)
{
    pthread_mutex_lock(&all->mutex);
    struct chore *first = all->out.first;
    queue_init(&all->out);
    pthread_mutex_unlock(&all->mutex);
    for (struct chore *c = first, *next; c; c = next) {
        next = c->next;
        if (c->done)
            c->done(c->aux);
        free(c);
    }
}

static void
on_done(evutil_socket_t fd, short what, void *all)
{
    uint64_t n;
    if (read(fd, &n, sizeof n) >= 0)
        tell(all);
}

void
chores_do(struct chores *all, void (*work)(void *aux), void (*done)(void *aux), void *aux)
{
    if (all->is_closed) {
        work(aux);
        if (done)
            done(aux);
        return;
    }
    struct chore *c = mem_zalloc(sizeof *c);
    *c = (struct chore){ .work = work, .done = done, .aux = aux };
    pthread_mutex_lock(&all->mutex);
    queue_put(&all->in, c);
    pthread_cond_signal(&all->wake);
    pthread_mutex_unlock(&all->mutex);
}

static void
free_json(void *json)
{
    json_decref(json);
}

void
chores_free_array(struct chores *all, json_t *take)
{
    if (json_array_size(take) < CHORES_FROM_ELEMENTS)
        json_decref(take);
    else
        chores_do(all, free_json, NULL, take);
}

struct chores *
chores_new(struct event_base *base)
{
    struct chores *all = mem_zalloc(sizeof *all);
    queue_init(&all->in);
    queue_init(&all->out);
    pthread_mutex_init(&all->mutex, NULL);
    pthread_cond_init(&all->wake, NULL);
    all->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    all->event = event_new(base, all->fd, EV_READ | EV_PERSIST, on_done, all);
    event_add(all->event, NULL);
    json_decref(json_object()); /* what objects hash with is chosen here, once */

    sigset_t every, before; /* signals are the loop's */
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    int failed = pthread_create(&all->thread, NULL, run, all);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (all->fd < 0 || failed)
        abort(); /* out of memory or descriptors at start */
    return all;
}

void
chores_close(struct chores *all)
{
    pthread_mutex_lock(&all->mutex);
    all->is_stopping = true;
    pthread_cond_signal(&all->wake);
    pthread_mutex_unlock(&all->mutex);
    pthread_join(all->thread, NULL);
    all->is_closed = true;
    tell(all);
}

void
chores_free(struct chores *all)
{
    event_free(all->event);
    close(all->fd);
    pthread_cond_destroy(&all->wake);
    pthread_mutex_destroy(&all->mutex);
    free(all);
}
