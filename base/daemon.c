#include "base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_MODULE "daemon"
#include "base/log.h"

static void
starter_wait(int fd, pid_t child)
{
    char byte;
    ssize_t got;
    int status = 0;
    while ((got = read(fd, &byte, 1)) < 0 && errno == EINTR)
        continue;
    if (got == 1)
        _exit(0);
    waitpid(child, &status, 0);
    _exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
}

static bool
detach(struct daemon *d, struct error *err)
{
    int fds[2];
    pid_t child = pipe2(fds, O_CLOEXEC) < 0 ? -1 : fork();
    if (child < 0)
        return error_set(err, ERROR_INTERNAL, "--detach: %s", strerror(errno));
    close(fds[child ? 1 : 0]);
    if (child)
        starter_wait(fds[0], child);
    setsid();
    d->starter = fds[1];
    return true;
}

static bool
hold_pidfile(const struct daemon *d, struct error *err)
{
    int fd = open(d->pidfile, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set(err, ERROR_INVALID, "--pidfile=%s: %s", d->pidfile, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, ERROR_CONFLICT, "--pidfile=%s: another %s holds it", d->pidfile, d->program);
    if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long) getpid()) < 0)
        return error_set(err, ERROR_INVALID, "--pidfile=%s: %s", d->pidfile, strerror(errno));
    return true;
}

bool
daemon_begin(struct daemon *d, struct error *err)
{
    return (!d->is_detached || detach(d, err)) && (!d->pidfile || hold_pidfile(d, err));
}

static void
starter_release(const struct daemon *d)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    log_console(false);
    if (write(d->starter, "", 1) != 1)
        log_warn("the process that started %s is gone", d->program);
    close(d->starter);
    for (int std = 0; null >= 0 && std <= 2; std++)
        dup2(null, std);
}

/* $NOTIFY_SOCKET: a file, or a name in the abstract namespace that begins with '@'. */
static void
systemd_tell(const char *path)
{
    static const char words[] = "READY=1";
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    size_t n = strlen(path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && n && n < sizeof sun.sun_path) {
        memcpy(sun.sun_path, path, n);
        if (*path == '@')
            sun.sun_path[0] = '\0';
        if (sendto(fd, words, strlen(words), 0, (struct sockaddr *) &sun, offsetof(struct sockaddr_un, sun_path) + n) < 0)
            log_warn("NOTIFY_SOCKET=%s: %s", path, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
}

void
daemon_ready(struct daemon *d)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (path)
        systemd_tell(path);
    if (d->is_detached)
        starter_release(d);
}

void
daemon_end(struct daemon *d)
{
    if (d->pidfile)
        unlink(d->pidfile);
}
