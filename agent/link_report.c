/* What is told to vnetd by itself: reports, one at a time, each numbered so that one that is overtaken counts for nothing; and declarations that no hook
 * waits for, a few at a time. Work is as much as has changed. */
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/link_private.h"
#include "base/alloc.h"

#define LOG_MODULE "vnetd"
#include "base/log.h"

#define GATHER_MS 5     /* changes of one moment are one report */
#define REPORT_MAX 500  /* domains in one report that is not whole, and that are gone in any */
#define DECLARING_MAX 4 /* declarations at once that no hook waits for */

static struct log_limit losses = LOG_LIMIT(10), refusals = LOG_LIMIT(20);

/* ---- reports ---- */

void
link_tell_soon(struct vnetd_link *l)
{
    if (l->is_up && !l->is_telling && !evtimer_pending(l->tell, NULL))
        link_wait_ms(l->tell, GATHER_MS);
}

void
link_everything_is_untold(struct vnetd_link *l)
{
    l->wants_full = l->is_host_untold = true;
    MAP_FOR_EACH (n, &l->domains->by_id)
        domain_untold(CONTAINER_OF(n, struct domain, by_id));
}

void
link_everything_is_undeclared(struct vnetd_link *l)
{
    l->n_rest = 0; /* gathered anew */
    MAP_FOR_EACH (n, &l->domains->by_id) {
        struct domain *d = CONTAINER_OF(n, struct domain, by_id);
        if (d->is_active)
            domain_undeclared(d);
    }
}

static void
on_told(void *aux, const json_t *body, const struct error *err)
{
    struct vnetd_link *l = aux;
    l->is_telling = false;
    if (!body) {
        log_warn_limited(&losses, "a report was not taken: %s", err->text);
        domains_lost(l->domains);
        link_everything_is_untold(l);
        link_wait_ms(l->tell, LINK_AGAIN_MS);
        return;
    }
    domains_taken(l->domains);
    domains_gone_told(l->domains, l->n_gone_told);
    link_tell_soon(l);
}

static void
put_domain(json_t *instances, struct domain *d)
{
    json_array_append_new(instances, domain_report_json(d, agent_now_ms()));
    domain_sent(d);
}

static json_t *
gather_instances(struct domains *all, bool is_full)
{
    size_t n_left = REPORT_MAX;
    json_t *instances = json_array();
    if (is_full)
        MAP_FOR_EACH (n, &all->by_id)
            put_domain(instances, CONTAINER_OF(n, struct domain, by_id));
    for (struct list_node *n; n_left && (n = list_first(&all->untold)); n_left--)
        put_domain(instances, CONTAINER_OF(n, struct domain, untold));
    return instances;
}

static json_t *
gather_gone(struct vnetd_link *l)
{
    char id[UUID_STRLEN];
    const struct domains *all = l->domains;
    json_t *gone = json_array();
    l->n_gone_told = all->n_gone < REPORT_MAX ? all->n_gone : REPORT_MAX;
    for (size_t i = 0; i < l->n_gone_told; i++)
        if (!domain_find(all, all->gone[i])) /* else it has come back since */
            json_array_append_new(gone, json_string(uuid_format(all->gone[i], id)));
    return gone;
}

static json_t *
gather(struct vnetd_link *l, bool is_full)
{
    json_t *report = json_pack("{s:s,s:I,s:b,s:b,s:o,s:o}", "run", l->run, "number", (json_int_t) ++l->n_reports, "full", is_full,
                               "answers", l->is_answering, "instances", gather_instances(l->domains, is_full), "gone", gather_gone(l));
    l->is_host_untold = false;
    if (l->is_underlay_known)
        json_object_set_new(report, "underlay",
                            json_pack("{s:s,s:i,s:b}", "device", l->underlay.device, "mtu", l->underlay.mtu, "up", l->underlay.is_up));
    if (l->connections)
        json_object_set_new(report, "connections", l->connections);
    l->connections = NULL;
    return report;
}

/* ---- what hooks could not declare, or what has changed since: a few at a time ---- */

static void on_declared_late(void *aux, const struct error *err);

static bool
is_to_be_declared(const struct domain *d)
{
    return d && list_has(&d->undeclared) && d->is_active && d->doc;
}

static void
declare_next(struct vnetd_link *l)
{
    while (l->is_up && l->n_rest && l->n_declaring < DECLARING_MAX) {
        struct domain *d = domain_find(l->domains, l->rest[--l->n_rest]);
        if (!is_to_be_declared(d))
            continue;
        l->n_declaring++;
        vnetd_link_declare(l, d, LINK_CALL_MS, on_declared_late, l);
    }
}

/* What became so while others were on their way comes after them; what was lost is not asked again at once. */
static void
on_declared_late(void *aux, const struct error *err)
{
    struct vnetd_link *l = aux;
    l->n_declaring--;
    if (err)
        log_warn_limited(&refusals, "a running domain's declaration: %s", err->text);
    declare_next(l);
    if (l->n_rest || l->n_declaring)
        return;
    if (!l->has_lost)
        link_tell_soon(l);
    else if (l->is_up && !evtimer_pending(l->tell, NULL))
        link_wait_ms(l->tell, LINK_AGAIN_MS);
}

static void
declare_rest(struct vnetd_link *l)
{
    if (l->n_rest || l->n_declaring)
        return;
    l->has_lost = false;
    LIST_FOR_EACH_SAFE(n, next, &l->domains->undeclared)
    {
        const struct domain *d = CONTAINER_OF(n, struct domain, undeclared);
        if (!is_to_be_declared(d))
            continue;
        l->rest = mem_grow(l->rest, &l->cap_rest, l->n_rest + 1, sizeof *l->rest);
        l->rest[l->n_rest++] = d->id;
    }
    declare_next(l);
}

/* ---- a turn of telling ---- */

static bool
has_untold(const struct vnetd_link *l)
{
    return l->domains->n_gone > 0 || l->is_host_untold || l->connections || list_first(&l->domains->untold);
}

static void
report(struct vnetd_link *l)
{
    bool is_full = l->wants_full && l->is_whole;
    if (!is_full && !has_untold(l))
        return;
    char *path = link_path(l, "report");
    json_t *body = gather(l, is_full);
    l->wants_full = l->wants_full && !is_full;
    l->is_telling = true;
    api_client_call(l->client, path, body, LINK_CALL_MS, on_told, l);
    free(path);
}

/* The report is sent first, and waits for none of them: what runs is told whatever becomes of what it wants. */
void
link_on_tell(evutil_socket_t fd, short what, void *aux)
{
    struct vnetd_link *l = aux;
    if (!l->is_up || l->is_telling)
        return;
    report(l);
    declare_rest(l);
}
