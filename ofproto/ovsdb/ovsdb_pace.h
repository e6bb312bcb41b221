/* When may the next transaction be sent? A pure machine: after one that did not help it waits 1 s, 2 s ... 30 s, unless rows
 * change; and it lets only so many through a second, so that two programs that undo each other's changes do not do so at the
 * speed of the network. */
#ifndef OFPROTO_OVSDB_OVSDB_PACE_H
#define OFPROTO_OVSDB_OVSDB_PACE_H 1

#include <stdbool.h>
#include <stdint.h>

#define OVSDB_PACE_BURST 16        /* transactions of configuration at once; then one a second */
#define OVSDB_PACE_ZONE_BURST 1000 /* of zones, which come as fast as people add what needs them */
#define OVSDB_PACE_FIRST_MS 1000
#define OVSDB_PACE_MAX_MS 30000

struct ovsdb_pace {
    int64_t not_before_ms;
    int64_t filled_ms; /* when 'tokens' was last right */
    int tokens, burst;
    int backoff_ms; /* of the last answer; 0: nothing has differed since */
};

void ovsdb_pace_init(struct ovsdb_pace *, int burst, int64_t now_ms);
bool ovsdb_pace_take(struct ovsdb_pace *, int64_t now_ms);     /* true: send one now */
int64_t ovsdb_pace_next_ms(const struct ovsdb_pace *);         /* when to ask again after a false */
void ovsdb_pace_answered(struct ovsdb_pace *, int64_t now_ms); /* well or not: if something still differs, it waits */
void ovsdb_pace_lift(struct ovsdb_pace *);                     /* rows have changed: it may go well now */
void ovsdb_pace_settled(struct ovsdb_pace *);                  /* nothing differs any more */

#endif
