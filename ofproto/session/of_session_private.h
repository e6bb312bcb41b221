/* What the files of one OpenFlow session share. of_session.c owns the session's life and its clock; of_framing.c cuts the
 * input into messages and hands each to the part that waits for it: of_handshake.c (who is there), of_reader.c (what the
 * switch holds), of_commit.c (what it shall hold; of_retry.c: what it has refused), of_conntrack.c (what it shall forget). of_message.c writes
 * and explains small messages, of_output.c sends.
 *
 * Any part may call of_session_fail(); the session lives on, CLOSED, until the loop comes round. */
#ifndef OFPROTO_SESSION_OF_SESSION_PRIVATE_H
#define OFPROTO_SESSION_OF_SESSION_PRIVATE_H 1

#include <event2/buffer.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/liveness.h"
#include "base/log.h"
#include "ofproto/session/of_session.h"
#include "ofproto/session/packet_in_limit.h"

#define OF_VERSION 0x06 /* OpenFlow 1.5 */
#define OF_HEADER_BYTES 8

/* Message types (OpenFlow 1.5.1, 7.1.1). */
enum of_type {
    OF_HELLO = 0,
    OF_ERROR = 1,
    OF_ECHO_REQUEST = 2,
    OF_ECHO_REPLY = 3,
    OF_EXPERIMENTER = 4,
    OF_FEATURES_REQUEST = 5,
    OF_FEATURES_REPLY = 6,
    OF_SET_CONFIG = 9,
    OF_PACKET_IN = 10,
    OF_FLOW_REMOVED = 11,
    OF_MULTIPART_REQUEST = 18,
    OF_MULTIPART_REPLY = 19,
    OF_BARRIER_REQUEST = 20,
    OF_BARRIER_REPLY = 21,
    OF_ROLE_REQUEST = 24,
    OF_SET_ASYNC = 28,
    OF_BUNDLE_CONTROL = 33
};

enum of_state {
    OF_STATE_HELLO,      /* our HELLO is sent, the switch's is awaited */
    OF_STATE_FEATURES,   /* the datapath id is awaited */
    OF_STATE_IDENTIFIED, /* the owner's of_session_reconcile() is awaited */
    OF_STATE_READING,    /* what the switch holds is being read */
    OF_STATE_CURRENT,    /* nothing to send */
    OF_STATE_COMMITTING, /* a batch is in flight */
    OF_STATE_CLOSED      /* ops->closed() comes from the loop */
};

/* ---- reading ---- */

#define OF_READER_QUEUE 16 /* readings of others; the session's own has a place besides */

enum of_reader_step { OF_READER_IDLE, OF_READER_TABLES, OF_READER_FLOWS, OF_READER_GROUPS, OF_READER_METERS, OF_READER_METER_STATS };

struct of_reader {
    struct of_session_read queue[OF_READER_QUEUE + 1]; /* a ring; the first is being read unless IDLE */
    unsigned first, n;
    enum of_reader_step step;
    uint8_t tables[256]; /* to read, and the next one */
    unsigned n_tables, at;
    uint32_t xid; /* of the request whose reply is awaited */
    uint64_t n_entries, n_bytes;
    int64_t heard_ms; /* last progress */
};

/* ---- committing ---- */

enum of_commit_step {
    OF_COMMIT_IDLE,
    OF_COMMIT_FILLING,    /* meters and the bundle's messages are sent, their barrier is awaited */
    OF_COMMIT_COMMITTING, /* the commit reply is awaited */
    OF_COMMIT_CLEANING    /* meters are being deleted, their barrier is awaited */
};

struct of_commit_item {
    uint64_t cookie;
    void *entry;
    char *refusal; /* why the switch refused it; NULL: it did not */
    uint32_t id;
    uint16_t priority;
    uint8_t table, kind, command;
    bool is_modify, is_retried;
};

struct of_commit {
    enum of_commit_step step;
    struct of_commit_item *items;
    size_t n_items, n_refused, n_bundled, n_deleted;
    struct bytes cleaning; /* meters deleted and their barrier, to be sent after the commit */
    size_t max;            /* specs of the next batch; halved while looking for a culprit */
    uint32_t first_xid;    /* item i has first_xid + i */
    uint32_t control_xid;  /* bundle open, barrier, commit: control_xid .. + 3 */
    uint32_t bundle;
    bool is_failed;         /* as a whole, without a message that is to blame */
    bool is_culprit_inside; /* ... but one of its messages must be */
    char failure[256];
    unsigned n_failures; /* in a row, not of a message's making */
    uint64_t seq;        /* complete up to here once this batch is in, if is_last */
    bool is_last;
    size_t sent_bytes;
    int64_t sent_ms;
};

/* ---- trying again what was refused ---- */

struct of_retry {
    struct event *timer;
    bool is_due;      /* as soon as nothing else is to be sent */
    size_t n_untried; /* of the round */
    bool has_taken;   /* something, in this round */
    size_t n_tried;   /* in the try under way, if there is one: so many, of so many that were left out */
    size_t n_before;
    unsigned gap_s; /* to the next round */
};

/* ---- the session ---- */

struct of_session {
    struct event_base *base;
    struct bufferevent *bev;
    struct endpoint_peer peer;
    const struct of_session_ops *ops;
    void *aux;

    enum of_state state;
    char name[192]; /* for log lines */
    uint64_t dpid;
    uint16_t controller_id;
    uint64_t generation; /* for the primary role; 0: none is asked for */
    uint32_t role_xid;   /* of the request for it */
    uint32_t ct_probe_xid, ct_barrier_xid;
    bool is_ct_known;            /* the barrier behind the probe was answered */
    bool does_refuse_unknown_ct; /* so that a flush by mark or label does no harm; see of_conntrack.c */
    bool is_configured;          /* the controller id was sent; changes are sent at once */
    bool is_saying_goodbye;      /* CLOSED, but the last message is still to be written */
    char *close_reason;

    struct event *tick; /* liveness, deadlines */
    struct event *work; /* continues in the loop's next round */
    struct event *close;
    struct liveness liveness;
    int64_t poked_ms; /* 0: something has come since it was */
    int64_t started_ms;
    size_t input_seen; /* bytes that were waiting when input was last looked at */
    uint32_t next_xid;

    struct flow_table *table; /* NULL until reconcile */
    uint64_t seq;             /* the owner's last */
    uint64_t seq_told;        /* the last that committed() named, if is_told */
    bool is_told;

    struct of_reader reader;
    struct of_commit commit;
    struct of_retry retry;
    struct packet_in_limit packet_ins;
    struct of_session_counters counters;
    struct log_limit log;
};

int64_t of_session_now_ms(void);
void of_session_set_state(struct of_session *, enum of_state);
void of_session_rename(struct of_session *); /* once more is known of the switch */
void of_session_fail(struct of_session *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void of_session_fail_after_goodbye(struct of_session *, const char *reason);
void of_session_continue(struct of_session *); /* comes back from the loop's next round */

/* of_output.c */
uint32_t of_session_xids(struct of_session *, uint32_t n);     /* n numbers in a row; the first */
size_t of_session_backlog(const struct of_session *);          /* bytes that the peer has not read, beyond the batch's */
void of_session_send(struct of_session *, struct bytes *take); /* BYTES_INIT afterwards */

/* of_message.c */
size_t of_message_begin(struct bytes *, enum of_type, uint32_t xid); /* the offset for of_message_end() */
void of_message_end(struct bytes *, size_t offset);
void of_message_empty(struct bytes *, enum of_type, uint32_t xid);
size_t of_message_begin_nicira(struct bytes *, uint32_t subtype, uint32_t xid);
void of_message_bundle_control(struct bytes *, uint32_t bundle, uint16_t type, uint32_t xid);
struct of_error {
    bool is_bundle_message_failed; /* a commit failed over one of its messages */
    bool is_bundle_gone;           /* timed out or unknown: no message's fault */
    char text[256];                /* OpenFlow's name and what it means */
};
void of_message_error(const uint8_t *message, size_t n, struct of_error *);

/* of_conntrack.c */
void of_conntrack_probe(struct of_session *);
bool of_conntrack_probe_refused(struct of_session *, uint32_t xid); /* an error; false: not about the probe */
bool of_conntrack_barrier(struct of_session *, uint32_t xid);       /* false: not the probe's */
bool of_conntrack_error(struct of_session *, const uint8_t *message, size_t n, const struct of_error *); /* likewise, a flush by match */

/* of_framing.c */
void of_framing_run(struct of_session *);

/* of_handshake.c: each takes a whole message */
void of_handshake_start(struct of_session *);
void of_handshake_hello(struct of_session *, const uint8_t *message, size_t n);
void of_handshake_features(struct of_session *, const uint8_t *message, size_t n);
void of_handshake_send_controller_id(struct of_session *);

/* of_reader.c */
bool of_reader_push(struct of_session *, const struct of_session_read *, unsigned max);
void of_reader_run(struct of_session *); /* starts the next reading if none is going on */
void of_reader_reply(struct of_session *, const uint8_t *message, size_t n, uint32_t xid);
bool of_reader_error(struct of_session *, uint32_t xid, const struct of_error *); /* false: not its xid */
void of_reader_stop(struct of_session *);                                         /* ends all readings: not ok */
void of_reader_reconcile(struct of_session *);                                    /* the session's own reading, into s->table */

/* of_commit.c */
void of_commit_run(struct of_session *); /* sends the next batch if there is one and none in flight */
void of_commit_barrier(struct of_session *, uint32_t xid);
void of_commit_control(struct of_session *, const uint8_t *message, size_t n, uint32_t xid);
bool of_commit_error(struct of_session *, uint32_t xid, const struct of_error *); /* false: not its xid */
void of_commit_stop(struct of_session *); /* the connection is gone: what was sent counts as not installed */

/* of_retry.c */
void of_retry_init(struct of_session *);
void of_retry_soon(struct of_session *); /* the switch may have room now, or something else has been refused */
bool of_retry_run(struct of_session *);  /* nothing is to be sent. True: now something is, that was refused */

#endif
