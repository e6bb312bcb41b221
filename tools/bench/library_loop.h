/* libopenvswitch encoding flow mods in a bare loop. Its headers and ours name the same things, so it has a file of its own. */
#ifndef TOOLS_BENCH_LIBRARY_LOOP_H
#define TOOLS_BENCH_LIBRARY_LOOP_H 1

#include <stddef.h>

struct library_loop;

struct library_loop *library_loop_new(void);
void library_loop_free(struct library_loop *);
void library_loop_add(struct library_loop *, const void *flow_mod); /* a whole OFPT_FLOW_MOD of OpenFlow 1.5 */
double library_loop_run(const struct library_loop *);               /* encodes each as a bundle message; flows a second */

#endif
