#include "agent/agent_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/option_set.h"

enum { OPT_CONNECT = 256, OPT_SERVER, OPT_OVSDB, OPT_SOCKET, OPT_STATE_DIR, OPT_DETACH, OPT_PIDFILE, OPT_LOG_FILE };

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
    { "config", required_argument, NULL, OPTION_CONFIG },
    { "verbose", optional_argument, NULL, 'v' },
    { "version", no_argument, NULL, OPTION_VERSION },
    { "help", no_argument, NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};

static bool
take_option(void *aux, int option, const char *value, struct error *err)
{
    struct agent_options *o = aux;
    switch (option) {
    case OPT_CONNECT: option_text(&o->connect, value); return true;
    case OPT_SERVER: option_text(&o->server, value); return true;
    case OPT_OVSDB: option_text(&o->ovsdb, value); return true;
    case OPT_SOCKET: option_text(&o->socket, value); return true;
    case OPT_STATE_DIR: option_text(&o->state_dir, value); return true;
    case 'p': option_text(&o->key, value); return true;
    case 'c': option_text(&o->cert, value); return true;
    case 'C': option_text(&o->ca, value); return true;
    case OPT_DETACH: o->detach = true; return true;
    case OPT_PIDFILE: option_text(&o->pidfile, value ? value : "/run/vnet/agent.pid"); return true;
    case OPT_LOG_FILE: option_text(&o->log_file, value ? value : "/var/log/vnet/agent.log"); return true;
    case 'v': return option_verbosity(value, err);
    case OPTION_VERSION: o->print_version = true; return true;
    case OPTION_HELP: o->print_help = true; return true;
    default: return error_set(err, ERROR_INVALID, "usage error; try 'vnet-agent --help'");
    }
}

static void
set_defaults(struct agent_options *o)
{
    *o = (struct agent_options){ 0 };
    option_text(&o->connect, "qemu:///system");
    option_text(&o->ovsdb, "unix:/run/openvswitch/db.sock");
    option_text(&o->socket, "/run/vnet/agent.sock");
    option_text(&o->state_dir, "/var/lib/vnet/agent");
    option_text(&o->ca, "/etc/vnet/pki/ca.pem");
}

bool
agent_options_parse(int argc, char *argv[], struct agent_options *o, struct error *err)
{
    const struct option_set set = { "vnet-agent", "p:c:C:v::Vh", long_options, AGENT_CONFIG_FILE, NULL, take_option, o };
    set_defaults(o);
    if (!option_set_parse(&set, argc, argv, err))
        return false;
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
