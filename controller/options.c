#include "controller/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/alloc.h"
#include "base/log.h"
#include "ofproto/session/endpoint.h"

enum { OPT_STORE = 256, OPT_OPENFLOW, OPT_OVSDB, OPT_API, OPT_ADVERTISE, OPT_DETACH, OPT_PIDFILE, OPT_LOG_FILE, OPT_CONFIG };

static const struct option long_options[] = {
    { "store", required_argument, NULL, OPT_STORE },
    { "openflow", required_argument, NULL, OPT_OPENFLOW },
    { "ovsdb", required_argument, NULL, OPT_OVSDB },
    { "api", required_argument, NULL, OPT_API },
    { "advertise", required_argument, NULL, OPT_ADVERTISE },
    { "private-key", required_argument, NULL, 'p' },
    { "certificate", required_argument, NULL, 'c' },
    { "ca-cert", required_argument, NULL, 'C' },
    { "detach", no_argument, NULL, OPT_DETACH },
    { "pidfile", optional_argument, NULL, OPT_PIDFILE },
    { "log-file", optional_argument, NULL, OPT_LOG_FILE },
    { "config", required_argument, NULL, OPT_CONFIG },
    { "verbose", optional_argument, NULL, 'v' },
    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* Which lists the command line has given, so that a file does not add to them and neither adds to defaults. */
struct given {
    bool openflow, ovsdb, api;
};

static void set_text(char **slot, const char *value)
{
    free(*slot);
    *slot = value ? mem_strdup(value) : NULL;
}

static void list_clear(struct option_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->v[i]);
    list->n = 0;
}

static bool list_add(struct option_list *list, bool *given, const char *name, const char *value, struct error *err)
{
    if (!*given)
        list_clear(list);
    *given = true;
    struct endpoint place;
    struct error why;
    if (list->n == OPTION_LISTENERS_MAX)
        return error_set(err, ERROR_INVALID, "--%s: at most %d listeners", name, OPTION_LISTENERS_MAX);
    if (!endpoint_parse(value, &place, &why))
        return error_set(err, ERROR_INVALID, "--%s: %s", name, why.text);
    list->v[list->n++] = mem_strdup(value);
    return true;
}

static bool set_store(struct options *o, const char *value, struct error *err)
{
    static const char method[] = "sqlite:";
    if (strncmp(value, method, strlen(method)) || !value[strlen(method)])
        return error_set(err, ERROR_INVALID, "--store=%s: is of no known kind; write --store=sqlite:FILE", value);
    set_text(&o->store, value);
    return true;
}

static bool set_advertise(struct options *o, const char *value, struct error *err)
{
    struct ip ip;
    if (!ip_parse(value, &ip))
        return error_set(err, ERROR_INVALID, "--advertise=%s: must be an address such as 192.0.2.100", value);
    set_text(&o->advertise, value);
    return true;
}

static bool take_verbosity(const char *spec, struct error *err)
{
    char why[128];
    if (log_spec(spec ? spec : "dbg", why, sizeof why))
        return true;
    return error_set(err, ERROR_INVALID, "-v%s: %s", spec ? spec : "", why);
}

static bool take_option(struct options *o, struct given *given, int option, const char *value, struct error *err)
{
    switch (option) {
    case OPT_STORE: return set_store(o, value, err);
    case OPT_OPENFLOW: return list_add(&o->openflow, &given->openflow, "openflow", value, err);
    case OPT_OVSDB: return list_add(&o->ovsdb, &given->ovsdb, "ovsdb", value, err);
    case OPT_API: return list_add(&o->api, &given->api, "api", value, err);
    case OPT_ADVERTISE: return set_advertise(o, value, err);
    case 'p': set_text(&o->key, value); return true;
    case 'c': set_text(&o->cert, value); return true;
    case 'C': set_text(&o->ca, value); return true;
    case OPT_DETACH: o->detach = true; return true;
    case OPT_PIDFILE: set_text(&o->pidfile, value ? value : "/run/vnet/vnetd.pid"); return true;
    case OPT_LOG_FILE: set_text(&o->log_file, value ? value : "/var/log/vnet/vnetd.log"); return true;
    case 'v': return take_verbosity(value, err);
    case 'V': o->print_version = true; return true;
    case 'h': o->print_help = true; return true;
    default: return error_set(err, ERROR_INVALID, "usage error; try 'vnetd --help'");
    }
}

static const struct option *option_by_name(const char *name)
{
    for (const struct option *o = long_options; o->name; o++)
        if (!strcmp(o->name, name) && o->val != OPT_CONFIG && o->val != 'h' && o->val != 'V')
            return o;
    return NULL;
}

/* One line of the configuration file: a long option without dashes, 'name = value' or 'name'. */
static bool take_line(struct options *o, struct given *given, char *line, struct error *err)
{
    line[strcspn(line, "#\r\n")] = '\0';
    char *name = line + strspn(line, " \t");
    if (!*name)
        return true;
    char *end = name + strcspn(name, " \t=");
    char *value = end + strspn(end, " \t=");
    *end = '\0';
    for (size_t n = strlen(value); n && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--)
        value[n - 1] = '\0';
    const struct option *option = option_by_name(name);
    if (!option)
        return error_set(err, ERROR_INVALID, "'%s' is no option; write a long option of vnetd(8) without dashes", name);
    if (option->has_arg == required_argument && !*value)
        return error_set(err, ERROR_INVALID, "'%s' needs a value: %s = VALUE", name, name);
    if (option->has_arg == no_argument && *value)
        return error_set(err, ERROR_INVALID, "'%s' takes no value; leave the line out if it is not wanted", name);
    return take_option(o, given, option->val, *value ? value : NULL, err);
}

static bool read_file(struct options *o, const char *file, struct error *err)
{
    FILE *f = fopen(file, "re");
    if (!f)
        return error_set(err, ERROR_INVALID, "--config=%s: %s", file, strerror(errno));
    struct given given = { 0 };
    char *line = NULL;
    size_t size = 0;
    unsigned number = 0;
    bool ok = true;
    while (ok && getline(&line, &size, f) >= 0) {
        number++;
        ok = take_line(o, &given, line, err);
        if (!ok)
            error_prefix(err, "%s:%u", file, number);
    }
    if (ok && ferror(f))
        ok = error_set(err, ERROR_INVALID, "--config=%s: %s", file, strerror(errno));
    free(line);
    fclose(f);
    return ok;
}

static void set_defaults(struct options *o)
{
    *o = (struct options) { 0 };
    struct given none = { 0 };
    struct error unused;
    set_text(&o->store, "sqlite:/var/lib/vnet/vnet.db");
    bool ok = list_add(&o->openflow, &none.openflow, "openflow", "pssl:6653", &unused)
        && list_add(&o->ovsdb, &none.ovsdb, "ovsdb", "pssl:6640", &unused)
        && list_add(&o->api, &none.api, "api", "punix:/run/vnet/vnetd.sock", &unused);
    (void) ok;
    set_text(&o->key, "/etc/vnet/pki/vnetd-key.pem");
    set_text(&o->cert, "/etc/vnet/pki/vnetd-cert.pem");
    set_text(&o->ca, "/etc/vnet/pki/ca.pem");
}

/* The next option of the command line; -1: no more, '?': wrong. */
static int next_option(int argc, char *argv[])
{
    return getopt_long(argc, argv, "p:c:C:v::Vh", long_options, NULL);
}

static void begin_options(void)
{
    opterr = 0;
    optind = 0;                          /* anew, also what getopt keeps to itself */
}

/* The file first, wherever --config stands: what is said on the command line wins. */
static bool read_files(int argc, char *argv[], struct options *o, struct error *err)
{
    begin_options();
    for (int option; (option = next_option(argc, argv)) != -1;)
        if (option == OPT_CONFIG && !read_file(o, optarg, err))
            return false;
    return true;
}

bool options_parse(int argc, char *argv[], struct options *o, struct error *err)
{
    struct given given = { 0 };
    set_defaults(o);
    if (!read_files(argc, argv, o, err))
        return false;
    begin_options();
    for (int option; (option = next_option(argc, argv)) != -1;) {
        if (option == OPT_CONFIG)
            continue;
        if (option == '?')
            return error_set(err, ERROR_INVALID, "unknown or incomplete option '%s'; try 'vnetd --help'", argv[optind - 1]);
        if (!take_option(o, &given, option, optarg, err))
            return false;
    }
    if (optind < argc)
        return error_set(err, ERROR_INVALID, "'%s': vnetd takes options only; try 'vnetd --help'", argv[optind]);
    return true;
}

void options_done(struct options *o)
{
    list_clear(&o->openflow);
    list_clear(&o->ovsdb);
    list_clear(&o->api);
    free(o->store);
    free(o->advertise);
    free(o->key);
    free(o->cert);
    free(o->ca);
    free(o->pidfile);
    free(o->log_file);
}

void options_usage(void)
{
    puts("vnetd: virtual private clouds on Open vSwitch: the control daemon\n"
         "usage: vnetd [OPTION]...\n"
         "  --store=sqlite:FILE         where intent lives (default sqlite:/var/lib/vnet/vnet.db)\n"
         "  --openflow=METHOD           where bridges connect: pssl:PORT[:IP], ptcp:PORT[:IP] (default pssl:6653)\n"
         "  --ovsdb=METHOD              where hosts' ovsdb-servers connect (default pssl:6640)\n"
         "  --api=METHOD                where clients connect: punix:FILE, pssl:..., ptcp:... (default punix:/run/vnet/vnetd.sock)\n"
         "  --advertise=IP              controller address given to bridges\n"
         "  -p, --private-key=FILE  -c, --certificate=FILE  -C, --ca-cert=FILE\n"
         "  --detach  --pidfile[=FILE]  --log-file[=FILE]  -v[SPEC]  --config=FILE  --version  --help");
}
