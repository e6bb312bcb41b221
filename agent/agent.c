#include "agent/agent.h"

#include <event2/thread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/virt_loop.h"
#include "base/alloc.h"

#define LOG_MODULE "agent"
#include "base/log.h"

#define INCOMING_MS 10000 /* from when a migration is announced until libvirt must list it */
#define STOP_MS 3000      /* for libvirt to let us go */

int64_t
agent_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

#define LOOK_AGAIN_S 1

/* A migration that is given up ends without an event. */
static void
on_look_again(evutil_socket_t fd, short what, void *aux)
{
    const struct agent *a = aux;
    MAP_FOR_EACH (n, &a->domains.by_id) {
        const struct domain *d = CONTAINER_OF(n, struct domain, by_id);
        if (d->is_migrating_out)
            virt_look_at(a->virt, d->id);
    }
}

static void
look_again(const struct agent *a, const struct domain *d)
{
    struct timeval tv = { LOOK_AGAIN_S, 0 };
    if (d->is_migrating_out)
        evtimer_add(a->look_again, &tv);
}

/* ---- what libvirt tells ---- */

static void
on_event(void *aux, struct uuid id, const char *name, const char *words)
{
    struct agent *a = aux;
    struct domain *d = domain_get(&a->domains, id, name, agent_now_ms());
    log_dbg("domain '%s': %s", name, words);
    d->touched_ms = agent_now_ms();
    domain_event(d, words, agent_now_ms());
    since_changed(a->since);
    look_again(a, d);
    vnetd_link_tell(a->link, false);
}

/* A guest that is about to come from another host is not among libvirt's domains yet. */
static bool
is_expected(const struct domain *d, int64_t now_ms)
{
    return d->is_incoming && now_ms < d->touched_ms + INCOMING_MS;
}

/* vnetd takes none without a name. */
static const char *
name_of(const struct virt_domain *v, char id[UUID_STRLEN])
{
    return v->name && *v->name ? v->name : uuid_format(v->id, id);
}

/* What was known of it stays. Of one that was not known it is known that it is there: it is not to be taken for gone. */
static void
take_unread(struct agent *a, const struct domain *d, const struct virt_domain *v)
{
    char id[UUID_STRLEN];
    static struct log_limit limit = LOG_LIMIT(10);
    const char *name = name_of(v, id);
    log_warn_limited(&limit, "domain '%s' stays as it was known: %s", name, v->unread);
    if (!d)
        domain_get(&a->domains, v->id, name, agent_now_ms())->reason = "unread";
}

static void
remove_domain(struct agent *a, struct domain *d)
{
    domain_remove(&a->domains, d);
    since_changed(a->since);
}

static void
take_domain(struct agent *a, struct virt_domain *v)
{
    char id[UUID_STRLEN];
    struct domain *d = domain_find(&a->domains, v->id);
    if (v->unread) {
        take_unread(a, d, v);
        return;
    }
    if (v->is_gone) {
        if (d && !is_expected(d, agent_now_ms()))
            remove_domain(a, d);
        return;
    }
    if (!d)
        d = domain_get(&a->domains, v->id, name_of(v, id), agent_now_ms());
    if (!v->is_active && !is_expected(d, agent_now_ms()))
        d->is_incoming = false; /* it did not come */
    domain_take(d, v, agent_now_ms());
    since_read(a->since, d);
    if (list_has(&d->untold))
        since_changed(a->since);
    look_again(a, d);
}

static void
on_read(void *aux, struct virt_domain *v)
{
    struct agent *a = aux;
    take_domain(a, v);
    virt_domain_done(v);
    vnetd_link_tell(a->link, false);
}

static int
compare_uuids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

/* What is not listed is gone, unless something was heard of it after the listing began. */
static void
on_listed(void *aux, const struct uuid *ids, size_t n, int64_t begun_ms)
{
    struct agent *a = aux;
    struct uuid *sorted = mem_zalloc((n + 1) * sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = ids[i];
    qsort(sorted, n, sizeof *sorted, compare_uuids);
    MAP_FOR_EACH_SAFE (node, next, &a->domains.by_id) {
        struct domain *d = CONTAINER_OF(node, struct domain, by_id);
        if (d->touched_ms < begun_ms && !is_expected(d, begun_ms) && !bsearch(&d->id, sorted, n, sizeof *sorted, compare_uuids))
            remove_domain(a, d);
    }
    free(sorted);
    vnetd_link_tell(a->link, false);
}

static void
on_whole(void *aux)
{
    const struct agent *a = aux;
    since_whole(a->since);
    vnetd_link_tell(a->link, true);
}

static void
on_counted(void *aux, struct virt_domain *list, size_t n)
{
    const struct agent *a = aux;
    for (size_t i = 0; i < n; i++) {
        struct domain *d = domain_find(&a->domains, list[i].id);
        if (d && list[i].counters && !json_equal(d->counters, list[i].counters)) {
            json_decref(d->counters);
            d->counters = json_incref(list[i].counters);
            domain_untold(d);
        }
        virt_domain_done(&list[i]);
    }
    vnetd_link_tell(a->link, false);
}

static void
on_lost(void *aux)
{
    vnetd_link_not_whole(((struct agent *) aux)->link);
}

static const struct virt_ops virt_ops = { on_event, on_read, on_listed, on_whole, on_counted, on_lost };

/* ---- what the host's database tells ---- */

static void
on_facts(void *aux, const struct ovsdb_facts *facts)
{
    const struct agent *a = aux;
    vnetd_link_set_host(a->link, facts->system_id);
    underlay_set_address(a->underlay, facts->encap_ip);
    conntrack_set_datapath(a->conntrack, facts->datapath_type);
    if (facts->bridge[0])
        answers_set_bridge(a->answers, facts->bridge);
}

static void
on_interfaces(void *aux, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone, size_t n_gone, bool is_first)
{
    numbers_interfaces(((struct agent *) aux)->numbers, changed, n_changed, gone, n_gone, is_first);
}

static const struct local_host_ops local_host_ops = { on_facts, on_interfaces };

static void
on_underlay(void *aux, const struct underlay_facts *facts)
{
    vnetd_link_set_underlay(((struct agent *) aux)->link, facts);
}

static void
on_answering(void *aux, bool is_answering)
{
    const struct agent *a = aux;
    vnetd_link_set_answering(a->link, is_answering);
    if (is_answering)
        numbers_look(a->numbers);
}

/* ---- numbers ask ---- */

static void
on_admitted(void *aux, uint32_t ofport, struct mac mac)
{
    numbers_flow(((struct agent *) aux)->numbers, ofport, mac);
}

static void
on_admitted_all(void *aux, bool ok)
{
    numbers_read(((struct agent *) aux)->numbers, ok);
}

static bool
read_admitted(void *aux)
{
    const struct answers_reader reader = { on_admitted, on_admitted_all, aux };
    return answers_read_admitted(((struct agent *) aux)->answers, &reader);
}

static bool
is_taken(void *aux, uint32_t number)
{
    return local_host_ofport_is_taken(((struct agent *) aux)->local, number);
}

static void
request(void *aux, const char *interface, const char *iface_id, uint32_t number)
{
    local_host_request_ofport(((struct agent *) aux)->local, interface, iface_id, number);
}

static const struct numbers_ops numbers_ops = { read_admitted, is_taken, request };

static void
on_vnetd(void *aux, bool is_up)
{
    numbers_set_vnetd(((struct agent *) aux)->numbers, is_up);
}

/* ---- what its switch tells ---- */

static void
on_counting(void *aux, bool is_wanted)
{
    conntrack_set_wanted(((struct agent *) aux)->conntrack, is_wanted);
}

static void
on_connections(void *aux, json_t *take)
{
    vnetd_link_set_connections(((struct agent *) aux)->link, take);
}

/* ---- start and stop ---- */

/* Open vSwitch's sockets are where its database's is. */
static void
start_beside(struct agent *a, const char *ovsdb)
{
    const char *file = !strncmp(ovsdb, "unix:", 5) ? ovsdb + 5 : ovsdb, *slash = strrchr(file, '/');
    char *folder = mem_printf("%.*s", slash ? (int) (slash - file) : 1, slash ? file : ".");
    a->answers = answers_new(a->base, folder, on_answering, a);
    a->conntrack = conntrack_new(a->base, folder, on_connections, a);
    free(folder);
}

/* What it knows of before. */
static void
start_from(struct agent *a, const char *folder)
{
    char *numbers = mem_printf("%s/numbers.json", folder), *since = mem_printf("%s/since.json", folder);
    a->numbers = numbers_new(a->base, numbers, &numbers_ops, a);
    a->since = since_new(a->base, since, &a->domains);
    free(numbers);
    free(since);
}

bool
agent_start(struct agent *a, const struct agent_options *o, struct error *err)
{
    struct api_server server = { o->server, o->key, o->cert, o->ca };
    evthread_use_pthreads();
    *a = (struct agent){ .base = event_base_new(), .options = o };
    domains_init(&a->domains);
    virt_loop_register(a->base);
    a->look_again = evtimer_new(a->base, on_look_again, a);
    a->worker = worker_new(a->base);
    a->link = vnetd_link_new(a->base, &server, &a->domains, err);
    start_from(a, o->state_dir);
    start_beside(a, o->ovsdb);
    if (a->link)
        vnetd_link_on_counting(a->link, on_counting, a);
    a->underlay = underlay_new(a->base, on_underlay, a);
    if (a->link)
        vnetd_link_on_turn(a->link, on_vnetd, a);
    a->local = a->link ? local_host_new(a->base, o->ovsdb, &local_host_ops, a, err) : NULL;
    a->hooks = a->local ? hook_server_new(a->base, o->socket, agent_on_hook, a, err) : NULL;
    if (a->hooks) {
        a->virt = virt_new(a->base, a->worker, o->connect, &virt_ops, a);
        return true;
    }
    agent_stop(a);
    return false;
}

/* Turns of the loop until libvirt has let go. A call that hangs is not waited for. */
static bool
settle(struct agent *a)
{
    int64_t end = agent_now_ms() + STOP_MS;
    while (!worker_is_idle(a->worker) && agent_now_ms() < end) {
        struct timeval tv = { 0, 10000 };
        event_base_loopexit(a->base, &tv);
        event_base_dispatch(a->base);
    }
    return worker_is_idle(a->worker);
}

void
agent_stop(struct agent *a)
{
    if (a->virt)
        virt_stop(a->virt);
    bool is_settled = settle(a);
    if (a->link)
        vnetd_link_on_counting(a->link, NULL, NULL);
    answers_free(a->answers);
    conntrack_free(a->conntrack);
    underlay_free(a->underlay);
    vnetd_link_free(a->link);
    numbers_free(a->numbers); /* hooks that wait for it are let go */
    since_free(a->since);
    hook_server_free(a->hooks);
    local_host_free(a->local);
    if (!is_settled) { /* a thread still uses the rest */
        log_warn("libvirt does not let go; leaving it behind");
        quick_exit(0);
    }
    if (a->virt)
        virt_free(a->virt);
    worker_free(a->worker);
    event_free(a->look_again);
    event_base_loop(a->base, EVLOOP_NONBLOCK);
    virt_loop_done();
    domains_done(&a->domains);
    event_base_free(a->base);
}
