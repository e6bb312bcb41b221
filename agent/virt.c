#include "agent/virt.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/virt_private.h"
#include "base/alloc.h"

#define LOG_MODULE "libvirt"
#include "base/log.h"

#define WAIT_FIRST_MS 100
#define WAIT_MAX_MS 2000
#define RELIST_S 60 /* everything is listed again, whatever was told */
#define COUNT_S 30

static struct log_limit losses = LOG_LIMIT(10);

int64_t
virt_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void
set_state(struct virt *v, enum virt_state state)
{
    static const char *const names[] = { "AWAY", "OPENING", "LISTING", "UP" };
    if (v->state != state)
        log_dbg("%s: %s -> %s", v->uri, names[v->state], names[state]);
    v->state = state;
}

static void
wait_ms(struct event *timer, int64_t ms)
{
    struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    evtimer_add(timer, &tv);
}

/* ---- what is to be looked at ---- */

void
virt_ids_push(struct virt_ids *q, struct uuid id)
{
    q->ids = mem_grow(q->ids, &q->cap, q->n + 1, sizeof *q->ids);
    q->ids[q->n++] = id;
}

size_t
virt_ids_take(struct virt_ids *q, struct uuid *ids, size_t max)
{
    size_t n = q->n < max ? q->n : max;
    if (n)
        memcpy(ids, q->ids, n * sizeof *ids);
    q->n -= n;
    if (q->n)
        memmove(q->ids, q->ids + n, q->n * sizeof *q->ids);
    return n;
}

static bool
is_wanted(const struct virt *v, struct uuid id)
{
    for (size_t i = 0; i < v->wanted.n; i++)
        if (uuid_equal(v->wanted.ids[i], id))
            return true;
    return false;
}

void
virt_look_at(struct virt *v, struct uuid id)
{
    if (v->state < VIRT_LISTING || is_wanted(v, id))
        return;
    virt_ids_push(&v->wanted, id);
    event_active(v->work, 0, 0);
}

bool
virt_is_up(const struct virt *v)
{
    return v->state == VIRT_UP;
}

/* ---- life of a connection ---- */

void
virt_lose(struct virt *v, const char *why)
{
    if (v->state == VIRT_AWAY)
        return;
    log_warn_limited(&losses, "%s: %s; trying again", v->uri, why);
    bool was_open = v->link != NULL;
    virt_link_leave(v);
    v->wanted.n = v->listed.n = 0;
    v->wants_all = v->wants_counters = false;
    set_state(v, VIRT_AWAY);
    wait_ms(v->again, v->wait_ms);
    v->wait_ms = v->wait_ms * 2 < WAIT_MAX_MS ? v->wait_ms * 2 : WAIT_MAX_MS;
    if (was_open)
        v->ops->lost(v->aux);
}

static void
on_again(evutil_socket_t fd, short what, void *aux)
{
    struct virt *v = aux;
    if (v->state != VIRT_AWAY)
        return;
    if (worker_n_late(v->worker) >= VIRT_LATE_MAX) { /* each would hang as the others do */
        wait_ms(v->again, WAIT_MAX_MS);
        return;
    }
    set_state(v, VIRT_OPENING);
    virt_job_submit(v, VIRT_JOB_OPEN);
}

void
virt_opened(struct virt *v, struct virt_link *link)
{
    v->link = link;
    log_info("%s: connected", v->uri);
    set_state(v, VIRT_LISTING);
    v->wants_all = true;
    event_active(v->work, 0, 0);
}

void
virt_listed(struct virt *v, const struct uuid *ids, size_t n)
{
    v->listed.n = 0;
    for (size_t i = 0; i < n; i++)
        virt_ids_push(&v->listed, ids[i]);
}

void
virt_whole(struct virt *v)
{
    v->wait_ms = WAIT_FIRST_MS;
    set_state(v, VIRT_UP);
    wait_ms(v->relist, RELIST_S * 1000);
    if (!event_pending(v->count, EV_TIMEOUT, NULL))
        wait_ms(v->count, 1000);
}

static void
on_relist(evutil_socket_t fd, short what, void *aux)
{
    struct virt *v = aux;
    v->wants_all = v->state == VIRT_UP;
    event_active(v->work, 0, 0);
}

static void
on_count(evutil_socket_t fd, short what, void *aux)
{
    struct virt *v = aux;
    v->wants_counters = v->state == VIRT_UP;
    wait_ms(v->count, COUNT_S * 1000);
    event_active(v->work, 0, 0);
}

/* One job at a time: newest state wins. */
static void
on_work(evutil_socket_t fd, short what, void *aux)
{
    struct virt *v = aux;
    if (v->is_busy || v->state < VIRT_LISTING)
        return;
    if (v->wants_all)
        virt_job_submit(v, VIRT_JOB_LIST);
    else if (v->listed.n && (v->is_listed_next || !v->wanted.n))
        virt_job_submit(v, VIRT_JOB_READ_LISTED);
    else if (v->wanted.n)
        virt_job_submit(v, VIRT_JOB_READ_WANTED);
    else if (v->wants_counters)
        virt_job_submit(v, VIRT_JOB_COUNT);
}

static void
ignore_error(void *aux, virErrorPtr e)
{
}

struct virt *
virt_new(struct event_base *base, struct worker *worker, const char *uri, const struct virt_ops *ops, void *aux)
{
    struct virt *v = mem_zalloc(sizeof *v);
    *v = (struct virt){ .base = base, .worker = worker, .uri = uri, .ops = ops, .aux = aux, .wait_ms = WAIT_FIRST_MS };
    v->work = event_new(base, -1, EV_PERSIST, on_work, v);
    v->again = evtimer_new(base, on_again, v);
    v->relist = evtimer_new(base, on_relist, v);
    v->count = evtimer_new(base, on_count, v);
    virInitialize();
    virSetErrorFunc(NULL, ignore_error); /* who calls says what it was for */
    wait_ms(v->again, 0);
    return v;
}

void
virt_stop(struct virt *v)
{
    event_del(v->again);
    event_del(v->relist);
    event_del(v->count);
    virt_link_leave(v);
    set_state(v, VIRT_AWAY);
}

void
virt_free(struct virt *v)
{
    event_free(v->work);
    event_free(v->again);
    event_free(v->relist);
    event_free(v->count);
    free(v->wanted.ids);
    free(v->listed.ids);
    free(v);
}
