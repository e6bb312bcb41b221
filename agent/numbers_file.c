#include "agent/numbers_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

bool
numbers_file_parse(const char *text, size_t n, void (*each)(void *aux, const char *, uint32_t), void *aux, struct error *err)
{
    const char *id;
    json_t *number, *all = json_parse(text, n, "the file", err);
    if (!all)
        return false;
    json_t *ports = json_object_get(all, "ports");
    bool ok = json_is_object(ports);
    json_object_foreach (ports, id, number) {
        json_int_t value = json_integer_value(number);
        ok = ok && value > 0 && value <= NUMBERS_OFPORT_MAX && *id && strlen(id) <= NUMBERS_ID_MAX;
        if (ok)
            each(aux, id, (uint32_t) value);
    }
    json_decref(all);
    return ok || error_set(err, ERROR_INVALID, "it must be {\"ports\": {ID: NUMBER, ...}} with numbers from 1 to %d", NUMBERS_OFPORT_MAX);
}

/* All of it; NULL with *err. */
static char *
slurp(FILE *f, size_t *n, struct error *err)
{
    char *text = mem_alloc(NUMBERS_FILE_MAX + 1);
    *n = fread(text, 1, NUMBERS_FILE_MAX + 1, f);
    if (*n <= NUMBERS_FILE_MAX && !ferror(f))
        return text;
    error_set(err, ERROR_TOO_LARGE, "it cannot be read, or is longer than %d bytes", NUMBERS_FILE_MAX);
    free(text);
    return NULL;
}

bool
numbers_file_read(const char *file, void (*each)(void *aux, const char *, uint32_t), void *aux, struct error *err)
{
    FILE *f = fopen(file, "re");
    if (!f)
        return errno == ENOENT || error_set(err, ERROR_UNAVAILABLE, "%s: %s", file, strerror(errno));
    size_t n;
    char *text = slurp(f, &n, err);
    bool ok = text && numbers_file_parse(text, n, each, aux, err);
    free(text);
    fclose(f);
    return ok || error_prefix(err, "%s", file);
}

/* As 'mkdir -p' for the folder that the file is in. */
static void
make_folder(const char *file)
{
    char *path = mem_strdup(file);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    free(path);
}

static bool
write_text(const char *file, const char *text)
{
    FILE *f = fopen(file, "we");
    if (!f)
        return false;
    bool ok = fputs(text, f) >= 0;
    return !fclose(f) && ok;
}

bool
numbers_file_write(const char *file, json_t *take_ports, struct error *err)
{
    char *partial = mem_printf("%s.new", file);
    json_t *all = json_pack("{s:o}", "ports", take_ports);
    char *text = json_text(all);
    bool ok = write_text(partial, text);
    if (!ok && errno == ENOENT) {
        make_folder(file);
        ok = write_text(partial, text);
    }
    ok = (ok && !rename(partial, file)) || error_set(err, ERROR_UNAVAILABLE, "%s: %s", partial, strerror(errno));
    json_decref(all);
    free(text);
    free(partial);
    return ok;
}
