/* A stream to a unix socket, as sessions take one. */
#ifndef AGENT_UNIX_CONNECT_H
#define AGENT_UNIX_CONNECT_H 1

#include <event2/bufferevent.h>

#include "base/error.h"

/* Connected, or NULL with *err: a local server answers at once or not at all. */
struct bufferevent *unix_connect(struct event_base *, const char *file, struct error *) MUST_CHECK;

#endif
