/* Compiling a host's table in turns of the loop, and when its switch may be compared with it.
 *
 * A turn is a timer that has run out, never an event made active: those would all be served before the loop looks at any connection again. */
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/host.h"

/* All hosts' turns in one round of the loop together end after this long, so that first fills delay nobody; then each takes one step. */
#define COMPILE_TURN_MS 5
#define COMPILE_STEP 64

void host_attach(struct hypervisor *h)
{
    if (h->table || !h->number)
        return;
    h->table = flow_table_new();
    compiler_attach(hosts_controller(h->all)->compiler, h->number, h->table);
    host_concern(h, hosts_controller(h->all)->seq);
}

static void turn_schedule(struct hypervisor *h)
{
    if (!event_pending(h->compile, EV_TIMEOUT, NULL))
        event_add(h->compile, &(struct timeval) { 0, 0 });
}

/* Milliseconds that this round of the loop has taken so far. */
static int64_t round_ms(struct event_base *base)
{
    struct timeval began, now, took;
    event_base_gettimeofday_cached(base, &began);
    evutil_gettimeofday(&now, NULL);
    evutil_timersub(&now, &began, &took);
    return took.tv_sec * 1000LL + took.tv_usec / 1000;
}

void host_concern(struct hypervisor *h, uint64_t seq)
{
    if (seq > h->wanted_seq)
        h->wanted_seq = seq;
    if (h->table)
        turn_schedule(h);
}

static void report_conflict(void *aux, uint64_t cookie, const struct error *err)
{
    struct hypervisor *h = aux;
    host_set_error(h, "flows of object %u conflict: %s", cookie_number(cookie), err->text);
}

void host_compile_turn(evutil_socket_t fd, short what, void *aux)
{
    struct hypervisor *h = aux;
    struct controller *c = hosts_controller(h->all);
    bool more;
    if (!h->table)
        return;
    do
        more = compiler_run(c->compiler, h->number, COMPILE_STEP, report_conflict, h);
    while (more && round_ms(c->base) < COMPILE_TURN_MS);
    if (more) {
        if (h->is_reconciling)
            of_session_push(h->of);
        turn_schedule(h);
        return;
    }
    if (h->is_reconciling)
        of_session_flush(h->of, h->wanted_seq);
    else
        host_consider_reconcile(h);
}

/* Ready: its own database has been read whole and its tunnels have numbers, so the view of it is complete. */
static bool is_view_complete(const struct hypervisor *h)
{
    const struct runtime_host *r = runtime_host(hosts_controller(h->all)->runtime, h->number);
    bool use[2];
    hosts_encaps_in_use(h->all, use);
    return h->has_facts && h->has_interfaces && h->has_ports && h->is_configured && r
        && (!use[ENCAP_GENEVE] || r->tunnel_port[ENCAP_GENEVE]) && (!use[ENCAP_VXLAN] || r->tunnel_port[ENCAP_VXLAN]);
}

void host_consider_reconcile(struct hypervisor *h)
{
    struct controller *c = hosts_controller(h->all);
    if (h->is_reconciling || h->ending || !h->of || !h->db || !h->table || !is_view_complete(h)
        || compiler_is_dirty(c->compiler, h->number))
        return;
    h->is_reconciling = true;
    of_session_reconcile(h->of, h->table, h->wanted_seq);
    feed_object(c->feed, h->number);
}
