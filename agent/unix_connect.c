#include "agent/unix_connect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct bufferevent *
unix_connect(struct event_base *base, const char *file, struct error *err)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct bufferevent *bev = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", file);
    if (fd >= 0 && !connect(fd, (struct sockaddr *) &a, sizeof a))
        bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (bev)
        return bev;
    error_set(err, ERROR_UNAVAILABLE, "%s: %s", file, strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}
