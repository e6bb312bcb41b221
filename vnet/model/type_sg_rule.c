/* A rule of a security group: connections that its members may make, or be made to them. It has no name and is called by its id; what it says
 * never changes, and no other rule of the group says the same. */
#include "vnet/model/transaction_state.h"

static const char *const directions[] = { "egress", "ingress" };

static const struct field fields[] = {
    { .name = "sg",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED | FIELD_OWNER,
      .offset = offsetof(struct sg_rule, sg),
      .ref_type = OBJECT_SG,
      .help = "the group it is of" },
    { .name = "direction",
      .kind = FIELD_BOOL,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct sg_rule, is_ingress),
      .words = directions,
      .max = 1,
      .help = "ingress: to members; egress: from them" },
    { .name = "proto",
      .kind = FIELD_MATCH_PROTO,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct sg_rule, match),
      .help = "tcp, udp, icmp, icmp6, all or a protocol's number" },
    { .name = "ports",
      .kind = FIELD_MATCH_PORTS,
      .offset = offsetof(struct sg_rule, match),
      .default_text = "-",
      .help = "destination ports N or N-M; of icmp TYPE or TYPE/CODE; - is any" },
    { .name = "peer",
      .kind = FIELD_PEER,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct sg_rule, cidr),
      .peer_offset = offsetof(struct sg_rule, peer),
      .help = "the other side: a CIDR, or sg:NAME, the members of a group" },
    { .name = "packets", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "packets judged by it" },
    { .name = "bytes", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "their bytes" },
    { .name = "last_hit", .kind = FIELD_RUNTIME, .help = "when it last let a packet through" },
    FIELD_ERROR,
};

static const struct sg_rule *
as_rule(const struct object *o)
{
    return (const struct sg_rule *) (const void *) o;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    out[0] = fact_sg_rule(as_rule(o));
    return 1;
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct sg_rule *r = as_rule(o);
    const struct sg *sg = view_sg(t->model, VIEW_STAGED, r->sg), *peer = view_sg(t->model, VIEW_STAGED, r->peer);
    char title[TITLE_MAX], vpc[TITLE_MAX], own_vpc[TITLE_MAX];
    if (!peer || peer->vpc == sg->vpc)
        return true;
    return error_set(err, ERROR_INVALID, "peer: %s is of %s; name a group of %s", transaction_title(t, &peer->o, title),
                     transaction_title(t, transaction_get(t, peer->vpc, OBJECT_VPC), vpc),
                     transaction_title(t, transaction_get(t, sg->vpc, OBJECT_VPC), own_vpc));
}

const struct object_class sg_rule_class = {
    .type = OBJECT_SG_RULE,
    .name = "sg-rule",
    .size = sizeof(struct sg_rule),
    .has_tenant = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "what a security group lets through; called by its id",
};

const struct object_hooks sg_rule_hooks = { .facts = facts, .check = check };
