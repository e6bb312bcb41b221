EXTRA_DIST += tests/unit/exec_samples.h
check_PROGRAMS += tests/unit/test_exec
tests_unit_test_exec_SOURCES = tests/unit/test_exec.c
tests_unit_test_exec_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_exec_entry
tests_unit_test_exec_entry_SOURCES = tests/unit/test_exec_entry.c
tests_unit_test_exec_entry_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_exec_ovs
tests_unit_test_exec_ovs_SOURCES = tests/unit/test_exec_ovs.c tests/unit/ovs_fixture.c tests/unit/ovs_fixture.h
tests_unit_test_exec_ovs_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_trace
tests_unit_test_trace_SOURCES = tests/unit/test_trace.c $(vnet_lab)
tests_unit_test_trace_LDADD = libcontroller.a $(PURE_LIBS) $(CMOCKA_LIBS)
