/* vnet-agent(8): options, signals and the loop; everything else is libagent. */
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/join.h"
#include "base/daemon.h"

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
serve(struct agent *a, struct daemon *daemon)
{
    struct event *events[] = {
        evsignal_new(a->base, SIGTERM, on_stop, a),
        evsignal_new(a->base, SIGINT, on_stop, a),
        evsignal_new(a->base, SIGHUP, on_hup, a),
    };
    for (size_t i = 0; i < 3; i++)
        event_add(events[i], NULL);
    log_info("vnet-agent %s serves", PACKAGE_VERSION);
    daemon_ready(daemon);
    event_base_dispatch(a->base);
    log_info("stopping; guests and flows go on as they are");
    for (size_t i = 0; i < 3; i++)
        event_free(events[i]);
}

static int
run(const struct agent_options *o)
{
    struct agent a;
    struct error err;
    struct daemon daemon = { .program = "vnet-agent", .pidfile = o->pidfile, .is_detached = o->detach };
    if (!daemon_begin(&daemon, &err))
        return fail(&err);
    if (!agent_start(&a, o, &err)) {
        daemon_end(&daemon);
        return fail(&err);
    }
    serve(&a, &daemon);
    agent_stop(&a);
    daemon_end(&daemon);
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
