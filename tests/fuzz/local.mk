# Fuzz targets: tests/fuzz/NAME.c and its inputs, tests/fuzz/corpus/NAME. With --enable-fuzzers they are libFuzzer programs, else they replay
# the files of a folder (tests/run does so). `./dev fuzz` builds and runs the fuzzers, `./dev fuzz coverage` says what the inputs reach.
EXTRA_DIST += tests/fuzz/coverage tests/fuzz/covered.mk tests/fuzz/run tests/fuzz/corpus

fuzz_programs = \
	tests/fuzz/address \
	tests/fuzz/bytes_reader \
	tests/fuzz/json \
	tests/fuzz/flow_reply \
	tests/fuzz/packet_in \
	tests/fuzz/of_session \
	tests/fuzz/jsonrpc \
	tests/fuzz/ovsdb_update \
	tests/fuzz/ovsdb_session \
	tests/fuzz/dhcp \
	tests/fuzz/arp \
	tests/fuzz/icmp_error \
	tests/fuzz/icmp_echo \
	tests/fuzz/icmp_inner \
	tests/fuzz/ipv4_piece \
	tests/fuzz/probe \
	tests/fuzz/userdata \
	tests/fuzz/model_op \
	tests/fuzz/model_load \
	tests/fuzz/model_filter \
	tests/fuzz/options \
	tests/fuzz/hit_count \
	tests/fuzz/host_fact \
	tests/fuzz/check_record \
	tests/fuzz/http_api \
	tests/fuzz/http_head \
	tests/fuzz/vnetctl_batch \
	tests/fuzz/vnetctl_answer \
	tests/fuzz/domain_xml \
	tests/fuzz/hook_message \
	tests/fuzz/numbers_file \
	tests/fuzz/conntrack \
	tests/fuzz/open_report \
	tests/fuzz/pki_request \
	tests/fuzz/sighting \
	tests/fuzz/since_file \
	tests/fuzz/agent_link \
	tests/fuzz/join_fetch \
	tests/fuzz/tls_peer
check_PROGRAMS += $(fuzz_programs)

.PHONY: fuzz-programs
fuzz-programs: $(fuzz_programs) tests/fuzz/seeds

if FUZZERS
fuzz_main = tests/fuzz/fuzz.h
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
AM_CFLAGS += -fsanitize=fuzzer-no-link
AM_LDFLAGS += -fsanitize=fuzzer-no-link
else
fuzz_main = tests/fuzz/fuzz.h tests/fuzz/replay.c
fuzz_ldflags = $(AM_LDFLAGS)
endif

tests_fuzz_address_SOURCES = tests/fuzz/address.c $(fuzz_main)
tests_fuzz_address_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_address_LDADD = libbase.a $(JANSSON_LIBS) -lpthread

tests_fuzz_bytes_reader_SOURCES = tests/fuzz/bytes_reader.c $(fuzz_main)
tests_fuzz_bytes_reader_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_bytes_reader_LDADD = libbase.a $(JANSSON_LIBS) -lpthread

tests_fuzz_json_SOURCES = tests/fuzz/json.c $(fuzz_main)
tests_fuzz_json_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_json_LDADD = libbase.a $(JANSSON_LIBS) -lpthread

tests_fuzz_flow_reply_SOURCES = tests/fuzz/flow_reply.c $(fuzz_main)
tests_fuzz_flow_reply_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_flow_reply_LDADD = libflow.a libbase.a $(OVS_LIBS) $(JANSSON_LIBS) -lm -lpthread

tests_fuzz_packet_in_SOURCES = tests/fuzz/packet_in.c $(fuzz_main)
tests_fuzz_packet_in_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_packet_in_LDADD = libflow.a libbase.a $(OVS_LIBS) $(JANSSON_LIBS) -lm -lpthread

tests_fuzz_of_session_SOURCES = tests/fuzz/of_session.c $(fuzz_main) tests/fuzz/flow_wishes.c tests/fuzz/flow_wishes.h
tests_fuzz_of_session_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_of_session_LDADD = libsession.a libflow.a libbase.a $(OVS_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS) -lm -lpthread

tests_fuzz_jsonrpc_SOURCES = tests/fuzz/jsonrpc.c $(fuzz_main)
tests_fuzz_jsonrpc_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_jsonrpc_LDADD = libovsdb.a libbase.a $(EVENT_LIBS) $(JANSSON_LIBS) -lm -lpthread

tests_fuzz_ovsdb_update_SOURCES = tests/fuzz/ovsdb_update.c $(fuzz_main)
tests_fuzz_ovsdb_update_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_ovsdb_update_LDADD = libovsdb.a libbase.a $(EVENT_LIBS) $(JANSSON_LIBS) -lm -lpthread

tests_fuzz_ovsdb_session_SOURCES = tests/fuzz/ovsdb_session.c $(fuzz_main)
tests_fuzz_ovsdb_session_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_ovsdb_session_LDADD = libovsdb.a libbase.a $(EVENT_LIBS) $(JANSSON_LIBS) -lm -lpthread

tests_fuzz_dhcp_SOURCES = tests/fuzz/dhcp.c $(fuzz_main)
tests_fuzz_dhcp_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_dhcp_LDADD = $(PURE_LIBS)

tests_fuzz_icmp_error_SOURCES = tests/fuzz/icmp_error.c $(fuzz_main)
tests_fuzz_icmp_error_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_icmp_error_LDADD = $(PURE_LIBS)

tests_fuzz_probe_SOURCES = tests/fuzz/probe.c $(fuzz_main)
tests_fuzz_probe_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_probe_LDADD = $(PURE_LIBS)

tests_fuzz_icmp_echo_SOURCES = tests/fuzz/icmp_echo.c $(fuzz_main)
tests_fuzz_icmp_echo_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_icmp_echo_LDADD = $(PURE_LIBS)

tests_fuzz_ipv4_piece_SOURCES = tests/fuzz/ipv4_piece.c $(fuzz_main)
tests_fuzz_ipv4_piece_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_ipv4_piece_LDADD = $(PURE_LIBS)

tests_fuzz_icmp_inner_SOURCES = tests/fuzz/icmp_inner.c $(fuzz_main)
tests_fuzz_icmp_inner_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_icmp_inner_LDADD = $(PURE_LIBS)

tests_fuzz_arp_SOURCES = tests/fuzz/arp.c $(fuzz_main)
tests_fuzz_arp_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_arp_LDADD = $(PURE_LIBS)

tests_fuzz_userdata_SOURCES = tests/fuzz/userdata.c $(fuzz_main)
tests_fuzz_userdata_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_userdata_LDADD = $(PURE_LIBS)

tests_fuzz_model_op_SOURCES = tests/fuzz/model_op.c $(fuzz_main) tests/fuzz/model_base.c tests/fuzz/model_base.h
tests_fuzz_model_op_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_model_op_LDADD = $(PURE_LIBS)

tests_fuzz_model_load_SOURCES = tests/fuzz/model_load.c $(fuzz_main) tests/fuzz/model_base.c tests/fuzz/model_base.h
tests_fuzz_model_load_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_model_load_LDADD = $(PURE_LIBS)

tests_fuzz_model_filter_SOURCES = tests/fuzz/model_filter.c $(fuzz_main) tests/fuzz/model_base.c tests/fuzz/model_base.h
tests_fuzz_model_filter_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_model_filter_LDADD = $(PURE_LIBS)

tests_fuzz_options_SOURCES = tests/fuzz/options.c $(fuzz_main)
tests_fuzz_options_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_options_LDADD = $(DAEMON_LIBS)

tests_fuzz_hit_count_SOURCES = tests/fuzz/hit_count.c $(fuzz_main)
tests_fuzz_hit_count_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_hit_count_LDADD = libcontroller.a libbase.a $(JANSSON_LIBS) -lm -lpthread

tests_fuzz_check_record_SOURCES = tests/fuzz/check_record.c $(fuzz_main)
tests_fuzz_check_record_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_check_record_LDADD = libcontroller.a $(PURE_LIBS)

tests_fuzz_host_fact_SOURCES = tests/fuzz/host_fact.c $(fuzz_main) tests/fuzz/model_base.c tests/fuzz/model_base.h
tests_fuzz_host_fact_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_host_fact_LDADD = $(DAEMON_LIBS)

tests_fuzz_http_api_SOURCES = tests/fuzz/http_api.c $(fuzz_main)
tests_fuzz_http_api_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_http_api_LDADD = $(DAEMON_LIBS)

tests_fuzz_http_head_SOURCES = tests/fuzz/http_head.c $(fuzz_main)
tests_fuzz_http_head_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_http_head_LDADD = libcontroller.a libbase.a $(JANSSON_LIBS)

tests_fuzz_vnetctl_batch_SOURCES = tests/fuzz/vnetctl_batch.c $(fuzz_main)
tests_fuzz_vnetctl_batch_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_vnetctl_batch_LDADD = libvnetctl.a libpki.a libbase.a $(CURL_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS) -lpthread

tests_fuzz_vnetctl_answer_SOURCES = tests/fuzz/vnetctl_answer.c $(fuzz_main) tests/fuzz/answering.c tests/fuzz/answering.h
tests_fuzz_vnetctl_answer_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_vnetctl_answer_LDADD = libvnetctl.a libpki.a libbase.a $(CURL_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS) -lpthread

tests_fuzz_domain_xml_SOURCES = tests/fuzz/domain_xml.c $(fuzz_main)
tests_fuzz_domain_xml_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_domain_xml_LDADD = libagent.a libbase.a $(XML_LIBS) $(JANSSON_LIBS) -lpthread

tests_fuzz_hook_message_SOURCES = tests/fuzz/hook_message.c $(fuzz_main)
tests_fuzz_hook_message_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_hook_message_LDADD = libagent.a libbase.a $(JANSSON_LIBS) -lpthread

tests_fuzz_numbers_file_SOURCES = tests/fuzz/numbers_file.c $(fuzz_main)
tests_fuzz_numbers_file_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_numbers_file_LDADD = libagent.a libbase.a $(JANSSON_LIBS) -lpthread

tests_fuzz_conntrack_SOURCES = tests/fuzz/conntrack.c $(fuzz_main)
tests_fuzz_conntrack_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_conntrack_LDADD = libagent.a libbase.a $(JANSSON_LIBS) -lpthread

tests_fuzz_open_report_SOURCES = tests/fuzz/open_report.c $(fuzz_main)
tests_fuzz_open_report_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_open_report_LDADD = libcontroller.a libbase.a $(JANSSON_LIBS) -lpthread

tests_fuzz_sighting_SOURCES = tests/fuzz/sighting.c $(fuzz_main)
tests_fuzz_sighting_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_sighting_LDADD = libcontroller.a libbase.a $(JANSSON_LIBS) -lpthread

tests_fuzz_since_file_SOURCES = tests/fuzz/since_file.c $(fuzz_main)
tests_fuzz_since_file_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_since_file_LDADD = libagent.a libbase.a $(JANSSON_LIBS) -lpthread

tests_fuzz_pki_request_SOURCES = tests/fuzz/pki_request.c $(fuzz_main)
tests_fuzz_pki_request_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_pki_request_LDADD = libpki.a libbase.a $(OPENSSL_LIBS) $(JANSSON_LIBS) -lpthread

tests_fuzz_agent_link_SOURCES = tests/fuzz/agent_link.c $(fuzz_main)
tests_fuzz_agent_link_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_agent_link_LDADD = $(AGENT_LIBS)

tests_fuzz_join_fetch_SOURCES = tests/fuzz/join_fetch.c $(fuzz_main) tests/fuzz/answering.c tests/fuzz/answering.h
tests_fuzz_join_fetch_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_join_fetch_LDADD = $(AGENT_LIBS)

tests_fuzz_tls_peer_SOURCES = tests/fuzz/tls_peer.c $(fuzz_main)
tests_fuzz_tls_peer_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_tls_peer_LDADD = libsession.a libflow.a libbase.a $(OVS_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS) -lm -lpthread

# Writes the first inputs of targets that read binary formats: `./dev fuzz seeds`.
EXTRA_PROGRAMS += tests/fuzz/seeds
tests_fuzz_seeds_SOURCES = tests/fuzz/seeds.c tests/fuzz/seeds.h tests/fuzz/seeds_packets.c tests/fuzz/seeds_switch.c tests/fuzz/fuzz.h \
	tests/fuzz/flow_wishes.c tests/fuzz/flow_wishes.h \
	tests/fuzz/model_base.c tests/fuzz/model_base.h tests/unit/flow_samples.c tests/unit/flow_samples.h
tests_fuzz_seeds_LDADD = $(PURE_LIBS)
