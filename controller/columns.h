/* Objects as the API shows them: intent from the model, runtime columns from hosts and bindings. */
#ifndef CONTROLLER_COLUMNS_H
#define CONTROLLER_COLUMNS_H 1

#include "base/json.h"
#include "controller/controller.h"
#include "vnet/model/model_json.h"

struct drop_counts; /* see counters.h */

/* What to show. columns NULL: all. 'drops' NULL: counters are null (reading them takes a question to the switch). 'are_hits_read': all hosts that
 * have a rule's flows have just been read, so that one of which nothing is known was never hit; else it shows null. 'names_hosts': who asks may see
 * hosts, so that an error may name them. */
struct columns_wanted {
    const char *const *names;
    size_t n;
    const struct drop_counts *drops;
    bool are_hits_read;
    bool names_hosts;
};

/* Is this what drop_counts_read() reads, null until then? 'column' may have a key, as a filter's has: "drops:sg". */
bool column_is_counted(const char *column);

/* The same of an object that a transaction is about to make or change: what is known of it by its number alone. 'controller' is one. */
json_t *columns_staged(void *controller, const struct object *, const struct field *);

/* New reference. 'wanted' may be NULL. */
json_t *columns_object(const struct controller *, const struct object *, const struct columns_wanted *wanted);

#endif
