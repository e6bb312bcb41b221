/* One run of vnetctl: all its commands, read from the arguments or the batch, then done. Changes are one transaction; reads follow it in
 * the order given. */
#ifndef VNETCTL_INVOCATION_H
#define VNETCTL_INVOCATION_H 1

#include "tools/vnetctl/options.h"

/* '*exit_status' is what commands found out, e.g. 1 where 'verify' found differences. */
bool invocation_run(const struct options *, int *exit_status, struct error *) MUST_CHECK;

#endif
