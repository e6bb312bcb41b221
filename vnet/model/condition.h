/* Conditions on objects, COLUMN=VALUE, as users write them: equality, membership for lists, "tags:K"=V. Values are read as those that are given to
 * the column are, so that 060 is 60; what no object can have there is an error. What refers to an object may name it, or give its id: then it is
 * that one and none of the same name. */
#ifndef VNET_MODEL_CONDITION_H
#define VNET_MODEL_CONDITION_H 1

#include "vnet/model/model_json.h"

struct condition {
    char *column, *value;      /* owned; the value as the API shows it */
    const struct field *field; /* NULL: a column that all types have */
    bool is_by_id;
    uint32_t number; /* with is_by_id: of the object; 0: there is none */
};

/* condition_done() it, also after an error. */
bool condition_init(struct condition *, const struct model *, const struct object_class *, const char *column, const char *value,
                    struct error *) MUST_CHECK;
void condition_done(struct condition *);

/* 'row' is the object as the API shows it, with that column at least. */
bool condition_holds(const struct condition *, const struct object *, const json_t *row);

#endif
