/* A guest that moves while it runs has two places for a while. On the host it is about to come to, the first packet from its tap says that it has;
 * on the host that it has left, what others still send there goes on to where it is. */
#include <stdio.h>

#include "vnet/feature/sg/sg.h"
#include "vnet/packet/userdata.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

/* One packet is enough; a guest that speaks before its place is opened must not be heard in full. */
#define SPOKEN_PPS 50
#define SPOKEN_BURST 50

/* Nothing passes from the tap, and nothing leads to it: the port is bound elsewhere. Whatever the guest says first is told to both ids, so
 * that vnetd hears it whichever it has. */
static void
armed_row(struct block *b, const struct port_facts *f, uint32_t ofport)
{
    struct bytes userdata = BYTES_INIT;
    userdata_put_port(&userdata, f->port->o.number);
    sg_prepare(b, f);
    block_add(b, meter_spec(b->arena, b->cookie, f->port->o.number, SPOKEN_PPS, SPOKEN_BURST));
    struct flow_builder *fb = block_flow(b, STAGE_ADMIT, PRIORITY_ADMIT_TWIN);
    match_in_port(fb, ofport);
    match_eth_src(fb, f->port->mac);
    act_meter(fb, f->port->o.number);
    act_controller(fb, LAYOUT_CONTROLLER_ID, userdata.data, userdata.n);
    act_controller(fb, LAYOUT_CONTROLLER_ID_VNETD, userdata.data, userdata.n);
    block_flow_end(b);
    bytes_done(&userdata);
}

/* The one exception to 'what came by tunnel never leaves by tunnel': its host delivers it, and sends nothing back. */
static void
left_row(struct block *b, const struct port_facts *f)
{
    struct flow_builder *fb = block_flow(b, STAGE_FORWARD, PRIORITY_FORWARD_MAC);
    match_u64(fb, LAYOUT_VNI, f->vpc->vni);
    match_u64(fb, LAYOUT_FROM_TUNNEL, 1);
    match_eth_dst(fb, f->port->mac);
    act_set(fb, LAYOUT_HOST, f->at.host);
    act_goto(fb, STAGE_TUNNEL_OUT);
    block_flow_end(b);
}

static void
migrate_flows(struct block *b, uint8_t type, uint32_t number)
{
    struct port_facts f;
    struct twin twin = runtime_twin(b->view->runtime, number);
    if (twin.host != b->host || !port_facts_get(b->view, number, &f) || f.at.host == b->host)
        return;
    if (twin.is_left && f.at.host)
        left_row(b, &f);
    else if (!twin.is_left && twin.ofport)
        armed_row(b, &f, twin.ofport);
}

static void
touch_on(struct touch_list *list, uint32_t port, uint32_t host)
{
    if (host)
        touch_add(list, FEATURE_MIGRATE, OBJECT_PORT, port, (struct touch){ TOUCH_HOST, host });
}

static void
migrate_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    const struct change *port = event_object(event, OBJECT_PORT);
    uint32_t number = port ? port->number : event->number;
    if (!port && event->kind != EVENT_BINDING && event->kind != EVENT_TWIN)
        return;
    touch_on(list, number, runtime_twin(view->runtime, number).host);
    if (event->kind == EVENT_TWIN)
        touch_on(list, number, event->before.host);
}

struct emission {
    block_emit *emit;
    void *aux;
};

static void
emit_twin(void *aux, uint32_t port, uint32_t ofport)
{
    const struct emission *e = aux;
    e->emit(e->aux, OBJECT_PORT, port);
}

static void
migrate_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    struct emission e = { emit, aux };
    if (!vpc)
        runtime_each_twin_on(view->runtime, host, emit_twin, &e);
}

static void
migrate_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words port = words_owner(view, spec);
    uint32_t host = runtime_binding(view->runtime, cookie_number(spec->cookie)).host;
    if (spec->table == STAGE_FORWARD)
        snprintf(text, size, "%s has just moved to host %s", port.text, words_object(view, OBJECT_HOST, host).text);
    else
        snprintf(text, size, "%s is about to move here", port.text);
}

const struct feature feature_migrate = {
    .name = "migrate",
    .number = FEATURE_MIGRATE,
    .touches = migrate_touches,
    .blocks = migrate_blocks,
    .flows = migrate_flows,
    .explain = migrate_explain,
};
