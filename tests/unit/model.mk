EXTRA_DIST += tests/unit/model_lab.h tests/unit/model_dump.h
check_PROGRAMS += tests/unit/test_ip_pool
tests_unit_test_ip_pool_SOURCES = tests/unit/test_ip_pool.c
tests_unit_test_ip_pool_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_principal
tests_unit_test_principal_SOURCES = tests/unit/test_principal.c
tests_unit_test_principal_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_transaction
tests_unit_test_transaction_SOURCES = tests/unit/test_transaction.c
tests_unit_test_transaction_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_transaction_network
tests_unit_test_transaction_network_SOURCES = tests/unit/test_transaction_network.c
tests_unit_test_transaction_network_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_transaction_public
tests_unit_test_transaction_public_SOURCES = tests/unit/test_transaction_public.c
tests_unit_test_transaction_public_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_transaction_sg
tests_unit_test_transaction_sg_SOURCES = tests/unit/test_transaction_sg.c
tests_unit_test_transaction_sg_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_sg_shadow
tests_unit_test_sg_shadow_SOURCES = tests/unit/test_sg_shadow.c
tests_unit_test_sg_shadow_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_transaction_lb
tests_unit_test_transaction_lb_SOURCES = tests/unit/test_transaction_lb.c
tests_unit_test_transaction_lb_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_model
tests_unit_test_model_SOURCES = tests/unit/test_model.c tests/unit/plain_model.c tests/unit/plain_model.h
tests_unit_test_model_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_model_groups
tests_unit_test_model_groups_SOURCES = tests/unit/test_model_groups.c
tests_unit_test_model_groups_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_model_json
tests_unit_test_model_json_SOURCES = tests/unit/test_model_json.c
tests_unit_test_model_json_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
