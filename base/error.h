/* An error is a value on the caller's stack: a code and one sentence that names the object, the field, the
 * value and what would be right. Functions that can fail return bool and take 'struct error *err' last; on
 * false, *err is set; on true it is untouched. 'err' is never NULL.
 *
 * One list gives each code its name, HTTP status and vnetctl exit status. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H 1

#include <stdarg.h>
#include <stdbool.h>

/*        code             name               HTTP  exit */
/* clang-format off */
#define ERROR_LIST(X)                                                                    \
    X(ERROR_INVALID,       "invalid",         400,  1)  /* the request itself is wrong */ \
    X(ERROR_UNKNOWN,       "not-found",       404,  1)  /* it names what does not exist */ \
    X(ERROR_CONFLICT,      "conflict",        409,  1)  /* what exists is in the way */   \
    X(ERROR_FORBIDDEN,     "forbidden",       403,  1)  /* the principal may not */       \
    X(ERROR_QUOTA,         "quota",           403,  1)  /* a quota is used up */          \
    X(ERROR_TOO_LARGE,     "too-large",       413,  1)                                   \
    X(ERROR_EXHAUSTED,     "exhausted",       409,  1)  /* no address, number ... left */ \
    X(ERROR_TIMEOUT,       "timeout",         504,  65)                                  \
    X(ERROR_UNAVAILABLE,   "unavailable",     503,  1)  /* a peer or the store is away */ \
    X(ERROR_PROTOCOL,      "protocol",        502,  1)  /* a peer sent what it must not */ \
    X(ERROR_INTERNAL,      "internal",        500,  1)
/* clang-format on */

enum error_code {
#define X(CODE, NAME, HTTP, EXIT) CODE,
    ERROR_LIST(X)
#undef X
        N_ERROR_CODES
};

#define ERROR_TEXT_MAX 480

struct error {
    enum error_code code;
    char text[ERROR_TEXT_MAX];
};

/* Sets *err and returns false, so that 'return error_set(err, ...)' ends a function. */
bool error_set(struct error *err, enum error_code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts 'prefix: ' before err's text and returns false. */
bool error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *error_code_name(enum error_code);
int error_code_http(enum error_code);
int error_code_exit(enum error_code);

#define MUST_CHECK __attribute__((warn_unused_result))

#endif
