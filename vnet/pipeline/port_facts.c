#include "vnet/pipeline/port_facts.h"

bool
port_facts_get(const struct view *view, uint32_t number, struct port_facts *facts)
{
    facts->port = model_port(view->model, number);
    facts->subnet = facts->port ? model_subnet(view->model, facts->port->subnet) : NULL;
    facts->vpc = facts->subnet ? model_vpc(view->model, facts->subnet->vpc) : NULL;
    if (!facts->vpc)
        return false;
    facts->at = runtime_binding(view->runtime, number);
    return true;
}

bool
port_facts_local(const struct block *b, uint32_t number, struct port_facts *facts)
{
    struct binding at = runtime_binding(b->view->runtime, number);
    return at.host == b->host && at.ofport && port_facts_get(b->view, number, facts);
}
