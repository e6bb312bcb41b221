/* Proof that a switch holds what intent says: every flow, group and meter is read back and compared with a compile from
 * scratch, both at one moment (a reading during which the host's table changed is repeated). */
#ifndef CONTROLLER_VERIFY_H
#define CONTROLLER_VERIFY_H 1

#include <stdint.h>

#include "base/json.h"

struct controller;

/* Within 'seconds', also if the host does not answer. 'report' is {"host", "checked": true, "differences": [...]} or {"host", "checked": false,
 * "reason"}; borrowed. */
typedef void verify_done(void *aux, const json_t *report);
void verify_host(struct controller *, uint32_t host, double seconds, verify_done *, void *aux);

#endif
