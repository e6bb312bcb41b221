#include "controller/instance/sighting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char *const state_words[] = { "running", "migrating", "paused", "crashed", "off" };

const char *
instance_state_word(enum instance_state state)
{
    return state_words[state];
}

static bool
read_state(const json_t *json, enum instance_state *state, struct error *err)
{
    const char *word = json_member_string(json, "state");
    for (int i = 0; word && i < N_INSTANCE_STATES; i++)
        if (!strcmp(word, state_words[i])) {
            *state = i;
            return true;
        }
    return error_set(err, ERROR_INVALID, "state '%.60s': must be running, migrating, paused, crashed or off", word ? word : "");
}

static bool
read_name(const json_t *json, struct sighting *s, struct error *err)
{
    const char *name = json_member_string(json, "name");
    if (!name || !*name || strlen(name) > SIGHTING_NAME_MAX)
        return error_set(err, ERROR_INVALID, "name: must be a string of 1 to %d bytes", SIGHTING_NAME_MAX);
    s->name = mem_strdup(name);
    return true;
}

static bool
read_ports(const json_t *json, struct sighting *s, struct error *err)
{
    size_t i;
    const json_t *id, *ports = json_object_get(json, "ports");
    if (ports && (!json_is_array(ports) || json_array_size(ports) > SIGHTING_PORTS_MAX))
        return error_set(err, ERROR_INVALID, "ports: must be an array of at most %d UUIDs", SIGHTING_PORTS_MAX);
    json_array_foreach (ports, i, id)
        if (!json_is_string(id) || !uuid_parse(json_string_value(id), &s->ports[s->n_ports++]))
            return error_set(err, ERROR_INVALID, "ports: element %zu is no UUID", i);
    return true;
}

static void
read_text(const json_t *json, const char *key, char *out, size_t size)
{
    const char *text = json_member_string(json, key);
    snprintf(out, size, "%s", text ? text : "");
}

static bool
read_events(const json_t *json, struct sighting *s, int64_t now_ms, struct error *err)
{
    size_t i;
    const json_t *one, *events = json_object_get(json, "events");
    if (events && (!json_is_array(events) || json_array_size(events) > SIGHTING_EVENTS_MAX))
        return error_set(err, ERROR_INVALID, "events: must be an array of at most %d", SIGHTING_EVENTS_MAX);
    json_array_foreach (events, i, one) {
        struct sighting_event *e = &s->events[s->n_events++];
        read_text(one, "event", e->what, sizeof e->what);
        e->at_ms = moment_read(one, "age_ms", now_ms);
        e->number = json_member_int(one, "number", 0);
    }
    return true;
}

static bool
read_all(const json_t *json, struct sighting *s, int64_t now_ms, struct error *err)
{
    const char *id = json_member_string(json, "id");
    if (!id || !uuid_parse(id, &s->id))
        return error_set(err, ERROR_INVALID, "instance: id '%.60s' is no UUID", id ? id : "");
    if (!read_name(json, s, err) || !read_state(json, &s->state, err) || !read_ports(json, s, err) || !read_events(json, s, now_ms, err))
        return error_prefix(err, "instance '%.60s'", id);
    const json_t *counters = json_object_get(json, "counters");
    read_text(json, "reason", s->reason, sizeof s->reason);
    read_text(json, "event", s->event, sizeof s->event);
    s->since_ms = moment_read(json, "since_age_ms", now_ms);
    s->event_ms = moment_read(json, "event_age_ms", now_ms);
    s->is_persistent = json_member_bool(json, "persistent", true);
    s->counters = json_is_object(counters) ? json_incref((json_t *) counters) : NULL;
    return true;
}

struct sighting *
sighting_read(const json_t *json, int64_t now_ms, struct error *err)
{
    struct sighting *s = mem_zalloc(sizeof *s);
    if (read_all(json, s, now_ms, err))
        return s;
    sighting_free(s);
    return NULL;
}

void
sighting_free(struct sighting *s)
{
    if (!s)
        return;
    json_decref(s->counters);
    free(s->name);
    free(s);
}

void
sighting_forget_known(struct sighting *s, const struct sighting *old)
{
    size_t n = 0;
    bool is_same_run = old && !uuid_is_zero(s->run) && uuid_equal(s->run, old->run);
    s->events_until = is_same_run ? old->events_until : 0;
    for (size_t i = 0; i < s->n_events; i++)
        if (!s->events[i].number || s->events[i].number > s->events_until)
            s->events[n++] = s->events[i];
    s->n_events = n;
    if (n && s->events[n - 1].number > s->events_until)
        s->events_until = s->events[n - 1].number;
}

bool
sighting_has_left(const struct sighting *s)
{
    return s->state == INSTANCE_MIGRATING || !strcmp(s->reason, "migrated") || !strcmp(s->event, "suspended migrated")
           || !strcmp(s->event, "suspended postcopy") || !strcmp(s->event, "stopped migrated");
}
