#include "controller/waiter.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/holdback.h"
#include "controller/host/host.h"

struct waiter {
    struct waiters *all;
    struct waiter *next, *prev;
    uint64_t change; /* 0: for hosts to be whole */
    struct waiting {
        uint32_t host;
        uint64_t seq;
    } * pending;
    uint32_t *disconnected;
    size_t n_pending, n_disconnected;
    struct event *timer;
    waiter_done *done;
    void *aux;
};

struct waiters {
    struct controller *controller;
    struct waiter *first;
};

struct waiters *
waiters_new(struct controller *c)
{
    struct waiters *w = mem_zalloc(sizeof *w);
    w->controller = c;
    return w;
}

static bool
has_confirmed(const struct waiter *w, const struct hypervisor *h, uint64_t seq)
{
    return w->change ? host_has_made(h, seq, w->change) : h->confirmed_seq >= seq;
}

/* Moves hosts out of 'pending' that have confirmed or are gone. */
static void
waiter_look(struct waiter *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->n_pending; i++) {
        const struct hypervisor *h = host_by_number(w->all->controller->hosts, w->pending[i].host);
        if (h && !host_is_connected(h))
            w->disconnected[w->n_disconnected++] = w->pending[i].host;
        else if (h && !has_confirmed(w, h, w->pending[i].seq))
            w->pending[kept++] = w->pending[i];
    }
    w->n_pending = kept;
}

static void
waiter_end(struct waiter *w)
{
    uint32_t *unconfirmed = mem_zalloc((w->n_pending + 1) * sizeof *unconfirmed);
    for (size_t i = 0; i < w->n_pending; i++)
        unconfirmed[i] = w->pending[i].host;
    struct waiter_result result = { unconfirmed, w->n_pending, w->disconnected, w->n_disconnected };
    if (w->prev)
        w->prev->next = w->next;
    else
        w->all->first = w->next;
    if (w->next)
        w->next->prev = w->prev;
    w->done(w->aux, &result);
    free(unconfirmed);
    if (w->timer)
        event_free(w->timer);
    free(w->pending);
    free(w->disconnected);
    free(w);
}

static void
waiter_timeout(evutil_socket_t fd, short what, void *aux)
{
    waiter_end(aux);
}

void
waiter_add(struct waiters *all, const uint32_t hosts[], size_t n, double timeout_s, waiter_done *done, void *aux)
{
    waiter_add_change(all, 0, hosts, n, timeout_s, done, aux);
}

void
waiter_add_change(struct waiters *all, uint64_t change, const uint32_t hosts[], size_t n, double timeout_s, waiter_done *done, void *aux)
{
    struct waiter *w = mem_zalloc(sizeof *w);
    *w = (struct waiter){ .all = all, .next = all->first, .change = change, .n_pending = n, .done = done, .aux = aux };
    w->pending = mem_zalloc((n + 1) * sizeof *w->pending);
    for (size_t i = 0; i < n; i++) {
        const struct hypervisor *h = host_by_number(all->controller->hosts, hosts[i]);
        w->pending[i] = (struct waiting){ hosts[i], h ? h->wanted_seq : 0 };
    }
    w->disconnected = mem_zalloc((n + 1) * sizeof *hosts);
    if (all->first)
        all->first->prev = w;
    all->first = w;
    waiter_look(w);
    if (!w->n_pending) {
        waiter_end(w);
        return;
    }
    struct timeval tv = { (time_t) timeout_s, (suseconds_t) ((timeout_s - (time_t) timeout_s) * 1e6) };
    w->timer = evtimer_new(all->controller->base, waiter_timeout, w);
    evtimer_add(w->timer, &tv);
}

static bool
waiter_waits_for(const struct waiter *w, uint32_t host)
{
    for (size_t i = 0; i < w->n_pending; i++)
        if (w->pending[i].host == host)
            return true;
    return false;
}

void
waiters_check(struct waiters *all, uint32_t host)
{
    for (struct waiter *w = all->first, *next; w; w = next) {
        next = w->next;
        if (!waiter_waits_for(w, host))
            continue;
        waiter_look(w);
        if (!w->n_pending)
            waiter_end(w);
    }
}

void
waiters_free(struct waiters *all)
{
    if (!all)
        return;
    while (all->first)
        waiter_end(all->first);
    free(all);
}
