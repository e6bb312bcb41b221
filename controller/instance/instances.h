/* Virtual machines as the hypervisors' agents report them: facts, never intent, kept in memory only. An agent tells everything when it
 * connects and whatever changes after that; a domain is known by its UUID, and several hosts may show it (a migration).
 *
 * What a host says last of a domain is its sighting. An instance goes with its last sighting; ports that its XML had declared go too. */
#ifndef CONTROLLER_INSTANCE_INSTANCES_H
#define CONTROLLER_INSTANCE_INSTANCES_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/uuid.h"

struct controller;
struct instances;

struct instances *instances_new(struct controller *);
void instances_free(struct instances *);

/* Takes an agent's report (controller/api/README.md). False with *err: it makes no sense, and nothing of it has been taken. */
bool instances_report(struct instances *, uint32_t host, const json_t *report, struct error *) MUST_CHECK;
/* The host is connected, so that others need not wait for it to know what is gone. */
void instances_host_connected(struct instances *, uint32_t host);
/* Of a host's database and agent one has gone: of what it said last it may not be known any more whether it is so. */
void instances_host_quiet(const struct instances *);
/* The host was deleted: nothing it said counts any more. */
void instances_host_removed(struct instances *, uint32_t host);

/* One, until the next report or the end of a host. Its name is that of where it runs, or ran last. */
struct instance;
const char *instance_name(const struct instance *);
struct uuid instance_id(const struct instance *);
bool instance_is_called(const struct instance *, const char *name_or_id);
/* < 0, 0, > 0: by name, those of the same name by id. */
int instance_compare(const struct instance *, const char *name, struct uuid id);
/* The row that the API shows. New reference. */
json_t *instance_json(const struct instances *, const struct instance *);

/* Decides by an instance's ports; NULL: all are seen. */
typedef bool instances_may_see(void *aux, uint32_t port);
/* Those that may be seen, in order; free() it. */
const struct instance **instances_by_name(const struct instances *, instances_may_see *, void *aux, size_t *n);
/* Of that name or id, the last in order; NULL: there is none that may be seen. */
const struct instance *instances_called(const struct instances *, const char *name_or_id, instances_may_see *, void *aux);

/* Has the host's agent told all that it has, since vnetd started? */
bool instances_are_listed(const struct instances *, uint32_t host);
/* Are all hosts heard of, so that a domain that none of them has is nowhere? 'is_now': and heard of at present, since it may just have moved. What waits
 * for that is told by removals_look(). */
bool instances_are_all_heard(struct instances *, bool is_now);
/* Does any host have the domain? */
bool instances_know(const struct instances *, struct uuid id);
/* Any but this one? */
bool instances_know_elsewhere(const struct instances *, struct uuid id, uint32_t but);
/* Ids of interfaces of all domains that run (or are paused, or migrate), anywhere; free() it. NULL if '*n' is 0. */
struct uuid *instances_running_ports(const struct instances *, size_t *n);
/* What its host counts of its interfaces; null: nothing yet. New reference. */
json_t *instances_counters(const struct instances *, struct uuid id);

/* Calls 'each' whenever something of an instance may have changed, until it is told no more. */
struct instances_reader;
struct instances_reader *instances_subscribe(struct instances *, void (*each)(void *aux), void *aux);
void instances_unsubscribe(struct instances_reader *); /* NULL is fine; not from within 'each' */

#endif
