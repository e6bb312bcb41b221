/* Errors as values. Every layer makes them; the outermost one that can answer turns them into a log line, an HTTP
 * status or an exit status.
 *
 * Invariant: err->text is one line of well-formed UTF-8 without control characters, whatever went into it. */
#include "base/error.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text.h"

static const struct {
    const char *name;
    int http, exit;
} codes[N_ERROR_CODES] = {
#define X(CODE, NAME, HTTP, EXIT) [CODE] = { NAME, HTTP, EXIT },
    ERROR_LIST(X)
#undef X
};

bool
error_set(struct error *err, enum error_code code, const char *format, ...)
{
    char text[ERROR_TEXT_MAX + 4]; /* apart: the arguments may be err's own text */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);

    err->code = code;
    text_escape(err->text, sizeof err->text, text);
    return false;
}

bool
error_prefix(struct error *err, const char *format, ...)
{
    char prefix[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    return error_set(err, err->code, "%s: %s", prefix, err->text);
}

const char *
error_code_name(enum error_code code)
{
    assert((unsigned) code < N_ERROR_CODES);
    return codes[code].name;
}

int
error_code_http(enum error_code code)
{
    assert((unsigned) code < N_ERROR_CODES);
    return codes[code].http;
}

int
error_code_exit(enum error_code code)
{
    assert((unsigned) code < N_ERROR_CODES);
    return codes[code].exit;
}
