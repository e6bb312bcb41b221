#include "agent/virt_loop.h"

#include <libvirt/libvirt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"

/* A handle or a timeout that libvirt wants watched. */
struct source {
    struct source *next;
    int id; /* handles and timeouts count together */
    bool is_timer, is_dead;
    struct event *event;
    int events; /* handles: VIR_EVENT_HANDLE_... wanted */
    virEventHandleCallback on_handle;
    virEventTimeoutCallback on_timeout;
    void *opaque;
    virFreeCallback free_opaque;
};

/* libvirt registers one implementation in a process, without an argument for it: the one global of the agent. */
static struct {
    struct event_base *base;
    pthread_mutex_t mutex; /* over the list and the sources' fields */
    struct source *sources;
    int next_id;
    struct event *reap;
} loop = { .mutex = PTHREAD_MUTEX_INITIALIZER, .next_id = 1 };

static struct source *
source_find(int id, bool is_timer)
{
    for (struct source *s = loop.sources; s; s = s->next)
        if (s->id == id && s->is_timer == is_timer && !s->is_dead)
            return s;
    return NULL;
}

/* Hang-up and errors are told as readable: reading tells which. */
static short
wanted(int events)
{
    bool reads = events & (VIR_EVENT_HANDLE_READABLE | VIR_EVENT_HANDLE_HANGUP | VIR_EVENT_HANDLE_ERROR);
    return (short) ((reads ? EV_READ : 0) | (events & VIR_EVENT_HANDLE_WRITABLE ? EV_WRITE : 0));
}

static void
on_handle(evutil_socket_t fd, short what, void *aux)
{
    struct source *s = aux;
    pthread_mutex_lock(&loop.mutex);
    int events = (what & EV_READ ? VIR_EVENT_HANDLE_READABLE : 0) | (what & EV_WRITE ? VIR_EVENT_HANDLE_WRITABLE : 0);
    bool is_due = !s->is_dead && (events & s->events);
    pthread_mutex_unlock(&loop.mutex);
    if (is_due)
        s->on_handle(s->id, fd, events & s->events, s->opaque);
}

static void
on_timeout(evutil_socket_t fd, short what, void *aux)
{
    struct source *s = aux;
    pthread_mutex_lock(&loop.mutex);
    bool is_due = !s->is_dead;
    pthread_mutex_unlock(&loop.mutex);
    if (is_due)
        s->on_timeout(s->id, s->opaque);
}

static void
watch(struct source *s, int fd)
{
    short what = wanted(s->events);
    event_del_noblock(s->event);
    if (!what)
        return;
    event_assign(s->event, loop.base, fd, what | EV_PERSIST, on_handle, s);
    event_add(s->event, NULL);
}

/* Timeouts repeat; below 0 they are off, 0 is each turn of the loop. */
static void
set_timeout(struct source *s, int ms)
{
    struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    event_del_noblock(s->event);
    if (ms >= 0)
        event_add(s->event, &tv);
}

static struct source *
source_add(void *opaque, virFreeCallback free_opaque)
{
    struct source *s = mem_zalloc(sizeof *s);
    s->id = loop.next_id++;
    s->opaque = opaque;
    s->free_opaque = free_opaque;
    s->next = loop.sources;
    loop.sources = s;
    return s;
}

static int
add_handle(int fd, int events, virEventHandleCallback callback, void *opaque, virFreeCallback free_opaque)
{
    pthread_mutex_lock(&loop.mutex);
    struct source *s = source_add(opaque, free_opaque);
    s->on_handle = callback;
    s->events = events;
    s->event = event_new(loop.base, fd, EV_READ | EV_PERSIST, on_handle, s);
    watch(s, fd);
    int id = s->id;
    pthread_mutex_unlock(&loop.mutex);
    return id;
}

static int
add_timeout(int ms, virEventTimeoutCallback callback, void *opaque, virFreeCallback free_opaque)
{
    pthread_mutex_lock(&loop.mutex);
    struct source *s = source_add(opaque, free_opaque);
    s->is_timer = true;
    s->on_timeout = callback;
    s->event = event_new(loop.base, -1, EV_PERSIST, on_timeout, s);
    set_timeout(s, ms);
    int id = s->id;
    pthread_mutex_unlock(&loop.mutex);
    return id;
}

static void
update_handle(int id, int events)
{
    pthread_mutex_lock(&loop.mutex);
    struct source *s = source_find(id, false);
    if (s) {
        s->events = events;
        watch(s, event_get_fd(s->event));
    }
    pthread_mutex_unlock(&loop.mutex);
}

static void
update_timeout(int id, int ms)
{
    pthread_mutex_lock(&loop.mutex);
    struct source *s = source_find(id, true);
    if (s)
        set_timeout(s, ms);
    pthread_mutex_unlock(&loop.mutex);
}

/* libvirt holds locks here that its free callback takes: that one comes from the loop's next turn, where no callback of ours runs either. */
static int
remove_source(int id, bool is_timer)
{
    pthread_mutex_lock(&loop.mutex);
    struct source *s = source_find(id, is_timer);
    if (s) {
        s->is_dead = true;
        event_del_noblock(s->event);
        event_active(loop.reap, 0, 0);
    }
    pthread_mutex_unlock(&loop.mutex);
    return s ? 0 : -1;
}

static int
remove_handle(int id)
{
    return remove_source(id, false);
}

static int
remove_timeout(int id)
{
    return remove_source(id, true);
}

static struct source *
take_dead(void)
{
    struct source *dead = NULL;
    pthread_mutex_lock(&loop.mutex);
    for (struct source **p = &loop.sources; *p;) {
        struct source *s = *p;
        if (!s->is_dead) {
            p = &s->next;
            continue;
        }
        *p = s->next;
        s->next = dead;
        dead = s;
    }
    pthread_mutex_unlock(&loop.mutex);
    return dead;
}

static void
on_reap(evutil_socket_t fd, short what, void *aux)
{
    for (struct source *s = take_dead(), *next; s; s = next) {
        next = s->next;
        if (s->free_opaque)
            s->free_opaque(s->opaque);
        event_free(s->event);
        free(s);
    }
}

void
virt_loop_register(struct event_base *base)
{
    loop.base = base;
    loop.reap = event_new(base, -1, EV_PERSIST, on_reap, NULL);
    virEventRegisterImpl(add_handle, update_handle, remove_handle, add_timeout, update_timeout, remove_timeout);
}

/* What libvirt keeps registered for the whole process goes with it. */
void
virt_loop_done(void)
{
    on_reap(-1, 0, NULL);
    for (struct source *s = loop.sources, *next; s; s = next) {
        next = s->next;
        event_free(s->event);
        free(s);
    }
    loop.sources = NULL;
    event_free(loop.reap);
}
