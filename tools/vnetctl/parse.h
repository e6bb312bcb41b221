/* The grammar of one command: words -> a call of a row of the command table.
 *
 *     [COMMAND-OPTION]... COMMAND [ARG]... [COLUMN=VALUE]...
 *
 * Pure. Strings are borrowed from the words, arrays are in the arena. Knows no types: values stay text. */
#ifndef VNETCTL_PARSE_H
#define VNETCTL_PARSE_H 1

#include "tools/vnetctl/command.h"

/* "tags:env=prod" is column "tags", key "env", value "prod"; without ':' the key is NULL. */
struct assignment {
    const char *column, *key, *value;
};

struct call {
    const struct command *command;
    unsigned options;       /* OPTION_* given */
    size_t line;            /* of the batch; 0: given as arguments */
    const char **arguments; /* in the order of the row's; optional ones may be missing */
    size_t n_arguments;
    struct assignment *values;
    size_t n_values;
};

/* How many words come before the next "--", or are left. */
size_t words_to_separator(char *const *words, size_t n);

/* 'options': OPTION_* met before. The error says the usage. */
bool call_parse(struct call *, char *const *words, size_t n, unsigned options, struct arena *, struct error *) MUST_CHECK;

/* The positional argument that gives the column; NULL if the row has none or it was left out. */
const char *call_argument(const struct call *, const char *column);

/* The type of object it is about, by the row or its argument. */
const char *call_type(const struct call *);

#endif
