check_PROGRAMS += tests/unit/test_endpoint
tests_unit_test_endpoint_SOURCES = tests/unit/test_endpoint.c tests/unit/test_pki.c tests/unit/test_pki.h
tests_unit_test_endpoint_LDADD = libsession.a libbase.a $(EVENT_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS) \
	-lm -lpthread

session_world = tests/unit/session_world.c tests/unit/session_world.h tests/unit/fake_switch.c tests/unit/fake_switch.h \
	tests/unit/ovs_fixture.c tests/unit/ovs_fixture.h tests/unit/test_pki.c tests/unit/test_pki.h
session_world_libs = libsession.a libflow.a libbase.a $(OVS_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS) \
	$(CMOCKA_LIBS) -lm -lpthread

check_PROGRAMS += tests/unit/test_of_retry
tests_unit_test_of_retry_SOURCES = tests/unit/test_of_retry.c $(session_world)
tests_unit_test_of_retry_LDADD = $(session_world_libs)

check_PROGRAMS += tests/unit/test_of_session
tests_unit_test_of_session_SOURCES = tests/unit/test_of_session.c $(session_world)
tests_unit_test_of_session_LDADD = $(session_world_libs)

check_PROGRAMS += tests/unit/test_of_session_ovs
tests_unit_test_of_session_ovs_SOURCES = tests/unit/test_of_session_ovs.c $(session_world)
tests_unit_test_of_session_ovs_LDADD = $(session_world_libs)

check_PROGRAMS += tests/unit/test_of_session_packets
tests_unit_test_of_session_packets_SOURCES = tests/unit/test_of_session_packets.c $(session_world)
tests_unit_test_of_session_packets_LDADD = $(session_world_libs)

check_PROGRAMS += tests/unit/test_of_session_peer
tests_unit_test_of_session_peer_SOURCES = tests/unit/test_of_session_peer.c $(session_world)
tests_unit_test_of_session_peer_LDADD = $(session_world_libs)

check_PROGRAMS += tests/unit/test_packet_in_limit
tests_unit_test_packet_in_limit_SOURCES = tests/unit/test_packet_in_limit.c
tests_unit_test_packet_in_limit_LDADD = libsession.a libbase.a $(CMOCKA_LIBS)
