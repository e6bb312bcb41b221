/* Whether a port's groups let anybody in at all: what a health check, which passes no group, asks before it believes its own way. */
#include "vnet/feature/sg/sg.h"

struct entrance {
    uint32_t group;
    uint8_t proto;
    uint16_t port;
    bool is_open;
};

static bool
look_at_rule(void *entrance, const struct object *o)
{
    struct entrance *e = entrance;
    const struct sg_rule *r = (const struct sg_rule *) (const void *) o;
    const struct l4_match *m = &r->match;
    e->is_open = r->sg == e->group && r->is_ingress && (m->proto < 0 || m->proto == e->proto)
                 && (m->proto < 0 || m->lo < 0 || (m->lo <= e->port && e->port <= m->hi));
    return !e->is_open;
}

bool
sg_lets_in(const struct view *view, const struct port *port, uint8_t proto, uint16_t l4_port)
{
    if (!port->has_sg)
        return true;
    for (size_t i = 0; i < port->sg.n; i++) {
        struct entrance e = { port->sg.v[i], proto, l4_port, false };
        model_each_referrer(view->model, e.group, OBJECT_SG_RULE, look_at_rule, &e);
        if (e.is_open)
            return true;
    }
    return false;
}
