/* What a target answers to a health check goes to vnetd, at a bounded rate. The probes themselves are sent straight to its port. One block for
 * each port, since a port may be a target of several groups. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "vnet/model/router_mac.h"
#include "vnet/packet/probe.h"
#include "vnet/packet/userdata.h"
#include "vnet/pipeline/port_facts.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

#define ECHO_REPLY 0
#define UNREACHABLE 3

/* The shortest interval is 0.1 s, and an answer is rarely more than one packet. */
#define ANSWER_PPS 20
#define ANSWER_PPS_MAX 1000

struct checks {
    const struct view *view;
    bool has_icmp;
    uint32_t n_targets, first; /* the target with the least number gives the meter its own */
    uint16_t *ports;           /* that are connected to, each once */
    size_t n_ports, cap_ports;
};

static void
add_port(struct checks *c, uint16_t port)
{
    for (size_t i = 0; i < c->n_ports; i++)
        if (c->ports[i] == port)
            return;
    c->ports = mem_grow(c->ports, &c->cap_ports, c->n_ports + 1, sizeof *c->ports);
    c->ports[c->n_ports++] = port;
}

static bool
add_target(void *checks, const struct object *o)
{
    struct checks *c = checks;
    const struct target *target = (const struct target *) (const void *) o;
    const struct tg *tg = model_tg(c->view->model, target->tg);
    if (!tg || tg->check == TG_CHECK_NONE)
        return true;
    if (tg->check == TG_CHECK_TCP)
        add_port(c, target_check_port(tg, target));
    else
        c->has_icmp = true;
    c->n_targets++;
    c->first = c->first && c->first < o->number ? c->first : o->number;
    return true;
}

static struct checks
checks_of(const struct view *view, uint32_t port)
{
    struct checks c = { .view = view };
    model_each_referrer(view->model, port, OBJECT_TARGET, add_target, &c);
    return c;
}

static struct flow_builder *
begin(struct block *b, const struct port_facts *f)
{
    struct flow_builder *fb = block_flow(b, STAGE_GATEWAY, PRIORITY_GATEWAY_CHECK);
    match_u64(fb, LAYOUT_PORT, f->port->o.number);
    match_eth_dst(fb, ROUTER_MAC);
    match_ip_src(fb, ip_prefix_host(port_ip4(f->port)));
    match_ip_dst(fb, ip_prefix_host(subnet_gateway(f->subnet)));
    return fb;
}

static void
end(struct block *b, const struct port_facts *f, const struct checks *c)
{
    struct bytes userdata = BYTES_INIT;
    userdata_put_checked(&userdata, f->port->o.number);
    act_meter(b->fb, c->first);
    act_controller(b->fb, LAYOUT_CONTROLLER_ID, userdata.data, userdata.n);
    act_controller(b->fb, LAYOUT_CONTROLLER_ID_VNETD, userdata.data, userdata.n);
    block_flow_end(b);
    bytes_done(&userdata);
}

static void
answer_rows(struct block *b, const struct port_facts *f, const struct checks *c)
{
    uint32_t pps = c->n_targets < ANSWER_PPS_MAX / ANSWER_PPS ? c->n_targets * ANSWER_PPS : ANSWER_PPS_MAX;
    block_add(b, meter_spec(b->arena, b->cookie, c->first, pps, pps));
    for (size_t i = 0; i < c->n_ports; i++) {
        struct flow_builder *fb = begin(b, f);
        match_l4_src(fb, IP_V4, L4_TCP, c->ports[i], UINT16_MAX);
        match_l4_dst(fb, IP_V4, L4_TCP, PROBE_PORT, PROBE_PORT_MASK);
        end(b, f, c);
    }
    if (c->has_icmp) {
        match_icmp(begin(b, f), IP_V4, ECHO_REPLY, 0);
        end(b, f, c);
    }
    match_icmp(begin(b, f), IP_V4, UNREACHABLE, -1);
    end(b, f, c);
}

static void
lb_check_flows(struct block *b, uint8_t type, uint32_t number)
{
    struct port_facts f;
    if (!port_facts_local(b, number, &f))
        return;
    struct checks c = checks_of(b->view, number);
    if (c.n_targets)
        answer_rows(b, &f, &c);
    free(c.ports);
}

/* ---- which ---- */

static void
touch_target(const struct view *view, const struct object *o, struct touch_list *list)
{
    uint32_t port = o ? ((const struct target *) (const void *) o)->port : 0;
    uint32_t host = port ? runtime_binding(view->runtime, port).host : 0;
    if (host)
        touch_add(list, FEATURE_LB_CHECK, OBJECT_PORT, port, (struct touch){ TOUCH_HOST, host });
}

struct group_touch {
    const struct view *view;
    struct touch_list *list;
};

static bool
touch_each_target(void *aux, const struct object *o)
{
    const struct group_touch *t = aux;
    touch_target(t->view, o, t->list);
    return true;
}

static void
lb_check_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    touch_local_port(view, event, list, FEATURE_LB_CHECK);
    const struct change *target = event_object(event, OBJECT_TARGET), *tg = event_object(event, OBJECT_TG);
    if (target) {
        touch_target(view, target->before, list);
        touch_target(view, target->after, list);
    } else if (tg) {
        model_each_referrer(view->model, tg->number, OBJECT_TARGET, touch_each_target, &(struct group_touch){ view, list });
    }
}

struct emission {
    const struct view *view;
    block_emit *emit;
    void *aux;
};

static bool
stop_at_first(void *is_target, const struct object *o)
{
    *(bool *) is_target = true;
    return false;
}

static void
emit_if_target(void *aux, uint32_t port, uint32_t ofport)
{
    const struct emission *e = aux;
    bool is_target = false;
    model_each_referrer(e->view->model, port, OBJECT_TARGET, stop_at_first, &is_target);
    if (is_target)
        e->emit(e->aux, OBJECT_PORT, port);
}

static void
lb_check_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    struct emission e = { view, emit, aux };
    if (!vpc)
        runtime_each_port_on(view->runtime, host, emit_if_target, &e);
}

static void
lb_check_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words port = words_owner(view, spec);
    if (spec->kind == SPEC_METER)
        snprintf(text, size, "what %s answers to health checks is limited", port.text);
    else
        snprintf(text, size, "%s answers a health check", port.text);
}

const struct feature feature_lb_check = {
    .name = "lb_check",
    .number = FEATURE_LB_CHECK,
    .touches = lb_check_touches,
    .blocks = lb_check_blocks,
    .flows = lb_check_flows,
    .explain = lb_check_explain,
};
