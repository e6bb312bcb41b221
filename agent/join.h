/* vnet-agent join: makes a host one of vnetd's. With a one-time token it gets a certificate over TLS, tells Open vSwitch who the host is and where its
 * manager is, and writes the agent's configuration file. */
#ifndef AGENT_JOIN_H
#define AGENT_JOIN_H 1

/* argv[0] is "join". Returns the exit status. */
int join_main(int argc, char *argv[]);

#endif
