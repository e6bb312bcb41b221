#include "agent/since.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/since_file.h"
#include "agent/state_file.h"
#include "base/alloc.h"

#define LOG_MODULE "domains"
#include "base/log.h"

#define GATHER_MS 100 /* changes of one moment are one file */
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"

/* Of the file, and not found again yet. */
struct kept {
    struct map_node by_id;
    struct since_entry e;
};

struct since {
    const struct domains *domains;
    char *file, boot[64]; /* "": not known, and nothing is kept */
    struct map kept;
    struct event *save;
};

static struct log_limit failures = LOG_LIMIT(5);

/* ---- keeping ---- */

static void
save(struct since *s)
{
    struct error err;
    struct since_entry e;
    json_t *domains = json_object(), *all = json_pack("{s:s,s:o}", "boot", s->boot, "domains", domains);
    MAP_FOR_EACH (n, &s->kept)
        since_file_put(domains, &CONTAINER_OF(n, struct kept, by_id)->e);
    MAP_FOR_EACH (n, &s->domains->by_id) {
        const struct domain *d = CONTAINER_OF(n, struct domain, by_id);
        if (!d->is_read)
            continue;
        e = (struct since_entry){ .id = d->id, .run = d->run, .since_ms = d->since_ms };
        snprintf(e.state, sizeof e.state, "%s", d->state);
        snprintf(e.reason, sizeof e.reason, "%s", d->reason);
        since_file_put(domains, &e);
    }
    if (!state_file_write(s->file, all, &err))
        log_warn_limited(&failures, "since when domains are as they are is not remembered: %s", err.text);
    json_decref(all);
}

static void
on_save(evutil_socket_t fd, short what, void *aux)
{
    save(aux);
}

void
since_changed(struct since *s)
{
    struct timeval soon = { 0, GATHER_MS * 1000 };
    if (*s->boot && !evtimer_pending(s->save, NULL))
        evtimer_add(s->save, &soon);
}

static struct kept *
kept_find(const struct since *s, struct uuid id)
{
    MAP_FOR_EACH_HASH (n, &s->kept, uuid_hash(id)) {
        struct kept *k = CONTAINER_OF(n, struct kept, by_id);
        if (uuid_equal(k->e.id, id))
            return k;
    }
    return NULL;
}

static void
kept_remove(struct since *s, struct kept *k)
{
    map_remove(&s->kept, &k->by_id);
    free(k);
}

void
since_read(struct since *s, struct domain *d)
{
    struct kept *k = kept_find(s, d->id);
    if (!k)
        return;
    if (k->e.run == d->run && !strcmp(k->e.state, d->state) && !strcmp(k->e.reason, d->reason)) {
        d->since_ms = k->e.since_ms;
        domain_untold(d);
    }
    kept_remove(s, k);
}

void
since_whole(struct since *s)
{
    if (map_count(&s->kept))
        since_changed(s);
    MAP_FOR_EACH_SAFE (n, next, &s->kept)
        kept_remove(s, CONTAINER_OF(n, struct kept, by_id));
}

/* ---- lifetime ---- */

static void
keep(void *aux, const struct since_entry *e)
{
    struct since *s = aux;
    if (kept_find(s, e->id))
        return; /* an id written in two ways */
    struct kept *k = mem_zalloc(sizeof *k);
    k->e = *e;
    map_insert(&s->kept, &k->by_id, uuid_hash(e->id));
}

static void
load(struct since *s)
{
    struct error err;
    json_t *all = state_file_read(s->file, &err);
    if (all && !since_file_parse(all, s->boot, agent_now_ms(), keep, s, &err)) {
        error_prefix(&err, "%s", s->file);
        MAP_FOR_EACH_SAFE (n, next, &s->kept)
            kept_remove(s, CONTAINER_OF(n, struct kept, by_id));
    }
    if (*err.text)
        log_warn("since when domains are as they are is not known: %s", err.text);
    json_decref(all);
}

static void
read_boot(char boot[64])
{
    FILE *f = fopen(BOOT_FILE, "re");
    if (!f || fscanf(f, "%63s", boot) != 1)
        boot[0] = '\0';
    if (f)
        fclose(f);
}

struct since *
since_new(struct event_base *base, const char *file, const struct domains *domains)
{
    struct since *s = mem_zalloc(sizeof *s);
    *s = (struct since){ .domains = domains, .file = mem_strdup(file) };
    map_init(&s->kept);
    s->save = evtimer_new(base, on_save, s);
    read_boot(s->boot);
    if (*s->boot)
        load(s);
    return s;
}

void
since_free(struct since *s)
{
    if (!s)
        return;
    if (evtimer_pending(s->save, NULL))
        save(s);
    MAP_FOR_EACH_SAFE (n, next, &s->kept)
        kept_remove(s, CONTAINER_OF(n, struct kept, by_id));
    map_done(&s->kept);
    event_free(s->save);
    free(s->file);
    free(s);
}
