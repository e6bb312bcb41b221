#include "agent/agent_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

enum { OPT_CONNECT = 256, OPT_SERVER, OPT_OVSDB, OPT_SOCKET, OPT_STATE_DIR, OPT_DETACH, OPT_PIDFILE, OPT_LOG_FILE, OPT_CONFIG };

static const struct option long_options[] = {
    { "connect", required_argument, NULL, OPT_CONNECT },
    { "server", required_argument, NULL, OPT_SERVER },
    { "ovsdb", required_argument, NULL, OPT_OVSDB },
    { "socket", required_argument, NULL, OPT_SOCKET },
    { "state-dir", required_argument, NULL, OPT_STATE_DIR },
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

static void
set_text(char **slot, const char *value)
{
    free(*slot);
    *slot = value ? mem_strdup(value) : NULL;
}

static bool
take_verbosity(const char *spec, struct error *err)
{
    char why[128];
    if (log_spec(spec ? spec : "dbg", why, sizeof why))
        return true;
    return error_set(err, ERROR_INVALID, "-v%s: %s", spec ? spec : "", why);
}

static bool
take_option(struct agent_options *o, int option, const char *value, struct error *err)
{
    switch (option) {
    case OPT_CONNECT: set_text(&o->connect, value); return true;
    case OPT_SERVER: set_text(&o->server, value); return true;
    case OPT_OVSDB: set_text(&o->ovsdb, value); return true;
    case OPT_SOCKET: set_text(&o->socket, value); return true;
    case OPT_STATE_DIR: set_text(&o->state_dir, value); return true;
    case 'p': set_text(&o->key, value); return true;
    case 'c': set_text(&o->cert, value); return true;
    case 'C': set_text(&o->ca, value); return true;
    case OPT_DETACH: o->detach = true; return true;
    case OPT_PIDFILE: set_text(&o->pidfile, value ? value : "/run/vnet/agent.pid"); return true;
    case OPT_LOG_FILE: set_text(&o->log_file, value ? value : "/var/log/vnet/agent.log"); return true;
    case OPT_CONFIG: return true;
    case 'v': return take_verbosity(value, err);
    case 'V': o->print_version = true; return true;
    case 'h': o->print_help = true; return true;
    default: return error_set(err, ERROR_INVALID, "usage error; try 'vnet-agent --help'");
    }
}

/* ---- the file ---- */

static const struct option *
option_by_name(const char *name)
{
    for (const struct option *o = long_options; o->name; o++)
        if (!strcmp(o->name, name) && o->val != OPT_CONFIG && o->val != 'h' && o->val != 'V')
            return o;
    return NULL;
}

/* 'name = value' or 'name'; a long option without dashes. */
static bool
take_line(struct agent_options *o, char *line, struct error *err)
{
    line[strcspn(line, "#\r\n")] = '\0';
    char *name = line + strspn(line, " \t");
    if (!*name)
        return true;
    char *end = name + strcspn(name, " \t="), *value = end + strspn(end, " \t=");
    *end = '\0';
    for (size_t n = strlen(value); n && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--)
        value[n - 1] = '\0';
    const struct option *option = option_by_name(name);
    if (!option)
        return error_set(err, ERROR_INVALID, "'%s' is no option; write a long option of vnet-agent(8) without dashes", name);
    if (option->has_arg == required_argument && !*value)
        return error_set(err, ERROR_INVALID, "'%s' needs a value: %s = VALUE", name, name);
    return take_option(o, option->val, *value ? value : NULL, err);
}

static bool
read_file(struct agent_options *o, const char *file, struct error *err)
{
    FILE *f = fopen(file, "re");
    if (!f)
        return error_set(err, ERROR_INVALID, "--config=%s: %s", file, strerror(errno));
    char *line = NULL;
    size_t size = 0;
    bool ok = true;
    for (unsigned number = 1; ok && getline(&line, &size, f) >= 0; number++)
        ok = take_line(o, line, err) || error_prefix(err, "%s:%u", file, number);
    free(line);
    fclose(f);
    return ok;
}

/* ---- the command line ---- */

static void
set_defaults(struct agent_options *o)
{
    *o = (struct agent_options) { 0 };
    set_text(&o->connect, "qemu:///system");
    set_text(&o->ovsdb, "unix:/run/openvswitch/db.sock");
    set_text(&o->socket, "/run/vnet/agent.sock");
    set_text(&o->state_dir, "/var/lib/vnet/agent");
    set_text(&o->ca, "/etc/vnet/pki/ca.pem");
}

static int
next_option(int argc, char *argv[])
{
    return getopt_long(argc, argv, "p:c:C:v::Vh", long_options, NULL);
}

static void
begin_options(void)
{
    opterr = 0;
    optind = 0;
}

static bool
read_files(int argc, char *argv[], struct agent_options *o, struct error *err)
{
    bool is_named = false;
    begin_options();
    for (int option; (option = next_option(argc, argv)) != -1;) {
        if (option != OPT_CONFIG)
            continue;
        is_named = true;
        if (!read_file(o, optarg, err))
            return false;
    }
    return is_named || access(AGENT_CONFIG_FILE, R_OK) || read_file(o, AGENT_CONFIG_FILE, err);
}

bool
agent_options_parse(int argc, char *argv[], struct agent_options *o, struct error *err)
{
    set_defaults(o);
    if (!read_files(argc, argv, o, err))
        return false;
    begin_options();
    for (int option; (option = next_option(argc, argv)) != -1;) {
        if (option == '?')
            return error_set(err, ERROR_INVALID, "unknown or incomplete option '%s'; try 'vnet-agent --help'", argv[optind - 1]);
        if (!take_option(o, option, optarg, err))
            return false;
    }
    if (optind < argc)
        return error_set(err, ERROR_INVALID, "'%s': vnet-agent takes options, or 'join'; try 'vnet-agent --help'", argv[optind]);
    if (!o->server && !o->print_help && !o->print_version)
        return error_set(err, ERROR_INVALID, "--server is not set; 'vnet-agent join https://NODE:PORT --token=TOKEN' does that");
    return true;
}

void
agent_options_done(struct agent_options *o)
{
    free(o->connect);
    free(o->server);
    free(o->ovsdb);
    free(o->socket);
    free(o->state_dir);
    free(o->key);
    free(o->cert);
    free(o->ca);
    free(o->pidfile);
    free(o->log_file);
}

void
agent_options_usage(void)
{
    puts("vnet-agent: libvirt's domains and their ports, for vnetd\n"
         "usage: vnet-agent [OPTION]...\n"
         "       vnet-agent join https://NODE:PORT --token=TOKEN [--encap-ip=IP] [--uplink=NAME:BRIDGE]... [--gateway]\n"
         "  --connect=URI               libvirt (default qemu:///system)\n"
         "  --server=URL                vnetd: https://NODE:PORT or unix:FILE (default: what join wrote to /etc/vnet/agent.conf)\n"
         "  --ovsdb=unix:FILE           the host's own database (default unix:/run/openvswitch/db.sock)\n"
         "  --socket=FILE               where vnet-hook comes (default /run/vnet/agent.sock)\n"
         "  --state-dir=DIR             (default /var/lib/vnet/agent)\n"
         "  -p, --private-key=FILE  -c, --certificate=FILE  -C, --ca-cert=FILE\n"
         "  --detach  --pidfile[=FILE]  --log-file[=FILE]  -v[SPEC]  --config=FILE  --version  --help");
}
