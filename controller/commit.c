#include "controller/commit.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/check/checks.h"
#include "controller/chores.h"
#include "controller/columns.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/hits/rule_hits.h"
#include "controller/instance/counting.h"
#include "controller/instance/removals.h"
#include "controller/host/binding.h"
#include "controller/host/handover.h"
#include "controller/host/held_zones.h"
#include "controller/host/host.h"
#include "controller/outside.h"
#include "controller/refusals.h"
#include "controller/retired.h"
#include "controller/store/store.h"
#include "vnet/model/transaction.h"

#define LOG_MODULE "commit"
#include "base/log.h"

/* A turn of applying operations ends after this long. */
#define APPLY_TURN_MS 5

struct request {
    struct request *next;
    json_t *ops;
    struct principal principal;
    char *tenant, *key, *scope, *digest;
    bool is_dry_run, is_sweep;
    enum commit_results wanted;
    commit_done *done;
    void *aux;

    struct transaction *transaction; /* once begun */
    size_t applied;
    json_t *results;
};

struct commits {
    struct controller *controller;
    struct request *first, **last; /* first is the one in progress */
    bool is_storing;
    struct event *turn; /* a timer that has run out: an event made active would be next before the loop looks at any connection again */
    struct commit_counters counters;
};

static void commits_turn(evutil_socket_t fd, short what, void *aux);

struct commits *
commits_new(struct controller *c)
{
    struct commits *commits = mem_zalloc(sizeof *commits);
    commits->controller = c;
    commits->last = &commits->first;
    commits->turn = evtimer_new(c->base, commits_turn, commits);
    return commits;
}

static void
schedule(struct commits *commits)
{
    event_add(commits->turn, &(struct timeval){ 0, 0 });
}

const struct commit_counters *
commits_counters(const struct commits *commits)
{
    return &commits->counters;
}

void
commit_submit(struct commits *commits, const struct commit_request *r)
{
    struct request *request = mem_zalloc(sizeof *request);
    *request = (struct request){
        .ops = r->ops,
        .principal = r->principal,
        .tenant = mem_strdup(r->tenant ? r->tenant : "default"),
        .key = r->idempotency_key ? mem_strdup(r->idempotency_key) : NULL,
        .scope = mem_strdup(r->scope ? r->scope : ""),
        .digest = mem_strdup(r->digest ? r->digest : ""),
        .is_dry_run = r->is_dry_run,
        .is_sweep = r->is_sweep,
        .wanted = r->results,
        .done = r->done,
        .aux = r->aux,
        .results = json_array(),
    };
    *commits->last = request;
    commits->last = &request->next;
    if (!commits->is_storing)
        schedule(commits);
}

json_t *
commit_answer(uint64_t revision, const json_t *results)
{
    return json_pack("{s:I,s:O}", "revision", (json_int_t) revision, "results", results);
}

static void
free_transaction(void *t)
{
    transaction_free(t);
}

/* One that is committed holds nothing but what the model has no more. */
static void
forget_transaction(struct commits *commits, struct transaction *t, bool is_finished)
{
    size_t n = 0;
    if (t && is_finished)
        transaction_changes(t, &n);
    if (n >= CHORES_FROM_ELEMENTS && transaction_is_committed(t))
        chores_do(commits->controller->chores, free_transaction, NULL, t);
    else
        transaction_free(t);
}

/* Ends the request in progress and goes on with the next. */
static void
request_end(struct commits *commits, struct commit_result *result)
{
    struct request *r = commits->first;
    commits->first = r->next;
    if (!commits->first)
        commits->last = &commits->first;
    if (result->ok && result->replayed)
        commits->counters.replayed++;
    else if (!result->ok)
        commits->counters.refused++;
    result->results = r->results;
    r->done(r->aux, result);
    forget_transaction(commits, r->transaction, result->ok);
    chores_free_array(commits->controller->chores, r->ops);
    json_decref(r->results);
    free(r->tenant);
    free(r->key);
    free(r->scope);
    free(r->digest);
    free(r);
    if (commits->first)
        schedule(commits);
}

static void
request_fail(struct commits *commits, const struct error *err, int op)
{
    struct commit_result result = { .err = *err, .op = op };
    request_end(commits, &result);
}

/* ---- an answer given before ---- */

static bool
replay(struct commits *commits, struct request *r)
{
    char *digest = NULL;
    char *answer = r->key ? store_remembered(commits->controller->store, r->scope, r->key, &digest) : NULL;
    if (!answer)
        return false;
    struct commit_result result = { .ok = !strcmp(digest, r->digest), .op = -1, .replayed = answer };
    if (!result.ok)
        error_set(&result.err, ERROR_CONFLICT, "idempotency key '%s' was used for another request; use a new key", r->key);
    request_end(commits, &result);
    free(answer);
    free(digest);
    return true;
}

/* ---- applying ---- */

static void
request_begin(struct commits *commits, struct request *r)
{
    struct transaction_origin origin = {
        .principal = r->principal,
        .tenant = r->tenant,
        .now_ms = controller_wall_ms(),
        .runtime = columns_staged,
        .runtime_aux = commits->controller,
        .is_sweep = r->is_sweep,
        .is_brief = r->wanted == COMMIT_RESULTS_NAMES,
        .random = controller_random,
    };
    r->transaction = transaction_begin(commits->controller->model, &origin);
}

/* What only the running system can say against an operation. */
static bool
check_runtime(const struct controller *c, const json_t *op, struct error *err)
{
    const char *verb = json_member_string(op, "op"), *type = json_member_string(op, "type");
    const char *name = json_member_string(op, "name");
    if (!verb || !type || !name || strcmp(verb, "del") || strcmp(type, "host"))
        return true;
    const struct object *o = model_find(c->model, OBJECT_HOST, 0, name);
    const struct hypervisor *h = o ? host_by_number(c->hosts, o->number) : NULL;
    if (h && (h->db || h->of))
        return error_set(err, ERROR_CONFLICT,
                         "host '%s' is connected; it can be deleted once its manager is removed "
                         "(ovs-vsctl del-manager) or it is off",
                         name);
    return true;
}

static bool
apply_some(struct commits *commits, struct request *r, struct error *err)
{
    int64_t end_ms = controller_now_ms() + APPLY_TURN_MS;
    size_t n = json_array_size(r->ops);
    do {
        if (r->applied == n)
            break;
        json_t *result = NULL;
        const json_t *op = json_array_get(r->ops, r->applied);
        if (!transaction_op(r->transaction, op, r->wanted == COMMIT_RESULTS_NONE ? NULL : &result, err)
            || !check_runtime(commits->controller, op, err)) {
            json_decref(result);
            return false;
        }
        if (r->wanted != COMMIT_RESULTS_NONE)
            json_array_append_new(r->results, result ? result : json_null());
        r->applied++;
    } while (r->applied % 64 || controller_now_ms() < end_ms);
    return true;
}

/* ---- after the store ---- */

static void
tell_parts(struct controller *c, const struct change *change)
{
    if (change->type == OBJECT_HOST && !change->before)
        hosts_object_added(c->hosts, change->number);
    else if (change->type == OBJECT_HOST && change->after)
        hosts_object_changed(c->hosts, change->number);
    if (change->type == OBJECT_HOST && !change->after)
        hosts_object_removed(c->hosts, change->number);
    if (change->type == OBJECT_PORT && change->after)
        bindings_port_changed(c->bindings, change->number);
}

static void
concern(void *aux, uint32_t host)
{
    struct controller *c = aux;
    struct hypervisor *h = host_by_number(c->hosts, host);
    if (h)
        host_concern(h, c->seq);
}

/* The model shows the transaction; everything that follows from it starts here. Its sequence number. */
static uint64_t
take_effect(struct controller *c, struct transaction *t)
{
    size_t n;
    const struct change *changes = transaction_changes(t, &n);
    for (size_t i = 0; i < n; i++)
        if (changes[i].type == OBJECT_PORT && !changes[i].after)
            bindings_port_removing(c->bindings, changes[i].number);
    transaction_commit(t);
    uint64_t seq = ++c->seq;
    for (size_t i = 0; i < n; i++) {
        struct vnet_event event = { .kind = EVENT_OBJECT, .change = &changes[i] };
        hosts_put_holders_first(c->hosts, &event);
        handovers_look(c->handovers, &event);
        held_zones_look(c->held_zones, &event);
    }
    for (size_t i = 0; i < n; i++) {
        struct vnet_event event = { .kind = EVENT_OBJECT, .change = &changes[i] };
        compiler_changed(c->compiler, &event, concern, c);
        hosts_changed(c->hosts, &event);
    }
    for (size_t i = 0; i < n; i++)
        tell_parts(c, &changes[i]);
    for (size_t i = 0; i < n; i++)
        outside_changed(c->outside, &(struct vnet_event){ .kind = EVENT_OBJECT, .change = &changes[i] });
    for (size_t i = 0; i < n; i++)
        rule_hits_changed(c->hits, &changes[i]);
    for (size_t i = 0; i < n; i++)
        checks_changed(c->checks, &(struct vnet_event){ .kind = EVENT_OBJECT, .change = &changes[i] });
    for (size_t i = 0; i < n; i++)
        counting_changed(c->counting, &(struct vnet_event){ .kind = EVENT_OBJECT, .change = &changes[i] });
    for (size_t i = 0; i < n; i++)
        removals_changed(c->removals, &changes[i]);
    for (size_t i = 0; i < n; i++)
        refusals_changed(c->refusals, &changes[i]);
    retired_add(c->retired, changes, n);
    for (size_t i = 0; i < n; i++)
        feed_change(c->feed, &changes[i], model_revision(c->model));
    return seq;
}

static void
finish(struct commits *commits, struct commit_result *result, bool is_stored)
{
    struct request *r = commits->first;
    struct controller *c = commits->controller;
    hosts_collect(c->hosts);
    if (is_stored) {
        result->seq = take_effect(c, r->transaction);
        commits->counters.committed++;
    }
    result->ok = true;
    result->op = -1;
    result->revision = model_revision(c->model);
    result->hosts = hosts_collected(c->hosts, &result->n_hosts);
    request_end(commits, result);
}

static void
stored(void *aux, bool ok, const struct error *err)
{
    struct commits *commits = aux;
    commits->is_storing = false;
    if (ok) {
        struct commit_result result = { 0 };
        finish(commits, &result, true);
        return;
    }
    log_err("the store refused a transaction: %s", err->text);
    request_fail(commits, err, -1);
}

static json_t *
changes_json(const struct controller *c, const struct transaction *t)
{
    size_t n;
    json_t *list = json_array();
    const struct change *changes = transaction_changes(t, &n);
    for (size_t i = 0; i < n; i++) {
        const struct change *change = &changes[i];
        const struct object *o = change->after ? change->after : change->before;
        if (object_class(change->type)->is_hidden)
            continue;
        const char *word = !change->before ? "add" : !change->after ? "del" : "set";
        json_t *before = change->before ? transaction_json(t, change->before) : json_null();
        json_t *after = change->after ? transaction_json(t, change->after) : json_null();
        json_array_append_new(list, json_pack("{s:s,s:s,s:O,s:o,s:o}", "change", word, "type", object_class(o->type)->name, "name",
                                              json_object_get(change->after ? after : before, "name"), "before", before, "after", after));
    }
    return list;
}

static void
submit_to_store(struct commits *commits, struct request *r)
{
    json_t *answer = r->key ? commit_answer(transaction_sequences(r->transaction).revision, r->results) : NULL;
    char *text = answer ? json_text(answer) : NULL;
    char summary[64];
    snprintf(summary, sizeof summary, "%zu operations", json_array_size(r->ops));
    struct store_commit commit = {
        .transaction = r->transaction,
        .who = r->principal.name,
        .summary = summary,
        .idempotency_key = r->key,
        .scope = r->scope,
        .digest = r->digest,
        .answer = text,
    };
    commits->is_storing = true;
    store_submit(commits->controller->store, &commit, stored, commits);
    free(text);
    json_decref(answer);
}

static void
commits_turn(evutil_socket_t fd, short what, void *aux)
{
    struct commits *commits = aux;
    struct request *r = commits->first;
    struct error err;
    if (!r || commits->is_storing || (!r->transaction && replay(commits, r)))
        return;
    if (!r->transaction)
        request_begin(commits, r);
    if (!apply_some(commits, r, &err)) {
        request_fail(commits, &err, (int) r->applied);
    } else if (r->applied < json_array_size(r->ops)) {
        schedule(commits);
    } else if (!transaction_finish(r->transaction, &err)) {
        request_fail(commits, &err, -1);
    } else if (r->is_dry_run) {
        struct commit_result result = { .changes = changes_json(commits->controller, r->transaction) };
        finish(commits, &result, false);
        json_decref((json_t *) result.changes);
    } else if (transaction_is_empty(r->transaction) && !r->key) {
        struct commit_result result = { 0 };
        finish(commits, &result, false);
    } else {
        submit_to_store(commits, r);
    }
}

void
commits_free(struct commits *commits)
{
    if (!commits)
        return;
    struct error err;
    error_set(&err, ERROR_UNAVAILABLE, "vnetd is stopping; ask again when it is back");
    while (commits->first)
        request_fail(commits, &err, -1);
    event_free(commits->turn);
    free(commits);
}
