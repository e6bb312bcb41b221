/* A line of ovs-vswitchd's dpctl/dump-conntrack -m, of either datapath: one tracked connection. Pure; the line is hostile until read.
 *
 *     tcp,orig=(src=10.0.1.5,dst=10.0.1.100,sport=41247,dport=80),reply=(...),id=0,zone=2,status=0,mark=1,
 *         labels=0x1f00000000,protoinfo=(state_orig=ESTABLISHED,state_reply=ESTABLISHED,...)
 */
#ifndef AGENT_CONNTRACK_LINE_H
#define AGENT_CONNTRACK_LINE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

/* A connection that a balancer has given to a target. */
struct conntrack_entry {
    uint32_t target; /* never 0 */
    uint16_t zone;
    uint8_t proto; /* TCP or UDP */
    struct ip ip;  /* its original destination */
    uint16_t port;
    bool is_open; /* by TCP: not yet closed in both directions; by UDP always */
};

/* '*is_balanced': it is such a connection. False with *err: it says to be one, but makes no sense. */
bool conntrack_line_read(const char *line, size_t n, struct conntrack_entry *, bool *is_balanced, struct error *) MUST_CHECK;

#endif
