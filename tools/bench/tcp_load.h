/* tcp_load: what public.py runs in namespaces to load a path with TCP. tcp_load.c is the client, tcp_server.c the server.
 *
 * The first byte of a connection says what it is: TCP_LOAD_ECHO, every byte is answered by itself (this first one too); TCP_LOAD_LATE, the same,
 * but TCP_LOAD_HOLD_S later; TCP_LOAD_SINK, all is read, and every TCP_LOAD_BLOCK bytes answered by one. What fails ends the program with a sentence.
 *
 * Why late: Open vSwitch's thread asks its ports in turn, in an order that is chance. An answer that comes at once is taken along in the same
 * turn from a port that is asked later, and has to wait for a whole turn from one that is asked earlier, which is half of a round trip: what is
 * compared must use the same ports. Held so long, an answer always finds the switch at rest, like all packets of a quiet network. */
#ifndef TOOLS_BENCH_TCP_LOAD_H
#define TOOLS_BENCH_TCP_LOAD_H 1

#include <stdint.h>

#define TCP_LOAD_ECHO 'e'
#define TCP_LOAD_LATE 'l'
#define TCP_LOAD_SINK 's'
#define TCP_LOAD_HOLD_S 300e-6
#define TCP_LOAD_BLOCK (1u << 19)

void load_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
double load_now(void);        /* seconds */
void load_hold(double since); /* until TCP_LOAD_HOLD_S later */
int load_socket(void);        /* TCP, non-blocking, without delay */
void load_serve(uint16_t port) __attribute__((noreturn));

#endif
