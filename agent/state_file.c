#include "agent/state_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

/* All of it; NULL with *err. */
static char *
slurp(FILE *f, size_t *n, struct error *err)
{
    char *text = mem_alloc(STATE_FILE_MAX + 1);
    *n = fread(text, 1, STATE_FILE_MAX + 1, f);
    if (*n <= STATE_FILE_MAX && !ferror(f))
        return text;
    error_set(err, ERROR_TOO_LARGE, "it cannot be read, or is longer than %d bytes", STATE_FILE_MAX);
    free(text);
    return NULL;
}

json_t *
state_file_read(const char *file, struct error *err)
{
    size_t n;
    *err = (struct error){ .text = "" };
    FILE *f = fopen(file, "re");
    if (!f) {
        if (errno != ENOENT)
            error_set(err, ERROR_UNAVAILABLE, "%s: %s", file, strerror(errno));
        return NULL;
    }
    char *text = slurp(f, &n, err);
    json_t *json = text ? json_parse(text, n, "the file", err) : NULL;
    if (!json)
        error_prefix(err, "%s", file);
    free(text);
    fclose(f);
    return json;
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
state_file_write(const char *file, const json_t *json, struct error *err)
{
    char *partial = mem_printf("%s.new", file), *text = json_text(json);
    bool ok = write_text(partial, text);
    if (!ok && errno == ENOENT) {
        make_folder(file);
        ok = write_text(partial, text);
    }
    ok = (ok && !rename(partial, file)) || error_set(err, ERROR_UNAVAILABLE, "%s: %s", partial, strerror(errno));
    free(text);
    free(partial);
    return ok;
}
