/* What link.c (the stream, what hooks ask) and link_report.c (what is told by itself) share. */
#ifndef AGENT_LINK_PRIVATE_H
#define AGENT_LINK_PRIVATE_H 1

#include "agent/link.h"
#include "base/uuid.h"

#define LINK_AGAIN_MS 2000 /* after what was not taken */
#define LINK_CALL_MS 10000

struct vnetd_link {
    struct event_base *base;
    struct api_client *client;
    struct instructions *instructions;
    struct domains *domains;
    const char *server;
    char *host, *query; /* "?host=NAME"; NULL: not known yet */
    bool is_up;         /* vnetd has said hello, and is not silent */
    bool is_whole;      /* the table is all that libvirt has */
    bool wants_full;    /* vnetd knows nothing of us yet */
    bool is_telling;
    bool is_answering, is_host_untold, is_underlay_known;
    struct underlay_facts underlay;
    json_t *connections; /* NULL: vnetd knows them */
    link_counting *counting;
    void *counting_aux;
    char run[UUID_STRLEN]; /* of this agent, since it started; its reports and events are numbered */
    int64_t n_reports;
    size_t n_gone_told; /* of domains.gone, in the report on its way */
    struct uuid *rest;  /* domains that are still to be declared without a hook */
    size_t n_rest, cap_rest, n_declaring;
    bool has_lost; /* a declaration, since they were last gathered */
    struct event *tell;
    link_turned *turned; /* NULL: nobody cares */
    void *turned_aux;
};

char *link_path(const struct vnetd_link *, const char *what); /* free() it */
void link_tell_soon(struct vnetd_link *);
void link_wait_ms(struct event *timer, int64_t ms);
/* vnetd knows nothing (any more) of what this host has; nor of what its domains declare. */
void link_everything_is_untold(struct vnetd_link *);
void link_everything_is_undeclared(struct vnetd_link *);
/* The timer's: tells what is untold. */
void link_on_tell(evutil_socket_t, short what, void *link);

#endif
