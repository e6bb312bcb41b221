/* One-time tokens by which a host that has no certificate yet gets one. Kept as facts, their secrets only as digests. */
#ifndef CONTROLLER_TOKENS_H
#define CONTROLLER_TOKENS_H 1

#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"

struct controller;
struct tokens;

#define TOKEN_STRLEN 160

struct tokens *tokens_new(struct controller *);
void tokens_free(struct tokens *);
void tokens_remember(struct tokens *, const char *id, const char *value);

/* A new token, good for one use until then; host NULL: for any name. It holds the fingerprint of vnetd's key too, so that who joins knows whom it
 * asks. */
bool tokens_make(struct tokens *, const char *host, unsigned seconds, char out[TOKEN_STRLEN], struct error *) MUST_CHECK;
/* Uses it up: true once. */
bool tokens_use(struct tokens *, const char *token, const char *host, struct error *) MUST_CHECK;

#endif
