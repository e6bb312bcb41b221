/* A private Open vSwitch for tests: ovsdb-server and ovs-vswitchd on a directory of their own, with the dummy datapath (the
 * userspace datapath without devices of the system, so that tests run beside each other). Its processes die with the test.
 * A function that cannot do its work fails the running test. */
#ifndef TESTS_UNIT_OVS_FIXTURE_H
#define TESTS_UNIT_OVS_FIXTURE_H 1

struct ovs_fixture;

struct ovs_fixture *ovs_fixture_start(void); /* without bridges */
void ovs_fixture_stop(struct ovs_fixture *);
const char *ovs_fixture_dir(const struct ovs_fixture *); /* sockets, logs, database */

/* Runs a shell command with Open vSwitch's programs first in PATH; returns what it printed (free() it), with status 0. */
char *ovs_fixture_sh(const struct ovs_fixture *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds an OpenFlow 1.5 bridge with fail mode secure, in-band off and this datapath id (16 hex digits). */
void ovs_fixture_add_bridge(const struct ovs_fixture *, const char *bridge, const char *dpid);
/* Sets its only controller, out-of-band, reconnecting within a second; does not wait for the connection. */
void ovs_fixture_set_controller(const struct ovs_fixture *, const char *bridge, const char *target);

void ovs_fixture_kill_vswitchd(struct ovs_fixture *);
void ovs_fixture_start_vswitchd(struct ovs_fixture *);
int ovs_fixture_vswitchd_pid(const struct ovs_fixture *);

#endif
