/* GET /v1/orphan and POST /v1/orphan-del: what is left over. Of all tenants and hosts: for who looks after the whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/api/page.h"
#include "controller/controller.h"
#include "controller/instance/orphan_removal.h"
#include "controller/instance/orphans.h"

/* As a Link header has it, since the orphan may be gone by then: port:NUMBER, or interface:HOST:ID with the host's number. */
static bool
read_after(struct orphan *after, const char *text, struct error *err)
{
    int n = 0;
    *after = (struct orphan){ .is_port = true, .iface_id = "" };
    if (sscanf(text, "port:%10u%n", &after->number, &n) == 1 && n && !text[n])
        return true;
    if (sscanf(text, "interface:%10u:%n", &after->number, &n) != 1 || !n)
        return error_set(err, ERROR_INVALID, "after='%.100s': give what the header Link says", text);
    after->is_port = false;
    after->iface_id = text + n;
    return true;
}

static void
link_next(struct call *call, const struct orphan *last)
{
    char *after = last->is_port ? mem_printf("port:%u", last->number) : mem_printf("interface:%u:%s", last->number, last->iface_id);
    page_link_next(call, after);
    free(after);
}

static void
answer(struct call *call, const struct orphan *after, uint64_t limit)
{
    size_t n, i;
    struct page page;
    struct orphan *found = orphans_find(call->controller, &n);
    page_init(&page, limit);
    for (i = 0; i < n && !page_is_full(&page); i++)
        if (!after || orphan_compare(&found[i], after) > 0)
            page_put(&page, orphan_json(call->controller, &found[i]));
    if (i < n)
        link_next(call, &found[i - 1]);
    page_answer(&page, call);
    free(found);
}

void
api_orphans(struct call *call)
{
    struct error err;
    struct orphan after;
    uint64_t limit = PAGE_ROWS;
    const char *limit_text = call_query(call, "limit"), *after_text = call_query(call, "after");
    bool ok = principal_may(&call->principal, VERB_READ, NULL, &err) && (!limit_text || page_limit_parse(limit_text, &limit, &err))
              && (!after_text || read_after(&after, after_text, &err));
    if (ok)
        answer(call, after_text ? &after : NULL, limit);
    else
        call_error(call, &err, -1);
}

static void
on_removed(void *aux, json_t *take_removed, json_t *take_left)
{
    call_json(aux, 200, json_pack("{s:o,s:o}", "removed", take_removed, "left", take_left));
}

static void
on_asker_gone(void *aux)
{
    orphan_removal_hurry(aux);
}

/* 'ids', or 'all': true. */
static bool
read_orphans(const json_t *body, const json_t **ids, struct error *err)
{
    bool is_all = json_member_bool(body, "all", false);
    *ids = json_object_get(body, "ids");
    if (is_all ? !*ids : json_is_array(*ids) && json_array_size(*ids))
        return true;
    return error_set(err, ERROR_INVALID, "give either \"ids\", an array of ids or names of orphans, or \"all\": true");
}

void
api_orphans_remove(struct call *call)
{
    struct error err;
    const json_t *ids;
    json_t *body = call_body(call, "ids all", &err);
    bool ok = body && principal_may(&call->principal, VERB_ADMIN, NULL, &err) && read_orphans(body, &ids, &err);
    struct orphan_removal *removal = ok ? orphans_remove(call->controller, ids, on_removed, call, &err) : NULL;
    json_decref(body);
    if (!removal) {
        call_error(call, &err, -1);
        return;
    }
    call->gone = on_asker_gone;
    call->aux = removal;
    call_waits(call);
}
