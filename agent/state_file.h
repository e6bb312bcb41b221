/* A file of the agent's --state-dir: one JSON document, written whole and renamed into place, without waiting for the disk: what is kept there is of no
 * use after a crash of the machine. */
#ifndef AGENT_STATE_FILE_H
#define AGENT_STATE_FILE_H 1

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"

#define STATE_FILE_MAX (8 << 20)

/* New reference; NULL with *err, which names the file: it cannot be read, is too long or no JSON. NULL with an empty err->text: it is not there. */
json_t *state_file_read(const char *file, struct error *err);
/* The folder is made if it is not there. */
bool state_file_write(const char *file, const json_t *, struct error *) MUST_CHECK;

#endif
