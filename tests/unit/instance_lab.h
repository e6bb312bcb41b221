/* What tests of domains share: a controller with two hosts and a VPC, agents' reports and declarations as text (with ' for "), and a guest of one
 * declared port. What must not fail fails the test. */
#ifndef TESTS_UNIT_INSTANCE_LAB_H
#define TESTS_UNIT_INSTANCE_LAB_H 1

#include "controller/instance/agents.h"
#include "controller/instance/declared.h"
#include "tests/unit/controller_switch.h"

#define DOMAIN "dc2b9d00-dd64-4485-add1-0b9917418121"
#define OTHER "dc2b9d00-dd64-4485-add1-0b9917418122"
#define PORT "22222222-0000-4000-8000-000000000001"
#define NEW_PORT "22222222-0000-4000-8000-000000000002"
#define DECLARED(MORE)                                                                                       \
    "{'id':'" DOMAIN "','name':'vm','tenant':'default','ports':[{'id':'" PORT "','mac':'52:54:00:00:00:01'," \
    "'declared':true,'name':'vm'," MORE "}]}"
#define RUNNING "{'id':'" DOMAIN "','name':'vm','state':'running','ports':['" PORT "']}"
#define INCOMING                                                                                                             \
    "{'id':'" DOMAIN "','name':'vm','tenant':'default','incoming':true,'ports':[{'id':'" PORT "','mac':'52:54:00:00:00:01'," \
    "'declared':true,'name':'vm','subnet':'a'}]}"

/* For cmocka; ends with controller_lab_teardown(). */
int instance_lab_setup(void **state);

json_t *from_text(const char *);
uint32_t host_number(struct controller_lab *, const char *name);

/* As the agent of a host reports. */
bool report(struct controller_lab *, const char *host, const char *text, struct error *);
void must_report(struct controller_lab *, const char *host, const char *text);

/* What a declaration came to. */
struct declaring {
    bool is_done, ok;
    struct error err;
};
struct declaring declare(struct controller_lab *, const char *host, const char *text);
void must_declare(struct controller_lab *, const char *host, const char *text);

/* The port with the id PORT, or NULL; until there is one, or none. */
const struct port *port_of(struct controller_lab *);
void until_port(struct controller_lab *, bool is_there);

/* The guest runs on h1; h2 has announced it and shows its interface. The port's number. */
uint32_t begin_migration(struct controller_lab *);

/* One that does as it is told, and says nothing. */
struct agent_session *enter_agent(struct controller_lab *, const char *host);

#endif
