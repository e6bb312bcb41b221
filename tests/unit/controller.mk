controller_lab = tests/unit/controller_lab.c tests/unit/controller_lab.h

check_PROGRAMS += tests/unit/test_options
tests_unit_test_options_SOURCES = tests/unit/test_options.c
tests_unit_test_options_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_binding
tests_unit_test_binding_SOURCES = tests/unit/test_binding.c $(controller_lab)
tests_unit_test_binding_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_waiter
tests_unit_test_waiter_SOURCES = tests/unit/test_waiter.c $(controller_lab)
tests_unit_test_waiter_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_feed
tests_unit_test_feed_SOURCES = tests/unit/test_feed.c $(controller_lab)
tests_unit_test_feed_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_commit
tests_unit_test_commit_SOURCES = tests/unit/test_commit.c $(controller_lab)
tests_unit_test_commit_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_upgrade
tests_unit_test_upgrade_SOURCES = tests/unit/test_upgrade.c $(controller_lab)
tests_unit_test_upgrade_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

api_lab = tests/unit/api_lab.c tests/unit/api_lab.h tests/unit/api_client.c tests/unit/api_client.h

check_PROGRAMS += tests/unit/test_api
tests_unit_test_api_SOURCES = tests/unit/test_api.c $(api_lab) $(controller_lab)
tests_unit_test_api_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_api_keys
tests_unit_test_api_keys_SOURCES = tests/unit/test_api_keys.c $(api_lab) $(controller_lab)
tests_unit_test_api_keys_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_api_objects
tests_unit_test_api_objects_SOURCES = tests/unit/test_api_objects.c $(api_lab) $(controller_switch)
tests_unit_test_api_objects_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_api_waits
tests_unit_test_api_waits_SOURCES = tests/unit/test_api_waits.c $(api_lab) $(controller_lab)
tests_unit_test_api_waits_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_api_who
tests_unit_test_api_who_SOURCES = tests/unit/test_api_who.c $(api_lab) $(controller_lab)
tests_unit_test_api_who_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_check
tests_unit_test_check_SOURCES = tests/unit/test_check.c
tests_unit_test_check_LDADD = libcontroller.a libbase.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_announce
tests_unit_test_announce_SOURCES = tests/unit/test_announce.c
tests_unit_test_announce_LDADD = libcontroller.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_gateway_probe
tests_unit_test_gateway_probe_SOURCES = tests/unit/test_gateway_probe.c
tests_unit_test_gateway_probe_LDADD = libcontroller.a $(CMOCKA_LIBS)

controller_switch = $(controller_lab) tests/unit/controller_switch.c tests/unit/controller_switch.h tests/unit/fake_switch.c \
	tests/unit/fake_switch.h

check_PROGRAMS += tests/unit/test_checks
tests_unit_test_checks_SOURCES = tests/unit/test_checks.c tests/unit/checks_world.c tests/unit/checks_world.h $(controller_switch)
tests_unit_test_checks_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_check_flush
tests_unit_test_check_flush_SOURCES = tests/unit/test_check_flush.c tests/unit/checks_world.c tests/unit/checks_world.h $(controller_switch)
tests_unit_test_check_flush_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_outside
tests_unit_test_outside_SOURCES = tests/unit/test_outside.c $(controller_switch)
tests_unit_test_outside_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_gateway_liveness
tests_unit_test_gateway_liveness_SOURCES = tests/unit/test_gateway_liveness.c
tests_unit_test_gateway_liveness_LDADD = libcontroller.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS) -lm -lpthread

check_PROGRAMS += tests/unit/test_zone_table
tests_unit_test_zone_table_SOURCES = tests/unit/test_zone_table.c
tests_unit_test_zone_table_LDADD = libcontroller.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS) -lm -lpthread

check_PROGRAMS += tests/unit/test_stop
tests_unit_test_stop_SOURCES = tests/unit/test_stop.c $(controller_switch)
tests_unit_test_stop_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

zones_lab = $(controller_switch) tests/unit/zones_lab.c tests/unit/zones_lab.h
check_PROGRAMS += tests/unit/test_lost_zones
tests_unit_test_lost_zones_SOURCES = tests/unit/test_lost_zones.c $(zones_lab)
tests_unit_test_lost_zones_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_held_zones
tests_unit_test_held_zones_SOURCES = tests/unit/test_held_zones.c $(zones_lab)
tests_unit_test_held_zones_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_host_zones
tests_unit_test_host_zones_SOURCES = tests/unit/test_host_zones.c $(zones_lab)
tests_unit_test_host_zones_LDFLAGS = -Wl,--wrap=ovsdb_session_set_zone
tests_unit_test_host_zones_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_hosts
tests_unit_test_hosts_SOURCES = tests/unit/test_hosts.c $(controller_switch)
tests_unit_test_hosts_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_handover
tests_unit_test_handover_SOURCES = tests/unit/test_handover.c $(controller_switch)
tests_unit_test_handover_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_refusals
tests_unit_test_refusals_SOURCES = tests/unit/test_refusals.c tests/unit/api_client.c tests/unit/api_client.h $(controller_switch)
tests_unit_test_refusals_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_hit_count
tests_unit_test_hit_count_SOURCES = tests/unit/test_hit_count.c tests/unit/random.h
tests_unit_test_hit_count_LDADD = libcontroller.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS) -lm -lpthread
