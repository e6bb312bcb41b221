/* A whole host for OVSDB tests, on top of ovs_fixture.h: its ovsdb-server follows the Manager rows, as on a real host, and every
 * datapath and device of its ovs-vswitchd is a dummy, so that 'system' and 'netdev' bridges touch nothing of this machine. */
#ifndef TESTS_UNIT_OVSDB_FIXTURE_H
#define TESTS_UNIT_OVSDB_FIXTURE_H 1

#include "tests/unit/ovs_fixture.h"

struct ovsdb_fixture;

struct ovsdb_fixture *ovsdb_fixture_start(void);
void ovsdb_fixture_stop(struct ovsdb_fixture *);

/* Runs ovs-vsctl with these arguments; returns what it printed, without the final newline (free() it). */
char *ovsdb_fixture_vsctl(const struct ovsdb_fixture *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Likewise for its own sake. */
void ovsdb_fixture_do(const struct ovsdb_fixture *, const char *format, ...) __attribute__((format(printf, 2, 3)));
const struct ovs_fixture *ovsdb_fixture_ovs(const struct ovsdb_fixture *);

#endif
