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

/* A row by one of the words that it can be asked for with. */
struct naming {
    const char *word;
    size_t row;
};

/* Of all rows, sorted by word. */
struct index {
    struct naming *v;
    size_t n;
};

static int
by_word(const void *a, const void *b)
{
    return strcmp(((const struct naming *) a)->word, ((const struct naming *) b)->word);
}

static struct index
index_rows(const json_t *rows)
{
    struct index index = { mem_alloc(2 * (json_array_size(rows) + 1) * sizeof *index.v), 0 };
    json_t *row;
    size_t i;
    json_array_foreach (rows, i, row) {
        const char *name = json_member_string(row, "name");
        index.v[index.n++] = (struct naming){ json_member_string(row, "id"), i };
        if (name)
            index.v[index.n++] = (struct naming){ name, i };
    }
    qsort(index.v, index.n, sizeof *index.v, by_word);
    return index;
}

/* The first that has the word, or where it would be. */
static size_t
index_find(const struct index *index, const char *word)
{
    size_t low = 0, high = index->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->v[middle].word, word) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Those that a word is for; the same name may be of several tenants. False: there are none. */
static bool
choose_named(bool chosen[], const struct index *index, const char *word)
{
    size_t first = index_find(index, word), i;
    for (i = first; i < index->n && !strcmp(index->v[i].word, word); i++)
        chosen[index->v[i].row] = true;
    return i > first;
}

/* Of an array, those rows that are chosen: new reference. */
static json_t *
chosen_rows(const json_t *rows, const bool chosen[])
{
    json_t *list = json_array(), *row;
    size_t i;
    json_array_foreach (rows, i, row)
        if (chosen[i])
            json_array_append(list, row);
    return list;
}

/* Those of the rows that are asked for, each once and in their order: new reference, NULL with *err. */
static json_t *
choose(const json_t *rows, const json_t *ids, struct error *err)
{
    bool *chosen = mem_zalloc(json_array_size(rows) + 1), ok = true;
    struct index index = index_rows(rows);
    for (size_t i = 0; ok && i < json_array_size(ids); i++) {
        const char *word = json_string_value(json_array_get(ids, i)) ?: "";
        ok = choose_named(chosen, &index, word)
             || error_set(err, ERROR_UNKNOWN, "orphan '%.200s' does not exist; vnetctl orphan-list shows those that do", word);
    }
    json_t *list = ok ? chosen_rows(rows, chosen) : NULL;
    free(index.v);
    free(chosen);
    return list;
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
