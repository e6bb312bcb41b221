/* What the flows of one rule on one host have counted, whatever becomes of the flows. Pure: fed with readings, with what switches say of flows that
 * they removed, and with the time.
 *
 *     unknown --seen--> seen (its growth is added) --absent from a whole reading--> gone --a minute, or the connection ends--> forgotten
 *        |                                          |                                  |
 *        +- removed: all it has                     +- removed: its growth             +- removed: its growth ---> forgotten
 *
 * A flow is known by a number made of its key. One that has less than when it was last seen, or is younger, is another with the same key (its
 * switch restarted, or it was made anew): it is counted from zero, and the former one is gone. The totals so never fall, and nothing
 * is counted twice; what a flow counted after it was last seen is lost only if its switch forgets it unasked. */
#ifndef CONTROLLER_HITS_HIT_COUNT_H
#define CONTROLLER_HITS_HIT_COUNT_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HIT_GONE_MS 60000

struct hit_flow;

struct hit_count {
    uint64_t packets, bytes;
    int64_t last_hit_ms;    /* since 1970; 0: never */
    struct hit_flow *flows; /* owned; those gone first, in the order in which they went */
    size_t n, cap, at;      /* 'at': where the next flow is likely to be */
};

/* A flow as its switch has it now. */
struct hit_sight {
    uint64_t flow;
    uint64_t packets, bytes;
    uint32_t duration_s;
    uint32_t idle_s; /* since its last packet; UINT32_MAX: not known */
};

struct hit_now {
    int64_t ms;      /* monotonic */
    int64_t wall_ms; /* since 1970 */
};

/* All zero is a count without flows. */
void hit_count_done(struct hit_count *);

/* Each true if the totals grew. 'reading' numbers the reading, rising. */
bool hit_count_seen(struct hit_count *, const struct hit_sight *, uint64_t reading, struct hit_now);
bool hit_count_removed(struct hit_count *, const struct hit_sight *, struct hit_now);

/* The reading is over, and showed every flow that there is. */
void hit_count_read(struct hit_count *, uint64_t reading, struct hit_now);
/* The connection is over: the last words that have not come never will. */
void hit_count_disconnected(struct hit_count *);

/* Totals of another count, whose flows no longer matter. */
void hit_count_add(struct hit_count *, const struct hit_count *);

/* As text, for a later vnetd, and back; false: it is not such a text, and the count has no flows and is zero. free() the text. */
char *hit_count_format(const struct hit_count *);
bool hit_count_parse(struct hit_count *, const char *text);

#endif
