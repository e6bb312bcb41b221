#include "base/option_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

void
option_text(char **slot, const char *value)
{
    free(*slot);
    *slot = value ? mem_strdup(value) : NULL;
}

bool
option_verbosity(const char *spec, struct error *err)
{
    char why[128];
    if (log_spec(spec ? spec : "dbg", why, sizeof why))
        return true;
    return error_set(err, ERROR_INVALID, "-v%s: %s", spec ? spec : "", why);
}

static void
source_begin(const struct option_set *s)
{
    if (s->begin)
        s->begin(s->aux);
}

/* ---- a file ---- */

static const struct option *
option_by_name(const struct option_set *s, const char *name)
{
    for (const struct option *o = s->longs; o->name; o++)
        if (!strcmp(o->name, name) && o->val != OPTION_CONFIG && o->val != OPTION_HELP && o->val != OPTION_VERSION)
            return o;
    return NULL;
}

static bool
take_named(const struct option_set *s, const char *name, const char *value, struct error *err)
{
    const struct option *option = option_by_name(s, name);
    if (!option)
        return error_set(err, ERROR_INVALID, "'%s' is no option; write a long option of %s(8) without dashes", name, s->program);
    if (option->has_arg == required_argument && !*value)
        return error_set(err, ERROR_INVALID, "'%s' needs a value: %s = VALUE", name, name);
    if (option->has_arg == no_argument && *value)
        return error_set(err, ERROR_INVALID, "'%s' takes no value; leave the line out if it is not wanted", name);
    return s->take(s->aux, option->val, *value ? value : NULL, err);
}

static bool
take_line(const struct option_set *s, char *line, struct error *err)
{
    line[strcspn(line, "#\r\n")] = '\0';
    char *name = line + strspn(line, " \t");
    if (!*name)
        return true;
    char *end = name + strcspn(name, " \t="), *value = end + strspn(end, " \t=");
    *end = '\0';
    for (size_t n = strlen(value); n && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--)
        value[n - 1] = '\0';
    return take_named(s, name, value, err);
}

static bool
read_file(const struct option_set *s, const char *file, struct error *err)
{
    FILE *f = fopen(file, "re");
    if (!f)
        return error_set(err, ERROR_INVALID, "--config=%s: %s", file, strerror(errno));
    source_begin(s);
    char *line = NULL;
    size_t size = 0;
    bool ok = true;
    for (unsigned number = 1; ok && getline(&line, &size, f) >= 0; number++)
        ok = take_line(s, line, err) || error_prefix(err, "%s:%u", file, number);
    if (ok && ferror(f))
        ok = error_set(err, ERROR_INVALID, "--config=%s: %s", file, strerror(errno));
    free(line);
    fclose(f);
    return ok;
}

/* ---- the command line ---- */

static void
getopt_begin(void)
{
    opterr = 0;
    optind = 0; /* anew, also what getopt keeps to itself */
}

static bool
read_files(const struct option_set *s, int argc, char *argv[], struct error *err)
{
    bool is_named = false;
    getopt_begin();
    for (int option; (option = getopt_long(argc, argv, s->shorts, s->longs, NULL)) != -1;) {
        if (option != OPTION_CONFIG)
            continue;
        is_named = true;
        if (!read_file(s, optarg, err))
            return false;
    }
    return is_named || !s->default_file || access(s->default_file, R_OK) || read_file(s, s->default_file, err);
}

bool
option_set_parse(const struct option_set *s, int argc, char *argv[], struct error *err)
{
    if (!read_files(s, argc, argv, err))
        return false;
    getopt_begin();
    source_begin(s);
    for (int option; (option = getopt_long(argc, argv, s->shorts, s->longs, NULL)) != -1;) {
        if (option == OPTION_CONFIG)
            continue;
        if (option == '?')
            return error_set(err, ERROR_INVALID, "unknown or incomplete option '%s'; try '%s --help'", argv[optind - 1], s->program);
        if (!s->take(s->aux, option, optarg, err))
            return false;
    }
    return true;
}
