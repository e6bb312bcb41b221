/* The command table: each command is one row, from which parsing, usage, help, completion and suggestions come. Rows live in
 * commands_GROUP.c beside what is special to the group; most rows need nothing special.
 *
 * A row has exactly one of:
 *   change   makes one operation of the invocation's transaction
 *   read     asks the daemon and prints, after the transaction
 *   local    needs no daemon */
#ifndef VNETCTL_COMMAND_H
#define VNETCTL_COMMAND_H 1

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

struct call;
struct client;
struct options;

enum argument_arity {
    ARGUMENT_REQUIRED,
    ARGUMENT_OPTIONAL,
    ARGUMENT_SOME, /* one or more; only as the last */
    ARGUMENT_ANY   /* none or more; only as the last */
};

/* A positional argument and the column it gives. */
struct argument {
    const char *placeholder; /* "SUBNET" */
    const char *column;      /* "subnet" */
    enum argument_arity arity;
};

#define ARG(PLACEHOLDER, COLUMN)               \
    {                                          \
        PLACEHOLDER, COLUMN, ARGUMENT_REQUIRED \
    }
#define ARG_OPTIONAL(PLACEHOLDER, COLUMN)      \
    {                                          \
        PLACEHOLDER, COLUMN, ARGUMENT_OPTIONAL \
    }
#define ARG_SOME(PLACEHOLDER, COLUMN)      \
    {                                      \
        PLACEHOLDER, COLUMN, ARGUMENT_SOME \
    }
#define ARG_ANY(PLACEHOLDER, COLUMN)      \
    {                                     \
        PLACEHOLDER, COLUMN, ARGUMENT_ANY \
    }

enum command_values {
    VALUES_NONE, /* takes no COLUMN=VALUE */
    VALUES_OPTIONAL,
    VALUES_REQUIRED, /* at least one */
    VALUES_FILTER    /* any number; a column may come again */
};

#define OPTION_MAY_EXIST 0x01
#define OPTION_IF_EXISTS 0x02
#define OPTION_MOVE 0x04
#define OPTION_UNUSED 0x08
#define OPTION_SHADOWED 0x10

#define COMMAND_MAX_ARGUMENTS 5

struct command {
    const char *name;                                 /* "port-add"; of two words where a tool has a sub-command: "pki init" */
    const char *type;                                 /* the object's; NULL: an argument says it, or there is none */
    struct argument arguments[COMMAND_MAX_ARGUMENTS]; /* up to the first without a placeholder */
    enum command_values takes_values;
    const char *values; /* as usage shows them: "[ip=IP] [mac=MAC]" */
    unsigned options;   /* OPTION_* it takes, one at a time */
    bool prints_name;   /* of a change: what the new object is called is printed */
    const char *shown;  /* a listing's columns in a table unless --columns is given; NULL: all. '*' first: objects
                                          * of this type belong to no tenant */
    json_t *(*change)(const struct call *, struct error *); /* new reference: an operation; NULL with *err set */
    bool (*read)(struct client *, const struct call *, struct error *);
    bool (*local)(const struct options *, const struct call *, struct error *);
    const char *help;
};

/* A named list of rows, ended by one without a name. */
struct command_group {
    const char *title;
    const struct command *commands;
};

extern const struct command tenant_commands[], network_commands[], route_commands[], public_commands[], sg_commands[], lb_commands[],
    generic_commands[], insight_commands[], instance_commands[], pki_commands[];

/* NULL after the last one. */
const struct command_group *command_group(size_t i);

/* The row whose name is the first word, or the first two; '*used' says how many. NULL with *err naming near ones. */
const struct command *command_find(char *const *words, size_t n, size_t *used, struct error *err) MUST_CHECK;

/* The option bit of "--may-exist" and the like; 0 if it is none. */
unsigned command_option(const char *word);
/* The name of one of the bits, without the dashes. NULL after the last; bit i is 1 << i. */
const char *command_option_name(size_t i);

/* "[--may-exist] port-add SUBNET PORT [ip=IP] ...", in the arena. */
char *command_usage(const struct command *, struct arena *);

#endif
