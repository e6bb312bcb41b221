/* A hypervisor that has once joined, named by its system-id. Nearly all of it is runtime state. */
#include "vnet/model/object.h"

static const char *const no_yes[] = { "false", "true" };
static const char *const gateway_states[] = { "alive", "dead" };

static const struct field fields[] = {
    { .name = "owner",
      .kind = FIELD_STRING,
      .flags = FIELD_ADMIN,
      .offset = offsetof(struct host, owner),
      .help = "the vnetd that looks after it" },
    { .name = "controllers",
      .kind = FIELD_IP_LIST,
      .flags = FIELD_ADMIN | FIELD_MUTABLE,
      .offset = offsetof(struct host, controllers),
      .help = "controller addresses for its bridge; none: the one its OVSDB session came to" },
    { .name = "tenants",
      .kind = FIELD_REF_LIST,
      .flags = FIELD_ADMIN | FIELD_MUTABLE,
      .offset = offsetof(struct host, tenants),
      .ref_type = OBJECT_TENANT,
      .help = "tenants for which domains on it may declare ports; none listed: all" },
    { .name = "encap_ip", .kind = FIELD_RUNTIME, .help = "tunnel endpoint" },
    { .name = "connected", .kind = FIELD_RUNTIME, .words = no_yes, .max = 1, .help = "OVSDB and OpenFlow are up" },
    { .name = "flows", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "how many flows it should have" },
    { .name = "realised", .kind = FIELD_RUNTIME, .words = no_yes, .max = 1, .help = "it has confirmed all that concerns it" },
    { .name = "sent", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "flow modifications sent since vnetd started" },
    { .name = "gateway",
      .kind = FIELD_RUNTIME,
      .words = gateway_states,
      .max = 1,
      .help = "of a gateway: alive, or dead since its peers cannot reach it" },
    { .name = "drops", .kind = FIELD_RUNTIME, .help = "packets dropped, by reason" },
    { .name = "agent", .kind = FIELD_RUNTIME, .words = no_yes, .max = 1, .help = "its vnet-agent is connected" },
    { .name = "underlay", .kind = FIELD_RUNTIME, .help = "the device with its tunnel address, as its agent sees it" },
    { .name = "error", .kind = FIELD_RUNTIME, .help = "what is wrong with it" },
};

uint64_t
host_dpid(uint32_t number)
{
    return HOST_DPID_BASE | number;
}

static void
link_dpid(const struct model *m, enum view v, struct object *o)
{
    ((struct host *) (void *) o)->dpid = host_dpid(o->number);
}

const struct object_class host_class = {
    .type = OBJECT_HOST,
    .name = "host",
    .size = sizeof(struct host),
    .has_name = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a hypervisor, named by its system-id",
};

const struct object_hooks host_hooks = { .link = link_dpid };
