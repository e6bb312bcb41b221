/* Load balancers: balancers and listeners, target groups and targets. Listeners are called LB/PROTO:PORT, targets TG/PORT. */
#include "tools/vnetctl/change.h"
#include "tools/vnetctl/listing.h"

#include <string.h>

#define ADD .options = OPTION_MAY_EXIST, .change = change_add
#define DEL .options = OPTION_IF_EXISTS, .change = change_del

static json_t *
op_add(const struct call *call, json_t *take_values)
{
    json_t *op = change_op("add", call_type(call), NULL);
    json_object_set_new(op, "values", take_values);
    if (call->options & OPTION_MAY_EXIST)
        json_object_set_new(op, "may_exist", json_true());
    return op;
}

/* PROTO:PORT is two columns. */
static json_t *
listener_add(const struct call *call, struct error *err)
{
    const char *word = call_argument(call, "proto_port"), *colon = strchr(word, ':');
    if (!colon || colon == word || !colon[1]) {
        error_set(err, ERROR_INVALID, "listener-add: '%s' is no PROTO:PORT; write e.g. tcp:80", word);
        return NULL;
    }
    json_t *values = json_pack("{ss ss ss}", "lb", call_argument(call, "lb"), "port", colon + 1, "tg", call_argument(call, "tg"));
    json_object_set_new(values, "proto", json_stringn(word, colon - word));
    change_values(call, values);
    return op_add(call, values);
}

/* 'port=' is where it listens; the column of that name is the VM's port. */
static json_t *
target_add(const struct call *call, struct error *err)
{
    json_t *values = json_object();
    change_values(call, values);
    json_t *port = json_object_get(values, "port");
    if (port && json_object_get(values, "target_port")) {
        error_set(err, ERROR_INVALID, "target-add: port and target_port are the same; give one");
        json_decref(values);
        return NULL;
    }
    if (port)
        json_object_set(values, "target_port", port);
    json_object_set_new(values, "port", json_string(call_argument(call, "vm_port")));
    json_object_set_new(values, "tg", json_string(call_argument(call, "tg")));
    return op_add(call, values);
}

const struct command lb_commands[] = {
    { "tg-add",
      "tg",
      { ARG("VPC", "vpc"), ARG("TG", "name"), ARG("PROTO", "proto"), ARG("PORT", "port") },
      VALUES_OPTIONAL,
      "[check=tcp|icmp|none] [check_port=N] [interval=SECS] [timeout=SECS] [rise=N] [fall=N] [drain=SECS]",
      ADD,
      .help = "make a group of targets that serve the same" },
    { "tg-del", "tg", { ARG("TG", "name") }, DEL, .help = "delete a target group that no listener uses, with its targets" },
    { "tg-list", "tg", .read = listing_read, .shown = "name vpc proto port check interval timeout rise fall drain",
      .help = "list target groups" },

    { "target-add",
      "target",
      { ARG("TG", "tg"), ARG("PORT", "vm_port") },
      VALUES_OPTIONAL,
      "[port=N] [weight=N]",
      .options = OPTION_MAY_EXIST,
      .change = target_add,
      .help = "put a VM's port into a target group" },
    { "target-del",
      "target",
      { ARG("TG", "tg"), ARG("PORT", "port") },
      DEL,
      .help = "take it out; its connections go on for the group's drain time" },
    { "target-list",
      "target",
      { ARG("TG", "tg") },
      .read = listing_read,
      .shown = "port target_port weight health reason open connections packets bytes changes",
      .help = "list a group's targets and their health" },

    { "lb-add",
      "lb",
      { ARG("SUBNET", "subnet"), ARG("LB", "name") },
      VALUES_OPTIONAL,
      "[ip=IP] [affinity=none|source]",
      ADD,
      .help = "make a load balancer with an address of the subnet" },
    { "lb-del", "lb", { ARG("LB", "name") }, DEL, .help = "delete a load balancer without elastic IP, with its listeners" },
    { "lb-list", "lb", .read = listing_read, .shown = "name subnet ip affinity", .help = "list load balancers" },

    { "listener-add",
      "listener",
      { ARG("LB", "lb"), ARG("PROTO:PORT", "proto_port"), ARG("TG", "tg") },
      VALUES_OPTIONAL,
      NULL,
      .options = OPTION_MAY_EXIST,
      .change = listener_add,
      .help = "spread what comes to a port, e.g. tcp:80, over a target group" },
    { "listener-del", "listener", { ARG("LB", "lb"), ARG("PROTO:PORT", "proto_port") }, DEL, .help = "delete a listener" },
    { "listener-list",
      "listener",
      { ARG("LB", "lb") },
      .read = listing_read,
      .shown = "proto port tg fail_open open connections packets bytes",
      .help = "list a load balancer's listeners" },
    { .name = NULL }
};
