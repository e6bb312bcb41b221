/* Features broken on purpose: do the golden cases notice? In the linked program the compiler finds features by feature_by_number() of this
 * file (ld's --wrap). */
#ifndef TESTS_GOLDEN_BROKEN_H
#define TESTS_GOLDEN_BROKEN_H 1

#include "vnet/pipeline/feature.h"

enum damage { DAMAGE_NONE, DAMAGE_LAST_FLOW_MISSING, DAMAGE_NOTHING_DONE, DAMAGE_PRIORITY, N_DAMAGES };

/* From now on the flows of blocks of this feature are so. */
void broken_choose(uint8_t feature, enum damage);
const char *broken_name(enum damage);

#endif
