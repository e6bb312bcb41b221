/* Virtual machines as the hypervisors report them. */
#include "tools/vnetctl/change.h"
#include "tools/vnetctl/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vnetctl/output.h"

/* The hosts' own column is a list; 'all' is the empty one. */
static json_t *
host_allow_change(const struct call *call, struct error *err)
{
    json_t *op = change_op("set", "host", call->arguments[0]), *tenants = json_array();
    for (size_t i = 1; i < call->n_arguments; i++)
        if (call->n_arguments > 2 || strcmp(call->arguments[i], "all"))
            json_array_append_new(tenants, json_string(call->arguments[i]));
    json_object_set_new(op, "values", json_pack("{so}", "tenants", tenants));
    return op;
}

/* ---- one of them ---- */

static void
columns_print(const json_t *instance, struct arena *arena)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *) instance, key, value)
        if (strcmp(key, "counters") && strcmp(key, "migrations"))
            printf("%-10s  %s\n", key, output_cell(value, arena));
    json_object_foreach (json_object_get(instance, "counters"), key, value)
        printf("%-10s  %s\n", key, output_cell(value, arena));
}

static void
milliseconds_print(const json_t *migration, const char *key, const char *what)
{
    const json_t *value = json_object_get(migration, key);
    if (json_is_integer(value))
        printf("    %-48s %lld ms\n", what, (long long) json_integer_value(value));
}

static void
step_print(const json_t *step, struct arena *arena)
{
    json_int_t count = json_integer_value(json_object_get(step, "count"));
    printf("  %s  %-12s %s", output_cell(json_object_get(step, "at"), arena), output_cell(json_object_get(step, "host"), arena),
           output_cell(json_object_get(step, "what"), arena));
    if (count > 1)
        printf(" (%lld times, the last %s)", (long long) count, output_cell(json_object_get(step, "last"), arena));
    printf("\n");
}

static void
migration_print(const json_t *m, struct arena *arena)
{
    size_t i;
    const json_t *step;
    printf("\nmigration from %s to %s: %s\n", output_cell(json_object_get(m, "from"), arena), output_cell(json_object_get(m, "to"), arena),
           output_cell(json_object_get(m, "state"), arena));
    json_array_foreach (json_object_get(m, "timeline"), i, step)
        step_print(step, arena);
    milliseconds_print(m, "guest_pause_ms", "the guest's own pause");
    milliseconds_print(m, "our_share_ms", "from its first sign there until its flows stood");
    milliseconds_print(m, "settled_ms", "and until every host had confirmed");
}

static bool
instance_show_read(struct client *client, const struct call *call, struct error *err)
{
    struct url url;
    size_t i;
    json_t *answer;
    const json_t *migration;
    url_init(&url, "/v1/instance");
    url_segment(&url, call_argument(call, "name"));
    bool is_ok = client_get(client, url.text, &answer, err);
    url_done(&url);
    if (!is_ok)
        return false;
    struct arena *arena = arena_new();
    if (client->options->format->is_native) {
        json_dumpf(answer, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
        fputc('\n', stdout);
    } else {
        columns_print(answer, arena);
        json_array_foreach (json_object_get(answer, "migrations"), i, migration)
            migration_print(migration, arena);
    }
    arena_free(arena);
    json_decref(answer);
    return true;
}

static bool
orphan_list_read(struct client *client, const struct call *call, struct error *err)
{
    json_t *rows;
    bool is_ok = client_get(client, "/v1/orphan", &rows, err) && listing_print(client, "orphan", "*kind host id name reason", rows, err);
    json_decref(rows);
    return is_ok;
}

/* Those that are left are told one by one. */
static void
left_print(struct client *client, const json_t *left, struct arena *arena)
{
    size_t i;
    const json_t *row;
    json_array_foreach (left, i, row) {
        fprintf(stderr, "vnetctl: %s '%s' on host '%s' stays: %s\n", output_cell(json_object_get(row, "kind"), arena),
                output_cell(json_object_get(row, "id"), arena), output_cell(json_object_get(row, "host"), arena),
                output_cell(json_object_get(row, "why"), arena));
        client->exit_status = EXIT_FAILURE;
    }
}

static bool
is_asked_for(const struct call *call, const json_t *row)
{
    const char *name = json_member_string(row, "name"), *id = json_member_string(row, "id");
    bool is = false;
    for (size_t i = 0; i < call->n_arguments; i++)
        is = is || !strcmp(call->arguments[i], "all") || (id && !strcmp(call->arguments[i], id))
             || (name && !strcmp(call->arguments[i], name));
    return is;
}

/* What would go, as orphan-list shows it. */
static bool
orphan_del_dry_run(struct client *client, const struct call *call, struct error *err)
{
    json_t *rows;
    bool is_ok = client_get(client, "/v1/orphan", &rows, err);
    for (size_t i = is_ok ? json_array_size(rows) : 0; i--;)
        if (!is_asked_for(call, json_array_get(rows, i)))
            json_array_remove(rows, i);
    is_ok = is_ok && listing_print(client, "orphan", "*kind host id name reason", rows, err);
    json_decref(rows);
    return is_ok;
}

static bool
orphan_del_read(struct client *client, const struct call *call, struct error *err)
{
    json_t *answer, *ids = json_array();
    if (client->options->dry_run) {
        json_decref(ids);
        return orphan_del_dry_run(client, call, err);
    }
    for (size_t i = 0; i < call->n_arguments; i++)
        json_array_append_new(ids, json_string(call->arguments[i]));
    bool is_all = call->n_arguments == 1 && !strcmp(call->arguments[0], "all");
    json_t *body = is_all ? json_pack("{s:b}", "all", 1) : json_pack("{s:O}", "ids", ids);
    bool is_ok = client_post(client, "/v1/orphan-del", body, &answer, err);
    json_decref(body);
    json_decref(ids);
    if (!is_ok)
        return false;
    struct arena *arena = arena_new();
    left_print(client, json_object_get(answer, "left"), arena);
    arena_free(arena);
    json_decref(answer);
    return true;
}

static bool
host_token_read(struct client *client, const struct call *call, struct error *err)
{
    json_t *answer, *body = json_object();
    const char *host = call_argument(call, "host");
    if (host)
        json_object_set_new(body, "host", json_string(host));
    for (size_t i = 0; i < call->n_values; i++) {
        char *end;
        long ttl = strtol(call->values[i].value, &end, 10);
        if (strcmp(call->values[i].column, "ttl") || call->values[i].key || *end || !*call->values[i].value) {
            json_decref(body);
            return error_set(err, ERROR_INVALID, "'%s=%s': give ttl=SECS", call->values[i].column, call->values[i].value);
        }
        json_object_set_new(body, "ttl", json_integer(ttl));
    }
    bool is_ok = client_post(client, "/v1/host-token", body, &answer, err);
    json_decref(body);
    if (!is_ok)
        return false;
    const char *token = json_member_string(answer, "token");
    is_ok = token || error_set(err, ERROR_PROTOCOL, "vnetd's answer has no token");
    if (is_ok)
        puts(token);
    json_decref(answer);
    return is_ok;
}

const struct command instance_commands[] = {
    { "host-token",
      NULL,
      { ARG_OPTIONAL("HOST", "host") },
      VALUES_OPTIONAL,
      "[ttl=SECS]",
      .read = host_token_read,
      .help = "make a one-time token for 'vnet-agent join', for any host or for one" },
    { "host-allow",
      "host",
      { ARG("HOST", "name"), ARG_SOME("TENANT", "tenants") },
      .change = host_allow_change,
      .help = "for which tenants domains on the host may declare ports: names, or 'all', as at first" },
    { "instance-list", "instance", .read = listing_read, .shown = "*name host state ports since last_event reason",
      .help = "list virtual machines as the hypervisors report them" },
    { "orphan-list", "orphan", .read = orphan_list_read,
      .help = "list interfaces without a port or a running domain, and declared ports without a domain" },
    { "orphan-del",
      "orphan",
      { ARG_SOME("ORPHAN", "orphans") },
      .read = orphan_del_read,
      .help = "remove some of them, by id or name, or 'all': interfaces from their bridges, and ports" },
    { "instance-show",
      "instance",
      { ARG("INSTANCE", "name") },
      .read = instance_show_read,
      .help = "show one, with its counters and how its migrations went" },
    { .name = NULL }
};
