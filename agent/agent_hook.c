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
};

static struct held *
held_new(struct agent *a, struct hook_call *call, const struct domain *d)
{
    struct held *h = mem_zalloc(sizeof *h);
    *h = (struct held){ a, call, d->id };
    return h;
}

static unsigned
bound_ms(const struct hook_message *m)
{
    return m->timeout_ms > 2 * MARGIN_MS ? m->timeout_ms - MARGIN_MS : m->timeout_ms / 2;
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

/* As long as vnetd places flows; without it, until its interfaces have the numbers by which flows know them. */
static void
on_start(struct agent *a, struct hook_call *call, const struct hook_message *m, const struct domain *d)
{
    const char *ids[DOMAIN_INTERFACES_MAX];
    size_t n = 0;
    if (vnetd_link_is_up(a->link)) {
        vnetd_link_wait(a->link, d, bound_ms(m), on_waited, held_new(a, call, d));
        return;
    }
    for (size_t i = 0; i < d->doc->n_interfaces; i++)
        if (d->doc->interfaces[i].id[0])
            ids[n++] = d->doc->interfaces[i].id;
    numbers_wait(a->numbers, ids, n, bound_ms(m), on_waited, held_new(a, call, d));
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
    vnetd_link_declare(a->link, d, bound_ms(m), on_declared, held_new(a, call, d));
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
