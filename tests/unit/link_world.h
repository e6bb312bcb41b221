/* An agent's link to a vnetd, with one domain, and that vnetd: it answers, refuses, holds back, beats and falls silent as a test wants. */
#ifndef TESTS_UNIT_LINK_WORLD_H
#define TESTS_UNIT_LINK_WORLD_H 1

#include <event2/event.h>
#include <event2/http.h>

#include "agent/agent.h"
#include "agent/link.h"

#define BOUND_MS 10000 /* of everything that a test waits for */

/* What the domain's libvirt says of it. */
#define LINK_WORLD_XML                                                                                           \
    "<domain><uuid>dc2b9d00-dd64-4485-add1-0b9917418121</uuid><name>vm</name><devices><interface type='bridge'>" \
    "<mac address='52:54:00:00:00:01'/><virtualport type='openvswitch'><parameters "                             \
    "interfaceid='22222222-0000-4000-8000-000000000001'/></virtualport></interface></devices></domain>"

enum mood { ANSWERS, REFUSES, BREAKS, HOLDS };

struct world {
    struct event_base *base;
    struct evhttp *http;
    char url[64];
    struct domains domains;
    struct domain *domain;
    struct vnetd_link *link;

    enum mood mood;    /* towards what hooks ask */
    const char *hello; /* NULL: it does not say hello */
    struct stream {
        struct evhttp_request *request;
        struct evhttp_connection *connection; /* NULL: it has ended */
    } streams[16];
    struct evhttp_request *stream; /* the last one; NULL: it has ended */
    struct evhttp_request *held[64];
    bool is_report_refused;
    size_t n_held, n_reports, n_streams, n_declared, n_ups, n_downs, n_beats;
    bool is_up;
    json_t *asked;                /* the body of what was asked last, by declare or wait */
    json_t *report, *last_report; /* the first, the last; NULL: none yet */
    size_t n_gone, most_gone;     /* told by all reports, by one */

    size_t n_answers; /* that a hook got */
    int64_t answered_ms;
    struct error refusal; /* of the last one; text "" none */
    bool is_ready;
};

/* For cmocka. The link is not connected yet. */
int link_world_start(void **state);
int link_world_stop(void **state);

/* Turns the loop until it holds; fails when it does not within BOUND_MS and what a hello may take. */
void link_world_until(struct world *, bool (*holds)(const struct world *));
bool link_world_is_up(const struct world *);
bool link_world_has_answer(const struct world *); /* a hook has one */
void link_world_connect(struct world *);

/* As a hook does when the domain starts, and until it has its answer; and how it notes that. */
void link_world_declare(struct world *, unsigned timeout_ms);
void link_world_on_declared(void *world, const struct error *);

/* As vnetd: an event on the last stream of instructions; an answer to a request. */
void link_world_event(struct world *, const char *text);
void link_world_reply(struct evhttp_request *, int status, const char *body);

#endif
