FLOW_LIBS = libflow.a libbase.a $(OVS_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS) -lm -lpthread

check_PROGRAMS += tests/unit/test_bytes
tests_unit_test_bytes_SOURCES = tests/unit/test_bytes.c
tests_unit_test_bytes_LDADD = libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_flow_builder
tests_unit_test_flow_builder_SOURCES = tests/unit/test_flow_builder.c tests/unit/flow_samples.c tests/unit/flow_samples.h
tests_unit_test_flow_builder_LDADD = $(FLOW_LIBS)

flow_model = tests/unit/flow_model.c tests/unit/flow_model.h

check_PROGRAMS += tests/unit/test_flow_table
tests_unit_test_flow_table_SOURCES = tests/unit/test_flow_table.c $(flow_model)
tests_unit_test_flow_table_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_flow_table_random
tests_unit_test_flow_table_random_SOURCES = tests/unit/test_flow_table_random.c $(flow_model)
tests_unit_test_flow_table_random_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_wire
tests_unit_test_wire_SOURCES = tests/unit/test_wire.c tests/unit/flow_samples.c tests/unit/flow_samples.h
tests_unit_test_wire_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_packet_in
tests_unit_test_packet_in_SOURCES = tests/unit/test_packet_in.c
tests_unit_test_packet_in_LDADD = $(FLOW_LIBS)

check_PROGRAMS += tests/unit/test_canonical
tests_unit_test_canonical_SOURCES = tests/unit/test_canonical.c tests/unit/flow_samples.c tests/unit/flow_samples.h \
	tests/unit/ovs_fixture.c tests/unit/ovs_fixture.h
tests_unit_test_canonical_LDADD = $(FLOW_LIBS)
