#include "tests/unit/controller_lab.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/log.h"

#define UNTIL_MS 5000

static void
lab_begin(struct controller_lab *lab)
{
    struct error err;
    lab->options = (struct options){ .store = lab->store, .api = { .v = { lab->api }, .n = 1 } };
    if (!controller_start(&lab->c, &lab->options, &err))
        fail_msg("%s", err.text);
}

static void
make_store(const struct controller_lab *lab, const char *sql)
{
    sqlite3 *db;
    char *why = NULL;
    assert_int_equal(sqlite3_open(lab->store + strlen("sqlite:"), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    sqlite3_close(db);
}

struct controller_lab *
controller_lab_start(void)
{
    return controller_lab_start_with(NULL);
}

struct controller_lab *
controller_lab_start_with(const char *sql)
{
    struct controller_lab *lab = mem_zalloc(sizeof *lab);
    log_init("test");
    log_console(false);
    strcpy(lab->dir, "/tmp/vnet-test-controller.XXXXXX");
    assert_non_null(mkdtemp(lab->dir));
    snprintf(lab->store, sizeof lab->store, "sqlite:%s/db", lab->dir);
    snprintf(lab->api, sizeof lab->api, "punix:%s/api", lab->dir);
    if (sql)
        make_store(lab, sql);
    lab_begin(lab);
    return lab;
}

static void
lab_end(struct controller_lab *lab)
{
    for (struct hypervisor *h = hosts_first(lab->c.hosts); h; h = hosts_next(lab->c.hosts, h))
        h->db = NULL;
    controller_stop(&lab->c);
}

void
controller_lab_restart(struct controller_lab *lab)
{
    lab_end(lab);
    lab_begin(lab);
}

void
controller_lab_stop(struct controller_lab *lab)
{
    static const char *const names[] = { "api", "db", "db-wal", "db-shm", "db.lock" };
    lab_end(lab);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *file = mem_printf("%s/%s", lab->dir, names[i]);
        unlink(file);
        free(file);
    }
    assert_int_equal(rmdir(lab->dir), 0);
    free(lab);
}

/* ---- the loop ---- */

void
controller_lab_turn(struct controller_lab *lab)
{
    event_base_loop(lab->c.base, EVLOOP_NONBLOCK);
}

bool
controller_lab_until(struct controller_lab *lab, bool (*holds)(void *aux), void *aux)
{
    int64_t end_ms = controller_now_ms() + UNTIL_MS;
    while (!holds(aux) && controller_now_ms() < end_ms) {
        event_base_loopexit(lab->c.base, &(struct timeval){ .tv_usec = 2000 });
        event_base_loop(lab->c.base, EVLOOP_ONCE);
    }
    return holds(aux);
}

/* ---- requests ---- */

static void
request_done(void *aux, const struct commit_result *result)
{
    struct lab_result *r = aux;
    *r = (struct lab_result){
        .is_done = true,
        .ok = result->ok,
        .err = result->err,
        .op = result->op,
        .revision = result->revision,
        .results = json_incref((json_t *) result->results),
        .changes = json_incref((json_t *) result->changes),
        .replayed = result->replayed ? mem_strdup(result->replayed) : NULL,
        .n_hosts = result->n_hosts,
    };
    assert_true(result->n_hosts <= 8);
    for (size_t i = 0; i < result->n_hosts; i++)
        r->hosts[i] = result->hosts[i];
}

void
lab_result_done(struct lab_result *r)
{
    json_decref(r->results);
    json_decref(r->changes);
    free(r->replayed);
}

static bool
is_done(void *aux)
{
    return ((struct lab_result *) aux)->is_done;
}

struct lab_result
controller_lab_try(struct controller_lab *lab, const struct commit_request *request, const char *ops)
{
    struct error err;
    struct lab_result result = { .is_done = false };
    struct commit_request r = request ? *request : (struct commit_request){ .principal = { .role = PRINCIPAL_ADMIN, .name = "test" } };
    char *text = mem_strdup(ops);
    for (char *p = text; *p; p++)
        if (*p == '\'')
            *p = '"';
    r.ops = json_parse(text, strlen(text), "operations", &err);
    if (!r.ops)
        fail_msg("%s", err.text);
    free(text);
    r.done = request_done;
    r.aux = &result;
    commit_submit(lab->c.commits, &r);
    assert_true(controller_lab_until(lab, is_done, &result));
    return result;
}

void
controller_lab_do(struct controller_lab *lab, const char *ops)
{
    struct lab_result r = controller_lab_try(lab, NULL, ops);
    if (!r.ok)
        fail_msg("%s", r.err.text);
    lab_result_done(&r);
}

/* ---- objects and hosts ---- */

uint32_t
controller_lab_number(struct controller_lab *lab, enum object_type type, const char *name)
{
    uint32_t tenant = object_class(type)->has_tenant ? model_tenant(lab->c.model, "default") : 0;
    const struct object *o = model_find(lab->c.model, type, tenant, name);
    return o ? o->number : 0;
}

struct hypervisor *
controller_lab_host(struct controller_lab *lab, const char *name)
{
    struct hypervisor *h = host_by_name(lab->c.hosts, name);
    assert_non_null(h);
    return h;
}

void
controller_lab_connect(struct controller_lab *lab, const char *host)
{
    static char session;
    struct hypervisor *h = controller_lab_host(lab, host);
    h->db = (struct ovsdb_session *) (void *) &session;
    bindings_host_unread(lab->c.bindings, h->number);
}

void
controller_lab_disconnect(struct controller_lab *lab, const char *host)
{
    struct hypervisor *h = controller_lab_host(lab, host);
    h->db = NULL;
    bindings_host_unread(lab->c.bindings, h->number);
}

void
controller_lab_show(struct controller_lab *lab, const char *host, const char *iface_id, uint32_t ofport)
{
    struct ovsdb_interface i = { .name = "tap", .iface_id = iface_id, .ofport = ofport };
    bindings_update(lab->c.bindings, controller_lab_host(lab, host)->number, &i, iface_id != NULL, NULL, 0, true);
}

void
controller_lab_add(struct controller_lab *lab, const char *host, const char *iface_id, uint32_t ofport)
{
    struct ovsdb_interface i = { .name = "tap", .iface_id = iface_id, .ofport = ofport };
    bindings_update(lab->c.bindings, controller_lab_host(lab, host)->number, &i, 1, NULL, 0, false);
}

void
controller_lab_remove(struct controller_lab *lab, const char *host, const char *iface_id)
{
    bindings_update(lab->c.bindings, controller_lab_host(lab, host)->number, NULL, 0, &iface_id, 1, false);
}

int
controller_lab_setup(void **state, const char *operations)
{
    struct controller_lab *lab = controller_lab_start();
    controller_lab_do(lab, operations);
    *state = lab;
    return 0;
}

int
controller_lab_teardown(void **state)
{
    controller_lab_stop(*state);
    return 0;
}
