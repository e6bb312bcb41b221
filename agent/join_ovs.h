/* What a join tells the host's Open vSwitch, by ovs-vsctl: the very commands that a user would type. */
#ifndef AGENT_JOIN_OVS_H
#define AGENT_JOIN_OVS_H 1

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct join_ovs {
    const char *ovsdb; /* unix:FILE */
    const char *name, *encap_ip, *manager;
    const char *datapath_type; /* NULL: as it is */
    char uplinks[512];         /* "NAME:BRIDGE,..."; "": as they are */
    bool is_gateway;
    char *key, *cert, *ca; /* files */
};

/* The system-id it has already; false: none. */
bool join_ovs_name(const struct join_ovs *, char *out, size_t size);
/* The unit of the package, where systemd runs. False: it does not. */
bool join_start_agent(void);
/* The MTU is that of the device that has the tunnel address. */
bool join_ovs_configure(const struct join_ovs *, struct error *) MUST_CHECK;

#endif
