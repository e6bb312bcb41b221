/* Intent that an older vnetd stored, made complete before anything looks at it. */
#ifndef CONTROLLER_UPGRADE_H
#define CONTROLLER_UPGRADE_H 1

#include "controller/controller.h"

/* After loading, before serving: returns once what was missing is durable and the model shows it. A store that lacks nothing is left alone. */
bool upgrade_intent(struct controller *, struct error *) MUST_CHECK;

#endif
