check_PROGRAMS += tests/unit/test_runtime
tests_unit_test_runtime_SOURCES = tests/unit/test_runtime.c
tests_unit_test_runtime_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_dhcp
tests_unit_test_dhcp_SOURCES = tests/unit/test_dhcp.c
tests_unit_test_dhcp_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_icmp
tests_unit_test_icmp_SOURCES = tests/unit/test_icmp.c
tests_unit_test_icmp_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_icmp_inner
tests_unit_test_icmp_inner_SOURCES = tests/unit/test_icmp_inner.c
tests_unit_test_icmp_inner_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_icmp_echo
tests_unit_test_icmp_echo_SOURCES = tests/unit/test_icmp_echo.c
tests_unit_test_icmp_echo_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_ipv4
tests_unit_test_ipv4_SOURCES = tests/unit/test_ipv4.c tests/unit/random.h
tests_unit_test_ipv4_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_probe
tests_unit_test_probe_SOURCES = tests/unit/test_probe.c tests/unit/random.h
tests_unit_test_probe_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_arp
tests_unit_test_arp_SOURCES = tests/unit/test_arp.c
tests_unit_test_arp_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

vnet_lab = tests/unit/vnet_lab.c tests/unit/vnet_lab.h tests/unit/vnet_storm.h

check_PROGRAMS += tests/unit/test_compiler
tests_unit_test_compiler_SOURCES = tests/unit/test_compiler.c $(vnet_lab)
tests_unit_test_compiler_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_public
tests_unit_test_public_SOURCES = tests/unit/test_public.c tests/unit/random.h $(vnet_lab)
tests_unit_test_public_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_sg
tests_unit_test_sg_SOURCES = tests/unit/test_sg.c tests/unit/random.h $(vnet_lab)
tests_unit_test_sg_LDFLAGS = -Wl,--wrap=touch_add,--wrap=sg_rule_flows
tests_unit_test_sg_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_lb
tests_unit_test_lb_SOURCES = tests/unit/test_lb.c tests/unit/random.h $(vnet_lab)
tests_unit_test_lb_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_lb_check
tests_unit_test_lb_check_SOURCES = tests/unit/test_lb_check.c tests/unit/random.h $(vnet_lab)
tests_unit_test_lb_check_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_features
tests_unit_test_features_SOURCES = tests/unit/test_features.c $(vnet_lab) tests/unit/ovs_fixture.c tests/unit/ovs_fixture.h
tests_unit_test_features_LDADD = $(PURE_LIBS) $(CMOCKA_LIBS)

# Golden: intent in, named flows out. 'make golden' compares, 'make golden-accept' rewrites what differs.
check_PROGRAMS += tests/golden/golden
tests_golden_golden_SOURCES = tests/golden/golden.c tests/golden/broken.c tests/golden/broken.h $(vnet_lab)
tests_golden_golden_LDFLAGS = -Wl,--wrap=feature_by_number
tests_golden_golden_LDADD = $(PURE_LIBS)
EXTRA_DIST += tests/golden/cases

.PHONY: golden golden-accept
golden: tests/golden/golden$(EXEEXT)
	tests/golden/golden$(EXEEXT) $(srcdir)/tests/golden/cases
golden-accept: tests/golden/golden$(EXEEXT)
	tests/golden/golden$(EXEEXT) --accept $(srcdir)/tests/golden/cases
