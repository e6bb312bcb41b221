/* vnetd as a child: started with a store and listeners of its own, asked over its API, watched through /proc. */
#ifndef TOOLS_BENCH_DAEMON_H
#define TOOLS_BENCH_DAEMON_H 1

#include "base/json.h"
#include "tools/bench/bench.h"

struct daemon {
    const struct bench *bench;
    char name[16]; /* of its files in the bench's folder */
    int pid;
    uint16_t openflow_port, ovsdb_port;
};

void daemon_start(struct daemon *, const struct bench *, const char *name); /* serves when this returns */
void daemon_restart(struct daemon *);                                       /* SIGKILL, and the same store again */
void daemon_stop(struct daemon *);

/* One transaction; must be accepted. */
void daemon_do(const struct daemon *, json_t *take_ops);
json_t *daemon_get(const struct daemon *, const char *path); /* new reference */

/* A question that is answered once the columns have these values: 'is_done' when the answer has come. */
struct daemon_wait {
    struct event *event;
    int fd;
    bool is_done;
    int64_t done_ns;
};
void daemon_wait_begin(const struct daemon *, struct daemon_wait *, json_t *take_body);
void daemon_wait_finish(const struct daemon *, struct daemon_wait *, const char *what);

double daemon_cpu_ms(const struct daemon *);       /* of all its threads, since it started */
double daemon_memory_bytes(const struct daemon *); /* private and in use */

#endif
