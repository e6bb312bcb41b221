noinst_PROGRAMS = tools/bench/bench tools/bench/first_answer tools/bench/tcp_load
tools_bench_bench_SOURCES = \
	tools/bench/bench.c tools/bench/bench.h \
	tools/bench/bind.c \
	tools/bench/daemon.c tools/bench/daemon.h \
	tools/bench/eip.c \
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
	tools/bench/sg.c \
	tools/bench/sim_database.c tools/bench/sim_host.h \
	tools/bench/sim_switch.c
tools_bench_bench_LDADD = libsession.a libovsdb.a $(PURE_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS)
tools_bench_first_answer_SOURCES = tools/bench/first_answer.c
tools_bench_tcp_load_SOURCES = tools/bench/tcp_load.c tools/bench/tcp_load.h tools/bench/tcp_server.c
EXTRA_DIST += tools/bench/run tools/bench/balance.py tools/bench/groups.py tools/bench/public.py tools/bench/select_method.py
