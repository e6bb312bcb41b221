/* Operations of an OVSDB transaction (RFC 7047, 5.2) as JSON, in the few forms that configuration needs. Pure.
 * Sets and maps are changed by 'mutate', never rewritten: what somebody else adds at the same time is kept. */
#ifndef OFPROTO_OVSDB_OVSDB_OPS_H
#define OFPROTO_OVSDB_OVSDB_OPS_H 1

#include "base/json.h"
#include "base/uuid.h"
#include "ofproto/ovsdb/ovsdb_rows.h"

struct ovsdb_pair {
    const char *key, *value;
};

/* Values; new references. */
json_t *ovsdb_value_uuid(struct uuid);
json_t *ovsdb_value_new(const char *row); /* a row that this transaction inserts */
json_t *ovsdb_value_map(const struct ovsdb_pair *, size_t n);

/* Conditions. */
json_t *ovsdb_where_uuid(struct uuid);
json_t *ovsdb_where_name(const char *name);

/* Each appends one operation to 'ops'. 'take_' arguments are owned from then on. */
void ovsdb_ops_insert(json_t *ops, enum ovsdb_table, const char *row, json_t *take_values);
void ovsdb_ops_update(json_t *ops, enum ovsdb_table, json_t *take_where, json_t *take_values);
void ovsdb_ops_mutate(json_t *ops, enum ovsdb_table, json_t *take_where, json_t *take_mutations);
/* The transaction fails unless the row of that name exists. */
void ovsdb_ops_require(json_t *ops, enum ovsdb_table, const char *name);

/* [column, "insert" or "delete", value], as a list of one. */
json_t *ovsdb_mutation(const char *column, const char *mutator, json_t *take_value);
/* Sets some keys of a map and leaves the others. */
json_t *ovsdb_mutation_keys(const char *column, const struct ovsdb_pair *, size_t n);

#endif
