/* What the tests of the HTTP interface begin with: a vnetd with VPC v, subnet s and port p, and what answers are held against. */
#ifndef TESTS_UNIT_API_LAB_H
#define TESTS_UNIT_API_LAB_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/api_client.h"

int api_lab_start(void **state); /* '*state' is its controller_lab; controller_lab_teardown() ends it */
#define API_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, api_lab_start, controller_lab_teardown)

/* Only root can be admin on the unix socket, and pose as others: without, the test is skipped. */
void needs_root(void);
/* The answer is of that status, and its error says that word. */
void expect_error(const struct answer *, int status, const char *word);
/* vnetd answers. */
void expect_well(struct controller_lab *);

#endif
