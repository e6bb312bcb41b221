/* What libvirt's hook says, and when it may go on: at 'prepare' once vnetd has the domain's ports, at 'start' once they are in place, or (vnetd
 * away) once their interfaces have the numbers by which flows know them. */
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "base/alloc.h"
#include "base/text.h"

#define LOG_MODULE "hook"
#include "base/log.h"

#define MARGIN_MS 200 /* for the answer to reach a hook that is about to give up */

static struct log_limit limit = LOG_LIMIT(20);

/* A hook that waits. */
struct held {
    struct agent *agent;
    struct hook_call *call;
    struct uuid domain;
    int64_t until_ms;
};

static struct held *
held_new(struct agent *a, struct hook_call *call, const struct hook_message *m, const struct domain *d)
{
    unsigned bound_ms = m->timeout_ms > 2 * MARGIN_MS ? m->timeout_ms - MARGIN_MS : m->timeout_ms / 2;
    struct held *h = mem_zalloc(sizeof *h);
    *h = (struct held){ a, call, d->id, agent_now_ms() + bound_ms };
    return h;
}

static unsigned
left_ms(const struct held *h)
{
    int64_t now_ms = agent_now_ms();
    return now_ms < h->until_ms ? (unsigned) (h->until_ms - now_ms) : 1; /* 0 would be no bound */
}

static void
on_declared(void *aux, const struct error *err)
{
    struct held *h = aux;
    if (err)
        log_warn_limited(&limit, "declaration refused: %s", err->text);
    hook_call_answer(h->call, err ? err->text : NULL);
    free(h);
}

static void
on_waited(void *aux, bool is_ready)
{
    struct held *h = aux;
    if (!is_ready)
        log_warn_limited(&limit, "a domain starts before its ports are in place");
    hook_call_answer(h->call, NULL);
    free(h);
}

static void
wait_for_ports(struct held *h, const struct domain *d)
{
    const struct agent *a = h->agent;
    if (d)
        vnetd_link_wait(a->link, d, left_ms(h), on_waited, h);
    else
        on_waited(h, false);
}

static void
on_declared_at_start(void *aux, const struct error *err)
{
    struct held *h = aux;
    if (err)
        log_warn_limited(&limit, "declaration refused: %s", err->text);
    wait_for_ports(h, domain_find(&h->agent->domains, h->domain));
}

static void
wait_for_numbers(struct held *h, const struct domain *d)
{
    const char *ids[DOMAIN_INTERFACES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < d->doc->n_interfaces; i++)
        if (d->doc->interfaces[i].id[0])
            ids[n++] = d->doc->interfaces[i].id;
    numbers_wait(h->agent->numbers, ids, n, left_ms(h), on_waited, h);
}

/* As long as vnetd places flows; without it, until its interfaces have the numbers by which flows know them. What it has not answered at 'prepare', or
 * was not known then, is declared first: no port that is not there is waited for. */
static void
on_start(struct agent *a, struct hook_call *call, const struct hook_message *m, struct domain *d)
{
    struct held *h = held_new(a, call, m, d);
    if (!vnetd_link_is_up(a->link))
        wait_for_numbers(h, d);
    else if (d->is_answered)
        wait_for_ports(h, d);
    else
        vnetd_link_declare(a->link, d, left_ms(h), on_declared_at_start, h);
}

static void
on_prepare(struct agent *a, struct hook_call *call, const struct hook_message *m, struct domain *d)
{
    const char *refusal = d->doc->declaration.text;
    if (*refusal) {
        log_warn_limited(&limit, "domain '%s': declaration refused: %s", d->name, refusal);
        hook_call_answer(call, refusal);
        return;
    }
    struct held *h = held_new(a, call, m, d);
    d->is_answered = false;
    vnetd_link_declare(a->link, d, left_ms(h), on_declared, h);
}

static void
on_operation(struct agent *a, struct hook_call *call, const struct hook_message *m, struct domain *d)
{
    if (!strcmp(m->operation, "migrate"))
        d->is_incoming = true;
    else if (!strcmp(m->operation, "release") && d->is_incoming)
        domain_event(d, "stopped failed", agent_now_ms()); /* of one that never came libvirt has no event if a hook stopped it */
    if (!strcmp(m->operation, "prepare") && d->doc) {
        on_prepare(a, call, m, d);
    } else if (!strcmp(m->operation, "start") && d->doc) {
        on_start(a, call, m, d);
    } else {
        hook_call_answer(call, NULL);
        if (!d->is_incoming) /* libvirt does not list yet what is still to come */
            virt_look_at(a->virt, d->id);
    }
}

void
agent_on_hook(void *agent, struct hook_call *call, const struct hook_message *m)
{
    struct agent *a = agent;
    struct error err;
    char guest[100];
    struct domain_doc *doc = m->n_xml ? domain_doc_parse(m->xml, m->n_xml, &err) : NULL;
    text_escape(guest, sizeof guest, m->guest);
    log_dbg("domain '%s': %s %s", guest, m->operation, m->suboperation);
    if (!doc) {
        log_warn_limited(&limit, "domain '%s': %s", guest, m->n_xml ? err.text : "no XML came with the hook");
        hook_call_answer(call, NULL);
        return;
    }
    struct domain *d = domain_get(&a->domains, doc->id, doc->name, agent_now_ms());
    d->touched_ms = agent_now_ms();
    domain_set_doc(d, doc);
    on_operation(a, call, m, d);
    vnetd_link_tell(a->link, false);
}
