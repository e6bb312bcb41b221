OVSDB_TEST_LIBS = libovsdb.a libbase.a $(EVENT_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS) -lm -lpthread
ovsdb_samples = tests/unit/ovsdb_samples.c tests/unit/ovsdb_samples.h

check_PROGRAMS += tests/unit/test_jsonrpc
tests_unit_test_jsonrpc_SOURCES = tests/unit/test_jsonrpc.c
tests_unit_test_jsonrpc_LDADD = $(OVSDB_TEST_LIBS)

check_PROGRAMS += tests/unit/test_ovsdb_rows
tests_unit_test_ovsdb_rows_SOURCES = tests/unit/test_ovsdb_rows.c $(ovsdb_samples)
tests_unit_test_ovsdb_rows_LDADD = $(OVSDB_TEST_LIBS)

check_PROGRAMS += tests/unit/test_ovsdb_facts
tests_unit_test_ovsdb_facts_SOURCES = tests/unit/test_ovsdb_facts.c $(ovsdb_samples)
tests_unit_test_ovsdb_facts_LDADD = $(OVSDB_TEST_LIBS)

check_PROGRAMS += tests/unit/test_ovsdb_zones
tests_unit_test_ovsdb_zones_SOURCES = tests/unit/test_ovsdb_zones.c $(ovsdb_samples)
tests_unit_test_ovsdb_zones_LDADD = $(OVSDB_TEST_LIBS)

check_PROGRAMS += tests/unit/test_ovsdb_cards
tests_unit_test_ovsdb_cards_SOURCES = tests/unit/test_ovsdb_cards.c $(ovsdb_samples)
tests_unit_test_ovsdb_cards_LDADD = $(OVSDB_TEST_LIBS)

check_PROGRAMS += tests/unit/test_ovsdb_config
tests_unit_test_ovsdb_config_SOURCES = tests/unit/test_ovsdb_config.c $(ovsdb_samples)
tests_unit_test_ovsdb_config_LDADD = $(OVSDB_TEST_LIBS)

check_PROGRAMS += tests/unit/test_ovsdb_session
tests_unit_test_ovsdb_session_SOURCES = tests/unit/test_ovsdb_session.c tests/unit/ovsdb_owner.c tests/unit/ovsdb_owner.h \
	$(ovsdb_samples)
tests_unit_test_ovsdb_session_LDADD = $(OVSDB_TEST_LIBS)

check_PROGRAMS += tests/unit/test_ovsdb_live
tests_unit_test_ovsdb_live_SOURCES = tests/unit/test_ovsdb_live.c tests/unit/ovsdb_owner.c tests/unit/ovsdb_owner.h \
	tests/unit/ovsdb_fixture.c tests/unit/ovsdb_fixture.h tests/unit/ovs_fixture.c tests/unit/ovs_fixture.h
tests_unit_test_ovsdb_live_LDADD = $(OVSDB_TEST_LIBS)
