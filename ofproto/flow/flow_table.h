/* What one switch should hold (desired), what it is known to hold (installed), and the difference. Pure.
 *
 * The desired side is made of blocks: all specs with one cookie, set and replaced together. Two blocks with the same
 * key (table, priority, match) are a bug and refused, except shared flows (spec.is_shared): there each block contributes
 * one apply-actions instruction, the table installs the union of their actions under the cookie with number 0
 * (FLOW_TABLE_SHARED_COOKIE) and remembers who gave what.
 *
 * An entry's life, by its two sides (installed is a hash of cookie and body, never a second copy):
 *
 *     desired, not installed   --send ADD-->   sent --committed--> desired == installed     (clean, nothing to do)
 *     desired != installed     --send ADD-->   sent --committed--> clean
 *     not desired, installed   --send DELETE-> sent --committed--> freed
 *
 * Entries that are not clean are kept in a list, so finding the difference costs what differs. While sent, an entry may
 * change again: after the commit it is simply not clean. A spec the switch refused stays out until its block is set
 * anew, the switch is read back anew, or flow_table_retry() has come to it. */
#ifndef OFPROTO_FLOW_TABLE_H
#define OFPROTO_FLOW_TABLE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ofproto/flow/spec.h"
#include "ofproto/flow/wire.h"

#define FLOW_TABLE_SHARED_COOKIE(COOKIE) ((COOKIE) & ~0xffffffffULL)

struct flow_table;

struct flow_table *flow_table_new(void);
void flow_table_free(struct flow_table *);

/* ---- desired ---- */

/* Makes the block 'cookie' consist of exactly these specs (each of that cookie). n == 0 removes it. On a key conflict returns
 * false with *err naming the spec and both cookies, and the block is as it was. */
bool flow_table_set_block(struct flow_table *, uint64_t cookie, const struct spec *const specs[], size_t n, struct error *) MUST_CHECK;

size_t flow_table_n_desired(const struct flow_table *); /* flows only */
size_t flow_table_n_blocks(const struct flow_table *);
bool flow_table_has_block(const struct flow_table *, uint64_t cookie);

/* Desired specs, in no order. With a cookie: those of that block, shared ones as the block gave them. */
void flow_table_each(const struct flow_table *, void (*each)(void *aux, const struct spec *), void *aux);
void flow_table_each_of(const struct flow_table *, uint64_t cookie, void (*each)(void *aux, const struct spec *), void *aux);
/* The desired flows of one OpenFlow table by falling priority (for tracing); builds an index on first use after a change. */
const struct spec *const *flow_table_by_priority(struct flow_table *, uint8_t table, size_t *n);

/* True if both desire the same. Otherwise false and *err says the first differences. */
bool flow_table_equal(const struct flow_table *, const struct flow_table *, struct error *);

/* ---- installed: read back from the switch ---- */
void flow_table_readback_begin(struct flow_table *); /* nothing is known to be installed */
void flow_table_readback_flow(struct flow_table *, const struct wire_flow *);
void flow_table_readback_spec(struct flow_table *, const struct spec *); /* groups and meters */
void flow_table_readback_end(struct flow_table *);

/* ---- the difference ---- */
struct flow_table_send {
    const struct spec *spec; /* valid until the table is next changed */
    enum wire_command command;
    bool is_modify;
    bool is_retried; /* by flow_table_retry(), and the same that was refused */
    void *entry;     /* for flow_table_refused() and flow_table_installed(), while the batch is sent */
};

bool flow_table_is_clean(const struct flow_table *);   /* nothing to send and nothing sent */
bool flow_table_is_sending(const struct flow_table *); /* a batch is sent, its fate unknown */
bool flow_table_has_unsent(const struct flow_table *); /* something waits for the next batch */

/* Takes up to 'max' unclean entries as one batch, in the order that OpenFlow needs: meters added; groups added and changed;
 * flows added and changed; flows deleted; groups deleted; meters deleted. A block's entries of one kind are not split between
 * batches if one batch can hold them. Returns how many; the batch is then 'sent'. Not while one is sent; 0 during a read-back. */
size_t flow_table_take(struct flow_table *, struct flow_table_send *, size_t max);

void flow_table_committed(struct flow_table *);            /* the sent batch is installed */
void flow_table_refused(struct flow_table *, void *entry); /* leave this one out */
/* This one is installed, whatever becomes of the batch (meters go outside of bundles). */
void flow_table_installed(struct flow_table *, void *entry);
size_t flow_table_n_refused(const struct flow_table *); /* how many are left out */
/* Lets up to 'max' of them be sent again, those first that have been left out for longest; how many. Costs what it gives. */
size_t flow_table_retry(struct flow_table *, size_t max);
/* A block of which something was left out and nothing is any more, as the switch has confirmed; each is told once. Call after a commit, until
 * false. What is given by several blocks counts for FLOW_TABLE_SHARED_COOKIE. */
bool flow_table_next_accepted(struct flow_table *, uint64_t *cookie);
void flow_table_not_committed(struct flow_table *); /* nothing of the sent batch is installed: it is unclean again */

/* ---- verification ---- */
struct flow_table_difference {
    enum { DIFFERENCE_MISSING, DIFFERENCE_EXTRA, DIFFERENCE_CHANGED } kind;
    const struct spec *desired; /* NULL for EXTRA */
    const struct spec *found;   /* NULL for MISSING */
};

/* Compares a complete read-back with what 'desired' wants; calls 'each' for each difference. 'found' are canonical specs. */
size_t flow_table_verify(const struct flow_table *desired, const struct spec *const found[], size_t n_found,
                         void (*each)(void *aux, const struct flow_table_difference *), void *aux);

#endif
