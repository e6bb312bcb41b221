/* What is kept of a target's health across restarts, as a line of text: why it is not healthy, then the last changes.
 *
 *     REASON ; STATE , REASON , MILLISECONDS SINCE 1970 ; ...
 *
 * The state is that of the newest change; a target that never changed has no record. */
#ifndef CONTROLLER_CHECK_CHECK_RECORD_H
#define CONTROLLER_CHECK_CHECK_RECORD_H 1

#include "controller/check/check.h"

#define CHECK_RECORD_MAX 300

/* False: there is nothing to keep. */
bool check_record_write(const struct check *, char text[CHECK_RECORD_MAX]);
/* Into one that is all zero. False, and it is still so: no such line. */
bool check_record_read(struct check *, const char *text);

#endif
