#include "agent/link_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "agent/agent.h"
#include "agent/instructions.h"
#include "base/alloc.h"

#define LOG_MODULE "vnetd"
#include "base/log.h"

#define ANSWER_MS 500 /* of the time a hook has, for vnetd's answer to arrive */

/* A question of a hook on its way. */
struct asking {
    struct vnetd_link *link;
    struct uuid domain;
    link_declared *declared;
    link_waited *waited;
    void *aux;
};

static struct log_limit losses = LOG_LIMIT(10);

void
link_wait_ms(struct event *timer, int64_t ms)
{
    struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    evtimer_add(timer, &tv);
}

char *
link_path(const struct vnetd_link *l, const char *what)
{
    return mem_printf("/v1/agent/%s%s", what, l->query);
}

/* ---- what is to be told ---- */

void
vnetd_link_tell(struct vnetd_link *l, bool is_whole)
{
    l->is_whole = l->is_whole || is_whole;
    link_tell_soon(l);
}

void
vnetd_link_set_answering(struct vnetd_link *l, bool is_answering)
{
    l->is_answering = is_answering;
    l->is_host_untold = true;
    link_tell_soon(l);
}

void
vnetd_link_set_underlay(struct vnetd_link *l, const struct underlay_facts *facts)
{
    l->underlay = *facts;
    l->is_underlay_known = true;
    l->is_host_untold = true;
    link_tell_soon(l);
}

void
vnetd_link_set_connections(struct vnetd_link *l, json_t *take)
{
    json_decref(l->connections);
    l->connections = take;
    link_tell_soon(l);
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
    link_everything_is_untold(l);
    link_everything_is_undeclared(l);
    link_tell_soon(l);
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
        domain_undeclared(d);
    else if (d)
        d->is_answered = true;
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
        domain_undeclared(d);
        declared(aux, NULL);
        return;
    }
    struct asking *a = asking_new(l, d, aux);
    char *path = link_path(l, "declare");
    a->declared = declared;
    domain_declared(d);
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
    char *path = link_path(l, "wait");
    a->waited = waited;
    api_client_call(l->client, path, json_pack("{s:o,s:f}", "ports", ports, "timeout", asked_ms / 1000.0), timeout_ms, on_waited, a);
    free(path);
}

/* ---- lifetime ---- */

static void
name_run(char run[UUID_STRLEN])
{
    uint8_t random[16];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort();
    uuid_format(uuid_from_random(random), run);
}

struct vnetd_link *
vnetd_link_new(struct event_base *base, const struct api_server *server, struct domains *domains, struct error *err)
{
    struct api_client *client = api_client_new(base, server, err);
    if (!client)
        return NULL;
    struct vnetd_link *l = mem_zalloc(sizeof *l);
    *l = (struct vnetd_link){ .base = base, .client = client, .domains = domains, .server = server->server };
    name_run(l->run);
    l->instructions = instructions_new(base, client, &instructions_ops, l);
    l->tell = evtimer_new(base, link_on_tell, l);
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
