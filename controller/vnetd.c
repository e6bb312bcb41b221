/* vnetd(8): the control daemon. Options, signals and the loop; everything else is libcontroller. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/daemon.h"
#include "controller/controller.h"

#define LOG_MODULE "vnetd"
#include "base/log.h"

static int
fail(const struct error *err)
{
    fprintf(stderr, "vnetd: %s\n", err->text);
    return error_code_exit(err->code);
}

static void
on_stop(evutil_socket_t signal, short what, void *aux)
{
    struct controller *c = aux;
    log_info("stopping; the data path goes on as it is");
    event_base_loopbreak(c->base);
}

static void
on_hup(evutil_socket_t signal, short what, void *aux)
{
    log_reopen();
}

static void
serve(struct controller *c, struct daemon *daemon)
{
    struct event *events[] = {
        evsignal_new(c->base, SIGTERM, on_stop, c),
        evsignal_new(c->base, SIGINT, on_stop, c),
        evsignal_new(c->base, SIGHUP, on_hup, c),
    };
    for (size_t i = 0; i < 3; i++)
        event_add(events[i], NULL);
    log_info("vnetd %s serves", PACKAGE_VERSION);
    daemon_ready(daemon);
    event_base_dispatch(c->base);
    for (size_t i = 0; i < 3; i++)
        event_free(events[i]);
}

static int
run(const struct options *options)
{
    struct controller c;
    struct error err;
    struct daemon daemon = { .program = "vnetd", .pidfile = options->pidfile, .is_detached = options->detach };
    if (!daemon_begin(&daemon, &err))
        return fail(&err);
    if (!controller_start(&c, options, &err)) {
        daemon_end(&daemon);
        return fail(&err);
    }
    serve(&c, &daemon);
    controller_stop(&c);
    daemon_end(&daemon);
    return 0;
}

int
main(int argc, char *argv[])
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
