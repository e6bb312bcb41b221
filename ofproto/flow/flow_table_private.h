/* A flow table from inside, for the flow_table_*.c files.
 *
 * An entry is one key (table, priority, match; or a group's or meter's number) that is desired, or installed, or in the
 * batch under way; otherwise it is freed. What it needs is a class; entries that need something wait in the queue
 * of their class, first come first served. Invariants, outside of a function of these files:
 * - an entry is in a queue if and only if its class is not ENTRY_CLEAN, and then it is not sent;
 * - its class is what entry_class() says;
 * - the entries of a block are in its list; shared entries in none, but its contributions to them are. */
#ifndef OFPROTO_FLOW_FLOW_TABLE_PRIVATE_H
#define OFPROTO_FLOW_FLOW_TABLE_PRIVATE_H 1

#include "base/map.h"
#include "ofproto/flow/flow_table.h"
#include "ofproto/flow/spec_private.h"

/* What is sent, in the order in which OpenFlow needs it; what the switch has refused; nothing. */
enum entry_class { ADD_METER, ADD_GROUP, ADD_FLOW, DELETE_FLOW, DELETE_GROUP, DELETE_METER, N_CLASSES, LEFT_OUT = N_CLASSES, ENTRY_CLEAN };

/* What one block gives to a shared entry: an apply-actions instruction. */
struct contribution {
    struct contribution *next_of_block;
    struct contribution *next_of_entry; /* by cookie, then in the block's order */
    struct entry *entry;
    uint64_t cookie;
    uint16_t body_len;
    uint8_t body[];
};

struct entry {
    struct map_node node; /* flow_table.entries, by key */
    struct spec *spec;    /* desired; or, if not desired, whatever was last known under this key */
    union {
        struct entry *next_of_block; /* not shared */
        struct contribution *given;  /* shared */
    };
    uint64_t installed; /* spec_value_hash() of what the switch holds, 0: nothing */
    uint32_t position;  /* in the queue of its class, or in the batch if sent */
    uint8_t class;
    bool is_desired : 1;
    bool is_shared : 1;
    bool is_sent : 1;
    bool is_refused : 1;
    bool is_retried : 1;      /* it was refused, and is what it was then */
    bool is_named : 1;        /* only within flow_table_set_block(): a spec that is not shared names it */
    bool is_named_shared : 1; /* likewise, one that is shared */
    bool is_stale : 1;        /* likewise: its union is to be made anew */
    bool is_changed : 1;      /* while sent: what is desired may be another since */
};

struct block {
    struct map_node node; /* flow_table.blocks, by cookie */
    uint64_t cookie;
    struct entry *entries;
    struct contribution *contributions;
};

/* A first-in first-out of entries; one that leaves early leaves a hole. */
struct queue {
    struct entry **slots;
    size_t head, n, cap; /* slots[head..n) */
    size_t count;        /* without holes */
};

struct sent {
    struct entry *entry;
    uint64_t hash; /* what the switch holds once it is committed, 0: nothing */
    uint64_t cookie;
    bool is_refused;
    bool is_installed;
};

struct flow_table {
    struct map entries, blocks;
    struct queue queues[N_CLASSES + 1];
    struct sent *sent; /* the batch under way */
    size_t n_sent, cap_sent;
    size_t n_desired_flows;
    struct map refused;                                 /* blocks with one, and those that no longer have one until that is confirmed */
    struct refused_block *first_retried, *last_retried; /* the latter, in that order */
    uint64_t n_wholes;                                  /* batches that left nothing to be sent, so far, */
    uint64_t n_wholes_committed;                        /* and which of them was the last to be committed */
    bool is_whole;                                      /* the batch under way is one */
    bool is_reading;                                    /* between readback_begin and readback_end: nothing is taken */
    bool has_history;                                   /* something was sent or read before: else nothing is installed */
    struct entry **named;                               /* set_block()'s workplace */
    size_t cap_named;
    const struct spec **by_priority; /* desired flows by table, falling priority; valid if not NULL */
    uint32_t by_priority_end[256];   /* where each table's end */
    struct arena *scratch;
};

/* ---- entries (flow_table.c) ---- */
struct entry *entry_find(const struct flow_table *, const struct spec_id *);
struct entry *entry_find_key(const struct flow_table *, const struct spec *);
struct entry *entry_new(struct flow_table *, const struct spec *);           /* neither desired nor installed */
void entry_desire(struct flow_table *, struct entry *, const struct spec *); /* 'spec' is copied */
void entry_undesire(struct flow_table *, struct entry *);
struct block *block_find(const struct flow_table *, uint64_t cookie);

/* ---- what the switch refused (flow_table_refused.c) ---- */
void entry_set_refused(struct flow_table *, struct entry *, bool); /* before its spec is another */
void refused_note(struct flow_table *, uint64_t cookie);           /* something of the block was, which may be another by now */
void refused_free(struct flow_table *);

/* ---- what an entry needs (flow_table_queue.c) ---- */
enum entry_class entry_class(const struct entry *);

/* Puts the entry where it belongs after anything about it changed; frees it if it is nothing any more. */
void entry_settle(struct flow_table *, struct entry *);
void entry_free(struct flow_table *, struct entry *);
void queue_clear(struct queue *);
struct entry *queue_at(const struct queue *, size_t *i); /* the first at or after slot *i, NULL if none */
void queue_take(struct queue *, struct entry *);

/* ---- shared entries (flow_table_shared.c) ---- */

/* Replaces the block's contributions by the shared ones among 'specs'; entries[i] is that of specs[i]. */
void shared_set(struct flow_table *, struct block *, const struct spec *const specs[], struct entry *const entries[], size_t n);

/* The first of 'specs' whose entry would outgrow an OpenFlow message with what 'cookie' and the others give; n if none. */
size_t shared_overflow(uint64_t cookie, const struct spec *const specs[], struct entry *const entries[], size_t n);
void shared_free(struct entry *); /* its contributions; blocks are not told */

#endif
