check_PROGRAMS += tests/unit/test_domain_xml
tests_unit_test_domain_xml_SOURCES = tests/unit/test_domain_xml.c
tests_unit_test_domain_xml_LDADD = libagent.a libbase.a $(XML_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_hook_message
tests_unit_test_hook_message_SOURCES = tests/unit/test_hook_message.c
tests_unit_test_hook_message_LDADD = libagent.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_hook_server
tests_unit_test_hook_server_SOURCES = tests/unit/test_hook_server.c
tests_unit_test_hook_server_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_numbers
tests_unit_test_numbers_SOURCES = tests/unit/test_numbers.c
tests_unit_test_numbers_LDADD = libagent.a libbase.a $(EVENT_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_worker
tests_unit_test_worker_SOURCES = tests/unit/test_worker.c
tests_unit_test_worker_LDADD = libagent.a libbase.a $(EVENT_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS) -lpthread

instance_lab = tests/unit/instance_lab.c tests/unit/instance_lab.h $(controller_switch)

check_PROGRAMS += tests/unit/test_declarations
tests_unit_test_declarations_SOURCES = tests/unit/test_declarations.c $(instance_lab)
tests_unit_test_declarations_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_instances
tests_unit_test_instances_SOURCES = tests/unit/test_instances.c $(instance_lab)
tests_unit_test_instances_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_migrations
tests_unit_test_migrations_SOURCES = tests/unit/test_migrations.c $(instance_lab)
tests_unit_test_migrations_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_removals
tests_unit_test_removals_SOURCES = tests/unit/test_removals.c $(instance_lab)
tests_unit_test_removals_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_api_instances
tests_unit_test_api_instances_SOURCES = tests/unit/test_api_instances.c $(api_lab) $(instance_lab)
tests_unit_test_api_instances_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_orphans
tests_unit_test_orphans_SOURCES = tests/unit/test_orphans.c $(instance_lab)
tests_unit_test_orphans_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_conntrack
tests_unit_test_conntrack_SOURCES = tests/unit/test_conntrack.c
tests_unit_test_conntrack_LDADD = libagent.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_open_counts
tests_unit_test_open_counts_SOURCES = tests/unit/test_open_counts.c
tests_unit_test_open_counts_LDADD = libcontroller.a libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS) -lm -lpthread

check_PROGRAMS += tests/unit/test_counting
tests_unit_test_counting_SOURCES = tests/unit/test_counting.c $(controller_lab)
tests_unit_test_counting_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_conntrack_loop
tests_unit_test_conntrack_loop_SOURCES = tests/unit/test_conntrack_loop.c
tests_unit_test_conntrack_loop_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_migration_record
tests_unit_test_migration_record_SOURCES = tests/unit/test_migration_record.c $(controller_lab)
tests_unit_test_migration_record_LDADD = libagent.a $(DAEMON_LIBS) $(XML_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_underlay
tests_unit_test_underlay_SOURCES = tests/unit/test_underlay.c
tests_unit_test_underlay_LDADD = libagent.a libbase.a $(EVENT_LIBS) $(NETLINK_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_link
tests_unit_test_link_SOURCES = tests/unit/test_link.c tests/unit/link_world.c tests/unit/link_world.h
tests_unit_test_link_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_virt_read
tests_unit_test_virt_read_SOURCES = tests/unit/test_virt_read.c
tests_unit_test_virt_read_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_virt
tests_unit_test_virt_SOURCES = tests/unit/test_virt.c
tests_unit_test_virt_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_agents
tests_unit_test_agents_SOURCES = tests/unit/test_agents.c $(controller_lab)
tests_unit_test_agents_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_since
tests_unit_test_since_SOURCES = tests/unit/test_since.c
tests_unit_test_since_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
