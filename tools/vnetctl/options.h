/* The options of the whole invocation, from a table that also gives --help and --options. */
#ifndef VNETCTL_OPTIONS_H
#define VNETCTL_OPTIONS_H 1

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct output_format;

enum options_action { ACTION_RUN, ACTION_HELP, ACTION_VERSION, ACTION_COMMANDS, ACTION_OPTIONS };

struct options {
    enum options_action action;
    const char *server;
    const char *tenant;
    const char *key, *certificate, *ca; /* files; key and certificate may be NULL */
    const char *columns;                /* "A,B", NULL unless given */
    const char *batch;                  /* file, "-"; NULL: no batch */
    const char *dir;                    /* of certificates */
    const struct output_format *format;
    int timeout_s;
    bool all_tenants, wait_hosts, headings, dry_run;
    unsigned command_options; /* OPTION_* before the first command */
    char **words;             /* the rest of argv */
    size_t n_words;
};

/* Takes defaults from $VNET_SERVER and $VNET_TENANT. Strings are borrowed from argv and the environment. */
bool options_parse(struct options *, int argc, char *argv[], struct error *) MUST_CHECK;

/* Is the word one of these options, as users write it ("-t", "--format=json")? */
bool options_is_option(const char *word);

/* One line per option: what it is, then its help. NULL after the last. */
const char *options_usage(size_t i, const char **help);

#endif
