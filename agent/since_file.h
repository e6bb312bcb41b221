/* The file in which since.c remembers (state_file.h):
 *
 *     {"boot": ID, "domains": {UUID: {"run": N, "state": WORD, "reason": WORD, "since_ms": MS}}}
 *
 * Moments are the monotonic clock's, which nobody sets and which is one for all processes of a boot. Pure. */
#ifndef AGENT_SINCE_FILE_H
#define AGENT_SINCE_FILE_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/uuid.h"

#define SINCE_WORD_MAX 63 /* bytes of a state or reason */

/* One domain of the file. */
struct since_entry {
    struct uuid id;
    int run; /* libvirt's id of it while it runs; -1: it does not */
    char state[SINCE_WORD_MAX + 1], reason[SINCE_WORD_MAX + 1];
    int64_t since_ms; /* not after now */
};

/* Calls 'each' for all of this boot; a document of another one holds nothing. False with *err: it is not what we write; none may be used then. */
bool since_file_parse(const json_t *, const char *boot, int64_t now_ms, void (*each)(void *aux, const struct since_entry *), void *aux,
                      struct error *) MUST_CHECK;
/* Into the object "domains". */
void since_file_put(json_t *domains, const struct since_entry *);

#endif
