/* The HTTP/JSON interface of vnetd: see README.md here for its contract. One file per group of resources. */
#ifndef CONTROLLER_API_API_H
#define CONTROLLER_API_API_H 1

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"

struct api;
struct call;
struct controller;

/* Listens as the options say. */
struct api *api_new(struct controller *, struct error *) MUST_CHECK;
void api_free(struct api *);

/* resources.c */
void api_list(struct call *);
void api_get(struct call *);
void api_add(struct call *);
void api_set(struct call *);
void api_del(struct call *);
/* transactions.c */
void api_transaction(struct call *);
void api_sync(struct call *);
/* events.c */
void api_events(struct call *);
/* waits.c */
void api_wait(struct call *);
/* insight.c */
void api_verify(struct call *);
void api_trace(struct call *);
void api_show(struct call *);
void api_schema(struct call *);
/* agent.c */
void api_agent(struct call *);
/* join.c */
void api_host_token(struct call *);
void api_join(struct call *);
bool api_is_join(const struct call *); /* what one may ask who is nobody yet */
/* instances.c */
void api_instances(struct call *);
void api_instance(struct call *);
/* Of that name or id, as far as the caller may see it; NULL: there is none. New reference. */
json_t *api_instance_row(struct call *, const char *name);
bool api_instance_check_column(const char *column, struct error *) MUST_CHECK;
/* orphans.c */
void api_orphans(struct call *);
void api_orphans_remove(struct call *);
/* health.c */
void api_healthz(struct call *);
void api_metrics(struct call *);

#endif
