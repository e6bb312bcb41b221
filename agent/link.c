#include "agent/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/instructions.h"
#include "base/alloc.h"

#define LOG_MODULE "vnetd"
#include "base/log.h"

#define AGAIN_MS 2000 /* after a report that was not taken */
#define CALL_MS 10000
#define ANSWER_MS 500   /* of the time a hook has, for vnetd's answer to arrive */
#define GATHER_MS 5     /* changes of one moment are one report */
#define REPORT_MAX 500  /* domains in one report that is not whole */
#define DECLARING_MAX 4 /* declarations at once that no hook waits for */

struct vnetd_link {
    struct event_base *base;
    struct api_client *client;
    struct instructions *instructions;
    struct domains *domains;
    const char *server;
    char *host, *query; /* "?host=NAME"; NULL: not known yet */
    bool is_up;         /* vnetd has said hello, and is not silent */
    bool is_whole;      /* the table is all that libvirt has */
    bool wants_full;    /* vnetd knows nothing of us yet */
    bool is_telling;
    bool is_answering, is_host_untold, is_underlay_known;
    struct underlay_facts underlay;
    json_t *connections; /* NULL: vnetd knows them */
    link_counting *counting;
    void *counting_aux;
    size_t n_gone_told; /* of domains.gone, in the report on its way */
    struct uuid *rest;  /* domains that are still to be declared without a hook */
    size_t n_rest, cap_rest, n_declaring;
    bool has_lost; /* a declaration, since they were last gathered */
    struct event *tell;
    link_turned *turned; /* NULL: nobody cares */
    void *turned_aux;
};

/* A question of a hook on its way. */
struct asking {
    struct vnetd_link *link;
    struct uuid domain;
    link_declared *declared;
    link_waited *waited;
    void *aux;
};

static struct log_limit losses = LOG_LIMIT(10), refusals = LOG_LIMIT(20);

static void
wait_ms(struct event *timer, int64_t ms)
{
    struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    evtimer_add(timer, &tv);
}

static char *
path_of(const struct vnetd_link *l, const char *what)
{
    return mem_printf("/v1/agent/%s%s", what, l->query);
}

/* ---- telling ---- */

static void
tell_soon(struct vnetd_link *l)
{
    if (l->is_up && !l->is_telling && !evtimer_pending(l->tell, NULL))
        wait_ms(l->tell, GATHER_MS);
}

static void
everything_is_untold(struct vnetd_link *l)
{
    l->wants_full = l->is_host_untold = true;
    MAP_FOR_EACH (n, &l->domains->by_id) {
        CONTAINER_OF(n, struct domain, by_id)->is_untold = true;
    }
}

static void
everything_is_undeclared(struct vnetd_link *l)
{
    l->n_rest = 0; /* gathered anew */
    MAP_FOR_EACH (n, &l->domains->by_id) {
        struct domain *d = CONTAINER_OF(n, struct domain, by_id);
        d->is_undeclared = d->is_active;
    }
}

static void
on_told(void *aux, const json_t *body, const struct error *err)
{
    struct vnetd_link *l = aux;
    l->is_telling = false;
    if (!body) {
        log_warn_limited(&losses, "a report was not taken: %s", err->text);
        everything_is_untold(l);
        wait_ms(l->tell, AGAIN_MS);
        return;
    }
    domains_gone_told(l->domains, l->n_gone_told);
    tell_soon(l);
}

static json_t *
gather(struct vnetd_link *l, bool is_full)
{
    char id[UUID_STRLEN];
    size_t n = 0;
    json_t *instances = json_array(), *gone = json_array();
    MAP_FOR_EACH (node, &l->domains->by_id) {
        struct domain *d = CONTAINER_OF(node, struct domain, by_id);
        if (!is_full && (!d->is_untold || ++n > REPORT_MAX))
            continue;
        json_array_append_new(instances, domain_report_json(d, agent_now_ms()));
        domain_told(d);
    }
    for (size_t i = 0; i < l->domains->n_gone; i++)
        if (!domain_find(l->domains, l->domains->gone[i])) /* else it has come back since */
            json_array_append_new(gone, json_string(uuid_format(l->domains->gone[i], id)));
    l->n_gone_told = l->domains->n_gone;
    l->is_host_untold = false;
    json_t *report = json_pack("{s:b,s:b,s:o,s:o}", "full", is_full, "answers", l->is_answering, "instances", instances, "gone", gone);
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
    return d && d->is_undeclared && d->is_active && d->doc;
}

static void
declare_next(struct vnetd_link *l)
{
    while (l->is_up && l->n_rest && l->n_declaring < DECLARING_MAX) {
        struct domain *d = domain_find(l->domains, l->rest[--l->n_rest]);
        if (!is_to_be_declared(d))
            continue;
        l->n_declaring++;
        vnetd_link_declare(l, d, CALL_MS, on_declared_late, l);
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
        tell_soon(l);
    else if (l->is_up && !evtimer_pending(l->tell, NULL))
        wait_ms(l->tell, AGAIN_MS);
}

static void
declare_rest(struct vnetd_link *l)
{
    if (l->n_rest || l->n_declaring)
        return;
    l->has_lost = false;
    MAP_FOR_EACH (n, &l->domains->by_id) {
        const struct domain *d = CONTAINER_OF(n, struct domain, by_id);
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
    bool found = l->domains->n_gone > 0 || l->is_host_untold || l->connections;
    MAP_FOR_EACH (n, &l->domains->by_id) {
        found = found || CONTAINER_OF(n, struct domain, by_id)->is_untold;
    }
    return found;
}

static void
report(struct vnetd_link *l)
{
    bool is_full = l->wants_full && l->is_whole;
    if (!is_full && !has_untold(l))
        return;
    char *path = path_of(l, "report");
    json_t *body = gather(l, is_full);
    l->wants_full = l->wants_full && !is_full;
    l->is_telling = true;
    api_client_call(l->client, path, body, CALL_MS, on_told, l);
    free(path);
}

/* The report is sent first, and waits for none of them: what runs is told whatever becomes of what it wants. */
static void
on_tell(evutil_socket_t fd, short what, void *aux)
{
    struct vnetd_link *l = aux;
    if (!l->is_up || l->is_telling)
        return;
    report(l);
    declare_rest(l);
}

void
vnetd_link_tell(struct vnetd_link *l, bool is_whole)
{
    l->is_whole = l->is_whole || is_whole;
    tell_soon(l);
}

void
vnetd_link_set_answering(struct vnetd_link *l, bool is_answering)
{
    l->is_answering = is_answering;
    l->is_host_untold = true;
    tell_soon(l);
}

void
vnetd_link_set_underlay(struct vnetd_link *l, const struct underlay_facts *facts)
{
    l->underlay = *facts;
    l->is_underlay_known = true;
    l->is_host_untold = true;
    tell_soon(l);
}

void
vnetd_link_set_connections(struct vnetd_link *l, json_t *take)
{
    json_decref(l->connections);
    l->connections = take;
    tell_soon(l);
}

void
vnetd_link_on_counting(struct vnetd_link *l, link_counting *counting, void *aux)
{
    l->counting = counting;
    l->counting_aux = aux;
}

void
vnetd_link_not_whole(struct vnetd_link *l)
{
    l->is_whole = false;
}

/* ---- the stream ---- */

static void
tell_turn(const struct vnetd_link *l)
{
    if (l->turned)
        l->turned(l->turned_aux, l->is_up);
}

static void
set_counting(struct vnetd_link *l, bool is_wanted)
{
    if (l->counting)
        l->counting(l->counting_aux, is_wanted);
    if (!is_wanted) {
        json_decref(l->connections);
        l->connections = NULL;
    }
}

static void
on_count(struct vnetd_link *l, const char *data)
{
    struct error err;
    json_t *what = json_parse(data, strlen(data), "an instruction", &err);
    set_counting(l, json_member_bool(what, "connections", false));
    json_decref(what);
}

static void
on_up(void *aux)
{
    struct vnetd_link *l = aux;
    log_info("%s: connected as host '%s'", l->server, l->host);
    l->is_up = true;
    everything_is_untold(l);
    everything_is_undeclared(l);
    tell_soon(l);
    tell_turn(l);
}

static void
on_instruction(void *aux, const char *name, const char *data)
{
    struct vnetd_link *l = aux;
    if (!strcmp(name, "count"))
        on_count(l, data);
    else
        log_dbg("%s: instruction '%s' is not known", l->server, name);
}

static void
on_down(void *aux)
{
    struct vnetd_link *l = aux;
    l->is_up = false;
    tell_turn(l);
    set_counting(l, false);
}

static const struct instructions_ops instructions_ops = { on_up, on_instruction, on_down };

void
vnetd_link_set_host(struct vnetd_link *l, const char *name)
{
    if (l->host && !strcmp(l->host, name))
        return;
    free(l->host);
    free(l->query);
    l->host = mem_strdup(name);
    l->query = mem_printf("?host=%s", name);
    instructions_set_host(l->instructions, name);
}

void
vnetd_link_on_turn(struct vnetd_link *l, link_turned *turned, void *aux)
{
    l->turned = turned;
    l->turned_aux = aux;
}

bool
vnetd_link_is_up(const struct vnetd_link *l)
{
    return l->is_up;
}

/* ---- what hooks ask ---- */

static struct asking *
asking_new(struct vnetd_link *l, const struct domain *d, void *aux)
{
    struct asking *a = mem_zalloc(sizeof *a);
    *a = (struct asking){ .link = l, .domain = d->id, .aux = aux };
    return a;
}

/* Refused is an answer too; only when none came is it asked again. */
static void
on_declared(void *aux, const json_t *body, const struct error *err)
{
    struct asking *a = aux;
    bool is_lost = !body && (err->code == ERROR_UNAVAILABLE || err->code == ERROR_TIMEOUT || err->code == ERROR_PROTOCOL);
    struct domain *d = domain_find(a->link->domains, a->domain);
    if (d && is_lost)
        d->is_undeclared = true;
    a->link->has_lost = a->link->has_lost || is_lost;
    if (is_lost)
        log_warn_limited(&losses, "a declaration was not taken: %s", err->text);
    a->declared(a->aux, body || is_lost ? NULL : err);
    free(a);
}

void
vnetd_link_declare(struct vnetd_link *l, struct domain *d, unsigned timeout_ms, link_declared *declared, void *aux)
{
    if (!l->is_up) {
        d->is_undeclared = true;
        declared(aux, NULL);
        return;
    }
    struct asking *a = asking_new(l, d, aux);
    char *path = path_of(l, "declare");
    a->declared = declared;
    d->is_undeclared = false;
    api_client_call(l->client, path, domain_declaration_json(d), timeout_ms, on_declared, a);
    free(path);
}

static void
on_waited(void *aux, const json_t *body, const struct error *err)
{
    struct asking *a = aux;
    a->waited(a->aux, body && json_member_bool(body, "ready", false));
    free(a);
}

void
vnetd_link_wait(struct vnetd_link *l, const struct domain *d, unsigned timeout_ms, link_waited *waited, void *aux)
{
    if (!l->is_up) {
        waited(aux, false);
        return;
    }
    struct asking *a = asking_new(l, d, aux);
    unsigned asked_ms = timeout_ms > 2 * ANSWER_MS ? timeout_ms - ANSWER_MS : timeout_ms / 2;
    json_t *ports = json_array();
    for (size_t i = 0; d->doc && i < d->doc->n_interfaces; i++)
        if (d->doc->interfaces[i].id[0])
            json_array_append_new(ports, json_string(d->doc->interfaces[i].id));
    char *path = path_of(l, "wait");
    a->waited = waited;
    api_client_call(l->client, path, json_pack("{s:o,s:f}", "ports", ports, "timeout", asked_ms / 1000.0), timeout_ms, on_waited, a);
    free(path);
}

/* ---- lifetime ---- */

struct vnetd_link *
vnetd_link_new(struct event_base *base, const struct api_server *server, struct domains *domains, struct error *err)
{
    struct api_client *client = api_client_new(base, server, err);
    if (!client)
        return NULL;
    struct vnetd_link *l = mem_zalloc(sizeof *l);
    *l = (struct vnetd_link){ .base = base, .client = client, .domains = domains, .server = server->server };
    l->instructions = instructions_new(base, client, &instructions_ops, l);
    l->tell = evtimer_new(base, on_tell, l);
    return l;
}

void
vnetd_link_free(struct vnetd_link *l)
{
    if (!l)
        return;
    l->turned = NULL;
    l->is_up = false; /* nothing is asked any more */
    api_client_free(l->client);
    instructions_free(l->instructions);
    event_free(l->tell);
    json_decref(l->connections);
    free(l->rest);
    free(l->host);
    free(l->query);
    free(l);
}
