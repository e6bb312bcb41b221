/* Transactions, and waiting for hosts to confirm. */
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/api/idempotency.h"
#include "controller/chores.h"
#include "controller/commit.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/waiter.h"

#define TIMEOUT_MAX_S 3600

/* A call that changes intent and perhaps waits. */
struct changing {
    struct call *call;
    bool wants_hosts;
    double timeout_s;
    json_t *answer;

    /* what is asked, until it is submitted; the client may go meanwhile */
    struct evbuffer *bytes;
    char *key, *scope, *digest; /* key NULL: none */
    json_t *body;               /* NULL: 'err' says why not */
    struct error err;
};

static void
changing_free(struct changing *t)
{
    json_decref(t->answer);
    free(t->key);
    free(t->scope);
    free(t->digest);
    free(t);
}

static json_t *
host_names(const struct controller *c, const uint32_t *numbers, size_t n)
{
    json_t *names = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct hypervisor *h = host_by_number(c->hosts, numbers[i]);
        if (h)
            json_array_append_new(names, json_string(h->name));
    }
    return names;
}

static void
confirmed(void *aux, const struct waiter_result *result)
{
    struct changing *t = aux;
    const struct controller *c = t->call->controller;
    json_object_set_new(t->answer, "confirmed", json_boolean(!result->n_unconfirmed));
    json_object_set_new(t->answer, "unconfirmed", host_names(c, result->unconfirmed, result->n_unconfirmed));
    json_object_set_new(t->answer, "disconnected", host_names(c, result->disconnected, result->n_disconnected));
    bool is_large = json_array_size(json_object_get(t->answer, "results")) >= CHORES_FROM_ELEMENTS;
    (is_large ? call_json_aside : call_json)(t->call, 200, t->answer);
    t->answer = NULL;
    changing_free(t);
}

/* Waits for all hosts that have something to confirm. */
static void
sync_hosts(struct changing *t)
{
    struct controller *c = t->call->controller;
    uint32_t *hosts = NULL;
    size_t n = 0, cap = 0;
    for (const struct hypervisor *h = hosts_first(c->hosts); h; h = hosts_next(c->hosts, h)) {
        if (!h->number || host_is_realised(h))
            continue;
        hosts = mem_grow(hosts, &cap, n + 1, sizeof *hosts);
        hosts[n++] = h->number;
    }
    waiter_add(c->waiters, hosts, n, t->timeout_s, confirmed, t);
    free(hosts);
}

/* What is concerned by a transaction of earlier is not known any more: a repetition waits for everything. */
static void
replayed(struct changing *t, const struct commit_result *result)
{
    struct error err;
    t->answer = json_parse(result->replayed, strlen(result->replayed), "the answer remembered", &err);
    if (!t->answer) {
        call_error(t->call, &err, -1);
        changing_free(t);
    } else if (t->wants_hosts) {
        sync_hosts(t);
    } else {
        waiter_add(t->call->controller->waiters, NULL, 0, 0, confirmed, t);
    }
}

static void
committed(void *aux, const struct commit_result *result)
{
    struct changing *t = aux;
    if (!result->ok) {
        call_error(t->call, &result->err, result->op);
        changing_free(t);
        return;
    }
    if (result->replayed) {
        replayed(t, result);
        return;
    }
    t->answer = commit_answer(result->revision, result->results);
    if (result->changes)
        json_object_set(t->answer, "changes", (json_t *) result->changes);
    /* Hosts that are away are named at once; those connected are waited for if asked. */
    waiter_add_change(t->call->controller->waiters, result->seq, result->hosts, result->n_hosts, t->wants_hosts ? t->timeout_s : 0,
                      confirmed, t);
}

static bool
read_wait(struct changing *t, const json_t *body, struct error *err)
{
    const json_t *timeout = json_object_get(body, "timeout");
    const char *wait = json_member_string(body, "wait");
    if (json_object_get(body, "wait") && !wait)
        return error_set(err, ERROR_INVALID, "wait: must be 'none' or 'hosts'");
    t->timeout_s = timeout ? json_number_value(timeout) : 30;
    t->wants_hosts = wait && !strcmp(wait, "hosts");
    if (wait && strcmp(wait, "hosts") && strcmp(wait, "none"))
        return error_set(err, ERROR_INVALID, "wait '%.100s': must be 'none' or 'hosts'", wait);
    if ((timeout && !json_is_number(timeout)) || !(t->timeout_s >= 0 && t->timeout_s <= TIMEOUT_MAX_S))
        return error_set(err, ERROR_INVALID, "timeout: must be a number of seconds from 0 to %d", TIMEOUT_MAX_S);
    if (t->wants_hosts)
        call_waits(t->call);
    return true;
}

static bool
read_results(const json_t *body, enum commit_results *results, struct error *err)
{
    static const char *const words[] = { "objects", "names", "none" };
    const json_t *given = json_object_get(body, "results");
    const char *word = json_string_value(given);
    *results = COMMIT_RESULTS_OBJECTS;
    for (size_t i = 0; word && i < sizeof words / sizeof *words; i++)
        if (!strcmp(word, words[i])) {
            *results = (enum commit_results) i;
            return true;
        }
    return !given || error_set(err, ERROR_INVALID, "results '%.100s': must be 'objects', 'names' or 'none'", word ? word : "");
}

/* A wish that is not understood must not be taken for none. */
static bool
check_types(const json_t *body, struct error *err)
{
    const json_t *dry_run = json_object_get(body, "dry_run"), *tenant = json_object_get(body, "tenant");
    if (dry_run && !json_is_boolean(dry_run))
        return error_set(err, ERROR_INVALID, "dry_run: must be true or false");
    if (tenant && !json_is_string(tenant))
        return error_set(err, ERROR_INVALID, "tenant: must be a string");
    return true;
}

static const char *
whose(const struct changing *t)
{
    const char *given = json_member_string(t->body, "tenant");
    return given ? given : t->call->tenant;
}

static bool
submit(struct changing *t, const json_t *body, struct error *err)
{
    json_t *ops = json_object_get(body, "ops");
    enum commit_results results;
    if (!check_types(body, err) || !read_results(body, &results, err))
        return false;
    if (!json_is_array(ops))
        return error_set(err, ERROR_INVALID, "ops: must be an array of operations");
    if (json_array_size(ops) > LIMIT_TRANSACTION_OPS)
        return error_set(err, ERROR_TOO_LARGE, "ops: %zu operations are more than the %d of one transaction", json_array_size(ops),
                         LIMIT_TRANSACTION_OPS);
    if (!read_wait(t, body, err))
        return false;
    struct commit_request request = {
        .ops = json_incref(ops),
        .principal = t->call->principal,
        .tenant = whose(t),
        .is_dry_run = json_member_bool(body, "dry_run", false),
        .results = results,
        .idempotency_key = t->key,
        .scope = t->scope,
        .digest = t->digest,
        .done = committed,
        .aux = t,
    };
    commit_submit(t->call->controller->commits, &request);
    return true;
}

/* Beside the loop, if it is large. */
static void
read_body(void *aux)
{
    struct changing *t = aux;
    t->body = call_parse_body(t->bytes, "ops tenant dry_run wait timeout results", &t->err);
    if (t->body && t->key)
        t->digest = idempotency_digest(t->body, whose(t));
    evbuffer_free(t->bytes);
}

static void
body_read(void *aux)
{
    struct changing *t = aux;
    struct chores *chores = t->call->controller->chores;
    json_t *body = t->body, *ops = json_incref(json_object_get(body, "ops"));
    bool is_submitted = body && submit(t, body, &t->err);
    json_decref(body);
    if (is_submitted) {
        json_decref(ops);
        return;
    }
    chores_free_array(chores, ops);
    call_error(t->call, &t->err, -1);
    changing_free(t);
}

void
api_transaction(struct call *call)
{
    struct error err;
    const char *key;
    if (!idempotency_key(call, &key, &err)) {
        call_error(call, &err, -1);
        return;
    }
    struct changing *t = mem_zalloc(sizeof *t);
    t->call = call;
    t->key = key ? mem_strdup(key) : NULL;
    t->scope = mem_strdup(call->scope);
    t->bytes = call_take_body(call);
    if (evbuffer_get_length(t->bytes) >= CHORES_FROM_BYTES) {
        chores_do(call->controller->chores, read_body, body_read, t);
        return;
    }
    read_body(t);
    body_read(t);
}

/* ---- sync ---- */

/* Comes through the queue of commits, so that everything asked for before has been committed. */
static void
sync_turn(void *aux, const struct commit_result *result)
{
    struct changing *t = aux;
    if (!result->ok) {
        call_error(t->call, &result->err, -1);
        changing_free(t);
        return;
    }
    t->answer = json_pack("{s:I}", "revision", (json_int_t) result->revision);
    sync_hosts(t);
}

void
api_sync(struct call *call)
{
    struct error err;
    struct changing *t = mem_zalloc(sizeof *t);
    t->call = call;
    json_t *body = call_body(call, "timeout wait tenant", &err);
    if (!body || !read_wait(t, body, &err)) {
        call_error(call, &err, -1);
        changing_free(t);
    } else {
        call_waits(call);
        struct commit_request request = {
            .ops = json_array(),
            .principal = call->principal,
            .tenant = call->tenant,
            .done = sync_turn,
            .aux = t,
        };
        commit_submit(call->controller->commits, &request);
    }
    json_decref(body);
}
