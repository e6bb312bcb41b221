/* vnetd(8): the control daemon. Options, signals and the loop; everything else is libcontroller. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "controller/controller.h"

#define LOG_MODULE "vnetd"
#include "base/log.h"

static int fail(const struct error *err)
{
    fprintf(stderr, "vnetd: %s\n", err->text);
    return error_code_exit(err->code);
}

/* Forks; the parent waits for one byte that says 'serving' and leaves with the child's status otherwise. Returns the pipe's end to
 * write to, in the child. */
static int detach(void)
{
    int fds[2];
    char byte;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (!child) {
        close(fds[0]);
        setsid();
        return fds[1];
    }
    close(fds[1]);
    ssize_t got;
    while ((got = read(fds[0], &byte, 1)) < 0 && errno == EINTR)
        continue;
    if (got == 1)
        _exit(0);
    int status = 0;
    waitpid(child, &status, 0);
    _exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
}

static void detach_done(int fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    log_console(false);
    if (write(fd, "", 1) != 1)
        log_warn("the process that started vnetd is gone");
    close(fd);
    for (int std = 0; null >= 0 && std <= 2; std++)
        dup2(null, std);
}

/* The lock on the pid file tells a live daemon from a stale file. */
static bool write_pidfile(const char *file, struct error *err)
{
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set(err, ERROR_INVALID, "--pidfile=%s: %s", file, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, ERROR_CONFLICT, "--pidfile=%s: another vnetd holds it", file);
    if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long) getpid()) < 0)
        return error_set(err, ERROR_INVALID, "--pidfile=%s: %s", file, strerror(errno));
    return true;
}

static void on_stop(evutil_socket_t signal, short what, void *aux)
{
    struct controller *c = aux;
    log_info("stopping; the data path goes on as it is");
    event_base_loopbreak(c->base);
}

static void on_hup(evutil_socket_t signal, short what, void *aux)
{
    log_reopen();
}

static void serve(struct controller *c, int detached)
{
    struct event *events[] = {
        evsignal_new(c->base, SIGTERM, on_stop, c),
        evsignal_new(c->base, SIGINT, on_stop, c),
        evsignal_new(c->base, SIGHUP, on_hup, c),
    };
    for (size_t i = 0; i < 3; i++)
        event_add(events[i], NULL);
    log_info("vnetd %s serves", PACKAGE_VERSION);
    if (detached >= 0)
        detach_done(detached);
    event_base_dispatch(c->base);
    for (size_t i = 0; i < 3; i++)
        event_free(events[i]);
}

static int run(const struct options *options)
{
    struct controller c;
    struct error err;
    int detached = options->detach ? detach() : -1;
    if (options->detach && detached < 0) {
        error_set(&err, ERROR_INTERNAL, "--detach: %s", strerror(errno));
        return fail(&err);
    }
    if (options->pidfile && !write_pidfile(options->pidfile, &err))
        return fail(&err);
    if (!controller_start(&c, options, &err)) {
        if (options->pidfile)
            unlink(options->pidfile);
        return fail(&err);
    }
    serve(&c, detached);
    controller_stop(&c);
    if (options->pidfile)
        unlink(options->pidfile);
    return 0;
}

int main(int argc, char *argv[])
{
    struct options options;
    struct error err;
    signal(SIGPIPE, SIG_IGN);
    log_init("vnetd");
    int status = 0;
    if (!options_parse(argc, argv, &options, &err)) {
        status = fail(&err);
    } else if (options.print_version) {
        printf("vnetd %s\n", PACKAGE_VERSION);
    } else if (options.print_help) {
        options_usage();
    } else if (options.log_file && !log_open_file(options.log_file)) {
        error_set(&err, ERROR_INVALID, "--log-file=%s: %s", options.log_file, strerror(errno));
        status = fail(&err);
    } else {
        status = run(&options);
    }
    options_done(&options);
    return status;
}
