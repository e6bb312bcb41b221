/* Values that are words or seconds: of an enum, and times that the struct has in milliseconds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnet/model/field_value.h"

#define MS_DIGITS 3

/* ---- words ---- */
/* "tcp, icmp or none" */
static void
words_list(const struct field *f, char *list, size_t size)
{
    size_t used = 0, left = 0;
    for (size_t i = 0; i <= f->max; i++)
        left += f->words[i] != NULL;
    for (size_t i = 0; i <= f->max && used < size; i++)
        if (f->words[i])
            used += snprintf(list + used, size - used, "%s%s", f->words[i], --left > 1 ? ", " : left ? " or " : "");
}

bool
word_give(const struct field *f, const json_t *value, unsigned *n, struct error *err)
{
    const char *s = json_string_value(value);
    for (unsigned i = 0; s && i <= f->max; i++)
        if (f->words[i] && !strcmp(f->words[i], s)) {
            *n = i;
            return true;
        }
    char shown[VALUE_SHOWN_MAX], list[100];
    words_list(f, list, sizeof list);
    return error_set(err, ERROR_INVALID, "%s '%s' is unknown; write %s", f->name, value_shown(value, shown), list);
}

json_t *
word_json(const struct field *f, unsigned n)
{
    return n <= f->max && f->words[n] ? json_string(f->words[n]) : json_null();
}

json_t *
words_json(const struct field *f)
{
    json_t *words = json_array();
    for (size_t i = 0; i <= f->max; i++)
        if (f->words[i])
            json_array_append_new(words, json_string(f->words[i]));
    return words;
}

/* ---- seconds ---- */
/* "10", "0.25": digits, at most nine before the point and three after it. */
static bool
seconds_parse_text(const char *s, int64_t *ms)
{
    size_t whole = strspn(s, "0123456789"), decimals = 0;
    if (!whole || whole > 9)
        return false;
    *ms = strtoll(s, NULL, 10) * 1000;
    s += whole;
    if (*s == '.') {
        decimals = strspn(++s, "0123456789");
        if (!decimals || decimals > MS_DIGITS)
            return false;
        for (size_t i = 0, unit = 100; i < decimals; i++, unit /= 10)
            *ms += (s[i] - '0') * unit;
    }
    return !s[decimals];
}

static bool
seconds_parse(const json_t *value, int64_t *ms)
{
    const char *s = json_string_value(value);
    double seconds = json_number_value(value);
    if (s)
        return seconds_parse_text(s, ms);
    if (!json_is_number(value) || !(seconds >= 0 && seconds < 1e9))
        return false;
    *ms = llround(seconds * 1000);
    return fabs(seconds * 1000 - (double) *ms) < 1e-6;
}

bool
seconds_give(const struct field *f, const json_t *value, uint32_t *ms, struct error *err)
{
    int64_t given;
    char shown[VALUE_SHOWN_MAX];
    if (seconds_parse(value, &given) && given >= f->min && given <= f->max) {
        *ms = given;
        return true;
    }
    return error_set(err, ERROR_INVALID, "%s '%s' is no time of %g to %g seconds with at most %d decimals", f->name,
                     value_shown(value, shown), f->min / 1000.0, f->max / 1000.0, MS_DIGITS);
}

json_t *
seconds_json(const struct field *f, uint32_t ms)
{
    if (!ms && f->min)
        return json_null();
    return ms % 1000 ? json_real(ms / 1000.0) : json_integer(ms / 1000);
}
