/* A NAT gateway: many private addresses leave behind the one elastic IP that is attached to it. */
#include "vnet/model/transaction_state.h"

static json_t *
derive_ip(const struct model *m, const struct object *o)
{
    const struct eip *e = model_eip(m, model_eip_of(m, o->number));
    char text[IP_STRLEN];
    return e ? json_string(ip_format(e->ip, text)) : json_null();
}

static const struct field fields[] = {
    { .name = "subnet",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct natgw, subnet),
      .ref_type = OBJECT_SUBNET,
      .help = "the subnet it is in, whose routes lead it to the internet gateway" },
    { .name = "ip",
      .kind = FIELD_IP,
      .flags = FIELD_READ_ONLY,
      .derive = derive_ip,
      .help = "the address it translates to: of the elastic IP attached to it" },
    { .name = "host", .kind = FIELD_RUNTIME, .ref_type = OBJECT_HOST, .help = "the gateway host that carries it" },
    { .name = "ports",
      .kind = FIELD_PORT_RANGE,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct natgw, ports),
      .default_text = "1024-65535",
      .help = "source ports it translates to" },
    { .name = "exhausted",
      .kind = FIELD_RUNTIME,
      .flags = FIELD_NUMBER,
      .help = "packets dropped since no port was left for their connection" },
    { .name = "drops", .kind = FIELD_RUNTIME, .help = "packets dropped, by reason" },
    FIELD_ERROR,
};

static void
link_vpc(const struct model *m, enum view v, struct object *o)
{
    struct natgw *n = (struct natgw *) (void *) o;
    const struct subnet *s = view_subnet(m, v, n->subnet);
    n->vpc = s ? s->vpc : 0;
}

const struct object_class natgw_class = {
    .type = OBJECT_NATGW,
    .name = "natgw",
    .size = sizeof(struct natgw),
    .has_tenant = true,
    .has_name = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a NAT gateway: many private addresses behind one elastic IP",
};

const struct object_hooks natgw_hooks = { .link = link_vpc };
