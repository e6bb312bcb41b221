/* libvirt's event loop on libevent: what virConnect... wants watched is watched by our loop, and its callbacks run there. libvirt may add,
 * change and remove from any thread, and does so from the worker's. The program has called evthread_use_pthreads(). */
#ifndef AGENT_VIRT_LOOP_H
#define AGENT_VIRT_LOOP_H 1

#include <event2/event.h>

/* Once in a process, before anything is opened: libvirt keeps it for good. */
void virt_loop_register(struct event_base *);
/* Frees what libvirt has removed but whose memory waits for a turn of the loop. */
void virt_loop_done(void);

#endif
