/* A daemon's options: one table of long options for the command line and for configuration files, whose lines are 'name = value' or 'name', long
 * options without dashes, '#' begins a comment. */
#ifndef BASE_OPTION_SET_H
#define BASE_OPTION_SET_H 1

#include <getopt.h>
#include <stdbool.h>

#include "base/error.h"

/* The 'val' of --config=FILE, of --help and of --version in 'longs'; a file cannot say these. */
enum { OPTION_CONFIG = 1000, OPTION_HELP = 'h', OPTION_VERSION = 'V' };

struct option_set {
    const char *program; /* "vnetd", whose page is vnetd(8) */
    const char *shorts;  /* getopt's */
    const struct option *longs;
    const char *default_file; /* read if it is there and no --config is given; NULL: none */
    /* A source begins: a file, or the command line; NULL: no matter. */
    void (*begin)(void *aux);
    /* An option by its 'val'; value NULL: none given. */
    bool (*take)(void *aux, int option, const char *value, struct error *err);
    void *aux;
};

/* The files of --config, wherever it stands, then the command line, which so wins. An error names the option, and of a file the line. */
bool option_set_parse(const struct option_set *, int argc, char *argv[], struct error *) MUST_CHECK;

/* Owned texts: replaces what was there; NULL: none. */
void option_text(char **slot, const char *value);
/* -v[SPEC], at once. */
bool option_verbosity(const char *spec, struct error *) MUST_CHECK;

#endif
