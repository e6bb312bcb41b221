/* When a pool's upstream gateway is asked for its MAC address. Pure: time is told.
 *
 *                         answered
 *     UNKNOWN --------------------------> KNOWN <-----------+
 *     asked after 0, 1, 2, 4, 8 s,        asked every 10 s  | answered
 *     then every 10 s                       |               |
 *                                           | no answer: asked again each second, PROBE_LOST_AFTER times
 *                                           v               |
 *                                          LOST ------------+
 *                                          the MAC is kept; asked every 10 s
 *     any state --nobody can ask--> idle (nothing is due) --gateway_probe_wake()--> asked at once */
#ifndef CONTROLLER_GATEWAY_PROBE_H
#define CONTROLLER_GATEWAY_PROBE_H 1

#include <stdbool.h>
#include <stdint.h>

#define PROBE_INTERVAL_MS 10000
#define PROBE_LOST_AFTER 3
#define PROBE_CHANGE_MS 1000 /* two machines that both claim the address do not change the network more often */

struct gateway_probe {
    int64_t due_ms;      /* INT64_MAX: idle */
    unsigned unanswered; /* questions since the last answer */
    bool is_known, is_lost;
    int64_t changed_ms; /* when another MAC was last taken; 0: never */
};

void gateway_probe_start(struct gateway_probe *, bool is_known, int64_t now_ms);

/* At due_ms: has the gateway not answered PROBE_LOST_AFTER questions, known or not? True once, until it answers. */
bool gateway_probe_lost(struct gateway_probe *);
/* What was done then. */
void gateway_probe_asked(struct gateway_probe *, int64_t now_ms);
void gateway_probe_idle(struct gateway_probe *);

void gateway_probe_wake(struct gateway_probe *, int64_t now_ms);  /* somebody may be able to ask now */
void gateway_probe_hurry(struct gateway_probe *, int64_t now_ms); /* the same, and what is unknown is asked for as at first */

/* An answer; 'is_other': its MAC is not the one that is known. False: it comes too soon after another change, and is not taken; the gateway
 * is asked again in time. '*was_lost': it had been reported. */
bool gateway_probe_answered(struct gateway_probe *, bool is_other, int64_t now_ms, bool *was_lost);

#endif
