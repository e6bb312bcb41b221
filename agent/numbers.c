#include "agent/numbers.h"

#include <stdlib.h>
#include <string.h>

#include "agent/numbers_file.h"
#include "base/alloc.h"
#include "base/map.h"
#include "base/text.h"

#define LOG_MODULE "numbers"
#include "base/log.h"

/* Numbers of interfaces that are gone are of no use when vnetd is there: it has taken their flows away. But it may have gone with them. */
#define FORGET_S 10

enum number_state { NUMBER_FINE, NUMBER_ASKED, NUMBER_REQUESTED };

/* One iface-id. */
struct number {
    struct map_node by_id;
    char *id;
    uint32_t kept; /* its last number: by which flows may know it */
    enum number_state state;

    /* While its interface is there. */
    bool is_there;
    char *name;
    uint32_t has; /* its number now; 0: none yet */
    uint32_t had; /* REQUESTED: its number then */
    bool is_up;
    struct mac mac;   /* its guest's; zero: not told */
    bool is_standing; /* ASKED: flows let its guest in by the number that it had */
};

struct wait {
    struct wait *next;
    struct numbers *all;
    char **ids;
    size_t n_ids;
    struct event *timer;
    numbers_waited *done;
    void *aux;
};

struct numbers {
    struct event_base *base;
    char *file;
    const struct numbers_ops *ops;
    void *aux;
    struct map by_id;
    enum { VNETD_UNKNOWN, VNETD_UP, VNETD_AWAY } vnetd;
    bool is_reading, is_unsaved;
    struct wait *waits;
    struct event *save, *forget;
};

static struct log_limit changes = LOG_LIMIT(50), failures = LOG_LIMIT(5);

static struct number *
number_find(const struct numbers *all, const char *id)
{
    MAP_FOR_EACH_HASH (n, &all->by_id, hash_string(id)) {
        struct number *x = CONTAINER_OF(n, struct number, by_id);
        if (!strcmp(x->id, id))
            return x;
    }
    return NULL;
}

static struct number *
number_get(struct numbers *all, const char *id)
{
    struct number *x = number_find(all, id);
    if (!x) {
        x = mem_zalloc(sizeof *x);
        x->id = mem_strdup(id);
        map_insert(&all->by_id, &x->by_id, hash_string(id));
    }
    return x;
}

static void
number_remove(struct numbers *all, struct number *x)
{
    map_remove(&all->by_id, &x->by_id);
    free(x->id);
    free(x->name);
    free(x);
}

/* ---- remembering ---- */

static void
save(struct numbers *all)
{
    struct error err;
    json_t *ports = json_object();
    MAP_FOR_EACH (n, &all->by_id) {
        const struct number *x = CONTAINER_OF(n, struct number, by_id);
        if (x->kept && strlen(x->id) <= NUMBERS_ID_MAX)
            json_object_set_new(ports, x->id, json_integer(x->kept));
    }
    if (!numbers_file_write(all->file, ports, &err))
        log_warn_limited(&failures, "port numbers are not remembered: %s", err.text);
    all->is_unsaved = false;
}

static void
on_save(evutil_socket_t fd, short what, void *aux)
{
    save(aux);
}

static void
save_soon(struct numbers *all)
{
    all->is_unsaved = true;
    event_active(all->save, 0, 0);
}

/* A number is one port's: whoever had it before has it no more. */
static void
keep(struct numbers *all, struct number *x, uint32_t number)
{
    x->state = NUMBER_FINE;
    if (x->kept == number)
        return;
    x->kept = number;
    MAP_FOR_EACH (n, &all->by_id) {
        struct number *other = CONTAINER_OF(n, struct number, by_id);
        if (other != x && other->kept == number)
            other->kept = other->has == number ? 0 : other->has;
    }
    save_soon(all);
}

static void
on_forget(evutil_socket_t fd, short what, void *aux)
{
    struct numbers *all = aux;
    MAP_FOR_EACH_SAFE (n, next, &all->by_id) {
        struct number *x = CONTAINER_OF(n, struct number, by_id);
        if (x->is_there || (all->vnetd != VNETD_UP && x->kept))
            continue;
        number_remove(all, x);
        save_soon(all);
    }
}

static void
forget_later(struct numbers *all)
{
    struct timeval tv = { FORGET_S, 0 };
    if (!evtimer_pending(all->forget, NULL))
        evtimer_add(all->forget, &tv);
}

/* ---- waiting ---- */

static bool
is_settled(const struct number *x)
{
    if (!x || !x->is_there)
        return !x || !x->kept;
    return x->has && (x->has == x->kept || !x->kept);
}

static void
wait_end(struct wait *w, bool is_ready)
{
    struct wait **p = &w->all->waits;
    while (*p != w)
        p = &(*p)->next;
    *p = w->next;
    w->done(w->aux, is_ready);
    event_free(w->timer);
    for (size_t i = 0; i < w->n_ids; i++)
        free(w->ids[i]);
    free(w->ids);
    free(w);
}

static void
on_time_over(evutil_socket_t fd, short what, void *aux)
{
    wait_end(aux, false);
}

static void
wait_look(struct wait *w)
{
    bool is_ready = true;
    for (size_t i = 0; i < w->n_ids; i++) {
        const struct number *x = number_find(w->all, w->ids[i]);
        if (!is_settled(x))
            return;
        is_ready = is_ready && x;
    }
    wait_end(w, is_ready);
}

static void
waits_look(struct numbers *all)
{
    for (struct wait *w = all->waits, *next; w; w = next) {
        next = w->next;
        wait_look(w);
    }
}

void
numbers_wait(struct numbers *all, const char *const *iface_ids, size_t n, unsigned timeout_ms, numbers_waited *done, void *aux)
{
    struct wait *w = mem_zalloc(sizeof *w);
    struct timeval tv = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
    *w = (struct wait){ .next = all->waits, .all = all, .ids = mem_zalloc((n + 1) * sizeof *w->ids), .n_ids = n, .done = done, .aux = aux };
    for (size_t i = 0; i < n; i++)
        w->ids[i] = mem_strdup(iface_ids[i]);
    all->waits = w;
    w->timer = evtimer_new(all->base, on_time_over, w);
    evtimer_add(w->timer, &tv);
    wait_look(w);
}

/* ---- asking for numbers again ---- */

static bool
has_another(const struct number *x)
{
    return x->is_there && x->has && x->kept && x->has != x->kept;
}

void
numbers_look(struct numbers *all)
{
    bool is_wanted = false;
    if (all->vnetd != VNETD_AWAY || all->is_reading)
        return;
    MAP_FOR_EACH (n, &all->by_id) {
        struct number *x = CONTAINER_OF(n, struct number, by_id);
        if (x->state != NUMBER_FINE || !has_another(x) || !x->is_up)
            continue;
        x->state = NUMBER_ASKED;
        x->is_standing = false;
        is_wanted = true;
    }
    all->is_reading = is_wanted && all->ops->read(all->aux);
    if (is_wanted && !all->is_reading)
        numbers_read(all, false);
}

void
numbers_flow(struct numbers *all, uint32_t number, struct mac sender)
{
    MAP_FOR_EACH (n, &all->by_id) {
        struct number *x = CONTAINER_OF(n, struct number, by_id);
        if (x->state == NUMBER_ASKED && x->kept == number && mac_equal(x->mac, sender))
            x->is_standing = true;
    }
}

static void
decide(struct numbers *all, struct number *x)
{
    const char *why = !x->is_standing ? "no flows know it by" : all->ops->is_taken(all->aux, x->kept) ? "another interface has" : NULL;
    char id[80];
    text_escape(id, sizeof id, x->id);
    if (why) {
        log_info_limited(&changes, "port '%s' has OpenFlow port %u until vnetd is back: %s %u, its last one", id, x->has, why, x->kept);
        keep(all, x, x->has);
        return;
    }
    log_info_limited(&changes, "port '%s' shall have OpenFlow port %u again, where its flows are, not %u", id, x->kept, x->has);
    x->state = NUMBER_REQUESTED;
    x->had = x->has;
    all->ops->request(all->aux, x->name, x->id, x->kept);
}

void
numbers_read(struct numbers *all, bool ok)
{
    all->is_reading = false;
    MAP_FOR_EACH (n, &all->by_id) {
        struct number *x = CONTAINER_OF(n, struct number, by_id);
        if (x->state != NUMBER_ASKED)
            continue;
        x->state = NUMBER_FINE;
        if (ok && all->vnetd == VNETD_AWAY && has_another(x))
            decide(all, x);
    }
    waits_look(all);
}

/* ---- what is told ---- */

/* What is asked for, and has got another number all the same, is not asked for again. */
static void
settle(struct numbers *all, struct number *x)
{
    if (!x->has)
        return;
    if (!x->kept || x->kept == x->has || all->vnetd == VNETD_UP || (x->state == NUMBER_REQUESTED && x->has != x->had))
        keep(all, x, x->has);
}

static void
leave(struct numbers *all, struct number *x)
{
    x->is_there = false;
    x->state = NUMBER_FINE;
    x->has = 0;
    forget_later(all);
}

static void
take(struct numbers *all, const struct ovsdb_interface *i)
{
    struct number *x = number_get(all, i->iface_id);
    if (!x->name || strcmp(x->name, i->name)) {
        free(x->name);
        x->name = mem_strdup(i->name);
        x->state = NUMBER_FINE; /* another interface than the one that was spoken of */
    }
    x->is_there = true;
    x->has = i->ofport;
    x->is_up = i->is_up;
    if (!i->attached_mac || !mac_parse(i->attached_mac, &x->mac))
        x->mac = (struct mac){ { 0 } };
    settle(all, x);
}

void
numbers_interfaces(struct numbers *all, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone, size_t n_gone,
                   bool is_first)
{
    MAP_FOR_EACH (n, &all->by_id) {
        if (is_first)
            leave(all, CONTAINER_OF(n, struct number, by_id));
    }
    for (size_t i = 0; i < n_gone; i++) {
        struct number *x = number_find(all, gone[i]);
        if (x)
            leave(all, x);
    }
    for (size_t i = 0; i < n_changed; i++)
        take(all, &changed[i]);
    numbers_look(all);
    waits_look(all);
}

void
numbers_set_vnetd(struct numbers *all, bool is_up)
{
    all->vnetd = is_up ? VNETD_UP : VNETD_AWAY;
    if (is_up) {
        MAP_FOR_EACH (n, &all->by_id) {
            settle(all, CONTAINER_OF(n, struct number, by_id));
        }
        forget_later(all);
    }
    numbers_look(all);
    waits_look(all);
}

/* ---- lifetime ---- */

static void
remember(void *aux, const char *iface_id, uint32_t number)
{
    number_get(aux, iface_id)->kept = number;
}

struct numbers *
numbers_new(struct event_base *base, const char *file, const struct numbers_ops *ops, void *aux)
{
    struct numbers *all = mem_zalloc(sizeof *all);
    struct error err;
    *all = (struct numbers){ .base = base, .file = mem_strdup(file), .ops = ops, .aux = aux };
    map_init(&all->by_id);
    all->save = event_new(base, -1, 0, on_save, all);
    all->forget = evtimer_new(base, on_forget, all);
    if (!numbers_file_read(file, remember, all, &err))
        log_warn("port numbers of before are not all known: %s", err.text);
    return all;
}

void
numbers_free(struct numbers *all)
{
    if (!all)
        return;
    while (all->waits)
        wait_end(all->waits, false);
    if (all->is_unsaved)
        save(all);
    MAP_FOR_EACH_SAFE (n, next, &all->by_id) {
        number_remove(all, CONTAINER_OF(n, struct number, by_id));
    }
    map_done(&all->by_id);
    event_free(all->save);
    event_free(all->forget);
    free(all->file);
    free(all);
}
