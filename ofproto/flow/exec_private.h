/* An execution under way, for the exec*.c files. Private to ofproto/flow: libopenvswitch's names stay inside. */
#ifndef OFPROTO_FLOW_EXEC_PRIVATE_H
#define OFPROTO_FLOW_EXEC_PRIVATE_H 1

#include <openvswitch/flow.h>
#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofpbuf.h>

#include "ofproto/flow/exec.h"

/* Open vSwitch's own limits. */
#define EXEC_DEPTH_MAX 64
#define EXEC_TABLES_MAX 4096

/* One side's address and port that the tracker gave a packet without going on in a table, and what they were. */
struct exec_late {
    bool is_set;
    ovs_be32 old_ip, ip;
    ovs_be16 old_port, port;
};
enum { EXEC_LATE_SRC, EXEC_LATE_DST };

struct exec {
    struct flow_table *table;
    struct flow flow; /* the packet, as tables see it */
    struct exec_late late[2];
    uint32_t bytes, bucket;
    struct exec_ct ct_next[EXEC_CT_MAX];
    uint8_t n_ct_next;
    unsigned depth, n_tables; /* tables and groups inside each other; lookups since the tracker's last one */
    uint8_t in_table;         /* whose actions are executed */
    size_t in_step;           /* likewise, of steps[] */
    struct arena *arena;
    struct error *err;
    struct exec_step *steps;
    size_t n_steps, cap_steps;
    struct exec_output *outputs;
    size_t n_outputs, cap_outputs;
};

/* All of these: false with *err set if the packet cannot be followed. */
bool exec_table(struct exec *, uint8_t table);                         /* exec.c */
bool exec_actions(struct exec *, const struct ofpact *, size_t bytes); /* exec_action.c */
bool exec_group(struct exec *, uint32_t group);                        /* exec_group.c */

bool exec_track(struct exec *, const struct ofpact_conntrack *); /* exec_track.c */
void exec_track_clear(struct exec *);
bool exec_has_ports(const struct flow *);

/* exec_entry.c */
uint16_t exec_entry_zone(const struct exec *, const struct ofpact_conntrack *);
bool exec_entry_write(struct exec *, const struct ofpact_conntrack *, struct exec_ct *found);
void exec_entry_translate_late(struct exec *, const struct exec_ct *found);
void exec_entry_show_late(const struct exec *, struct flow *); /* as the packet is on the wire */

/* The flow of 'table' that takes the packet (NULL: none), with its actions (exec_lookup.c). */
bool exec_lookup(struct exec *, uint8_t table, const struct spec **, struct ofpbuf *ofpacts);

/* 'port': EXEC_PORT and EXEC_IN_PORT. Valid until the next output. */
struct exec_output *exec_output(struct exec *, enum exec_output_kind, uint32_t port);

/* The packet, for parts that work on a copy of it. */
struct exec_copy {
    struct flow flow;
    struct exec_late late[2];
    uint32_t bytes;
};
struct exec_copy exec_keep(const struct exec *); /* exec.c */
void exec_put_back(struct exec *, const struct exec_copy *);

/* One level deeper; to be taken back by the caller. */
bool exec_deepen(struct exec *);

/* exec_packet.c */
void exec_packet_to_flow(const struct exec_packet *, struct flow *);
void exec_packet_from_flow(struct exec_packet *, const struct flow *);

#endif
