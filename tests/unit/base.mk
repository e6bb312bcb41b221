base_test_libs = libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS) -lpthread

EXTRA_DIST += tests/unit/random.h

check_PROGRAMS += tests/unit/test_addr
tests_unit_test_addr_SOURCES = tests/unit/test_addr.c
tests_unit_test_addr_LDADD = $(base_test_libs)

check_PROGRAMS += tests/unit/test_arena
tests_unit_test_arena_SOURCES = tests/unit/test_arena.c
tests_unit_test_arena_LDADD = $(base_test_libs)

check_PROGRAMS += tests/unit/test_error
tests_unit_test_error_SOURCES = tests/unit/test_error.c
tests_unit_test_error_LDADD = $(base_test_libs)

check_PROGRAMS += tests/unit/test_json
tests_unit_test_json_SOURCES = tests/unit/test_json.c
tests_unit_test_json_LDADD = $(base_test_libs)

check_PROGRAMS += tests/unit/test_liveness
tests_unit_test_liveness_SOURCES = tests/unit/test_liveness.c
tests_unit_test_liveness_LDADD = $(base_test_libs)

check_PROGRAMS += tests/unit/test_log
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_LDADD = $(base_test_libs)

check_PROGRAMS += tests/unit/test_map
tests_unit_test_map_SOURCES = tests/unit/test_map.c
tests_unit_test_map_LDADD = $(base_test_libs)

check_PROGRAMS += tests/unit/test_text
tests_unit_test_text_SOURCES = tests/unit/test_text.c
tests_unit_test_text_LDADD = $(base_test_libs)

check_PROGRAMS += tests/unit/test_tree
tests_unit_test_tree_SOURCES = tests/unit/test_tree.c
tests_unit_test_tree_LDADD = $(base_test_libs)

check_PROGRAMS += tests/unit/test_uuid
tests_unit_test_uuid_SOURCES = tests/unit/test_uuid.c
tests_unit_test_uuid_LDADD = $(base_test_libs)

check_PROGRAMS += tests/unit/test_both_libraries
tests_unit_test_both_libraries_SOURCES = tests/unit/test_both_libraries.c
tests_unit_test_both_libraries_LDADD = libbase.a $(OVS_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS) -lm -lpthread
