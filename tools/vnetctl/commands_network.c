/* VPCs, subnets, ports. */
#include "tools/vnetctl/change.h"
#include "tools/vnetctl/listing.h"

#define ADD .options = OPTION_MAY_EXIST, .change = change_add
#define DEL .options = OPTION_IF_EXISTS, .change = change_del

const struct command network_commands[] = {
    { "vpc-add",
      "vpc",
      { ARG("VPC", "name"), ARG("CIDR", "cidr") },
      VALUES_OPTIONAL,
      NULL,
      ADD,
      .help = "make a private network; addresses of VPCs may overlap" },
    { "vpc-del",
      "vpc",
      { ARG("VPC", "name") },
      DEL,
      .help = "delete a VPC that has no subnets; its main route table and default group go with it" },
    { "vpc-list", "vpc", .read = listing_read, .shown = "name cidr vni", .help = "list VPCs" },

    { "subnet-add",
      "subnet",
      { ARG("VPC", "vpc"), ARG("SUBNET", "name"), ARG("CIDR", "cidr") },
      VALUES_OPTIONAL,
      "[dns=IP,IP] [domain=NAME] [lease=SECS] [rtb=RTB]",
      ADD,
      .help = "make a subnet, /29 or wider; its first address is the gateway" },
    { "subnet-del", "subnet", { ARG("SUBNET", "name") }, DEL, .help = "delete a subnet that has no ports" },
    { "subnet-list",
      "subnet",
      { ARG_OPTIONAL("VPC", "vpc") },
      .read = listing_read,
      .shown = "name vpc cidr gateway rtb",
      .help = "list subnets" },

    { "port-add",
      "port",
      { ARG("SUBNET", "subnet"), ARG("PORT", "name") },
      VALUES_OPTIONAL,
      "[ip=IP] [mac=MAC] [sg=SG,SG|none] [id=UUID] [source_dest_check=false]",
      ADD,
      .help = "make a port; without ip and mac it gets free ones" },
    { "port-del", "port", { ARG("PORT", "name") }, DEL, .help = "delete a port, also a bound one" },
    { "port-list",
      "port",
      { ARG_OPTIONAL("SUBNET", "subnet") },
      .read = listing_read,
      .shown = "name subnet ip mac host state",
      .help = "list ports" },
    { .name = NULL }
};
