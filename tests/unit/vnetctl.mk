vnetctl_test_libs = libvnetctl.a libpki.a libbase.a $(CURL_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_vnetctl_parse
tests_unit_test_vnetctl_parse_SOURCES = tests/unit/test_vnetctl_parse.c
tests_unit_test_vnetctl_parse_LDADD = $(vnetctl_test_libs)

check_PROGRAMS += tests/unit/test_vnetctl_batch
tests_unit_test_vnetctl_batch_SOURCES = tests/unit/test_vnetctl_batch.c
tests_unit_test_vnetctl_batch_LDADD = $(vnetctl_test_libs)

check_PROGRAMS += tests/unit/test_vnetctl_output
tests_unit_test_vnetctl_output_SOURCES = tests/unit/test_vnetctl_output.c
tests_unit_test_vnetctl_output_LDADD = $(vnetctl_test_libs)

check_PROGRAMS += tests/unit/test_vnetctl_pki
tests_unit_test_vnetctl_pki_SOURCES = tests/unit/test_vnetctl_pki.c
tests_unit_test_vnetctl_pki_LDADD = $(vnetctl_test_libs)
