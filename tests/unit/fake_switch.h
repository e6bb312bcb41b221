/* A scripted OpenFlow 1.5 switch on one end of a socket pair, in the same event loop as what is tested. It shakes hands,
 * reports an empty switch, counts what is committed, and misbehaves as told. */
#ifndef TESTS_UNIT_FAKE_SWITCH_H
#define TESTS_UNIT_FAKE_SWITCH_H 1

#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_switch {
    struct bufferevent *bev;
    /* The script. A flow is named by its priority; 0: none. */
    uint64_t dpid;
    bool is_silent;         /* answers nothing more */
    bool keeps_commits;     /* does not answer that a bundle is committed, until fake_switch_confirm() */
    bool keeps_barriers;    /* does not answer those that come, until fake_switch_pass() */
    bool is_deaf_to_tables; /* does not answer a request for table statistics */
    bool refuses_set_async;
    bool refuses_ct_flush;        /* by match */
    uint32_t hello_versions;      /* bitmap; 0: no bitmap, version 0x01 */
    uint32_t refuses_flows_of[2]; /* objects' numbers, as in cookies; when added */
    uint16_t refuses_when_added, refuses_when_committed, spoils_commit_namelessly;
    unsigned n_commits_to_lose; /* the next so many commits find no bundle */
    unsigned n_multipart_parts; /* flow replies come in so many parts, all but the last empty */

    /* What happened. */
    unsigned n_messages[64]; /* by type */
    unsigned n_hello_failed, n_commits, n_discards, n_flows_committed, n_bundled, n_controller_ids;
    unsigned largest_bundle;
    uint16_t controller_id;
    uint8_t packet_out[256]; /* the last one, from its header on; as much as fits */
    size_t packet_out_len;
    uint8_t ct_flush[128]; /* the same of the last request to forget connections by match */
    size_t ct_flush_len;
    unsigned n_ct_flushes;
    unsigned n_commits_at_ct_flush; /* at the last one */
    uint16_t flushed_zones[16];     /* the first ones */
    unsigned n_flushed_zones;
    uint8_t kept_commit[8]; /* what is to be answered to it, if it is kept */
    uint32_t kept_xid;
    bool is_commit_kept;
    uint32_t kept_barriers[16];
    unsigned n_kept_barriers;
    bool saw_bad, saw_nameless; /* in the open bundle */
    uint32_t bad_xid;
    bool is_closed;
};

/* 'fd' is the switch's end; freed with it. */
void fake_switch_start(struct fake_switch *, struct event_base *, int fd);
void fake_switch_stop(struct fake_switch *);
/* Answers the commit that it has kept, if there is one, and keeps no more. */
void fake_switch_confirm(struct fake_switch *);
/* Answers the barriers that it has kept, and keeps no more. */
void fake_switch_pass(struct fake_switch *);
void fake_switch_send(struct fake_switch *, uint8_t version, uint8_t type, uint32_t xid, const void *body, size_t n);

#endif
