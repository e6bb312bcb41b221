/* Sending changes, and telling what became of them. */
#include "tools/vnetctl/transaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "tools/vnetctl/output.h"

void
transaction_init(struct transaction *t)
{
    *t = (struct transaction){ .body = BYTES_INIT };
}

void
transaction_done(struct transaction *t)
{
    bytes_done(&t->body);
    free(t->origins);
    *t = (struct transaction){ .body = BYTES_INIT };
}

bool
origin_error(struct origin origin, struct error *err)
{
    if (origin.line)
        return error_prefix(err, "line %zu", origin.line);
    size_t n = strlen(origin.command->name);
    bool says_command = !strncmp(err->text, origin.command->name, n) && err->text[n] == ':';
    return says_command ? false : error_prefix(err, "%s", origin.command->name);
}

static void
put_text(struct bytes *b, const char *text)
{
    bytes_put(b, text, strlen(text));
}

bool
transaction_add_call(struct transaction *t, const struct call *call, struct error *err)
{
    if (t->n == LIMIT_TRANSACTION_OPS)
        return error_set(err, ERROR_TOO_LARGE, "a transaction holds at most %d changes: split it", LIMIT_TRANSACTION_OPS);
    json_t *op = call->command->change(call, err);
    if (!op)
        return false;

    char *text = json_text(op);
    put_text(&t->body, t->n ? "," : "{\"ops\":[");
    put_text(&t->body, text);
    free(text);
    json_decref(op);
    if (t->body.n > LIMIT_REQUEST_BYTES)
        return error_set(err, ERROR_TOO_LARGE, "a transaction's text is at most %d MiB: split it", LIMIT_REQUEST_BYTES >> 20);
    t->origins = mem_grow(t->origins, &t->cap, t->n + 1, sizeof *t->origins);
    t->origins[t->n++] = (struct origin){ call->command, call->line };
    return true;
}

/* Only names that are printed are asked for: to tell them all is most of the work of a large batch. */
static const char *
results_wanted(const struct transaction *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->origins[i].command->prints_name)
            return "names";
    return "none";
}

/* Ends the body: what holds for the whole transaction. */
static void
body_finish(struct transaction *t, const struct client *c)
{
    const struct options *o = c->options;
    json_t *rest = json_pack("{ss sb ss si ss}", "tenant", o->tenant, "dry_run", o->dry_run, "wait", o->wait_hosts ? "hosts" : "none",
                             "timeout", client_seconds_left(c), "results", results_wanted(t));
    char *text = json_text(rest);
    put_text(&t->body, "],");
    put_text(&t->body, text + 1); /* without its '{' */
    free(text);
    json_decref(rest);
}

void
transaction_report_hosts(struct client *c, const json_t *answer, bool has_waited)
{
    struct arena *arena = arena_new();
    const json_t *away = json_object_get(answer, "disconnected"), *late = json_object_get(answer, "unconfirmed");
    if (json_array_size(away))
        fprintf(stderr, "vnetctl: warning: not connected, will take the change on return: %s\n", output_cell(away, arena));
    if (has_waited && (json_array_size(late) || !json_member_bool(answer, "confirmed", true))) {
        fprintf(stderr, "vnetctl: committed, but not confirmed within %d s by: %s\n", c->options->timeout_s, output_cell(late, arena));
        c->exit_status = EXIT_UNCONFIRMED;
    }
    arena_free(arena);
}

/* ---- what a dry run would change ---- */

static void
pair_print(const char *key, const json_t *value, struct arena *arena)
{
    if (value && !json_is_null(value) && *output_value(value, arena))
        printf(" %s=%s", key, output_cell(value, arena));
}

/* The columns that differ, as they would be; of a new object all that are set. */
static void
change_print(const json_t *change, struct arena *arena)
{
    const json_t *before = json_object_get(change, "before"), *after = json_object_get(change, "after");
    const json_t *name = json_object_get(change, "name");
    const char *key;
    json_t *value;
    printf("%s %s %s", output_cell(json_object_get(change, "change"), arena), output_cell(json_object_get(change, "type"), arena),
           output_cell(json_is_string(name) ? name : json_object_get(change, "id"), arena));
    json_object_foreach ((json_t *) after, key, value) {
        const json_t *was = json_object_get(before, key);
        if (!json_is_object(before) && strcmp(key, "name"))
            pair_print(key, value, arena);
        else if (json_is_object(before) && !json_equal(was, value))
            printf(" %s=%s->%s", key, output_cell(was, arena), output_cell(value, arena));
    }
    printf("\n");
}

static void
changes_print(const struct options *o, const json_t *changes)
{
    static const char *const columns[] = { "change", "type", "name", "before", "after" };
    struct arena *arena = arena_new();
    size_t i;
    const json_t *change;
    if (!strcmp(o->format->name, "table"))
        json_array_foreach ((json_t *) changes, i, change)
            change_print(change, arena);
    else
        o->format->print(stdout, &(struct output_rows){ changes, columns, 5, o->headings });
    arena_free(arena);
}

static bool
op_error(const struct transaction *t, const struct http_answer *answer, struct error *err)
{
    if (answer->error_op >= 0 && (size_t) answer->error_op < t->n)
        return origin_error(t->origins[answer->error_op], err);
    return t->n == 1 && err->code != ERROR_UNAVAILABLE ? origin_error(t->origins[0], err) : false;
}

/* What a script goes on with: the address of a new elastic IP. */
static void
names_print(const struct transaction *t, const json_t *results)
{
    struct arena *arena = arena_new();
    for (size_t i = 0; i < t->n; i++) {
        const json_t *name = json_object_get(json_array_get(results, i), "name");
        if (t->origins[i].command->prints_name && json_is_string(name))
            printf("%s\n", output_cell(name, arena));
    }
    arena_free(arena);
}

bool
transaction_send(struct transaction *t, struct client *c, struct error *err)
{
    body_finish(t, c);
    struct http_answer answer;
    struct http_request r = { .method = "POST", .path = "/v1/transactions", .body = t->body.data, .n_body = t->body.n };
    if (!client_exchange(c, r, &answer, err))
        return op_error(t, &answer, err);

    free(answer.next);
    if (c->options->dry_run && json_is_array(json_object_get(answer.body, "changes")))
        changes_print(c->options, json_object_get(answer.body, "changes"));
    if (!c->options->dry_run)
        names_print(t, json_object_get(answer.body, "results"));
    if (!c->options->dry_run)
        transaction_report_hosts(c, answer.body, c->options->wait_hosts);
    json_decref(answer.body);
    return true;
}
