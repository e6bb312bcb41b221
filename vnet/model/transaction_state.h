/* A transaction from inside: for its own files and the types' hooks. What it sees is VIEW_STAGED; a change enters there at once, and is
 * taken back by aborting. */
#ifndef VNET_MODEL_TRANSACTION_STATE_H
#define VNET_MODEL_TRANSACTION_STATE_H 1

#include "vnet/model/index.h"

struct transaction {
    struct model *model;
    struct principal principal;
    char tenant[LIMIT_NAME + 1]; /* whose objects names refer to */
    int64_t now_ms;
    void (*random)(void *aux, uint8_t *, size_t);
    void *random_aux;
    runtime_column *runtime;
    void *runtime_aux;
    bool is_brief, is_sweep;
    bool may_move; /* of the operation being applied: "move" */

    struct model_sequences sequences;
    struct map staged;      /* struct staged, by number */
    struct change *changes; /* after finish; by rising number */
    size_t n_changes;
    bool is_finished, is_committed;
};

/* Objects enter and leave. 'take' becomes the transaction's, also on error; number, id and creation time are set if they are not.
 * Errors do not name the object. */
bool transaction_add(struct transaction *, struct object *take, struct error *) MUST_CHECK;
bool transaction_replace(struct transaction *, const struct object *before, struct object *take, struct error *) MUST_CHECK;
/* With what it owns. */
bool transaction_remove(struct transaction *, const struct object *, struct error *) MUST_CHECK;

/* What it did to each number so far. */
void transaction_each_staged(const struct transaction *, void (*each)(void *aux, const struct change *), void *aux);

/* In the transaction's view; NULL is 'none'. */
static inline const struct object *
transaction_get(const struct transaction *t, uint32_t number, enum object_type type)
{
    return view_get(t->model, VIEW_STAGED, number, type);
}

/* "port 'web1'", cut to size. */
#define TITLE_MAX 200
const char *transaction_title(const struct transaction *, const struct object *, char buf[TITLE_MAX]);

uint64_t transaction_random(struct transaction *);
/* Allocates from a sequence; false with *err if all are in use. */
bool transaction_take_vni(struct transaction *, uint32_t *vni, struct error *) MUST_CHECK;

/* The VPC's default security group, with its rules. */
bool vpc_add_default_sg(struct transaction *, const struct object *vpc, struct error *) MUST_CHECK;

/* ---- validation of whole objects (transaction_validate.c) ---- */
bool transaction_check(struct transaction *, const struct object *before, const struct object *, struct error *) MUST_CHECK;
bool transaction_check_removable(struct transaction *, const struct object *, struct error *) MUST_CHECK;
bool transaction_check_quotas(const struct transaction *, struct error *) MUST_CHECK;
/* Does 'referrer' go when 'owner' goes? */
bool object_goes_with(const struct object *referrer, uint32_t owner);
/* Does it go when something else goes? */
bool object_has_owner(const struct object *);

#define VNI_MAX 0xffffff

#endif
