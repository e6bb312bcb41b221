#include "agent/since_file.h"

#include <string.h>

static bool
read_word(const json_t *o, const char *key, char word[SINCE_WORD_MAX + 1])
{
    const char *text = json_member_string(o, key);
    if (!text || strlen(text) > SINCE_WORD_MAX)
        return false;
    strcpy(word, text);
    return true;
}

static bool
read_entry(const char *id, const json_t *o, int64_t now_ms, struct since_entry *e)
{
    int64_t run = json_member_int(o, "run", INT64_MIN);
    e->since_ms = json_member_int(o, "since_ms", INT64_MIN);
    e->run = (int) run;
    return uuid_parse(id, &e->id) && run >= -1 && run <= INT32_MAX && e->since_ms >= 0 && e->since_ms <= now_ms
           && read_word(o, "state", e->state) && read_word(o, "reason", e->reason);
}

bool
since_file_parse(const json_t *all, const char *boot, int64_t now_ms, void (*each)(void *aux, const struct since_entry *), void *aux,
                 struct error *err)
{
    const char *id, *theirs = json_member_string(all, "boot");
    json_t *o, *domains = json_object_get(all, "domains");
    struct since_entry e;
    if (!theirs || !json_is_object(domains))
        return error_set(err, ERROR_INVALID, "it must be {\"boot\": ID, \"domains\": {UUID: {...}, ...}}");
    if (strcmp(theirs, boot) != 0)
        return true;
    json_object_foreach (domains, id, o) {
        if (!read_entry(id, o, now_ms, &e))
            return error_set(
                err, ERROR_INVALID,
                "domain '%.60s': must be {\"run\": N, \"state\": WORD, \"reason\": WORD, \"since_ms\": MS} of a moment that has been", id);
        each(aux, &e);
    }
    return true;
}

void
since_file_put(json_t *domains, const struct since_entry *e)
{
    char id[UUID_STRLEN];
    json_object_set_new(
        domains, uuid_format(e->id, id),
        json_pack("{s:i,s:s,s:s,s:I}", "run", e->run, "state", e->state, "reason", e->reason, "since_ms", (json_int_t) e->since_ms));
}
