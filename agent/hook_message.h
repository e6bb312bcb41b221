/* What vnet-hook sends to vnet-agent, and the answer. Pure.
 *
 *     request   "vnet-hook/1" 0 GUEST 0 OPERATION 0 SUBOPERATION 0 EXTRA 0 MILLISECONDS 0 XML...       until the sender's end of stream
 *     answer    "ok\n", or "refused TEXT\n": at 'prepare', what is wrong with the domain's declaration
 *
 * MILLISECONDS: how long the hook waits for the answer. */
#ifndef AGENT_HOOK_MESSAGE_H
#define AGENT_HOOK_MESSAGE_H 1

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"

#define HOOK_MESSAGE_MAX (4 << 20)
#define HOOK_ANSWER_MAX 1024
#define HOOK_TIMEOUT_MAX_MS 60000

/* Texts are borrowed from the bytes parsed. */
struct hook_message {
    const char *guest, *operation, *suboperation, *extra;
    unsigned timeout_ms;
    const char *xml;
    size_t n_xml;
};

void hook_message_put(struct bytes *, const struct hook_message *);
bool hook_message_parse(const char *bytes, size_t n, struct hook_message *, struct error *) MUST_CHECK;

/* What a refusal says; NULL: the answer is 'ok'. Changes 'text', a whole answer. False: it is no answer. */
bool hook_answer_parse(char *text, const char **refusal);

#endif
