/* vnet-agent's command line and configuration file (vnet-agent(8), vnet.conf(5)). */
#ifndef AGENT_AGENT_OPTIONS_H
#define AGENT_AGENT_OPTIONS_H 1

#include <stdbool.h>

#include "base/error.h"

#define AGENT_CONFIG_FILE "/etc/vnet/agent.conf"

struct agent_options {
    char *connect, *server, *ovsdb, *socket, *state_dir;
    char *key, *cert, *ca;
    char *pidfile, *log_file; /* NULL: none */
    bool detach, print_version, print_help;
};

/* Defaults, then the file of --config (else /etc/vnet/agent.conf, if there is one), then the command line. -v takes effect at once. */
bool agent_options_parse(int argc, char *argv[], struct agent_options *, struct error *) MUST_CHECK;
void agent_options_done(struct agent_options *);
void agent_options_usage(void);

#endif
