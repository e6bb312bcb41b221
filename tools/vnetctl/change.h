/* Operations of a transaction out of calls: what rows of the command table name as 'change'. */
#ifndef VNETCTL_CHANGE_H
#define VNETCTL_CHANGE_H 1

#include "tools/vnetctl/parse.h"

/* All return a new reference, or NULL with *err set. */
json_t *change_add(const struct call *, struct error *);
json_t *change_del(const struct call *, struct error *);
json_t *change_set(const struct call *, struct error *);

/* The COLUMN[:KEY]=VALUE of the call into an object: text as given, null for an empty one. */
void change_values(const struct call *, json_t *values);

/* A new operation without values. */
json_t *change_op(const char *op, const char *type, const char *name);

#endif
