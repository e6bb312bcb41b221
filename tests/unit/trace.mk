exec_lab = tests/unit/exec_lab.h tests/unit/exec_samples.h

check_PROGRAMS += tests/unit/test_exec
tests_unit_test_exec_SOURCES = tests/unit/test_exec.c $(exec_lab)
tests_unit_test_exec_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_exec_groups
tests_unit_test_exec_groups_SOURCES = tests/unit/test_exec_groups.c $(exec_lab)
tests_unit_test_exec_groups_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_exec_ct
tests_unit_test_exec_ct_SOURCES = tests/unit/test_exec_ct.c $(exec_lab)
tests_unit_test_exec_ct_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_exec_entry
tests_unit_test_exec_entry_SOURCES = tests/unit/test_exec_entry.c $(exec_lab)
tests_unit_test_exec_entry_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_exec_ovs
tests_unit_test_exec_ovs_SOURCES = tests/unit/test_exec_ovs.c tests/unit/exec_samples.h \
	tests/unit/exec_set.h tests/unit/exec_set_flows.c tests/unit/exec_set_packet.c \
	tests/unit/exec_trace.c tests/unit/exec_trace.h tests/unit/ovs_fixture.c tests/unit/ovs_fixture.h
tests_unit_test_exec_ovs_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_trace
tests_unit_test_trace_SOURCES = tests/unit/test_trace.c $(vnet_lab)
tests_unit_test_trace_LDADD = libcontroller.a $(PURE_LIBS) $(CMOCKA_LIBS)
