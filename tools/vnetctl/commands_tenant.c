/* Tenants and their quotas. */
#include "tools/vnetctl/change.h"
#include "tools/vnetctl/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A number, or null for 'none' and '-'. */
static json_t *
limit_parse(const char *text)
{
    char *end;
    if (!strcmp(text, "none") || !strcmp(text, "-"))
        return json_null();
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    bool is_number = strspn(text, "0123456789") == strlen(text) && *text && !errno && n <= UINT32_MAX;
    return is_number ? json_integer((json_int_t) n) : NULL;
}

static json_t *
quota_set(const struct call *call, struct error *err)
{
    json_t *op = change_op("set", "tenant", call_argument(call, "name"));
    json_t *quotas = json_object();
    json_object_set_new(op, "values", json_pack("{so}", "quotas", quotas));
    for (size_t i = 0; i < call->n_values; i++) {
        const struct assignment *a = &call->values[i];
        json_t *limit = a->key ? NULL : limit_parse(a->value);
        if (!limit) {
            json_decref(op);
            error_set(err, ERROR_INVALID, "quota-set: %s=%s: give a number from 0 to 4294967295, or none", a->column, a->value);
            return NULL;
        }
        json_object_set_new(quotas, a->column, limit);
    }
    return op;
}

/* The map of quotas as rows. */
static bool
quota_show(struct client *client, const struct call *call, struct error *err)
{
    struct url url;
    json_t *tenants, *limit, *rows = json_array();
    const char *type;
    client_url(client, &url, "tenant");
    url_query(&url, "name", call_argument(call, "name"));
    url_query(&url, "columns", "quotas");
    bool is_ok = client_get(client, url.text, &tenants, err);
    json_object_foreach (json_object_get(json_array_get(tenants, 0), "quotas"), type, limit)
        json_array_append_new(rows, json_pack("{ss sO}", "type", type, "limit", limit));
    is_ok = is_ok && listing_print(client, "tenant", "*type limit", rows, err);
    url_done(&url);
    json_decref(tenants);
    json_decref(rows);
    return is_ok;
}

const struct command tenant_commands[] = {
    { "tenant-add",
      "tenant",
      { ARG("TENANT", "name") },
      VALUES_OPTIONAL,
      NULL,
      .options = OPTION_MAY_EXIST,
      .change = change_add,
      .help = "make a tenant; names of objects are its own" },
    { "tenant-del",
      "tenant",
      { ARG("TENANT", "name") },
      .options = OPTION_IF_EXISTS,
      .change = change_del,
      .help = "delete a tenant that owns nothing" },
    { "tenant-list", "tenant", .read = listing_read, .shown = "*name quotas tags", .help = "list tenants" },
    { "quota-set",
      "tenant",
      { ARG("TENANT", "name") },
      VALUES_REQUIRED,
      "TYPE=N...",
      .change = quota_set,
      .help = "limit how many objects of a type it may have; none: no limit" },
    { "quota-show", "tenant", { ARG("TENANT", "name") }, .read = quota_show, .help = "show limits; types not shown have none" },
    { .name = NULL }
};
