/* A transaction: many operations, validated in order, later ones seeing earlier ones, all or nothing.
 *
 *     begin -> op, op, ... -> finish -> (the store makes it durable) -> commit
 *                  any failure, or abort: the model is as it was
 *
 * The model itself is untouched until commit: a transaction keeps its changed objects in an overlay, so that readers and compilation
 * see only what is durable. One transaction is open at a time (the caller queues).
 *
 * Operations, as the API and the CLI's commands give them (JSON objects; field names are columns, values native or as text):
 *   {"op": "add", "type": "port", "name": "web1", "values": {"subnet": "web", "ip": "10.0.1.5"}, "may_exist": true}
 *   {"op": "set", "type": "port", "name": "web1", "values": {"source_dest_check": false}}
 *   {"op": "del", "type": "port", "name": "web1", "if_exists": true}
 * "tenant" in an operation overrides the request's. "id" may be given to add (port-add id=UUID). An "add" of a type without name of
 * its own (route, eip, igw, sg-rule, listener, target) has no "name"; set and del of it use "RTB/PREFIX", the address, the VPC's name, the
 * rule's id, "LB/PROTO:PORT", "TG/PORT". Adding a tenant, host or
 * pool needs an admin.
 *   {"op": "set", "type": "eip", "name": "203.0.113.5", "values": {"attached": "port:web2"}, "move": true}
 * Without "move" an elastic IP that is attached is not attached to something else. "attached": null detaches it.
 * Implied changes are part of the same transaction: a VPC's main table and default security group; what goes with its owner; the
 * combinations of groups that ports have.
 * Text values are parsed by the field's kind ("true", "10", "a,b"), so that the CLI needs no knowledge of types. null is 'not given' to
 * add, and the default, or unset, to set.
 * Columns of keys and values (tags, quotas) are changed key by key: {"tags": {"k": "v", "gone": null}} or {"tags:k": "v"}; text is the whole:
 * {"tags": "k=v,l=w"}, as null is for none. */
#ifndef VNET_MODEL_TRANSACTION_H
#define VNET_MODEL_TRANSACTION_H 1

#include "base/error.h"
#include "base/json.h"
#include "vnet/model/model_json.h"
#include "vnet/model/principal.h"

struct transaction;

/* What the outside gives a transaction, so that it stays pure. */
struct transaction_origin {
    struct principal principal;
    const char *tenant; /* whose objects names refer to; NULL: "default" */
    int64_t now_ms;     /* creation time of new objects */
    /* What is observed of an object that may not be committed yet, for results and changes as they are shown; NULL: null. */
    runtime_column *runtime;
    void *runtime_aux;
    bool is_brief; /* results of operations are without "object" */
    bool is_sweep; /* deletes of targets take only those whose time of draining is over, and leave others as they are */
    void (*random)(void *aux, uint8_t *, size_t);
    void *random_aux;
};

struct transaction *transaction_begin(struct model *, const struct transaction_origin *);
/* Takes back what is not committed, and frees it: the same as transaction_free(). NULL is fine. */
void transaction_abort(struct transaction *);

/* Applies one operation. '*result' (may be NULL): new reference, {"id", "type", "name"} of the object, after add and set also
 * "object", all its columns, unless the origin is brief; NULL when nothing was there to delete. A large batch is cheaper without.
 * On false the transaction can only be aborted; *err is prefixed by the caller with the command's number where that helps. */
bool transaction_op(struct transaction *, const json_t *op, json_t **result, struct error *) MUST_CHECK;

/* Instead of operations, after loading: adds what an older version's objects lack. Nothing is lacking: changes nothing. */
bool transaction_upgrade(struct transaction *, struct error *) MUST_CHECK;

/* Checks what only the whole can tell (quotas). */
bool transaction_finish(struct transaction *, struct error *) MUST_CHECK;

/* ---- the result, after finish ---- */
struct change {
    enum object_type type;
    uint32_t number;
    const struct object *before; /* NULL: new */
    const struct object *after;  /* NULL: deleted */
};
/* One per object, net effect, in order of number. Valid until the transaction is freed; 'before' also after commit. */
const struct change *transaction_changes(const struct transaction *, size_t *n);
bool transaction_is_empty(const struct transaction *);
bool transaction_is_committed(const struct transaction *);

/* An object of the transaction (before or after) as the API shows it; references are resolved in what the transaction sees. New
 * reference; runtime columns are null. */
json_t *transaction_json(const struct transaction *, const struct object *);

/* Allocation state that the store keeps with the objects. */
struct model_sequences {
    uint64_t revision; /* after this transaction */
    uint32_t next_number;
    uint32_t next_vni;
};
struct model_sequences transaction_sequences(const struct transaction *);

/* Makes the model show it. Call when durable. Afterwards the transaction holds the old objects until transaction_free(). */
void transaction_commit(struct transaction *);
void transaction_free(
    struct transaction *); /* not committed: aborts; NULL is fine. Committed: touches nothing of the model, so any thread may */

/* ---- numbers ---- */
/* A deleted object's number may be used again once every host has confirmed; the controller says so. Numbers come from a sequence that
 * wraps, so this only matters after 2^32 objects; until released a number is never handed out. */
void model_release_number(struct model *, uint32_t number);

/* ---- loading from the store ---- */
/* In any order; references are checked by model_load_finish(). 'document' is what object_to_store() wrote. */
bool model_load_object(struct model *, uint32_t number, const json_t *document, struct error *) MUST_CHECK;
void model_load_tombstone(struct model *, uint32_t number); /* deleted, not released yet */
bool model_load_finish(struct model *, const struct model_sequences *, struct error *) MUST_CHECK;
/* New reference: everything needed to load the object again (references by number). */
json_t *object_to_store(const struct object *);

#endif
