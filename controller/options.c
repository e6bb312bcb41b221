#include "controller/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/alloc.h"
#include "base/option_set.h"
#include "ofproto/session/endpoint.h"

enum { OPT_STORE = 256, OPT_OPENFLOW, OPT_OVSDB, OPT_API, OPT_ADVERTISE, OPT_DETACH, OPT_PIDFILE, OPT_LOG_FILE };

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
    { "config", required_argument, NULL, OPTION_CONFIG },
    { "verbose", optional_argument, NULL, 'v' },
    { "version", no_argument, NULL, OPTION_VERSION },
    { "help", no_argument, NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};

/* What is being filled, and which lists this source has given, so that it does not add to those of the sources before. */
struct filling {
    struct options *o;
    bool openflow, ovsdb, api;
};

static void
list_clear(struct option_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->v[i]);
    list->n = 0;
}

static bool
list_add(struct option_list *list, bool *given, const char *name, const char *value, struct error *err)
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

static bool
set_store(struct options *o, const char *value, struct error *err)
{
    static const char method[] = "sqlite:";
    if (strncmp(value, method, strlen(method)) || !value[strlen(method)])
        return error_set(err, ERROR_INVALID, "--store=%s: is of no known kind; write --store=sqlite:FILE", value);
    option_text(&o->store, value);
    return true;
}

static bool
set_advertise(struct options *o, const char *value, struct error *err)
{
    struct ip ip;
    if (!ip_parse(value, &ip))
        return error_set(err, ERROR_INVALID, "--advertise=%s: must be an address such as 192.0.2.100", value);
    option_text(&o->advertise, value);
    return true;
}

static bool
take_option(void *aux, int option, const char *value, struct error *err)
{
    struct filling *f = aux;
    struct options *o = f->o;
    switch (option) {
    case OPT_STORE: return set_store(o, value, err);
    case OPT_OPENFLOW: return list_add(&o->openflow, &f->openflow, "openflow", value, err);
    case OPT_OVSDB: return list_add(&o->ovsdb, &f->ovsdb, "ovsdb", value, err);
    case OPT_API: return list_add(&o->api, &f->api, "api", value, err);
    case OPT_ADVERTISE: return set_advertise(o, value, err);
    case 'p': option_text(&o->key, value); return true;
    case 'c': option_text(&o->cert, value); return true;
    case 'C': option_text(&o->ca, value); return true;
    case OPT_DETACH: o->detach = true; return true;
    case OPT_PIDFILE: option_text(&o->pidfile, value ? value : "/run/vnet/vnetd.pid"); return true;
    case OPT_LOG_FILE: option_text(&o->log_file, value ? value : "/var/log/vnet/vnetd.log"); return true;
    case 'v': return option_verbosity(value, err);
    case OPTION_VERSION: o->print_version = true; return true;
    case OPTION_HELP: o->print_help = true; return true;
    default: return error_set(err, ERROR_INVALID, "usage error; try 'vnetd --help'");
    }
}

static void
set_defaults(struct options *o)
{
    *o = (struct options){ 0 };
    struct filling none = { 0 };
    struct error unused;
    option_text(&o->store, "sqlite:/var/lib/vnet/vnet.db");
    bool ok = list_add(&o->openflow, &none.openflow, "openflow", "pssl:6653", &unused)
              && list_add(&o->ovsdb, &none.ovsdb, "ovsdb", "pssl:6640", &unused)
              && list_add(&o->api, &none.api, "api", "punix:/run/vnet/vnetd.sock", &unused);
    (void) ok;
    option_text(&o->key, "/etc/vnet/pki/vnetd-key.pem");
    option_text(&o->cert, "/etc/vnet/pki/vnetd-cert.pem");
    option_text(&o->ca, "/etc/vnet/pki/ca.pem");
}

static void
source_begin(void *aux)
{
    struct filling *f = aux;
    *f = (struct filling){ .o = f->o };
}

bool
options_parse(int argc, char *argv[], struct options *o, struct error *err)
{
    struct filling f = { .o = o };
    const struct option_set set = { "vnetd", "p:c:C:v::Vh", long_options, NULL, source_begin, take_option, &f };
    set_defaults(o);
    if (!option_set_parse(&set, argc, argv, err))
        return false;
    if (optind < argc)
        return error_set(err, ERROR_INVALID, "'%s': vnetd takes options only; try 'vnetd --help'", argv[optind]);
    return true;
}

void
options_done(struct options *o)
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

void
options_usage(void)
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
