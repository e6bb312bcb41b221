/* Options by getopt_long(), which stops at the first word that is none: the command. Command options (--may-exist ...) may stand among
 * them and then are the first command's. */
#include "tools/vnetctl/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vnetctl/command.h"
#include "tools/vnetctl/output.h"

#define DEFAULT_SERVER "unix:/run/vnet/vnetd.sock"
#define DEFAULT_DIR "/etc/vnet/pki"
#define DEFAULT_TIMEOUT_S 30
#define MAX_TIMEOUT_S 3600 /* the daemon's limit too */

enum {
    OPT_SERVER = 256,
    OPT_WAIT,
    OPT_TIMEOUT,
    OPT_COLUMNS,
    OPT_NO_HEADINGS,
    OPT_DRY_RUN,
    OPT_BATCH,
    OPT_DIR,
    OPT_COMMANDS,
    OPT_OPTIONS,
    OPT_COMMAND_OPTION /* and following: one for each command option */
};

static const struct {
    const char *name;
    int value;            /* the letter, if it has one */
    const char *argument; /* NULL: none */
    const char *usage, *help;
} table[] = {
    { "server", OPT_SERVER, "SERVER", "--server=SERVER",
      "unix:FILE, https://HOST:PORT or http://HOST:PORT (default: $VNET_SERVER, else " DEFAULT_SERVER ")" },
    { "private-key", 'p', "KEY", "-p, --private-key=KEY", "file with the private key, for https" },
    { "certificate", 'c', "CERT", "-c, --certificate=CERT", "file with the certificate, for https" },
    { "ca-cert", 'C', "CACERT", "-C, --ca-cert=CACERT", "file with the CA certificate, for https (default: " DEFAULT_DIR "/ca.pem)" },
    { "tenant", 't', "TENANT", "-t, --tenant=TENANT", "whose objects names refer to (default: $VNET_TENANT, else default)" },
    { "all-tenants", 'A', NULL, "-A, --all-tenants", "list and find over all tenants one may see" },
    { "wait", OPT_WAIT, "none|hosts", "--wait=none|hosts", "hosts: return once every connected host concerned has confirmed" },
    { "timeout", OPT_TIMEOUT, "SECS", "--timeout=SECS", "give up (default: 30)" },
    { "format", 'f', "FORMAT", "-f, --format=FORMAT", "table (default), list, json or csv" },
    { "columns", OPT_COLUMNS, "A,B", "--columns=A,B", "show just these columns, in this order" },
    { "no-headings", OPT_NO_HEADINGS, NULL, "--no-headings", "leave out the headings of table and csv" },
    { "dry-run", OPT_DRY_RUN, NULL, "--dry-run", "validate and print what would change, change nothing" },
    { "batch", OPT_BATCH, "FILE", "--batch=FILE", "commands, one a line, as one transaction; -: standard input" },
    { "dir", OPT_DIR, "DIR", "--dir=DIR", "where pki keeps certificates (default: " DEFAULT_DIR ")" },
    { "commands", OPT_COMMANDS, NULL, "--commands", "print all commands' usage and exit" },
    { "options", OPT_OPTIONS, NULL, "--options", "print all options and exit" },
    { "help", 'h', NULL, "-h, --help", "print this help and exit" },
    { "version", 'V', NULL, "-V, --version", "print the version and exit" },
};

#define N_OPTIONS (sizeof table / sizeof *table)
#define N_COMMAND_OPTIONS 8 /* room */

const char *
options_usage(size_t i, const char **help)
{
    if (i >= N_OPTIONS)
        return NULL;
    *help = table[i].help;
    return table[i].usage;
}

bool
options_is_option(const char *word)
{
    for (size_t i = 0; word[0] == '-' && i < N_OPTIONS; i++) {
        size_t n = strlen(table[i].name);
        if (word[1] == table[i].value && !word[2])
            return true;
        if (word[1] == '-' && !strncmp(word + 2, table[i].name, n) && (!word[n + 2] || word[n + 2] == '='))
            return true;
    }
    return false;
}

static void
long_options_build(struct option longs[N_OPTIONS + N_COMMAND_OPTIONS + 1])
{
    size_t n = 0;
    for (; n < N_OPTIONS; n++)
        longs[n] = (struct option){ table[n].name, table[n].argument ? required_argument : no_argument, NULL, table[n].value };
    for (size_t i = 0; command_option_name(i) && i < N_COMMAND_OPTIONS; i++)
        longs[n++] = (struct option){ command_option_name(i), no_argument, NULL, OPT_COMMAND_OPTION + (int) i };
    longs[n] = (struct option){ NULL, 0, NULL, 0 };
}

static bool
timeout_parse(const char *text, int *timeout_s, struct error *err)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end || n < 1 || n > MAX_TIMEOUT_S)
        return error_set(err, ERROR_INVALID, "--timeout=%s: give whole seconds, from 1 to %d", text, MAX_TIMEOUT_S);
    *timeout_s = (int) n;
    return true;
}

static bool
wait_parse(const char *text, bool *wait_hosts, struct error *err)
{
    *wait_hosts = !strcmp(text, "hosts");
    if (!*wait_hosts && strcmp(text, "none"))
        return error_set(err, ERROR_INVALID, "--wait=%s: give none or hosts", text);
    return true;
}

static bool
format_parse(const char *text, const struct output_format **format, struct error *err)
{
    *format = output_format_find(text);
    if (!*format)
        return error_set(err, ERROR_INVALID, "--format=%s: give table, list, json or csv", text);
    return true;
}

static bool
option_unknown(char *argv[], struct error *err)
{
    /* getopt names a bad letter in optopt; a bad long option is the word just passed. */
    if (optopt && optopt < 256)
        return error_set(err, ERROR_INVALID, "unknown option '-%c'; 'vnetctl --help' lists them", optopt);
    const char *word = argv[optind - 1];
    return error_set(err, ERROR_INVALID, "option '%.*s' is unknown, ambiguous, or takes no value; 'vnetctl --help' lists them",
                     (int) strcspn(word, "="), word);
}

static bool
option_needs_value(char *argv[], struct error *err)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (optopt == table[i].value)
            return error_set(err, ERROR_INVALID, "option '--%s' needs a value: %s", table[i].name, table[i].usage);
    return option_unknown(argv, err);
}

static bool
option_take(struct options *o, int value, struct error *err)
{
    switch (value) {
    case OPT_SERVER: o->server = optarg; return true;
    case 'p': o->key = optarg; return true;
    case 'c': o->certificate = optarg; return true;
    case 'C': o->ca = optarg; return true;
    case 't': o->tenant = optarg; return true;
    case 'A': o->all_tenants = true; return true;
    case OPT_WAIT: return wait_parse(optarg, &o->wait_hosts, err);
    case OPT_TIMEOUT: return timeout_parse(optarg, &o->timeout_s, err);
    case 'f': return format_parse(optarg, &o->format, err);
    case OPT_COLUMNS: o->columns = optarg; return true;
    case OPT_NO_HEADINGS: o->headings = false; return true;
    case OPT_DRY_RUN: o->dry_run = true; return true;
    case OPT_BATCH: o->batch = optarg; return true;
    case OPT_DIR: o->dir = optarg; return true;
    case OPT_COMMANDS: o->action = ACTION_COMMANDS; return true;
    case OPT_OPTIONS: o->action = ACTION_OPTIONS; return true;
    case 'h': o->action = ACTION_HELP; return true;
    case 'V': o->action = ACTION_VERSION; return true;
    default: o->command_options |= 1u << (value - OPT_COMMAND_OPTION); return true;
    }
}

static const char *
environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static bool
options_check(const struct options *o, struct error *err)
{
    if (!*o->tenant)
        return error_set(err, ERROR_INVALID, "--tenant is empty: give a tenant's name");
    if (o->columns && !*o->columns)
        return error_set(err, ERROR_INVALID, "--columns is empty: give columns' names, with commas between");
    if (o->batch && o->n_words)
        return error_set(err, ERROR_INVALID, "'%s': --batch takes its commands from the file alone", o->words[0]);
    if (!o->batch && !o->n_words && o->action == ACTION_RUN)
        return error_set(err, ERROR_INVALID, "a command is missing; 'vnetctl --help' lists them");
    return true;
}

bool
options_parse(struct options *o, int argc, char *argv[], struct error *err)
{
    struct option longs[N_OPTIONS + N_COMMAND_OPTIONS + 1];
    long_options_build(longs);
    *o = (struct options){ .server = environment("VNET_SERVER", DEFAULT_SERVER),
                           .tenant = environment("VNET_TENANT", "default"),
                           .ca = DEFAULT_DIR "/ca.pem",
                           .dir = DEFAULT_DIR,
                           .format = output_format_find("table"),
                           .timeout_s = DEFAULT_TIMEOUT_S,
                           .headings = true };
    optind = 0;
    opterr = 0;
    for (int value; (value = getopt_long(argc, argv, "+:p:c:C:t:Af:hV", longs, NULL)) != -1;) {
        if (value == '?')
            return option_unknown(argv, err);
        if (value == ':')
            return option_needs_value(argv, err);
        if (!option_take(o, value, err))
            return false;
    }
    o->words = argv + optind;
    o->n_words = (size_t) (argc - optind);
    return options_check(o, err);
}
