#include "agent/domains.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/virt_read.h"
#include "base/alloc.h"

void
domains_init(struct domains *all)
{
    *all = (struct domains){ .gone = NULL };
    map_init(&all->by_id);
    list_init(&all->untold);
    list_init(&all->on_its_way);
    list_init(&all->undeclared);
}

static void
domain_free(struct domain *d)
{
    list_remove(&d->untold);
    list_remove(&d->on_its_way);
    list_remove(&d->undeclared);
    domain_doc_free(d->doc);
    json_decref(d->counters);
    free(d->name);
    free(d);
}

void
domains_done(struct domains *all)
{
    MAP_FOR_EACH_SAFE (n, next, &all->by_id) {
        domain_free(CONTAINER_OF(n, struct domain, by_id));
    }
    map_done(&all->by_id);
    free(all->gone);
}

struct domain *
domain_find(const struct domains *all, struct uuid id)
{
    MAP_FOR_EACH_HASH (n, &all->by_id, uuid_hash(id)) {
        struct domain *d = CONTAINER_OF(n, struct domain, by_id);
        if (uuid_equal(d->id, id))
            return d;
    }
    return NULL;
}

static void
set_name(struct domain *d, const char *name)
{
    if (d->name && !strcmp(d->name, name))
        return;
    free(d->name);
    d->name = mem_strdup(name);
    domain_untold(d);
}

struct domain *
domain_get(struct domains *all, struct uuid id, const char *name, int64_t now_ms)
{
    struct domain *d = domain_find(all, id);
    if (!d) {
        d = mem_zalloc(sizeof *d);
        *d = (struct domain){ .all = all, .id = id, .state = "paused", .reason = "starting-up", .since_ms = now_ms };
        map_insert(&all->by_id, &d->by_id, uuid_hash(id));
    }
    set_name(d, name);
    domain_untold(d);
    return d;
}

void
domain_remove(struct domains *all, struct domain *d)
{
    all->gone = mem_grow(all->gone, &all->cap_gone, all->n_gone + 1, sizeof *all->gone);
    all->gone[all->n_gone++] = d->id;
    map_remove(&all->by_id, &d->by_id);
    domain_free(d);
}

void
domains_gone_told(struct domains *all, size_t n)
{
    all->n_gone -= n;
    if (all->n_gone)
        memmove(all->gone, all->gone + n, all->n_gone * sizeof *all->gone);
}

/* ---- what vnetd has still to be told ---- */

void
domain_untold(struct domain *d)
{
    list_push(&d->all->untold, &d->untold);
}

void
domain_undeclared(struct domain *d)
{
    list_push(&d->all->undeclared, &d->undeclared);
}

void
domain_declared(struct domain *d)
{
    list_remove(&d->undeclared);
}

void
domain_sent(struct domain *d)
{
    list_remove(&d->untold);
    list_push(&d->all->on_its_way, &d->on_its_way);
    if (d->n_untold_events)
        d->told_until = d->untold_events[d->n_untold_events - 1].number;
}

/* What has happened since it was sent stays. */
static void
drop_told(struct domain *d)
{
    size_t n = 0;
    while (n < d->n_untold_events && d->untold_events[n].number <= d->told_until)
        n++;
    d->n_untold_events -= n;
    memmove(&d->untold_events[0], &d->untold_events[n], d->n_untold_events * sizeof *d->untold_events);
}

void
domains_taken(struct domains *all)
{
    LIST_FOR_EACH_SAFE(n, next, &all->on_its_way)
    {
        drop_told(CONTAINER_OF(n, struct domain, on_its_way));
        list_remove(n);
    }
}

void
domains_lost(struct domains *all)
{
    LIST_FOR_EACH_SAFE(n, next, &all->on_its_way)
    {
        domain_untold(CONTAINER_OF(n, struct domain, on_its_way));
        list_remove(n);
    }
}

/* ---- changes ---- */

static bool
same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static bool
same_interface(const struct domain_interface *a, const struct domain_interface *b)
{
    return mac_equal(a->mac, b->mac) && !strcmp(a->id, b->id) && a->is_declared == b->is_declared && same_text(a->subnet, b->subnet)
           && same_text(a->port, b->port) && same_text(a->ip, b->ip) && same_text(a->sg, b->sg);
}

/* Is what it declares all that it does? Of one with an element that is wrong, as it is while its interface is unplugged, nobody knows. */
static bool
is_whole(const struct domain_doc *doc)
{
    return doc && !*doc->declaration.text;
}

static bool
same_interfaces(const struct domain_doc *a, const struct domain_doc *b)
{
    if (!a || !b || a->n_interfaces != b->n_interfaces || strcmp(a->tenant, b->tenant) || is_whole(a) != is_whole(b))
        return false;
    for (size_t i = 0; i < a->n_interfaces; i++)
        if (!same_interface(&a->interfaces[i], &b->interfaces[i]))
            return false;
    return true;
}

void
domain_set_doc(struct domain *d, struct domain_doc *take)
{
    if (!take)
        return;
    if (!same_interfaces(d->doc, take)) {
        domain_untold(d);
        domain_undeclared(d);
        d->is_answered = false;
    }
    domain_doc_free(d->doc);
    d->doc = take;
}

static void
set_state(struct domain *d, const char *state, const char *reason, int64_t now_ms)
{
    if (strcmp(d->state, state))
        d->since_ms = now_ms;
    if (strcmp(d->state, state) || strcmp(d->reason, reason))
        domain_untold(d);
    d->state = state;
    d->reason = reason;
}

/* A hook may have said so before; and vnetd must hear of it, else it takes the guest for one that starts here. */
static void
take_incoming(struct domain *d, const struct virt_domain *v)
{
    if (v->move == VIRT_COMES && !d->is_incoming) {
        d->is_incoming = true;
        domain_undeclared(d);
    } else if (!strcmp(v->state, "running")) {
        d->is_incoming = false;
    }
}

void
domain_take(struct domain *d, struct virt_domain *v, int64_t now_ms)
{
    d->is_migrating_out = v->move == VIRT_LEAVES; /* that it was given up no event tells */
    take_incoming(d, v);
    bool is_leaving = d->is_migrating_out && !strcmp(v->state, "running");
    set_state(d, is_leaving ? "migrating" : v->state, v->reason, now_ms);
    if (v->is_active && !d->is_active)
        domain_undeclared(d);
    if (v->is_persistent != d->is_persistent)
        domain_untold(d);
    d->is_read = true;
    d->run = v->run;
    d->is_active = v->is_active;
    d->is_persistent = v->is_persistent;
    if (v->doc)
        set_name(d, v->doc->name);
    domain_set_doc(d, v->doc);
    v->doc = NULL;
    if (!d->is_active)
        domain_declared(d); /* a hook asks when it is prepared again */
}

/* Of rounds of copying memory that follow each other the last one is kept, and of more than there is room for the newest: by them one knows where
 * it runs. */
static void
keep_untold(struct domain *d)
{
    size_t n = d->n_untold_events;
    if (n && !strcmp(d->event.words, "migrating") && !strcmp(d->untold_events[n - 1].words, "migrating")) {
        d->untold_events[n - 1] = d->event;
        return;
    }
    if (n == DOMAIN_EVENTS_MAX)
        memmove(&d->untold_events[0], &d->untold_events[1], --n * sizeof *d->untold_events);
    d->untold_events[n] = d->event;
    d->n_untold_events = n + 1;
}

void
domain_event(struct domain *d, const char *words, int64_t now_ms)
{
    if (!strncmp(words, "migrating", 9)) {
        d->is_migrating_out = true;
        words = "migrating";
    } else if (!strncmp(words, "stopped", 7) || !strncmp(words, "resumed", 7) || !strcmp(words, "job-completed")) {
        d->is_migrating_out = false;
    }
    if (!strncmp(words, "resumed", 7)) {
        if (strcmp(d->state, "running") || !strncmp(d->event.words, "stopped", 7))
            d->since_ms = now_ms; /* what still runs was only reset */
        d->state = "running";     /* what libvirt will say when asked; it is told before that */
    }
    if (!strncmp(words, "resumed", 7) || !strncmp(words, "stopped", 7))
        d->is_incoming = false;
    d->event.at_ms = now_ms;
    d->event.number = ++d->all->n_events;
    snprintf(d->event.words, sizeof d->event.words, "%s", words);
    keep_untold(d);
    domain_untold(d);
}

/* ---- as vnetd takes them ---- */

static json_t *
port_ids(const struct domain *d)
{
    json_t *ids = json_array();
    for (size_t i = 0; d->doc && i < d->doc->n_interfaces; i++)
        if (d->doc->interfaces[i].id[0])
            json_array_append_new(ids, json_string(d->doc->interfaces[i].id));
    return ids;
}

static json_t *
events_json(const struct domain *d, int64_t now_ms)
{
    json_t *events = json_array();
    for (size_t i = 0; i < d->n_untold_events; i++) {
        const struct domain_event *e = &d->untold_events[i];
        json_array_append_new(events, json_pack("{s:s,s:I,s:I}", "event", e->words, "age_ms", (json_int_t) (now_ms - e->at_ms), "number",
                                                (json_int_t) e->number));
    }
    return events;
}

json_t *
domain_report_json(const struct domain *d, int64_t now_ms)
{
    char id[UUID_STRLEN];
    json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:b,s:o,s:o}", "id", uuid_format(d->id, id), "name", d->name, "state", d->state,
                          "reason", d->reason, "event", d->event.words, "since_age_ms", (json_int_t) (now_ms - d->since_ms), "persistent",
                          d->is_persistent, "events", events_json(d, now_ms), "ports", port_ids(d));
    if (d->event.words[0])
        json_object_set_new(o, "event_age_ms", json_integer(now_ms - d->event.at_ms));
    if (d->counters)
        json_object_set(o, "counters", d->counters);
    return o;
}

static void
put_given(json_t *o, const char *key, const char *text)
{
    if (text)
        json_object_set_new(o, key, json_string(text));
}

json_t *
domain_declaration_json(const struct domain *d)
{
    char id[UUID_STRLEN], mac[MAC_STRLEN];
    json_t *ports = json_array();
    for (size_t i = 0; d->doc && i < d->doc->n_interfaces; i++) {
        const struct domain_interface *f = &d->doc->interfaces[i];
        if (!f->id[0])
            continue;
        json_t *port = json_pack("{s:s,s:s,s:b}", "id", f->id, "mac", mac_format(f->mac, mac), "declared", f->is_declared);
        put_given(port, "name", f->is_declared ? f->port : NULL);
        if (f->is_declared && !f->is_port_named)
            json_object_set_new(port, "default_name", json_true());
        put_given(port, "subnet", f->is_declared ? f->subnet : NULL);
        put_given(port, "ip", f->is_declared ? f->ip : NULL);
        put_given(port, "sg", f->is_declared ? f->sg : NULL);
        json_array_append_new(ports, port);
    }
    return json_pack("{s:s,s:s,s:s,s:b,s:b,s:o}", "id", uuid_format(d->id, id), "name", d->name, "tenant",
                     d->doc ? d->doc->tenant : "default", "whole", is_whole(d->doc), "incoming", d->is_incoming, "ports", ports);
}
