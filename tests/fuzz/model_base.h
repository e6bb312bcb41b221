/* A small network that operations, filters and stored documents meet, and the model written out whole, to see whether it has changed. */
#ifndef TESTS_FUZZ_MODEL_BASE_H
#define TESTS_FUZZ_MODEL_BASE_H 1

#include "base/json.h"
#include "vnet/model/transaction.h"

struct model *model_base(void);

/* All objects as the store keeps them and as the API shows them; free() it. */
char *model_dump(const struct model *);

/* One transaction; false: it was refused, and taken back. 'is_dry' takes it back in any case. */
bool model_try(struct model *, const json_t *ops, const struct principal *, bool is_dry, struct error *);

/* Another model of what the store would hold: it must be the same. NULL with *err set. */
struct model *model_reload(const struct model *, struct error *);

#endif
