/* A daemon that is none, for clients that ask by HTTP and wait: a thread that gives the same answer to whatever comes. */
#ifndef TESTS_FUZZ_ANSWERING_H
#define TESTS_FUZZ_ANSWERING_H 1

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum answering_place { ANSWERING_UNIX, ANSWERING_TCP };

struct answering {
    int listener;
    const uint8_t *answer;
    size_t n;
    pthread_t thread;
    char dir[32], path[64]; /* ANSWERING_UNIX */
    uint16_t port;          /* ANSWERING_TCP: at 127.0.0.1 */
};

/* Bytes that do not begin with "HTTP/" are the body of a well-formed answer. They are borrowed. */
void answering_start(struct answering *, enum answering_place, const uint8_t *answer, size_t n);
void answering_stop(struct answering *);

#endif
