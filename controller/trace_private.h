/* A trace under way, for the trace*.c files. */
#ifndef CONTROLLER_TRACE_PRIVATE_H
#define CONTROLLER_TRACE_PRIVATE_H 1

#include "controller/trace.h"
#include "ofproto/flow/exec.h"
#include "vnet/pipeline/port_facts.h"

#define TRACE_BROADCAST_MAC UINT64_C(0xffffffffffff)

/* Who sends, as its first host sees it. */
struct trace_sender {
    uint32_t ofport;
    uint16_t vlan;
    struct mac mac;
    struct ip ip;
    struct ip asks_as; /* of ARP: its own, or its router's outside */
};

struct trace {
    const struct trace_network *network;
    struct trace_sender sender;
    const struct trace_packet *wanted;
    struct arena *arena;
    struct error *err;

    uint32_t host;             /* where it is now */
    struct exec_packet packet; /* as it comes in there */
    json_t *hops, *lines;
    const char *verdict; /* NULL: it is still on its way */
};

/* ---- trace_packet.c ---- */
void trace_packet_ask(const struct trace *, struct ip next_hop, struct exec_packet *); /* an ARP request of the sender's */
void trace_packet_make(struct trace *, uint64_t eth_dst);

/* ---- trace_begin.c: who sends what; false with an error, or the verdict is there already ---- */
bool trace_begin(struct trace *, const struct trace_origin *);

/* ---- trace.c ---- */
bool trace_run_here(struct trace *, const struct exec_packet *, struct exec_result *); /* one host's tables */
void trace_no_port(struct trace *);                                                    /* that is the verdict */

/* ---- trace_story.c: names live in the trace's arena ---- */
const char *trace_object(const struct trace *, enum object_type, uint32_t number); /* NULL: there is none */
const char *trace_owner(const struct trace *, const struct spec *);                /* the object whose flow it is; NULL: nobody's alone */
const char *trace_host(const struct trace *, uint32_t number);
void trace_line(struct trace *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_tell(struct trace *, const struct exec_result *); /* every step on this host */

#endif
