/* vnet-agent(8): options, signals and the loop; everything else is libagent. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/join.h"
#include "config.h"

#define LOG_MODULE "agent"
#include "base/log.h"

static int
fail(const struct error *err)
{
    fprintf(stderr, "vnet-agent: %s\n", err->text);
    return error_code_exit(err->code);
}

static void
on_stop(evutil_socket_t signal, short what, void *aux)
{
    event_base_loopbreak(((struct agent *) aux)->base);
}

static void
on_hup(evutil_socket_t signal, short what, void *aux)
{
    log_reopen();
}

static void
serve(struct agent *a)
{
    struct event *events[] = {
        evsignal_new(a->base, SIGTERM, on_stop, a),
        evsignal_new(a->base, SIGINT, on_stop, a),
        evsignal_new(a->base, SIGHUP, on_hup, a),
    };
    for (size_t i = 0; i < 3; i++)
        event_add(events[i], NULL);
    log_info("vnet-agent %s serves", PACKAGE_VERSION);
    event_base_dispatch(a->base);
    log_info("stopping; guests and flows go on as they are");
    for (size_t i = 0; i < 3; i++)
        event_free(events[i]);
}

/* The lock on the pid file tells a live daemon from a stale file. */
static bool
write_pidfile(const char *file, struct error *err)
{
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set(err, ERROR_INVALID, "--pidfile=%s: %s", file, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, ERROR_CONFLICT, "--pidfile=%s: another vnet-agent holds it", file);
    if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long) getpid()) < 0)
        return error_set(err, ERROR_INVALID, "--pidfile=%s: %s", file, strerror(errno));
    return true;
}

/* In the background: before anything is opened, since threads do not survive a fork. What goes wrong after that is in the log. */
static bool
detach(struct error *err)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t child = null < 0 ? -1 : fork();
    if (child < 0)
        return error_set(err, ERROR_INTERNAL, "--detach: %s", strerror(errno));
    if (child)
        _exit(0);
    setsid();
    log_console(false);
    for (int std = 0; std <= 2; std++)
        dup2(null, std);
    return true;
}

static int
run(const struct agent_options *o)
{
    struct agent a;
    struct error err;
    if ((o->detach && !detach(&err)) || (o->pidfile && !write_pidfile(o->pidfile, &err)) || !agent_start(&a, o, &err)) {
        log_err("%s", err.text);
        return error_code_exit(err.code);
    }
    serve(&a);
    agent_stop(&a);
    if (o->pidfile)
        unlink(o->pidfile);
    return 0;
}

int
main(int argc, char *argv[])
{
    struct agent_options options;
    struct error err;
    int status = 0;
    signal(SIGPIPE, SIG_IGN);
    log_init("vnet-agent");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (argc > 1 && !strcmp(argv[1], "join")) {
        status = join_main(argc - 1, argv + 1);
        curl_global_cleanup();
        return status;
    }
    if (!agent_options_parse(argc, argv, &options, &err)) {
        status = fail(&err);
    } else if (options.print_version) {
        puts("vnet-agent " PACKAGE_VERSION);
    } else if (options.print_help) {
        agent_options_usage();
    } else if (options.log_file && !log_open_file(options.log_file)) {
        error_set(&err, ERROR_INVALID, "--log-file=%s: %s", options.log_file, strerror(errno));
        status = fail(&err);
    } else {
        status = run(&options);
    }
    agent_options_done(&options);
    curl_global_cleanup();
    return status;
}
