/* Removes what is left over (orphans.h), when somebody asks for it and never by itself: ports by a transaction each, so that one that something still
 * refers to keeps none of the others; interfaces from the integration bridge, by vnetd's connection to their host's database. What is an
 * orphan is judged anew in the moment of the request. */
#ifndef CONTROLLER_INSTANCE_ORPHAN_REMOVAL_H
#define CONTROLLER_INSTANCE_ORPHAN_REMOVAL_H 1

#include "base/error.h"
#include "base/json.h"

struct controller;
struct orphan_removal;

#define ORPHAN_REMOVAL_S 10 /* for hosts to show that they have removed their interfaces */

/* The rows (as orphans_json() has them) that are removed, and those that are left, each with 'why'. Called from the loop, once. */
typedef void orphans_removed(void *aux, json_t *take_removed, json_t *take_left);
/* 'ids': array of strings, ids or names of orphans; NULL: all. NULL with *err: one of them is no orphan; nothing is removed, nothing called. */
struct orphan_removal *orphans_remove(struct controller *, const json_t *ids, orphans_removed *, void *aux, struct error *) MUST_CHECK;
/* Before it is done: hosts are waited for no longer. */
void orphan_removal_hurry(struct orphan_removal *);

#endif
