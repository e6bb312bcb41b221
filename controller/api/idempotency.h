/* The header Idempotency-Key: a repetition of a request that changed something is answered as the first was, and changes nothing more. */
#ifndef CONTROLLER_API_IDEMPOTENCY_H
#define CONTROLLER_API_IDEMPOTENCY_H 1

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"

struct call;

/* The key, as long as the call; NULL: none was given. False: it is not one. */
bool idempotency_key(const struct call *, const char **key, struct error *) MUST_CHECK;
/* What a request is under its key: all that it asks for, and whose objects its names are of. To free(). */
char *idempotency_digest(const json_t *asked, const char *tenant);

#endif
