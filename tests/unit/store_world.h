/* A store in a file of its own, and a model that is loaded from it. For tests; what must not fail fails the test. */
#ifndef TESTS_UNIT_STORE_WORLD_H
#define TESTS_UNIT_STORE_WORLD_H 1

#include "controller/store/store.h"
#include "tests/unit/model_lab.h"

struct world {
    char dir[64], file[80], method[100];
    struct event_base *base;
    struct store *store;
    struct lab lab;
    struct error err;
    /* what was loaded */
    json_t *facts, *tombstones;
    /* what came back */
    int n_done, n_ok;
    struct error refusal;
};

int store_world_setup(void **state); /* nothing is open yet */
int store_world_teardown(void **state);
#define STORE_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, store_world_setup, store_world_teardown)

bool world_open(struct world *); /* and loads; false with its err */
void world_close(struct world *);
void must_open(struct world *);
void reopen(struct world *);
void must_not_open(struct world *, const char *text); /* the error has this and the file's name */

/* Submits the open transaction; wait_for() so many that are done, of all. */
void submit_as(struct world *, const char *scope, const char *key, const char *digest, const char *answer);
void submit_with(struct world *, const char *key, const char *digest, const char *answer);
void wait_for(struct world *, int n_done);
/* The open transaction, whole way; false: it is refused, and aborted. */
bool commit(struct world *);

#define commit_ops(W, ...)                     \
    do {                                       \
        lab_begin(&(W)->lab);                  \
        lab_do(&(W)->lab, __VA_ARGS__);        \
        if (!commit(W))                        \
            fail_msg("%s", (W)->refusal.text); \
    } while (0)

/* What another program does with the file; of the first row the first column. */
void sql(struct world *, const char *text);
int sql_int(struct world *, const char *text);

#endif
