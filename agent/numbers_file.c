#include "agent/numbers_file.h"

#include <string.h>

#include "agent/state_file.h"

static bool
take(const json_t *all, void (*each)(void *aux, const char *, uint32_t), void *aux, struct error *err)
{
    const char *id;
    json_t *number, *ports = json_object_get(all, "ports");
    bool ok = json_is_object(ports);
    json_object_foreach (ports, id, number) {
        json_int_t value = json_integer_value(number);
        ok = ok && value > 0 && value <= NUMBERS_OFPORT_MAX && *id && strlen(id) <= NUMBERS_ID_MAX;
        if (ok)
            each(aux, id, (uint32_t) value);
    }
    return ok || error_set(err, ERROR_INVALID, "it must be {\"ports\": {ID: NUMBER, ...}} with numbers from 1 to %d", NUMBERS_OFPORT_MAX);
}

bool
numbers_file_parse(const char *text, size_t n, void (*each)(void *aux, const char *, uint32_t), void *aux, struct error *err)
{
    json_t *all = json_parse(text, n, "the file", err);
    bool ok = all && take(all, each, aux, err);
    json_decref(all);
    return ok;
}

bool
numbers_file_read(const char *file, void (*each)(void *aux, const char *, uint32_t), void *aux, struct error *err)
{
    json_t *all = state_file_read(file, err);
    if (!all)
        return !*err->text;
    bool ok = take(all, each, aux, err) || error_prefix(err, "%s", file);
    json_decref(all);
    return ok;
}

bool
numbers_file_write(const char *file, json_t *take_ports, struct error *err)
{
    json_t *all = json_pack("{s:o}", "ports", take_ports);
    bool ok = state_file_write(file, all, err);
    json_decref(all);
    return ok;
}
