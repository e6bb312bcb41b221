noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	base/addr.c base/addr.h \
	base/alloc.c base/alloc.h \
	base/arena.c base/arena.h \
	base/bytes.c base/bytes.h \
	base/daemon.c base/daemon.h \
	base/error.c base/error.h \
	base/heap.c base/heap.h \
	base/json.c base/json.h \
	base/limits.h \
	base/list.h \
	base/liveness.c base/liveness.h \
	base/log.c base/log.h \
	base/map.c base/map.h \
	base/option_set.c base/option_set.h \
	base/text.c base/text.h \
	base/tree.c base/tree.h \
	base/uuid.c base/uuid.h
