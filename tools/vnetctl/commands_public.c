/* The way out and in: pools of public addresses, internet gateways, elastic IPs, NAT gateways. */
#include "tools/vnetctl/change.h"
#include "tools/vnetctl/listing.h"

#include <string.h>

#define ADD .options = OPTION_MAY_EXIST, .change = change_add
#define DEL .options = OPTION_IF_EXISTS, .change = change_del

/* "web1" is a port; anything else says what it is. NULL: it is nothing that has an elastic IP. */
static json_t *
holder_json(const char *word)
{
    if (!strchr(word, ':'))
        return json_sprintf("port:%s", word);
    bool is_known = !strncmp(word, "natgw:", 6) || !strncmp(word, "port:", 5) || !strncmp(word, "lb:", 3);
    return is_known ? json_string(word) : NULL;
}

static json_t *
eip_set(const struct call *call, json_t *take_attached)
{
    json_t *op = change_op("set", "eip", call_argument(call, "name"));
    json_object_set_new(op, "values", json_pack("{so}", "attached", take_attached));
    if (call->options & OPTION_MOVE)
        json_object_set_new(op, "move", json_true());
    return op;
}

static json_t *
eip_attach(const struct call *call, struct error *err)
{
    const char *word = call_argument(call, "attached");
    json_t *holder = holder_json(word);
    if (holder)
        return eip_set(call, holder);
    error_set(err, ERROR_INVALID, "eip-attach: '%s' is nothing that has an elastic IP; write PORT, lb:LB or natgw:NATGW", word);
    return NULL;
}

static json_t *
eip_detach(const struct call *call, struct error *err)
{
    return eip_set(call, json_null());
}

const struct command public_commands[] = {
    { "igw-add",
      "igw",
      { ARG("VPC", "vpc") },
      VALUES_OPTIONAL,
      NULL,
      ADD,
      .help = "make a VPC's internet gateway; a route to igw needs one" },
    { "igw-del", "igw", { ARG("VPC", "name") }, DEL, .help = "delete it; no route may lead to it" },
    { "igw-list", "igw", .read = listing_read, .shown = "vpc", .help = "list internet gateways" },

    { "pool-add",
      "pool",
      { ARG("POOL", "name"), ARG("CIDR", "cidr") },
      VALUES_OPTIONAL,
      "uplink=NAME [gateway=IP] [range=IP-IP] [vlan=N]",
      ADD,
      .help = "make a pool of public addresses on a physical network, for any tenant (admin only)" },
    { "pool-del", "pool", { ARG("POOL", "name") }, DEL, .help = "delete a pool that no elastic IP is from" },
    { "pool-list", "pool", .read = listing_read, .shown = "*name cidr uplink vlan gateway gateway_mac range", .help = "list pools" },

    { "eip-add",
      "eip",
      { ARG("POOL", "pool"), ARG_OPTIONAL("IP", "ip") },
      VALUES_OPTIONAL,
      NULL,
      ADD,
      .prints_name = true,
      .help = "take an elastic IP, a free one or this, and print it" },
    { "eip-del", "eip", { ARG("IP", "name") }, DEL, .help = "give back an elastic IP that is not attached" },
    { "eip-attach",
      "eip",
      { ARG("IP", "name"), ARG("PORT|lb:LB|natgw:NATGW", "attached") },
      .options = OPTION_MOVE,
      .change = eip_attach,
      .help = "attach an elastic IP; with --move also one attached elsewhere" },
    { "eip-detach", "eip", { ARG("IP", "name") }, .change = eip_detach, .help = "detach it; it stays yours" },
    { "eip-list", "eip", .read = listing_read, .shown = "ip pool attached host announced_at", .help = "list elastic IPs" },

    { "natgw-add",
      "natgw",
      { ARG("SUBNET", "subnet"), ARG("NATGW", "name") },
      VALUES_OPTIONAL,
      "[ports=LO-HI]",
      ADD,
      .help = "make a NAT gateway; eip-attach gives it its address" },
    { "natgw-del", "natgw", { ARG("NATGW", "name") }, DEL, .help = "delete a NAT gateway without elastic IP or routes to it" },
    { "natgw-list", "natgw", .read = listing_read, .shown = "name subnet ip host ports exhausted", .help = "list NAT gateways" },
    { .name = NULL }
};
