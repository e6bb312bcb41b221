/* Commands for any type of object: the daemon knows types and columns. */
#include "tools/vnetctl/change.h"
#include "tools/vnetctl/listing.h"

#include <stdio.h>
#include <string.h>

#include "tools/vnetctl/output.h"

/* A column, or "COLUMN:KEY" for what is in an object. */
static bool
value_find(const json_t *object, const char *name, const json_t **value, struct error *err)
{
    char column[256];
    size_t n = strcspn(name, ":");
    snprintf(column, sizeof column, "%.*s", (int) n, name);
    *value = json_object_get(object, column);
    if (*value && name[n])
        *value = json_object_get(*value, name + n + 1);
    return *value || error_set(err, ERROR_UNKNOWN, "it has no '%s'", name);
}

static void
value_print(const struct options *o, const json_t *value)
{
    struct arena *arena = arena_new();
    if (o->format->is_native)
        json_dumpf(value, stdout, JSON_WRITTEN);
    else
        fputs(output_cell(value, arena), stdout);
    fputc('\n', stdout);
    arena_free(arena);
}

static bool
get_read(struct client *client, const struct call *call, struct error *err)
{
    struct url url;
    json_t *rows;
    const json_t *value;
    struct arena *arena = arena_new();
    const char *column = call_argument(call, "column");
    client_url(client, &url, call_type(call));
    url_query(&url, "name", call_argument(call, "name"));
    url_query(&url, "columns", arena_printf(arena, "%.*s", (int) strcspn(column, ":"), column));
    bool is_ok = client_get(client, url.text, &rows, err);
    is_ok = is_ok
            && (value_find(json_array_get(rows, 0), column, &value, err)
                || error_prefix(err, "%s '%s'", call_type(call), call_argument(call, "name")));
    if (is_ok)
        value_print(client->options, value);
    json_decref(rows);
    url_done(&url);
    arena_free(arena);
    return is_ok;
}

static bool
wait_until_read(struct client *client, const struct call *call, struct error *err)
{
    struct url url;
    json_t *object, *where = json_object();
    for (size_t i = 0; i < call->n_values; i++) {
        const struct assignment *a = &call->values[i];
        char column[512];
        snprintf(column, sizeof column, "%s%s%s", a->column, a->key ? ":" : "", a->key ? a->key : "");
        json_object_set_new(where, column, json_string(a->value));
    }
    json_t *body = json_pack("{ss ss so si}", "type", call_type(call), "name", call_argument(call, "name"), "where", where, "timeout",
                             client_seconds_left(client));
    client_url(client, &url, "wait");
    bool is_ok = client_post(client, url.text, body, &object, err);
    url_done(&url);
    json_decref(body);
    json_decref(object);
    return is_ok;
}

const struct command generic_commands[] = { { "list",
                                              NULL,
                                              { ARG("TYPE", "type"), ARG_ANY("NAME", "name") },
                                              .read = listing_read,
                                              .help = "list objects of a type, or those named, with all columns" },
                                            { "find",
                                              NULL,
                                              { ARG("TYPE", "type") },
                                              VALUES_FILTER,
                                              "COLUMN=VALUE...",
                                              .read = listing_find,
                                              .help = "list those where all hold: equal, in a list, or tags:KEY=VALUE" },
                                            { "get",
                                              NULL,
                                              { ARG("TYPE", "type"), ARG("NAME", "name"), ARG("COLUMN", "column") },
                                              .read = get_read,
                                              .help = "print the bare value; tags:KEY is one tag" },
                                            { "set",
                                              NULL,
                                              { ARG("TYPE", "type"), ARG("NAME", "name") },
                                              VALUES_REQUIRED,
                                              "COLUMN=VALUE...",
                                              .change = change_set,
                                              .help = "change an object; COLUMN= unsets, tags:KEY= removes a tag" },
                                            { "wait-until",
                                              NULL,
                                              { ARG("TYPE", "type"), ARG("NAME", "name") },
                                              VALUES_REQUIRED,
                                              "COLUMN=VALUE...",
                                              .read = wait_until_read,
                                              .help = "return once all hold, or fail after --timeout" },
                                            { .name = NULL } };
