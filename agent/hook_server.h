/* The socket where vnet-hook comes: one message a connection, one answer. Who asks must be root, or whoever the agent runs as. */
#ifndef AGENT_HOOK_SERVER_H
#define AGENT_HOOK_SERVER_H 1

#include <event2/event.h>

#include "agent/hook_message.h"
#include "base/error.h"

struct hook_call;
struct hook_server;

/* Called from the loop. hook_call_answer() ends the call, once, now or later. */
typedef void hook_handler(void *aux, struct hook_call *, const struct hook_message *);

struct hook_server *hook_server_new(struct event_base *, const char *file, hook_handler *, void *aux, struct error *) MUST_CHECK;
void hook_server_free(struct hook_server *); /* after every call was answered, or none will be */

/* 'refusal' NULL: ok. */
void hook_call_answer(struct hook_call *, const char *refusal);

#endif
