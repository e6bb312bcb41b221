/* The stream of instructions that vnetd writes for as long as the agent lives, opened anew whenever it ends. Who hangs keeps its connections: so vnetd
 * beats, and is away when it is silent; and each beat is answered, with what vnetd shows of the agent itself.
 *
 *     (waiting) --> ASKED --hello--> UP --beat--> UP
 *         ^           |               |
 *         +-----------+---------------+   the stream ends, or vnetd is silent */
#ifndef AGENT_INSTRUCTIONS_H
#define AGENT_INSTRUCTIONS_H 1

#include "agent/api_client.h"

#define INSTRUCTIONS_BEATS_MISSED 4 /* vnetd is silent when so many beats in a row have not come; 'hello' says how often it beats */
#define INSTRUCTIONS_HELLO_MS 5000  /* for the first word */

struct instructions;

struct instructions_ops {
    void (*up)(void *aux);                                       /* vnetd has said hello */
    void (*told)(void *aux, const char *name, const char *data); /* something else; not a beat */
    void (*down)(void *aux);                                     /* the stream has ended; also when it has not said hello */
};

/* The client is borrowed, and is freed first: that ends the stream, and what is on its way. */
struct instructions *instructions_new(struct event_base *, struct api_client *, const struct instructions_ops *, void *aux);
void instructions_free(struct instructions *);
/* For which host it is opened from now on. The first time: at once. */
void instructions_set_host(struct instructions *, const char *name);

#endif
