/* vnetctl(8): the client of vnetd's HTTP interface. Here an error becomes a line on stderr and an exit status. */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vnetctl/help.h"
#include "tools/vnetctl/invocation.h"

static int
fail(const struct error *err)
{
    fflush(stdout);
    fprintf(stderr, "vnetctl: %s\n", err->text);
    return error_code_exit(err->code);
}

static bool
action_run(const struct options *o, int *exit_status, struct error *err)
{
    switch (o->action) {
    case ACTION_HELP: help_print(); break;
    case ACTION_VERSION: puts("vnetctl (" PACKAGE_NAME ") " PACKAGE_VERSION); break;
    case ACTION_COMMANDS: help_print_commands(); break;
    case ACTION_OPTIONS: help_print_options(); break;
    case ACTION_RUN: return invocation_run(o, exit_status, err);
    }
    return true;
}

int
main(int argc, char *argv[])
{
    struct options options;
    struct error err;
    int exit_status = EXIT_SUCCESS;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (!options_parse(&options, argc, argv, &err) || !action_run(&options, &exit_status, &err))
        exit_status = fail(&err);

    /* A full disk must not look like success. */
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "vnetctl: standard output: %s\n", strerror(errno));
        exit_status = EXIT_FAILURE;
    }
    curl_global_cleanup();
    return exit_status;
}
