/* Route tables and routes. A route has no name of its own: it is called RTB/PREFIX. */
#include "tools/vnetctl/change.h"
#include "tools/vnetctl/listing.h"

#define ADD .options = OPTION_MAY_EXIST, .change = change_add
#define DEL .options = OPTION_IF_EXISTS, .change = change_del

const struct command route_commands[] = {
    { "rtb-add",
      "rtb",
      { ARG("VPC", "vpc"), ARG("RTB", "name") },
      VALUES_OPTIONAL,
      NULL,
      ADD,
      .help = "make a route table; a VPC's main one comes with it and has its name" },
    { "rtb-del", "rtb", { ARG("RTB", "name") }, DEL, .help = "delete a route table that no subnet uses, with its routes" },
    { "rtb-list", "rtb", .read = listing_read, .shown = "name vpc", .help = "list route tables" },

    { "route-add",
      "route",
      { ARG("RTB", "rtb"), ARG("PREFIX", "prefix"), ARG("TARGET", "target") },
      VALUES_OPTIONAL,
      NULL,
      ADD,
      .help = "add a route; TARGET: igw, natgw:NAME, port:NAME or blackhole" },
    { "route-del", "route", { ARG("RTB", "rtb"), ARG("PREFIX", "prefix") }, DEL, .help = "delete a route" },
    { "route-list", "route", { ARG("RTB", "rtb") }, .read = listing_read, .shown = "prefix target", .help = "list a table's routes" },
    { .name = NULL }
};
