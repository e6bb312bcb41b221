/* vnetd's inside for tests: a controller with a store of its own in a directory of its own, listening on a unix socket, and hosts that are
 * connected when a test says so. What must not fail fails the test. */
#ifndef TESTS_UNIT_CONTROLLER_LAB_H
#define TESTS_UNIT_CONTROLLER_LAB_H 1

#include "controller/commit.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"

struct controller_lab {
    struct controller c;
    struct options options;
    char dir[48], store[80], api[80];
};

struct controller_lab *controller_lab_start(void);
/* On a store that these statements make. */
struct controller_lab *controller_lab_start_with(const char *sql);
void controller_lab_stop(struct controller_lab *);
/* For cmocka: one that is *state, with these operations done (as controller_lab_do()), and its end. */
int controller_lab_setup(void **state, const char *operations);
int controller_lab_teardown(void **state);
/* Stops, and starts again on the same store. */
void controller_lab_restart(struct controller_lab *);

/* Runs the loop until the condition holds; false after five seconds. */
bool controller_lab_until(struct controller_lab *, bool (*holds)(void *aux), void *aux);
void controller_lab_turn(struct controller_lab *); /* what is due now */

/* What a request came to; strings are owned. */
struct lab_result {
    bool is_done, ok;
    struct error err;
    int op;
    uint64_t revision;
    json_t *results, *changes; /* references */
    char *replayed;
    uint32_t hosts[8];
    size_t n_hosts;
};
void lab_result_done(struct lab_result *);

/* Submits operations (text with ' for "), and waits. 'request' may be NULL: an admin's, of tenant default. */
struct lab_result controller_lab_try(struct controller_lab *, const struct commit_request *request, const char *ops);
/* As an admin; must succeed. */
void controller_lab_do(struct controller_lab *, const char *ops);

uint32_t controller_lab_number(struct controller_lab *, enum object_type, const char *name);
struct hypervisor *controller_lab_host(struct controller_lab *, const char *name);

/* The host's OVSDB connection begins or ends, as far as bindings can tell. */
void controller_lab_connect(struct controller_lab *, const char *host);
void controller_lab_disconnect(struct controller_lab *, const char *host);
/* The host's first reading shows exactly this interface (NULL: none); later it comes or goes. */
void controller_lab_show(struct controller_lab *, const char *host, const char *iface_id, uint32_t ofport);
void controller_lab_add(struct controller_lab *, const char *host, const char *iface_id, uint32_t ofport);
void controller_lab_remove(struct controller_lab *, const char *host, const char *iface_id);

#endif
