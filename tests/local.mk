# A unit test is one cmocka program, tests/unit/test_NAME.c; 'make check' builds all, tests/run runs them.
include tests/unit/local.mk
include tests/fuzz/local.mk
