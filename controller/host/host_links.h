/* Listeners and sessions as hosts.c begins and ends them; to others they are host.h's hosts_listen(), link_free() and hosts_*_port(). */
#ifndef CONTROLLER_HOST_HOST_LINKS_H
#define CONTROLLER_HOST_HOST_LINKS_H 1

#include "controller/host/host.h"

struct links;

/* Of all hosts; nothing listens yet. */
struct links *links_new(struct hosts *);
/* Once no session is left. */
void links_free(struct links *);
/* Tells all sessions to end, which they do in the loop's next round. False: there is none. */
bool links_close(struct links *);

#endif
