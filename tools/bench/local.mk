noinst_PROGRAMS = tools/bench/bench
tools_bench_bench_SOURCES = \
	tools/bench/bench.c tools/bench/bench.h \
	tools/bench/bind.c \
	tools/bench/daemon.c tools/bench/daemon.h \
	tools/bench/encode.c \
	tools/bench/figure.c \
	tools/bench/growth.c \
	tools/bench/install.c \
	tools/bench/library_loop.c tools/bench/library_loop.h \
	tools/bench/network.c tools/bench/network.h \
	tools/bench/process.c \
	tools/bench/real_switch.c tools/bench/real_switch.h \
	tools/bench/relay.c tools/bench/relay.h \
	tools/bench/restart.c \
	tools/bench/scale.c \
	tools/bench/scene.c tools/bench/scene.h \
	tools/bench/sim_database.c tools/bench/sim_host.h \
	tools/bench/sim_switch.c
tools_bench_bench_LDADD = libsession.a libovsdb.a $(PURE_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS)
EXTRA_DIST += tools/bench/run
