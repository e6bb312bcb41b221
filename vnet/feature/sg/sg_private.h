/* What the files of security groups share. */
#ifndef VNET_FEATURE_SG_SG_PRIVATE_H
#define VNET_FEATURE_SG_SG_PRIVATE_H 1

#include "vnet/feature/sg/sg.h"

/* Is the group, or one of them, the peer of ingress (of egress) rules? */
bool sg_is_peer(const struct view *, uint32_t group, bool is_ingress);
bool sg_any_is_peer(const struct view *, const struct number_list *groups, bool is_ingress);
/* Calls 'each' for the rules of a group, not those of others that name it as their peer. */
void sg_each_rule(const struct view *, uint32_t group, void (*each)(void *aux, const struct sg_rule *), void *aux);
/* The combinations that have the group. */
void sg_each_set(const struct view *, uint32_t group, void (*each)(void *aux, const struct sg_set *), void *aux);

/* The flows of a port's block, of a rule's; those of the shared one that find a rule. */
void sg_port_flows(struct block *, uint32_t port);
void sg_rule_flows(struct block *, uint32_t rule);
void sg_judge_rows(struct block *);

/* Could a row of the second be left out because of the first of the same group, which is credited with its packets? Can there be any such? */
bool sg_rule_may_take_from(const struct sg_rule *, const struct sg_rule *);
bool sg_rule_may_have_rivals(const struct sg_rule *);

void sg_touches(const struct view *, const struct vnet_event *, struct touch_list *);

#endif
