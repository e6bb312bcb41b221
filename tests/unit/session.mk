check_PROGRAMS += tests/unit/test_endpoint tests/unit/test_of_session
tests_unit_test_endpoint_SOURCES = tests/unit/test_endpoint.c tests/unit/test_pki.c tests/unit/test_pki.h
tests_unit_test_endpoint_LDADD = libsession.a libbase.a $(EVENT_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS) \
	-lm -lpthread
tests_unit_test_of_session_SOURCES = tests/unit/test_of_session.c tests/unit/fake_switch.c tests/unit/fake_switch.h \
	tests/unit/ovs_fixture.c tests/unit/ovs_fixture.h tests/unit/test_pki.c tests/unit/test_pki.h
tests_unit_test_of_session_LDADD = libsession.a libflow.a libbase.a $(OVS_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) \
	$(JANSSON_LIBS) $(CMOCKA_LIBS) -lm -lpthread
