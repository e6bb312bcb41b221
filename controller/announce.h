/* When public addresses are announced on their physical network. Pure: time is told.
 *
 *     announce_start()                 announce_stop()
 *          |                                 |
 *          v    0.1   0.3    1     3     9    20     30 s later
 *         now --> . --> . --> . --> . --> . --> . --> . --> done
 *
 * Each round is a queue in order of time, so that nothing is searched. At most ANNOUNCE_BURST are said in ANNOUNCE_PAUSE_MS, so that a gateway's
 * death, which moves all that it held, does not hold up the loop. The first are close together: one that is lost costs little. */
#ifndef CONTROLLER_ANNOUNCE_H
#define CONTROLLER_ANNOUNCE_H 1

#include <stdbool.h>
#include <stdint.h>

#define ANNOUNCE_ROUNDS 8
#define ANNOUNCE_BURST 300
#define ANNOUNCE_PAUSE_MS 10

/* Inside what is announced. All zero: nothing is due. */
struct announcement {
    struct announcement *next, **link; /* in its round's queue; link NULL: in none */
    int64_t due_ms;
    uint8_t round;
};

struct announcer {
    struct announce_round {
        struct announcement *first, **last;
    } rounds[ANNOUNCE_ROUNDS];
    int64_t burst_ms; /* when this burst began */
    unsigned n_burst;
};

void announcer_init(struct announcer *);

/* From the first round again. 'now_ms' never falls from call to call. */
void announce_start(struct announcer *, struct announcement *, int64_t now_ms);
void announce_stop(struct announcer *, struct announcement *);

/* When announce_next() has something; INT64_MAX: never. */
int64_t announce_due_ms(const struct announcer *);
/* What is to be said now, its next round arranged; NULL: nothing more at this time. */
struct announcement *announce_next(struct announcer *, int64_t now_ms);

#endif
