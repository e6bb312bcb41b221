/* Intent and facts -> every host's flow table, incrementally. Pure.
 *
 *   change -> features say which blocks it touches -> per host a queue of dirty blocks -> compiler_run() compiles them
 *   and enters them into the host's flow table.
 *
 * A host holds a VPC's blocks while a port of that VPC is bound on it: the compiler counts, and when the first comes or the last
 * goes, that VPC's blocks become dirty on that host. Nothing here walks the network for one change. */
#ifndef VNET_PIPELINE_COMPILER_H
#define VNET_PIPELINE_COMPILER_H 1

#include "ofproto/flow/flow_table.h"
#include "vnet/pipeline/feature.h"

struct compiler;

/* Borrows model and runtime. */
struct compiler *compiler_new(const struct model *, const struct runtime *);
void compiler_free(struct compiler *);

/* Compiles for this host from now on, into 'table' (borrowed until detached); everything is dirty at first. The table desires nothing
 * yet; the host must be known to the runtime. */
void compiler_attach(struct compiler *, uint32_t host, struct flow_table *);
void compiler_detach(struct compiler *, uint32_t host);

/* Tells of a change, after model and runtime show it. 'concerned' (may be NULL) is called for each host that got dirty blocks. */
typedef void compiler_concerned(void *aux, uint32_t host);
void compiler_changed(struct compiler *, const struct vnet_event *, compiler_concerned *, void *aux);

/* Called while compiling when a block wants a conntrack zone that its host has not stored yet; once for each wish. The answer is
 * runtime_set_zone() and an EVENT_ZONE, later. */
void compiler_on_zone_wanted(struct compiler *, void (*wanted)(void *aux, uint32_t host, uint32_t number), void *aux);

/* Called while compiling, before the block's flows are in the host's table: what block_zone_follows() says. */
void compiler_on_zone_follows(struct compiler *, void (*follows)(void *aux, uint32_t host, uint32_t number, bool follows), void *aux);

/* From now on the host keeps what it has of a block: changes of it wait, and nothing is dirty for that, until the block is let go. If another block
 * wants what one that waits still has, all that wait on the host are let go. Nothing if the host is not attached. */
void compiler_hold(struct compiler *, uint32_t host, uint64_t cookie);
void compiler_let_go(struct compiler *, uint32_t host, uint64_t cookie);

bool compiler_is_dirty(const struct compiler *, uint32_t host);
/* Is a block of the host's not whole, because the zone that it wants is not stored yet? */
bool compiler_is_unzoned(const struct compiler *, uint32_t host);

/* Compiles up to 'max' dirty blocks of a host; true if more remain. Blocks that stand in each other's way (two ports swap places) are
 * taken out together and set anew. A block that then still wants what another one has is a bug of ours, or facts that contradict
 * each other: it is reported to 'conflict' (may be NULL), stays out, and is tried again with the host's next change. */
bool compiler_run(struct compiler *, uint32_t host, size_t max, void (*conflict)(void *aux, uint64_t cookie, const struct error *),
                  void *aux);

/* The VPCs a host holds; the hosts that hold a VPC, and those that still have blocks of it; does this one hold it? */
void compiler_each_vpc_of(const struct compiler *, uint32_t host, void (*each)(void *aux, uint32_t vpc), void *aux);
void compiler_each_host_of(const struct compiler *, uint32_t vpc, void (*each)(void *aux, uint32_t host), void *aux);
bool compiler_holds(const struct compiler *, uint32_t host, uint32_t vpc);

/* A compile from nothing, sharing no state with the incremental one but the block functions: for verify, tests, trace.
 * New table. */
struct flow_table *compile_from_scratch(const struct model *, const struct runtime *, uint32_t host, struct error *);

#endif
