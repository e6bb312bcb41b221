/* What tests of a host's conntrack zones share: a controller lab with the host 'hv1', and its switch. */
#ifndef TESTS_UNIT_ZONES_LAB_H
#define TESTS_UNIT_ZONES_LAB_H 1

#include "tests/unit/controller_switch.h"

/* A test's state begins with it. */
struct zones_lab {
    struct controller_lab *lab;
    struct controller_switch hv; /* not connected yet */
};

/* A state of so many bytes, else zero, whose lab has done these operations. */
void *zones_lab_start(size_t bytes, const char *operations);
/* For cmocka. */
int zones_lab_teardown(void **state);

/* Until all that concerns hv1 is compiled; and what that sets off has been done. */
void zones_lab_compile(struct zones_lab *);

#endif
