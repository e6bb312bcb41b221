/* Objects as JSON for the API: one key per column, references as names, unset null, times RFC 3339 in UTC. Runtime columns come from
 * the caller. */
#ifndef VNET_MODEL_MODEL_JSON_H
#define VNET_MODEL_MODEL_JSON_H 1

#include "base/json.h"
#include "vnet/model/model.h"

/* Fills in a FIELD_RUNTIME column: a new reference (json_null() if unset). */
typedef json_t *runtime_column(void *aux, const struct object *, const struct field *);

/* All columns (columns NULL) or those listed; an unknown one is an error. 'runtime' may be NULL: null. */
struct json_columns {
    const char *const *names;
    size_t n;
    runtime_column *runtime;
    void *runtime_aux;
};
json_t *object_json(const struct model *, const struct object *, const struct json_columns *);

/* id, name, tenant, tags, created and the type's own, in order. */
bool columns_check(const struct object_class *, const char *const *names, size_t n, struct error *) MUST_CHECK;

/* A filter COLUMN=VALUE: equality of text, membership for lists, "tags:K"=V. Of objects, condition.h reads the value first. */
struct filter {
    const char *column, *value;
};
bool filter_check(const struct object_class *, const struct filter *, struct error *) MUST_CHECK;
bool filter_matches(const struct filter *, const json_t *object);
bool filter_is_unset(const char *value); /* it stands for what is not set: "" or none */
/* What a value is compared as; NULL: it is no text, number or boolean. */
#define FILTER_NUMBER_MAX 32
const char *filter_text(const json_t *value, char number[FILTER_NUMBER_MAX]);

/* For `vnetctl` and documents: the types, their columns, kinds, flags and help lines. New reference. */
json_t *schema_json(void);

#endif
