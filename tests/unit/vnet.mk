check_PROGRAMS += tests/unit/test_runtime
tests_unit_test_runtime_SOURCES = tests/unit/test_runtime.c
tests_unit_test_runtime_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_dhcp
tests_unit_test_dhcp_SOURCES = tests/unit/test_dhcp.c
tests_unit_test_dhcp_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_icmp
tests_unit_test_icmp_SOURCES = tests/unit/test_icmp.c
tests_unit_test_icmp_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

EXTRA_DIST += tests/unit/vnet_lab.h
check_PROGRAMS += tests/unit/test_compiler
tests_unit_test_compiler_SOURCES = tests/unit/test_compiler.c
tests_unit_test_compiler_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_features
tests_unit_test_features_SOURCES = tests/unit/test_features.c
tests_unit_test_features_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)
