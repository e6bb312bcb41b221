/* Which hosts' agents are there: an agent keeps one stream of instructions open, and is away when that ends, or when it no longer answers beats: one
 * that hangs, or whose host is cut off, keeps its connection. */
#ifndef CONTROLLER_INSTANCE_AGENTS_H
#define CONTROLLER_INSTANCE_AGENTS_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

#define AGENTS_BEATS_MISSED 4 /* also said in words in man/vnet-agent.8 and controller/api/README.md */

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
/* It has said that it answers beats: one that does not answer AGENTS_BEATS_MISSED is taken for away, and told to go. */
void agents_expect_beats(struct agent_session *);
/* It went. */
void agents_leave(struct agent_session *);

/* To be called every beat's time. Beats to the agent, or sends it away: then the session is gone. A vnetd that slept finds one beat missing, not all
 * of that time. */
void agents_beat(struct agent_session *);
/* The host's agent has answered a beat, and what it says of itself: {"heap_bytes"}. */
void agents_take_beat(struct agents *, uint32_t host, const json_t *);
/* Of the agent that is there; zeros: there is none, or it does not beat. */
struct agent_beats {
    uint64_t n;
    int64_t heap_bytes;
};
struct agent_beats agents_beats(const struct agents *, uint32_t host);

/* The agent answers guests' questions on its bridge: vnetd leaves that to it for as long as it is there. */
void agents_set_answering(struct agents *, uint32_t host, bool is_answering);
/* What it says of the device with the tunnel address: {"device", "mtu", "up"}. */
void agents_set_underlay(struct agents *, uint32_t host, const json_t *);
/* Either may have changed: what the host says that its underlay carries (vnet-mtu) is in error when it is more than the agent sees, since packets that
 * are thought to fit vanish. */
void agents_check_mtu(const struct agents *, uint32_t host);
/* Its agent sees that that device has no carrier. */
bool agents_underlay_is_down(const struct agents *, uint32_t host);
/* What it says of that device; null: unknown. New reference. */
json_t *agents_underlay(const struct agents *, uint32_t host);
/* The controller id that vnetd takes on the host's bridge. */
uint16_t agents_controller_id(const struct agents *, uint32_t host);
/* A fact of an earlier run: the host's agent answered. It is given some seconds to come back. */
void agents_remember(struct agents *, uint32_t host);

/* Writes an instruction to the host's agent, if it is there. */
void agents_tell(const struct agents *, uint32_t host, const char *event, const char *data);

bool agents_is_present(const struct agents *, uint32_t host);

#endif
