/* Security groups and their rules. A rule has no name: sg-rule-add prints its id, by which it is called. */
#include "tools/vnetctl/change.h"
#include "tools/vnetctl/listing.h"

#define ADD .options = OPTION_MAY_EXIST, .change = change_add
#define DEL .options = OPTION_IF_EXISTS, .change = change_del

const struct command sg_commands[] = {
    { "sg-add",
      "sg",
      { ARG("VPC", "vpc"), ARG("SG", "name") },
      VALUES_OPTIONAL,
      NULL,
      ADD,
      .help = "make a security group; it lets everything out and nothing in" },
    { "sg-del", "sg", { ARG("SG", "name") }, DEL, .help = "delete a group that no port is in, with its rules" },
    { "sg-list", "sg", .read = listing_read, .shown = "name vpc default", .help = "list security groups" },

    { "sg-rule-add",
      "sg-rule",
      { ARG("SG", "sg"), ARG("ingress|egress", "direction"), ARG("PROTO", "proto"), ARG("PORTS", "ports"), ARG("PEER", "peer") },
      VALUES_OPTIONAL,
      NULL,
      ADD,
      .prints_name = true,
      .help = "let through what the rule says, and print its id; PORTS: N, N-M or - (icmp: TYPE[/CODE]); PEER: CIDR or sg:SG" },
    { "sg-rule-del", "sg-rule", { ARG("RULE", "name") }, DEL, .help = "delete a rule; connections that it alone allowed end" },
    { "sg-rule-list",
      "sg-rule",
      { ARG("SG", "sg") },
      .options = OPTION_UNUSED | OPTION_SHADOWED,
      .read = listing_read,
      .shown = "id direction proto ports peer packets bytes last_hit",
      .help = "list a group's rules with their hits; those never hit, or those that others make needless" },
    { .name = NULL }
};
