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

check_PROGRAMS += tests/unit/test_api
tests_unit_test_api_SOURCES = tests/unit/test_api.c tests/unit/api_client.c tests/unit/api_client.h $(controller_lab)
tests_unit_test_api_LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)
