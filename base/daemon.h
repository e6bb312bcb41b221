/* What a daemon does to be one: goes to the background, holds a pid file, and says when it serves, to whoever started it and to systemd. */
#ifndef BASE_DAEMON_H
#define BASE_DAEMON_H 1

#include <stdbool.h>

#include "base/error.h"

struct daemon {
    const char *program;
    const char *pidfile; /* NULL: none; removed at the end */
    bool is_detached;    /* in the background */
    int starter;         /* whoever started a detached one waits at the other end */
};

/* Before anything else is begun: threads do not survive the fork. A detached one's starter does not return from here: it ends when daemon_ready() was
 * called, or with the status with which the daemon ended before. The pid file's lock tells a live daemon from a stale file. */
bool daemon_begin(struct daemon *, struct error *) MUST_CHECK;
/* It serves: the starter ends, standard input and outputs of a detached one are closed; systemd is told (sd_notify(3), Type=notify). */
void daemon_ready(struct daemon *);
void daemon_end(struct daemon *);

#endif
