/* Which hosts' agents are there: an agent keeps one stream of instructions open, and is away when that ends. */
#ifndef CONTROLLER_INSTANCE_AGENTS_H
#define CONTROLLER_INSTANCE_AGENTS_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct agent_session;
struct agents;
struct controller;

struct agents *agents_new(struct controller *);
void agents_free(struct agents *);

/* An agent came; a former one of the same host is told to go ('drop', with its own aux). 'tell' writes an instruction; false: it does not read. */
struct agent_ops {
    bool (*tell)(void *aux, const char *event, const char *data);
    void (*drop)(void *aux);
};
struct agent_session *agents_enter(struct agents *, uint32_t host, const struct agent_ops *, void *aux);
/* It went. */
void agents_leave(struct agent_session *);

/* The agent answers guests' questions on its bridge: vnetd leaves that to it for as long as it is there. */
void agents_set_answering(struct agents *, uint32_t host, bool is_answering);
/* What it says of the device with the tunnel address: {"device", "mtu", "up"}. */
void agents_set_underlay(struct agents *, uint32_t host, const json_t *);
/* The same; null: unknown. New reference. */
json_t *agents_underlay(const struct agents *, uint32_t host);
/* The controller id that vnetd takes on the host's bridge. */
uint16_t agents_controller_id(const struct agents *, uint32_t host);
/* A fact of an earlier run: the host's agent answered. It is given some seconds to come back. */
void agents_remember(struct agents *, uint32_t host);

/* Writes an instruction to the host's agent, if it is there. */
void agents_tell(const struct agents *, uint32_t host, const char *event, const char *data);

bool agents_is_present(const struct agents *, uint32_t host);

#endif
