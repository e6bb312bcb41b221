#include "controller/instance/orphan_removal.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/commit.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/instance/declared.h"
#include "controller/instance/orphans.h"

#define LOOK_MS 50

struct orphan_removal {
    struct controller *controller;
    json_t *waiting; /* rows of interfaces that their hosts still show */
    json_t *removed, *left;
    size_t n_commits; /* under way; and one while it begins */
    int64_t end_ms;
    struct event *look;
    orphans_removed *done;
    void *aux;
};

/* A port on its way. */
struct committing {
    struct orphan_removal *removal;
    json_t *row;
};

static void
leave(struct orphan_removal *r, json_t *take_row, const char *why)
{
    json_object_set_new(take_row, "why", json_string(why));
    json_array_append_new(r->left, take_row);
}

static void
settle(struct orphan_removal *r)
{
    if (r->n_commits || json_array_size(r->waiting))
        return;
    r->done(r->aux, r->removed, r->left);
    json_decref(r->waiting);
    event_free(r->look);
    free(r);
}

/* ---- ports ---- */

static void
on_committed(void *aux, const struct commit_result *result)
{
    struct committing *p = aux;
    struct orphan_removal *r = p->removal;
    if (result->ok)
        json_array_append_new(r->removed, p->row);
    else
        leave(r, p->row, result->err.text);
    free(p);
    r->n_commits--;
    settle(r);
}

static void
remove_port(struct orphan_removal *r, json_t *row)
{
    struct uuid id;
    const struct model *m = r->controller->model;
    const struct object *o = uuid_parse(json_member_string(row, "id"), &id) ? model_get_id(m, id) : NULL;
    if (!o)
        return;
    struct committing *p = mem_zalloc(sizeof *p);
    *p = (struct committing){ r, json_incref(row) };
    struct commit_request request = {
        .ops = json_pack("[o]", declared_op("del", json_member_string(row, "id"))),
        .principal = { .role = PRINCIPAL_ADMIN, .name = "vnetd" },
        .tenant = model_get(m, o->tenant, OBJECT_TENANT)->name,
        .done = on_committed,
        .aux = p,
    };
    r->n_commits++;
    commit_submit(r->controller->commits, &request);
}

/* ---- interfaces ---- */

static bool
is_shown(const struct orphan_removal *r, const json_t *row)
{
    const struct hypervisor *h = host_by_name(r->controller->hosts, json_member_string(row, "host"));
    return h && h->number && bindings_show(r->controller->bindings, h->number, json_member_string(row, "id"));
}

static void
remove_interface(struct orphan_removal *r, json_t *row)
{
    const char *host = json_member_string(row, "host");
    const struct hypervisor *h = host ? host_by_name(r->controller->hosts, host) : NULL;
    if (h && h->db && ovsdb_session_remove_port(h->db, json_member_string(row, "id")))
        json_array_append(r->waiting, row);
    else
        leave(r, json_incref(row), "its host is not connected");
}

static void
on_look(evutil_socket_t fd, short what, void *aux)
{
    struct orphan_removal *r = aux;
    bool is_over = controller_now_ms() >= r->end_ms;
    for (size_t i = json_array_size(r->waiting); i--;) {
        json_t *row = json_incref(json_array_get(r->waiting, i));
        bool is_gone = !is_shown(r, row);
        if (is_gone || is_over)
            json_array_remove(r->waiting, i);
        if (is_gone)
            json_array_append(r->removed, row);
        else if (is_over)
            leave(r, json_incref(row), "its host has not removed it in time");
        json_decref(row);
    }
    if (json_array_size(r->waiting))
        evtimer_add(r->look, (&(struct timeval){ 0, LOOK_MS * 1000 }));
    settle(r);
}

/* ---- which ---- */

static bool
is_named(const json_t *row, const char *name)
{
    const char *own = json_member_string(row, "name");
    return !strcmp(json_member_string(row, "id"), name) || (own && !strcmp(own, name));
}

/* Those of the rows that are asked for: new reference, NULL with *err. */
static json_t *
choose(const json_t *rows, const json_t *ids, struct error *err)
{
    json_t *chosen = json_array(), *row;
    const json_t *id;
    size_t i, k;
    json_array_foreach (ids, k, id) {
        size_t before = json_array_size(chosen);
        json_array_foreach (rows, i, row)
            if (json_is_string(id) && is_named(row, json_string_value(id)))
                json_array_append(chosen, row);
        if (json_array_size(chosen) > before)
            continue;
        error_set(err, ERROR_UNKNOWN, "orphan '%.200s' does not exist; vnetctl orphan-list shows those that do",
                  json_is_string(id) ? json_string_value(id) : "");
        json_decref(chosen);
        return NULL;
    }
    return chosen;
}

struct orphan_removal *
orphans_remove(struct controller *c, const json_t *ids, orphans_removed *done, void *aux, struct error *err)
{
    json_t *rows = orphans_json(c), *chosen = ids ? choose(rows, ids, err) : json_incref(rows), *row;
    size_t i;
    json_decref(rows);
    if (!chosen)
        return NULL;
    struct orphan_removal *r = mem_zalloc(sizeof *r);
    *r = (struct orphan_removal){ .controller = c,
                                  .waiting = json_array(),
                                  .removed = json_array(),
                                  .left = json_array(),
                                  .n_commits = 1,
                                  .end_ms = controller_now_ms() + ORPHAN_REMOVAL_S * 1000,
                                  .done = done,
                                  .aux = aux };
    r->look = evtimer_new(c->base, on_look, r);
    json_array_foreach (chosen, i, row) {
        if (!ids && !strcmp(json_member_string(row, "reason"), ORPHAN_HOST_AWAY))
            leave(r, json_incref(row), "its host may come back; name it to remove it");
        else if (!strcmp(json_member_string(row, "kind"), "port"))
            remove_port(r, row);
        else
            remove_interface(r, row);
    }
    json_decref(chosen);
    r->n_commits--;
    event_active(r->look, 0, 0); /* tells also when nothing is waited for: from the loop */
    return r;
}

void
orphan_removal_hurry(struct orphan_removal *r)
{
    r->end_ms = 0;
    event_active(r->look, 0, 0);
}
