/* The one transaction of an invocation: operations as they come, as text, so that a large batch costs little more than its own size. */
#ifndef VNETCTL_TRANSACTION_H
#define VNETCTL_TRANSACTION_H 1

#include "base/bytes.h"
#include "tools/vnetctl/client.h"
#include "tools/vnetctl/parse.h"

/* Where an operation came from, to say so in an error. */
struct origin {
    const struct command *command;
    size_t line; /* of the batch; 0: arguments */
};

struct transaction {
    struct bytes body; /* {"ops":[...  */
    struct origin *origins;
    size_t n, cap;
};

void transaction_init(struct transaction *);
void transaction_done(struct transaction *);

/* Makes the call's operation. */
bool transaction_add_call(struct transaction *, const struct call *, struct error *) MUST_CHECK;

/* Sends it. Prints what a dry run would change; warns of disconnected hosts; client->exit_status is EXIT_UNCONFIRMED if some host
 * did not confirm. */
bool transaction_send(struct transaction *, struct client *, struct error *) MUST_CHECK;

/* Puts "line 17" or the command's name before the error. */
bool origin_error(struct origin, struct error *);

/* Warns of the hosts in an answer that are disconnected and, if they were waited for, of those that did not confirm; then
 * client->exit_status is EXIT_UNCONFIRMED. */
void transaction_report_hosts(struct client *, const json_t *answer, bool has_waited);

#endif
