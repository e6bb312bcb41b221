#include "controller/instance/migrations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/instance/declared.h"
#include "controller/instance/migration_record.h"
#include "controller/instance/sighting.h"
#include "controller/waiter.h"

#define LOG_MODULE "migration"
#include "base/log.h"

#define KEPT_MAX 512 /* of all domains; the oldest is forgotten */
#define SETTLE_S 30  /* for every host to re-point */

enum migration_state { MIGRATION_ANNOUNCED, MIGRATION_MOVED, MIGRATION_DONE, MIGRATION_UNDONE };

struct migration {
    struct migration *next; /* newer ones first */
    struct migrations *all;
    struct uuid domain;
    enum migration_state state;
    uint32_t from, to;
    uint32_t owed; /* host that its ports are still to be bound to, once its interfaces are there; 0: none */
    char from_name[64], to_name[64];
    struct uuid ports[SIGHTING_PORTS_MAX];
    size_t n_ports;
    struct migration_record record;
    bool was_suspended; /* at its source, to move */
    bool is_settling;   /* a waiter points here */
};

struct migrations {
    struct controller *controller;
    struct migration *first;
    size_t n;
};

struct migrations *
migrations_new(struct controller *c)
{
    struct migrations *all = mem_zalloc(sizeof *all);
    all->controller = c;
    return all;
}

void
migrations_free(struct migrations *all)
{
    if (!all)
        return;
    for (struct migration *m = all->first, *next; m; m = next) {
        next = m->next;
        free(m);
    }
    free(all);
}

/* ---- noting ---- */

static const char *
host_name(const struct migrations *all, uint32_t number)
{
    const struct hypervisor *h = number ? host_by_number(all->controller->hosts, number) : NULL;
    return h ? h->name : "";
}

static void
note(struct migration *m, int64_t at_ms, const char *host, const char *what)
{
    record_note(&m->record, at_ms, controller_now_ms(), host, what);
}

/* The moment that it was noted at. */
static int64_t
note_now(struct migration *m, const char *host, const char *what)
{
    int64_t now_ms = controller_now_ms();
    note(m, now_ms, host, what);
    return now_ms;
}

static void
set_state(struct migration *m, enum migration_state state, const char *what)
{
    static const char *const names[] = { "ANNOUNCED", "MOVED", "DONE", "UNDONE" };
    char id[UUID_STRLEN];
    log_info("domain %s, %s to %s: %s -> %s (%s)", uuid_format(m->domain, id), m->from_name, m->to_name, names[m->state], names[state],
             what);
    m->state = state;
}

/* ---- finding ---- */

static bool
is_open(const struct migration *m)
{
    return m->state <= MIGRATION_MOVED;
}

static struct migration *
open_of(const struct migrations *all, struct uuid domain)
{
    for (struct migration *m = all->first; m; m = m->next)
        if (is_open(m) && uuid_equal(m->domain, domain))
            return m;
    return NULL;
}

static bool
has_port(const struct migration *m, const struct object *port)
{
    for (size_t i = 0; i < m->n_ports; i++)
        if (uuid_equal(m->ports[i], port->id))
            return true;
    return false;
}

static struct migration *
open_of_port(const struct migrations *all, uint32_t port)
{
    const struct object *o = model_get(all->controller->model, port, OBJECT_PORT);
    for (struct migration *m = o ? all->first : NULL; m; m = m->next)
        if (is_open(m) && has_port(m, o))
            return m;
    return NULL;
}

static uint32_t
port_number(const struct migrations *all, struct uuid id)
{
    const struct object *o = model_get_id(all->controller->model, id);
    return o && o->type == OBJECT_PORT ? o->number : 0;
}

/* ---- cutting over ---- */

static void
settled(void *aux, const struct waiter_result *result)
{
    struct migration *m = aux;
    m->is_settling = false;
    if (m->state == MIGRATION_UNDONE || result->n_unconfirmed)
        return;
    m->record.settled_ms = note_now(m, "", "every host sends to the new place");
}

struct host_list {
    uint32_t *v;
    size_t n, cap;
};

static void
add_host(void *aux, uint32_t host)
{
    struct host_list *list = aux;
    list->v = mem_grow(list->v, &list->cap, list->n + 1, sizeof *list->v);
    list->v[list->n++] = host;
}

static void
wait_for_others(struct migration *m)
{
    const struct controller *c = m->all->controller;
    struct host_list list = { NULL, 0, 0 };
    for (size_t i = 0; i < m->n_ports; i++) {
        const struct port *port = model_port(c->model, port_number(m->all, m->ports[i]));
        if (port)
            compiler_each_host_of(c->compiler, port->vpc, add_host, &list);
    }
    if (!m->is_settling) {
        m->is_settling = true;
        waiter_add(c->waiters, list.v, list.n, SETTLE_S, settled, m);
    }
    free(list.v);
}

/* All ports of the domain, whichever of them has spoken. False: not all can be yet; they will be when their interfaces are there. */
static bool
bind_to(struct migration *m, uint32_t host)
{
    bool is_whole = true;
    for (size_t i = 0; i < m->n_ports; i++) {
        uint32_t port = port_number(m->all, m->ports[i]);
        is_whole = (!port || bindings_move(m->all->controller->bindings, port, host)) && is_whole;
    }
    m->owed = is_whole ? 0 : host;
    return is_whole;
}

/* It runs at the new place. */
static void
cut_over(struct migration *m, const char *why)
{
    if (m->state != MIGRATION_ANNOUNCED)
        return;
    bool is_first = !m->owed;
    if (!bind_to(m, m->to)) {
        if (is_first)
            note_now(m, m->to_name, "it runs there, and its interfaces are waited for");
        return;
    }
    note_now(m, "", "its ports are bound to the new place");
    set_state(m, MIGRATION_MOVED, why);
    wait_for_others(m);
    declared_moved(m->all->controller, m->to, m->domain, m->ports, m->n_ports);
}

static void
undo(struct migration *m, const char *why)
{
    bool has_moved = m->state == MIGRATION_MOVED || m->owed;
    note_now(m, "", why);
    set_state(m, MIGRATION_UNDONE, why);
    m->owed = 0;
    for (size_t i = 0; i < m->n_ports; i++)
        bindings_not_incoming(m->all->controller->bindings, port_number(m->all, m->ports[i]), m->to);
    if (has_moved)
        bind_to(m, m->from);
}

void
migrations_interface(struct migrations *all, uint32_t host, uint32_t port)
{
    const struct object *o = model_get(all->controller->model, port, OBJECT_PORT);
    for (struct migration *m = o ? all->first : NULL; m; m = m->next) {
        if (m->owed != host || !has_port(m, o))
            continue;
        if (m->state == MIGRATION_ANNOUNCED)
            cut_over(m, "its interfaces are there");
        else
            bind_to(m, host);
    }
}

/* Where the guest has ended nothing is owed. */
static void
forget_owed(const struct migrations *all, const struct sighting *s, bool is_gone)
{
    for (struct migration *m = all->first; m && (is_gone || s->state >= INSTANCE_CRASHED); m = m->next)
        if (m->owed == s->host && !is_open(m) && uuid_equal(m->domain, s->id))
            m->owed = 0;
}

/* ---- what is told ---- */

static void
forget_oldest(struct migrations *all)
{
    struct migration **last = NULL;
    for (struct migration **p = &all->first; *p; p = &(*p)->next)
        if (!(*p)->is_settling)
            last = p;
    if (!last)
        return;
    struct migration *m = *last;
    *last = m->next;
    all->n--;
    free(m);
}

/* Where its ports are bound; 0: nowhere. */
static uint32_t
host_of(const struct migrations *all, const struct uuid ports[], size_t n)
{
    uint32_t host = 0;
    for (size_t i = 0; !host && i < n; i++) {
        uint32_t port = port_number(all, ports[i]);
        host = port ? bindings_status(all->controller->bindings, port).host : 0;
    }
    return host;
}

static void
begin(struct migrations *all, struct migration *m)
{
    snprintf(m->from_name, sizeof m->from_name, "%s", host_name(all, m->from));
    snprintf(m->to_name, sizeof m->to_name, "%s", host_name(all, m->to));
    record_init(&m->record);
    m->record.began_ms = note_now(m, m->to_name, "announced");
    for (struct migration *old = all->first; old; old = old->next)
        if (uuid_equal(old->domain, m->domain))
            old->owed = 0;
    m->next = all->first;
    all->first = m;
    if (++all->n > KEPT_MAX)
        forget_oldest(all);
}

void
migrations_announced(struct migrations *all, uint32_t to, struct uuid domain, const struct uuid ports[], size_t n)
{
    struct migration *m = open_of(all, domain);
    uint32_t from = host_of(all, ports, n);
    if (from == to || (m && m->to == to && m->state == MIGRATION_ANNOUNCED))
        return;
    if (m)
        set_state(m, m->state == MIGRATION_MOVED ? MIGRATION_DONE : MIGRATION_UNDONE, "another one begins");
    m = mem_zalloc(sizeof *m);
    *m = (struct migration){ .all = all, .domain = domain, .from = from, .to = to, .n_ports = n };
    memcpy(m->ports, ports, n * sizeof *ports);
    begin(all, m);
}

void
migrations_spoken(struct migrations *all, uint32_t host, uint32_t port)
{
    struct migration *m = open_of_port(all, port);
    if (!m || m->to != host || m->state != MIGRATION_ANNOUNCED)
        return;
    m->record.spoke_ms = note_now(m, m->to_name, "the guest has spoken");
    cut_over(m, "first packet");
}

static bool
begins(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* Who pauses a guest by hand while it is copied, and lets it run again, ends no migration. */
static bool
is_suspended_to_move(const struct sighting_event *e)
{
    return !strcmp(e->what, "suspended migrated") || !strcmp(e->what, "suspended postcopy");
}

static void
event_at_source(struct migration *m, const struct sighting_event *e)
{
    if (is_suspended_to_move(e)) {
        m->was_suspended = true;
        m->record.suspended_ms = e->at_ms;
    } else if (begins(e->what, "resumed") && m->was_suspended && is_open(m)) {
        undo(m, "it runs again where it was");
    }
}

static void
event_at_destination(struct migration *m, const struct sighting_event *e)
{
    if (begins(e->what, "resumed"))
        m->record.resumed_ms = e->at_ms;
    else if (begins(e->what, "stopped") && m->state == MIGRATION_ANNOUNCED)
        undo(m, "it has failed there");
}

/* Level-triggered where that says enough: a destination that runs it has it. */
static void
state_seen(struct migration *m, const struct sighting *s)
{
    if (s->host == m->to && s->state == INSTANCE_RUNNING && is_open(m))
        cut_over(m, "its host says that it runs there");
    else if (s->host == m->from && s->state == INSTANCE_OFF && m->state == MIGRATION_MOVED)
        set_state(m, MIGRATION_DONE, "its former host has it no more");
}

static void
seen_gone(struct migration *m, bool is_source)
{
    note_now(m, is_source ? m->from_name : m->to_name, "the domain is gone");
    if (m->state == MIGRATION_MOVED)
        set_state(m, MIGRATION_DONE, "the domain is gone from one of its hosts");
    else if (!is_source)
        undo(m, "it has failed there");
}

void
migrations_seen(struct migrations *all, const struct sighting *s, bool is_gone)
{
    struct migration *m = open_of(all, s->id);
    forget_owed(all, s, is_gone);
    if (!m || (s->host != m->from && s->host != m->to))
        return;
    bool is_source = s->host == m->from;
    if (is_gone) {
        seen_gone(m, is_source);
        return;
    }
    for (size_t i = 0; i < s->n_events; i++) {
        const struct sighting_event *e = &s->events[i];
        if (moment_is_known(e->at_ms) && e->at_ms < m->record.began_ms)
            continue; /* of before */
        note(m, e->at_ms, is_source ? m->from_name : m->to_name, e->what);
        if (is_source)
            event_at_source(m, e);
        else
            event_at_destination(m, e);
    }
    state_seen(m, s);
}

void
migrations_listed(struct migrations *all, uint32_t host, bool (*has)(void *aux, struct uuid domain), void *aux)
{
    for (struct migration *m = all->first; m; m = m->next)
        if (m->state == MIGRATION_ANNOUNCED && m->to == host && !has(aux, m->domain))
            undo(m, "its host does not know it any more");
}

bool
migrations_is_open(const struct migrations *all, struct uuid domain)
{
    const struct migration *m = open_of(all, domain);
    return m && m->state == MIGRATION_ANNOUNCED && host_by_number(all->controller->hosts, m->to);
}

void
migrations_confirmed(struct migrations *all, uint32_t host, uint32_t port)
{
    struct migration *m = open_of_port(all, port);
    if (!m || m->state != MIGRATION_MOVED || m->to != host || moment_is_known(m->record.open_ms))
        return;
    m->record.open_ms = note_now(m, m->to_name, "its flows are in place");
}

/* ---- showing ---- */

static json_t *
migration_json(const struct migration *m)
{
    static const char *const words[] = { "announced", "moved", "done", "undone" };
    json_t *o = json_pack("{s:s,s:s,s:s}", "from", m->from_name, "to", m->to_name, "state", words[m->state]);
    record_put_json(&m->record, o, controller_now_ms(), controller_wall_ms());
    return o;
}

json_t *
migrations_json(const struct migrations *all, struct uuid domain)
{
    json_t *list = json_array();
    for (const struct migration *m = all->first; m; m = m->next)
        if (uuid_equal(m->domain, domain))
            json_array_insert_new(list, 0, migration_json(m));
    return list;
}
