/* Compiling a host's table in turns of the loop, and when its switch may be compared with it.
 *
 * One host has a turn in each round of the loop. The round is begun by a timer that has run out: an event made active would have its next
 * turn before the loop looks at any connection again. The turn itself is then an event made active, behind what this round's connections
 * brought: a switch that waits for its commit does not wait for another host's compilation.
 *
 * The host that somebody waits for comes first. If nothing was to be done before, it has a head start too, in which its switch can confirm:
 * then its answers find us idle. */
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/instance/instances.h"
#include "vnet/pipeline/placement.h"

/* A turn ends after this long, so that first fills delay nobody. */
#define COMPILE_TURN_MS 1
#define COMPILE_STEP 64
#define HEAD_START_US 1000

void
host_attach(struct hypervisor *h)
{
    if (h->table || !h->number)
        return;
    h->table = flow_table_new();
    compiler_attach(hosts_controller(h->all)->compiler, h->number, h->table);
    host_concern(h, hosts_controller(h->all)->seq);
}

/* ---- turns ---- */

static void
round_schedule(struct compile_queue *q, int us)
{
    if (q->first && !event_pending(q->round, EV_TIMEOUT, NULL))
        event_add(q->round, &(struct timeval){ 0, us });
}

static void
host_queue(struct hypervisor *h)
{
    struct compile_queue *q = hosts_compile_queue(h->all);
    if (h->has_turn)
        return;
    h->has_turn = true;
    h->next_turn = NULL;
    q->is_fresh |= !q->first;
    *q->last = h;
    q->last = &h->next_turn;
    round_schedule(q, 0);
}

void
host_leave_compile_queue(struct hypervisor *h)
{
    struct compile_queue *q = hosts_compile_queue(h->all);
    for (struct hypervisor **p = &q->first; h->has_turn && *p; p = &(*p)->next_turn) {
        if (*p != h)
            continue;
        *p = h->next_turn;
        if (q->last == &h->next_turn)
            q->last = p;
        h->has_turn = false;
        return;
    }
}

static void
host_queue_first(struct hypervisor *h)
{
    struct compile_queue *q = hosts_compile_queue(h->all);
    host_leave_compile_queue(h);
    h->has_turn = q->has_favourite = true;
    h->next_turn = q->first;
    if (!q->first)
        q->last = &h->next_turn;
    q->first = h;
    round_schedule(q, 0);
}

static void
put_first(const struct hosts *all, uint32_t number)
{
    struct hypervisor *h = number ? host_by_number(all, number) : NULL;
    if (h && h->table)
        host_queue_first(h);
}

static void
put_holder_first(void *aux, uint32_t eip)
{
    const struct hosts *all = aux;
    const struct controller *c = hosts_controller(all);
    struct view view = { .model = c->model, .runtime = c->runtime };
    struct placement p;
    if (placement_get(&view, eip, &p))
        put_first(all, p.holder->number);
}

static bool
has_lost_link(const struct runtime_host *before, const struct runtime_host *after)
{
    for (unsigned i = 0; before && i < after->n_uplinks; i++)
        if (after->uplinks[i].is_down && placement_link_differs(before, after, after->uplinks[i].network))
            return true;
    return false;
}

/* Of a host's facts many addresses may hang; what can come to a new place by them comes to that host, but not if it has lost what it held. */
void
hosts_put_holders_first(struct hosts *all, const struct vnet_event *event)
{
    const struct controller *c = hosts_controller(all);
    struct view view = { .model = c->model, .runtime = c->runtime };
    if (event->kind == EVENT_OBJECT || event->kind == EVENT_BINDING)
        placement_affected(&view, event, put_holder_first, all);
    else if (event->kind == EVENT_HOST && event->host_after && !event->host_after->is_dead
             && placement_depends(event->host_before, event->host_after) && !has_lost_link(event->host_before, event->host_after))
        put_first(all, event->number);
    if (event->kind != EVENT_BINDING)
        return;
    put_first(all, event->before.host); /* a guest that has moved: that sends on what others still send there */
    put_first(all, event->after.host);  /* who waits for a port waits for its own host */
}

static void host_compile(struct hypervisor *h);

static void
on_round(evutil_socket_t fd, short what, void *aux)
{
    struct compile_queue *q = aux;
    event_active(q->turn, 0, 0);
}

static void
on_turn(evutil_socket_t fd, short what, void *aux)
{
    struct compile_queue *q = aux;
    struct hypervisor *h = q->first;
    if (!h)
        return;
    bool has_head_start = q->is_fresh && q->has_favourite;
    q->is_fresh = q->has_favourite = false;
    host_leave_compile_queue(h);
    host_compile(h);
    round_schedule(q, has_head_start ? HEAD_START_US : 0);
}

void
compile_queue_init(struct compile_queue *q, struct event_base *base)
{
    q->first = NULL;
    q->last = &q->first;
    q->is_fresh = q->has_favourite = false;
    q->round = evtimer_new(base, on_round, q);
    q->turn = event_new(base, -1, 0, on_turn, q);
}

void
compile_queue_done(struct compile_queue *q)
{
    event_free(q->round);
    event_free(q->turn);
}

/* ---- compiling ---- */

void
host_concern(struct hypervisor *h, uint64_t seq)
{
    if (seq > h->wanted_seq)
        h->wanted_seq = seq;
    hosts_note_concerned(h);
    if (h->table)
        host_queue(h);
}

static void
report_conflict(void *aux, uint64_t cookie, const struct error *err)
{
    struct hypervisor *h = aux;
    h->has_conflict = true;
    host_set_error(h, HOST_ERROR_CONFLICT, "flows of object %u conflict: %s", cookie_number(cookie), err->text);
}

static void
host_compile(struct hypervisor *h)
{
    struct controller *c = hosts_controller(h->all);
    int64_t end_ms = controller_now_ms() + COMPILE_TURN_MS;
    bool more;
    if (!h->table)
        return;
    do
        more = compiler_run(c->compiler, h->number, COMPILE_STEP, report_conflict, h);
    while (more && controller_now_ms() < end_ms);
    if (more) {
        if (h->is_reconciling)
            of_session_push(h->of);
        host_queue(h);
        return;
    }
    if (!h->has_conflict)
        host_clear_error(h, HOST_ERROR_CONFLICT);
    h->has_conflict = false; /* what conflicts is tried again with the next change */
    bool is_whole = !compiler_is_unzoned(c->compiler, h->number);
    if (is_whole)
        h->whole_seq = h->wanted_seq;
    if (h->is_reconciling && is_whole)
        of_session_flush(h->of, h->whole_seq);
    else if (h->is_reconciling)
        of_session_push(h->of);
    else
        host_consider_reconcile(h);
}

static bool
has_patches(const struct hypervisor *h)
{
    for (size_t i = 0; i < h->facts.n_uplinks; i++)
        if (!h->ports.patch[i])
            return false;
    return true;
}

/* Ready: its own database has been read whole and its tunnels and patch ports have numbers, so the view of it is complete. */
static bool
is_view_complete(const struct hypervisor *h)
{
    const struct runtime_host *r = runtime_host(hosts_controller(h->all)->runtime, h->number);
    return h->has_facts && h->has_interfaces && h->has_zones && h->has_ports && h->is_configured && r && has_patches(h)
           && (r->tunnel_port[ENCAP_GENEVE] || !hosts_use_encap(h->all, ENCAP_GENEVE))
           && (r->tunnel_port[ENCAP_VXLAN] || !hosts_use_encap(h->all, ENCAP_VXLAN));
}

void
host_consider_reconcile(struct hypervisor *h)
{
    struct controller *c = hosts_controller(h->all);
    if (h->is_reconciling || h->ending || !h->of || !h->db || !h->table || !is_view_complete(h)
        || compiler_is_dirty(c->compiler, h->number))
        return;
    h->is_reconciling = true;
    /* What was confirmed on an earlier connection may be gone: the machine may have been restarted since. */
    h->confirmed_seq = h->made_seq = 0;
    host_clear_error(h, HOST_ERROR_REFUSED);
    bindings_reread(c->bindings, h->number);
    host_zones_flush(h);
    host_lost_zones_flush(h);
    of_session_reconcile(h->of, h->table, h->whole_seq);
    instances_host_connected(c->instances, h->number);
    feed_object(c->feed, h->number);
}
