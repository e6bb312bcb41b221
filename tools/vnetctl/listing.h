/* Asking for objects and printing them: what rows of the command table that list name as 'read'. */
#ifndef VNETCTL_LISTING_H
#define VNETCTL_LISTING_H 1

#include "tools/vnetctl/client.h"
#include "tools/vnetctl/parse.h"

/* Objects of the call's type: those named by its 'name' argument, else those where its other arguments and values hold. */
bool listing_read(struct client *, const struct call *, struct error *) MUST_CHECK;
bool listing_find(struct client *, const struct call *, struct error *) MUST_CHECK; /* the same; none is shown as [] */

/* Prints an array of objects. 'columns': "A B", what to show of them unless --columns says it; NULL all. */
bool listing_print(struct client *, const char *type, const char *columns, const json_t *rows, struct error *) MUST_CHECK;

#endif
