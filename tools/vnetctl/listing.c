/* Filtering, choosing columns and paging are the daemon's work: only what is shown is asked for.
 *
 * Which columns: --columns, else in a table the row's own choice, else all the daemon gives. An empty table has headings too; if nothing
 * else tells them, the daemon's schema does. */
#include "tools/vnetctl/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/uuid.h"
#include "tools/vnetctl/output.h"

#define NAMES_AT_ONCE 64 /* in one request, whose header is bounded */

struct columns {
    const char **names;
    size_t n, cap;
};

static void
columns_add(struct columns *c, const char *name)
{
    c->names = mem_grow(c->names, &c->cap, c->n + 1, sizeof *c->names);
    c->names[c->n++] = name;
}

/* Splits text at any of the separators. */
static void
columns_split(struct columns *c, const char *text, const char *separators, struct arena *arena)
{
    char *rest = arena_strdup(arena, text), *state = NULL;
    for (char *name = strtok_r(rest, separators, &state); name; name = strtok_r(NULL, separators, &state))
        columns_add(c, name);
}

/* Columns known before asking; none: all. 'tenant' joins a table over all tenants. */
static void
columns_choose(struct columns *c, const struct options *o, const char *shown, struct arena *arena)
{
    if (o->columns) {
        columns_split(c, o->columns, ",", arena);
        return;
    }
    if (!shown || strcmp(o->format->name, "table"))
        return;
    bool has_tenant = *shown != '*'; /* objects that belong to none are marked */
    columns_split(c, has_tenant ? shown : shown + 1, " ", arena);
    if (o->all_tenants && has_tenant) {
        columns_add(c, NULL);
        memmove(c->names + 2, c->names + 1, (c->n - 2) * sizeof *c->names);
        c->names[1] = "tenant";
    }
}

/* The schema's columns of the type; none if it does not say. */
static bool
columns_of_schema(struct columns *c, struct client *client, const char *type, struct arena *arena, struct error *err)
{
    json_t *schema, *candidate, *column;
    size_t i, j;
    if (!client_get(client, "/v1/schema", &schema, err))
        return false;
    json_array_foreach (schema, i, candidate) {
        const char *name = json_member_string(candidate, "type");
        if (!name || strcmp(name, type))
            continue;
        json_array_foreach (json_object_get(candidate, "columns"), j, column)
            if (json_member_string(column, "name"))
                columns_add(c, arena_strdup(arena, json_member_string(column, "name")));
    }
    json_decref(schema);
    return true;
}

static bool
columns_complete(struct columns *c, struct client *client, const char *type, const json_t *rows, struct arena *arena, struct error *err)
{
    const char *key;
    json_t *value;
    if (c->n || client->options->format->is_native)
        return true;
    json_object_foreach (json_array_get(rows, 0), key, value)
        columns_add(c, key);
    return c->n || !client->options->headings || columns_of_schema(c, client, type, arena, err);
}

bool
listing_print(struct client *client, const char *type, const char *shown, const json_t *rows, struct error *err)
{
    struct arena *arena = arena_new();
    struct columns columns = { NULL, 0, 0 };
    const struct options *o = client->options;
    columns_choose(&columns, o, shown, arena);
    bool is_ok = json_is_array(rows) || error_set(err, ERROR_PROTOCOL, "the daemon's answer is no listing");
    is_ok = is_ok && columns_complete(&columns, client, type, rows, arena, err);
    if (is_ok)
        o->format->print(stdout, &(struct output_rows){ rows, columns.names, columns.n, o->headings });
    free(columns.names);
    arena_free(arena);
    return is_ok;
}

/* ---- asking ---- */

static void
where_put(struct url *url, const struct assignment *a)
{
    char *where = a->key ? mem_printf("%s:%s=%s", a->column, a->key, a->value) : mem_printf("%s=%s", a->column, a->value);
    url_query(url, "where", where);
    free(where);
}

/* Is the argument what the listed objects belong to, as the VPC of subnets? */
static bool
is_owner(const struct argument *a)
{
    return strcmp(a->column, "name") && strcmp(a->column, "type");
}

/* Names from the argument '*next' on, as many as one request takes; '*next' is then the first that is left. */
static void
url_put_filters(struct url *url, const struct call *call, size_t *next)
{
    size_t n_names = 0, i;
    const struct argument *a = call->command->arguments;
    for (i = 0; i < call->n_arguments && n_names < NAMES_AT_ONCE; i++) {
        if (is_owner(a))
            where_put(url, &(struct assignment){ a->column, NULL, call->arguments[i] });
        else if (!strcmp(a->column, "name") && i >= *next) {
            url_query(url, "name", call->arguments[i]);
            n_names++;
        }
        if (a->arity < ARGUMENT_SOME)
            a++;
    }
    *next = i;
    for (i = 0; i < call->n_values; i++)
        where_put(url, &call->values[i]);
}

static void
url_put_columns(struct url *url, const struct options *o, const char *shown)
{
    struct arena *arena = arena_new();
    struct columns columns = { NULL, 0, 0 };
    const char *text = "";
    columns_choose(&columns, o, shown, arena);
    for (size_t i = 0; i < columns.n; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? "," : "", columns.names[i]);
    if (*text)
        url_query(url, "columns", text);
    free(columns.names);
    arena_free(arena);
}

static bool
rows_get_from(struct client *client, const struct call *call, size_t *next, json_t **rows, struct error *err)
{
    struct url url;
    client_url(client, &url, call_type(call));
    if (client->options->all_tenants)
        url_query(&url, "all_tenants", "1");
    url_put_filters(&url, call, next);
    if (call->options & OPTION_UNUSED)
        url_query(&url, "unused", "1");
    if (call->options & OPTION_SHADOWED)
        url_query(&url, "shadowed", "1");
    url_put_columns(&url, client->options, call->command->shown);
    bool is_ok = client_get(client, url.text, rows, err);
    url_done(&url);
    return is_ok;
}

static bool
rows_get(struct client *client, const struct call *call, json_t **rows, struct error *err)
{
    json_t *more;
    size_t next = 0;
    bool is_ok = rows_get_from(client, call, &next, rows, err);
    while (is_ok && next < call->n_arguments) {
        is_ok = rows_get_from(client, call, &next, &more, err);
        if (is_ok)
            json_array_extend(*rows, more);
        json_decref(more);
    }
    return is_ok;
}

/* Over all tenants any object of that name will do. */
static bool
owner_check(struct client *client, const char *type, const char *name, struct error *err)
{
    struct url url;
    struct uuid id;
    json_t *found;
    bool is_any = client->options->all_tenants && !uuid_parse(name, &id);
    client_url(client, &url, type);
    if (is_any) {
        url_query(&url, "all_tenants", "1");
        where_put(&url, &(struct assignment){ "name", NULL, name });
    } else {
        url_query(&url, "name", name);
    }
    url_query(&url, "columns", "id");
    bool is_ok = client_get(client, url.text, &found, err);
    url_done(&url);
    if (is_ok && is_any && !json_array_size(found))
        is_ok = error_set(err, ERROR_UNKNOWN, "%s '%.100s' does not exist in any tenant", type, name);
    json_decref(found);
    return is_ok;
}

/* Nothing is listed: is it that what it would belong to does not exist? */
static bool
owners_check(struct client *client, const struct call *call, struct error *err)
{
    const struct argument *a = call->command->arguments;
    for (size_t i = 0; i < call->n_arguments; i++) {
        if (is_owner(a) && !owner_check(client, a->column, call->arguments[i], err))
            return false;
        if (a->arity < ARGUMENT_SOME)
            a++;
    }
    return true;
}

bool
listing_read(struct client *client, const struct call *call, struct error *err)
{
    json_t *rows;
    bool is_ok = rows_get(client, call, &rows, err) && (json_array_size(rows) || owners_check(client, call, err))
                 && listing_print(client, call_type(call), call->command->shown, rows, err);
    json_decref(rows);
    return is_ok;
}

/* Where people read, nothing found is said as in JSON; csv keeps its headings, and without headings there is nothing. */
bool
listing_find(struct client *client, const struct call *call, struct error *err)
{
    json_t *rows;
    const struct options *o = client->options;
    bool is_ok = rows_get(client, call, &rows, err);
    if (is_ok && json_is_array(rows) && !json_array_size(rows) && o->headings && strcmp(o->format->name, "csv"))
        puts("[]");
    else
        is_ok = is_ok && listing_print(client, call_type(call), call->command->shown, rows, err);
    json_decref(rows);
    return is_ok;
}
