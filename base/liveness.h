/* Is the peer of a connection alive? A pure machine that is told what happens and when, and says what to do.
 *
 *             received            idle for probe_ms           no answer for probe_ms
 *     ACTIVE ----------> ACTIVE ------------------> PROBING ------------------------> DEAD
 *                          ^                           |
 *                          +------- received ----------+
 */
#ifndef BASE_LIVENESS_H
#define BASE_LIVENESS_H 1

#include <stdint.h>

enum liveness_state {
    LIVENESS_ACTIVE,  /* heard from within probe_ms */
    LIVENESS_PROBING, /* asked, not answered yet */
    LIVENESS_DEAD     /* did not answer in time: close the connection */
};

enum liveness_action { LIVENESS_NOTHING, LIVENESS_SEND_PROBE, LIVENESS_CLOSE };

struct liveness {
    enum liveness_state state;
    int64_t changed_ms; /* last reception, or when the probe was sent */
    int probe_ms;       /* 0: never asks */
};

void liveness_init(struct liveness *, int probe_ms, int64_t now_ms);
void liveness_received(struct liveness *, int64_t now_ms);

/* What to do now. After LIVENESS_SEND_PROBE the probe counts as sent; a dead peer is to be closed at every call. */
enum liveness_action liveness_run(struct liveness *, int64_t now_ms);

/* When to call liveness_run() next; INT64_MAX: never. */
int64_t liveness_next_ms(const struct liveness *);

#endif
