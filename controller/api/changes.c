/* Changes of typed resources, add, set and del: transactions of one operation. */
#include <stdlib.h>
#include <string.h>

#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/api/idempotency.h"
#include "controller/commit.h"
#include "controller/controller.h"

static void
change_done(void *aux, const struct commit_result *result)
{
    struct call *call = aux;
    struct error err;
    json_t *before = result->replayed ? json_parse(result->replayed, strlen(result->replayed), "the answer remembered", &err) : NULL;
    const json_t *first = json_array_get(before ? json_object_get(before, "results") : result->results, 0);
    if (!result->ok)
        call_error(call, &result->err, -1);
    else if (result->replayed && !before)
        call_error(call, &err, -1);
    else if (!strcmp(call->path[1], "") || json_is_object(json_object_get(first, "object")))
        call_json(call, call->n_path == 1 ? 201 : 200, json_incref(json_object_get(first, "object")));
    else
        call_empty(call, 204);
    json_decref(before);
}

static void
submit(struct call *call, json_t *take_op)
{
    struct error err;
    const char *key;
    if (!idempotency_key(call, &key, &err)) {
        call_error(call, &err, -1);
        json_decref(take_op);
        return;
    }
    char *digest = key ? idempotency_digest(take_op, call->tenant) : NULL;
    struct commit_request request = {
        .ops = json_pack("[o]", take_op),
        .principal = call->principal,
        .tenant = call->tenant,
        .idempotency_key = key,
        .scope = call->scope,
        .digest = digest,
        .done = change_done,
        .aux = call,
    };
    commit_submit(call->controller->commits, &request);
    free(digest);
}

static void
change(struct call *call, const char *verb, json_t *take_values)
{
    json_t *op = json_pack("{s:s,s:s,s:o}", "op", verb, "type", call->path[0], "values", take_values);
    json_t *name = json_object_get(take_values, "name");
    if (call->n_path == 2) {
        json_object_set_new(op, "name", json_string(call->path[1]));
    } else if (name) {
        json_object_set(op, "name", name);
        json_object_del(take_values, "name");
    }
    if (call_flag(call, "move")) /* an elastic IP may go from one thing to another */
        json_object_set_new(op, "move", json_true());
    submit(call, op);
}

static void
change_with_body(struct call *call, const char *verb)
{
    struct error err;
    json_t *body = call_body(call, NULL, &err);
    if (body)
        change(call, verb, body);
    else
        call_error(call, &err, -1);
}

void
api_add(struct call *call)
{
    change_with_body(call, "add");
}

void
api_set(struct call *call)
{
    change_with_body(call, "set");
}

void
api_del(struct call *call)
{
    change(call, "del", json_object());
}
