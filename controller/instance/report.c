#include "controller/instance/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void
report_done(struct report *r)
{
    for (size_t i = 0; i < r->n_seen; i++)
        sighting_free(r->seen[i]);
    free(r->seen);
    free(r->gone);
}

static bool
read_seen(struct report *r, const json_t *instances, int64_t now_ms, struct error *err)
{
    size_t i;
    const json_t *one;
    r->seen = mem_zalloc((json_array_size(instances) + 1) * sizeof(struct sighting *));
    json_array_foreach (instances, i, one) {
        struct sighting *s = sighting_read(one, now_ms, err);
        if (!s)
            return false;
        s->run = r->run;
        r->seen[r->n_seen++] = s;
    }
    return true;
}

static int
compare_uuids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

static bool
read_gone(struct report *r, const json_t *gone, struct error *err)
{
    size_t i;
    const json_t *id;
    r->gone = mem_zalloc((json_array_size(gone) + 1) * sizeof *r->gone);
    json_array_foreach (gone, i, id)
        if (!json_is_string(id) || !uuid_parse(json_string_value(id), &r->gone[r->n_gone++]))
            return error_set(err, ERROR_INVALID, "gone: element %zu is no UUID", i);
    qsort(r->gone, r->n_gone, sizeof *r->gone, compare_uuids);
    return true;
}

static bool
is_clear(const struct report *r, struct error *err)
{
    char id[UUID_STRLEN];
    for (size_t i = 0; i < r->n_seen; i++) {
        const struct sighting *s = r->seen[i];
        if (bsearch(&s->id, r->gone, r->n_gone, sizeof *r->gone, compare_uuids))
            return error_set(err, ERROR_INVALID, "instance '%s' ('%.60s'): is both in 'instances' and in 'gone'; must be in one of them",
                             uuid_format(s->id, id), s->name);
    }
    return true;
}

static bool
read_run(struct report *r, const json_t *json, struct error *err)
{
    const json_t *run = json_object_get(json, "run");
    if (!run || (json_is_string(run) && uuid_parse(json_string_value(run), &r->run)))
        return true;
    return error_set(err, ERROR_INVALID, "run: must be a UUID, made when the agent starts");
}

bool
report_read(struct report *r, const json_t *json, int64_t now_ms, struct error *err)
{
    const json_t *instances = json_object_get(json, "instances"), *gone = json_object_get(json, "gone");
    *r = (struct report){ .is_full = json_member_bool(json, "full", false) };
    if ((instances && !json_is_array(instances)) || (gone && !json_is_array(gone)))
        return error_set(err, ERROR_INVALID, "instances, gone: must be arrays");
    if (json_array_size(instances) > REPORT_INSTANCES_MAX || json_array_size(gone) > REPORT_INSTANCES_MAX)
        return error_set(err, ERROR_TOO_LARGE, "instances, gone: at most %d in one report", REPORT_INSTANCES_MAX);
    return read_run(r, json, err) && read_seen(r, instances, now_ms, err) && read_gone(r, gone, err) && is_clear(r, err);
}
