store_world = tests/unit/store_world.c tests/unit/store_world.h

check_PROGRAMS += tests/unit/test_store
tests_unit_test_store_SOURCES = tests/unit/test_store.c $(store_world)
tests_unit_test_store_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_store_foreign
tests_unit_test_store_foreign_SOURCES = tests/unit/test_store_foreign.c $(store_world)
tests_unit_test_store_foreign_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_store_durable
tests_unit_test_store_durable_SOURCES = tests/unit/test_store_durable.c $(store_world)
tests_unit_test_store_durable_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)
