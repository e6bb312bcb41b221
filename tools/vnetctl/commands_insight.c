/* Hosts, and what the network really does: show, sync, verify, trace. */
#include "tools/vnetctl/change.h"
#include "tools/vnetctl/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vnetctl/output.h"
#include "tools/vnetctl/transaction.h"

static void
json_print(const json_t *json)
{
    json_dumpf(json, stdout, JSON_WRITTEN);
    fputc('\n', stdout);
}

static bool
show_read(struct client *client, const struct call *call, struct error *err)
{
    struct url url;
    json_t *answer;
    const char *vpc = call_argument(call, "vpc");
    client_url(client, &url, "show");
    if (client->options->all_tenants)
        url_query(&url, "all_tenants", "1");
    if (vpc)
        url_query(&url, "vpc", vpc);
    bool is_ok = client_get(client, url.text, &answer, err);
    const char *text = json_member_string(answer, "text");
    if (is_ok && client->options->format->is_native)
        json_print(answer);
    else if (is_ok)
        output_text(stdout, text ? text : "");
    url_done(&url);
    json_decref(answer);
    return is_ok;
}

static bool
sync_read(struct client *client, const struct call *call, struct error *err)
{
    json_t *answer, *body = json_pack("{si}", "timeout", client_seconds_left(client));
    bool is_ok = client_post(client, "/v1/sync", body, &answer, err);
    if (is_ok)
        transaction_report_hosts(client, answer, true);
    json_decref(body);
    json_decref(answer);
    return is_ok;
}

/* ---- verify ---- */

/* One row for each difference; hosts that were not checked go to stderr. Returns how many those are. */
static size_t
differences_collect(const json_t *answer, json_t *rows)
{
    size_t i, j, n_unchecked = 0;
    const json_t *host, *difference;
    struct arena *arena = arena_new();
    json_array_foreach (json_object_get(answer, "hosts"), i, host) {
        json_t *name = json_object_get(host, "host");
        if (!json_member_bool(host, "checked", false)) {
            fprintf(stderr, "vnetctl: host '%s' could not be checked: %s\n", output_cell(name, arena),
                    output_cell(json_object_get(host, "reason"), arena));
            n_unchecked++;
        }
        if (json_member_int(host, "more", 0))
            fprintf(stderr, "vnetctl: host '%s' has %lld more differences than are shown\n", output_cell(name, arena),
                    (long long) json_member_int(host, "more", 0));
        json_array_foreach (json_object_get(host, "differences"), j, difference) {
            json_t *row = json_object();
            json_object_set(row, "host", name);
            json_object_update(row, (json_t *) difference);
            json_array_append_new(rows, row);
        }
    }
    arena_free(arena);
    return n_unchecked;
}

static bool
verify_read(struct client *client, const struct call *call, struct error *err)
{
    struct url url;
    char seconds[16];
    json_t *answer, *rows = json_array();
    const char *host = call_argument(call, "host");
    client_url(client, &url, "verify");
    if (host)
        url_query(&url, "host", host);
    snprintf(seconds, sizeof seconds, "%d", client_seconds_left(client));
    url_query(&url, "timeout", seconds);
    bool is_ok = client_get(client, url.text, &answer, err);
    if (is_ok) {
        size_t n_unchecked = differences_collect(answer, rows), n = json_array_size(rows);
        client->exit_status = n ? 1 : n_unchecked ? EXIT_UNCONFIRMED : client->exit_status;
        if (client->options->format->is_native)
            json_print(answer);
        else if (n)
            is_ok = listing_print(client, "verify", "*host kind object table flow found", rows, err);
    }
    url_done(&url);
    json_decref(answer);
    json_decref(rows);
    return is_ok;
}

/* ---- trace ---- */

static const char packet_forms[] = "PACKET is: icmp DST | tcp DST PORT | udp DST PORT";

static bool
number_parse(const char *text, int *port)
{
    char *end;
    long n = strtol(text, &end, 10);
    *port = (int) n;
    return *text && !*end && n >= 1 && n <= 65535;
}

/* The words after the first argument, each of which may hold several. */
static json_t *
packet_parse(const struct call *call, struct error *err)
{
    struct arena *arena = arena_new();
    char *text = arena_strdup(arena, ""), *state = NULL, *words[4];
    size_t n = 0;
    for (size_t i = 1; i < call->n_arguments; i++)
        text = arena_printf(arena, "%s %s", text, call->arguments[i]);
    for (char *w = strtok_r(text, " ", &state); w && n < 4; w = strtok_r(NULL, " ", &state))
        words[n++] = w;

    int port = 0;
    bool has_port = n && (!strcmp(words[0], "tcp") || !strcmp(words[0], "udp"));
    bool is_known = has_port || (n && !strcmp(words[0], "icmp"));
    json_t *packet = NULL;
    if (!is_known || n != (has_port ? 3u : 2u))
        error_set(err, ERROR_INVALID, "trace: '%s': %s", call->arguments[1], packet_forms);
    else if (has_port && !number_parse(words[2], &port))
        error_set(err, ERROR_INVALID, "trace: port '%s': give a number from 1 to 65535", words[2]);
    else
        packet = json_pack("{ss ss}", "proto", words[0], "dst", words[1]);
    if (packet && has_port)
        json_object_set_new(packet, "port", json_integer(port));
    arena_free(arena);
    return packet;
}

static void
trace_print(const json_t *answer)
{
    size_t i;
    const json_t *line;
    const char *last = "", *verdict = json_member_string(answer, "verdict");
    json_array_foreach (json_object_get(answer, "lines"), i, line) {
        last = json_string_value(line);
        last = last ? last : "";
        output_text(stdout, last);
    }
    if (verdict && strncmp(last, "VERDICT: ", 9)) {
        fputs("VERDICT: ", stdout);
        output_text(stdout, verdict);
    }
}

static bool
trace_read(struct client *client, const struct call *call, struct error *err)
{
    struct url url;
    json_t *answer, *packet = packet_parse(call, err);
    if (!packet)
        return false;
    json_t *body = json_pack("{ss so}", "from", call_argument(call, "from"), "packet", packet);
    client_url(client, &url, "trace");
    bool is_ok = client_post(client, url.text, body, &answer, err);
    if (is_ok && client->options->format->is_native)
        json_print(answer);
    else if (is_ok)
        trace_print(answer);
    url_done(&url);
    json_decref(body);
    json_decref(answer);
    return is_ok;
}

const struct command insight_commands[] = {
    { "show", NULL, { ARG_OPTIONAL("VPC", "vpc") }, .read = show_read, .help = "show VPCs and what is in them, as a tree" },
    { "host-list", "host", .read = listing_read, .shown = "*name encap_ip connected realised flows gateway error", .help = "list hosts" },
    { "host-del",
      "host",
      { ARG("HOST", "name") },
      .options = OPTION_IF_EXISTS,
      .change = change_del,
      .help = "forget a host that is not connected" },
    { "sync", NULL, .read = sync_read, .help = "return once connected hosts have confirmed everything committed before" },
    { "verify",
      NULL,
      { ARG_OPTIONAL("HOST", "host") },
      .read = verify_read,
      .help = "compare what is in the switches with what should be" },
    { "trace",
      NULL,
      { ARG("PORT|POOL:SRC", "from"), ARG_SOME("PACKET", "packet") },
      .read = trace_read,
      .help = "what happens to a packet: icmp DST, tcp DST PORT or udp DST PORT" },
    { .name = NULL }
};
