/* vnetd's command line and configuration file (vnetd(8)). */
#ifndef CONTROLLER_OPTIONS_H
#define CONTROLLER_OPTIONS_H 1

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define OPTION_LISTENERS_MAX 8

struct option_list {
    char *v[OPTION_LISTENERS_MAX];
    size_t n;
};

struct options {
    char *store;
    struct option_list openflow, ovsdb, api;
    char *advertise; /* NULL: the address that the host's OVSDB session came to */
    char *key, *cert, *ca;
    bool detach;
    char *pidfile;  /* NULL: none */
    char *log_file; /* NULL: none */
    bool print_version, print_help;
};

/* Fills in defaults, then the file of --config, then the command line (which wins). A list that is given replaces its default. -v
 * takes effect at once. */
bool options_parse(int argc, char *argv[], struct options *, struct error *) MUST_CHECK;
void options_done(struct options *);

void options_usage(void);

#endif
