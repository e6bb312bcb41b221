/* One operation, for the files that read and apply it: transaction_op_read.c reads it from JSON and says for errors what it is about,
 * transaction_op_values.c gives its values to an object, transaction_op_add.c makes a new one, transaction_op.c does the rest. */
#ifndef VNET_MODEL_TRANSACTION_OP_PRIVATE_H
#define VNET_MODEL_TRANSACTION_OP_PRIVATE_H 1

#include "vnet/model/transaction_state.h"

enum op_kind { OP_ADD, OP_SET, OP_DEL };

struct op {
    enum op_kind kind;
    const struct object_class *class;
    const char *name; /* NULL: none */
    const char *id;
    const json_t *values; /* NULL: none */
    bool may_exist, if_exists, move;
    const char *tenant_name;
    uint32_t tenant; /* 0: type without */
};

/* Strictly: what is unknown or of another kind is refused. 'op' keeps pointers into the JSON. */
bool op_parse(const json_t *, struct op *, struct error *) MUST_CHECK;
/* Puts "route 'main/10.0.0.0/8'" before the error: what the operation is about. Always false. */
bool op_prefix(const struct op *, struct error *);

/* The values given enter 'o', which is not the model's yet. */
bool op_give_values(const struct transaction *, const struct op *, struct object *o, struct error *) MUST_CHECK;

/* Adds what is given, or takes what exists and agrees; its number. */
bool op_add(struct transaction *, const struct op *, uint32_t *number, struct error *) MUST_CHECK;

#endif
