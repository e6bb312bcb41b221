#include "controller/trace.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ofproto/flow/exec.h"
#include "vnet/feature/reject/reject.h"
#include "vnet/model/router_mac.h"
#include "vnet/pipeline/port_facts.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ARP_REQUEST 1
#define ICMP_ECHO_REQUEST 8
#define SOURCE_PORT 49152
#define PACKET_TTL 64
#define PACKET_BYTES 98         /* of ping's default; small enough for any tunnel */
#define BROADCAST_MAC UINT64_C(0xffffffffffff)
#define MULTICAST_MAC UINT64_C(0x01005e000000)

/* One crossing of a tunnel is what the pipeline does; a longer way would be a bug of ours, not a reason to go on for ever. */
#define HOSTS_MAX 8

struct trace {
    const struct trace_network *network;
    struct port_facts from;
    const struct trace_packet *wanted;
    struct arena *arena;
    struct error *err;

    uint32_t host;                       /* where it is now */
    struct exec_packet packet;           /* as it comes in there */
    json_t *hops, *lines;
    const char *verdict;                 /* NULL: it is still on its way */
};

/* ---- words ---- */

static const char *object_name(const struct trace *t, enum object_type type, uint32_t number)
{
    const struct model *m = t->network->view.model;
    const struct object *o = model_get(m, number, type);
    return o ? object_label(m, o, t->arena) : NULL;
}

static const char *host_name(const struct trace *t, uint32_t number)
{
    const char *name = object_name(t, OBJECT_HOST, number);
    return name ? name : arena_printf(t->arena, "number %u", number);
}

static const char *owner_name(const struct trace *t, const struct spec *spec)
{
    return spec && cookie_number(spec->cookie)
        ? object_name(t, cookie_type(spec->cookie), cookie_number(spec->cookie)) : NULL;
}

static void line_add(struct trace *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line_add(struct trace *t, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    json_array_append_new(t->lines, json_string(line));
}

static void step_words(const struct trace *t, const struct exec_step *step, char *text, size_t size)
{
    const struct feature *f = step->spec ? feature_by_number(cookie_feature(step->spec->cookie)) : NULL;
    text[0] = '\0';
    if (!step->spec)
        snprintf(text, size, "nothing here takes it");
    else if (f && f->explain)
        f->explain(&t->network->view, step->spec, text, size);
}

static const char *output_words(const struct trace *t, const struct exec_output *o)
{
    switch (o->kind) {
    case EXEC_PORT:
        return arena_printf(t->arena, "port %u", o->port);
    case EXEC_IN_PORT:
        return "in_port";
    case EXEC_CONTROLLER:
        return "controller";
    case EXEC_DROP:
        break;
    }
    return "drop";
}

static json_t *outputs_json(const struct trace *t, const struct exec_result *r, size_t step)
{
    const char *text = NULL;
    for (size_t i = 0; i < r->n_outputs; i++) {
        if (r->outputs[i].step != step)
            continue;
        const char *words = output_words(t, &r->outputs[i]);
        text = text ? arena_printf(t->arena, "%s, %s", text, words) : words;
    }
    return text ? json_string(text) : json_null();
}

static void story_add(struct trace *t, const struct exec_result *r)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct exec_step *step = &r->steps[i];
        const char *stage = stage_name(step->table);
        char text[256];
        step_words(t, step, text, sizeof text);
        if (*text)
            line_add(t, "  %-10s %s", stage ? stage : "?", text);
        json_array_append_new(t->hops, json_pack("{s:s,s:i,s:s?,s:s,s:o,s:o}", "host", host_name(t, t->host), "table",
                                                 step->table, "stage", stage, "text", text, "flow",
                                                 step->spec ? json_string(spec_format(step->spec, t->arena)) : json_null(),
                                                 "output", outputs_json(t, r, i)));
    }
}

/* ---- verdicts ---- */

static void dropped(struct trace *t, const char *reason, const char *object)
{
    t->verdict = arena_printf(t->arena, "dropped %s %s", reason, object);
}

static void dropped_no_port(struct trace *t)
{
    char dst[IP_STRLEN];
    dropped(t, reason_word(REASON_NO_PORT), ip_format(t->wanted->dst, dst));
}

static enum reason drop_reason(const struct exec_result *r, const struct exec_output *o)
{
    const struct spec *spec = r->steps[o->step].spec;
    enum reason reason = exec_packet_get(&o->packet, LAYOUT_REASON);
    if (reason == REASON_NONE && spec)
        reason = reject_reason_of(spec->cookie, spec->table, spec->priority);
    return reason;
}

/* Whoever sent it to be rejected decided; its flow may be one that all share, then the one that counts the drop names the object. */
static const char *drop_object(const struct trace *t, const struct exec_result *r, size_t step)
{
    bool is_rejected = r->steps[step].table == STAGE_REJECT && step;
    const char *name = is_rejected ? owner_name(t, r->steps[step - 1].spec) : NULL;
    if (!name)
        name = owner_name(t, r->steps[step].spec);
    return name ? name : host_name(t, t->host);
}

static void judge_end(struct trace *t, const struct exec_result *r, const struct exec_output *o)
{
    enum reason reason = drop_reason(r, o);
    if (reason == REASON_NO_PORT)
        dropped_no_port(t);
    else if (reason != REASON_NONE)
        dropped(t, reason_word(reason), drop_object(t, r, o->step));
    else if (o->kind != EXEC_DROP)
        t->verdict = "answered";
    else
        dropped(t, "no-flow", host_name(t, t->host));
}

/* ---- from host to host ---- */

struct peer_search {
    struct ip ip;
    const struct runtime_host *found;
};

static void peer_look(void *aux, const struct runtime_host *host)
{
    struct peer_search *s = aux;
    if (ip_equal(host->encap_ip, s->ip))
        s->found = host;
}

/* The packet as it comes out of the tunnel: only what is on the wire goes with it. */
static void packet_cross(struct trace *t, const struct runtime_host *peer, enum encap encap, const struct exec_packet *sent)
{
    const struct runtime_host *here = runtime_host(t->network->view.runtime, t->host);
    t->packet = *sent;
    for (enum of_field_id id = OF_REG0; id <= OF_REG15; id++)
        t->packet.field[id] = 0;
    for (enum of_field_id id = OF_CT_STATE; id <= OF_CT_TP_DST; id++)
        t->packet.field[id] = 0;
    t->packet.field[OF_METADATA] = 0;
    t->packet.field[OF_IN_PORT] = peer->tunnel_port[encap];
    t->packet.field[OF_TUN_SRC] = ip4_u32(here->encap_ip);
    t->host = peer->number;
}

static void go_through_tunnel(struct trace *t, const struct exec_output *o, enum encap encap)
{
    char ip[IP_STRLEN];
    struct peer_search s = { .ip = ip4(o->packet.field[OF_TUN_DST]) };
    runtime_each_host(t->network->view.runtime, peer_look, &s);
    if (!s.found)
        dropped(t, reason_word(REASON_TUNNEL), arena_strdup(t->arena, ip_format(s.ip, ip)));
    else if (!s.found->tunnel_port[encap])
        dropped(t, reason_word(REASON_TUNNEL), host_name(t, s.found->number));
    else
        packet_cross(t, s.found, encap, &o->packet);
}

struct port_search {
    uint32_t ofport, found;
};

static void port_look(void *aux, uint32_t port, uint32_t ofport)
{
    struct port_search *s = aux;
    if (ofport == s->ofport)
        s->found = port;
}

static bool judge_port(struct trace *t, const struct exec_output *o)
{
    const struct runtime *runtime = t->network->view.runtime;
    const struct runtime_host *here = runtime_host(runtime, t->host);
    for (enum encap e = ENCAP_GENEVE; here && e <= ENCAP_VXLAN; e++) {
        if (here->tunnel_port[e] == o->port) {
            go_through_tunnel(t, o, e);
            return true;
        }
    }
    struct port_search s = { .ofport = o->port };
    runtime_each_port_on(runtime, t->host, port_look, &s);
    const char *name = s.found ? object_name(t, OBJECT_PORT, s.found) : NULL;
    if (!name)
        return error_set(t->err, ERROR_INTERNAL, "host '%s' sends the packet to its port %u, which is nothing that is known",
                         host_name(t, t->host), o->port);
    t->verdict = arena_printf(t->arena, "delivered %s", name);
    return true;
}

/* One host's tables. */
static bool run_here(struct trace *t, const struct exec_packet *packet, struct exec_result *r)
{
    struct flow_table *table = t->network->table(t->network->aux, t->host);
    if (!table)
        return error_set(t->err, ERROR_UNAVAILABLE, "host '%s' has no flow table yet: it has not joined since vnetd started",
                         host_name(t, t->host));
    return exec_run(table, packet, t->arena, r, t->err)
        || error_prefix(t->err, "host '%s'", host_name(t, t->host));
}

static bool visit_host(struct trace *t)
{
    struct exec_result r;
    if (!run_here(t, &t->packet, &r))
        return false;
    line_add(t, "host %s", host_name(t, t->host));
    story_add(t, &r);
    for (size_t i = 0; i < r.n_outputs; i++) {
        if (r.outputs[i].kind == EXEC_PORT)
            return judge_port(t, &r.outputs[i]);
    }
    judge_end(t, &r, &r.outputs[r.n_outputs - 1]);
    return true;
}

/* ---- the packet ---- */

static void packet_base(const struct trace *t, struct exec_packet *p, uint16_t eth_type)
{
    *p = (struct exec_packet) { .bytes = PACKET_BYTES };
    p->field[OF_IN_PORT] = t->from.at.ofport;
    p->field[OF_ETH_SRC] = mac_to_u64(t->from.port->mac);
    p->field[OF_ETH_TYPE] = eth_type;
}

/* '*mac' stays 0 if nobody answers; then that is the verdict. */
static bool resolve(struct trace *t, struct ip next_hop, uint64_t *mac)
{
    struct exec_packet ask;
    struct exec_result r;
    packet_base(t, &ask, ETHERTYPE_ARP);
    ask.field[OF_ETH_DST] = BROADCAST_MAC;
    ask.field[OF_ARP_OP] = ARP_REQUEST;
    ask.field[OF_ARP_SHA] = ask.field[OF_ETH_SRC];
    ask.field[OF_ARP_SPA] = ip4_u32(port_ip4(t->from.port));
    ask.field[OF_ARP_TPA] = ip4_u32(next_hop);
    if (!run_here(t, &ask, &r))
        return false;
    for (size_t i = 0; i < r.n_outputs; i++) {
        if (r.outputs[i].kind == EXEC_IN_PORT)
            *mac = r.outputs[i].packet.field[OF_ARP_SHA];
    }
    if (!*mac) {
        char ip[IP_STRLEN];
        line_add(t, "host %s", host_name(t, t->host));
        story_add(t, &r);
        line_add(t, "  ARP for %s is not answered, so the packet itself is never sent", ip_format(next_hop, ip));
        dropped_no_port(t);
    }
    return true;
}

/* As the guest's network stack would find it. */
static bool destination_mac(struct trace *t, uint64_t *mac)
{
    uint32_t dst = ip4_u32(t->wanted->dst);
    struct ip gateway = subnet_gateway(t->from.subnet);
    *mac = 0;
    if (dst == UINT32_MAX)
        *mac = BROADCAST_MAC;
    else if (dst >> 28 == 0xe)
        *mac = MULTICAST_MAC | (dst & 0x7fffff);
    else
        return resolve(t, ip_prefix_contains(t->from.subnet->cidr, t->wanted->dst) ? t->wanted->dst : gateway, mac);
    return true;
}

static bool packet_make(struct trace *t)
{
    const struct trace_packet *w = t->wanted;
    struct exec_packet *p = &t->packet;
    uint64_t mac;
    if (!destination_mac(t, &mac))
        return false;
    packet_base(t, p, ETHERTYPE_IPV4);
    p->field[OF_ETH_DST] = mac;
    p->field[OF_IP_PROTO] = w->proto;
    p->field[OF_IP_TTL] = PACKET_TTL;
    p->field[OF_IPV4_SRC] = ip4_u32(port_ip4(t->from.port));
    p->field[OF_IPV4_DST] = ip4_u32(w->dst);
    switch (w->proto) {
    case IPPROTO_ICMP:
        p->field[OF_ICMPV4_TYPE] = ICMP_ECHO_REQUEST;
        break;
    case IPPROTO_TCP:
        p->field[OF_TCP_SRC] = SOURCE_PORT;
        p->field[OF_TCP_DST] = w->port;
        break;
    default:
        p->field[OF_UDP_SRC] = SOURCE_PORT;
        p->field[OF_UDP_DST] = w->port;
        break;
    }
    return true;
}

bool trace_packet_parse(const json_t *json, struct trace_packet *p, struct error *err)
{
    const char *proto = json_member_string(json, "proto"), *dst = json_member_string(json, "dst");
    int64_t port = json_member_int(json, "port", 0);
    bool is_icmp = proto && !strcmp(proto, "icmp"), is_tcp = proto && !strcmp(proto, "tcp");
    *p = (struct trace_packet) { .proto = is_icmp ? IPPROTO_ICMP : is_tcp ? IPPROTO_TCP : IPPROTO_UDP };
    if (!is_icmp && !is_tcp && (!proto || strcmp(proto, "udp")))
        return error_set(err, ERROR_INVALID, "packet: proto '%.100s': must be icmp, tcp or udp", proto ? proto : "");
    if (!dst || !ip_parse(dst, &p->dst) || p->dst.family != IP_V4)
        return error_set(err, ERROR_INVALID, "packet: dst '%.100s': must be an IPv4 address", dst ? dst : "");
    if (!is_icmp && (port < 1 || port > UINT16_MAX))
        return error_set(err, ERROR_INVALID, "packet: port: %s needs a number from 1 to 65535", proto);
    p->port = is_icmp ? 0 : port;
    return true;
}

/* ---- the whole ---- */

static bool trace_begin(struct trace *t, uint32_t port)
{
    const struct view *view = &t->network->view;
    if (!port_facts_get(view, port, &t->from))
        return error_set(t->err, ERROR_UNKNOWN, "port number %u does not exist", port);
    const char *name = object_name(t, OBJECT_PORT, port);
    if (!t->from.at.host || !t->from.at.ofport)
        return error_set(t->err, ERROR_CONFLICT, "port '%s' is unbound: no host has an interface with its iface-id", name);
    for (size_t i = 0; i < t->from.port->ips.n; i++) {
        char ip[IP_STRLEN];
        if (ip_equal(t->from.port->ips.v[i], t->wanted->dst))
            return error_set(t->err, ERROR_INVALID, "packet: dst '%s': is port '%s' itself, whose guest sends nothing for it",
                             ip_format(t->wanted->dst, ip), name);
    }
    t->host = t->from.at.host;
    return packet_make(t);
}

static bool trace_follow(struct trace *t)
{
    for (int i = 0; !t->verdict && i < HOSTS_MAX; i++) {
        if (!visit_host(t))
            return false;
    }
    return t->verdict || error_set(t->err, ERROR_INTERNAL, "the packet goes from host to host without an end");
}

json_t *trace_run(const struct trace_network *network, uint32_t port, const struct trace_packet *packet, struct error *err)
{
    struct trace t = { .network = network, .wanted = packet, .arena = arena_new(), .err = err };
    json_t *answer = NULL;
    t.hops = json_array();
    t.lines = json_array();
    if (trace_begin(&t, port) && trace_follow(&t)) {
        line_add(&t, "VERDICT: %s", t.verdict);
        answer = json_pack("{s:O,s:s,s:O}", "hops", t.hops, "verdict", t.verdict, "lines", t.lines);
    }
    json_decref(t.hops);
    json_decref(t.lines);
    arena_free(t.arena);
    return answer;
}
