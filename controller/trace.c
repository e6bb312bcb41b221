#include "controller/trace.h"

#include "controller/trace_private.h"
#include "vnet/feature/reject/reject.h"
#include "vnet/model/public_mac.h"
#include "vnet/pipeline/placement.h"

/* One crossing of a tunnel is what the pipeline does; a longer way would be a bug of ours, not a reason to go on for ever. */
#define HOSTS_MAX 8

/* ---- verdicts ---- */

static void
dropped(struct trace *t, const char *reason, const char *object)
{
    t->verdict = arena_printf(t->arena, "dropped %s %s", reason, object);
}

void
trace_no_port(struct trace *t)
{
    char dst[IP_STRLEN];
    dropped(t, reason_word(REASON_NO_PORT), ip_format(t->wanted->dst, dst));
}

static enum reason
drop_reason(const struct exec_result *r, const struct exec_output *o)
{
    const struct spec *spec = r->steps[o->step].spec;
    enum reason reason = exec_packet_get(&o->packet, LAYOUT_REASON);
    if (reason == REASON_NONE && spec)
        reason = reject_reason_of(spec->cookie, spec->table, spec->priority);
    return reason;
}

/* Whoever sent it to be rejected decided; its flow may be one that all share, then the one that counts the drop names the object. */
static const char *
drop_object(const struct trace *t, const struct exec_result *r, size_t step)
{
    bool is_rejected = r->steps[step].table == STAGE_REJECT && step;
    const char *name = is_rejected ? trace_owner(t, r->steps[step - 1].spec) : NULL;
    if (!name)
        name = trace_owner(t, r->steps[step].spec);
    return name ? name : trace_host(t, t->host);
}

static void
judge_end(struct trace *t, const struct exec_result *r, const struct exec_output *o)
{
    enum reason reason = drop_reason(r, o);
    if (reason == REASON_NO_PORT)
        trace_no_port(t);
    else if (reason != REASON_NONE)
        dropped(t, reason_word(reason), drop_object(t, r, o->step));
    else if (o->kind != EXEC_DROP)
        t->verdict = "answered";
    else
        dropped(t, "no-flow", trace_host(t, t->host));
}

/* ---- from host to host ---- */

struct peer_search {
    struct ip ip;
    const struct runtime_host *found;
};

static void
peer_look(void *aux, const struct runtime_host *host)
{
    struct peer_search *s = aux;
    if (ip_equal(host->encap_ip, s->ip))
        s->found = host;
}

/* The packet as it comes in at another host: only what is on the wire goes with it. */
static void
packet_arrive(struct trace *t, uint32_t host, uint32_t in_port, const struct exec_packet *sent)
{
    t->packet = *sent;
    for (enum of_field_id id = OF_REG0; id <= OF_REG15; id++)
        t->packet.field[id] = 0;
    for (enum of_field_id id = OF_CT_STATE; id <= OF_CT_TP_DST; id++)
        t->packet.field[id] = 0;
    t->packet.field[OF_METADATA] = 0;
    t->packet.field[OF_TUN_SRC] = 0;
    t->packet.field[OF_IN_PORT] = in_port;
    t->host = host;
}

static void
packet_cross(struct trace *t, const struct runtime_host *peer, enum encap encap, const struct exec_packet *sent)
{
    const struct runtime_host *here = runtime_host(t->network->view.runtime, t->host);
    packet_arrive(t, peer->number, peer->tunnel_port[encap], sent);
    t->packet.field[OF_TUN_SRC] = ip4_u32(here->encap_ip);
}

static void
go_through_tunnel(struct trace *t, const struct exec_output *o, enum encap encap)
{
    char ip[IP_STRLEN];
    struct peer_search s = { .ip = ip4(o->packet.field[OF_TUN_DST]) };
    runtime_each_host(t->network->view.runtime, peer_look, &s);
    if (!s.found)
        dropped(t, reason_word(REASON_TUNNEL), arena_strdup(t->arena, ip_format(s.ip, ip)));
    else if (!s.found->tunnel_port[encap])
        dropped(t, reason_word(REASON_TUNNEL), trace_host(t, s.found->number));
    else
        packet_cross(t, s.found, encap, &o->packet);
}

/* Out to the physical network: perhaps to another host of ours, which holds the address that it is for. */
static bool
leave(struct trace *t, const struct exec_output *o)
{
    struct placement p;
    const struct view *view = &t->network->view;
    struct ip dst = ip4((uint32_t) o->packet.field[OF_IPV4_DST]);
    const char *pool = trace_object(t, OBJECT_POOL, (uint32_t) exec_packet_get(&o->packet, LAYOUT_POOL));
    bool is_ours = placement_get(view, model_eip_by_ip(view->model, dst), &p) && p.holder->number != t->host
                   && o->packet.field[OF_ETH_DST] == mac_to_u64(public_mac_of_ip(dst));
    if (is_ours) {
        packet_arrive(t, p.holder->number, p.uplink, &o->packet);
        return true;
    }
    if (!pool)
        return error_set(t->err, ERROR_INTERNAL, "host '%s' sends the packet out by its port %u, but for no pool that is known",
                         trace_host(t, t->host), o->port);
    t->verdict = arena_printf(t->arena, "left %s", pool);
    return true;
}

static bool
is_uplink(const struct runtime_host *here, uint32_t ofport)
{
    for (unsigned i = 0; here && i < here->n_uplinks; i++)
        if (here->uplinks[i].ofport == ofport)
            return true;
    return false;
}

struct port_search {
    uint32_t ofport, found;
};

static void
port_look(void *aux, uint32_t port, uint32_t ofport)
{
    struct port_search *s = aux;
    if (ofport == s->ofport)
        s->found = port;
}

static bool
judge_port(struct trace *t, const struct exec_output *o)
{
    const struct runtime *runtime = t->network->view.runtime;
    const struct runtime_host *here = runtime_host(runtime, t->host);
    for (enum encap e = ENCAP_GENEVE; here && e <= ENCAP_VXLAN; e++) {
        if (here->tunnel_port[e] == o->port) {
            go_through_tunnel(t, o, e);
            return true;
        }
    }
    if (is_uplink(here, o->port))
        return leave(t, o);
    struct port_search s = { .ofport = o->port };
    runtime_each_port_on(runtime, t->host, port_look, &s);
    const char *name = s.found ? trace_object(t, OBJECT_PORT, s.found) : NULL;
    if (!name)
        return error_set(t->err, ERROR_INTERNAL, "host '%s' sends the packet to its port %u, which is nothing that is known",
                         trace_host(t, t->host), o->port);
    t->verdict = arena_printf(t->arena, "delivered %s", name);
    return true;
}

bool
trace_run_here(struct trace *t, const struct exec_packet *packet, struct exec_result *r)
{
    struct flow_table *table = t->network->table(t->network->aux, t->host);
    if (!table)
        return error_set(t->err, ERROR_UNAVAILABLE,
                         "host '%s' has no complete flow table yet: it has not joined, or its flows are "
                         "being compiled",
                         trace_host(t, t->host));
    return exec_run(table, packet, t->arena, r, t->err) || error_prefix(t->err, "host '%s'", trace_host(t, t->host));
}

static bool
visit_host(struct trace *t)
{
    struct exec_result r;
    if (!trace_run_here(t, &t->packet, &r))
        return false;
    trace_line(t, "host %s", trace_host(t, t->host));
    trace_tell(t, &r);
    for (size_t i = 0; i < r.n_outputs; i++) {
        if (r.outputs[i].kind == EXEC_PORT)
            return judge_port(t, &r.outputs[i]);
    }
    judge_end(t, &r, &r.outputs[r.n_outputs - 1]);
    return true;
}

/* ---- the whole ---- */

static bool
trace_follow(struct trace *t)
{
    for (int i = 0; !t->verdict && i < HOSTS_MAX; i++) {
        if (!visit_host(t))
            return false;
    }
    return t->verdict || error_set(t->err, ERROR_INTERNAL, "the packet goes from host to host without an end");
}

json_t *
trace_run(const struct trace_network *network, const struct trace_origin *origin, const struct trace_packet *packet, struct error *err)
{
    struct trace t = { .network = network, .wanted = packet, .arena = arena_new(), .err = err };
    json_t *answer = NULL;
    t.hops = json_array();
    t.lines = json_array();
    if (trace_begin(&t, origin) && trace_follow(&t)) {
        trace_line(&t, "VERDICT: %s", t.verdict);
        answer = json_pack("{s:O,s:s,s:O}", "hops", t.hops, "verdict", t.verdict, "lines", t.lines);
    }
    json_decref(t.hops);
    json_decref(t.lines);
    arena_free(t.arena);
    return answer;
}
